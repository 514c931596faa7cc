package validator_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// patience only bounds a hang.
const patience = 30 * time.Second

// gate is a listener on the loopback interface that is closed when the test ends.
func gate(t testing.TB, table *slot.Table, c validator.ListenerConfig) *validator.Listener {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return gateAt(t, table, inner, c)
}

func gateAt(t testing.TB, table *slot.Table, inner net.Listener, c validator.ListenerConfig) *validator.Listener {
	t.Helper()
	l := validator.New(table, validator.Config{}).NewListener(inner, c)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// dial connects to a gate, and hangs up when the test ends.
func dial(t testing.TB, l net.Listener) net.Conn {
	t.Helper()
	conn, err := net.Dial(l.Addr().Network(), l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	return conn
}

func send(t testing.TB, conn io.Writer, text string) {
	t.Helper()
	_, err := io.WriteString(conn, text)
	require.NoError(t, err)
}

// answer is all that a client is told before the connection is closed.
func answer(t testing.TB, conn net.Conn) string {
	t.Helper()
	text, err := io.ReadAll(conn)
	require.NoError(t, err)
	return string(text)
}

func accept(t testing.TB, l *validator.Listener) *validator.Conn {
	t.Helper()
	c, err := l.AcceptPlayer()
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func TestListener(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	l := gate(t, table, validator.ListenerConfig{})
	want := reserve(t, table, "alice")
	client := dial(t, l)
	send(t, client, want.PlayerSessionID+"\nhello\nworld\n")

	conn := accept(t, l)
	want.Status, want.Generation = session.StatusActive, 1
	require.Equal(t, want, conn.PlayerSession())
	require.Equal(t, client.LocalAddr(), conn.RemoteAddr())
	require.Equal(t, client.RemoteAddr(), conn.LocalAddr())
	lines := bufio.NewScanner(conn)
	require.True(t, lines.Scan())
	require.Equal(t, "hello", lines.Text())
	require.True(t, lines.Scan())
	require.Equal(t, "world", lines.Text())
	fmt.Fprintln(conn, "welcome")
	require.NoError(t, conn.End())
	require.Equal(t, "welcome\n", answer(t, client))
	ps, err := table.Lookup(want.PlayerSessionID)
	require.NoError(t, err)
	require.Equal(t, session.StatusCompleted, ps.Status)

	again := dial(t, l)
	send(t, again, want.PlayerSessionID+"\n")
	require.Equal(t, "refused completed\n", answer(t, again))
}

// eventually polls, since sockets have no bubble.
func eventually(t testing.TB, condition func() bool, what string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		require.True(t, time.Now().Before(deadline), what)
	}
}

// An id is what stands on its line, no more and no less.
func TestLines(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{ReservationTimeout: time.Hour})
	l := gate(t, table, validator.ListenerConfig{})
	for i, test := range []struct {
		name, before, after string
		id                  string // "": a random one
		admitted            bool
	}{
		{name: "LF", after: "\n", admitted: true},
		{name: "CRLF", after: "\r\n", admitted: true},
		{name: "the longest id", id: "psess-" + strings.Repeat("x", 122), after: "\r\n", admitted: true},
		{name: "an id of someone else's making", id: "psess-ü", after: "\n", admitted: true},
		{name: "two CR", after: "\r\r\n"},
		{name: "a space before", before: " ", after: "\n"},
		{name: "a space behind", after: " \n"},
		{name: "an empty line before", before: "\n", after: "\n"},
		{name: "a NUL behind", after: "\x00\n"},
		{name: "a byte order mark", before: "\ufeff", after: "\n"},
		{name: "too long by one", id: "psess-" + strings.Repeat("y", 122), after: "x\n"},
		{name: "too long by far", after: strings.Repeat(" ", 1000) + "\n"},
		{name: "the connection's end instead of the line's"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ps, err := table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: fmt.Sprint(i), PlayerSessionID: test.id})
			require.NoError(t, err)
			client := dial(t, l)
			send(t, client, test.before+ps.PlayerSessionID+test.after)
			require.NoError(t, client.(*net.TCPConn).CloseWrite())
			if test.admitted {
				require.NoError(t, accept(t, l).End())
				require.Empty(t, answer(t, client))
				return
			}
			require.Equal(t, "refused not_found\n", answer(t, client))
			requireStatus(t, session.StatusReserved, table, ps.PlayerSessionID)
			_, err = table.Release(ps.PlayerSessionID)
			require.NoError(t, err)
		})
	}
}

// However the line is cut into packets, and whatever follows, nothing is lost.
func TestPackets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, slot.Config{})
		l, inner := bubble(t, table, validator.ListenerConfig{})
		for size := 1; size < 60; size++ {
			id := reserve(t, table, "alice").PlayerSessionID
			sent := id + "\r\nhello\n"
			client := inner.dial(t)
			go func() {
				for packet := range slices.Chunk([]byte(sent), size) {
					_, _ = client.Write(packet)
				}
			}()
			conn := accept(t, l)
			line, err := bufio.NewReader(conn).ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "hello\n", line)
			require.NoError(t, conn.End())
		}
	})
}

