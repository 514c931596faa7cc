package main

import (
	"context"
	"math"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/usher-go/usher/session"
)

// otterPeer keeps the seats in a cache, which takes out those that expire.
type otterPeer struct {
	setup Setup
	games []*game
	cache *otter.Cache[string, *lasting]
}

// lasting is a seat that knows how long it waits.
type lasting struct {
	seat
	timeout time.Duration
}

// forever is how long a seat that was accepted stays in the cache.
const forever = time.Duration(math.MaxInt64)

func openOtter(s Setup) (Contender, error) {
	p := &otterPeer{setup: s, games: newGames(s)}
	cache, err := otter.New(&otter.Options[string, *lasting]{
		ExpiryCalculator: otter.ExpiryCreatingFunc(lifetime),
		OnAtomicDeletion: p.deleted,
	})
	p.cache = cache
	return p, err
}

func lifetime(e otter.Entry[string, *lasting]) time.Duration {
	if e.Value.status() == session.StatusReserved {
		return e.Value.timeout
	}
	return forever
}

func (p *otterPeer) deleted(e otter.DeletionEvent[string, *lasting]) {
	if e.Cause != otter.CauseExpiration || e.Value.expire() || e.Value.status() != session.StatusActive {
		return
	}
	// It was accepted just before it expired. The cache must not be called from here.
	go p.cache.Set(e.Key, e.Value)
}

func (p *otterPeer) Reserve(r Request) (session.PlayerSession, error) {
	g := p.games[r.Game]
	if err := g.take(); err != nil {
		return session.PlayerSession{}, err
	}
	s := &lasting{timeout: p.setup.orDefault(r.Timeout)}
	s.init(g, r)
	p.cache.Set(s.id, s)
	return s.present(session.StatusReserved), nil
}

func (p *otterPeer) AcceptPlayerSession(id string) (session.PlayerSession, error) {
	s, ok := p.cache.GetIfPresent(id)
	if !ok {
		return session.PlayerSession{}, session.ErrPlayerSessionNotFound
	}
	ps, err := s.accept()
	if err == nil {
		p.cache.SetExpiresAfter(id, forever)
	}
	return ps, err
}

func (p *otterPeer) Release(id string) error {
	s, ok := p.cache.GetIfPresent(id)
	if !ok {
		return session.ErrPlayerSessionNotFound
	}
	if s.leave() {
		p.cache.Invalidate(id)
	}
	return nil
}

func (p *otterPeer) AwaitEmpty(ctx context.Context, game int) error {
	return p.games[game].awaitEmpty(ctx)
}

func (p *otterPeer) Close() error {
	p.cache.StopAllGoroutines()
	return nil
}
