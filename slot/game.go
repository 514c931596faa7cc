package slot

import (
	"iter"
	"strings"

	"github.com/usher-go/usher/session"
)

// CreateGameSession enters a game session, ACTIVE or, until ActivateGameSession,
// ACTIVATING. CurrentPlayerSessionCount and the times are set by the table. A
// maximum of 0 is allowed, and logged.
//
// Errors: ErrClosed; ErrInvalidField for an id that is empty or longer than 1,024
// characters, a maximum that is negative or greater than 16,777,215, a port
// outside 0–65535, and any other status; ErrGameSessionExists for an id that is
// live or retained. GameLift's patterns are GameSession.Validate's alone.
func (t *Table) CreateGameSession(gs session.GameSession) error {
	defer t.checked()
	if t.closed.Load() {
		return session.ErrClosed
	}
	if err := checkGameSession(&gs); err != nil {
		return err
	}
	g := newGameSession(gs, &t.clock)
	if err := t.games.add(g, t.closed.Load); err != nil {
		return err
	}
	t.base.created(&gs)
	return nil
}

// ActivateGameSession opens an ACTIVATING game session for reservations. For one
// that is ACTIVE it does nothing.
//
// Errors: ErrClosed, ErrGameSessionNotFound, ErrGameSessionNotActive if it is
// TERMINATING or TERMINATED.
func (t *Table) ActivateGameSession(id string) error {
	defer t.checked()
	g, err := t.lockGame(id)
	if err != nil {
		return err
	}
	defer t.unlock(g)
	switch g.Status {
	case session.GameSessionActivating, session.GameSessionActive:
		g.Status = session.GameSessionActive
		return nil
	}
	return session.ErrGameSessionNotActive
}

// GameSessionUpdate changes a game session; what is nil stays as it is.
type GameSessionUpdate struct {
	Name *string // at most 1,024 characters

	// MaximumPlayerSessionCount may be less than what is held: nobody is put out,
	// and nobody let in until there is room. Chosen here.
	MaximumPlayerSessionCount *int

	// PlayerSessionCreationPolicy is checked by Reserve, never by an accept.
	PlayerSessionCreationPolicy *session.CreationPolicy
}

// UpdateGameSession changes a game session that is not over, all of u or nothing.
//
// Errors: ErrClosed, ErrInvalidField, ErrGameSessionNotFound,
// ErrGameSessionNotActive if it is TERMINATED.
func (t *Table) UpdateGameSession(id string, u GameSessionUpdate) error {
	defer t.checked()
	if err := u.check(); err != nil {
		return t.orClosed(err)
	}
	g, err := t.lockGame(id)
	if err != nil {
		return err
	}
	if g.Status == session.GameSessionTerminated {
		t.unlock(g)
		return session.ErrGameSessionNotActive
	}
	u.apply(&g.GameSession)
	t.unlock(g)
	if u.MaximumPlayerSessionCount != nil {
		t.base.maximum(id, *u.MaximumPlayerSessionCount)
	}
	return nil
}

func (u *GameSessionUpdate) apply(gs *session.GameSession) {
	if u.Name != nil {
		gs.Name = strings.Clone(*u.Name)
	}
	if u.PlayerSessionCreationPolicy != nil {
		gs.PlayerSessionCreationPolicy = *u.PlayerSessionCreationPolicy
	}
	if u.MaximumPlayerSessionCount != nil {
		gs.MaximumPlayerSessionCount = *u.MaximumPlayerSessionCount
	}
}

func (u *GameSessionUpdate) check() error {
	if u.Name != nil {
		if err := checkText("Name", *u.Name, maxName, false); err != nil {
			return err
		}
	}
	if u.MaximumPlayerSessionCount != nil {
		if err := checkMaximum(*u.MaximumPlayerSessionCount); err != nil {
			return err
		}
	}
	if u.PlayerSessionCreationPolicy != nil {
		return checkPolicy(*u.PlayerSessionCreationPolicy)
	}
	return nil
}

// TerminateGameSession ends a game session at once, and all its player sessions
// with it: ACTIVE → COMPLETED, RESERVED → TIMEDOUT. Its retention begins. One that
// is over already stays as it is: nil.
//
// Errors: ErrClosed, ErrGameSessionNotFound.
func (t *Table) TerminateGameSession(id string) error {
	defer t.checked()
	g, err := t.lockGame(id)
	if err != nil {
		return err
	}
	if g.Status != session.GameSessionTerminated {
		t.terminate(g)
	}
	t.unlock(g)
	t.forgetSurplus(all)
	return nil
}

// GameSession returns a game session, live or retained.
//
// Errors: ErrClosed, ErrGameSessionNotFound.
func (t *Table) GameSession(id string) (session.GameSession, error) {
	t.catchUp()
	g, err := t.lockGame(id)
	if err != nil {
		return session.GameSession{}, err
	}
	defer t.unlock(g)
	return g.snapshot(), nil
}

// GameSessions returns the game sessions that there are when the iteration
// begins, oldest first, each as it is when its turn comes; those retained are
// included. There are none once the table is closed.
func (t *Table) GameSessions() iter.Seq[session.GameSession] {
	return func(yield func(session.GameSession) bool) {
		if t.closed.Load() {
			return
		}
		t.catchUp()
		for _, g := range t.games.all() {
			g.mu.Lock()
			gs, retired := g.snapshot(), g.retired
			t.unlock(g)
			if !retired && !yield(gs) {
				return
			}
		}
	}
}
