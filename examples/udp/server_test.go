package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

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

// game is a server that runs until stop, and its table, which is there until the end
// of the test.
type game struct {
	*server
	addr netip.AddrPort
	stop func()
}

func start(t testing.TB, silence time.Duration, c slot.Config) *game {
	t.Helper()
	table, err := slot.NewTable(c)
	require.NoError(t, err)
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: match, MaximumPlayerSessionCount: 2000}))
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	g := &game{server: newServer(conn, table, silence), addr: netip.MustParseAddrPort(conn.LocalAddr().String())}

	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		g.serve(ctx)
	}()
	g.stop = func() {
		cancel()
		<-served
	}
	t.Cleanup(func() {
		g.stop()
		require.Empty(t, g.byAddr)
		require.Empty(t, g.byID)
		require.NoError(t, table.Close())
	})
	return g
}

func (g *game) reserve(t testing.TB, player string) (id string) {
	t.Helper()
	ps, err := g.table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: player})
	require.NoError(t, err)
	return ps.PlayerSessionID
}

// client returns one that has not joined.
func (g *game) client(t testing.TB) *client {
	t.Helper()
	c, err := dial(g.addr)
	require.NoError(t, err)
	t.Cleanup(c.close)
	return c
}

// player returns one that has.
func (g *game) player(t testing.TB, id string) *client {
	t.Helper()
	c := g.client(t)
	require.NoError(t, c.join(within(t), id))
	return c
}

func (g *game) peers() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.byAddr)
}

func (g *game) dropped(id string) bool {
	deadline, err := g.table.Deadline(id)
	return err == nil && !deadline.IsZero()
}

func (g *game) status(t testing.TB, id string) session.Status {
	t.Helper()
	ps, err := g.table.Lookup(id)
	require.NoError(t, err)
	return ps.Status
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

// ask sends one packet and returns its answer, behind those that came late to
// something else. On loopback none is lost unless a buffer is full.
func (c *client) ask(t testing.TB, p packet) packet {
	t.Helper()
	c.send(p)
	if p.kind == join {
		return c.hear(t, challenge, welcome, refused)
	}
	return c.hear(t, data, ended)
}

// hear returns the next packet of these kinds.
func (c *client) hear(t testing.TB, kinds ...kind) packet {
	t.Helper()
	for {
		p, ok := c.receive(soon)
		require.True(t, ok, "nothing comes")
		if slices.Contains(kinds, p.kind) {
			return p
		}
	}
}

// challenged returns the cookie for c and id.
func (c *client) challenged(t testing.TB, id string) key {
	t.Helper()
	p := c.ask(t, packet{kind: join, body: []byte(id)})
	require.Equal(t, challenge, p.kind)
	return p.key
}

func requireRefused(t testing.TB, err error, reason string) {
	t.Helper()
	var r *refusedError
	require.ErrorAs(t, err, &r)
	require.Equal(t, reason, r.reason)
}

func TestJoin(t *testing.T) {
	t.Parallel()
	g := start(t, forever, slot.Config{})
	ann, bea := g.reserve(t, "ann"), g.reserve(t, "bea")
	b, a := g.player(t, bea), g.player(t, ann)
	require.Equal(t, []int{0, 1}, []int{a.seat, b.seat})
	require.Equal(t, uint32(1), a.generation)
	require.NotEqual(t, a.token, b.token)
	require.NoError(t, a.echo(within(t), "hello"))
	require.NoError(t, b.echo(within(t), string(make([]byte, maxPacket-header))))
	require.Equal(t, 2, g.table.Stats().Active)

	require.NoError(t, a.leave(within(t)))
	require.Equal(t, session.StatusCompleted, g.status(t, ann))
	require.NoError(t, a.leave(within(t)), "again, as if the answer were lost")
	require.Equal(t, 1, g.peers())
	require.NoError(t, b.echo(within(t), "still here"))
	requireRefused(t, a.join(within(t), ann), "completed")
}

func TestSpoofedJoinAdmitsNobody(t *testing.T) {
	t.Parallel()
	g := start(t, forever, slot.Config{})
	ann, bea := g.reserve(t, "ann"), g.reserve(t, "bea")
	owner, stranger := g.client(t), g.client(t)
	cookie := owner.challenged(t, ann)

	local := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2), Port: int(owner.addr().Port())}
	conn, err := net.DialUDP("udp", local, net.UDPAddrFromAddrPort(g.addr))
	require.NoError(t, err)
	elsewhere := &client{conn: conn}
	t.Cleanup(elsewhere.close)

	for name, c := range map[string]struct {
		from   *client
		cookie key
		id     string
	}{
		"no cookie":                             {stranger, key{}, ann},
		"an invented cookie":                    {stranger, newToken(), ann},
		"the cookie of another port":            {stranger, cookie, ann},
		"the cookie of another IP address":      {elsewhere, cookie, ann},
		"the cookie of another id":              {owner, cookie, bea},
		"the cookie of one's own for that id":   {stranger, stranger.challenged(t, bea), ann},
		"the cookie of another server's secret": {owner, newCookies(time.Now(), forever).bake(owner.addr(), ann, time.Now()), ann},
	} {
		p := c.from.ask(t, packet{kind: join, key: c.cookie, body: []byte(c.id)})
		require.Equal(t, challenge, p.kind, name)
		require.NotEqual(t, c.cookie, p.key, name)
	}
	require.Zero(t, g.table.Stats().AcceptedTotal)
	require.Zero(t, g.peers(), "nothing is remembered")

	p := owner.ask(t, packet{kind: join, key: cookie, body: []byte(ann)})
	require.Equal(t, welcome, p.kind, "its owner gets in with it")
}

