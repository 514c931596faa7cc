package bench_test

import (
	"sync"
	"testing"
	"time"

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
			var each histogram
			for b.Loop() {
				players := h.everyone()[:min(slots, uncached)]
				together, apart := h.renew(b, players).cut(len(players) / 2)
				h.tidy()
				w.measure(together.len(), func() time.Duration { return h.acceptOn(b, procs, together) })
				h.acceptEach(b, procs, apart, &each)
			}
			w.report(b)
			each.report(b, "")
		})
	})
}

// acceptEach lets players in and adds the time that each of them took to sum.
func (h *house) acceptEach(b *testing.B, procs int, arrivals ids, sum *histogram) {
	b.Helper()
	watch := newStopwatch()
	var mu sync.Mutex // protects sum
	share(procs, arrivals.len(), func(from, to int) {
		var own histogram
		for i := from; i < to; i++ {
			id := arrivals.at(i)
			start := watch.read()
			ps, err := h.door.AcceptPlayerSession(id)
			own.add(watch.since(start))
			if err != nil || ps.Status != session.StatusActive {
				b.Errorf("accept: %v, %v", ps, err)
				return
			}
		}
		mu.Lock()
		defer mu.Unlock()
		sum.merge(&own)
	})
}
