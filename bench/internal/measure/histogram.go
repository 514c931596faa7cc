package measure

import "math/bits"

// Histogram counts durations, each to within 1/64 of its value. It is not for
// concurrent use: each goroutine has its own, to be merged.
type Histogram struct {
	counts [64 * perDoubling]uint32
	n      int
	max    int64
}

const perDoubling = 64

// Add counts a duration in nanoseconds. Less than nothing, which is left of a
// call shorter than the clock's cost, is nothing.
func (h *Histogram) Add(ns int64) {
	ns = max(ns, 0)
	h.counts[bucket(uint64(ns))]++
	h.n++
	h.max = max(h.max, ns)
}

// Merge adds what o has counted.
func (h *Histogram) Merge(o *Histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.n += o.n
	h.max = max(h.max, o.max)
}

// N is how many durations were added.
func (h *Histogram) N() int { return h.n }

// Max is the longest of them, exactly.
func (h *Histogram) Max() int64 { return h.max }

// Quantile returns what the fraction q of the durations does not exceed.
func (h *Histogram) Quantile(q float64) float64 {
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