// The owner of a real id is told the reason, and a stranger always the same.
func TestRefusals(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{DuplicatePlayers: slot.DuplicatesAllow})
	l := gate(t, table, validator.ListenerConfig{})
	told := func(line string) string {
		client := dial(t, l)
		send(t, client, line)
		return answer(t, client)
	}
	active, completed, timedOut := reserve(t, table, "alice").PlayerSessionID, reserve(t, table, "alice").PlayerSessionID, reserve(t, table, "alice").PlayerSessionID
	for _, id := range []string{active, completed} {
		_, err := table.Activate(id)
		require.NoError(t, err)
	}
	for _, id := range []string{completed, timedOut} {
		_, err := table.Release(id)
		require.NoError(t, err)
	}
	require.Equal(t, "refused already_active\n", told(active+"\n"))
	require.Equal(t, "refused completed\n", told(completed+"\n"))
	require.Equal(t, "refused timed_out\n", told(timedOut+"\n"))
	for _, line := range []string{
		session.NewPlayerSessionID() + "\n", "psess-other\n", "hello\n", "\n", "psess-\n", "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
		strings.Repeat("x", 32<<10), strings.Repeat("x", 136), // too long already, without a line's end
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", strings.Repeat("\x00", 200), "\xff\xfe\n",
	} {
		require.Equal(t, "refused not_found\n", told(line), "%.20q", line)
	}
	requireConnected(t, table, active)

	counted := map[string]uint64{"already_active": 1, "completed": 1, "timed_out": 1, "not_found": 2, "invalid_id": 9}
	require.Equal(t, counted, l.Stats().Refused)
	require.Equal(t, counted, table.Stats().Refused)
	require.NoError(t, table.Close())
	require.Equal(t, "refused closed\n", told(active+"\n"))
	require.Zero(t, l.Stats().Accepted)
}

func TestUnix(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	inner, err := net.Listen("unix", filepath.Join(t.TempDir(), "gate"))
	require.NoError(t, err)
	l := gateAt(t, table, inner, validator.ListenerConfig{MaxPendingPerAddress: 1})
	silent := dial(t, l) // not of the same address: they have none
	client := dial(t, l)
	send(t, client, reserve(t, table, "alice").PlayerSessionID+"\n")
	require.NoError(t, accept(t, l).Close())
	require.Empty(t, answer(t, client))
	send(t, silent, reserve(t, table, "bob").PlayerSessionID+"\n")
	accept(t, l)
}

func TestTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS() // for its certificate
	defer server.Close()
	table := newTable(t, slot.Config{})
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := gateAt(t, table, tls.NewListener(plain, server.TLS), validator.ListenerConfig{HandshakeTimeout: patience})
	trust := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	trust.ServerName = "example.com"

	id := reserve(t, table, "alice").PlayerSessionID
	client := tls.Client(dial(t, l), trust)
	send(t, client, id+"\nhello")
	conn := accept(t, l)
	hello := make([]byte, 5)
	_, err = io.ReadFull(conn, hello)
	require.NoError(t, err)
	require.Equal(t, "hello", string(hello))
	require.True(t, conn.NetConn().(*tls.Conn).ConnectionState().HandshakeComplete)

	again := tls.Client(dial(t, l), trust)
	send(t, again, id+"\n")
	require.Equal(t, "refused already_active\n", answer(t, again))

	// The peer reads nothing, and TLS cannot say goodbye: the Conn ends all the same.
	below := conn.NetConn().(*tls.Conn).NetConn()
	for _, size := range []int{64 << 20, 64 << 20, 1, 1} { // more than the kernel takes; it makes room once
		require.NoError(t, below.SetWriteDeadline(time.Now().Add(100*time.Millisecond)))
		_, _ = below.Write(make([]byte, size))
	}
	began := time.Now()
	_, err = table.Release(id)
	require.NoError(t, err)
	eventually(t, func() bool { return errors.Is(below.(*net.TCPConn).SetNoDelay(true), net.ErrClosed) }, "closed")
	require.Less(t, time.Since(began), 4*time.Second, "TLS would wait for 5 s")

	nonsense := dial(t, l) // a plain client on a TLS port
	send(t, nonsense, id+"\n")
	_, err = io.ReadAll(nonsense)
	require.NoError(t, err)
	nonsense = dial(t, l)
	require.NoError(t, nonsense.Close())
}

// tlsWithoutTickets configures both ends; the server writes nothing unasked.
func tlsWithoutTickets(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	web := httptest.NewUnstartedServer(nil)
	web.StartTLS() // for its certificate
	server, client = web.TLS.Clone(), web.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	web.Close()
	server.SessionTicketsDisabled = true
	client.ServerName = "example.com"
	return server, client
}

// A TLS client that does not read cannot be told goodbye: it is pushed out without.
func TestPushedOutOfTLS(t *testing.T) {
	t.Parallel()
	config, trust := tlsWithoutTickets(t)
	synctest.Test(t, func(t *testing.T) {
		table, inner := newTable(t, slot.Config{}), newPipes()
		l := gateAt(t, table, tls.NewListener(inner, config), validator.ListenerConfig{MaxPending: 1})
		began := time.Now()
		require.NoError(t, tls.Client(inner.dial(t), trust).Handshake())
		synctest.Wait()
		client := tls.Client(inner.dial(t), trust)
		send(t, client, reserve(t, table, "alice").PlayerSessionID+"\n")
		require.NoError(t, accept(t, l).NetConn().(*tls.Conn).NetConn().Close())
		require.Zero(t, time.Since(began), "nobody waits for it")
	})
}

