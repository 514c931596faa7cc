package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

const (
	gameSession = "arena"         // the only one there is
	patience    = 5 * time.Second // with a client that is slow to ask, or to read its answer
	maxHeader   = 8 << 10         // bytes
	idle        = 2 * time.Minute // between two requests
	farewell    = 2 * time.Second // for a player who is sent away to be told
)

// server is the game and all that stands around it.
type server struct {
	table             *slot.Table
	arena             *arena
	players, operator net.Listener
	game, ops         *http.Server
	peers             *peers
	board             *board
	grace             time.Duration
}

// start listens, so that the addresses are known; serve answers.
func start(o options, log zerolog.Logger) (*server, error) {
	players, err := net.Listen("tcp", o.listen)
	if err != nil {
		return nil, err
	}
	operator, err := listenLoopback(o.ops)
	if err != nil {
		players.Close()
		return nil, err
	}
	s, err := newServer(o, log, players, operator)
	if err != nil {
		players.Close()
		operator.Close()
		return nil, err
	}
	return s, nil
}

func newServer(o options, log zerolog.Logger, players, operator net.Listener) (*server, error) {
	table, err := newTable(o, log)
	if err != nil {
		return nil, err
	}
	chance := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) //nolint:gosec // where sparks lie is no secret
	s := &server{table: table, arena: newArena(chance), players: players, operator: operator, grace: o.grace}
	joins := new(latency)
	s.peers = newPeers(s.arena, o, joins)
	s.board = newBoard(table, joins, o)
	s.game = newHTTPServer(s.gameRoutes(validator.New(table, validator.Config{}), joins, o))
	s.ops = newHTTPServer(newOps(table, s.peers, s.board).routes())
	return s, nil
}

// listenLoopback is for the operator, who is asked for no password.
func listenLoopback(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		l.Close()
		return nil, fmt.Errorf("-ops %s: whoever reaches the operator's page can kick players, let it be a loopback address", address)
	}
	return l, nil
}

func newTable(o options, log zerolog.Logger) (*slot.Table, error) {
	table, err := slot.NewTable(slot.Config{ReservationTimeout: o.timeout, ReconnectWindow: o.window, Logger: log})
	if err != nil {
		return nil, err
	}
	err = table.CreateGameSession(session.GameSession{GameSessionID: gameSession, MaximumPlayerSessionCount: o.seats})
	if err != nil {
		table.Close()
		return nil, err
	}
	return table, nil
}

// gameRoutes is what the players see.
func (s *server) gameRoutes(door *validator.Validator, joins *latency, o options) http.Handler {
	gate := door.Handler(http.HandlerFunc(s.peers.play), validator.HandlerConfig{
		TakeOver: true, // a reload may connect before its old connection is known to be gone
		Refuse:   validator.RefuseWebSocket,
	})
	mux := http.NewServeMux()
	servePage(mux, "/{$}", "game.html")
	servePage(mux, "/game.js", "game.js")
	servePage(mux, "/style.css", "style.css")
	newLobby(s.table, o).routes(mux)
	mux.Handle("GET /play", joins.arriving(gate))
	return secure(mux)
}

func newHTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           http.NewCrossOriginProtection().Handler(h),
		ReadHeaderTimeout: patience,
		ReadTimeout:       patience,
		IdleTimeout:       idle,
		MaxHeaderBytes:    maxHeader,
	}
}

// serve answers players and operator until ctx ends. Then it drains: nobody new,
// and whoever plays may go on for the grace. When it returns all is closed.
func (s *server) serve(ctx context.Context) error {
	s.table.Subscribe(s.arena.follow)
	s.table.Subscribe(s.board.follow)
	ticking, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.arena.run(ticking) })
	running.Go(func() { _ = s.game.Serve(s.players) })
	running.Go(func() { _ = s.ops.Serve(s.operator) })
	<-ctx.Done()

	s.arena.closesIn(s.grace)
	drain, cancel := context.WithTimeout(context.Background(), s.grace)
	defer cancel()
	_ = s.table.Drain(drain) // both pages answer meanwhile; who still plays is sent home
	s.peers.close(errClosing)
	err := s.table.TerminateGameSession(gameSession) // the gate hangs up on who did not listen
	s.peers.wait()
	s.game.Close()
	s.ops.Close()
	stop()
	running.Wait()
	return errors.Join(err, s.table.Close())
}
