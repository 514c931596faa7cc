package main

import (
	"errors"
	"slices"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

func (r *reference) findGame(id string) (*refGame, error) {
	switch g := r.game(id); {
	case r.closed:
		return nil, session.ErrClosed
	case g == nil:
		return nil, session.ErrGameSessionNotFound
	default:
		return g, nil
	}
}

func (r *reference) CreateGameSession(gs session.GameSession) error {
	switch {
	case r.closed:
		return session.ErrClosed
	case gs.GameSessionID == "", gs.MaximumPlayerSessionCount < 0, gs.Port < 0, gs.Port > 65535, gs.Status > session.GameSessionActivating:
		return session.ErrInvalidField
	case r.game(gs.GameSessionID) != nil:
		return session.ErrGameSessionExists
	}
	gs.CreationTime = ms(time.Now())
	r.games = append(r.games, &refGame{GameSession: gs})
	return nil
}

func (r *reference) ActivateGameSession(id string) error {
	g, err := r.findGame(id)
	switch {
	case err != nil:
		return err
	case g.Status == session.GameSessionTerminating, g.Status == session.GameSessionTerminated:
		return session.ErrGameSessionNotActive
	}
	g.Status = session.GameSessionActive
	return nil
}

func (r *reference) UpdateGameSession(id string, u slot.GameSessionUpdate) error {
	if u.MaximumPlayerSessionCount != nil && *u.MaximumPlayerSessionCount < 0 && !r.closed {
		return session.ErrInvalidField
	}
	g, err := r.findGame(id)
	switch {
	case err != nil:
		return err
	case g.Status == session.GameSessionTerminated:
		return session.ErrGameSessionNotActive
	}
	if u.Name != nil {
		g.Name = *u.Name
	}
	if u.MaximumPlayerSessionCount != nil {
		g.MaximumPlayerSessionCount = *u.MaximumPlayerSessionCount
	}
	if u.PlayerSessionCreationPolicy != nil {
		g.PlayerSessionCreationPolicy = *u.PlayerSessionCreationPolicy
	}
	return nil
}

func (r *reference) TerminateGameSession(id string) error {
	g, err := r.findGame(id)
	if err != nil || g.Status == session.GameSessionTerminated {
		return err
	}
	now := time.Now()
	g.Status, g.endedFrom, g.endedTo = session.GameSessionTerminated, now, now
	for _, p := range slices.Clone(r.players) {
		if p.game == g && p.live() {
			r.endNow(p, session.CauseTerminated)
		}
	}
	return nil
}

// DrainGameSession returns at once the game session to wait for, or nil.
func (r *reference) DrainGameSession(id string) (*refGame, error) {
	g, err := r.findGame(id)
	switch {
	case err != nil:
		return nil, err
	case g.Status == session.GameSessionTerminated:
		return nil, nil
	case len(r.seats(g)) == 0:
		return nil, r.TerminateGameSession(id)
	}
	g.Status = session.GameSessionTerminating
	return g, nil
}

// Drain returns at once whether there is somebody to wait for.
func (r *reference) Drain() (held bool, err error) {
	if r.closed {
		return false, session.ErrClosed
	}
	r.draining = true
	return r.held(), nil
}

func (r *reference) GameSession(id string) (session.GameSession, error) {
	g, err := r.findGame(id)
	if err != nil {
		return session.GameSession{}, err
	}
	gs := g.GameSession
	gs.CurrentPlayerSessionCount = len(r.seats(g))
	return gs, nil
}

// learn narrows down when g ended, once the table has told.
func (g *refGame) learn(told time.Time) error {
	if g.Status != session.GameSessionTerminated || told.Before(ms(g.endedFrom)) || told.After(g.endedTo) {
		return errors.New("the game session ended too early or too late")
	}
	if told.After(g.endedFrom) {
		g.endedFrom = told
	}
	if within := told.Add(time.Millisecond); g.endedTo.After(within) {
		g.endedTo = within
	}
	g.TerminationTime = told
	return nil
}