// A TLS client whose player session ends is told goodbye, if it reads that within
// 50 ms.
func TestGoodbyeOfTLS(t *testing.T) {
	t.Parallel()
	config, trust := tlsWithoutTickets(t)
	for pause, told := range map[time.Duration]bool{49 * time.Millisecond: true, 51 * time.Millisecond: false} {
		synctest.Test(t, func(t *testing.T) {
			table, inner := newTable(t, slot.Config{}), newPipes()
			l := gateAt(t, table, tls.NewListener(inner, config), validator.ListenerConfig{})
			below := inner.dial(t)
			id := reserve(t, table, "alice").PlayerSessionID
			send(t, tls.Client(below, trust), id+"\n")
			accept(t, l)
			_, err := table.Release(id)
			require.NoError(t, err)
			time.Sleep(pause)
			require.Equal(t, told, answer(t, below) != "")
		})
	}
}

// Whoever is slow is told so when the time is up, not later, however many bytes it
// has sent by then.
func TestHandshakeTimeout(t *testing.T) {
	t.Parallel()
	for name, pause := range map[string]time.Duration{"silent": time.Hour, "a byte a second": time.Second, "just too slow": 119 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				table := newTable(t, slot.Config{})
				l, inner := bubble(t, table, validator.ListenerConfig{})
				id := reserve(t, table, "alice").PlayerSessionID
				began, client := time.Now(), inner.dial(t)
				go func() {
					for _, b := range []byte(id + "\n") {
						time.Sleep(pause)
						if _, err := client.Write([]byte{b}); err != nil {
							return
						}
					}
				}()
				require.Equal(t, "refused not_found\n", answer(t, client))
				require.Equal(t, 5*time.Second, time.Since(began))
				synctest.Wait()
				requireStatus(t, session.StatusReserved, table, id)
				require.Equal(t, validator.ListenerStats{HandshakeTimeouts: 1, Refused: map[string]uint64{}}, l.Stats())
				time.Sleep(pause) // the writer ends
			})
		})
	}
}

// The longest time there is is no time-out, not one that has passed already.
func TestHandshakeTimeoutOfNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, slot.Config{})
		l, inner := bubble(t, table, validator.ListenerConfig{HandshakeTimeout: math.MaxInt64})
		client := inner.dial(t)
		time.Sleep(time.Hour)
		id := reserve(t, table, "alice").PlayerSessionID
		go func() { _, _ = io.WriteString(client, id+"\n") }()
		require.NoError(t, accept(t, l).Close())
	})
}

// The time that is up is that of the handshake: the connection goes on without it.
func TestDeadlinesAreCleared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, slot.Config{})
		l, inner := bubble(t, table, validator.ListenerConfig{
			Admit: func(c net.Conn, _ session.PlayerSession) error { return c.SetDeadline(time.Now().Add(time.Second)) },
		})
		conn, client := join(t, l, inner, reserve(t, table, "alice").PlayerSessionID)
		time.AfterFunc(time.Hour, func() { _, _ = io.WriteString(client, "x") })
		_, err := conn.Read(make([]byte, 1))
		require.NoError(t, err)
	})
}

// readPart is a handshake that is not a line: a length, and as many bytes.
func readPart(c net.Conn) (string, error) {
	var length [1]byte
	if _, err := io.ReadFull(c, length[:]); err != nil {
		return "", err
	}
	id := make([]byte, length[0])
	_, err := io.ReadFull(c, id)
	return string(id), err
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	errBuild := errors.New("another build")
	l := gate(t, table, validator.ListenerConfig{Handshake: func(c net.Conn) (string, error) {
		id, err := readPart(c)
		if id == "old" {
			err = errBuild
		}
		return id, err
	}})
	id := reserve(t, table, "alice").PlayerSessionID
	client := dial(t, l)
	send(t, client, string(rune(len(id)))+id+"hello")
	hello := make([]byte, 5)
	_, err := io.ReadFull(accept(t, l), hello)
	require.NoError(t, err)
	require.Equal(t, "hello", string(hello))

	client = dial(t, l)
	send(t, client, "\x03old")
	require.Equal(t, "refused not_found\n", answer(t, client))
	client = dial(t, l)
	require.NoError(t, client.(*net.TCPConn).CloseWrite())
	require.Empty(t, answer(t, client), "whoever has hung up is told nothing")
	require.Equal(t, map[string]uint64{"invalid_id": 1}, l.Stats().Refused)
	require.EqualValues(t, 1, l.Stats().Left)
}

