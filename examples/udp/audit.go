package main

import (
	"maps"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// audit compares who is ACTIVE in a game session with who is connected. A seat is
// leaked if its player neither has a peer nor is dropped and awaited. A peer is a
// ghost if its session is not ACTIVE, or not of this game session; one whose session
// has just been ended is one until it was told so, so look twice.
func (s *server) audit(gameSessionID string) (leaked []session.PlayerSession, ghosts map[string]*peer, err error) {
	s.mu.Lock() // nobody comes or goes meanwhile
	defer s.mu.Unlock()
	ghosts = maps.Clone(s.byID)
	for q := (slot.Query{GameSessionID: gameSessionID, Status: session.StatusActive, Limit: 1000}); ; {
		page, err := s.table.Describe(q)
		for _, ps := range page.PlayerSessions {
			deadline, err := s.table.Deadline(ps.PlayerSessionID)
			if ghosts[ps.PlayerSessionID] == nil && deadline.IsZero() && err == nil {
				leaked = append(leaked, ps)
			}
			delete(ghosts, ps.PlayerSessionID)
		}
		if q.NextToken = page.NextToken; q.NextToken == "" || err != nil {
			return leaked, ghosts, err
		}
	}
}
