package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

func TestJoin(t *testing.T) {
	t.Parallel()
	s := running(t, patient(2))
	ann := s.reserves(t, "Ann")
	conn := s.connects(t, ann.ID)
	require.Equal(t, greeting{
		You: 0, Generation: 1, Width: width, Height: height, Tick: 50, Window: patient(2).window.Milliseconds(),
	}, hears[greeting](t, conn))
	before := hears[frame](t, conn)
	require.Len(t, before.Players, 1)
	require.Equal(t, "Ann", before.Players[0].Name)

	toTheMiddle := byte(127)
	if before.Players[0].X > width/2 {
		toTheMiddle = 0x81 // -127
	}
	require.NoError(t, conn.Write(t.Context(), websocket.MessageBinary, []byte{toTheMiddle, 0}))
	for f := before; f.Players[0].X == before.Players[0].X; {
		f = hears[frame](t, conn)
		require.Greater(t, f.Tick, before.Tick)
		require.InDelta(t, before.Players[0].Y, f.Players[0].Y, 1e-9)
	}
	_, _, count := s.board.joins.quantiles()
	require.Equal(t, uint64(1), count)

	var again ticket
	call(t, http.MethodGet, s.playURL()+"seat", ann.ID, "", &again)
	require.Equal(t, session.StatusActive, again.Status)
	require.Zero(t, again.Of, "connected: there is no deadline")
}

// The gate says why it refuses, in a way that a page's script can read.
func TestGateRefuses(t *testing.T) {
	t.Parallel()
	s := running(t, patient(2))
	gone := s.reserves(t, "Ann").ID
	require.Equal(t, http.StatusNoContent, call(t, http.MethodDelete, s.playURL()+"seat", gone, "", nil).StatusCode)
	for id, want := range map[string]websocket.CloseError{
		"psess-invented": {Code: 4401, Reason: "not_found"},
		gone:             {Code: 4410, Reason: "timed_out"},
	} {
		require.Equal(t, want, closed(t, s.connects(t, id)))
	}
	_, _, count := s.board.joins.quantiles()
	require.Zero(t, count)
}

// What no page sends ends the connection, and the seat waits for its player.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := running(t, patient(8))
	for name, test := range map[string]struct {
		kind  websocket.MessageType
		bytes []byte
		times int
		want  websocket.StatusCode
	}{
		"too long":  {websocket.MessageBinary, make([]byte, 3), 1, websocket.StatusMessageTooBig},
		"endless":   {websocket.MessageBinary, make([]byte, 1<<20), 1, websocket.StatusMessageTooBig},
		"too short": {websocket.MessageBinary, make([]byte, 1), 1, websocket.StatusUnsupportedData},
		"text":      {websocket.MessageText, []byte("hi"), 1, websocket.StatusUnsupportedData},
		"too often": {websocket.MessageBinary, []byte{0, 0}, 100 * wishRate, websocket.StatusPolicyViolation},
	} {
		id := s.reserves(t, "").ID
		conn := s.connects(t, id)
		go func() {
			for range test.times {
				if conn.Write(context.Background(), test.kind, test.bytes) != nil {
					return
				}
			}
		}()
		require.Equal(t, test.want, closed(t, conn).Code, name)
		require.Eventually(t, func() bool {
			deadline, err := s.table.Deadline(id)
			return err == nil && !deadline.IsZero()
		}, longest, time.Millisecond, "%s: still ACTIVE, away", name)
	}
}

// A page that never reads is given up, and holds up nobody. The pipe between has no
// room for a single byte.
func TestDeafPeer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := inBubble(t, patient(2))
		deaf := s.held(t, "Ann")
		s.connects(t, deaf)
		began := time.Now()
		bob := s.connects(t, s.held(t, "Bob"))
		hears[greeting](t, bob)
		first := hears[frame](t, bob)
		for f := first; f.Tick < first.Tick+20; {
			f = hears[frame](t, bob)
		}
		require.LessOrEqual(t, time.Since(began), 22*tick, "all the frames, in time")
		for f := first; f.Players[0].Away == 0; {
			f = hears[frame](t, bob)
		}
		require.InDelta(t, patience, time.Since(began), float64(2*time.Second))
		deadline, err := s.table.Deadline(deaf)
		require.NoError(t, err)
		require.False(t, deadline.IsZero(), "the seat waits")
	})
}

// A page that reads, but never answers, is found out.
func TestSilentPeer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := inBubble(t, patient(2))
		id := s.held(t, "Ann")
		client, server := net.Pipe()
		s.players.(*pipes).conns <- server
		request := "GET /play HTTP/1.1\r\nHost: arena\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: usher, " + id + "\r\n\r\n"
		go func() { _, _ = io.WriteString(client, request) }()
		began := time.Now()
		_, _ = io.Copy(io.Discard, client) // until the server hangs up
		require.InDelta(t, 2*heartbeat, time.Since(began), float64(6*time.Second))
		client.Close()
		synctest.Wait()
		deadline, err := s.table.Deadline(id)
		require.NoError(t, err)
		require.False(t, deadline.IsZero(), "the seat waits")
	})
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	o := patient(3)
	o.grace = longest
	s, err := start(o, zerolog.Logger{})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	stopped := make(chan error, 1)
	go func() { stopped <- s.serve(ctx) }()
	ann, bob := s.reserves(t, "Ann"), s.reserves(t, "Bob")
	conn := s.connects(t, ann.ID)
	hears[greeting](t, conn)
	stop()
	for hears[frame](t, conn).Closing == 0 { // players are told
	}
	var refused refusal
	call(t, http.MethodPost, s.playURL()+"reserve", "", `{}`, &refused)
	require.Equal(t, "draining", refused.Reason)
	late := s.connects(t, bob.ID) // who holds a reservation gets in
	hears[greeting](t, late)
	for _, id := range []string{ann.ID, bob.ID} {
		require.Equal(t, http.StatusNoContent, call(t, http.MethodDelete, s.playURL()+"seat", id, "", nil).StatusCode)
	}
	require.NoError(t, <-stopped, "when all have left")
	_, err = s.table.Lookup(ann.ID)
	require.ErrorIs(t, err, session.ErrClosed)
}
