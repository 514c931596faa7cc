package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator/gameliftapi"
)

const (
	// patience is how long a client may take for a request to the service API.
	patience = 10 * time.Second

	// farewell is how long server processes may take to end before gameliftlocal
	// does.
	farewell = 3 * time.Second
)

// server is the service API and the door for server processes, over one table.
type server struct {
	options
	table *slot.Table
	fleet *fleet
	api   http.Handler
	door  *door
	end   context.CancelFunc // of all connections of server processes
	log   zerolog.Logger
}

func newServer(o options, log zerolog.Logger) (*server, error) {
	table, err := slot.NewTable(slot.Config{ReservationTimeout: o.reservationTimeout, Retention: o.retention, Logger: log})
	if err != nil {
		return nil, err
	}
	f := newFleet(table, fleetConfig{
		id:             o.fleet,
		autoActivate:   o.autoActivate,
		backfill:       o.backfill == "accept",
		matchmakerData: o.matchmakerData,
		limits:         o.limits,
		log:            log,
	})
	ending, end := context.WithCancel(context.Background())
	return &server{
		options: o,
		table:   table,
		fleet:   f,
		api:     gameliftapi.New(table, apiConfig(o, f, log)),
		door:    &door{fleet: f, faults: newFaults(o.faults), token: o.authToken, ending: ending, log: log},
		end:     end,
		log:     log,
	}, nil
}

func apiConfig(o options, f *fleet, log zerolog.Logger) gameliftapi.Config {
	c := gameliftapi.Config{
		Operations: gameliftapi.Operations(),
		Fleet:      o.fleet,
		Region:     o.region,
		MaxPlayers: o.maxPlayers,
		Placement:  f,
		Logger:     log,
	}
	if o.accessKeyID == "" {
		c.Anonymous = true
		return c
	}
	c.Credentials = func(id string) (string, bool) { return o.secretAccessKey, id == o.accessKeyID }
	return c
}

// ServeHTTP tells server processes from backends: they open a WebSocket.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		s.door.ServeHTTP(w, r)
		return
	}
	s.api.ServeHTTP(w, r)
}

// greet says who may come in.
func (s *server) greet() {
	e := s.log.Info().Str("fleet", s.options.fleet).Str("region", s.region).Stringer("reservation_timeout", s.reservationTimeout)
	switch {
	case s.complete():
		e.Msg("signatures and tokens are checked")
	case s.accessKeyID != "":
		e.Msg("signatures are checked; any token is taken from server processes")
	case s.authToken != "":
		e.Msg("tokens of server processes are checked; any credentials are taken from backends")
	default:
		e.Msg("any credentials are taken: whoever reaches this port is let in")
	}
}

// serve answers until ctx ends. Then it tells the server processes to end, and
// waits for them a moment.
func (s *server) serve(ctx context.Context, listener net.Listener) error {
	either, err := newTLSListener(listener)
	if err != nil {
		listener.Close()
		return errors.Join(err, s.table.Close())
	}
	h := &http.Server{Handler: s, ReadTimeout: patience, ReadHeaderTimeout: patience}
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(either) }()
	select {
	case err = <-failed:
	case <-ctx.Done():
		s.log.Info().Msg("asked to end: server processes are told to end too; once more ends at once")
	}
	s.sayGoodbye()
	return errors.Join(err, s.close(h))
}

func (s *server) sayGoodbye() {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	s.fleet.end(ctx)
}

func (s *server) close(h *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	if h.Shutdown(ctx) != nil {
		h.Close() // for who is slow to leave
	}
	s.end()
	s.door.links.Wait()
	return s.table.Close()
}
