package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/amazon-gamelift/amazon-gamelift-servers-go-server-sdk/v5/model"
	"github.com/amazon-gamelift/amazon-gamelift-servers-go-server-sdk/v5/server"
	"github.com/gorilla/websocket"

	"github.com/usher-go/usher/session"
)

// sdk is Amazon's server SDK, connected to a service of our own over loopback.
// The SDK keeps its state in globals and cannot be started a second time, so
// there is one, and each contender brings other seats to its service.
type sdk struct {
	service *service
	server  *http.Server
}

// connect starts the service and goes through what a game server process does
// until it has a game session.
func connect() (*sdk, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := new(service)
	d := &sdk{service: s, server: &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}}
	go func() { _ = d.server.Serve(listener) }()

	server.SetLoggerInterface(silent{})
	// Or it would ask systemctl whether a collector of metrics is running.
	if err := os.Setenv("GAMELIFT_SDK_TOOL_NAME", "bench"); err != nil {
		return nil, err
	}
	started := make(chan struct{})
	err = server.InitSDK(server.ServerParameters{
		WebSocketURL: "ws://" + listener.Addr().String(),
		ProcessID:    "process-1",
		HostID:       "host-1",
		FleetID:      "fleet-1",
		AuthToken:    "token",
	})
	if err == nil {
		err = server.ProcessReady(server.ProcessParameters{
			OnStartGameSession: func(model.GameSession) { close(started) },
			OnProcessTerminate: func() {},
			OnHealthCheck:      func() bool { return true },
			Port:               7777,
		})
	}
	if err != nil {
		return nil, errors.Join(err, d.server.Close())
	}
	<-started
	return d, server.ActivateGameSession()
}

func (d *sdk) close() error { return errors.Join(server.Destroy(), d.server.Close()) }

// entrant times few of its accepts: one takes as long as a thousand others'.
func (d *sdk) entrant() Entrant {
	return Entrant{Name: "GameLift SDK", Open: d.open, Sample: 1000}
}

func (d *sdk) open(s Setup) (Contender, error) {
	p := newMapPeer(s)
	d.service.seats.Store(p)
	return &sdkPeer{p}, nil
}

// sdkPeer reserves and releases in the service itself, in whose place a backend
// would; only the accept goes through the SDK.
type sdkPeer struct{ service *mapPeer }

// AcceptPlayerSession hands back the player session as the service knows it. A game server
// would have to ask for it with DescribePlayerSessions, which takes as long again.
func (p *sdkPeer) AcceptPlayerSession(id string) (session.PlayerSession, error) {
	if err := server.AcceptPlayerSession(id); err != nil {
		return session.PlayerSession{}, err
	}
	s, ok := p.service.find(id)
	if !ok {
		return session.PlayerSession{}, session.ErrPlayerSessionNotFound
	}
	return s.present(session.StatusActive), nil
}

func (p *sdkPeer) Reserve(r Request) (session.PlayerSession, error) { return p.service.Reserve(r) }
func (p *sdkPeer) Release(id string) error                          { return p.service.Release(id) }
func (p *sdkPeer) Close() error                                     { return p.service.Close() }

func (p *sdkPeer) AwaitEmpty(ctx context.Context, game int) error {
	return p.service.AwaitEmpty(ctx, game)
}

// service is the least that the SDK takes for GameLift: it answers, it starts a
// game session, and it lets players in.
type service struct{ seats atomic.Pointer[mapPeer] }

type request struct {
	Action          string
	RequestID       string `json:"RequestId"`
	PlayerSessionID string `json:"PlayerSessionId"`
}

type answer struct {
	Action       string
	RequestID    string `json:"RequestId"`
	StatusCode   int
	ErrorMessage string `json:",omitempty"`
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := new(websocket.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		return // the client has been told
	}
	defer conn.Close()
	begun := false
	for {
		var q request
		if err := conn.ReadJSON(&q); err != nil {
			return
		}
		if err := conn.WriteJSON(s.answer(q)); err != nil {
			return
		}
		// A process that sends heartbeats is ready for a game session; before, the
		// SDK would drop it.
		if q.Action == "HeartbeatServerProcess" && !begun {
			begun = true
			if err := conn.WriteJSON(map[string]any{
				"Action":                    "CreateGameSession",
				"GameSessionId":             gameID(0),
				"MaximumPlayerSessionCount": 200,
				"IpAddress":                 "198.51.100.7",
				"Port":                      7777,
			}); err != nil {
				return
			}
		}
	}
}

func (s *service) answer(q request) answer {
	a := answer{Action: q.Action, RequestID: q.RequestID, StatusCode: http.StatusOK}
	if q.Action != "AcceptPlayerSession" {
		return a
	}
	if _, err := s.seats.Load().AcceptPlayerSession(q.PlayerSessionID); err != nil {
		a.StatusCode, a.ErrorMessage = http.StatusConflict, session.Reason(err)
	}
	return a
}

// silent is the SDK's logger; its own writes a file.
type silent struct{}

func (silent) Debugf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