func TestOldCookieAdmitsNobody(t *testing.T) {
	t.Parallel()
	g := start(t, 200*time.Millisecond, slot.Config{})
	ann := g.reserve(t, "ann")
	c := g.client(t)
	cookie := c.challenged(t, ann)
	eventually(t, func() bool { return !g.cookies.valid(cookie, c.addr(), ann, time.Now()) }, "it grows old")
	p := c.ask(t, packet{kind: join, key: cookie, body: []byte(ann)})
	require.Equal(t, challenge, p.kind)
	require.NotEqual(t, cookie, p.key)
	require.Zero(t, g.table.Stats().AcceptedTotal)
	require.NoError(t, c.join(within(t), ann), "the new one is good")
}

// Whoever has recorded a join cannot send it in place of a player who was dropped.
func TestRecordedJoinAdmitsNobody(t *testing.T) {
	t.Parallel()
	g := start(t, 200*time.Millisecond, slot.Config{ReconnectWindow: forever})
	ann := g.reserve(t, "ann")
	c := g.client(t)
	var recorded packet
	for answer := (packet{}); answer.kind != welcome; {
		if recorded.kind == join && recorded.key != (key{}) {
			answer = c.ask(t, recorded)
		}
		if answer.kind != welcome {
			recorded = packet{kind: join, key: c.challenged(t, ann), body: []byte(ann)}
		}
	}
	eventually(t, func() bool { return g.dropped(ann) }, "silent")
	require.Equal(t, challenge, c.ask(t, recorded).kind)
	require.True(t, g.dropped(ann), "the seat still waits")
	require.NoError(t, c.join(within(t), ann))
	require.Equal(t, uint32(2), c.generation, "the player himself returns")
}

