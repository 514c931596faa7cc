package measure

import (
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
	bench "github.com/usher-go/usher/bench/internal/measure"
)

// cores finds out what several cores do together, back to back.
func (r *runner) cores() error {
	n := r.compared()
	for _, cores := range r.Plan.cores() {
		if r.pressed(1, "back to back on %d %s", cores, plural(cores, "core")) {
			continue
		}
		if err := r.begin("%s players: back to back on %d %s", count(n), cores, plural(cores, "core")); err != nil {
			return err
		}
		runtime.GOMAXPROCS(cores)
		c := figures.Cores{Cores: cores, Slots: n}
		if err := r.together(&c); err != nil {
			return err
		}
		r.report.Cores = append(r.report.Cores, c)
	}
	return nil
}

// together shares the players of one table among as many workers as cores.
func (r *runner) together(c *figures.Cores) error {
	h, err := r.open(gameIDs(c.Slots, r.Seats), r.Seats)
	if err != nil {
		return err
	}
	defer h.close()
	crew := make([]*population, c.Cores)
	for i := range crew {
		from, to := i*c.Slots/c.Cores, (i+1)*c.Slots/c.Cores
		crew[i] = newPopulation(h, i, c.Cores, to-from, r.Timeout)
		if err := r.fill(crew[i], from, to); err != nil {
			return err
		}
	}
	if err := r.joinTogether(crew, c); err != nil {
		return err
	}
	c.Accepts, err = r.acceptTogether(crew)
	return err
}

// joinTogether is the sum of what each does in the same time.
func (r *runner) joinTogether(crew []*population, c *figures.Cores) error {
	share := r.retained()/len(crew) + 1
	err := inParallel(crew, func(_ int, p *population) error { // as settle
		if err := p.hold(standing(len(p.active), float64(share))); err != nil {
			return err
		}
		for range share {
			if r.stop.Load() {
				return errEnded
			}
			if err := p.join(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	rates := make([]float64, len(crew))
	cpu := startCPUTime()
	err = inParallel(crew, func(i int, p *population) error {
		joins, took, err := r.backToBack(p, r.Duration)
		rates[i] = float64(joins) / took.Seconds()
		return err
	})
	_, c.GotCPU = cpu.stop(len(crew))
	c.Joins = sum(rates)
	return err
}

// acceptTogether lets half of the players wait at the door, and times how long it
// takes to accept them all. That is milliseconds: so all must have a processor when
// it begins, which bench.Share sees to.
func (r *runner) acceptTogether(crew []*population) (perSecond float64, err error) {
	accepted, took := 0, time.Duration(0)
	now := stopwatch()
	for start := now(); took < r.Duration && now()-start < 3*r.Duration || accepted == 0; {
		ids := make([][]string, len(crew))
		err := inParallel(crew, func(i int, p *population) error {
			if err := p.hold(0); err != nil {
				return err
			}
			p.timeout = 0 // the library's own: nobody is late
			if err := p.hold(len(p.active) / 2); err != nil {
				return err
			}
			ids[i] = p.ids()
			return nil
		})
		if err != nil {
			return 0, err
		}
		errs := make([]error, len(crew))
		took += bench.Share(len(crew), len(crew), func(from, to int) {
			for i := from; i < to; i++ {
				errs[i] = crew[i].hall.acceptAll(ids[i])
			}
		})
		if err := errors.Join(errs...); err != nil {
			return 0, err
		}
		for i, p := range crew {
			accepted += len(ids[i])
			for p.waiting.len() > 0 {
				p.active = append(p.active, p.waiting.pop())
			}
		}
		if r.stop.Load() {
			return 0, errEnded
		}
	}
	return float64(accepted) / took.Seconds(), nil
}

func (h *hall) acceptAll(ids []string) error {
	for _, id := range ids {
		if _, err := h.door.AcceptPlayerSession(id); err != nil {
			return wrap(accept, err)
		}
	}
	return nil
}

// ids are those of the players who wait, oldest first.
func (p *population) ids() []string {
	ids := make([]string, p.waiting.len())
	for i := range ids {
		s := p.waiting.pop()
		p.waiting.push(s)
		ids[i] = string(s.id[:])
	}
	return ids
}

// inParallel calls f for each of the crew, on goroutines that begin together.
func inParallel(crew []*population, f func(i int, p *population) error) error {
	errs := make([]error, len(crew))
	var ready, gone sync.WaitGroup
	gate := make(chan struct{})
	ready.Add(len(crew))
	for i, p := range crew {
		gone.Go(func() {
			ready.Done()
			<-gate
			errs[i] = f(i, p)
		})
	}
	ready.Wait()
	close(gate)
	gone.Wait()
	return errors.Join(errs...)
}

func sum(xs []float64) float64 {
	total := 0.0
	for _, x := range xs {
		total += x
	}
	return total
}
