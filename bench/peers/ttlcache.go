package main

import (
	"context"
	"time"

	"github.com/jellydator/ttlcache/v3"

	"github.com/usher-go/usher/session"
)

// ttlCachePeer keeps the seats in a cache whose items have a time to live.
type ttlCachePeer struct {
	setup   Setup
	games   []*game
	cache   *ttlcache.Cache[string, *seat]
	stopped chan struct{}
}

func openTTLCache(s Setup) (Contender, error) {
	p := &ttlCachePeer{
		setup: s,
		games: newGames(s),
		cache: ttlcache.New(
			ttlcache.WithTTL[string, *seat](s.Timeout),
			ttlcache.WithDisableTouchOnHit[string, *seat](),
		),
		stopped: make(chan struct{}),
	}
	p.cache.OnEviction(func(_ context.Context, why ttlcache.EvictionReason, item *ttlcache.Item[string, *seat]) {
		if why == ttlcache.EvictionReasonExpired {
			item.Value().expire()
		}
	})
	go func() {
		defer close(p.stopped)
		p.cache.Start()
	}()
	return p, nil
}

func (p *ttlCachePeer) Reserve(r Request) (session.PlayerSession, error) {
	g := p.games[r.Game]
	if err := g.take(); err != nil {
		return session.PlayerSession{}, err
	}
	s := new(seat)
	s.init(g, r)
	p.cache.Set(s.id, s, p.setup.orDefault(r.Timeout))
	return s.present(session.StatusReserved), nil
}

func (p *ttlCachePeer) AcceptPlayerSession(id string) (session.PlayerSession, error) {
	item := p.cache.Get(id)
	if item == nil {
		return session.PlayerSession{}, session.ErrPlayerSessionNotFound
	}
	s := item.Value()
	ps, err := s.accept()
	if err == nil {
		p.cache.Set(id, s, ttlcache.NoTTL) // back into it, too, if it has just been taken out
	}
	return ps, err
}

func (p *ttlCachePeer) Release(id string) error {
	item := p.cache.Get(id)
	if item == nil {
		return session.ErrPlayerSessionNotFound
	}
	if item.Value().leave() {
		p.cache.Delete(id)
	}
	return nil
}

func (p *ttlCachePeer) AwaitEmpty(ctx context.Context, game int) error {
	return p.games[game].awaitEmpty(ctx)
}

// Close stops the cache again and again: Stop does nothing before Start has begun.
func (p *ttlCachePeer) Close() error {
	for {
		p.cache.Stop()
		select {
		case <-p.stopped:
			return nil
		case <-time.After(time.Millisecond):
		}
	}
}
