package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

const (
	match = "match"

	// soon bounds what happens at once, on a machine that may stall.
	soon = 20 * time.Second

	// forever outlives every test.
	forever = time.Hour
)

// game is a server that is running, until stop or the end of the test.
type game struct {
	*server
	addr    net.Addr
	trusted *x509.CertPool
	stop    func()
}

// setup is what tests differ in. Zero means forever, and room for everybody.
type setup struct {
	slot.Config
	patience, silence time.Duration
	room              int
}

func start(t testing.TB, s setup) *game {
	t.Helper()
	table, err := slot.NewTable(s.Config)
	require.NoError(t, err)
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: match, MaximumPlayerSessionCount: 1000}))
	cert, trusted, err := selfSigned(time.Now())
	require.NoError(t, err)
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	orForever := func(d time.Duration) time.Duration {
		if d == 0 {
			return forever
		}
		return d
	}
	g := &game{server: newServer(table, orForever(s.patience), orForever(s.silence)), addr: socket.LocalAddr(), trusted: trusted}
	if s.room > 0 {
		g.room = s.room
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- g.serve(ctx, socket, cert) }()
	g.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-served)
		require.Empty(t, g.players)
		require.Empty(t, g.pending)
		require.NoError(t, table.Close())
	})
	t.Cleanup(g.stop)
	return g
}

func (g *game) reserve(t testing.TB, player string) (id string) {
	t.Helper()
	ps, err := g.table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: player})
	require.NoError(t, err)
	return ps.PlayerSessionID
}

// client returns one that has said nothing yet.
func (g *game) client(t testing.TB) *client {
	t.Helper()
	c, err := dial(within(t), g.addr, g.trusted)
	require.NoError(t, err)
	t.Cleanup(c.close)
	return c
}

// player returns one that has joined.
func (g *game) player(t testing.TB, id string) *client {
	t.Helper()
	c := g.client(t)
	_, err := c.join(id)
	require.NoError(t, err)
	return c
}

func (g *game) connected() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.players)
}

func (g *game) waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.pending)
}

func (g *game) dropped(id string) bool {
	deadline, err := g.table.Deadline(id)
	return err == nil && !deadline.IsZero()
}

func (g *game) lookup(t testing.TB, id string) session.PlayerSession {
	t.Helper()
	ps, err := g.table.Lookup(id)
	require.NoError(t, err)
	return ps
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	t.Cleanup(cancel)
	return ctx
}

func eventually(t testing.TB, happens func() bool, what string) {
	t.Helper()
	for end := time.Now().Add(soon); !happens(); time.Sleep(time.Millisecond) {
		require.True(t, time.Now().Before(end), what)
	}
}

// requireOver waits until the server closes the connection, with that reason.
func requireOver(t testing.TB, c *client, word string) {
	t.Helper()
	closed, err := c.over(within(t))
	require.NoError(t, err)
	require.Equal(t, &quic.ApplicationError{Remote: true, ErrorCode: codeOf(word), ErrorMessage: word}, closed)
}

func requireEcho(t testing.TB, c *client) {
	t.Helper()
	answer, err := c.ask("hello")
	require.NoError(t, err)
	require.Equal(t, "hello", answer)
}

func TestJoin(t *testing.T) {
	t.Parallel()
	g := start(t, setup{Config: slot.Config{ReconnectWindow: forever}})
	ann, bea := g.reserve(t, "ann"), g.reserve(t, "bea")
	a, b := g.client(t), g.client(t)
	welcome, err := b.join(bea)
	require.NoError(t, err)
	require.Equal(t, "welcome to seat 1", welcome)
	welcome, err = a.join(ann + "\r") // and the newline
	require.NoError(t, err)
	require.Equal(t, "welcome to seat 0", welcome)
	requireEcho(t, a)
	requireEcho(t, b)

	_, err = a.ask("quit")
	require.Error(t, err)
	requireOver(t, a, "released")
	require.Equal(t, session.StatusCompleted, g.lookup(t, ann).Status)
	requireEcho(t, b)
	eventually(t, func() bool { return g.connected() == 1 && g.waiting() == 0 }, "one is left")
}

