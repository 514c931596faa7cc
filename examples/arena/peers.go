package main

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
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

	mu      sync.Mutex       // protects all below
	present map[string]*peer // by player session id, the latest connection of each
	closed  bool
	playing sync.WaitGroup
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
		present: make(map[string]*peer),
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
	ps.present[p.player.PlayerSessionID] = p
	ps.playing.Add(1)
	return true
}

func (ps *peers) leave(p *peer) {
	defer ps.playing.Done()
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.present[p.player.PlayerSessionID] == p {
		delete(ps.present, p.player.PlayerSessionID)
	}
}

// dismiss sends a player away, if it is connected, and waits until it has been
// told; not for long, if it does not listen.
func (ps *peers) dismiss(playerSessionID string, why error) {
	ps.mu.Lock()
	p := ps.present[playerSessionID]
	ps.mu.Unlock()
	if p == nil {
		return
	}
	p.end(why)
	select {
	case <-p.done:
	case <-time.After(farewell):
	}
}

// dismissAll sends everybody away, lets nobody in any more, and waits likewise.
func (ps *peers) dismissAll(why error) {
	ps.mu.Lock()
	ps.closed = true
	leaving := slices.Collect(maps.Values(ps.present))
	ps.mu.Unlock()
	for _, p := range leaving {
		p.end(why)
	}
	late := time.After(farewell)
	for _, p := range leaving {
		select {
		case <-p.done:
		case <-late:
			return
		}
	}
}

// wait returns when everybody has gone, of those who are dismissed.
func (ps *peers) wait() { ps.playing.Wait() }
