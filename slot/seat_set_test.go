package slot

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The lowest seat that was left goes first, up to the last there may be.
func TestSeatSet(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(4, 1))
	var s seatSet
	_, ok := s.takeLowest()
	require.False(t, ok)
	for _, most := range []uint32{1, 63, 64, 65, 4_096, 4_097, 262_145, maxSeats + 1} {
		var want []uint32
		for range 3_000 {
			seat := random.Uint32N(most)
			if i, there := slices.BinarySearch(want, seat); random.IntN(3) > 0 {
				if !there {
					want = slices.Insert(want, i, seat)
					s.add(seat)
				}
				continue
			}
			lowest, ok := s.takeLowest()
			require.Equal(t, len(want) > 0, ok)
			if ok {
				require.Equal(t, want[0], lowest)
				want = want[1:]
			}
		}
		s.clear()
		_, ok := s.takeLowest()
		require.False(t, ok)
	}
	s.add(maxSeats)
	s.add(0)
	for _, want := range []uint32{0, maxSeats} {
		lowest, ok := s.takeLowest()
		require.True(t, ok)
		require.Equal(t, want, lowest)
	}
}