func TestRetransmission(t *testing.T) {
	t.Parallel()
	g := start(t, forever, slot.Config{})
	ann := g.reserve(t, "ann")
	c := g.client(t)
	cookie := c.challenged(t, ann)
	for range 3 {
		require.Equal(t, cookie, c.challenged(t, ann), "before the accept")
	}
	require.Zero(t, g.peers())

	c.send(packet{kind: join, key: cookie, body: []byte(ann)})
	first := c.hear(t, welcome)
	for range 3 {
		require.Equal(t, first, c.ask(t, packet{kind: join, key: cookie, body: []byte(ann)}), "after it")
	}
	require.NoError(t, c.join(within(t), ann), "from the beginning, by a client that has forgotten")
	token, _, _ := first.welcomed()
	require.Equal(t, token, c.token)
	require.Equal(t, uint32(1), c.generation)
	require.EqualValues(t, 1, g.table.Stats().AcceptedTotal)
	require.Empty(t, g.table.Stats().Refused)
	require.Equal(t, 1, g.peers())
}

// Every second datagram, either way, is lost.
func TestLostDatagrams(t *testing.T) {
	t.Parallel()
	g := start(t, forever, slot.Config{})
	ann := g.reserve(t, "ann")
	c, err := dial(lossy(t, g.addr))
	require.NoError(t, err)
	t.Cleanup(c.close)
	require.NoError(t, c.join(within(t), ann))
	require.NoError(t, c.echo(within(t), "hello"))
	require.NoError(t, c.leave(within(t)))
	require.Equal(t, session.StatusCompleted, g.status(t, ann))
	require.EqualValues(t, 1, g.table.Stats().AcceptedTotal)
	require.Empty(t, g.table.Stats().Refused)
}

// lossy forwards every second datagram between one client and a server.
func lossy(t testing.TB, server netip.AddrPort) netip.AddrPort {
	t.Helper()
	inside, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
	require.NoError(t, err)
	outside, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	known := make(chan struct{})
	var client netip.AddrPort
	var running sync.WaitGroup
	running.Go(func() {
		buf := make([]byte, maxPacket)
		for i := 0; ; i++ {
			n, from, err := outside.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			if i == 0 {
				client = from
				close(known)
			}
			if i%2 == 1 {
				inside.Write(buf[:n])
			}
		}
	})
	running.Go(func() {
		buf := make([]byte, maxPacket)
		for i := 0; ; i++ {
			n, err := inside.Read(buf)
			if err != nil {
				return
			}
			<-known
			if i%2 == 1 {
				outside.WriteToUDPAddrPort(buf[:n], client)
			}
		}
	})
	t.Cleanup(func() {
		inside.Close()
		outside.Close()
		running.Wait()
	})
	return netip.MustParseAddrPort(outside.LocalAddr().String())
}

func TestSameIDFromAnotherAddress(t *testing.T) {
	t.Parallel()
	g := start(t, forever, slot.Config{ReconnectWindow: forever})
	ann := g.reserve(t, "ann")
	c := g.player(t, ann)
	requireRefused(t, g.client(t).join(within(t), ann), "already_active")
	require.NoError(t, c.echo(within(t), "still here"))
	require.Equal(t, 1, g.peers())
}

// What is longer than a packet is not cut and taken for one.
func TestGiant(t *testing.T) {
	t.Parallel()
	g := start(t, forever, slot.Config{})
	c := g.player(t, g.reserve(t, "ann"))
	for _, n := range []int{maxPacket + 1, 2 * maxPacket, 65_000} {
		c.send(packet{kind: data, key: c.token, body: make([]byte, n-header)})
	}
	p := c.ask(t, packet{kind: data, key: c.token, body: []byte("hello")})
	require.Equal(t, "hello", string(p.body), "the only answer")
}

// A packet with a player's address and the wrong token is nobody's, and one with
// his token from elsewhere neither.
func TestTokens(t *testing.T) {
	t.Parallel()
	g := start(t, forever, slot.Config{})
	ann := g.reserve(t, "ann")
	c, stranger := g.player(t, ann), g.client(t)
	for _, k := range []kind{data, leave} {
		guess := newToken()
		require.Equal(t, packet{kind: ended, key: guess, body: []byte{}}, c.ask(t, packet{kind: k, key: guess}))
		require.Equal(t, packet{kind: ended, key: c.token, body: []byte{}}, stranger.ask(t, packet{kind: k, key: c.token}))
	}
	require.Equal(t, session.StatusActive, g.status(t, ann))
	require.NoError(t, c.echo(within(t), "still here"))
}

