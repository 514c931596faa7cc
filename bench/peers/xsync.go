package main

import (
	"context"
	"time"

	"github.com/puzpuzpuz/xsync/v4"

	"github.com/usher-go/usher/session"
)

// xsyncPeer is mapPeer with the concurrent map of xsync.
type xsyncPeer struct {
	setup Setup
	games []*game
	seats *xsync.Map[string, *timed]
}

func openXsync(s Setup) (Contender, error) {
	return &xsyncPeer{setup: s, games: newGames(s), seats: xsync.NewMap[string, *timed]()}, nil
}

func (p *xsyncPeer) Reserve(r Request) (session.PlayerSession, error) {
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

func (p *xsyncPeer) expire(s *timed) {
	if s.expire() {
		p.seats.Delete(s.id)
	}
}

func (p *xsyncPeer) AcceptPlayerSession(id string) (session.PlayerSession, error) {
	s, ok := p.seats.Load(id)
	if !ok {
		return session.PlayerSession{}, session.ErrPlayerSessionNotFound
	}
	ps, err := s.accept()
	if err == nil {
		s.timer.Stop()
	}
	return ps, err
}

func (p *xsyncPeer) Release(id string) error {
	s, ok := p.seats.Load(id)
	if !ok {
		return session.ErrPlayerSessionNotFound
	}
	if s.leave() {
		s.timer.Stop()
		p.seats.Delete(id)
	}
	return nil
}

func (p *xsyncPeer) AwaitEmpty(ctx context.Context, game int) error {
	return p.games[game].awaitEmpty(ctx)
}

func (p *xsyncPeer) Close() error {
	for _, s := range p.seats.All() {
		s.timer.Stop()
	}
	return nil
}
