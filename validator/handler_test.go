package validator_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// site is a web server with a Handler in front.
type site struct {
	*testing.T
	table  *slot.Table
	server *httptest.Server
}

// newSite serves next to validated players.
func newSite(t *testing.T, version int, table *slot.Table, c validator.HandlerConfig, next http.HandlerFunc) *site {
	t.Helper()
	return serveSite(t, version, table, validator.New(table, validator.Config{}).Handler(next, c))
}

// plain is the version of HTTP/1.1 without TLS, for clients that are sockets.
const plain = 0

func serveSite(t *testing.T, version int, table *slot.Table, h http.Handler) *site {
	t.Helper()
	s := &site{T: t, table: table, server: httptest.NewUnstartedServer(h)}
	s.server.EnableHTTP2 = version == 2
	s.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if version == plain {
		s.server.Start()
	} else {
		s.server.StartTLS()
	}
	t.Cleanup(s.server.Close)
	return s
}

// everyVersion runs a test over HTTP/1.1 and HTTP/2.
func everyVersion(t *testing.T, test func(t *testing.T, version int)) {
	t.Helper()
	for version := 1; version <= 2; version++ {
		t.Run(fmt.Sprint("HTTP/", version), func(t *testing.T) {
			t.Parallel()
			test(t, version)
		})
	}
}

// request is one with an id as its bearer token.
func (s *site) request(ctx context.Context, id string) *http.Request {
	s.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL, nil)
	require.NoError(s, err)
	r.Header.Set("Authorization", "Bearer "+id)
	return r
}

func (s *site) do(r *http.Request) *http.Response {
	s.Helper()
	response, err := s.server.Client().Do(r)
	require.NoError(s, err)
	s.Cleanup(func() { response.Body.Close() })
	return response
}

// get returns a whole answer.
func (s *site) get(id string) (status int, body string) {
	s.Helper()
	response := s.do(s.request(s.Context(), id))
	all, err := io.ReadAll(response.Body)
	require.NoError(s, err)
	return response.StatusCode, string(all)
}

// until waits for a player session to be as asked.
func (s *site) until(id string, is func(session.PlayerSession) bool) {
	s.Helper()
	require.Eventually(s, func() bool {
		ps, err := s.table.Lookup(id)
		return err == nil && is(ps)
	}, patience, time.Millisecond)
}

func hasStatus(want session.Status) func(session.PlayerSession) bool {
	return func(ps session.PlayerSession) bool { return ps.Status == want }
}

// visited answers with the name of the player.
func visited(w http.ResponseWriter, r *http.Request) {
	ps, _ := validator.PlayerSessionFromContext(r.Context())
	_, _ = io.WriteString(w, ps.PlayerID)
}

// stays answers, and stays until the visit is over.
func stays(w http.ResponseWriter, r *http.Request) {
	visited(w, r)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// One request is one visit: the player leaves when the handler returns.
func TestHandler(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version int) {
		s := newSite(t, version, newTable(t, slot.Config{}), validator.HandlerConfig{}, func(w http.ResponseWriter, r *http.Request) {
			ps, ok := validator.PlayerSessionFromContext(r.Context())
			assert.True(t, ok)
			assert.Equal(t, session.StatusActive, ps.Status)
			assert.Equal(t, "data", ps.PlayerData)
			assert.Equal(t, version, r.ProtoMajor)
			visited(w, r)
		})
		id := reserve(t, s.table, "alice").PlayerSessionID
		status, body := s.get(id)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "alice", body)
		ps, err := s.table.Lookup(id)
		require.NoError(t, err)
		require.Equal(t, session.StatusCompleted, ps.Status, "before the client has the end of the answer")

		status, _ = s.get(id)
		require.Equal(t, http.StatusGone, status, "a connection kept alive is no visit")
	})
}

// Within the ReconnectWindow each request is the player's return.
func TestHandlerReturn(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version int) {
		s := newSite(t, version, newTable(t, slot.Config{ReconnectWindow: time.Hour}), validator.HandlerConfig{}, visited)
		id := reserve(t, s.table, "alice").PlayerSessionID
		for generation := uint32(1); generation <= 3; generation++ {
			status, _ := s.get(id)
			require.Equal(t, http.StatusOK, status)
			ps, err := s.table.Lookup(id)
			require.NoError(t, err)
			require.Equal(t, generation, ps.Generation)
		}
	})
}