// The id and what follows it arrive together.
func TestOnePacket(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	c := g.client(t)
	answer, err := c.join(g.reserve(t, "ann") + "\nhello")
	require.NoError(t, err)
	require.Equal(t, "welcome to seat 0", answer)
	answer, err = c.answers.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "hello\n", answer)
}

func TestRefused(t *testing.T) {
	t.Parallel()
	g := start(t, setup{Config: slot.Config{ReservationTimeout: time.Millisecond}})
	late := g.reserve(t, "late")
	eventually(t, func() bool { return g.lookup(t, late).Status == session.StatusTimedOut }, "too late")
	ps, err := g.table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "gone", Timeout: forever})
	require.NoError(t, err)
	_, err = g.table.Activate(ps.PlayerSessionID)
	require.NoError(t, err)
	require.NoError(t, g.door.RemovePlayerSession(ps.PlayerSessionID))
	for id, word := range map[string]string{late: "timed_out", ps.PlayerSessionID: "completed"} {
		c := g.client(t)
		_, err := c.join(id)
		require.Error(t, err)
		requireOver(t, c, word)
	}
	require.NoError(t, g.table.Close())
	c := g.client(t)
	_, err = c.join(late)
	require.Error(t, err)
	requireOver(t, c, "closed")
}

// A stranger cannot tell an unknown id from what is none.
func TestStrangersCannotTell(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	unknown := session.NewPlayerSessionID()
	for _, says := range []string{
		unknown + "\n",
		unknown[len("psess-"):] + "\n",
		"\n",
		strings.Repeat("\x00", 100) + "\n",
		"psess-\xff\n",
		unknown + " " + unknown + "\n",
		strings.Repeat("x", maxLine+1) + "\n",
		strings.Repeat("x", 1<<20),
		"GET / HTTP/1.1\r\n\r\n",
		unknown[:20], // and then the end of the stream
	} {
		c := g.client(t)
		_, _ = io.WriteString(c.stream, says) // fails once the server has had enough
		c.stream.Close()
		requireOver(t, c, "not_found")
	}
	require.Zero(t, g.connected())
	require.Zero(t, g.table.Stats().AcceptedTotal)
}

// An id without the end of its line is none, even if it happens to be whole.
func TestResetInTheLine(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	ann := g.reserve(t, "ann")
	for i := range 20 {
		c := g.client(t)
		_, err := io.WriteString(c.stream, ann)
		require.NoError(t, err)
		time.Sleep(time.Duration(i) * time.Millisecond) // before the server has read it, and after
		c.stream.CancelWrite(0)
		requireOver(t, c, "not_found")
	}
	require.Zero(t, g.table.Stats().AcceptedTotal)
}

func TestReplay(t *testing.T) {
	t.Parallel()
	g := start(t, setup{Config: slot.Config{ReconnectWindow: forever}})
	ann := g.reserve(t, "ann")
	c := g.player(t, ann)
	for range 3 {
		again := g.client(t)
		_, err := again.join(ann)
		require.Error(t, err)
		requireOver(t, again, "already_active")
	}
	requireEcho(t, c)
	require.EqualValues(t, 1, g.table.Stats().AcceptedTotal)
	require.Equal(t, 1, g.connected())
}

func TestSaysNothing(t *testing.T) {
	t.Parallel()
	g := start(t, setup{patience: 500 * time.Millisecond})
	ann := g.reserve(t, "ann")
	for _, says := range []string{"", ann[:10], ann} { // and no newline
		c := g.client(t)
		_, err := io.WriteString(c.stream, says)
		require.NoError(t, err)
		requireOver(t, c, wordHandshakeTimeout)
	}
	require.Zero(t, g.table.Stats().AcceptedTotal)
}

// Many who say nothing do not keep out who says the id at once.
func TestOldestMakesRoom(t *testing.T) {
	t.Parallel()
	g := start(t, setup{room: 3})
	var idle []*client
	for range 3 {
		idle = append(idle, g.client(t))
		eventually(t, func() bool { return g.waiting() == len(idle) }, "it waits")
	}
	c := g.player(t, g.reserve(t, "ann"))
	requireOver(t, idle[0], wordHandshakeTimeout)
	for _, other := range idle[1:] {
		require.NoError(t, other.conn.Context().Err())
	}
	eventually(t, func() bool { return g.waiting() == 2 }, "the player waits no more")
	requireEcho(t, c)
}

