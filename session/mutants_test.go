package session_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// What gremlins showed that no other test sees: of the latest numbers, one that
// has a single digit has to be filled up with the most zeros.
func TestUnmarshalTimestampOfOneDigit(t *testing.T) {
	t.Parallel()
	for text, ms := range map[string]int64{`1e11`: 100_000_000_000_000, `2E+11`: 200_000_000_000_000} {
		var p session.PlayerSession
		require.NoError(t, json.Unmarshal([]byte(`{"CreationTime":`+text+`}`), &p), text)
		require.Equal(t, time.UnixMilli(ms).UTC(), p.CreationTime, text)
	}
}