// While one request runs, another one with the same id is refused. When its client
// hangs up the seat is free.
func TestHandlerStream(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version int) {
		s := newSite(t, version, newTable(t, slot.Config{}), validator.HandlerConfig{}, stays)
		id := reserve(t, s.table, "alice").PlayerSessionID
		ctx, hangUp := context.WithCancel(t.Context())
		defer hangUp()
		stream := s.do(s.request(ctx, id))
		require.Equal(t, http.StatusOK, stream.StatusCode)
		status, _ := s.get(id)
		require.Equal(t, http.StatusConflict, status)
		ps, err := s.table.Lookup(id)
		require.NoError(t, err)
		require.Equal(t, session.StatusActive, ps.Status)

		hangUp()
		s.until(id, hasStatus(session.StatusCompleted))
	})
}

// The context ends with the handler, whoever called that.
func TestHandlerContext(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+reserve(t, table, "alice").PlayerSessionID)
	seen, _ := through(t, table, r)
	require.ErrorIs(t, context.Cause(seen.Context()), context.Canceled)
	require.NoError(t, r.Context().Err())
}

// A handler that panics has dropped its player first, and the panic goes on.
func TestHandlerPanic(t *testing.T) {
	t.Parallel()
	for _, panics := range []any{http.ErrAbortHandler, "bug"} {
		table := newTable(t, slot.Config{})
		id := reserve(t, table, "alice").PlayerSessionID
		h := validator.New(table, validator.Config{}).Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			panic(panics)
		}), validator.HandlerConfig{})
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "Bearer "+id)
		require.PanicsWithValue(t, panics, func() { h.ServeHTTP(httptest.NewRecorder(), r) })
		ps, err := table.Lookup(id)
		require.NoError(t, err)
		require.Equal(t, session.StatusCompleted, ps.Status)
	}
	everyVersion(t, func(t *testing.T, version int) {
		s := newSite(t, version, newTable(t, slot.Config{ReconnectWindow: time.Hour}), validator.HandlerConfig{},
			func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		id := reserve(t, s.table, "alice").PlayerSessionID
		_, err := s.server.Client().Do(s.request(t.Context(), id))
		require.Error(t, err)
		s.until(id, func(session.PlayerSession) bool {
			deadline, err := s.table.Deadline(id)
			return err == nil && !deadline.IsZero()
		})
	})
}

// webEndings are what ends a player session elsewhere, and its word.
var webEndings = map[session.Cause]func(*slot.Table, session.PlayerSession) error{
	session.CauseReleased: func(table *slot.Table, ps session.PlayerSession) error {
		_, err := table.Release(ps.PlayerSessionID)
		return err
	},
	session.CauseTerminated: func(table *slot.Table, ps session.PlayerSession) error {
		return table.TerminateGameSession(ps.GameSessionID)
	},
	session.CauseReplaced: func(table *slot.Table, ps session.PlayerSession) error {
		_, err := table.Reserve(slot.Reservation{GameSessionID: ps.GameSessionID, PlayerID: ps.PlayerID})
		return err
	},
	session.CauseReturned: func(table *slot.Table, ps session.PlayerSession) error {
		_, err := table.TakeOver(ps.PlayerSessionID)
		return err
	},
	session.CauseWindowOver: func(table *slot.Table, ps session.PlayerSession) error {
		return table.Disconnect(ps.PlayerSessionID, 1)
	},
}

// When the session ends elsewhere the request's context says so, within 100 ms.
// One of many may be late, on a machine that is busy with other things.
func TestHandlerEndedElsewhere(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version int) {
		var took []time.Duration
		for cause, end := range webEndings {
			causes := make(chan error, 1)
			s := newSite(t, version, newTable(t, slot.Config{DuplicatePlayers: slot.DuplicatesReplace}), validator.HandlerConfig{},
				func(w http.ResponseWriter, r *http.Request) {
					stays(w, r)
					causes <- context.Cause(r.Context())
				})
			ps := reserve(t, s.table, "alice")
			stream := s.do(s.request(t.Context(), ps.PlayerSessionID))
			began := time.Now()
			require.NoError(t, end(s.table, ps))
			got := <-causes
			took = append(took, time.Since(began))
			require.Equal(t, &validator.EndedError{Cause: cause}, got)
			_, err := io.ReadAll(stream.Body)
			require.NoError(t, err, "the handler has returned")
		}
		slices.Sort(took)
		require.Less(t, took[len(took)/2], 100*time.Millisecond, "%v", took)
	})
}

// The later request has the player session, and the end of the older one does not
// drop it.
func TestHandlerTakeOver(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version int) {
		causes := make(chan error, 1)
		s := newSite(t, version, newTable(t, slot.Config{}), validator.HandlerConfig{TakeOver: true},
			func(w http.ResponseWriter, r *http.Request) {
				stays(w, r)
				causes <- context.Cause(r.Context())
			})
		id := reserve(t, s.table, "alice").PlayerSessionID
		s.do(s.request(t.Context(), id))
		for generation := uint32(2); generation <= 5; generation++ {
			s.do(s.request(t.Context(), id))
			require.Equal(t, &validator.EndedError{Cause: session.CauseReturned}, <-causes)
			ps, err := s.table.Lookup(id)
			require.NoError(t, err)
			require.Equal(t, session.StatusActive, ps.Status, "the older request has not dropped it")
			require.Equal(t, generation, ps.Generation)
		}
		_, err := s.table.Release(id)
		require.NoError(t, err)
		require.Equal(t, &validator.EndedError{Cause: session.CauseReleased}, <-causes)
	})
}