// What a hook does wrong harms its own connection only.
func TestHooksMisbehave(t *testing.T) {
	t.Parallel()
	type hook func(id string)
	evil := map[string]func(){
		"panic":  func() { panic("psess-secret") },
		"nil":    func() { panic(new(runtime.PanicNilError)) },
		"goexit": runtime.Goexit,
		"slow":   func() { time.Sleep(time.Minute) },
	}
	for name, c := range map[string]func(hook) validator.ListenerConfig{
		"Handshake": func(h hook) validator.ListenerConfig {
			return validator.ListenerConfig{Handshake: func(c net.Conn) (string, error) {
				line, err := bufio.NewReader(c).ReadString('\n')
				h(strings.TrimSpace(line))
				return strings.TrimSpace(line), err
			}}
		},
		"Admit": func(h hook) validator.ListenerConfig {
			return validator.ListenerConfig{Admit: func(_ net.Conn, ps session.PlayerSession) error {
				h(ps.PlayerSessionID)
				return nil
			}}
		},
		"Refuse": func(h hook) validator.ListenerConfig {
			return validator.ListenerConfig{
				Admit: func(_ net.Conn, ps session.PlayerSession) error {
					if ps.PlayerID == "alice" {
						return session.ErrCreationDenied
					}
					return nil
				},
				Refuse: func(net.Conn, error) { h("psess-alice") },
			}
		},
		"RemoteAddr": func(h hook) validator.ListenerConfig {
			first := true // the hooks of two connections do not meet here
			return validator.ListenerConfig{RemoteAddr: func(net.Conn) netip.Addr {
				if first {
					first = false
					h("psess-alice")
				}
				return netip.Addr{}
			}}
		},
	} {
		for how, misbehave := range evil {
			t.Run(name+" "+how, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					table := newTable(t, slot.Config{})
					for id, player := range map[string]string{"psess-alice": "alice", "psess-bob": "bob"} {
						_, err := table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: player, PlayerSessionID: id, Timeout: time.Hour})
						require.NoError(t, err)
					}
					var log bytes.Buffer
					inner := newPipes()
					l := validator.New(table, validator.Config{Logger: zerolog.New(&log)}).NewListener(inner, c(func(id string) {
						if id == "psess-alice" {
							misbehave()
						}
					}))
					began, client := time.Now(), inner.dial(t)
					go func() { _, _ = io.WriteString(client, "psess-alice\n") }()
					synctest.Wait()
					bob, _ := join(t, l, inner, "psess-bob")
					require.Equal(t, began, time.Now(), "nobody waits for it")

					told := answer(t, client)
					synctest.Wait()
					requireStatus(t, session.StatusReserved, table, "psess-alice")
					requireConnected(t, table, "psess-bob")
					require.LessOrEqual(t, time.Since(began), 5*time.Second+100*time.Millisecond)
					if how == "panic" || how == "nil" {
						require.Contains(t, log.String(), `"hook":"`+name+`"`)
						require.Contains(t, log.String(), "a hook panicked")
						require.NotContains(t, log.String(), "secret")
						if name == "Admit" {
							require.Equal(t, "refused other\n", told)
						}
					}
					require.NoError(t, bob.End())
					time.Sleep(time.Minute) // the slow one returns
					require.NoError(t, l.Close())
					require.Zero(t, l.Stats().Pending)
					late := how == "slow" && name != "Refuse"
					require.Equal(t, late, l.Stats().HandshakeTimeouts == 1, "a refusal that takes too long is none")
					requireStatus(t, session.StatusReserved, table, "psess-alice")
				})
			})
		}
	}
}

// What Admit refuses is not burnt.
func TestAdmit(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{ReconnectWindow: time.Hour})
	var verdict atomic.Error
	var seen atomic.String
	l := gate(t, table, validator.ListenerConfig{Admit: func(c net.Conn, ps session.PlayerSession) error {
		seen.Store(fmt.Sprint(c.RemoteAddr(), " ", ps.PlayerID, " ", ps.PlayerData, " ", ps.Status, " ", ps.Generation))
		return verdict.Load()
	}})
	id := reserve(t, table, "alice").PlayerSessionID
	told := func() (string, net.Addr) {
		client := dial(t, l)
		send(t, client, id+"\n")
		return answer(t, client), client.LocalAddr()
	}
	refused := map[string]uint64{}
	for err, word := range map[error]string{
		errors.New("another build"):                         "other",
		fmt.Errorf("banned: %w", session.ErrCreationDenied): "denied",
		session.ErrDraining:                                 "draining",
		session.ErrPlayerSessionNotFound:                    "not_found",
		context.DeadlineExceeded:                            "other",
		io.EOF:                                              "other",
	} {
		verdict.Store(err)
		text, addr := told()
		require.Equal(t, "refused "+word+"\n", text)
		require.Equal(t, fmt.Sprint(addr, " alice data RESERVED 0"), seen.Load())
		requireStatus(t, session.StatusReserved, table, id)
		refused[word]++
	}
	require.Equal(t, refused, l.Stats().Refused)
	verdict.Store(nil)
	client := dial(t, l)
	send(t, client, id+"\n")
	require.NoError(t, accept(t, l).Close())

	verdict.Store(session.ErrCreationDenied) // of who comes back, too
	text, addr := told()
	require.Equal(t, "refused denied\n", text)
	require.Equal(t, fmt.Sprint(addr, " alice data ACTIVE 1"), seen.Load())
	requireDropped(t, table, id)

	seen.Store("")
	_, err := table.Release(id)
	require.NoError(t, err)
	text, _ = told()
	require.Equal(t, "refused completed\n", text)
	require.Empty(t, seen.Load(), "there is nothing to look at")
}

