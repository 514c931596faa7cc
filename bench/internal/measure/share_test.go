package measure_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/bench/internal/measure"
)

// Every piece is done once, and all of them when Share returns, whether or not
// there are as many processors.
func TestShare(t *testing.T) {
	t.Parallel()
	for _, procs := range []int{1, 2, 3} {
		for _, n := range []int{0, 1, 3, 1000} {
			done := make([]int, n)
			var shares atomic.Int64
			took := measure.Share(procs, n, func(from, to int) {
				shares.Add(1)
				for i := from; i < to; i++ {
					done[i]++
				}
			})
			require.Positive(t, took)
			require.EqualValues(t, procs, shares.Load())
			for i, times := range done {
				require.Equal(t, 1, times, "piece %d of %d, on %d", i, n, procs)
			}
		}
	}
}

// The time is the slowest one's.
func TestShareWaits(t *testing.T) {
	t.Parallel()
	const slow = 10 * time.Millisecond
	took := measure.Share(2, 2, func(from, _ int) { time.Sleep(time.Duration(from) * slow) })
	require.GreaterOrEqual(t, took, slow)
}
