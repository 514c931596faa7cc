package measure

import (
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

// sweep finds out which rates a table of that size bears on one core.
func (r *runner) sweep(size *figures.Size) error {
	n := size.Slots
	if err := r.begin("%s players: joins back to back", count(n)); err != nil {
		return err
	}
	h, err := r.open(gameIDs(n, r.Seats), r.Seats)
	if err != nil {
		return err
	}
	defer h.close()
	p := newPopulation(h, 0, 1, n, r.Timeout)
	if err := r.fill(p, 0, n); err != nil {
		return err
	}
	if err := r.settle(p); err != nil {
		return err
	}
	if err := r.ceiling(p, size); err != nil {
		return err
	}

	if err := r.floor(size); err != nil {
		return err
	}

	rates := r.ratesBelow(size.Ceiling)
	failed := 0
	for i, rate := range rates {
		if failed == giveUp {
			r.done += len(rates) - i
			break
		}
		if err := r.begin("%s players: %s joins per second", count(n), count(int(rate))); err != nil {
			return err
		}
		l := figures.Load{Rate: rate, Rest: r.JoinRate > 0 || r.Fractions[i] == Rest}
		for {
			if err := r.offer(p, &l); err != nil {
				return err
			}
			if l.Sustained || l.Attempts == attempts || r.Limit > 0 && r.now() > r.Limit {
				break
			}
		}
		if failed++; l.Sustained {
			failed = 0
		}
		size.Loads = append(size.Loads, l)
	}
	return nil
}

// settle lets as many players leave as the table keeps of those that have left,
// so that from then on it forgets one for each, as it does after some hours.
func (r *runner) settle(p *population) error {
	if err := p.hold(standing(len(p.active), math.Inf(1))); err != nil {
		return err
	}
	for range r.retained() {
		if r.stop.Load() {
			return errEnded
		}
		if err := p.join(); err != nil {
			return err
		}
	}
	return p.hold(0)
}

// ceiling finds out how many joins are done back to back.
func (r *runner) ceiling(p *population, size *figures.Size) error {
	if err := p.hold(standing(len(p.active), math.Inf(1))); err != nil {
		return err
	}
	cpu := startCPUTime()
	joins, took, err := r.backToBack(p, r.Duration)
	if err != nil {
		return err
	}
	size.Ceiling = float64(joins) / took.Seconds()
	if spent, _ := cpu.stop(1); spent > 0 {
		size.PerCPU = float64(joins) / spent.Seconds()
	}
	return p.hold(0)
}

// floor is what the machine itself makes of a load: that of a table at rest, but
// with calls that do nothing.
func (r *runner) floor(size *figures.Size) error {
	if err := r.begin("%s players: the same load without a table", count(size.Slots)); err != nil {
		return err
	}
	rate := r.JoinRate
	if rate == 0 {
		rate = Rest * size.Ceiling
	}
	t := newTally()
	pace := r.pace(stopwatch(), rate)
	pace.until = r.Duration
	if err := pace.drive(new(nothing), t); err != nil {
		return err
	}
	size.Floor = t.of[accept].due.summary()
	size.Floor.Curve = t.of[accept].due.curve()
	return nil
}

// backToBack joins for as long as d.
func (r *runner) backToBack(p *population, d time.Duration) (joins int, took time.Duration, err error) {
	const between = 64 // readings of the clock
	now := stopwatch()
	for took < d {
		if r.stop.Load() {
			return 0, 0, errEnded
		}
		for range between {
			if err := p.join(); err != nil {
				return 0, 0, err
			}
		}
		joins += between
		took = now()
	}
	return joins, took, nil
}

// ratesBelow returns the rates to measure, in figures that can be read.
func (r *runner) ratesBelow(ceiling float64) []float64 {
	if r.JoinRate > 0 {
		return []float64{r.JoinRate}
	}
	rates := make([]float64, len(r.Fractions))
	for i, f := range r.Fractions {
		rates[i] = round(f*ceiling, 2)
	}
	return rates
}

// round keeps so many digits.
func round(x float64, digits int) float64 {
	unit := math.Pow10(int(math.Floor(math.Log10(x))) + 1 - digits)
	return math.Round(x/unit) * unit
}

// standing is how many of n players are on their way from the backend to the
// server at a rate: those of a tenth of a second, and of all no more than a tenth.
func standing(n int, rate float64) int {
	return max(1, int(min(float64(n)/10, rate/10)))
}

// offer makes one attempt at a rate.
func (r *runner) offer(p *population, l *figures.Load) error {
	if err := p.hold(standing(len(p.active), l.Rate)); err != nil {
		return err
	}
	p.late = 0
	t := newTally()
	now := stopwatch()
	cpu := startCPUTime()
	collecting := collectorTime()
	pace := r.pace(now, l.Rate)
	pace.from, pace.until = r.Timeout, r.Timeout+r.Duration
	if err := pace.drive(p, t); err != nil {
		return err
	}
	took := now()
	collecting = collectorTime() - collecting
	_, l.GotCPU = cpu.stop(1)
	if err := p.hold(0); err != nil {
		return err
	}
	t.into(l)
	l.Attempts++
	l.Left, l.Late = t.left, p.late
	l.GC = collecting.Seconds() / took.Seconds()
	l.Busy = 0
	for i := range t.of {
		l.Busy += t.of[i].call.sum.Seconds() / (took - pace.from).Seconds()
	}
	l.Why = r.verdict(l, t)
	l.Sustained = l.Why == ""
	return nil
}

func (r *runner) pace(now func() time.Duration, joins float64) *pace {
	return &pace{
		clock:  now,
		idle:   runtime.Gosched, // timers, the table's and the collector's goroutines
		ended:  r.stop.Load,
		random: r.random,
		rate:   joins * float64(turns),
	}
}

// verdict says why a rate was not sustained, or nothing.
func (r *runner) verdict(l *figures.Load, t *tally) string {
	switch {
	case t.behind:
		return fmt.Sprintf("fell more than %v behind", patience)
	case l.Late > 0:
		return fmt.Sprintf("%d reservations timed out before they could be accepted", l.Late)
	case l.Accept.P99 > r.Bound:
		return fmt.Sprintf("p99 of accept over %v", r.Bound)
	case l.Reserve.P99 > r.Bound:
		return fmt.Sprintf("p99 of reserve over %v", r.Bound)
	}
	return ""
}