// The log tells of Admit's refusals what it tells of the table's. It is the
// validator's, or, without one, the table's.
func TestAdmitIsLogged(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{true, false} {
		var door, house bytes.Buffer
		table := newTable(t, slot.Config{Logger: zerolog.New(&house)})
		id := reserve(t, table, "alice").PlayerSessionID
		inner, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		log, config := &house, validator.Config{}
		if own {
			log, config.Logger = &door, zerolog.New(&door)
		}
		l := validator.New(table, config).NewListener(inner, validator.ListenerConfig{
			Admit: func(net.Conn, session.PlayerSession) error {
				return fmt.Errorf("%s: %w", id, session.ErrCreationDenied)
			},
		})
		client := dial(t, l)
		send(t, client, id+"\n")
		require.Equal(t, "refused denied\n", answer(t, client))
		require.NoError(t, l.Close())
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		require.JSONEq(t, `{"level":"info","player_session_id":"`+session.Redact(id)+`","player_id":"alice","reason":"denied","message":"player refused by Admit"}`, lines[len(lines)-1])
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	l := gate(t, table, validator.ListenerConfig{Refuse: func(c net.Conn, err error) {
		fmt.Fprintf(c, "%s, %v", c.RemoteAddr(), err)
	}})
	client := dial(t, l)
	send(t, client, "psess-stranger\n"+strings.Repeat("more than anybody reads", 1000))
	require.Equal(t, fmt.Sprint(client.LocalAddr(), ", ", session.ErrPlayerSessionNotFound), answer(t, client))
	client = dial(t, l)
	send(t, client, "cut off")
	require.NoError(t, client.(*net.TCPConn).CloseWrite())
	require.Equal(t, fmt.Sprint(client.LocalAddr(), ", ", session.ErrInvalidPlayerSessionID), answer(t, client))
}

// half is a pipe whose other end could be told that no more will come, as TCP's is.
type half struct{ net.Conn }

func (half) CloseWrite() error { return nil }

// What a client sends on while it is refused is read, up to 64 KiB and for a second:
// unread it would reset the connection, and the client might never see why.
func TestTheRefusedTalkOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, inner := bubble(t, newTable(t, slot.Config{}), validator.ListenerConfig{})
		refused := func() net.Conn {
			client, server := net.Pipe()
			inner.conns <- half{server}
			send(t, client, "psess-stranger\n")
			told := make([]byte, len("refused not_found\n"))
			_, err := io.ReadFull(client, told)
			require.NoError(t, err)
			require.Equal(t, "refused not_found\n", string(told))
			return client
		}
		began := time.Now()
		n, err := io.Copy(refused(), endless{})
		require.ErrorIs(t, err, io.ErrClosedPipe)
		require.EqualValues(t, 64<<10, n)
		require.Zero(t, time.Since(began))

		require.Empty(t, answer(t, refused()))
		require.Equal(t, time.Second, time.Since(began))
	})
}

// Mirror#2626, gophertunnel: connections that never validate ate the slots. Here
// the oldest makes room.
func TestMaxPending(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	l := gate(t, table, validator.ListenerConfig{MaxPending: 3, MaxPendingPerAddress: -1, HandshakeTimeout: time.Hour})
	var silent []net.Conn
	for i := range 10 {
		silent = append(silent, dial(t, l))
		eventually(t, func() bool { s := l.Stats(); return s.Pending+int(s.PushedOut) == i+1 }, "accepted")
		require.LessOrEqual(t, l.Stats().Pending, 3)
	}
	for _, conn := range silent[:7] {
		_, err := conn.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
	}
	require.EqualValues(t, 7, l.Stats().PushedOut)
	client := dial(t, l)
	send(t, client, reserve(t, table, "alice").PlayerSessionID+"\n")
	require.Equal(t, "alice", accept(t, l).PlayerSession().PlayerID)
	send(t, silent[9], reserve(t, table, "bob").PlayerSessionID+"\n")
	require.Equal(t, "bob", accept(t, l).PlayerSession().PlayerID, "the youngest are still there")
	require.Empty(t, l.Stats().Refused)
}

// An id that has arrived is read before others can push it out, although accepting
// is faster than reading. Only when the system stops the reader meanwhile a player
// may have to come again; on a busy machine that may be many, but not each time.
func TestIDsThatAreThereAreRead(t *testing.T) {
	t.Parallel()
	const players = 50
	most := 0
	for round := 0; round < 10 && most <= players*3/4; round++ {
		most = max(most, comeTogether(t, players, 40))
	}
	require.Greater(t, most, players*3/4)
}

