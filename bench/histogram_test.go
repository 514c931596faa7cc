package bench_test

import (
	"math/bits"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// histogram counts durations, each to within 1/64 of its value.
type histogram struct {
	counts [64 * perDoubling]uint32
	n      int
	max    int64
}

const perDoubling = 64

func (h *histogram) add(ns int64) {
	ns = max(ns, 0)
	h.counts[bucket(uint64(ns))]++
	h.n++
	h.max = max(h.max, ns)
}

func (h *histogram) merge(o *histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.n += o.n
	h.max = max(h.max, o.max)
}

// quantile returns what the fraction q of the durations does not exceed.
func (h *histogram) quantile(q float64) float64 {
	rank := int(q * float64(h.n))
	for i, n := range h.counts {
		if rank -= int(n); rank < 0 {
			return middle(i)
		}
	}
	return float64(h.max)
}

// bucket is exact below perDoubling; beyond it, every doubling has perDoubling
// buckets.
func bucket(ns uint64) int {
	shift := max(bits.Len64(ns)-bits.Len(perDoubling), 0)
	return shift*perDoubling + int(ns>>shift)
}

func middle(bucket int) float64 {
	shift := max(bucket/perDoubling-1, 0)
	low := uint64(bucket-shift*perDoubling) << shift
	return float64(low) + float64(uint64(1)<<shift-1)/2
}

// report sets the quantiles, as metrics whose names begin with prefix.
func (h *histogram) report(b *testing.B, prefix string) {
	b.Helper()
	if h.n == 0 {
		return
	}
	b.ReportMetric(h.quantile(0.5), prefix+"p50-ns")
	b.ReportMetric(h.quantile(0.99), prefix+"p99-ns")
	b.ReportMetric(h.quantile(0.999), prefix+"p99.9-ns")
}

// stopwatch times single calls. What reading the clock itself costs is taken
// off each: more than half of it otherwise, with a small table.
type stopwatch struct {
	base time.Time
	cost int64
}

func newStopwatch() stopwatch {
	s := stopwatch{base: time.Now()}
	empty := make([]int64, 1001)
	for i := range empty {
		start := s.read()
		empty[i] = s.read() - start
	}
	slices.Sort(empty)
	s.cost = empty[len(empty)/2]
	return s
}

// read returns nanoseconds. It is the monotonic clock alone, which costs less.
func (s *stopwatch) read() int64 { return int64(time.Since(s.base)) }

// after spins until then, since to sleep is too coarse, and returns the time.
func (s *stopwatch) after(then int64) int64 {
	now := s.read()
	for now < then {
		now = s.read()
	}
	return now
}

// since returns how long ago start was read, less the cost of reading.
func (s *stopwatch) since(start int64) int64 { return s.read() - start - s.cost }

func TestHistogram(t *testing.T) {
	t.Parallel()
	var h histogram
	for ns := int64(1); ns <= 100_000; ns++ {
		h.add(ns)
	}
	require.InEpsilon(t, 50_000, h.quantile(0.5), 1./perDoubling)
	require.InEpsilon(t, 99_900, h.quantile(0.999), 1./perDoubling)
	require.EqualValues(t, 100_000, h.max)
	for _, ns := range []uint64{0, 1, 63, 64, 65, 127, 128, 129, 1 << 40, 1<<62 + 1<<61} {
		require.InDelta(t, float64(ns), middle(bucket(ns)), float64(ns)/perDoubling)
	}
}