func TestSilence(t *testing.T) {
	t.Parallel()
	g := start(t, 2*time.Second, slot.Config{ReconnectWindow: forever})
	ann, bea := g.reserve(t, "ann"), g.reserve(t, "bea")
	first, other := g.player(t, ann), g.player(t, bea)
	talking, stop := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() {
		_, err := other.play(talking)
		over <- err
	}()
	began := time.Now()
	eventually(t, func() bool { return g.dropped(ann) }, "who is silent is dropped")
	t.Logf("dropped %s after the join", time.Since(began).Round(time.Millisecond))

	second := g.player(t, ann)
	require.Equal(t, uint32(2), second.generation)
	require.Equal(t, first.seat, second.seat)
	require.NotEqual(t, first.token, second.token)
	require.NotEqual(t, first.addr(), second.addr())
	p := first.hear(t, ended)
	require.Equal(t, packet{kind: ended, key: first.token, body: []byte("dropped")}, p, "the first was told")
	require.Equal(t, ended, first.ask(t, packet{kind: data, key: first.token}).kind)
	require.NoError(t, second.echo(within(t), "here again"), "the first did not disturb the second")
	stop()
	require.ErrorIs(t, <-over, errSilenced, "who talks is not dropped")
}

func TestWindowOver(t *testing.T) {
	t.Parallel()
	for _, window := range []time.Duration{0, 20 * time.Millisecond} {
		g := start(t, 200*time.Millisecond, slot.Config{ReconnectWindow: window})
		ann := g.reserve(t, "ann")
		g.player(t, ann)
		eventually(t, func() bool { return g.status(t, ann) == session.StatusCompleted }, "the seat is free")
		requireRefused(t, g.client(t).join(within(t), ann), "completed")
		require.Zero(t, g.peers())
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
			g := start(t, forever, slot.Config{DuplicatePlayers: slot.DuplicatesReplace})
			var delays []time.Duration
			for i := range 10 {
				if want == "terminated" && i > 0 {
					break
				}
				id := g.reserve(t, fmt.Sprint("player ", i))
				c := g.player(t, id)
				ps, err := g.table.Lookup(id)
				require.NoError(t, err)

				began := time.Now()
				require.NoError(t, end(g, ps))
				p := c.hear(t, ended)
				delays = append(delays, time.Since(began))
				require.Equal(t, packet{kind: ended, key: c.token, body: []byte(want)}, p)
				require.Equal(t, packet{kind: ended, key: c.token, body: []byte{}}, c.ask(t, packet{kind: data, key: c.token}), "forgotten")
			}
			t.Logf("told after %v", delays)
			require.Less(t, slices.Min(delays), 100*time.Millisecond) // a stalled machine delays some
			require.Zero(t, g.peers())
		})
	}
}

// Disconnected by somebody else, and then back before the server hears of it.
func TestReturnBeforeTheEvent(t *testing.T) {
	t.Parallel()
	g := start(t, forever, slot.Config{ReconnectWindow: forever})
	ann := g.reserve(t, "ann")
	first, second := g.player(t, ann), g.client(t)
	cookie := second.challenged(t, ann)

	g.mu.Lock() // events wait
	err := g.table.Disconnect(ann, 1)
	g.join(second.addr(), cookie, ann)
	g.mu.Unlock()
	require.NoError(t, err)

	p := first.hear(t, ended)
	require.Equal(t, packet{kind: ended, key: first.token, body: []byte("returned")}, p)
	require.NoError(t, second.join(within(t), ann), "the same answer")
	require.Equal(t, uint32(2), second.generation)
	require.NoError(t, second.echo(within(t), "hello"))
	require.Equal(t, 1, g.peers())
}

