package gameliftapi

import (
	"encoding/json"
	"testing"
	"time"

	smithycbor "github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// What Amazon's client reads is the millisecond that was written, on both wires.
func TestTimestamps(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC)
	for i := range 20_000 {
		want := begin.Add(time.Duration(i) * 1_000_003 * time.Millisecond)
		body, err := encodeCBOR(timestamp(want))
		require.NoError(t, err)
		value, err := smithycbor.Decode(body)
		require.NoError(t, err)
		have, err := smithycbor.AsTime(value)
		require.NoError(t, err)
		require.True(t, want.Equal(have), "%s is read as %s", want, have)

		body, err = encodeJSON(timestamp(want))
		require.NoError(t, err)
		var ps session.PlayerSession
		require.NoError(t, json.Unmarshal([]byte(`{"CreationTime":`+string(body)+`}`), &ps))
		require.Equal(t, want, ps.CreationTime, "%s", body)
	}
}
