package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/slot"
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

// inBubble is running, for a synctest bubble: over pipes, with which time waits for
// no network. That the bubble can end shows that nothing goes on after serve.
func inBubble(t *testing.T, o options) *server {
	t.Helper()
	s, err := newServer(o, zerolog.Logger{}, newPipes(), newPipes())
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

// pipes is a listener whose connections are pipes.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p.conns <- server
	return client, nil
}

// held reserves without asking the lobby.
func (s *server) held(t *testing.T, name string) string {
	t.Helper()
	ps, err := s.table.Reserve(slot.Reservation{GameSessionID: gameSession, PlayerID: name, PlayerData: name})
	require.NoError(t, err)
	return ps.PlayerSessionID
}

func (s *server) playURL() string { return "http://" + s.players.Addr().String() + "/" }
func (s *server) opsURL() string  { return "http://" + s.operator.Addr().String() + "/ops" }

// client is a backend's, or an operator's; it goes straight, through no proxy.
func client(t *testing.T) *http.Client {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{}, Timeout: longest}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// reaching returns a client of a listener, be it of the network or of a bubble.
func reaching(t *testing.T, l net.Listener) *http.Client {
	t.Helper()
	c := client(t)
	if p, ok := l.(*pipes); ok {
		c.Transport = &http.Transport{DialContext: p.dial}
	}
	return c
}

// call sends a request and returns the answer; its body, if it is JSON, is read
// into v.
func call(t *testing.T, method, url, bearer, body string, v any) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	return do(t, r, v)
}

func do(t *testing.T, r *http.Request, v any) *http.Response {
	t.Helper()
	response, err := client(t).Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	if v != nil {
		require.NoError(t, json.Unmarshal(text, v), "%s", text)
	}
	return response
}

// reserves asks the lobby for a seat.
func (s *server) reserves(t *testing.T, name string) ticket {
	t.Helper()
	var got ticket
	r := call(t, http.MethodPost, s.playURL()+"reserve", "", `{"name":"`+name+`"}`, &got)
	require.Equal(t, http.StatusOK, r.StatusCode)
	return got
}

// connects comes through the gate as a browser does.
func (s *server) connects(t *testing.T, id string) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(s.playURL(), "http")+"play", &websocket.DialOptions{
		HTTPClient:   reaching(t, s.players),
		Subprotocols: []string{"usher", id},
	})
	require.NoError(t, err)
	t.Cleanup(func() { conn.CloseNow() })
	require.Equal(t, "usher", conn.Subprotocol())
	return conn
}

// hears returns the next message.
func hears[T any](t *testing.T, conn *websocket.Conn) (v T) {
	t.Helper()
	_, text, err := conn.Read(t.Context())
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &v))
	return v
}

// closed reads until the connection is closed, and returns why.
func closed(t *testing.T, conn *websocket.Conn) websocket.CloseError {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	for {
		if _, _, err := conn.Read(ctx); err != nil {
			var e websocket.CloseError
			require.ErrorAs(t, err, &e)
			return e
		}
	}
}
