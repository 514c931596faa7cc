package main

import (
	"context"
	"sync"
	"time"

	"github.com/usher-go/usher/session"
)

// syncMapPeer is mapPeer without the lock.
type syncMapPeer struct {
	setup Setup
	games []*game
	seats sync.Map // of *timed
}

func openSyncMap(s Setup) (Contender, error) {
	return &syncMapPeer{setup: s, games: newGames(s)}, nil
}

func (p *syncMapPeer) Reserve(r Request) (session.PlayerSession, error) {
	g := p.games[r.Game]
	if err := g.take(); err != nil {
		return session.PlayerSession{}, err
	}
	s := new(timed)
	s.init(g, r)
	s.timer = time.AfterFunc(p.setup.orDefault(r.Timeout), func() { p.expire(s) })
	p.seats.Store(s.id, s)
	if s.status().Terminal() { // before it was stored
		p.seats.Delete(s.id)
	}
	return s.present(session.StatusReserved), nil
}

func (p *syncMapPeer) expire(s *timed) {
	if s.expire() {
		p.seats.Delete(s.id)
	}
}

func (p *syncMapPeer) find(id string) (*timed, bool) {
	v, _ := p.seats.Load(id)
	s, ok := v.(*timed)
	return s, ok
}

func (p *syncMapPeer) AcceptPlayerSession(id string) (session.PlayerSession, error) {
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

func (p *syncMapPeer) Release(id string) error {
	s, ok := p.find(id)
	if !ok {
		return session.ErrPlayerSessionNotFound
	}
	if s.leave() {
		s.timer.Stop()
		p.seats.Delete(id)
	}
	return nil
}

func (p *syncMapPeer) AwaitEmpty(ctx context.Context, game int) error {
	return p.games[game].awaitEmpty(ctx)
}

func (p *syncMapPeer) Close() error {
	p.seats.Range(func(_, v any) bool {
		if s, ok := v.(*timed); ok {
			s.timer.Stop()
		}
		return true
	})
	return nil
}
