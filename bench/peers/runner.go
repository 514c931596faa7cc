package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/session"
)

// key is what a figure is of.
type key struct {
	work  string
	slots int
	procs int
}

// runner takes the figures: in rounds, each contender once in every round, so
// that whatever else the machine does meets all of them.
type runner struct {
	sizes  []int
	procs  []int
	rounds int
	enough int           // accepts in a round; a small table is filled as often as it takes
	budget time.Duration // no round begins that would end later; 0: no bound
	log    io.Writer

	began   time.Time
	samples map[string]map[key][]float64 // by contender
	done    int                          // rounds
	dice    *rand.Rand
}

func (r *runner) largest() int { return slices.Max(r.sizes) }

// optional is the size at which options are compared.
func (r *runner) optional() int {
	sizes := slices.Sorted(slices.Values(r.sizes))
	return sizes[len(sizes)/2]
}

func (r *runner) add(name string, k key, value float64) {
	if r.samples == nil {
		r.samples = make(map[string]map[key][]float64)
	}
	if r.samples[name] == nil {
		r.samples[name] = make(map[key][]float64)
	}
	r.samples[name][k] = append(r.samples[name][k], value)
}

// median is 0 if there is no figure.
func (r *runner) median(name string, k key) float64 {
	values := slices.Sorted(slices.Values(r.samples[name][k]))
	switch n := len(values); {
	case n == 0:
		return 0
	case n%2 == 0:
		return (values[n/2-1] + values[n/2]) / 2
	default:
		return values[n/2]
	}
}

func (r *runner) progress(format string, args ...any) {
	fmt.Fprintf(r.log, "%6.1f s  %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
}

// check lets every contender show that it does the whole job.
func (r *runner) check(all []Entrant) error {
	for _, e := range all {
		if e.Floor {
			continue
		}
		r.progress("checking %s", e.Name)
		if err := Conform(e.Open); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
	}
	return nil
}

func (r *runner) run(all []Entrant, options []variant) error {
	for r.done < r.rounds {
		began := time.Now()
		if err := r.round(all, options); err != nil {
			return err
		}
		r.done++
		if r.budget > 0 && time.Since(r.began)+time.Since(began) > r.budget {
			break
		}
	}
	return nil
}

func (r *runner) round(all []Entrant, options []variant) error {
	if r.done == 0 {
		if err := r.weigh(all); err != nil {
			return err
		}
	}
	for _, slots := range r.sizes {
		// A small table takes a moment, and the machine may be busy in it: so as often
		// as it takes to let as many players come as to the largest.
		for range max(r.largest()/max(slots, r.enough), 1) {
			for _, e := range inTurn(r.dice, all) {
				r.progress("round %d of %d: %s slots, %s", r.done+1, r.rounds, grouped(float64(slots)), e.Name)
				if err := r.measure(e.Name, (&lap{runner: r, entrant: e, slots: slots}).run); err != nil {
					return err
				}
			}
		}
	}
	for _, v := range inTurn(r.dice, options) {
		r.progress("round %d of %d: usher, %s", r.done+1, r.rounds, v.Name)
		if err := r.measure(v.Name, r.option(v).run); err != nil {
			return err
		}
	}
	if slices.Max(r.procs) < 2 {
		return nil // a storm needs a processor, and who comes in it another one
	}
	for _, e := range inTurn(r.dice, all) {
		if !e.does(expiry) {
			continue
		}
		r.progress("round %d of %d: expiry and growth, %s", r.done+1, r.rounds, e.Name)
		if err := r.apart(e); err != nil {
			return err
		}
	}
	return nil
}

// weigh fills a table of each contender to see what it takes.
func (r *runner) weigh(all []Entrant) error {
	for _, e := range all {
		if !e.does(memory) {
			continue
		}
		r.progress("memory, %s", e.Name)
		if err := r.measure(e.Name, (&lap{runner: r, entrant: e, slots: r.largest()}).weigh); err != nil {
			return err
		}
	}
	return nil
}

// inTurn returns all in an order of its own each time: who follows somebody whose
// memory is still being given back has slower memory himself.
func inTurn[E any](dice *rand.Rand, all []E) []E {
	all = slices.Clone(all)
	dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// newDice returns the same orders in every run.
func newDice() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) } //nolint:gosec // no secret

// measure begins with what the last one left collected.
func (r *runner) measure(name string, f func() error) error {
	runtime.GC()
	if err := f(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// option is a lap of usher with an option.
func (r *runner) option(v variant) *lap {
	l := &lap{runner: r, entrant: v.Entrant, slots: r.optional(), aliased: v.aliased}
	if v.subscribed {
		l.calls = new(atomic.Int64)
	}
	l.entrant.Open = func(s Setup) (Contender, error) {
		c, err := v.Open(s)
		p, ok := c.(*usherPeer)
		if ok && v.subscribed {
			p.table.Subscribe(func(session.Event) { l.calls.Add(1) })
		}
		if ok && v.asked {
			err = p.askForPlayer()
		}
		return c, err
	}
	return l
}
