package measure

import (
	"errors"
	"math/rand/v2"
	"time"
)

// patience is how far behind a run may fall before it is given up. It is well
// below the timeout of the load's reservations.
const patience = 250 * time.Millisecond

// caller makes the calls of a load, turn by turn.
type caller interface {
	prepare() turn // all that is not to be timed
	perform() error
	conclude(error) error
}

// pace makes calls in open loop: they are due at random instants, independent of
// each other and of how long the calls take, as players are. One that has to
// wait for others to be served has waited all the same, so latencies count from
// when a call was due; counting from when it was made would leave out the worst
// (coordinated omission).
type pace struct {
	clock  func() time.Duration
	idle   func()      // called again and again while nothing is due
	ended  func() bool // by the user
	random *rand.Rand

	rate        float64 // calls per second
	begin       time.Duration
	from, until time.Duration // calls due in between are recorded
}

var errEnded = errors.New("measure: ended early")

// drive makes the calls that are due until p.until.
func (p *pace) drive(c caller, t *tally) error {
	due := p.begin
	for {
		// Mean and variation of independent arrivals: a Poisson process.
		due += time.Duration(p.random.ExpFloat64() * float64(time.Second) / p.rate)
		if due >= p.until {
			return nil
		}
		turn := c.prepare()
		now := p.clock()
		for now < due && !p.ended() {
			p.idle()
			now = p.clock()
		}
		if p.ended() {
			return errEnded
		}
		if now-due > patience {
			t.behind = true
			p.abandon(t, turn, due, now)
			return nil
		}
		err := c.perform()
		end := p.clock()
		if due >= p.from {
			t.of[turn].due.record(end - due)
			t.of[turn].call.record(end - now)
		}
		if err := c.conclude(err); err != nil {
			return err
		}
	}
}

// abandon records what is due and not served: it has waited at least until now.
func (p *pace) abandon(t *tally, next turn, due, now time.Duration) {
	for due <= now && due < p.until {
		if due >= p.from {
			t.of[next].due.record(now - due)
		}
		t.left++
		next = (next + 1) % turns
		due += time.Duration(p.random.ExpFloat64() * float64(time.Second) / p.rate)
	}
}
