package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

const (
	// protocol is negotiated by TLS, so that a client of something else is turned
	// away. The id is not sent there: what negotiates is readable on the wire.
	protocol = "usher-example"

	maxLine = 128 + len("\r\n") // the longest player session id there is
)

// server lets players in over QUIC: copy this file, player.go and codes.go into a
// game of your own.
type server struct {
	table    *slot.Table
	door     *validator.Validator
	patience time.Duration // with a client that is slow to say its id
	silence  time.Duration // of the network, until a player is gone
	room     int           // for clients who have not said their id yet

	// mu protects the players. It is held from before one is accepted until he is
	// there, so that no event about a player finds him missing.
	mu      sync.Mutex
	players map[string]*player // by player session id
	pending []*quic.Conn       // the oldest first
}

func newServer(table *slot.Table, patience, silence time.Duration) *server {
	return &server{
		table: table, door: validator.New(table, validator.Config{}), players: make(map[string]*player),
		patience: patience, silence: silence, room: 1024,
	}
}

// serve answers until ctx ends. Then it closes all connections, and the socket.
func (s *server) serve(ctx context.Context, socket net.PacketConn, cert tls.Certificate) error {
	defer socket.Close()
	defer s.table.Subscribe(s.changed)()
	transport := &quic.Transport{
		Conn:                socket,
		VerifySourceAddress: func(net.Addr) bool { return true }, // by a Retry: a forged sender costs nothing
	}
	defer transport.Close()
	listener, err := transport.Listen(&tls.Config{
		Certificates: []tls.Certificate{cert}, NextProtos: []string{protocol}, MinVersion: tls.VersionTLS13,
	}, s.config())
	if err != nil {
		return err
	}
	defer listener.Close()
	var running sync.WaitGroup
	defer running.Wait()
	for {
		conn, err := listener.Accept(ctx)
		if err != nil && ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		running.Go(func() { s.meet(ctx, conn) })
	}
}

// config bounds what a client can make the server keep. 0-RTT stays off: what is
// sent in it can be recorded and sent again.
func (s *server) config() *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout:           s.patience,
		MaxIdleTimeout:                 s.silence,
		KeepAlivePeriod:                s.silence / 4, // who is quiet but there is not dropped
		MaxIncomingStreams:             1,
		MaxIncomingUniStreams:          -1, // none
		InitialStreamReceiveWindow:     4 << 10,
		MaxStreamReceiveWindow:         64 << 10,
		InitialConnectionReceiveWindow: 8 << 10,
		MaxConnectionReceiveWindow:     128 << 10,
	}
}

// meet is one connection. The player session id comes first on its stream, on a
// line of its own.
func (s *server) meet(ctx context.Context, conn *quic.Conn) {
	defer context.AfterFunc(ctx, func() { hangUp(conn, wordClosed) })()
	id, stream, lines, err := s.identify(conn)
	if err != nil {
		hangUp(conn, wordHandshakeTimeout)
		return
	}
	p, err := s.accept(conn, id)
	if err != nil {
		hangUp(conn, reason(err))
		return
	}
	defer s.drop(p)
	fmt.Fprintln(stream, "welcome to seat", p.Slot)
	for lines.Scan() { // here goes your game
		if lines.Text() == "quit" {
			_ = s.door.RemovePlayerSession(p.PlayerSessionID) // for good: the seat is free at once
			hangUp(conn, session.CauseReleased.String())
			return
		}
		fmt.Fprintln(stream, lines.Text())
	}
	hangUp(conn, session.CauseDropped.String()) // if it is still there
}

// identify reads the first line of the first stream. What is no line, or too long
// a one, is an empty id; only silence is an error.
func (s *server) identify(conn *quic.Conn) (id string, stream *quic.Stream, lines *bufio.Scanner, err error) {
	s.arrive(conn)
	defer s.depart(conn)
	ctx, cancel := context.WithTimeout(conn.Context(), s.patience)
	defer cancel()
	if stream, err = conn.AcceptStream(ctx); err != nil {
		return "", nil, nil, err
	}
	deadline, _ := ctx.Deadline()
	_ = stream.SetReadDeadline(deadline)
	lines = bufio.NewScanner(stream)
	lines.Buffer(make([]byte, maxLine), maxLine)
	if lines.Scan() && lines.Err() == nil {
		id = lines.Text()
	}
	if errors.Is(lines.Err(), os.ErrDeadlineExceeded) {
		return "", nil, nil, lines.Err()
	}
	return id, stream, lines, stream.SetReadDeadline(time.Time{})
}
