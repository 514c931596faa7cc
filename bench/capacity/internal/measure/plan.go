package measure

import (
	"time"
)

// Plan says what to measure.
type Plan struct {
	Sizes     []int         // live slots, ascending
	JoinRate  float64       // the one rate to measure; 0: Fractions of the ceiling
	Fractions []float64     // ascending, Rest among them
	Duration  time.Duration // how long each rate is recorded
	Bound     time.Duration // a rate is sustained if p99 stays under it
	Seats     int           // players per game session

	// Timeout is that of the load's reservations, and for how long a rate is run
	// before it is recorded. An accept leaves its timer in the wheel until the
	// reservation would have timed out. With a timeout as long as the lead-in, as
	// many timers come by as joins do while we record; with the usual minute, none
	// would, and the table would look better than it is.
	Timeout time.Duration

	// Limit is when to hurry: what has not begun by then is left out, and no rate
	// gets a second attempt. 0: never.
	Limit time.Duration

	Retained   int           // MaxRetained of the tables; 0: the library's
	StormTime  time.Duration // for rounds of one storm
	MostCores  int           // compared, and of a storm; 0: GOMAXPROCS
	MostPerRun int           // slots of the comparison of cores, at most
}

const (
	// Rest is the share of the ceiling at which a table counts as being at rest:
	// queues are short, and there are enough calls for a p99.9.
	Rest = 0.25

	// attempts at a rate, before it counts as too much: a burst of another program
	// on this machine looks the same as an overload.
	attempts = 2

	// giveUp is how many rates in succession must be too much before the greater
	// ones are not tried.
	giveUp = 2
)

// Full takes minutes.
func Full() Plan {
	return Plan{
		Sizes:      []int{1_000, 10_000, 100_000, 500_000, 1_000_000},
		Fractions:  []float64{0.1, Rest, 0.5, 0.7, 0.8, 0.9, 0.95},
		Duration:   2 * time.Second,
		Bound:      time.Millisecond,
		Seats:      200,
		Timeout:    time.Second,
		StormTime:  10 * time.Second,
		MostPerRun: 100_000,
	}
}

// Quick takes half a minute, on a busy machine too. Its figures are noisy.
func Quick() Plan {
	p := Full()
	p.Sizes = []int{1_000, 10_000, 100_000}
	p.Fractions = []float64{Rest, 0.5, 0.75, 0.9}
	p.Duration = 300 * time.Millisecond
	p.Timeout = 400 * time.Millisecond
	p.Retained = 50_000 // every table is run until it has forgotten as many
	p.StormTime = 1500 * time.Millisecond
	p.Limit = 35 * time.Second
	return p
}

// cores are the numbers of cores to compare: each up to 8, then doubling.
func (p *Plan) cores() []int {
	var cores []int
	for n := 1; n < p.MostCores; n++ {
		if n <= 8 || n&(n-1) == 0 {
			cores = append(cores, n)
		}
	}
	return append(cores, p.MostCores)
}

func (p *Plan) rates() int {
	if p.JoinRate > 0 {
		return 1
	}
	return len(p.Fractions)
}

// retained is how many sessions that have ended a table keeps.
func (p *Plan) retained() int {
	if p.Retained > 0 {
		return p.Retained
	}
	return 262_144 // slot.Config.MaxRetained
}

func (p *Plan) largest() int { return p.Sizes[len(p.Sizes)-1] }

// compared is the size at which cores are compared: it is filled once for each.
func (p *Plan) compared() int {
	n := p.Sizes[0]
	for _, size := range p.Sizes {
		if size <= p.MostPerRun {
			n = size
		}
	}
	return n
}
