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
				w.measure(slots, func() time.Duration { return acceptFloor(b, f, procs, arrivals) })
			}
			w.report(b)
		})
	})
}

// The floor in the caches that a table leaves behind: everybody reserves in both,
// and then comes to the one or the other, in turns. ns/op is the table's.
func BenchmarkFloorBeside(b *testing.B) {
	eachSize(b, func(b *testing.B, slots int) {
		onProcs(b, 1)
		h := newHouse(b, slots, plain())
		f := measure.NewFloor(gameSession(gameID, slots))
		var table, floor work
		come := func(w *work, accept func(measure.IDs) time.Duration) {
			for i := range slots {
				ps, err := h.table.Reserve(h.reservation(i))
				if err != nil {
					b.Fatal(err)
				}
				copy(h.ids[i*h.each:], ps.PlayerSessionID)
				f.Reserve(ps.PlayerSessionID, h.crowd.playerID(i), h.crowd.data(i))
			}
			arrivals := h.read(h.everyone())
			h.tidy()
			w.measure(slots, func() time.Duration { return accept(arrivals) })
			h.release(b, arrivals)
			f.Clear()
		}
		for b.Loop() {
			come(&table, func(ids measure.IDs) time.Duration { return h.accept(b, ids) })
			come(&floor, func(ids measure.IDs) time.Duration { return acceptFloor(b, f, 1, ids) })
		}
		table.report(b)
		b.ReportMetric(floor.perOp(), "floor-ns")
		b.ReportMetric(table.perOp()/floor.perOp(), "×floor")
	})
}

// acceptFloor is the house's acceptOn, of a floor.
func acceptFloor(b *testing.B, f *measure.Floor, procs int, arrivals measure.IDs) time.Duration {
	b.Helper()
	return measure.Share(procs, arrivals.Len(), func(from, to int) {
		for i := from; i < to; i++ {
			if ps, err := f.AcceptPlayerSession(arrivals.At(i)); err != nil || ps.PlayerID == "" {
				b.Errorf("accept: %v, %v", ps, err)
				return
			}
		}
	})
}
