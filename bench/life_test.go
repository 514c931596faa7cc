package bench_test

import (
	"testing"
	"time"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/session"
)

// retained is how many player sessions that have ended a table keeps by default.
const retained = 262_144

// A player reserves, comes and leaves, in a table that is full but for those who
// do so and whose history has been full for long, as after days of service.
func BenchmarkLife(b *testing.B) {
	const lives = 10_000 // in a round
	eachSize(b, func(b *testing.B, slots int) {
		h := newHouse(b, slots, plain())
		h.settle(b)
		h.release(b, h.read([]int{0, slots - 1}))
		h.live(b, 1, retained)
		eachProcs(b, func(b *testing.B, procs int) {
			var w work
			for b.Loop() {
				w.measure(lives, func() time.Duration { return h.live(b, procs, lives) })
			}
			w.report(b)
		})
	})
}

// live lets a player after the other come and go, one at a time on each
// processor.
func (h *house) live(b *testing.B, procs, lives int) time.Duration {
	b.Helper()
	return measure.Share(procs, lives, func(from, to int) {
		for i := from; i < to; i++ {
			ps, err := h.table.Reserve(h.reservation(i % h.slots))
			if err == nil {
				ps, err = h.door.AcceptPlayerSession(ps.PlayerSessionID)
			}
			if err == nil {
				ps, err = h.table.Release(ps.PlayerSessionID)
			}
			if err != nil || ps.Status != session.StatusCompleted {
				b.Errorf("a life: %v, %v", ps, err)
				return
			}
		}
	})
}
