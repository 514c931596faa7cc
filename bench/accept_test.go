package bench_test

import (
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/session"
)

// The players of a full table are let in: all of them, of a million some in any
// place. Half of them are timed as a whole, for ns/op, and half one by one, for
// the quantiles.
func BenchmarkAccept(b *testing.B) {
	eachSize(b, func(b *testing.B, slots int) {
		h := newHouse(b, slots, plain())
		h.settle(b)
		eachProcs(b, func(b *testing.B, procs int) {
			var w work
			var each measure.Histogram
			for b.Loop() {
				players := h.everyone()[:min(slots, uncached)]
				together, apart := h.renew(b, players).Cut(len(players) / 2)
				h.tidy()
				w.measure(together.Len(), func() time.Duration { return h.acceptOn(b, procs, together) })
				h.acceptEach(b, procs, apart, &each)
			}
			w.report(b)
			reportQuantiles(b, &each, "")
		})
	})
}

// acceptEach lets players in and adds the time that each of them took to sum.
func (h *house) acceptEach(b *testing.B, procs int, arrivals measure.IDs, sum *measure.Histogram) {
	b.Helper()
	watch := measure.NewStopwatch()
	var mu sync.Mutex // protects sum
	measure.Share(procs, arrivals.Len(), func(from, to int) {
		var own measure.Histogram
		for i := from; i < to; i++ {
			id := arrivals.At(i)
			start := watch.Read()
			ps, err := h.door.AcceptPlayerSession(id)
			own.Add(watch.Since(start))
			if err != nil || ps.Status != session.StatusActive {
				b.Errorf("accept: %v, %v", ps, err)
				return
			}
		}
		mu.Lock()
		defer mu.Unlock()
		sum.Merge(&own)
	})
}
