package measure

import "github.com/usher-go/usher/bench/capacity/internal/figures"

// turn is one of the three calls of a join. They are due each at an instant of
// its own, so that none waits for another's duration.
type turn uint8

const (
	release turn = iota // a player leaves
	reserve             // the backend holds the seat for another
	accept              // one for whom a seat was held arrives
	turns
)

// timings are how long the calls of one kind took.
type timings struct {
	due  *latencies // from when they were due
	call *latencies // alone
}

// tally is what a run of calls came to.
type tally struct {
	of     [turns]timings
	behind bool // given up: too far behind
	left   int  // due when it was given up
}

func newTally() *tally {
	t := new(tally)
	for i := range t.of {
		t.of[i] = timings{newLatencies(), newLatencies()}
	}
	return t
}

// into writes the latencies into l.
func (t *tally) into(l *figures.Load) {
	l.Release, l.ReleaseCall = t.of[release].due.summary(), t.of[release].call.summary()
	l.Reserve, l.ReserveCall = t.of[reserve].due.summary(), t.of[reserve].call.summary()
	l.Accept, l.AcceptCall = t.of[accept].due.summary(), t.of[accept].call.summary()
	if l.Rest {
		l.Reserve.Curve = t.of[reserve].due.curve()
		l.Accept.Curve = t.of[accept].due.curve()
	}
}