func TestKilled(t *testing.T) {
	t.Parallel()
	g := start(t, setup{Config: slot.Config{ReconnectWindow: forever}, silence: 5 * time.Second})
	ann, bea := g.reserve(t, "ann"), g.reserve(t, "bea")
	c, quiet := g.player(t, ann), g.player(t, bea)
	began := time.Now()
	c.kill()
	eventually(t, func() bool { return g.dropped(ann) }, "dropped")
	t.Logf("dropped %s after the kill", time.Since(began).Round(time.Millisecond))

	c = g.player(t, ann)
	require.EqualValues(t, 2, g.lookup(t, ann).Generation)
	requireEcho(t, c)
	requireEcho(t, quiet) // who is quiet but there is not dropped
	require.EqualValues(t, 1, g.lookup(t, bea).Generation)
}

func TestGoodBye(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*client){
		"the connection": (*client).close,
		"the stream":     func(c *client) { c.stream.Close() },
		"a reset":        func(c *client) { c.stream.CancelWrite(0) },
		"a long line":    func(c *client) { _, _ = io.WriteString(c.stream, strings.Repeat("x", maxLine+1)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, setup{Config: slot.Config{ReconnectWindow: forever}})
			ann := g.reserve(t, "ann")
			for generation := uint32(1); generation <= 3; generation++ {
				c := g.player(t, ann)
				require.Equal(t, generation, g.lookup(t, ann).Generation)
				leave(c)
				eventually(t, func() bool { return g.dropped(ann) }, "dropped at once")
				closed, err := c.over(within(t))
				require.NoError(t, err, "the connection goes, too")
				require.True(t, !closed.Remote || closed.ErrorMessage == "dropped", closed)
			}
			eventually(t, func() bool { return g.connected() == 0 }, "forgotten")
		})
	}
}

func TestWindowOver(t *testing.T) {
	t.Parallel()
	for _, window := range []time.Duration{0, 20 * time.Millisecond} {
		g := start(t, setup{Config: slot.Config{ReconnectWindow: window}})
		ann := g.reserve(t, "ann")
		g.player(t, ann).close()
		eventually(t, func() bool { return g.lookup(t, ann).Status == session.StatusCompleted }, "the seat is free")
		c := g.client(t)
		_, err := c.join(ann)
		require.Error(t, err)
		requireOver(t, c, "completed")
	}
}

func TestEndedElsewhere(t *testing.T) {
	t.Parallel()
	for want, end := range map[string]func(*game, session.PlayerSession) error{
		"released":    func(g *game, ps session.PlayerSession) error { return g.door.RemovePlayerSession(ps.PlayerSessionID) },
		"terminated":  func(g *game, _ session.PlayerSession) error { return g.table.TerminateGameSession(match) },
		"window_over": func(g *game, ps session.PlayerSession) error { return g.table.Disconnect(ps.PlayerSessionID, 1) },
		"returned": func(g *game, ps session.PlayerSession) error {
			_, err := g.table.TakeOver(ps.PlayerSessionID)
			return err
		},
		"replaced": func(g *game, ps session.PlayerSession) error {
			_, err := g.table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: ps.PlayerID})
			return err
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			g := start(t, setup{Config: slot.Config{DuplicatePlayers: slot.DuplicatesReplace}})
			var delays []time.Duration
			for i := range 10 {
				if want == "terminated" && i > 0 {
					break
				}
				id := g.reserve(t, fmt.Sprint("player ", i))
				c := g.player(t, id)
				ps := g.lookup(t, id)
				began := time.Now()
				require.NoError(t, end(g, ps))
				requireOver(t, c, want)
				delays = append(delays, time.Since(began))
			}
			t.Logf("told after %v", delays)
			require.Less(t, slices.Min(delays), 100*time.Millisecond) // a stalled machine delays some
			eventually(t, func() bool { return g.connected() == 0 }, "forgotten")
		})
	}
}

