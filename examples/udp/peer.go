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
	addr   netip.AddrPort
	token  key
	silent int // ticks since he was heard
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

// ticks is how often in the time of silence the server looks who is silent. It
// counts the looks instead of the time, so that a server that was stalled does not
// take its own absence for the players'.
const ticks = 8

// watch drops who has fallen silent, and when ctx ends everybody, and closes the
// socket.
func (s *server) watch(ctx context.Context) {
	ticker := time.NewTicker(s.silence / ticks)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.dropSilent()
		case <-ctx.Done():
			s.close()
			return
		}
	}
}

func (s *server) dropSilent() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.byAddr {
		if p.silent++; p.silent > ticks {
			s.drop(p)
		}
	}
}

func (s *server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, p := range s.byAddr {
		s.drop(p)
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