// Admit sees request and session; its error refuses, and changes nothing.
func TestHandlerAdmit(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version int) {
		banned := errors.New("banned")
		s := newSite(t, version, newTable(t, slot.Config{}), validator.HandlerConfig{
			Admit: func(r *http.Request, ps session.PlayerSession) error {
				assert.Equal(t, session.StatusReserved, ps.Status)
				assert.Empty(t, r.Header["Authorization"])
				if r.URL.Path == "/"+ps.PlayerID {
					return nil
				}
				return banned
			},
			Refuse: func(w http.ResponseWriter, r *http.Request, err error) {
				assert.Empty(t, r.Header["Authorization"])
				w.WriteHeader(http.StatusTeapot)
				_, _ = io.WriteString(w, err.Error())
			},
		}, visited)
		id := reserve(t, s.table, "alice").PlayerSessionID
		status, body := s.get(id)
		require.Equal(t, http.StatusTeapot, status)
		require.Equal(t, "banned", body)
		ps, err := s.table.Lookup(id)
		require.NoError(t, err)
		require.Equal(t, session.StatusReserved, ps.Status)

		r := s.request(t.Context(), id)
		r.URL.Path = "/alice"
		require.Equal(t, http.StatusOK, s.do(r).StatusCode)
	})
}

// A hook that panics, or takes its time, harms its own request only.
func TestHandlerHooksFail(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version int) {
		var logged bytes.Buffer
		release := make(chan struct{})
		table := newTable(t, slot.Config{})
		s := serveSite(t, version, table, validator.New(table, validator.Config{Logger: zerolog.New(&logged)}).Handler(
			http.HandlerFunc(visited), validator.HandlerConfig{
				Admit: func(_ *http.Request, ps session.PlayerSession) error {
					switch ps.PlayerID {
					case "panics":
						panic(ps.PlayerSessionID)
					case "slow":
						<-release
					case "banned":
						return errors.New("banned")
					}
					return nil
				},
				Refuse: func(w http.ResponseWriter, r *http.Request, err error) {
					if session.Reason(err) == "other" && err.Error() == "banned" {
						panic(http.ErrAbortHandler)
					}
					validator.RefuseWebSocket(w, r, err)
				},
			}))
		panics, slow := reserve(t, table, "panics").PlayerSessionID, reserve(t, table, "slow").PlayerSessionID
		banned, alice := reserve(t, table, "banned").PlayerSessionID, reserve(t, table, "alice").PlayerSessionID

		answered := make(chan int, 1)
		go func() {
			response, err := s.server.Client().Do(s.request(t.Context(), slow))
			if assert.NoError(t, err) {
				answered <- response.StatusCode
				response.Body.Close()
			}
		}()
		status, body := s.get(panics)
		require.Equal(t, http.StatusInternalServerError, status)
		require.NotContains(t, body, panics)
		require.Contains(t, logged.String(), "panic")
		require.NotContains(t, logged.String(), panics)
		_, err := s.server.Client().Do(s.request(t.Context(), banned))
		require.Error(t, err)
		for _, id := range []string{panics, slow, banned} {
			ps, err := table.Lookup(id)
			require.NoError(t, err)
			require.Equal(t, session.StatusReserved, ps.Status)
		}
		status, _ = s.get(alice)
		require.Equal(t, http.StatusOK, status)
		require.Empty(t, answered)
		close(release)
		require.Equal(t, http.StatusOK, <-answered)
	})
}

// Nobody gets in once the table is closed.
func TestHandlerOfAClosedTable(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1, newTable(t, slot.Config{}), validator.HandlerConfig{}, stays)
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	alice, bob := reserve(t, s.table, "alice").PlayerSessionID, reserve(t, s.table, "bob").PlayerSessionID
	s.do(s.request(ctx, alice))
	require.NoError(t, s.table.Close())
	status, body := s.get(bob)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, body, `"reason":"closed"`)
}

func TestHandlerWithoutANext(t *testing.T) {
	t.Parallel()
	v := validator.New(newTable(t, slot.Config{}), validator.Config{})
	require.Panics(t, func() { v.Handler(nil, validator.HandlerConfig{}) })
	_, ok := validator.PlayerSessionFromContext(t.Context())
	require.False(t, ok)
}
