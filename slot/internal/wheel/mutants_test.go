package wheel_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/slot/internal/wheel"
)

// What gremlins showed that no other test sees: what the wheel costs.

// Entries of one bucket share chunks of fifteen.
func TestEntriesShareChunks(t *testing.T) {
	const entries = 15 * 4
	allocs := testing.AllocsPerRun(10, func() {
		w := wheel.New[int](time.Millisecond, 64, 0)
		for i := range entries {
			w.Add(i, int64(time.Second), 0)
		}
	})
	require.LessOrEqual(t, allocs, float64(3+4), "the wheel's three and four chunks")
}

// However long traffic is steady, it allocates nothing: chunks are used again.
func TestSteadyTrafficAllocatesNothing(t *testing.T) {
	w, now := wheel.New[int](time.Millisecond, 64, 0), int64(0)
	var out [1]int
	cycle := func() {
		w.Add(1, now+int64(time.Millisecond), now)
		now += 2 * int64(time.Millisecond)
		if w.Take(now, out[:]) != 1 {
			t.Fatal("nothing came")
		}
	}
	for range 10_000 { // more than there are chunks kept for reuse
		cycle()
	}
	require.Zero(t, testing.AllocsPerRun(1000, cycle))
}
