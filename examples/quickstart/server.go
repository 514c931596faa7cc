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

	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
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
	gate := s.door.NewListener(players, validator.ListenerConfig{})
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := gate.AcceptPlayer()
			if err != nil {
				return
			}
			running.Go(func() { play(conn) })
		}
	})
	api := &http.Server{Handler: s.backend(), ReadTimeout: 5 * time.Second}
	running.Go(func() { _ = api.Serve(backend) })
	<-ctx.Done()

	drain, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := s.table.Drain(drain)                   // both ports answer meanwhile
	_ = s.table.TerminateGameSession(gameSession) // the gate hangs up on whoever is left
	gate.Close()
	_ = api.Shutdown(drain)
	api.Close() // for who is slow to leave
	running.Wait()
	return errors.Join(err, s.table.Close())
}

// play is the connection of a player, who has shown a player session id already.
func play(conn *validator.Conn) {
	defer conn.Close() // the seat waits for the player's return
	fmt.Fprintln(conn, "welcome to seat", conn.PlayerSession().Slot)
	lines := bufio.NewScanner(conn)
	for lines.Scan() { // here goes your game
		if lines.Text() == "quit" {
			_ = conn.End() // for good: the seat is free at once
		}
	}
}