func TestAnotherPlayerAtTheSameAddress(t *testing.T) {
	t.Parallel()
	g := start(t, forever, slot.Config{ReconnectWindow: forever})
	ann, bea := g.reserve(t, "ann"), g.reserve(t, "bea")
	c := g.player(t, ann)
	requireRefused(t, c.join(within(t), session.NewPlayerSessionID()), "not_found")
	require.NoError(t, c.echo(within(t), "still here"), "a refusal changes nothing")

	require.NoError(t, c.join(within(t), bea))
	require.True(t, g.dropped(ann))
	require.NoError(t, c.echo(within(t), "as bea"))
	require.Equal(t, 1, g.peers())
}

func TestStrangersCannotTell(t *testing.T) {
	t.Parallel()
	g := start(t, forever, slot.Config{})
	unknown := session.NewPlayerSessionID()
	for _, id := range []string{unknown, unknown[1:], "hello", "psess-\x00", "psess-\xff", " "} {
		c := g.client(t)
		cookie := c.challenged(t, id)
		p := c.ask(t, packet{kind: join, key: cookie, body: []byte(id)})
		require.Equal(t, packet{kind: refused, key: cookie, body: []byte("not_found")}, p, "%q", id)
	}
	require.Zero(t, g.peers())
}

func TestTableClosed(t *testing.T) {
	t.Parallel()
	g := start(t, forever, slot.Config{})
	ann := g.reserve(t, "ann")
	require.NoError(t, g.table.Close())
	requireRefused(t, g.client(t).join(within(t), ann), "closed")
	require.Zero(t, g.peers())
}

func TestStop(t *testing.T) {
	t.Parallel()
	g := start(t, forever, slot.Config{ReconnectWindow: forever})
	ann, bea := g.reserve(t, "ann"), g.reserve(t, "bea")
	c := g.player(t, ann)
	var causes []session.Cause
	g.table.Subscribe(func(e session.Event) { causes = append(causes, e.Cause) })
	g.stop()
	p := c.hear(t, ended)
	require.Equal(t, packet{kind: ended, key: c.token, body: []byte("dropped")}, p)

	g.handle(c.addr(), packet{kind: join, key: g.cookies.bake(c.addr(), bea, time.Now()), body: []byte(bea)})
	require.Equal(t, session.StatusReserved, g.status(t, bea), "a join that was under way comes too late")
	require.NoError(t, g.table.Close()) // all events have been handled
	require.Equal(t, []session.Cause{session.CauseDropped}, causes)
}

// A reply to whoever has not shown that the address is his is never longer than
// what he sent, so that nobody can aim the server at a victim.
func TestNoAmplification(t *testing.T) {
	t.Parallel()
	g := start(t, forever, slot.Config{})
	ann := g.reserve(t, "ann")
	c := g.client(t)
	answered := 0
	for k := range 256 {
		for _, size := range []int{0, 1, 2, 7, header - 1, header, header + 1, header + len(ann), header + 24, header + maxID, maxPacket, 1400} {
			request := append([]byte{byte(k)}, make([]byte, max(size-1, 0))...)
			if size == header+len(ann) {
				copy(request[header:], ann)
			}
			_, err := c.conn.Write(request[:size])
			require.NoError(t, err)
			_, err = c.conn.Write(packet{kind: leave, key: key{1}}.encode()) // which is answered in any case
			require.NoError(t, err)
			for {
				buf := make([]byte, 1<<16)
				require.NoError(t, c.conn.SetReadDeadline(time.Now().Add(soon)))
				n, err := c.conn.Read(buf)
				require.NoError(t, err)
				if p, _ := decode(buf[:n]); p.key == (key{1}) {
					break
				}
				answered++
				require.LessOrEqual(t, n, size, "%d bytes of %c", size, k)
			}
		}
	}
	require.Greater(t, answered, 3, "some of it was answered")
	require.Zero(t, g.table.Stats().AcceptedTotal)
}

