package gameliftapi_test

import (
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator/gameliftapi"
)

// What strangers cause is for who looks for it; a fault here is for everybody. Ids
// of player sessions stand in neither.
func TestLog(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	var all, faults strings.Builder
	config := anybody()
	config.Logger = zerolog.New(zerolog.MultiLevelWriter(&all, errorsOnly{zerolog.LevelWriterAdapter{Writer: &faults}}))
	handler := gameliftapi.New(table, config)

	post(handler, "DescribePlayerSessions", `{"PlayerSessionId":"psess-secret"}`)
	require.Contains(t, all.String(), `"level":"debug"`)
	require.Contains(t, all.String(), `"operation":"DescribePlayerSessions","exception":"NotFoundException"`)
	post(handler, strings.Repeat("x", 5000), "{}")
	require.Less(t, all.Len(), 1500)
	require.Empty(t, faults.String())

	require.NoError(t, table.Close())
	post(handler, "DescribePlayerSessions", `{"PlayerSessionId":"psess-secret"}`)
	require.Contains(t, faults.String(), `"exception":"InternalServiceException","error":"session: closed`)
	require.NotContains(t, all.String(), "secret")
}

// errorsOnly lets errors through.
type errorsOnly struct{ zerolog.LevelWriterAdapter }

// WriteLevel writes a line if it is an error.
func (w errorsOnly) WriteLevel(level zerolog.Level, line []byte) (int, error) {
	if level < zerolog.ErrorLevel {
		return len(line), nil
	}
	return w.Write(line)
}