// comeTogether lets players come, and many strangers behind each, before a gate for
// 64 is opened. It returns how many players get in.
func comeTogether(t *testing.T, players, strangers int) (in int) {
	t.Helper()
	table := newTable(t, slot.Config{DuplicatePlayers: slot.DuplicatesAllow})
	require.NoError(t, table.UpdateGameSession(match, slot.GameSessionUpdate{MaximumPlayerSessionCount: &players}))
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var clients []net.Conn
	for range players {
		client := dial(t, inner)
		send(t, client, reserve(t, table, "player").PlayerSessionID+"\n")
		clients = append(clients, client)
		for range strangers {
			defer dial(t, inner).Close() // not at the test's end: there are many
		}
	}
	l := gateAt(t, table, inner, validator.ListenerConfig{MaxPending: 64, MaxPendingPerAddress: -1})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprintln(conn, "welcome")
			_ = conn.Close()
		}
	}()
	for _, client := range clients {
		text, _ := io.ReadAll(client) // an error is that of being pushed out
		in += strings.Count(string(text), "welcome")
	}
	return in
}

// phase#1701: hoarding by one client. The bound of its address is not that of
// others.
func TestMaxPendingPerAddress(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		hoarder, same, other string
	}{
		"IPv4":        {"192.0.2.1", "192.0.2.1", "192.0.2.2"},
		"IPv4 mapped": {"192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2"},
		"IPv6":        {"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:1::1"},
		"IPv6 zones":  {"fe80::1%eth0", "fe80::2%eth1", "fe81::1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				table := newTable(t, slot.Config{})
				var from atomic.String
				l, inner := bubble(t, table, validator.ListenerConfig{
					MaxPendingPerAddress: 2,
					RemoteAddr:           func(net.Conn) netip.Addr { return netip.MustParseAddr(from.Load()) },
				})
				come := func(addr string) net.Conn {
					from.Store(addr)
					conn := inner.dial(t)
					synctest.Wait()
					return conn
				}
				gone := func(conn net.Conn) bool {
					_ = conn.SetReadDeadline(time.Now())
					_, err := conn.Read(make([]byte, 1))
					return errors.Is(err, io.EOF)
				}
				first, other, second := come(test.hoarder), come(test.other), come(test.same)
				for _, conn := range []net.Conn{first, second, other} {
					require.False(t, gone(conn))
				}
				third := come(test.hoarder)
				require.True(t, gone(first))
				fourth := come(test.same)
				require.True(t, gone(second))
				for _, conn := range []net.Conn{third, fourth, other} {
					require.False(t, gone(conn))
				}
				require.Equal(t, 3, l.Stats().Pending)
				require.EqualValues(t, 2, l.Stats().PushedOutOfAddress)
				require.Zero(t, l.Stats().PushedOut)
				send(t, third, reserve(t, table, "alice").PlayerSessionID+"\n")
				accept(t, l)
			})
		})
	}
}

// One of an address may be all there is room for.
func TestOnePerAddress(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	l := gate(t, table, validator.ListenerConfig{MaxPendingPerAddress: 1})
	for range 10 {
		dial(t, l)
	}
	eventually(t, func() bool { s := l.Stats(); return s.Pending == 1 && s.PushedOutOfAddress == 9 }, "one is left")
	client := dial(t, l)
	send(t, client, reserve(t, table, "alice").PlayerSessionID+"\n")
	accept(t, l)
}

// Whoever has shown the id of a live player session is not pushed out by those who
// have not, while Admit takes its time.
func TestStrangersPushOutStrangers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, slot.Config{})
		l, inner := bubble(t, table, validator.ListenerConfig{
			MaxPending:           3,
			MaxPendingPerAddress: 2,
			RemoteAddr:           func(net.Conn) netip.Addr { return netip.MustParseAddr("::1") },
			Admit:                func(net.Conn, session.PlayerSession) error { time.Sleep(time.Second); return nil },
		})
		client := inner.dial(t)
		send(t, client, reserve(t, table, "alice").PlayerSessionID+"\n")
		for range 100 {
			stranger := inner.dial(t)
			go func() { _, _ = io.WriteString(stranger, "psess-") }()
			synctest.Wait()
		}
		accept(t, l)
		require.EqualValues(t, 99, l.Stats().PushedOutOfAddress)
	})
}

// Whoever Admit has refused is a stranger again, who stands behind nobody.
func TestTheRefusedMakeRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, slot.Config{})
		l, inner := bubble(t, table, validator.ListenerConfig{
			MaxPending: 2,
			Admit: func(_ net.Conn, ps session.PlayerSession) error {
				if ps.PlayerID == "mallory" {
					return session.ErrCreationDenied
				}
				return nil
			},
			Refuse: func(net.Conn, error) { time.Sleep(500 * time.Millisecond) },
		})
		id := reserve(t, table, "mallory").PlayerSessionID
		for range 2 {
			send(t, inner.dial(t), id+"\n")
			synctest.Wait()
		}
		alice, bob := inner.dial(t), inner.dial(t)
		synctest.Wait()
		require.EqualValues(t, 2, l.Stats().PushedOut)
		send(t, alice, reserve(t, table, "alice").PlayerSessionID+"\n")
		require.Equal(t, "alice", accept(t, l).PlayerSession().PlayerID)
		send(t, bob, reserve(t, table, "bob").PlayerSessionID+"\n")
		require.Equal(t, "bob", accept(t, l).PlayerSession().PlayerID)
		time.Sleep(time.Second)
	})
}

