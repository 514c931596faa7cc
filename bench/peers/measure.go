package main

import (
	"math/bits"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

// share deals n pieces of work out to procs goroutines, which begin together,
// and returns how long it was until the last of them had done its part. They
// spin rather than sleep before it begins: a table of 200 is dealt with sooner
// than a goroutine is woken.
func share(procs, n int, work func(from, to int)) time.Duration {
	var ready, begun, done atomic.Int64
	for p := 1; p < procs; p++ {
		go func() {
			ready.Add(1)
			for begun.Load() == 0 {
			}
			work(p*n/procs, (p+1)*n/procs)
			done.Add(1)
		}()
	}
	for int(ready.Load()) < procs-1 {
		runtime.Gosched()
	}
	start := time.Now()
	begun.Store(1)
	work(0, n/procs)
	for int(done.Load()) < procs-1 {
		runtime.Gosched()
	}
	return time.Since(start)
}

// allocated is how many objects have been allocated by now.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

func liveHeap() float64 {
	runtime.GC()
	runtime.GC() // what the first one found in a sync.Pool or a finalizer
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// collection is how long a full garbage collection takes: the median of five.
func collection() time.Duration {
	var took [5]time.Duration
	for i := range took {
		start := time.Now()
		runtime.GC()
		took[i] = time.Since(start)
	}
	slices.Sort(took[:])
	return took[len(took)/2]
}

// stopwatch times single calls. What reading the clock itself costs is taken
// off each.
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

// since returns how long ago start was read, less the cost of reading.
func (s *stopwatch) since(start int64) int64 { return s.read() - start - s.cost }

// after spins until then, since to sleep is too coarse, and returns the time.
func (s *stopwatch) after(then int64) int64 {
	now := s.read()
	for now < then {
		now = s.read()
	}
	return now
}

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
