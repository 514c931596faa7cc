package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// running is a server that was started. Its table is closed once it has drained.
type running struct {
	*server
	playersAddr, backendAddr net.Addr

	drain   func()       // begins
	drained func() error // waits, and returns what serve did
}

// start opens both ports and a table with one game session, and serves.
func start(o options, log zerolog.Logger) (*running, error) {
	players, err := net.Listen("tcp", o.listen)
	if err != nil {
		return nil, err
	}
	backend, err := net.Listen("tcp", "127.0.0.1:0") // for processes of this machine alone
	if err != nil {
		players.Close()
		return nil, err
	}
	table, err := newTable(o, log)
	if err != nil {
		players.Close()
		backend.Close()
		return nil, err
	}
	s := &server{table: table, door: validator.New(table, validator.Config{}), secret: o.secret}
	ctx, drain := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.serve(ctx, players, backend, o.grace) }()
	return &running{
		server:      s,
		playersAddr: players.Addr(),
		backendAddr: backend.Addr(),
		drain:       drain,
		drained:     sync.OnceValue(func() error { return <-served }),
	}, nil
}

func newTable(o options, log zerolog.Logger) (*slot.Table, error) {
	table, err := slot.NewTable(slot.Config{ReservationTimeout: o.timeout, ReconnectWindow: o.window, Logger: log})
	if err != nil {
		return nil, err
	}
	err = table.CreateGameSession(session.GameSession{GameSessionID: gameSession, MaximumPlayerSessionCount: o.players})
	if err != nil {
		return nil, errors.Join(err, table.Close())
	}
	return table, nil
}

// runServer is the server alone, until ctx ends.
func runServer(ctx context.Context, o options, colour bool, stdout, stderr io.Writer) int {
	log := zerolog.New(zerolog.SyncWriter(stdout)).With().Timestamp().Logger()
	if !o.json {
		log = log.Output(zerolog.SyncWriter(zerolog.ConsoleWriter{
			Out:           stdout,
			NoColor:       !colour,
			TimeFormat:    time.TimeOnly,
			FieldsOrder:   []string{"player_id", "player_session_id", "status", "reason"},
			FieldsExclude: []string{"game_session_id", "game_session_status", "policy"}, // always the same here
		}))
	}
	r, err := start(o, log)
	if err != nil {
		fmt.Fprintln(stderr, "quickstart:", err)
		return exitFailed
	}
	if o.json {
		if o.random { // a log is read by many
			fmt.Fprintln(stderr, "USHER_SECRET="+o.secret)
		}
		log.Info().Stringer("players", r.playersAddr).Stringer("backend", r.backendAddr).Msg("serving")
	} else {
		greet(stdout, o, r)
	}

	<-ctx.Done()
	log.Info().Stringer("grace", o.grace).Msg("asked to stop; once more stops at once")
	r.drain()
	if err := r.drained(); err != nil {
		fmt.Fprintf(stderr, "quickstart: stopped before all players had left: %v\n", err)
		return exitFailed
	}
	log.Info().Msg("stopped, nobody was cut off")
	return exitOK
}

// greet says how to try the server by hand.
func greet(out io.Writer, o options, r *running) {
	host, port, _ := net.SplitHostPort(r.playersAddr.String())
	if ip := net.ParseIP(host); ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	secret := "export USHER_SECRET=…  # yours"
	if o.random {
		secret = "export USHER_SECRET=" + o.secret
	}
	fmt.Fprintf(out, `%d seats. One is held %s for a player who has not come yet, %s for one whose connection broke.

  players  %s
  backend  %s

To try it, in another terminal:

  %s
  id=$(curl -sS -H "Authorization: Bearer $USHER_SECRET" -d '[{"PlayerID":"ann"}]' \
    http://%s/reserve | grep -o 'psess-[0-9a-f-]*')
  { echo $id; cat; } | nc %s %s

Type quit to leave for good; Ctrl-C breaks the connection, and the last line brings you back.
Here, Ctrl-C drains the server.

`, o.players, o.timeout, o.window, r.playersAddr, r.backendAddr, secret, r.backendAddr, host, port)
}