// Whoever is pushed out while Admit looks keeps the reservation. It is not logged as
// refused by Admit, nor is who was let in.
func TestPushedOutOfAdmit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		table := newTable(t, slot.Config{Logger: zerolog.New(&log)})
		l, inner := bubble(t, table, validator.ListenerConfig{
			MaxPending: 1,
			Admit:      func(net.Conn, session.PlayerSession) error { time.Sleep(time.Second); return nil },
		})
		id := reserve(t, table, "alice").PlayerSessionID
		first := inner.dial(t)
		send(t, first, id+"\n")
		synctest.Wait()
		second := inner.dial(t)
		send(t, second, id+"\n")
		_, err := first.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		conn := accept(t, l)
		require.EqualValues(t, 1, conn.PlayerSession().Generation)
		require.Equal(t, validator.ListenerStats{Accepted: 1, PushedOut: 1, Refused: map[string]uint64{}}, settled(l))
		require.NotContains(t, log.String(), "refused")
	})
}

// settled are the figures once nothing moves.
func settled(l *validator.Listener) validator.ListenerStats {
	synctest.Wait()
	return l.Stats()
}

// Whoever waits for Accept when the listener is closed is dropped, and whoever is
// at the handshake hung up on.
func TestCloseOfAListener(t *testing.T) {
	t.Parallel()
	for _, window := range []time.Duration{0, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			table := newTable(t, slot.Config{ReconnectWindow: window})
			l, inner := bubble(t, table, validator.ListenerConfig{})
			taken, takenClient := join(t, l, inner, reserve(t, table, "alice").PlayerSessionID)
			waiting, pending := inner.dial(t), inner.dial(t)
			id := reserve(t, table, "bob").PlayerSessionID
			send(t, waiting, id+"\n")
			require.Equal(t, validator.ListenerStats{Pending: 1, Waiting: 1, Accepted: 2, Refused: map[string]uint64{}}, settled(l))
			requireConnected(t, table, id)

			var closing sync.WaitGroup
			for range 3 {
				closing.Go(func() { require.NoError(t, l.Close()) })
			}
			closing.Wait()
			for _, client := range []net.Conn{waiting, pending} {
				require.Empty(t, answer(t, client))
			}
			if window > 0 {
				requireDropped(t, table, id)
			} else {
				requireStatus(t, session.StatusCompleted, table, id)
			}
			conn, err := l.Accept()
			require.ErrorIs(t, err, net.ErrClosed)
			require.Nil(t, conn)
			_, err = l.AcceptPlayer()
			require.ErrorIs(t, err, net.ErrClosed)
			require.Equal(t, validator.ListenerStats{Accepted: 2, Refused: map[string]uint64{}}, settled(l))

			// Who was taken goes on, and is still looked after.
			go func() { _, _ = io.WriteString(takenClient, "x") }()
			_, err = taken.Read(make([]byte, 1))
			require.NoError(t, err)
			_, err = table.Release(taken.PlayerSession().PlayerSessionID)
			require.NoError(t, err)
			_, err = takenClient.Read(make([]byte, 1))
			require.ErrorIs(t, err, io.EOF)
		})
	}
}

// Nobody takes a connection from Accept whose player session has ended meanwhile.
func TestEndsBeforeAccept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, slot.Config{})
		l, inner := bubble(t, table, validator.ListenerConfig{})
		id := reserve(t, table, "alice").PlayerSessionID
		client := inner.dial(t)
		send(t, client, id+"\n")
		synctest.Wait()
		_, err := table.Release(id)
		require.NoError(t, err)
		require.Empty(t, answer(t, client))
		require.Zero(t, settled(l).Waiting)
		bob, _ := join(t, l, inner, reserve(t, table, "bob").PlayerSessionID)
		require.Equal(t, "bob", bob.PlayerSession().PlayerID)
	})
}

// faulty is a listener that fails when it is told to.
type faulty struct {
	*pipes
	errs chan error
}

func (f *faulty) Accept() (net.Conn, error) {
	select {
	case err := <-f.errs:
		return nil, err
	case conn := <-f.conns:
		return conn, nil
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

func newFaulty() *faulty { return &faulty{newPipes(), make(chan error)} }

// exhausted is what accept(2) says when there are no descriptors left.
var exhausted = &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}

// As net/http does it: after 5 ms at first, 1 s at most, and 5 ms again.
func TestAcceptIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, slot.Config{})
		inner := newFaulty()
		var log bytes.Buffer
		l := validator.New(table, validator.Config{Logger: zerolog.New(&log)}).NewListener(inner, validator.ListenerConfig{})
		for range 2 {
			inner.errs <- exhausted
			last := time.Now()
			for _, pause := range []int{5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000} {
				inner.errs <- exhausted
				require.Equal(t, time.Duration(pause)*time.Millisecond, time.Since(last))
				last = time.Now()
			}
			conn, _ := join(t, l, inner.pipes, reserve(t, table, "alice").PlayerSessionID)
			require.NoError(t, conn.End())
		}
		require.Equal(t, 22, strings.Count(log.String(), "cannot accept connections"))

		inner.errs <- exhausted
		began := time.Now()
		require.NoError(t, l.Close())
		require.Equal(t, began, time.Now(), "Close does not wait for the next attempt")
	})
}

