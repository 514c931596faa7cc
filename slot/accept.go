package slot

import (
	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
)

// Activate accepts a player: RESERVED → ACTIVE, exactly once. Within the
// ReconnectWindow a dropped player returns: it is ACTIVE still, Generation is one
// more. The PlayerSessionID returned is the string passed in.
//
// Errors: ErrClosed; ErrInvalidPlayerSessionID; ErrPlayerSessionNotFound; a
// *session.StatusError that is ErrAlreadyActive, ErrCompleted or ErrTimedOut. No
// error, and no other state of the table, lets a player in.
//
// It takes the lock of one stripe and allocates nothing. It reads no clock, but
// for the time of the event if there are subscribers.
func (t *Table) Activate(playerSessionID string) (ps session.PlayerSession, err error) {
	err = t.admit(&ps, playerSessionID, false)
	return ps, err
}

// ActivateInto is Activate for who hands the player session on, as the validator
// does: it fills ps if, and only if, it returns nil. Returned by value through one
// more function, a player session is copied once more, and that takes a fifth of
// an accept.
func (t *Table) ActivateInto(ps *session.PlayerSession, playerSessionID string) error {
	return t.admit(ps, playerSessionID, false)
}

// TakeOver is Activate, but gives a connected ACTIVE session to the new
// connection as well: Generation is one more, so that the old connection can no
// longer drop it.
func (t *Table) TakeOver(playerSessionID string) (ps session.PlayerSession, err error) {
	err = t.admit(&ps, playerSessionID, true)
	return ps, err
}

// admit fills ps if, and only if, it returns nil.
func (t *Table) admit(ps *session.PlayerSession, id string, takeOver bool) error {
	if selfChecks { // a constant: even to defer nothing takes time
		defer t.checked()
	}
	k, alias, ok := t.keys.of(id)
	if !ok {
		return t.refuseMalformed()
	}
	s := t.stripe(k)
	s.mu.Lock()
	r := s.live.find(k)
	if r == nil || !s.named(r, id, alias) || t.closed.Load() {
		return t.refuse(s, r, k, id, alias)
	}
	g := t.games.at(r.game)
	if !g.lives(r, t.horizon.Load()) || r.cause() != session.CauseReserved && !r.returns(takeOver) {
		return t.refuse(s, r, k, id, alias)
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
		t.events.publish(g, s.view(r), from, t.clock.now())
	}
	g.presentIn(ps, r, s.texts.at(r.text), id) // under the lock: to copy r first takes longer
	s.mu.Unlock()
	if !g.accepted.Load() {
		g.accepted.Store(true)
	}
	if t.log.says(zerolog.DebugLevel) {
		message := "player accepted"
		if from == session.StatusActive {
			message = "player returned"
		}
		t.log.moved(*ps, message)
	}
	return nil
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
func (t *Table) refuse(s *stripe, r *record, k key, id string, alias bool) error {
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
		t.log.strangers.meet(true)
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
	t.log.refusedAccept(g, &refused, id, err)
	return err
}

func (t *Table) refuseMalformed() error {
	if t.closed.Load() {
		return session.ErrClosed
	}
	t.malformed.Add(1)
	t.log.strangers.meet(false)
	return session.ErrInvalidPlayerSessionID
}
