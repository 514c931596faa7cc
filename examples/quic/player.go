package main

import (
	"slices"

	"github.com/quic-go/quic-go"

	"github.com/usher-go/usher/session"
)

// player is a player session and the connection that has it.
type player struct {
	session.PlayerSession
	conn *quic.Conn
}

// arrive makes room for a client who has not said its id yet: the oldest goes, so
// that a client who says it at once gets in, however many say nothing.
func (s *server) arrive(conn *quic.Conn) {
	var oldest *quic.Conn
	s.mu.Lock()
	s.pending = append(s.pending, conn)
	if len(s.pending) > s.room {
		oldest = s.pending[0]
		s.pending = slices.Delete(s.pending, 0, 1)
	}
	s.mu.Unlock()
	if oldest != nil {
		hangUp(oldest, wordHandshakeTimeout)
	}
}

func (s *server) depart(conn *quic.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.pending, conn); i >= 0 {
		s.pending = slices.Delete(s.pending, i, i+1)
	}
}

// accept lets a player in, or returns why not.
func (s *server) accept(conn *quic.Conn, id string) (*player, error) {
	s.mu.Lock()
	ps, err := s.door.AcceptPlayerSession(id)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	p, former := &player{PlayerSession: ps, conn: conn}, s.players[id]
	s.players[id] = p
	s.mu.Unlock()
	if former != nil { // was dropped by somebody else, a moment ago
		hangUp(former.conn, session.CauseReturned.String())
	}
	return p, nil
}

// drop lets the seat of a player wait for his return. If the player session has
// ended, or goes on with another connection, it changes nothing.
func (s *server) drop(p *player) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.players[p.PlayerSessionID] == p {
		delete(s.players, p.PlayerSessionID)
	}
	_ = s.table.Disconnect(p.PlayerSessionID, p.Generation)
}

// changed closes the connection of a player whose session was ended, dropped or
// taken over by anybody else: whatever happens under his generation but his own
// accept, or under a later one.
func (s *server) changed(e session.Event) {
	s.mu.Lock()
	p := s.players[e.PlayerSession.PlayerSessionID]
	s.mu.Unlock()
	if p == nil || e.PlayerSession.Generation < p.Generation {
		return
	}
	own := e.Cause == session.CauseAccepted || e.Cause == session.CauseReturned
	if !own || e.PlayerSession.Generation > p.Generation {
		hangUp(p.conn, e.Cause.String())
	}
}
