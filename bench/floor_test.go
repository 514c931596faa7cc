package bench_test

import (
	"testing"
	"time"

	"github.com/usher-go/usher/bench/internal/measure"
)

// The bare floor under an accept: what no table of this layout can do without.
func BenchmarkFloor(b *testing.B) {
	eachSize(b, func(b *testing.B, slots int) {
		f := measure.NewFloor(gameSession(gameID, slots))
		h := house{rand: newRand(), slots: slots, ids: []byte(measure.Strangers(slots).Text), each: measure.IDLen}
		crowd := newCrowd(slots)
		for i := range slots {
			f.Reserve(h.idOf(i), crowd.playerID(i), crowd.data(i))
		}
		eachProcs(b, func(b *testing.B, procs int) {
			var w work
			for b.Loop() {
				arrivals := h.read(h.everyone())
				w.measure(slots, func() time.Duration {
					return measure.Share(procs, slots, func(from, to int) {
						for i := from; i < to; i++ {
							if ps, err := f.AcceptPlayerSession(arrivals.At(i)); err != nil || ps.PlayerID == "" {
								b.Errorf("accept: %v, %v", ps, err)
								return
							}
						}
					})
				})
			}
			w.report(b)
		})
	})
}
