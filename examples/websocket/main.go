// Command websocket is a chat room for players who hold a seat: the gate for
// WebSockets, [validator.Validator.Handler], with two libraries behind it. See
// coder.go and gorilla.go; the browser's side is index.html.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

const (
	gameSession = "chat"
	seats       = 10
)

//go:embed index.html
var page []byte

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "where the players connect")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *listen); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends, and then puts everybody out.
func run(ctx context.Context, listen string) error {
	table, err := slot.NewTable(slot.Config{ReconnectWindow: 5 * time.Second})
	if err != nil {
		return err
	}
	err = table.CreateGameSession(session.GameSession{GameSessionID: gameSession, MaximumPlayerSessionCount: seats})
	if err != nil {
		return errors.Join(err, table.Close())
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return errors.Join(err, table.Close())
	}
	fmt.Printf("open http://%s in two tabs\n", listener.Addr())
	server := &http.Server{Handler: routes(table), ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() {
		_ = table.TerminateGameSession(gameSession) // the gate closes what is connected
		_ = server.Close()
	})
	if err = server.Serve(listener); errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, table.Close())
}

// routes are the room's doors, one for each library, and what gets a player there.
func routes(table *slot.Table) http.Handler {
	room := newRoom()
	gate := validator.New(table, validator.Config{})
	browsers := validator.HandlerConfig{Refuse: validator.RefuseWebSocket}
	mux := http.NewServeMux()
	mux.Handle("GET /coder", gate.Handler(http.HandlerFunc(room.withCoder), browsers))
	mux.Handle("GET /gorilla", gate.Handler(http.HandlerFunc(room.withGorilla), browsers))
	mux.HandleFunc("POST /seat", func(w http.ResponseWriter, r *http.Request) { reserve(w, r, table) })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) })
	return mux
}

// reserve stands for the backend, which knows its players from elsewhere.
func reserve(w http.ResponseWriter, r *http.Request, table *slot.Table) {
	ps, err := table.Reserve(slot.Reservation{GameSessionID: gameSession, PlayerID: r.FormValue("player")})
	if err != nil {
		http.Error(w, session.Reason(err), http.StatusConflict)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, ps.PlayerSessionID)
}
