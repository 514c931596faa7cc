package bench_test

import (
	"testing"
	"time"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/slot"
)

// Some of the players of a full table have left, and reserve again.
func BenchmarkReserve(b *testing.B) {
	eachSize(b, func(b *testing.B, slots int) {
		h := newHouse(b, slots, plain())
		h.settle(b)
		eachProcs(b, func(b *testing.B, procs int) {
			var w work
			for b.Loop() {
				players := h.some()
				h.release(b, h.read(players))
				h.tidy()
				w.measure(len(players), func() time.Duration { return h.reserveOn(b, procs, players) })
				h.accept(b, h.read(players))
			}
			w.report(b)
		})
	})
}

const party = 5

// As BenchmarkReserve, in parties; ns/op is a party's.
func BenchmarkReserveAll(b *testing.B) {
	b.Run("party=5", func(b *testing.B) {
		eachSize(b, func(b *testing.B, slots int) {
			h := newHouse(b, slots, plain())
			h.settle(b)
			eachProcs(b, func(b *testing.B, procs int) {
				var w work
				for b.Loop() {
					players := h.some()
					players = players[:len(players)/party*party]
					h.release(b, h.read(players))
					h.tidy()
					w.measure(len(players)/party, func() time.Duration { return h.reserveParties(b, procs, players) })
					h.accept(b, h.read(players))
				}
				w.report(b)
			})
		})
	})
}

func (h *house) reserveParties(b *testing.B, procs int, players []int) time.Duration {
	b.Helper()
	got := make([]string, len(players))
	took := measure.Share(procs, len(players)/party, func(from, to int) {
		var members [party]slot.Reservation
		for first := from * party; first < to*party; first += party {
			for i := range members {
				members[i] = h.reservation(players[first+i])
			}
			reserved, err := h.table.ReserveAll(members[:])
			if err != nil || len(reserved) != party {
				b.Errorf("reserve a party: %v, %v", reserved, err)
				return
			}
			for i := range reserved {
				got[first+i] = reserved[i].PlayerSessionID
			}
		}
	})
	h.keep(players, got)
	return took
}

// Some of the players of a full table leave.
func BenchmarkRelease(b *testing.B) {
	eachSize(b, func(b *testing.B, slots int) {
		h := newHouse(b, slots, plain())
		h.settle(b)
		eachProcs(b, func(b *testing.B, procs int) {
			var w work
			for b.Loop() {
				players := h.some()
				leaving := h.read(players)
				h.tidy()
				w.measure(len(players), func() time.Duration { return h.releaseOn(b, procs, leaving) })
				h.reserve(b, players)
				h.accept(b, h.read(players))
			}
			w.report(b)
		})
	})
}
