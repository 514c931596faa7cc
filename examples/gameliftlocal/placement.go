package main

import (
	"context"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/validator/gameliftapi"
)

// portOfNobody is where a game session is that has no server process, so that a
// backend has something to hand on: the port of Amazon's samples.
const portOfNobody = 7777

// Place puts a game session on the idle process that has waited longest.
func (f *fleet) Place(_ context.Context, gs *gameliftapi.GameSession) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.longestIdle()
	switch {
	case p != nil:
		gs.IPAddress, gs.Port, gs.ComputeName = p.address, p.port, p.compute
	case f.autoActivate:
		gs.IPAddress, gs.Port, gs.Status = "127.0.0.1", portOfNobody, session.GameSessionActive
	default:
		return gameliftapi.ErrNoProcess
	}
	gs.MatchmakerData = f.matchmakerData
	if err := f.table.CreateGameSession(gs.GameSession); err != nil {
		return err
	}
	if p != nil {
		f.start(p, *gs)
	}
	return nil
}

// longestIdle is nil if no process is idle. f.mu is held.
func (f *fleet) longestIdle() (first *serverProcess) {
	for _, p := range f.processes {
		if p.idle() && (first == nil || p.number < first.number) {
			first = p
		}
	}
	return first
}

// start has p host a game session. f.mu is held.
func (f *fleet) start(p *serverProcess, gs gameliftapi.GameSession) {
	p.host(gs)
	f.hosts[gs.GameSessionID] = p
	f.watch(p)
	f.line(p).Msg("game session placed")
}

// Updated passes on to the process what has become of its game session.
func (f *fleet) Updated(gs gameliftapi.GameSession) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p := f.hosts[gs.GameSessionID]; p != nil {
		p.game = &gs
		p.push(newUpdateGameSession(gs, reasonUnknown, ""))
	}
}

// Terminating tells the process to end, and counts it as over if it is forced.
// Nothing can kill it from here.
func (f *fleet) Terminating(gs gameliftapi.GameSession, mode gameliftapi.TerminationMode) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.hosts[gs.GameSessionID]
	if p == nil {
		return
	}
	if mode == gameliftapi.ForceTerminate {
		p.stop(0)
		f.remove(p, "its game session was terminated by force")
		return
	}
	p.stop(f.limits.ending)
	f.watch(p)
}
