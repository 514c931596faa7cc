package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// venue is a server with the two rooms behind the gate.
type venue struct {
	*testing.T
	table *slot.Table
	url   string
}

func newVenue(t *testing.T, c slot.Config) *venue {
	t.Helper()
	table, err := slot.NewTable(c)
	require.NoError(t, err)
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: gameSession, MaximumPlayerSessionCount: 10}))
	v := &venue{T: t, table: table}
	v.url = v.serve(routes(table))
	t.Cleanup(func() { require.NoError(t, table.Close()) })
	return v
}

// serve returns the WebSocket URL of a server.
func (v *venue) serve(h http.Handler) string {
	server := httptest.NewTLSServer(h)
	v.Cleanup(server.Close)
	return strings.Replace(server.URL, "http", "ws", 1)
}

// servePlain does so without TLS.
func (v *venue) servePlain(h http.Handler) string {
	server := httptest.NewServer(h)
	v.Cleanup(server.Close)
	return strings.Replace(server.URL, "http", "ws", 1)
}

func (v *venue) reserve(player string) (playerSessionID string) {
	v.Helper()
	ps, err := v.table.Reserve(slot.Reservation{GameSessionID: gameSession, PlayerID: player})
	require.NoError(v, err)
	return ps.PlayerSessionID
}

// join is a browser's way in.
func (v *venue) join(dial dial, url, player, id string) client {
	v.Helper()
	c, response, err := dial(v.Context(), url, nil, "usher", id)
	require.NoError(v, err)
	require.Equal(v, "usher", response.Header.Get("Sec-WebSocket-Protocol"))
	require.NotContains(v, fmt.Sprint(response.Header), id, "never echoed")
	v.Cleanup(c.hangUp)
	echoed(v.T, c, player, "hello")
	return c
}

// until waits for a player session to be as asked.
func (v *venue) until(id, what string, is func(session.PlayerSession) bool) {
	v.Helper()
	require.Eventually(v, func() bool {
		ps, err := v.table.Lookup(id)
		return err == nil && is(ps)
	}, patience, time.Millisecond, what)
}

func (v *venue) untilDropped(id string) {
	v.Helper()
	v.until(id, "dropped", func(session.PlayerSession) bool {
		deadline, err := v.table.Deadline(id)
		return err == nil && !deadline.IsZero()
	})
}

func completed(ps session.PlayerSession) bool { return ps.Status == session.StatusCompleted }

// The player stays while the connection is open, whether the handler has returned
// (gorilla's) or not (coder's), and leaves with it.
func TestVisit(t *testing.T) {
	t.Parallel()
	everyPair(t, func(t *testing.T, server string, dial dial) {
		for name, leave := range map[string]func(client){"hangs up": client.hangUp, "says goodbye": client.leave} {
			v := newVenue(t, slot.Config{})
			id := v.reserve("alice")
			c := v.join(dial, v.url+"/"+server, "alice", id)
			another, _, err := dial(t.Context(), v.url+"/"+server, http.Header{"Authorization": {"Bearer " + id}})
			require.NoError(t, err, "RefuseWebSocket accepts it, to refuse")
			_, err = another.hear()
			require.Equal(t, closure{4409, "already_active"}, err)
			another.hangUp()
			echoed(t, c, "alice", "still here")
			ps, err := v.table.Lookup(id)
			require.NoError(t, err)
			require.Equal(t, session.StatusActive, ps.Status)

			leave(c)
			v.until(id, name, completed)
		}
	})
}

// A dropped tab's seat waits for its return.
func TestReturn(t *testing.T) {
	t.Parallel()
	everyPair(t, func(t *testing.T, server string, dial dial) {
		v := newVenue(t, slot.Config{ReconnectWindow: time.Hour})
		id := v.reserve("alice")
		for generation := range uint32(5) {
			c := v.join(dial, v.url+"/"+server, "alice", id)
			ps, err := v.table.Lookup(id)
			require.NoError(t, err)
			require.Equal(t, generation+1, ps.Generation)
			c.hangUp()
			v.untilDropped(id)
		}
	})
}

// endings are what ends a player session elsewhere, and the word for it.
var endings = map[string]func(*venue, string) error{
	"released": func(v *venue, id string) error { _, err := v.table.Release(id); return err },
	"terminated": func(v *venue, _ string) error {
		return v.table.TerminateGameSession(gameSession)
	},
	"replaced": func(v *venue, _ string) error {
		_, err := v.table.Reserve(slot.Reservation{GameSessionID: gameSession, PlayerID: "alice"})
		return err
	},
	"returned":    func(v *venue, id string) error { _, err := v.table.TakeOver(id); return err },
	"window_over": func(v *venue, id string) error { return v.table.Disconnect(id, 1) },
}

// A session that ends elsewhere closes its WebSocket.
func TestEndedElsewhere(t *testing.T) {
	t.Parallel()
	everyPair(t, func(t *testing.T, server string, dial dial) {
		for word, end := range endings {
			require.Error(t, endingOf(t, server, dial, end), word)
		}
	})
}

// A handler that is still there has a moment to say why. On a busy machine that
// may pass, but not each time.
func TestFarewell(t *testing.T) {
	t.Parallel()
	for client, dial := range libraries {
		for word, end := range endings {
			require.Eventually(t, func() bool {
				return endingOf(t, "coder", dial, end) == closure{sessionEnded, word}
			}, patience, time.Millisecond, "%s, %s", client, word)
		}
	}
}

