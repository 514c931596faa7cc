package slot

import (
	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
)

// Release ends a player session: ACTIVE → COMPLETED, RESERVED → TIMEDOUT (given
// up). The seat is free at once. One that has ended already is returned as it is,
// without an error.
//
// Errors: ErrClosed, ErrInvalidPlayerSessionID, ErrPlayerSessionNotFound.
func (t *Table) Release(playerSessionID string) (session.PlayerSession, error) {
	defer t.checked()
	g, s, r, err := t.lockPlayer(playerSessionID)
	if err != nil {
		return session.PlayerSession{}, err
	}
	now := t.now()
	e := s.settled(r, now, g.ended.Load())
	if !e.status().Terminal() {
		e.end(session.CauseReleased, now)
	}
	t.conclude(g, s, r, &e)
	return g.present(&e, playerSessionID), nil
}

// Disconnect says that the connection which was accepted under generation is
// gone. The seat waits for the ReconnectWindow, and then the session is COMPLETED
// (CauseWindowOver); without a window it is so now. It does nothing, without an
// error, if a later connection has the session, if it was dropped already, if it
// is RESERVED, and if it has ended.
//
// Errors: ErrClosed, ErrInvalidPlayerSessionID, ErrPlayerSessionNotFound.
func (t *Table) Disconnect(playerSessionID string, generation uint32) error {
	defer t.checked()
	g, s, r, err := t.lockPlayer(playerSessionID)
	if err != nil {
		return err
	}
	now := t.now()
	e := s.settled(r, now, g.ended.Load())
	connected := e.status() == session.StatusActive && !e.waiting() && e.generation == generation
	window := t.config.ReconnectWindow
	if connected && window > 0 {
		t.drop(g, s, r, after(now, window), now)
		return nil
	}
	if connected {
		e.end(session.CauseWindowOver, now)
	}
	t.conclude(g, s, r, &e)
	return nil
}

// drop lets the seat of a connected player wait until a deadline, and unlocks both
// locks.
func (t *Table) drop(g *gameSession, s *stripe, r *record, deadline, now int64) {
	// The wheel looks at r.until, if at all; what it finds then is the deadline.
	visited := r.until != 0 && r.until <= deadline
	r.become(session.StatusActive, session.CauseDropped)
	r.until = deadline
	if t.events.used.Load() {
		t.events.publish(g, s.view(r), session.StatusActive, now)
	}
	dropped := s.view(r)
	s.mu.Unlock()
	if !visited {
		t.schedule(dropped.timed(), deadline, now)
	}
	t.unlock(g)
	if t.log.says(zerolog.DebugLevel) {
		t.log.moved(g.present(&dropped, t.keys.id(&dropped)), "player dropped: the seat waits")
	}
}

// conclude ends r as e if e has ended and r has not, and unlocks both locks.
func (t *Table) conclude(g *gameSession, s *stripe, r *record, e *view) {
	if e.status().Terminal() && !r.status().Terminal() {
		t.finish(g, s, r, e)
	} else {
		s.mu.Unlock()
	}
	t.unlock(g)
	t.forgetSurplus(1)
}
