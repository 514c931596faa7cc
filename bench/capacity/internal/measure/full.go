package measure

import (
	"runtime"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
	"github.com/usher-go/usher/slot"
)

// full finds out what a full table costs: memory and garbage collection. All that
// the load itself needs is allocated before, and holds no pointers.
func (r *runner) full(size *figures.Size) error {
	n := size.Slots
	if err := r.begin("%s players: memory and garbage collection", count(n)); err != nil {
		return err
	}
	games := gameIDs(n, r.Seats)
	h := &hall{games: games}
	p := newPopulation(h, 0, 1, n, 0) // the library's own timeout, as in a server
	before := live()
	opened, err := r.open(games, r.Seats)
	if err != nil {
		return err
	}
	defer opened.close()
	*h = *opened
	if err := r.fill(p, 0, n); err != nil {
		return err
	}
	if _, err := h.table.Describe(slot.Query{PlayerID: "anybody"}); err != nil { // the index for that counts as well
		return err
	}
	size.Memory.Bytes = live() - before
	runtime.KeepAlive(p) // it was there before, so it must be there after
	size.Memory.PerSlot = float64(size.Memory.Bytes) / float64(n)
	size.Collection = collect()
	return nil
}

// fill is the population's, in pieces, so that the user can end it.
func (r *runner) fill(p *population, from, to int) error {
	const piece = 10_000
	for ; from < to; from += piece {
		if r.stop.Load() {
			return errEnded
		}
		if err := p.fill(from, min(from+piece, to)); err != nil {
			return err
		}
	}
	return nil
}
