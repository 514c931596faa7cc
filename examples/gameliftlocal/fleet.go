package main

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator/gameliftapi"
)

// fleetConfig configures a fleet.
type fleetConfig struct {
	id             string // the fleet's
	autoActivate   bool   // game sessions need no server process
	backfill       bool   // match backfill is accepted
	matchmakerData string // what game sessions are given
	limits         limits
	log            zerolog.Logger
}

// fleet is the server processes, and which game session each of them hosts. It
// places game sessions on them for the service API, as its Placement.
type fleet struct {
	fleetConfig
	table *slot.Table

	mu        sync.Mutex // protects all below; taken before the table's locks
	processes map[string]*serverProcess
	hosts     map[string]*serverProcess // by the game session's id
	numbered  uint64
	leaving   chan struct{} // not nil: all are to end; closed once all have
}

func newFleet(table *slot.Table, c fleetConfig) *fleet {
	return &fleet{
		fleetConfig: c,
		table:       table,
		processes:   map[string]*serverProcess{},
		hosts:       map[string]*serverProcess{},
	}
}

// number is the next one, of links and of processes. f.mu is held.
func (f *fleet) number() uint64 {
	f.numbered++
	return f.numbered
}

// register adds a process that is ready for a game session. One that had its
// process id, and whose connection is gone, is over. Refused with a conflict if
// that one is there.
func (f *fleet) register(l *link, port int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.leaving != nil {
		return errLeaving
	}
	if old := f.processes[l.processID]; old != nil {
		if old.first == l {
			return conflict("this server process is registered already: ProcessReady is called once")
		}
		if old.link != nil && old.link != l {
			return conflict("another server process is connected with this process id: give each one of its own")
		}
		f.remove(old, "another process came with its process id")
	}
	p := &serverProcess{identity: l.identity, number: f.number(), port: port, link: l, first: l, limits: f.limits}
	p.deadline.healthy = time.Now().Add(f.limits.silence)
	f.processes[p.processID] = p
	f.watch(p)
	f.line(p).Int("listens_on", port).Str("sdk", p.sdk).Msg("server process ready")
	return nil
}

// settle ends what register began, once the process has had its answer.
func (f *fleet) settle(l *link) {
	time.AfterFunc(f.limits.settling, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if p := f.processes[l.processID]; p != nil && p.first == l {
			p.settled()
		}
	})
}

// connected is told of a new connection. It is the process's own that lost one, or
// that replaces one it does not trust any more.
func (f *fleet) connected(l *link) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l.number = f.number()
	p := f.processes[l.processID]
	if p == nil || p.link != nil && p.link.attempt != l.attempt {
		return
	}
	p.attach(l)
	f.watch(p)
	f.line(p).Msg("server process connected again")
}

// disconnected is told when a connection is gone.
func (f *fleet) disconnected(l *link) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.processes[l.processID]
	if p == nil || p.link != l {
		return
	}
	p.link = nil
	if f.leaving != nil {
		f.remove(p, "it has ended")
		return
	}
	p.deadline.back = time.Now().Add(f.limits.absence)
	f.watch(p)
	f.line(p).Msg("server process lost its connection")
}

// speaker is the process that a request over l comes from. f.mu is held.
func (f *fleet) speaker(l *link) (*serverProcess, error) {
	p := f.processes[l.processID]
	if p == nil {
		return nil, badRequest("this server process is not registered: call ProcessReady first")
	}
	p.attach(l)
	f.watch(p)
	return p, nil
}

// host is the process a request over l comes from, if it hosts that game session.
// f.mu is held.
func (f *fleet) host(l *link, gameSessionID string) (*serverProcess, error) {
	p, err := f.speaker(l)
	switch {
	case err != nil:
		return nil, err
	case p.game == nil:
		return nil, badRequest("this server process hosts no game session")
	case p.game.GameSessionID != gameSessionID:
		return nil, notFound("this server process does not host that game session")
	}
	return p, nil
}

// hosting is host for those who do not change the process.
func (f *fleet) hosting(l *link, gameSessionID string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.host(l, gameSessionID)
	return err
}

// watch sets the timer of p to its next deadline. f.mu is held.
func (f *fleet) watch(p *serverProcess) {
	wait := time.Until(p.deadline.next())
	if p.timer == nil {
		p.timer = time.AfterFunc(wait, func() { f.look(p) })
		return
	}
	p.timer.Reset(wait)
}

// look removes p if it has been waited for in vain.
func (f *fleet) look(p *serverProcess) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.processes[p.processID] != p {
		return
	}
	why := p.deadline.overdue(time.Now())
	if why == "" {
		f.watch(p)
		return
	}
	p.stop(0)
	f.remove(p, why)
}

// remove ends p, its game session, and all its players. f.mu is held.
func (f *fleet) remove(p *serverProcess, why string) {
	p.timer.Stop()
	delete(f.processes, p.processID)
	f.line(p).Str("why", why).Msg("server process over")
	f.left()
	if p.game == nil {
		return
	}
	delete(f.hosts, p.game.GameSessionID)
	if err := f.table.TerminateGameSession(p.game.GameSessionID); err != nil && session.Reason(err) != "game_session_not_found" {
		f.log.Error().Err(err).Str("game_session_id", p.game.GameSessionID).Msg("game session not terminated")
	}
}

// line begins a line of the log about p.
func (f *fleet) line(p *serverProcess) *zerolog.Event {
	e := f.log.Info().Str("process_id", p.processID).Str("compute", p.compute)
	if p.game != nil {
		e.Str("game_session_id", p.game.GameSessionID)
	}
	return e
}

// end tells all processes to end, and waits until they have, or ctx ends.
func (f *fleet) end(ctx context.Context) {
	select {
	case <-f.leave():
	case <-ctx.Done():
	}
}

func (f *fleet) leave() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leaving = make(chan struct{})
	leaving := f.leaving
	for _, p := range f.processes {
		p.stop(f.limits.ending)
		if p.link == nil {
			f.remove(p, "it is not there")
		}
	}
	f.left()
	return leaving
}

// left tells who waits for it that there are no processes. f.mu is held.
func (f *fleet) left() {
	if f.leaving == nil || len(f.processes) > 0 {
		return
	}
	select {
	case <-f.leaving:
	default:
		close(f.leaving)
	}
}

var _ gameliftapi.Placement = (*fleet)(nil)
