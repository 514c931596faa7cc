package main

import (
	"context"
	"sync"
	"time"

	"github.com/usher-go/usher/session"
)

// mapPeer is the first thing that comes to mind: a map, a lock, and a timer for
// each reservation.
type mapPeer struct {
	setup Setup
	games []*game

	mu    sync.RWMutex // protects all below
	seats map[string]*timed
}

func openMap(s Setup) (Contender, error) { return newMapPeer(s), nil }

func newMapPeer(s Setup) *mapPeer {
	return &mapPeer{setup: s, games: newGames(s), seats: make(map[string]*timed)}
}

func (p *mapPeer) Reserve(r Request) (session.PlayerSession, error) {
	g := p.games[r.Game]
	if err := g.take(); err != nil {
		return session.PlayerSession{}, err
	}
	s := new(timed)
	s.init(g, r)
	p.mu.Lock()
	defer p.mu.Unlock()
	s.timer = time.AfterFunc(p.setup.orDefault(r.Timeout), func() { p.expire(s) })
	p.seats[s.id] = s
	return s.present(session.StatusReserved), nil
}

func (p *mapPeer) expire(s *timed) {
	if s.expire() {
		p.remove(s.id)
	}
}

func (p *mapPeer) remove(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.seats, id)
}

func (p *mapPeer) find(id string) (*timed, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	s, ok := p.seats[id]
	return s, ok
}

func (p *mapPeer) AcceptPlayerSession(id string) (session.PlayerSession, error) {
	s, ok := p.find(id)
	if !ok {
		return session.PlayerSession{}, session.ErrPlayerSessionNotFound
	}
	ps, err := s.accept()
	if err == nil {
		s.timer.Stop()
	}
	return ps, err
}

func (p *mapPeer) Release(id string) error {
	s, ok := p.find(id)
	if !ok {
		return session.ErrPlayerSessionNotFound
	}
	if s.leave() {
		s.timer.Stop()
		p.remove(id)
	}
	return nil
}

func (p *mapPeer) AwaitEmpty(ctx context.Context, game int) error {
	return p.games[game].awaitEmpty(ctx)
}

// Close stops the timers of those who have not come.
func (p *mapPeer) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.seats {
		s.timer.Stop()
	}
	return nil
}
