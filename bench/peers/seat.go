package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/session"
)

// game is a game session as the peers hold it: one counter for its capacity, and
// what all its player sessions have in common.
type game struct {
	common session.PlayerSession
	max    int64
	held   atomic.Int64
}

func newGames(s Setup) []*game {
	games := make([]*game, len(s.Games))
	for i, g := range s.Games {
		games[i] = &game{max: int64(g.MaximumPlayerSessionCount), common: session.PlayerSession{
			DNSName:       g.DNSName,
			FleetARN:      g.FleetARN,
			FleetID:       g.FleetID,
			GameSessionID: g.GameSessionID,
			IPAddress:     g.IPAddress,
			Port:          g.Port,
		}}
	}
	return games
}

func (g *game) take() error {
	if g.held.Add(1) > g.max {
		g.held.Add(-1)
		return session.ErrGameSessionFull
	}
	return nil
}

func (g *game) awaitEmpty(ctx context.Context) error {
	for g.held.Load() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Microsecond):
		}
	}
	return nil
}

// seat is a player session as the peers hold it. Only its state changes, and
// whoever changes it does what goes with it.
type seat struct {
	state                atomic.Uint32 // a session.Status
	game                 *game
	created              time.Time
	id, playerID, player string
}

// init fills a seat that has been taken in g.
func (s *seat) init(g *game, r Request) {
	s.game, s.id, s.playerID, s.player = g, r.ID, r.PlayerID, r.PlayerData
	if s.id == "" {
		s.id = session.NewPlayerSessionID()
	}
	s.created = time.Now().UTC()
	s.state.Store(uint32(session.StatusReserved))
}

func (s *seat) status() session.Status { return session.Status(s.state.Load()) }

func (s *seat) become(from, to session.Status) bool {
	return s.state.CompareAndSwap(uint32(from), uint32(to))
}

// accept makes the player ACTIVE, once.
func (s *seat) accept() (session.PlayerSession, error) {
	if !s.become(session.StatusReserved, session.StatusActive) {
		return session.PlayerSession{}, refusals[s.status()]
	}
	return s.present(session.StatusActive), nil
}

var refusals = [...]error{
	session.StatusActive:    &session.StatusError{Have: session.StatusActive, Want: session.StatusReserved},
	session.StatusCompleted: &session.StatusError{Have: session.StatusCompleted, Want: session.StatusReserved},
	session.StatusTimedOut:  &session.StatusError{Have: session.StatusTimedOut, Want: session.StatusReserved},
}

// expire ends a reservation that nobody came for, and reports whether it did.
func (s *seat) expire() bool {
	if !s.become(session.StatusReserved, session.StatusTimedOut) {
		return false
	}
	s.game.held.Add(-1)
	return true
}

// leave ends a player session, and reports whether it did.
func (s *seat) leave() bool {
	if s.become(session.StatusActive, session.StatusCompleted) {
		s.game.held.Add(-1)
		return true
	}
	return s.expire() || s.status() == session.StatusActive && s.leave() // accepted meanwhile
}

func (s *seat) present(status session.Status) session.PlayerSession {
	ps := s.game.common
	ps.CreationTime = s.created
	ps.PlayerID = s.playerID
	ps.PlayerData = s.player
	ps.PlayerSessionID = s.id
	ps.Status = status
	return ps
}

// timed is a seat with a timer of its own.
type timed struct {
	seat
	timer *time.Timer
}

// orDefault returns how long a reservation waits.
func (s *Setup) orDefault(timeout time.Duration) time.Duration {
	if timeout == 0 {
		return s.Timeout
	}
	return timeout
}
