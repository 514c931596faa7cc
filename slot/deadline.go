package slot

import (
	"time"

	"github.com/usher-go/usher/session"
)

// Extend gives a reservation more time: until d from now (0: the table's
// timeout), but no later than MaxReservation after its creation, and never less
// than it has. It returns the deadline that holds, rounded down to a millisecond.
//
// Errors: ErrClosed; ErrInvalidPlayerSessionID; ErrInvalidField for a negative d;
// ErrPlayerSessionNotFound; a *session.StatusError unless it is RESERVED.
func (t *Table) Extend(playerSessionID string, d time.Duration) (deadline time.Time, err error) {
	defer t.checked()
	if d < 0 {
		return time.Time{}, t.orClosed(&session.FieldError{Field: "Timeout", Reason: "must not be negative"})
	}
	if d == 0 {
		d = t.config.ReservationTimeout
	}
	s, r, err := t.lockStripe(playerSessionID)
	if err != nil {
		return time.Time{}, err
	}
	defer s.mu.Unlock()
	now := t.now()
	if have := t.settledStatus(r); have != session.StatusReserved {
		return time.Time{}, statusErrors[have]
	}
	// The wheel finds the later deadline when it visits the earlier one.
	limit := after(t.clock.since(r.created()), t.config.MaxReservation)
	r.until = max(r.until, min(after(now, d), limit))
	return t.clock.wall(r.until), nil
}

// Deadline returns until when a reservation waits for its player, or a dropped
// player's seat for its return, rounded down to a millisecond; the zero time
// while the player is connected.
//
// Errors: ErrClosed; ErrInvalidPlayerSessionID; ErrPlayerSessionNotFound; a
// *session.StatusError if the session has ended.
func (t *Table) Deadline(playerSessionID string) (time.Time, error) {
	s, r, err := t.lockStripe(playerSessionID)
	if err != nil {
		return time.Time{}, err
	}
	defer s.mu.Unlock()
	switch have := t.settledStatus(r); {
	case have.Terminal():
		return time.Time{}, statusErrors[have]
	case r.waiting():
		return t.clock.wall(r.until), nil
	}
	return time.Time{}, nil
}

// settledStatus is the status that r reads as. Its stripe is locked.
func (t *table) settledStatus(r *record) session.Status {
	e := r.settled(t.horizon.Load(), t.games.at(r.game).ended.Load())
	return e.status()
}

// lockStripe finds a player session and locks its stripe, which the caller
// unlocks unless there is an error. The record is live or past.
func (t *table) lockStripe(id string) (*stripe, *record, error) {
	k, alias, ok := t.keys.of(id)
	if !ok {
		return nil, nil, t.orClosed(session.ErrInvalidPlayerSessionID)
	}
	t.ask(k)
	s := t.stripe(k)
	s.mu.Lock()
	if t.closed.Load() {
		s.mu.Unlock()
		return nil, nil, session.ErrClosed
	}
	r := s.find(k)
	if r == nil || !s.named(r, id, alias) {
		s.mu.Unlock()
		return nil, nil, session.ErrPlayerSessionNotFound
	}
	return s, r, nil
}
