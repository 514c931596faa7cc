package measure

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

// Progress is told before each step what it is, which it is of how many, and how
// long all that is left may take.
type Progress func(what string, step, of int, left time.Duration)

// Run measures all that p asks for. The parts of the report that it does not
// know, the answer and the command, are left out. When ctx ends, so does Run, with
// its error.
func Run(ctx context.Context, p Plan, tell Progress) (*figures.Report, error) {
	if p.MostCores == 0 {
		p.MostCores = runtime.GOMAXPROCS(0)
	}
	r := &runner{
		Plan:   p,
		report: new(figures.Report),
		steps:  p.steps(),
		tell:   tell,
		random: rand.New(rand.NewPCG(1, 1)), //nolint:gosec // a load that is the same each time
		now:    stopwatch(),
	}
	defer context.AfterFunc(ctx, func() { r.stop.Store(true) })()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0)) // as it was

	r.report.Run = figures.Run{
		Started:     time.Now().UTC().Truncate(time.Second),
		Bound:       p.Bound,
		Duration:    p.Duration,
		Timeout:     p.Timeout,
		JoinRate:    p.JoinRate,
		Seats:       p.Seats,
		PlayerBytes: PlayerBytes,
		Go:          runtime.Version(),
		MaxProcs:    runtime.GOMAXPROCS(0),
		GOGC:        int(int64(readMetric(gogc).Uint64())),
	}
	if limit := readMetric(memLimit).Uint64(); limit < 1<<62 {
		r.report.Run.MemoryLimit = int64(limit)
	}
	r.report.Machine = machine()
	r.report.Clock = gauge()
	err := r.run()
	r.report.Run.Took = r.now()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return r.report, nil
}

type runner struct {
	Plan
	report *figures.Report
	random *rand.Rand
	stop   atomic.Bool // the user does not want to wait

	tell  Progress
	now   func() time.Duration
	steps []time.Duration // estimates
	done  int
}

func (r *runner) run() error {
	runtime.GOMAXPROCS(1)
	for i, n := range r.Sizes {
		if i > 0 && r.pressed(3+r.rates(), "%s players", count(n)) {
			continue
		}
		size := figures.Size{Slots: n}
		if err := r.full(&size); err != nil {
			return err
		}
		if err := r.sweep(&size); err != nil {
			return err
		}
		r.report.Sizes = append(r.report.Sizes, size)
	}
	if err := r.ended(); err != nil {
		return err
	}
	if err := r.storms(); err != nil {
		return err
	}
	return r.cores()
}

// begin tells what comes next.
func (r *runner) begin(what string, args ...any) error {
	if r.stop.Load() {
		return errEnded
	}
	spent, estimated, left := r.now(), time.Duration(0), time.Duration(0)
	for i, e := range r.steps {
		if i < r.done {
			estimated += e
		} else {
			left += e
		}
	}
	// The estimates are those of a machine that has nothing else to do.
	if r.done >= 3 {
		left = time.Duration(float64(left) * min(max(float64(spent)/float64(estimated), 0.3), 5))
	}
	r.done++
	r.tell(fmt.Sprintf(what, args...), r.done, len(r.steps), left)
	return nil
}

// pressed tells whether there is no time for what would take so many steps; it is
// left out then.
func (r *runner) pressed(steps int, what string, args ...any) bool {
	if r.Limit == 0 || r.now() < r.Limit {
		return false
	}
	r.done += steps
	r.report.Run.LeftOut = append(r.report.Run.LeftOut, fmt.Sprintf(what, args...))
	return true
}

// steps returns an estimate for each call of begin, in order.
func (p *Plan) steps() []time.Duration {
	each := func(slots int, d time.Duration) time.Duration { return time.Duration(slots) * d }
	fill := func(slots int) time.Duration { return each(slots, 2*time.Microsecond) }
	forget := each(p.retained(), 4*time.Microsecond)

	var steps []time.Duration
	for _, n := range p.Sizes {
		steps = append(steps, fill(n)+each(n, 300*time.Nanosecond), fill(n)+forget+p.Duration, p.Duration)
		for range p.rates() {
			steps = append(steps, p.Timeout+p.Duration)
		}
	}
	steps = append(steps, 2*forget)
	for range p.stormCores() {
		steps = append(steps, 2*fill(p.largest())+forget+p.StormTime)
	}
	for range p.cores() {
		steps = append(steps, fill(p.compared())+3*p.Duration)
	}
	return steps
}
