// Package bench_test measures what a table costs, for capacity planning:
//
//	go test -bench . ./bench/...
//
// README.md says how to read the figures. Every benchmark works in rounds, and a
// round is what b.Loop counts: it prepares player sessions that nobody has used
// yet, does the measured work once with each of them, and cleans up. The clock is
// read around the measured part alone, so ns/op is the time of one accept, one
// reservation and so on, while N counts rounds.
package bench_test

import (
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/usher-go/usher/bench/internal/measure"
)

// sizes are how many players hold a seat while something is measured: a match,
// a world, and what one process can carry. -short leaves the last one out.
func sizes() []int {
	if testing.Short() {
		return []int{200, 10_000}
	}
	return []int{200, 10_000, 1_000_000}
}

// eachSize runs f for every size.
func eachSize(b *testing.B, f func(b *testing.B, slots int)) {
	b.Helper()
	for _, slots := range sizes() {
		b.Run("slots="+strconv.Itoa(slots), func(b *testing.B) { f(b, slots) })
	}
}

// eachProcs runs f on one processor and on two.
func eachProcs(b *testing.B, f func(b *testing.B, procs int)) {
	b.Helper()
	for _, procs := range []int{1, 2} {
		b.Run("procs="+strconv.Itoa(procs), func(b *testing.B) {
			onProcs(b, procs)
			f(b, procs)
		})
	}
}

// onProcs gives the benchmark that many processors, for its goroutines and the
// garbage collector together.
func onProcs(b *testing.B, procs int) {
	b.Helper()
	if runtime.NumCPU() < procs {
		b.Skipf("this machine has %d processor(s)", runtime.NumCPU())
	}
	before := runtime.GOMAXPROCS(procs)
	b.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

// work is measured time, and how many operations were done in it.
type work struct {
	time           time.Duration
	ops            int
	objects, bytes uint64 // allocated meanwhile, by anyone
}

// measure adds f, which does n operations, to w. The clock is f's own, so that
// it may leave out what does not belong.
func (w *work) measure(n int, f func() time.Duration) {
	before := measure.Allocated()
	w.time += f()
	after := measure.Allocated()
	w.objects += after.Objects - before.Objects
	w.bytes += after.Bytes - before.Bytes
	w.ops += n
}

// report sets ns/op, B/op and allocs/op, the last two rounded down as package
// testing does.
func (w *work) report(b *testing.B) {
	b.Helper()
	if w.ops == 0 {
		return
	}
	b.ReportAllocs()
	b.ReportMetric(w.perOp(), "ns/op")
	b.ReportMetric(float64(w.objects/uint64(w.ops)), "allocs/op")
	b.ReportMetric(float64(w.bytes/uint64(w.ops)), "B/op")
}

func (w *work) perOp() float64 { return float64(w.time.Nanoseconds()) / float64(w.ops) }

// reportQuantiles sets those of h, as metrics whose names begin with prefix.
func reportQuantiles(b *testing.B, h *measure.Histogram, prefix string) {
	b.Helper()
	if h.N() == 0 {
		return
	}
	b.ReportMetric(h.Quantile(0.5), prefix+"p50-ns")
	b.ReportMetric(h.Quantile(0.99), prefix+"p99-ns")
	b.ReportMetric(h.Quantile(0.999), prefix+"p99.9-ns")
}
