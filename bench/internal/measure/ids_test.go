package measure_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/session"
)

func TestIDs(t *testing.T) {
	t.Parallel()
	for _, ids := range []measure.IDs{measure.Strangers(5), measure.Aliases(7, 5)} {
		require.Equal(t, 5, ids.Len())
		head, tail := ids.Cut(2)
		require.Equal(t, ids.First(2), head)
		require.Equal(t, ids.At(2), tail.At(0))
		require.Equal(t, 3, tail.Len())
		require.Equal(t, ids, ids.First(9))
		for i := range ids.Len() {
			require.NoError(t, session.ValidatePlayerSessionID(ids.At(i)))
		}
	}
	require.Equal(t, "psess-ticket:00000008:eu-west-1", measure.Aliases(7, 5).At(1))
}
