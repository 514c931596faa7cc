package measure

import (
	"time"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

// ended finds out what sessions cost that have ended and are kept to be looked
// up, and the timers of those that were accepted.
func (r *runner) ended() error {
	n := r.retained()
	if err := r.begin("sessions that have ended, and timers"); err != nil {
		return err
	}
	const seats = 1000
	h, err := r.open(gameIDs(seats, seats), 2*seats)
	if err != nil {
		return err
	}
	defer h.close()

	// Those with the shortest timeout leave no timer behind.
	const short = 20 * time.Millisecond
	p := newPopulation(h, 0, 1, seats, short)
	if err := r.fill(p, 0, seats); err != nil {
		return err
	}
	empty, err := r.heapOnceTimersCame(h, short)
	if err != nil {
		return err
	}
	if err := r.replace(p, n); err != nil {
		return err
	}
	kept, err := r.heapOnceTimersCame(h, short)
	if err != nil {
		return err
	}

	p.timeout = 0 // the library's own: these timers wait
	if err := r.replace(p, n); err != nil {
		return err
	}
	withTimers := live()
	r.report.Retained = figures.Retained{
		Sessions:   n,
		PerSession: float64(kept-empty) / float64(n),
		PerTimer:   float64(withTimers-kept) / float64(n),
	}
	return nil
}

// replace lets n players leave and as many come, one after the other.
func (r *runner) replace(p *population, n int) error {
	if len(p.active) == 0 {
		return nil
	}
	for range n {
		if r.stop.Load() {
			return errEnded
		}
		i := p.random.IntN(len(p.active))
		leaving := p.active[i]
		if _, err := p.hall.table.Release(string(leaving.id[:])); err != nil {
			return wrap(release, err)
		}
		s, err := p.admit(leaving.game)
		if err != nil {
			return err
		}
		p.active[i] = s
	}
	return nil
}

// heapOnceTimersCame waits until the timers of accepted players have come by.
func (r *runner) heapOnceTimersCame(h *hall, timeout time.Duration) (int64, error) {
	time.Sleep(timeout + 2*wheelTick)
	if r.stop.Load() {
		return 0, errEnded
	}
	h.table.Stats() // whatever is due is done when it returns
	return live(), nil
}
