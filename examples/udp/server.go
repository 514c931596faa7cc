package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// server is the netcode of a game server: copy this file, peer.go, cookie.go and
// packet.go into a game of your own.
type server struct {
	conn    *net.UDPConn
	table   *slot.Table
	door    *validator.Validator
	silence time.Duration // a player who sends nothing for so long is gone
	cookies *cookies

	// mu protects the peers. It is held from before a player is accepted until its
	// peer is there, so that no event about a player finds its peer missing.
	mu     sync.Mutex
	closed bool
	byAddr map[netip.AddrPort]*peer
	byID   map[string]*peer
}

// newServer returns a server for the players of table. A cookie lives for half the
// silence at most, so that a join which somebody has recorded is worthless by the
// time its player is dropped and the seat waits.
func newServer(conn *net.UDPConn, table *slot.Table, silence time.Duration) *server {
	return &server{
		conn: conn, table: table, door: validator.New(table, validator.Config{}), silence: silence,
		cookies: newCookies(time.Now(), silence/4),
		byAddr:  make(map[netip.AddrPort]*peer), byID: make(map[string]*peer),
	}
}

// serve answers until ctx ends. Then it drops all players and closes the socket.
func (s *server) serve(ctx context.Context) {
	defer s.table.Subscribe(s.changed)()
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { s.watch(ctx) })
	for buf := make([]byte, maxPacket+1); ; { // one more, so that what is too long shows
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // on some systems, what became of an earlier answer: the next may be well
			continue
		}
		if p, ok := decode(buf[:n]); ok {
			s.handle(from, p)
		}
	}
}

// handle answers a packet.
func (s *server) handle(from netip.AddrPort, p packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	switch p.kind {
	case join:
		s.join(from, p.key, string(p.body))
	case data, leave:
		player := s.byAddr[from]
		if player == nil || !player.token.is(p.key) {
			s.send(from, packet{kind: ended, key: p.key})
			return
		}
		player.silent = 0
		if p.kind == leave {
			_ = s.door.RemovePlayerSession(player.PlayerSessionID) // for good: the seat is free at once
			s.forget(player, session.CauseReleased.String())
			return
		}
		s.send(from, p) // here goes your game
	default: // what a server says, and does not hear
	}
}

// join lets a player in who has shown that the address is his. To join once more
// from there is to ask for the answer again.
func (s *server) join(from netip.AddrPort, cookie key, id string) {
	now := time.Now()
	if !s.cookies.valid(cookie, from, id, now) {
		s.send(from, packet{kind: challenge, key: s.cookies.bake(from, id, now)})
		return
	}
	p := s.byAddr[from]
	if p == nil || p.PlayerSessionID != id {
		ps, err := s.door.AcceptPlayerSession(id)
		if err != nil {
			s.send(from, packet{kind: refused, key: cookie, body: []byte(reason(err))})
			return
		}
		s.drop(p) // another player, who left the address to this one without a word
		s.forget(s.byID[id], session.CauseReturned.String())
		p = &peer{PlayerSession: ps, addr: from, token: newToken()}
		s.byAddr[from], s.byID[id] = p, p
	}
	p.silent = 0
	s.send(from, welcoming(cookie, p.token, p.PlayerSession))
}

// reason is the word for a refusal. A stranger cannot tell an unknown id from a
// malformed one.
func reason(err error) string {
	if errors.Is(err, session.ErrInvalidPlayerSessionID) {
		err = session.ErrPlayerSessionNotFound
	}
	return session.Reason(err)
}

// send makes one attempt. What does not go out is lost, as on the way it may be.
func (s *server) send(to netip.AddrPort, p packet) {
	_, _ = s.conn.WriteToUDPAddrPort(p.encode(), to)
}
