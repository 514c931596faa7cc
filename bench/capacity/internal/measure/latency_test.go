package measure

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

// The reference sorts all there is.
func TestLatenciesAgainstSorted(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	for name, next := range map[string]func() time.Duration{
		"even":        func() time.Duration { return time.Duration(1 + random.IntN(1_000_000)) },
		"exponential": func() time.Duration { return time.Duration(1 + 500*random.ExpFloat64()) },
		"long tail":   func() time.Duration { return time.Duration(80 * math.Exp(3*random.NormFloat64())) },
		"two humps": func() time.Duration {
			return time.Duration(100 + random.IntN(20) + random.IntN(2)*10_000_000)
		},
		"constant": func() time.Duration { return 60 },
	} {
		for _, n := range []int{1, 2, 99, 100, 101, 20_000} {
			l := newLatencies()
			all := make([]time.Duration, n)
			sum := time.Duration(0)
			for i := range all {
				all[i] = next()
				sum += all[i]
				l.record(all[i])
			}
			slices.Sort(all)
			at := func(share float64) time.Duration {
				rank := int(share*float64(n) + 0.5) // HDR histograms round to the nearest
				return all[min(max(rank, 1), n)-1]
			}
			s := l.summary()
			require.EqualValues(t, n, s.Count)
			require.Equal(t, sum, l.sum)
			for share, got := range map[float64]time.Duration{0.5: s.P50, 0.9: s.P90, 0.99: s.P99, 0.999: s.P999, 1: s.Max} {
				requireAlmost(t, max(at(share), 1), got, "%s, %d values, %g", name, n, share)
			}
			for _, q := range l.curve() {
				requireAlmost(t, max(at(q.Share), 1), q.Value, "%s, %d values, %g", name, n, q.Share)
			}
		}
	}
}

// requireAlmost allows for the digits that are not kept.
func requireAlmost(t *testing.T, want, got time.Duration, message ...any) {
	t.Helper()
	require.InDelta(t, float64(want), float64(got), 1+0.001*float64(want), message...)
}

func TestLatenciesOutOfBounds(t *testing.T) {
	t.Parallel()
	l := newLatencies()
	for _, d := range []time.Duration{-5, 0, 1, 2 * slowest} {
		l.record(d)
	}
	s := l.summary()
	require.EqualValues(t, 4, s.Count, "nothing is left out")
	require.InEpsilon(t, float64(slowest), float64(s.Max), 0.001)
	require.Equal(t, figures.Latency{}, newLatencies().summary())
	require.Empty(t, newLatencies().curve())
}

// A curve says nothing that its count does not bear.
func TestCurve(t *testing.T) {
	t.Parallel()
	l := newLatencies()
	for i := range 1000 {
		l.record(time.Duration(i))
	}
	curve := l.curve()
	require.InDelta(t, 0.5, curve[0].Share, 1e-9)
	last := curve[len(curve)-1].Share
	require.Greater(t, last, 0.99)
	require.LessOrEqual(t, last, 0.999)
	require.True(t, slices.IsSortedFunc(curve, func(a, b figures.Quantile) int { return int(a.Value - b.Value) }))
}
