package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/usher-go/usher/session"
)

const (
	width, height = 1600.0, 900.0
	tick          = 50 * time.Millisecond
)

// arena is the world, and the only authority on it: a page asks for a direction,
// and is told where everybody is. Who is in it is the table's to say: it follows
// the table's events.
type arena struct {
	mu      sync.Mutex // protects all below; nothing that blocks is called under it
	players map[string]*player
	sparks  []*spark
	outlets map[*outlet]struct{}
	ticks   uint64
	placed  int // sparks, so far
	rand    *rand.Rand
	closing time.Time // when everybody is sent home; zero: not planned
}

func newArena(r *rand.Rand) *arena {
	a := &arena{players: make(map[string]*player), outlets: make(map[*outlet]struct{}), rand: r}
	for range sparks {
		a.sparks = append(a.sparks, a.place())
	}
	return a
}

// follow is the table's subscriber.
func (a *arena) follow(e session.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ps := &e.PlayerSession
	p := a.players[ps.PlayerSessionID]
	switch {
	case e.To.Terminal():
		delete(a.players, ps.PlayerSessionID)
	case e.Cause == session.CauseAccepted:
		x, y := somewhere(a.rand)
		a.players[ps.PlayerSessionID] = newPlayer(*ps, x, y)
	case e.Cause == session.CauseDropped && p != nil:
		p.dropped(e.At)
	case e.Cause == session.CauseReturned && p != nil:
		p.returned(ps.Generation)
	}
}

// steer is a player's wish, by the connection of a generation; an older one has
// no say.
func (a *arena) steer(playerSessionID string, generation uint32, dx, dy float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.players[playerSessionID]; p != nil && p.generation == generation {
		p.steer(dx, dy)
	}
}

// run passes the time until ctx ends.
func (a *arena) run(ctx context.Context) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			a.step()
		case <-ctx.Done():
			return
		}
	}
}

// step passes a tick, and shows everybody how things stand.
func (a *arena) step() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ticks++
	for _, p := range a.players {
		p.move()
		a.collect(p)
	}
	if len(a.outlets) == 0 {
		return
	}
	f := a.frame()
	for o := range a.outlets {
		o.put(f)
	}
}

func (a *arena) collect(p *player) {
	for i, s := range a.sparks {
		if p.reaches(s) {
			p.score += s.worth
			a.sparks[i] = a.place()
		}
	}
}

func (a *arena) place() *spark {
	a.placed++
	return newSpark(a.placed, a.rand)
}

// watch returns an outlet that has the latest frame, until it is closed.
func (a *arena) watch() (o *outlet, unwatch func()) {
	o = newOutlet()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.outlets[o] = struct{}{}
	return o, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.outlets, o)
	}
}

// closesIn tells the players when they are sent home.
func (a *arena) closesIn(grace time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closing = time.Now().Add(grace)
}