// endingOf is what a player hears whose session ends elsewhere.
func endingOf(t *testing.T, server string, dial dial, end func(*venue, string) error) error {
	t.Helper()
	v := newVenue(t, slot.Config{DuplicatePlayers: slot.DuplicatesReplace})
	id := v.reserve("alice")
	c := v.join(dial, v.url+"/"+server, "alice", id)
	require.NoError(t, end(v, id))
	_, err := c.hear()
	return err
}

// The tab that came later has the seat.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	everyPair(t, func(t *testing.T, server string, dial dial) {
		v := newVenue(t, slot.Config{})
		room := newRoom()
		visit := map[string]http.HandlerFunc{"coder": room.withCoder, "gorilla": room.withGorilla}[server]
		gate := validator.New(v.table, validator.Config{}).Handler(visit, validator.HandlerConfig{TakeOver: true})
		url := v.serve(gate)
		id := v.reserve("alice")
		older := v.join(dial, url, "alice", id)
		for range 3 {
			newer := v.join(dial, url, "alice", id)
			for { // it hears what the newer one says while it is there
				if _, err := older.hear(); err != nil {
					break
				}
			}
			echoed(t, newer, "alice", "mine now")
			older = newer
		}
		older.leave()
		v.until(id, "left", completed)
	})
}

// The gate closes a connection within 100 ms. One of many may be late, on a
// machine that is busy with other things.
func TestEndedAtOnce(t *testing.T) {
	t.Parallel()
	for server, dial := range libraries {
		var took []time.Duration
		for range 9 {
			v := newVenue(t, slot.Config{})
			id := v.reserve("alice")
			c := v.join(dial, v.url+"/"+server, "alice", id)
			began := time.Now()
			_, err := v.table.Release(id)
			require.NoError(t, err)
			_, err = c.hear()
			require.Error(t, err)
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		require.Less(t, took[len(took)/2], 100*time.Millisecond, "%s: %v", server, took)
	}
}

// A browser learns why it is refused.
func TestRefuseWebSocket(t *testing.T) {
	t.Parallel()
	refused := func(err error) func(*venue) (string, validator.HandlerConfig) {
		return func(v *venue) (string, validator.HandlerConfig) {
			return v.reserve("alice"), validator.HandlerConfig{
				Admit: func(*http.Request, session.PlayerSession) error { return err },
			}
		}
	}
	with := func(id string) func(*venue) (string, validator.HandlerConfig) {
		return func(*venue) (string, validator.HandlerConfig) { return id, validator.HandlerConfig{} }
	}
	for name, c := range map[string]struct {
		arrange func(*venue) (playerSessionID string, c validator.HandlerConfig)
		want    closure
	}{
		"no id":      {with("chat"), closure{4401, "not_found"}},
		"malformed":  {with("psess-" + strings.Repeat("x", 200)), closure{4401, "not_found"}},
		"unknown":    {with(session.NewPlayerSessionID()), closure{4401, "not_found"}},
		"Admit":      {refused(errors.New("banned")), closure{4403, "other"}},
		"overloaded": {refused(session.ErrOverloaded), closure{4429, "overloaded"}},
		"connected": {func(v *venue) (string, validator.HandlerConfig) {
			id := v.reserve("alice")
			_, err := v.table.Activate(id)
			require.NoError(v, err)
			return id, validator.HandlerConfig{}
		}, closure{4409, "already_active"}},
		"left": {func(v *venue) (string, validator.HandlerConfig) {
			id := v.reserve("alice")
			_, err := v.table.Activate(id)
			require.NoError(v, err)
			_, err = v.table.Release(id)
			require.NoError(v, err)
			return id, validator.HandlerConfig{}
		}, closure{4410, "completed"}},
		"given up": {func(v *venue) (string, validator.HandlerConfig) {
			id := v.reserve("alice")
			_, err := v.table.Release(id)
			require.NoError(v, err)
			return id, validator.HandlerConfig{}
		}, closure{4410, "timed_out"}},
		"closed": {func(v *venue) (string, validator.HandlerConfig) {
			id := v.reserve("alice")
			require.NoError(v, v.table.Close())
			return id, validator.HandlerConfig{}
		}, closure{4503, "closed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVenue(t, slot.Config{})
			id, config := c.arrange(v)
			config.Refuse = validator.RefuseWebSocket
			gate := validator.New(v.table, validator.Config{}).Handler(http.NotFoundHandler(), config)
			for _, url := range []string{v.serve(gate), v.servePlain(gate)} {
				for library, dial := range libraries {
					client, response, err := dial(t.Context(), url, nil, "usher", id)
					require.NoError(t, err, library)
					require.Equal(t, "usher", response.Header.Get("Sec-WebSocket-Protocol"))
					_, err = client.hear()
					require.Equal(t, c.want, err, library)
					client.hangUp()
				}
			}
		})
	}
}

// What comes in one packet with the upgrade is not lost. gorilla/websocket hangs
// up on it, with the gate or without.
func TestFrameWithTheUpgrade(t *testing.T) {
	t.Parallel()
	v := newVenue(t, slot.Config{})
	id := v.reserve("alice")
	conn, err := net.Dial("tcp", strings.TrimPrefix(v.servePlain(routes(v.table)), "ws://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	frame := "\x81\x82\x00\x00\x00\x00hi" // a text, masked with zeroes
	_, err = io.WriteString(conn, "GET /coder HTTP/1.1\r\nHost: room\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"+
		"Sec-WebSocket-Protocol: usher, "+id+"\r\n\r\n"+frame)
	require.NoError(t, err)
	in := bufio.NewReader(conn)
	response, err := http.ReadResponse(in, nil)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
	line := make([]byte, len("\x81\x09alice: hi"))
	_, err = io.ReadFull(in, line)
	require.NoError(t, err)
	require.Equal(t, "\x81\x09alice: hi", string(line))
}
