package main

import (
	"time"

	"github.com/usher-go/usher/validator/gameliftapi"
)

// limits are how long a server process is waited for.
type limits struct {
	// settling is how long what is for a new process is held back unless it sends
	// a heartbeat before: until ProcessReady has returned there, the SDKs drop it.
	settling time.Duration

	// absence is how long a process may be without a connection. The SDKs dial
	// again at once, and once more after 4 s.
	absence time.Duration

	// silence is how long one may go without a healthy heartbeat. The SDKs send
	// one each 60 s, give or take 10; GameLift waits "three consecutive minutes".
	silence time.Duration

	// activation is how long one may take from CreateGameSession to
	// ActivateGameSession: the longest that GameLift lets a fleet configure.
	activation time.Duration

	// ending is how long one may take from TerminateProcess to ProcessEnding, as in
	// GameLift.
	ending time.Duration
}

var defaultLimits = limits{
	settling:   time.Second,
	absence:    5 * time.Second,
	silence:    3 * time.Minute,
	activation: 10 * time.Minute,
	ending:     5 * time.Minute,
}

// serverProcess is a game server process that has called ProcessReady. It hosts
// one game session in its life. The fleet's lock protects it.
type serverProcess struct {
	identity
	number uint64 // the order of registration
	port   int

	link  *link    // nil: it has lost its connection
	first *link    // the one it was registered over
	ready bool     // it takes messages
	held  [][]byte // messages that wait until it does, or is connected again

	game    *gameliftapi.GameSession // nil: idle
	ticket  string                   // of its match backfill, if one is under way
	stopped bool                     // it has been told to end

	limits   limits
	deadline deadlines
	timer    *time.Timer // for the earliest of them
}

// deadlines are when a process will have been waited for in vain; zero: it is not
// waited for.
type deadlines struct{ healthy, back, active, ended time.Time }

// overdue says what a process has failed to do, "" if nothing.
func (d deadlines) overdue(now time.Time) string {
	switch {
	case passed(d.back, now):
		return "it lost its connection and did not come back"
	case passed(d.ended, now):
		return "it was told to end and did not"
	case passed(d.healthy, now):
		return "it has not reported itself healthy for too long"
	case passed(d.active, now):
		return "it did not activate its game session"
	}
	return ""
}

func passed(deadline, now time.Time) bool { return !deadline.IsZero() && !now.Before(deadline) }

// next is the earliest deadline.
func (d deadlines) next() time.Time {
	first := d.healthy // never zero
	for _, t := range []time.Time{d.back, d.active, d.ended} {
		if !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}

// idle tells whether p can host a game session now.
func (p *serverProcess) idle() bool { return p.game == nil && !p.stopped && p.link != nil }

// attach makes l the connection of p, unless p has a later one.
func (p *serverProcess) attach(l *link) {
	if p.link != nil && p.link.number >= l.number {
		return
	}
	p.link = l
	p.deadline.back = time.Time{}
	p.flush()
}

// push sends a message to p, now or as soon as it takes one.
func (p *serverProcess) push(message any) {
	p.held = append(p.held, encode(message))
	p.flush()
}

func (p *serverProcess) flush() {
	if p.link == nil || !p.ready {
		return
	}
	for _, frame := range p.held {
		p.link.push(frame)
	}
	p.held = nil
}

// host gives p a game session, which it is to activate.
func (p *serverProcess) host(gs gameliftapi.GameSession) {
	p.game = &gs
	p.deadline.active = time.Now().Add(p.limits.activation)
	p.push(newCreateGameSession(gs))
}

// settled is when p takes messages.
func (p *serverProcess) settled() {
	p.ready = true
	p.flush()
}

// beat is a heartbeat: only a healthy one counts.
func (p *serverProcess) beat(healthy bool) {
	if healthy {
		p.deadline.healthy = time.Now().Add(p.limits.silence)
	}
	p.settled()
}

// stop tells p to end, within d.
func (p *serverProcess) stop(d time.Duration) {
	if p.stopped {
		return
	}
	p.stopped = true
	p.deadline.ended = time.Now().Add(d)
	p.push(newTerminateProcess(p.deadline.ended))
}