// Taken over elsewhere, the session stays with whoever has it now.
func TestTakenOverIsNotDropped(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	ann := g.reserve(t, "ann")
	c := g.player(t, ann)
	_, err := g.table.TakeOver(ann)
	require.NoError(t, err)
	requireOver(t, c, "returned")
	eventually(t, func() bool { return g.connected() == 0 }, "forgotten")
	ps := g.lookup(t, ann)
	require.Equal(t, session.StatusActive, ps.Status)
	require.EqualValues(t, 2, ps.Generation)
	require.False(t, g.dropped(ann))
}

// Disconnected by somebody else, and then back before the server may know of it.
func TestReturnBeforeTheEvent(t *testing.T) {
	t.Parallel()
	g := start(t, setup{Config: slot.Config{ReconnectWindow: forever}})
	ann := g.reserve(t, "ann")
	var clients []*client
	for range 30 {
		clients = append(clients, g.client(t))
	}
	var former *player
	for i, c := range clients {
		p, err := g.accept(c.conn, ann) // the client's end serves as well, and there is no network between
		require.NoError(t, err)
		require.EqualValues(t, i+1, p.Generation)
		if former != nil {
			g.drop(former) // which comes late, and changes nothing
		}
		g.mu.Lock()
		now := g.players[ann]
		g.mu.Unlock()
		require.Same(t, p, now)
		require.NoError(t, g.table.Disconnect(ann, p.Generation))
		former = p
	}
	for _, c := range clients {
		select {
		case <-c.conn.Context().Done():
		case <-within(t).Done():
			require.Fail(t, "a connection that was replaced is still open")
		}
	}
	g.mu.Lock()
	clear(g.players)
	g.mu.Unlock()
}

// Sessions end while their players join: no player stays without a session.
func TestEndsWhileJoining(t *testing.T) {
	t.Parallel()
	g := start(t, setup{Config: slot.Config{ReconnectWindow: forever}})
	defer g.table.Subscribe(func(e session.Event) {
		if e.Cause == session.CauseAccepted {
			_, _ = g.table.Release(e.PlayerSession.PlayerSessionID)
		}
	})()
	var players sync.WaitGroup
	for i := range 4 {
		players.Go(func() {
			for j := range 25 {
				ps, err := g.table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: fmt.Sprint(i, j)})
				if err != nil {
					t.Error(err)
					return
				}
				c, err := dial(within(t), g.addr, g.trusted)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = c.join(ps.PlayerSessionID)
				if closed, err := c.over(within(t)); err != nil || closed.ErrorMessage != "released" {
					t.Error(closed, err)
				}
				c.close()
			}
		})
	}
	players.Wait()
	eventually(t, func() bool { return g.connected() == 0 && g.table.Stats().Active == 0 }, "nobody is left")
	require.EqualValues(t, 100, g.table.Stats().AcceptedTotal)
}

func TestStop(t *testing.T) {
	t.Parallel()
	g := start(t, setup{Config: slot.Config{ReconnectWindow: forever}})
	ann := g.reserve(t, "ann")
	c, silent := g.player(t, ann), g.client(t)
	eventually(t, func() bool { return g.waiting() == 1 }, "who has said nothing waits")
	var causes []session.Cause
	g.table.Subscribe(func(e session.Event) { causes = append(causes, e.Cause) })
	g.stop() // which closes the table, too: all events have been handled
	require.Equal(t, []session.Cause{session.CauseDropped}, causes)
	requireOver(t, c, wordClosed)
	requireOver(t, silent, wordClosed)
}

