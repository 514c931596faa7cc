package bench_test

import (
	"testing"
	"time"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/session"
)

// floor is one of measure's.
type floor interface {
	Reserve(id, playerID, playerData string)
	AcceptPlayerSession(id string) (session.PlayerSession, error)
	Clear()
}

// The bare floor under an accept: what no table of this layout can do without.
func BenchmarkFloor(b *testing.B) {
	benchmarkFloor(b, func(g session.GameSession) floor { return measure.NewFloor(g) })
}

// The same with all that has to be checked, so that nobody is let in by accident.
func BenchmarkCheckedFloor(b *testing.B) {
	benchmarkFloor(b, func(g session.GameSession) floor { return measure.NewCheckedFloor(g) })
}

func benchmarkFloor(b *testing.B, open func(session.GameSession) floor) {
	eachSize(b, func(b *testing.B, slots int) {
		f := open(gameSession(gameID, slots))
		h := house{rand: newRand(), slots: slots, ids: []byte(measure.Strangers(slots).Text), each: measure.IDLen}
		crowd := newCrowd(slots)
		eachProcs(b, func(b *testing.B, procs int) {
			var w work
			for b.Loop() {
				for i := range slots {
					f.Reserve(h.idOf(i), crowd.playerID(i), crowd.data(i))
				}
				arrivals := h.read(h.everyone())
				w.measure(slots, func() time.Duration { return acceptFloor(b, f, procs, arrivals) })
				f.Clear()
			}
			w.report(b)
		})
	})
}

// The floors in the caches that a table leaves behind: everybody reserves in all of
// them, and then comes to one, in turns. ns/op is the table's.
func BenchmarkFloorBeside(b *testing.B) {
	eachSize(b, func(b *testing.B, slots int) {
		onProcs(b, 1)
		h := newHouse(b, slots, plain())
		bare, checked := measure.NewFloor(gameSession(gameID, slots)), measure.NewCheckedFloor(gameSession(gameID, slots))
		come := func(w *work, accept func(measure.IDs) time.Duration) {
			for i := range slots {
				ps, err := h.table.Reserve(h.reservation(i))
				if err != nil {
					b.Fatal(err)
				}
				copy(h.ids[i*h.each:], ps.PlayerSessionID)
				bare.Reserve(ps.PlayerSessionID, h.crowd.playerID(i), h.crowd.data(i))
				checked.Reserve(ps.PlayerSessionID, h.crowd.playerID(i), h.crowd.data(i))
			}
			arrivals := h.read(h.everyone())
			h.tidy()
			w.measure(slots, func() time.Duration { return accept(arrivals) })
			h.release(b, arrivals)
			bare.Clear()
			checked.Clear()
		}
		var table, overBare, overChecked work
		for b.Loop() {
			come(&table, func(ids measure.IDs) time.Duration { return h.accept(b, ids) })
			come(&overBare, func(ids measure.IDs) time.Duration { return acceptFloor(b, bare, 1, ids) })
			come(&overChecked, func(ids measure.IDs) time.Duration { return acceptFloor(b, checked, 1, ids) })
		}
		table.report(b)
		b.ReportMetric(overBare.perOp(), "floor-ns")
		b.ReportMetric(table.perOp()/overBare.perOp(), "×floor")
		b.ReportMetric(overChecked.perOp(), "checked-ns")
		b.ReportMetric(table.perOp()/overChecked.perOp(), "×checked")
	})
}

// acceptFloor is the house's acceptOn, of a floor.
func acceptFloor(b *testing.B, f floor, procs int, arrivals measure.IDs) time.Duration {
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
