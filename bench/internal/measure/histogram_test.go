package measure_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/bench/internal/measure"
)

const precision = 1. / 64

func TestHistogram(t *testing.T) {
	t.Parallel()
	var h, odd measure.Histogram
	for ns := int64(1); ns <= 100_000; ns++ {
		if ns%2 == 0 {
			h.Add(ns)
		} else {
			odd.Add(ns)
		}
	}
	h.Merge(&odd)
	require.Equal(t, 100_000, h.N())
	require.InEpsilon(t, 50_000, h.Quantile(0.5), precision)
	require.InEpsilon(t, 99_900, h.Quantile(0.999), precision)
	require.EqualValues(t, 100_000, h.Max())
}

// No duration is too short or too long for it.
func TestHistogramRange(t *testing.T) {
	t.Parallel()
	for _, ns := range []int64{0, 1, 63, 64, 65, 127, 128, 129, 1 << 40, 1<<62 + 1<<61} {
		var h measure.Histogram
		h.Add(ns)
		require.InDelta(t, float64(ns), h.Quantile(0.5), float64(ns)*precision)
	}
	var h measure.Histogram
	h.Add(-1)
	require.Zero(t, h.Quantile(0.5))
}
