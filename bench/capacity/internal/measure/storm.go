package measure

import (
	"runtime"
	"slices"
	"time"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
	"github.com/usher-go/usher/slot"
)

// wheelTick is the library's: deadlines that lie between two ticks are all dealt
// with at the later one. That is when a storm breaks.
const wheelTick = 10 * time.Millisecond

// stormCores are the numbers of cores on which storms are measured: one, where
// the load and the storm take turns, and all.
func (p *Plan) stormCores() []int { return slices.Compact([]int{1, p.MostCores}) }

// storms measures them at the largest size, at the rate that it was at rest at.
func (r *runner) storms() error {
	largest := r.report.Sizes[len(r.report.Sizes)-1]
	rate := r.JoinRate
	if rest := largest.Rest(); rest != nil {
		rate = rest.Rate
	}
	for _, cores := range r.stormCores() {
		if r.pressed(1, "the storm on %d %s", cores, plural(cores, "core")) {
			continue
		}
		if err := r.begin("%s players: storm of expiries, %d %s", count(largest.Slots), cores, plural(cores, "core")); err != nil {
			return err
		}
		runtime.GOMAXPROCS(cores)
		s := figures.Storm{Cores: cores, Slots: largest.Slots, Expiring: largest.Slots, Rate: rate}
		if err := r.storm(&s); err != nil {
			return err
		}
		r.report.Storms = append(r.report.Storms, s)
	}
	runtime.GOMAXPROCS(1)
	return nil
}

// storm fills a table, and again and again holds as many seats more, all until
// the same instant.
func (r *runner) storm(s *figures.Storm) error {
	n := s.Slots
	now := stopwatch() // starts as the table does: its ticks are ours
	h, err := r.open(gameIDs(n, r.Seats), 2*r.Seats)
	if err != nil {
		return err
	}
	defer h.close()
	p := newPopulation(h, 0, 2, n, r.Timeout)
	crowd := &crowd{hall: h, name: playerNames{next: 1, step: 2}, players: n}

	filling := now()
	if err := r.fill(p, 0, n); err != nil {
		return err
	}
	filling = now() - filling
	if err := r.settle(p); err != nil {
		return err
	}
	if err := r.rehearse(s, crowd, now, 2*filling); err != nil {
		return err
	}

	// Players wait at the door for as long as it takes to hold the crowd's seats.
	p.timeout = 0
	t := newTally()
	start := now()
	for now()-start < r.StormTime || s.Rounds == 0 {
		if err := r.breaks(s, p, crowd, t, now); err != nil {
			return err
		}
	}
	s.Late = p.late
	s.Reserve, s.Accept = t.of[reserve].due.summary(), t.of[accept].due.summary()
	s.Reserve.Curve, s.Accept.Curve = t.of[reserve].due.curve(), t.of[accept].due.curve()
	return nil
}

// rehearse finds out how long a storm lasts with nobody there.
func (r *runner) rehearse(s *figures.Storm, c *crowd, now func() time.Duration, holding time.Duration) error {
	_, deadline, err := r.gather(c, now, holding)
	if err != nil {
		return err
	}
	if err := r.wait(now, deadline); err != nil {
		return err
	}
	began := now()
	if err := c.leave(0, &r.stop); err != nil {
		return err
	}
	s.Window = now() - began
	s.Each = s.Window / time.Duration(c.players)
	return nil
}

// breaks is one round: a storm, and the load before it and in it.
func (r *runner) breaks(s *figures.Storm, p *population, c *crowd, t *tally, now func() time.Duration) error {
	if err := p.hold(standing(s.Slots, s.Rate)); err != nil {
		return err
	}
	breaks, _, err := r.gather(c, now, c.took)
	if err != nil {
		return err
	}
	pace := r.pace(now, s.Rate)
	pace.begin = now()
	pace.from, pace.until = breaks, breaks+s.Window
	if err := pace.drive(p, t); err != nil {
		return err
	}
	if err := p.hold(0); err != nil {
		return err
	}
	s.Rounds++
	return c.leave(0, &r.stop)
}

// gather holds the crowd's seats until shortly before a tick, and returns both
// instants. holding is how long it may take; a machine that takes longer gets
// another try.
func (r *runner) gather(c *crowd, now func() time.Duration, holding time.Duration) (breaks, deadline time.Duration, err error) {
	const (
		before = time.Millisecond       // the tick
		calm   = 20 * time.Millisecond  // between the last reservation and the deadline
		margin = 100 * time.Millisecond // added to what it takes
	)
	others := c.hall.table.Stats().Reserved
	for {
		start := now()
		breaks = (start + holding + holding/4 + margin + calm).Truncate(wheelTick)
		deadline = breaks - before
		if err := c.reserve(now, deadline, &r.stop); err != nil {
			return 0, 0, err
		}
		c.took = now() - start
		if now()+calm/2 < deadline {
			return breaks, deadline, nil
		}
		holding = 2 * c.took
		if err := r.wait(now, max(deadline, now())); err != nil {
			return 0, 0, err
		}
		if err := c.leave(others, &r.stop); err != nil {
			return 0, 0, err
		}
	}
}

// wait sleeps until an instant.
func (r *runner) wait(now func() time.Duration, until time.Duration) error {
	const nap = 50 * time.Millisecond // between looks at whether the user still wants it
	for now() < until {
		if r.stop.Load() {
			return errEnded
		}
		time.Sleep(min(nap, until-now()))
	}
	return nil
}

// crowd are players for whom seats are held, and who never come.
type crowd struct {
	hall    *hall
	name    playerNames
	players int
	took    time.Duration // to hold their seats
}

// reserve holds a seat for each until the deadline. Those for whom it is too late
// get none.
func (c *crowd) reserve(now func() time.Duration, deadline time.Duration, stop interface{ Load() bool }) error {
	for i := range c.players {
		if stop.Load() {
			return errEnded
		}
		left := deadline - now()
		if left <= 0 {
			return nil
		}
		_, err := c.hall.table.Reserve(slot.Reservation{
			GameSessionID: c.hall.games[c.hall.gameOf(i)],
			PlayerID:      c.name.take(),
			Timeout:       left,
		})
		if err != nil {
			return wrap(reserve, err)
		}
	}
	return nil
}

// leave returns when the crowd's reservations have expired, and those of others are
// left. The table reclaims what is due before it answers; a few deadlines are later
// than they were meant to be, if the machine stood still while they were set.
func (c *crowd) leave(others int, stop interface{ Load() bool }) error {
	for c.hall.table.Stats().Reserved > others {
		if stop.Load() {
			return errEnded
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
