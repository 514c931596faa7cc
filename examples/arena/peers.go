package main

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/usher-go/usher/validator"
)

// peers are the players who are connected.
type peers struct {
	arena    *arena
	joins    *latency
	greeting greeting

	mu      sync.Mutex // protects all below
	present map[*peer]struct{}
	closed  bool
	playing sync.WaitGroup // those present
}

// greeting tells a page what it needs to draw frames.
type greeting struct {
	You        int     `json:"you"`        // its seat
	Generation uint32  `json:"generation"` // of the connection
	Width      float64 `json:"width"`
	Height     float64 `json:"height"`
	Tick       int64   `json:"tick_ms"`
	Window     int64   `json:"window_ms"` // for the return of who is away
}

func newPeers(a *arena, o options, joins *latency) *peers {
	return &peers{
		arena: a,
		joins: joins,
		greeting: greeting{
			Width: width, Height: height,
			Tick: tick.Milliseconds(), Window: o.window.Milliseconds(),
		},
		present: make(map[*peer]struct{}),
	}
}

// play is what the gate leads to: whoever comes here is validated.
func (ps *peers) play(w http.ResponseWriter, r *http.Request) {
	player, ok := validator.PlayerSessionFromContext(r.Context())
	if !ok {
		http.Error(w, "not through the gate", http.StatusInternalServerError)
		return
	}
	ps.joins.arrived(r.Context())
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"usher"}})
	if err != nil {
		return // it has answered
	}
	ctx, end := context.WithCancelCause(r.Context())
	defer end(nil)
	p := &peer{player: player, conn: conn, arena: ps.arena, end: end, done: make(chan struct{})}
	defer close(p.done)
	if !ps.enter(p) {
		p.farewell(errClosing)
		return
	}
	defer ps.leave(p)
	hello := ps.greeting
	hello.You, hello.Generation = player.Slot, player.Generation
	encoded, _ := json.Marshal(hello) // numbers
	p.play(ctx, encoded)
}

func (ps *peers) enter(p *peer) bool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.closed {
		return false
	}
	ps.present[p] = struct{}{}
	ps.playing.Add(1)
	return true
}

func (ps *peers) leave(p *peer) {
	defer ps.playing.Done()
	ps.mu.Lock()
	defer ps.mu.Unlock()
	delete(ps.present, p)
}

// dismiss sends a player away, if it is connected.
func (ps *peers) dismiss(playerSessionID string, why error) {
	sendAway(why, ps.who(func(p *peer) bool { return p.player.PlayerSessionID == playerSessionID }))
}

// close sends everybody away, and lets nobody in any more.
func (ps *peers) close(why error) {
	ps.mu.Lock()
	ps.closed = true
	ps.mu.Unlock()
	sendAway(why, ps.who(func(*peer) bool { return true }))
}

// wait returns when everybody has gone, after close.
func (ps *peers) wait() { ps.playing.Wait() }

func (ps *peers) who(meant func(*peer) bool) (all []*peer) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for p := range ps.present {
		if meant(p) {
			all = append(all, p)
		}
	}
	return all
}

// sendAway ends connections, and waits until the players have been told why; not for
// long, if they do not listen.
func sendAway(why error, away []*peer) {
	for _, p := range away {
		p.end(why)
	}
	late := time.After(farewell)
	for _, p := range away {
		select {
		case <-p.done:
		case <-late:
			return
		}
	}
}
