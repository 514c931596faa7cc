package main

import (
	"context"
	"crypto/rand"
	"net/netip"
	"time"

	"github.com/usher-go/usher/session"
)

// peer is a player who is connected: no player, no peer, so there are no more of
// them than seats.
type peer struct {
	session.PlayerSession
	addr  netip.AddrPort
	token key
	heard time.Time
}

// newToken returns a key nobody can guess.
func newToken() (k key) {
	_, _ = rand.Read(k[:]) // never fails
	return k
}

// changed forgets the player whose session was ended, dropped or taken over by
// anybody else: whatever happens under his generation but his own accept, or under
// a later one.
func (s *server) changed(e session.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.byID[e.PlayerSession.PlayerSessionID]
	if p == nil || e.PlayerSession.Generation < p.Generation {
		return
	}
	own := e.Cause == session.CauseAccepted || e.Cause == session.CauseReturned
	if !own || e.PlayerSession.Generation > p.Generation {
		s.forget(p, e.Cause.String())
	}
}

// watch drops who has fallen silent, and when ctx ends everybody.
func (s *server) watch(ctx context.Context) {
	ticks := time.NewTicker(s.silence / 8)
	defer ticks.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-ticks.C:
		}
		s.mu.Lock()
		s.closed = ctx.Err() != nil
		for _, p := range s.byAddr {
			if s.closed || time.Since(p.heard) > s.silence {
				s.drop(p)
			}
		}
		s.mu.Unlock()
	}
	s.conn.Close()
}

// drop lets the seat of a player wait for his return. mu is held.
func (s *server) drop(p *peer) {
	if p != nil {
		s.forget(p, session.CauseDropped.String())
		_ = s.table.Disconnect(p.PlayerSessionID, p.Generation)
	}
}

// forget tells a player that it is over. If he does not get to hear it, the answer
// to what he sends next tells him. mu is held.
func (s *server) forget(p *peer, why string) {
	if p != nil {
		delete(s.byAddr, p.addr)
		delete(s.byID, p.PlayerSessionID)
		s.send(p.addr, packet{kind: ended, key: p.token, body: []byte(why)})
	}
}
