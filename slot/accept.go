package slot

import (
	"time"

	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
)

// Acceptor accepts players at a table. It is what a validator embeds: so to call the
// validator's AcceptPlayerSession is to call this one, which hands back the player
// session as it made it. A function in between would have it filled in through a
// pointer, or copied: a tenth of an accept. Table.Acceptor makes one; the zero Acceptor
// has no table. All its methods may be called concurrently.
type Acceptor struct {
	table    *table
	log      *journal
	takeOver bool
}

// Acceptor returns what accepts players at t. What it refuses it logs as t does.
func (t *Table) Acceptor() Acceptor { return Acceptor{table: t.table, log: t.log} }

// Activate accepts a player: RESERVED → ACTIVE, exactly once. It is
// Acceptor.AcceptPlayerSession, which tells the errors.
func (t *Table) Activate(playerSessionID string) (session.PlayerSession, error) {
	a := t.Acceptor()
	return a.AcceptPlayerSession(playerSessionID)
}

// TakeOver is Activate, but gives a connected ACTIVE session to the new
// connection as well: Generation is one more, so that the old connection can no
// longer drop it.
func (t *Table) TakeOver(playerSessionID string) (session.PlayerSession, error) {
	a := t.Acceptor()
	a.takeOver = true
	return a.AcceptPlayerSession(playerSessionID)
}

// AcceptPlayerSession validates a player that connects with playerSessionID, and
// returns its player session, ACTIVE. Call it when a player connects, and let it
// in if, and only if, the error is nil.
//
// An id is accepted exactly once; within the table's ReconnectWindow, a player
// that was dropped comes back with the same one, and Generation is one more. The
// PlayerSessionID returned is the string passed in.
//
// Errors, which session.Reason turns into a word for logs and refusals:
// session.ErrInvalidPlayerSessionID; session.ErrPlayerSessionNotFound; a
// *session.StatusError that is session.ErrAlreadyActive, session.ErrCompleted or
// session.ErrTimedOut; session.ErrClosed. No error, and no other state of the table,
// lets a player in.
//
// It takes the lock of one stripe and allocates nothing. It reads no clock, but
// for the time of the event if there are subscribers. The operation is GameLift's;
// that it hands back the player session is ours.
func (a *Acceptor) AcceptPlayerSession(playerSessionID string) (ps session.PlayerSession, err error) {
	t, id := a.table, playerSessionID
	if selfChecks { // a constant: even to defer nothing takes time
		defer t.checked()
	}
	var k key
	hi, lo, canonical := parseCanonical(id) // as keys.of does, whose call would be the longer way
	if canonical {
		k = t.keys.mix(hi, lo)
	} else if other, ok := t.keys.ofAlias(id); ok {
		k = other
	} else {
		return ps, a.refuseMalformed()
	}
	area := t.area(k)
	area.ask(area.home(k)) // who waits for it with the lock lets others wait as well
	s := t.stripe(k)
	s.mu.Lock()
	var r *record
	if s.live.area == area {
		r = area.find(k) // the processor, which expects this, has not waited for s
	} else {
		r = s.live.find(k)
	}
	if r == nil || !s.named(r, id, !canonical) || t.closed.Load() {
		return ps, a.refuse(s, r, k, id, !canonical)
	}
	g := t.games.at(r.game)
	if !g.lives(r, t.horizon.Load()) || r.cause() != session.CauseReserved && !r.returns(a.takeOver) {
		return ps, a.refuse(s, r, k, id, !canonical)
	}
	from := r.status()
	if from == session.StatusReserved {
		r.become(session.StatusActive, session.CauseAccepted)
		s.accepted++
	} else {
		r.become(session.StatusActive, session.CauseReturned)
		s.returned++
	}
	r.generation++
	if t.events.used.Load() {
		t.publishAccept(g, s, r, from)
	}
	// As presentIn does, but where the compiler sees that it is the result: through a
	// pointer it looks out for the garbage collector at each string.
	text := s.texts.at(r.text)
	if newest := t.games.newest.Load(); g == newest {
		ps = newest.common // so the processor, which expects this, copies it before r.game is there
	} else {
		ps = g.common
	}
	ps.CreationTime = time.UnixMilli(r.milli()).UTC() // created is not inlined: a fortieth of an accept
	ps.PlayerID = r.playerID(text)
	ps.PlayerData = r.playerData(text)
	ps.PlayerSessionID = id
	ps.Status = session.StatusActive
	ps.Slot = int(r.seat())
	ps.Generation = r.generation
	s.mu.Unlock()
	if !g.accepted.Load() {
		g.accepted.Store(true)
	}
	if a.log.says(zerolog.DebugLevel) {
		a.log.accepted(&ps, from)
	}
	return ps, nil
}

// publishAccept is not inlined, since what it needs room for would be an accept's.
//
//go:noinline
func (t *table) publishAccept(g *gameSession, s *stripe, r *record, from session.Status) {
	t.events.publish(g, s.view(r), from, t.clock.now())
}

// statusErrors are what a refusal returns; making them there would allocate.
var statusErrors = [...]error{
	session.StatusReserved:  session.ErrPlayerSessionNotFound, // nothing refuses for that; no error would admit
	session.StatusActive:    &session.StatusError{Have: session.StatusActive, Want: session.StatusReserved},
	session.StatusCompleted: &session.StatusError{Have: session.StatusCompleted, Want: session.StatusReserved},
	session.StatusTimedOut:  &session.StatusError{Have: session.StatusTimedOut, Want: session.StatusReserved},
}

// refuse says why a player cannot be accepted, and never returns nil. r is the
// live record of k, if there is one. It unlocks s.
func (a *Acceptor) refuse(s *stripe, r *record, k key, id string, alias bool) error {
	t := a.table
	if t.closed.Load() {
		s.mu.Unlock()
		return session.ErrClosed
	}
	if r == nil {
		r = s.past.find(k)
	}
	if r == nil || !s.named(r, id, alias) {
		s.refused[refusedNotFound]++
		s.mu.Unlock()
		a.log.strangers.meet(true)
		return session.ErrPlayerSessionNotFound
	}
	g := t.games.at(r.game)
	refused := s.settled(r, t.horizon.Load(), g.ended.Load())
	switch refused.status() {
	case session.StatusActive:
		s.refused[refusedAlreadyActive]++
	case session.StatusCompleted:
		s.refused[refusedCompleted]++
	default:
		s.refused[refusedTimedOut]++
	}
	s.mu.Unlock()
	err := statusErrors[refused.status()]
	a.log.refusedAccept(g, &refused, id, err)
	return err
}

func (a *Acceptor) refuseMalformed() error {
	t := a.table
	if t.closed.Load() {
		return session.ErrClosed
	}
	t.malformed.Add(1)
	a.log.strangers.meet(false)
	return session.ErrInvalidPlayerSessionID
}
