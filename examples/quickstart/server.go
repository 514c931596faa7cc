package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

const (
	patience = 5 * time.Second       // with a peer that is slow to say what it wants
	maxLine  = 128 + len("\r\n")     // the longest player session id there is
	pause    = 10 * time.Millisecond // out of file descriptors: until somebody leaves
)

// server is a dedicated game server: copy this file into a game of your own.
type server struct {
	table  *slot.Table
	door   *validator.Validator
	secret string // what the backend shows in order to reserve, see reserve.go
}

// serve answers players and backend until ctx ends. Then it drains: whoever holds
// a seat may play on, for as long as grace. When it returns the table is closed.
func (s *server) serve(ctx context.Context, players, backend net.Listener, grace time.Duration) error {
	open, hangUp := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for open.Err() == nil {
			conn, err := players.Accept()
			if err != nil {
				time.Sleep(pause)
				continue
			}
			running.Go(func() { s.play(open, conn) })
		}
	})
	api := &http.Server{Handler: s.backend(), ReadTimeout: patience}
	running.Go(func() { _ = api.Serve(backend) })
	<-ctx.Done()

	drain, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := s.table.Drain(drain) // both ports answer meanwhile
	hangUp()
	players.Close()
	_ = api.Shutdown(drain)
	api.Close() // for who is slow to leave
	running.Wait()
	return errors.Join(err, s.table.Close())
}

// play is one connection. The player session id comes first, on a line of its own.
func (s *server) play(open context.Context, conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(open, func() { conn.Close() })()

	id, lines := "", bufio.NewScanner(conn)
	lines.Buffer(make([]byte, maxLine), maxLine)
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if lines.Scan() && lines.Err() == nil { // what is not a whole line, in time, is no id
		id = lines.Text()
	}
	ps, err := s.door.AcceptPlayerSession(id)
	if err != nil {
		fmt.Fprintln(conn, "refused", session.Reason(err))
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	fmt.Fprintln(conn, "welcome to seat", ps.Slot)
	for lines.Scan() { // here goes your game
		if lines.Text() == "quit" {
			_ = s.door.RemovePlayerSession(id) // for good: the seat is free at once
			return
		}
	}
	_ = s.table.Disconnect(id, ps.Generation) // the seat waits for the player's return
}
