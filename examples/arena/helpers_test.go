package main

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// patient is long enough for a machine that stalls, so that nothing happens but
// what a test makes happen.
func patient(seats int) options {
	return options{
		listen:  "127.0.0.1:0",
		ops:     "127.0.0.1:0",
		seats:   seats,
		timeout: 10 * time.Minute,
		window:  10 * time.Minute,
		grace:   time.Millisecond,
	}
}

// running returns a server that serves until the test ends.
func running(t *testing.T, o options) *server {
	t.Helper()
	s, err := start(o, zerolog.Logger{})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- s.serve(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-stopped)
	})
	return s
}

func (s *server) playURL() string { return "http://" + s.players.Addr().String() + "/" }
func (s *server) opsURL() string  { return "http://" + s.operator.Addr().String() + "/ops" }
