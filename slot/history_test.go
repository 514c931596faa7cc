package slot

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever the order in which they end, alone and in batches, the earliest ended
// is forgotten first.
func TestHistory(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 1))
	for range 20 {
		var h history
		var want []past
		now, seq := int64(0), uint64(0)
		for range 2_000 {
			now += random.Int64N(3)
			switch random.IntN(4) {
			case 0: // some were due before
				batch := make([]past, 1+random.IntN(20))
				for i := range batch {
					seq++
					batch[i] = past{at: now - random.Int64N(100), seq: seq}
				}
				h.push(batch)
				want = append(want, batch...)
			case 1:
				seq++
				h.push([]past{{at: now, seq: seq}})
				want = append(want, past{at: now, seq: seq})
			default:
				most := max(len(want)-random.IntN(12), 0)
				got := h.surplus(most, make([]past, 12))
				require.Len(t, got, len(want)-most)
				want = requireEarliest(t, want, got)
				require.Equal(t, len(want), h.ended.len)
			}
		}
		odd := func(p past) bool { return p.seq%2 == 1 }
		h.ended.keep(odd)
		want = slices.DeleteFunc(want, func(p past) bool { return !odd(p) })
		require.Equal(t, len(want), h.ended.len)
		for len(want) > 0 {
			want = requireEarliest(t, want, []past{h.ended.pop()})
		}
	}
}

// requireEarliest takes those out of all who are to have ended before the others, one
// after the other.
func requireEarliest(t *testing.T, all, earliest []past) (others []past) {
	t.Helper()
	for _, p := range earliest {
		require.Contains(t, all, p)
		require.Equal(t, slices.MinFunc(all, func(a, b past) int { return cmp.Compare(a.at, b.at) }).at, p.at)
		all = slices.DeleteFunc(all, func(q past) bool { return q == p })
	}
	return all
}