// The server's first answer is a Retry: until it is answered from the address it
// went to, nothing is remembered and little is sent.
func TestAddressIsValidated(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	outside, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	inside, err := net.DialUDP("udp", nil, g.addr.(*net.UDPAddr))
	require.NoError(t, err)
	t.Cleanup(func() {
		outside.Close()
		inside.Close()
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dialled := make(chan struct{})
	go func() {
		defer close(dialled)
		_, err := dial(ctx, outside.LocalAddr(), g.trusted)
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}()
	request, answer := make([]byte, 1<<16), make([]byte, 1<<16)
	n, err := outside.Read(request)
	require.NoError(t, err)
	_, err = inside.Write(request[:n])
	require.NoError(t, err)
	require.NoError(t, inside.SetReadDeadline(time.Now().Add(soon)))
	m, err := inside.Read(answer)
	require.NoError(t, err)
	const longHeader, retry = 0x80, 0x30 // RFC 9000, 17.2.5
	require.EqualValues(t, longHeader|retry, answer[0]&(longHeader|retry))
	require.Less(t, m, n)
	cancel()
	<-dialled
}

func TestOtherProtocol(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	_, err := quic.DialAddr(within(t), g.addr.String(), &tls.Config{
		RootCAs: g.trusted, ServerName: serverName, NextProtos: []string{"h3"}, MinVersion: tls.VersionTLS13,
	}, nil)
	var refused *quic.TransportError
	require.ErrorAs(t, err, &refused)
	const noApplicationProtocol = 120 // the TLS alert
	require.EqualValues(t, 0x100+noApplicationProtocol, refused.ErrorCode)
}

func TestGarbage(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	g := start(t, setup{Config: slot.Config{Logger: zerolog.New(zerolog.SyncWriter(&log))}})
	ann, bea := g.reserve(t, "ann"), g.reserve(t, "bea")
	talks := g.player(t, bea)
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 65_507) // the longest datagram there is
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	var flood sync.WaitGroup
	flood.Go(func() {
		conn, err := net.DialUDP("udp", nil, g.addr.(*net.UDPAddr))
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		for i := range 10_000 {
			at, n := random.IntN(len(noise)), random.IntN(1500)
			if i%100 == 0 {
				at, n = 0, len(noise)
			}
			conn.Write(noise[at:min(at+n, len(noise))])
		}
	})
	began := time.Now()
	c := g.player(t, ann)
	t.Logf("in after %s", time.Since(began).Round(time.Microsecond))
	flood.Wait()
	for i := range 50 {
		stranger := g.client(t)
		_, _ = stranger.stream.Write(noise[i*1000 : (i+1)*1000])
		stranger.stream.Close()
		requireOver(t, stranger, "not_found")
	}
	requireEcho(t, c)
	requireEcho(t, talks)
	require.EqualValues(t, 2, g.table.Stats().AcceptedTotal)
	require.Equal(t, 2, g.connected())

	again := g.client(t)
	_, err := again.join(ann)
	require.Error(t, err)
	g.stop()
	require.Contains(t, log.String(), session.Redact(ann))
	for _, id := range []string{ann, bea} {
		require.NotContains(t, log.String(), strings.TrimPrefix(id, "psess-"))
	}
}

// It runs by itself, as all tests that are not parallel do.
func TestNothingIsLeftBehind(t *testing.T) { //nolint:paralleltest // counts goroutines
	before := runtime.NumGoroutine()
	g := start(t, setup{Config: slot.Config{ReconnectWindow: 10 * time.Millisecond}, patience: 3 * time.Second, silence: 3 * time.Second})
	var players sync.WaitGroup
	for i := range 30 {
		id := g.reserve(t, fmt.Sprint("player ", i))
		players.Go(func() {
			c, err := dial(within(t), g.addr, g.trusted)
			if err != nil {
				t.Error(err)
				return
			}
			if i%5 != 4 { // the others say nothing
				if _, err := c.join(id); err != nil {
					t.Error(err)
				}
			}
			switch i % 5 {
			case 0:
				_, _ = c.ask("quit")
				c.close()
			case 1:
				c.close()
			case 2, 4:
				c.kill()
			default:
				_ = g.door.RemovePlayerSession(id)
				if _, err := c.over(within(t)); err != nil {
					t.Error(err)
				}
				c.close()
			}
		})
	}
	players.Wait()
	eventually(t, func() bool {
		return g.table.Stats().Active == 0 && g.connected() == 0 && g.waiting() == 0
	}, "all have left or were dropped")
	require.NoError(t, g.table.TerminateGameSession(match)) // for the reservations of those who said nothing
	gs, err := g.table.GameSession(match)
	require.NoError(t, err)
	require.Zero(t, gs.CurrentPlayerSessionCount)
	require.EqualValues(t, 24, g.table.Stats().CompletedTotal)
	g.stop()
	eventually(t, func() bool { return runtime.NumGoroutine() <= before }, "goroutines are left")
}
