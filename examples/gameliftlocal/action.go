package main

import (
	"net/http"
	"strings"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// actions are what a server process can ask for. An error is the whole answer.
var actions = map[string]func(*fleet, *link, request) (answer, error){
	"ActivateServerProcess":             (*fleet).activateServerProcess,
	"HeartbeatServerProcess":            (*fleet).heartbeatServerProcess,
	"TerminateServerProcess":            (*fleet).terminateServerProcess,
	"ActivateGameSession":               (*fleet).activateGameSession,
	"UpdatePlayerSessionCreationPolicy": (*fleet).updatePlayerSessionCreationPolicy,
	"AcceptPlayerSession":               (*fleet).acceptPlayerSession,
	"RemovePlayerSession":               (*fleet).removePlayerSession,
	"DescribePlayerSessions":            (*fleet).describePlayerSessions,
	"StartMatchBackfill":                (*fleet).startMatchBackfill,
	"StopMatchBackfill":                 (*fleet).stopMatchBackfill,
	"GetComputeCertificate":             (*fleet).getComputeCertificate,
	"GetFleetRoleCredentials":           (*fleet).getFleetRoleCredentials,
}

// maxPort is the highest that GameLift allows.
const maxPort = 60000

func (f *fleet) activateServerProcess(l *link, q request) (answer, error) {
	if l.fleet != f.id && !strings.HasSuffix(l.fleet, ":fleet/"+f.id) { // Amazon's samples for C# pass the ARN
		return answer{}, badRequest("FleetId must be " + f.id + ", the fleet that gameliftlocal was started with (-fleet)")
	}
	if q.Port < 1 || q.Port > maxPort {
		return answer{}, badRequest("Port must lie between 1 and 60000")
	}
	return answer{}, f.register(l, q.Port)
}

func (f *fleet) heartbeatServerProcess(l *link, q request) (answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.speaker(l)
	if err != nil {
		return answer{}, err
	}
	if !q.HealthStatus {
		f.line(p).Msg("server process reports itself unhealthy")
	}
	p.beat(q.HealthStatus)
	f.watch(p)
	return answer{}, nil
}

// terminateServerProcess is ProcessEnding. A process that is over already may say
// so as well: it may have been told to end.
func (f *fleet) terminateServerProcess(l *link, _ request) (answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p := f.processes[l.processID]; p != nil && (p.link == l || p.first == l) {
		f.remove(p, "it has ended")
	}
	return answer{}, nil
}

func (f *fleet) activateGameSession(l *link, q request) (answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.host(l, q.GameSessionID)
	if err != nil {
		return answer{}, err
	}
	if err := f.table.ActivateGameSession(q.GameSessionID); err != nil {
		return answer{}, refuseAny(err)
	}
	p.deadline.active = time.Time{}
	f.watch(p)
	f.line(p).Msg("game session active")
	return answer{}, nil
}

func (f *fleet) updatePlayerSessionCreationPolicy(l *link, q request) (answer, error) {
	policy, err := session.ParseCreationPolicy(q.PlayerSessionPolicy)
	if err != nil {
		return answer{}, badRequest("PlayerSessionPolicy must be ACCEPT_ALL or DENY_ALL")
	}
	if err := f.hosting(l, q.GameSessionID); err != nil {
		return answer{}, err
	}
	return answer{}, refuseAny(f.table.UpdateGameSession(q.GameSessionID, slot.GameSessionUpdate{PlayerSessionCreationPolicy: &policy}))
}

func (f *fleet) acceptPlayerSession(l *link, q request) (answer, error) {
	if err := f.own(l, q); err != nil {
		return answer{}, err
	}
	_, err := f.table.Activate(q.PlayerSessionID)
	return answer{}, refusePlayer(q.PlayerSessionID, err)
}

func (f *fleet) removePlayerSession(l *link, q request) (answer, error) {
	if err := f.own(l, q); err != nil {
		return answer{}, err
	}
	_, err := f.table.Release(q.PlayerSessionID)
	return answer{}, refusePlayer(q.PlayerSessionID, err)
}

// own refuses a player session that is not of the game session the process hosts,
// in the same words as one that does not exist.
func (f *fleet) own(l *link, q request) error {
	if err := f.hosting(l, q.GameSessionID); err != nil {
		return err
	}
	ps, err := f.table.Lookup(q.PlayerSessionID)
	if err == nil && ps.GameSessionID != q.GameSessionID {
		err = session.ErrPlayerSessionNotFound
	}
	return refusePlayer(q.PlayerSessionID, err)
}

func (f *fleet) getComputeCertificate(*link, request) (answer, error) {
	return answer{}, notFound("gameliftlocal has no compute certificates: a local fleet has no TLS; give your server one of its own")
}

func (f *fleet) getFleetRoleCredentials(*link, request) (answer, error) {
	return answer{}, &refusal{status: http.StatusForbidden, message: "gameliftlocal has no fleet role: take the credentials that the AWS SDK finds on this machine"}
}