func TestGarbage(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	g := start(t, forever, slot.Config{Logger: zerolog.New(zerolog.SyncWriter(&log))})
	ann, bea := g.reserve(t, "ann"), g.reserve(t, "bea")
	talks := g.player(t, bea)
	random := rand.New(rand.NewPCG(1, 2))
	var flood sync.WaitGroup
	flood.Go(func() {
		kinds, noise := []byte("JCWRDLE"), make([]byte, 65_507) // the longest datagram there is
		for i := range noise {
			noise[i] = byte(random.Uint32())
		}
		c := g.client(t)
		for i := range 10_000 {
			at, n := random.IntN(len(noise)), random.IntN(2*maxPacket)
			b := noise[at:min(at+n, len(noise))]
			switch {
			case i%100 == 0:
				b = noise
			case i%2 == 0 && len(b) > 0:
				b = append([]byte{kinds[random.IntN(len(kinds))]}, b[1:]...)
			}
			c.conn.Write(b)
		}
	})
	c := g.client(t)
	began := time.Now()
	require.NoError(t, c.join(within(t), ann), "a player gets in meanwhile")
	t.Logf("in after %s", time.Since(began).Round(time.Microsecond))
	flood.Wait()
	require.NoError(t, c.echo(within(t), "still here"))
	require.NoError(t, talks.echo(within(t), "still here"))
	require.EqualValues(t, 2, g.table.Stats().AcceptedTotal)
	require.Equal(t, 2, g.peers())

	requireRefused(t, g.client(t).join(within(t), ann), "already_active")
	g.stop()
	require.NoError(t, g.table.Close()) // it logs no more
	require.Contains(t, log.String(), session.Redact(ann))
	for _, id := range []string{ann, bea} {
		require.NotContains(t, log.String(), strings.TrimPrefix(id, "psess-"))
	}
}

// Sessions end while their players join: no peer stays behind without a session.
func TestEndsWhileJoining(t *testing.T) {
	t.Parallel()
	g := start(t, forever, slot.Config{ReconnectWindow: forever})
	defer g.table.Subscribe(func(e session.Event) {
		if e.Cause == session.CauseAccepted {
			_, _ = g.table.Release(e.PlayerSession.PlayerSessionID)
		}
	})()
	var players sync.WaitGroup
	for i := range 4 {
		players.Go(func() {
			c := g.client(t)
			for j := range 100 {
				ps, err := g.table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: fmt.Sprint(i, j)})
				if err != nil {
					t.Error(err)
					return
				}
				_ = c.join(within(t), ps.PlayerSessionID)
			}
		})
	}
	players.Wait()
	eventually(t, func() bool { return g.peers() == 0 && g.table.Stats().Active == 0 }, "nobody is left")
	leaked, ghosts, err := g.audit(match)
	require.NoError(t, err)
	require.Empty(t, leaked)
	require.Empty(t, ghosts)
}

// It runs by itself, as all tests that are not parallel do.
func TestNothingIsLeftBehind(t *testing.T) { //nolint:paralleltest // counts goroutines
	before := runtime.NumGoroutine()
	g := start(t, time.Second, slot.Config{ReconnectWindow: 10 * time.Millisecond})
	var players sync.WaitGroup
	for i := range 50 {
		id, c := g.reserve(t, fmt.Sprint("player ", i)), g.client(t)
		players.Go(func() {
			switch err := c.join(within(t), id); {
			case err != nil:
				t.Error(err)
			case i%2 == 0:
				_ = c.leave(within(t))
			}
		})
	}
	players.Wait()
	eventually(t, func() bool { return g.table.Stats().Active == 0 }, "all have left or were dropped")
	gs, err := g.table.GameSession(match)
	require.NoError(t, err)
	require.Zero(t, gs.CurrentPlayerSessionCount)
	require.EqualValues(t, 50, g.table.Stats().CompletedTotal)
	require.Zero(t, g.peers())
	g.stop()
	require.NoError(t, g.table.Close())
	eventually(t, func() bool { return runtime.NumGoroutine() <= before }, "goroutines are left")
}