// Without descriptors, the oldest who has not shown an id gives its own back.
func TestExhaustedTheOldestGoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, slot.Config{})
		inner := newFaulty()
		l := gateAt(t, table, inner, validator.ListenerConfig{})
		first, second := inner.dial(t), inner.dial(t)
		began := time.Now()
		inner.errs <- exhausted
		require.Empty(t, answer(t, first))
		inner.errs <- exhausted
		require.Empty(t, answer(t, second))
		inner.errs <- exhausted
		require.Equal(t, began, time.Now(), "at once")
		inner.errs <- exhausted
		require.Equal(t, 5*time.Millisecond, time.Since(began), "nobody was left")
		require.EqualValues(t, 2, l.Stats().PushedOut)
	})
}

// An error that will not pass ends the listener, and Accept tells it.
func TestListenerBreaks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, slot.Config{})
		inner := newFaulty()
		l := gateAt(t, table, inner, validator.ListenerConfig{})
		id := reserve(t, table, "alice").PlayerSessionID
		waiting, pending := inner.dial(t), inner.dial(t)
		send(t, waiting, id+"\n")
		synctest.Wait()
		failure := errors.New("broken for good")
		inner.errs <- failure
		for _, client := range []net.Conn{waiting, pending} {
			require.Empty(t, answer(t, client))
		}
		for range 2 {
			_, err := l.Accept()
			require.Equal(t, failure, err)
		}
		requireStatus(t, session.StatusCompleted, table, id)
		require.NoError(t, l.Close())
		_, err := l.Accept()
		require.Equal(t, net.ErrClosed, err)
	})
}

func TestInnerIsClosed(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := gateAt(t, newTable(t, slot.Config{}), inner, validator.ListenerConfig{})
	require.Equal(t, inner.Addr(), l.Addr())
	require.NoError(t, inner.Close())
	_, err = l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	require.NoError(t, l.Close())
}

// Close is not held up for ever by a hook that does not return.
func TestCloseWithAStuckHook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, slot.Config{})
		var log bytes.Buffer
		inner, stuck := newPipes(), make(chan struct{})
		l := validator.New(table, validator.Config{Logger: zerolog.New(&log)}).NewListener(inner, validator.ListenerConfig{
			HandshakeTimeout: time.Hour,
			Handshake:        func(net.Conn) (string, error) { <-stuck; return "", io.EOF },
		})
		client := inner.dial(t)
		synctest.Wait()
		began := time.Now()
		require.NoError(t, l.Close())
		require.Equal(t, 5*time.Second, time.Since(began))
		require.Contains(t, log.String(), "a hook is stuck")
		require.Empty(t, answer(t, client))
		close(stuck)
		require.NoError(t, l.Close())
		require.Equal(t, 5*time.Second, time.Since(began))
	})
}

// Accept returns when the listener is closed.
func TestCloseWakesAccept(t *testing.T) {
	t.Parallel()
	l := gate(t, newTable(t, slot.Config{}), validator.ListenerConfig{})
	failed := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := l.Accept()
			failed <- err
		}()
	}
	require.NoError(t, l.Close())
	require.Equal(t, net.ErrClosed, <-failed)
	require.Equal(t, net.ErrClosed, <-failed)
}

// tardy is a listener that accepts one more connection after it is closed.
type tardy struct {
	*pipes
	last chan net.Conn
}

func (l *tardy) Accept() (net.Conn, error) {
	conn, err := l.pipes.Accept()
	if err != nil {
		if last, ok := <-l.last; ok {
			return last, nil
		}
	}
	return conn, err
}

// Who comes in the very moment the listener is closed is hung up on.
func TestAcceptedTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inner := &tardy{newPipes(), make(chan net.Conn)}
		l := gateAt(t, newTable(t, slot.Config{}), inner, validator.ListenerConfig{})
		var closing sync.WaitGroup
		closing.Go(func() { require.NoError(t, l.Close()) })
		synctest.Wait()
		client, conn := net.Pipe()
		inner.last <- conn
		close(inner.last)
		require.Empty(t, answer(t, client))
		closing.Wait()
	})
}

// Whoever is pushed out before it is known where it comes from counts nowhere.
func TestPushedOutBeforeItsAddressIsKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, slot.Config{})
		l, inner := bubble(t, table, validator.ListenerConfig{
			MaxPending:           1,
			MaxPendingPerAddress: 1,
			RemoteAddr: func(net.Conn) netip.Addr {
				time.Sleep(time.Second)
				return netip.IPv6Loopback()
			},
		})
		first := inner.dial(t)
		time.Sleep(time.Millisecond)
		second := inner.dial(t)
		require.Empty(t, answer(t, first))
		time.Sleep(2 * time.Second)
		send(t, second, reserve(t, table, "alice").PlayerSessionID+"\n")
		accept(t, l)
		require.Equal(t, validator.ListenerStats{Accepted: 1, PushedOut: 1, Refused: map[string]uint64{}}, settled(l))
	})
}

func TestNewListenerWithoutAListener(t *testing.T) {
	t.Parallel()
	v := validator.New(newTable(t, slot.Config{}), validator.Config{})
	require.Panics(t, func() { v.NewListener(nil, validator.ListenerConfig{}) })
}
