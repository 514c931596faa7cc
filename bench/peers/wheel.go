package main

import (
	"context"
	"time"

	"github.com/RussellLuo/timingwheel"
	"github.com/puzpuzpuz/xsync/v4"

	"github.com/usher-go/usher/session"
)

// wheelPeer is xsyncPeer with a timer wheel in place of the runtime's timers.
type wheelPeer struct {
	setup Setup
	games []*game
	wheel *timingwheel.TimingWheel
	seats *xsync.Map[string, *wheeled]
}

type wheeled struct {
	seat
	timer *timingwheel.Timer
}

// tick is usher's, as is the number of buckets.
const tick = 10 * time.Millisecond

func openWheel(s Setup) (Contender, error) {
	p := &wheelPeer{
		setup: s,
		games: newGames(s),
		wheel: timingwheel.NewTimingWheel(tick, 8192),
		seats: xsync.NewMap[string, *wheeled](),
	}
	p.wheel.Start()
	return p, nil
}

func (p *wheelPeer) Reserve(r Request) (session.PlayerSession, error) {
	g := p.games[r.Game]
	if err := g.take(); err != nil {
		return session.PlayerSession{}, err
	}
	s := new(wheeled)
	s.init(g, r)
	// The wheel rounds down, and nobody may time out too early.
	s.timer = p.wheel.AfterFunc(p.setup.orDefault(r.Timeout)+tick, func() { p.expire(s) })
	p.seats.Store(s.id, s)
	if s.status().Terminal() { // before it was stored
		p.seats.Delete(s.id)
	}
	return s.present(session.StatusReserved), nil
}

func (p *wheelPeer) expire(s *wheeled) {
	if s.expire() {
		p.seats.Delete(s.id)
	}
}

func (p *wheelPeer) AcceptPlayerSession(id string) (session.PlayerSession, error) {
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

func (p *wheelPeer) Release(id string) error {
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

func (p *wheelPeer) AwaitEmpty(ctx context.Context, game int) error {
	return p.games[game].awaitEmpty(ctx)
}

func (p *wheelPeer) Close() error {
	p.wheel.Stop()
	return nil
}
