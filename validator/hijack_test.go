package validator_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// knock sends a request and what comes in the same packet.
func (s *site) knock(id, more string) net.Conn {
	s.Helper()
	conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
	require.NoError(s, err)
	s.Cleanup(func() { conn.Close() })
	require.NoError(s, conn.SetDeadline(time.Now().Add(patience)))
	send(s, conn, "GET / HTTP/1.1\r\nHost: site\r\nAuthorization: Bearer "+id+"\r\n\r\n"+more)
	return conn
}

// hijacks is a handler that hands its connection over and returns.
func hijacks(t *testing.T) (next http.HandlerFunc, conns chan net.Conn, buffers chan *bufio.ReadWriter) {
	t.Helper()
	conns, buffers = make(chan net.Conn, 1), make(chan *bufio.ReadWriter, 1)
	return func(w http.ResponseWriter, _ *http.Request) {
		hijacker, ok := w.(http.Hijacker) // as gorilla/websocket asks
		if !assert.True(t, ok) {
			return
		}
		conn, buffer, err := hijacker.Hijack()
		if assert.NoError(t, err) {
			conns <- conn
			buffers <- buffer
		}
	}, conns, buffers
}

// The player stays however early the handler returns, and leaves when the hijacked
// connection is closed.
func TestHijack(t *testing.T) {
	t.Parallel()
	next, conns, buffers := hijacks(t)
	s := newSite(t, plain, newTable(t, slot.Config{}), validator.HandlerConfig{}, next)
	ps := reserve(t, s.table, "alice")
	client := s.knock(ps.PlayerSessionID, "")
	conn, buffer := <-conns, <-buffers
	require.Equal(t, ps.PlayerID, conn.(*validator.Conn).PlayerSession().PlayerID)
	require.IsType(t, &net.TCPConn{}, conn.(*validator.Conn).NetConn())

	send(t, client, "ping")
	ping := make([]byte, 4)
	_, err := io.ReadFull(buffer, ping)
	require.NoError(t, err)
	require.Equal(t, "ping", string(ping))
	_, err = buffer.WriteString("pong")
	require.NoError(t, err)
	require.NoError(t, buffer.Flush())
	_, err = io.ReadFull(client, ping)
	require.NoError(t, err)
	require.Equal(t, "pong", string(ping))
	s.until(ps.PlayerSessionID, hasStatus(session.StatusActive))

	require.NoError(t, conn.Close())
	got, err := s.table.Lookup(ps.PlayerSessionID)
	require.NoError(t, err)
	require.Equal(t, session.StatusCompleted, got.Status)
	require.NoError(t, conn.Close())
}

// What came with the request is buffered, as without the gate, and what comes
// later follows it.
func TestHijackBuffered(t *testing.T) {
	t.Parallel()
	for _, early := range []string{"x", "hello", strings.Repeat("0123456789", 300)} {
		next, conns, buffers := hijacks(t)
		s := newSite(t, plain, newTable(t, slot.Config{}), validator.HandlerConfig{}, next)
		client := s.knock(reserve(t, s.table, "alice").PlayerSessionID, early)
		conn, buffer := <-conns, <-buffers
		require.Equal(t, len(early), buffer.Reader.Buffered())
		send(t, client, "later")
		require.NoError(t, client.(*net.TCPConn).CloseWrite())
		all, err := io.ReadAll(buffer)
		require.NoError(t, err)
		require.Equal(t, early+"later", string(all))
		require.NoError(t, conn.Close())
	}
}

// A hijacked connection that fails and is not closed drops its player a second
// later, be it read itself or through the buffers.
func TestHijackAbandoned(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(net.Conn, *bufio.ReadWriter) error{
		"connection": func(conn net.Conn, _ *bufio.ReadWriter) error { _, err := conn.Read(make([]byte, 1)); return err },
		"buffers":    func(_ net.Conn, buffer *bufio.ReadWriter) error { _, err := buffer.ReadByte(); return err },
	} {
		next, conns, buffers := hijacks(t)
		s := newSite(t, plain, newTable(t, slot.Config{}), validator.HandlerConfig{}, next)
		id := reserve(t, s.table, "alice").PlayerSessionID
		client := s.knock(id, "")
		conn, buffer := <-conns, <-buffers
		require.NoError(t, conn.SetReadDeadline(time.Now()))
		_, err := conn.Read(make([]byte, 1))
		require.Error(t, err, "a deadline of one's own drops nobody")
		require.NoError(t, conn.SetReadDeadline(time.Time{}))

		client.Close()
		began := time.Now()
		require.ErrorIs(t, read(conn, buffer), io.EOF, name)
		s.until(id, hasStatus(session.StatusCompleted))
		require.GreaterOrEqual(t, time.Since(began), 900*time.Millisecond)
	}
}

// A session that ends elsewhere closes the hijacked connection, whether the
// handler has returned or not, and cancels the context while it has not.
func TestHijackEndedElsewhere(t *testing.T) {
	t.Parallel()
	for cause, end := range webEndings {
		for _, returns := range []bool{true, false} {
			conns, causes, release := make(chan net.Conn, 1), make(chan error, 1), make(chan struct{})
			s := newSite(t, plain, newTable(t, slot.Config{DuplicatePlayers: slot.DuplicatesReplace}), validator.HandlerConfig{},
				func(w http.ResponseWriter, r *http.Request) {
					conn, _, err := http.NewResponseController(w).Hijack() // as coder/websocket does
					assert.NoError(t, err)
					conns <- conn
					if !returns {
						<-r.Context().Done()
						_, err := io.WriteString(conn, "bye")
						causes <- errors.Join(context.Cause(r.Context()), err)
						<-release
					}
				})
			ps := reserve(t, s.table, "alice")
			client := s.knock(ps.PlayerSessionID, "")
			conn := <-conns
			require.NoError(t, end(s.table, ps))
			_, err := io.ReadAll(conn)
			require.Equal(t, &validator.EndedError{Cause: cause}, err)
			if !returns {
				var ended *validator.EndedError
				require.ErrorAs(t, <-causes, &ended)
				require.Equal(t, cause, ended.Cause)
			}
			close(release)
			_, _ = io.ReadAll(client)
			require.NoError(t, conn.Close())
			if cause == session.CauseReturned {
				got, err := s.table.Lookup(ps.PlayerSessionID)
				require.NoError(t, err)
				require.Equal(t, session.StatusActive, got.Status, "it is another connection's")
			}
		}
	}
}

// Who hijacks after the session has ended gets a connection that is closed, as the
// buffers' reader and writer say, too.
func TestHijackTooLate(t *testing.T) {
	t.Parallel()
	errs := make(chan error, 3)
	s := newSite(t, plain, newTable(t, slot.Config{}), validator.HandlerConfig{}, func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		conn, buffer, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		_, err = conn.Read(make([]byte, 1))
		errs <- err
		_, err = buffer.ReadByte()
		errs <- err
		_, _ = buffer.WriteString("too late")
		errs <- buffer.Flush()
	})
	id := reserve(t, s.table, "alice").PlayerSessionID
	client := s.knock(id, "")
	s.until(id, hasStatus(session.StatusActive))
	_, err := s.table.Release(id)
	require.NoError(t, err)
	for range cap(errs) {
		require.Equal(t, &validator.EndedError{Cause: session.CauseReleased}, <-errs)
	}
	rest, err := io.ReadAll(client)
	require.NoError(t, err)
	require.Empty(t, rest)
}

// Who hijacks after the handler has returned, which drops the player, gets a
// connection that is closed: nobody plays on without a seat.
func TestHijackAfterReturn(t *testing.T) {
	t.Parallel()
	writers, errs := make(chan http.ResponseWriter, 1), make(chan error, 1)
	table := newTable(t, slot.Config{})
	door := validator.New(table, validator.Config{}).Handler(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) { writers <- w }), validator.HandlerConfig{})
	s := serveSite(t, plain, table, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		door.ServeHTTP(w, r)
		conn, _, err := http.NewResponseController(<-writers).Hijack() // a goroutine of the handler's may be as late
		if assert.NoError(t, err) {
			_, err = conn.Write([]byte("too late"))
			errs <- err
		}
	}))
	id := reserve(t, s.table, "alice").PlayerSessionID
	client := s.knock(id, "")
	require.Equal(t, &validator.EndedError{Cause: session.CauseDropped}, <-errs)
	rest, err := io.ReadAll(client)
	require.NoError(t, err)
	require.Empty(t, rest)
	s.until(id, hasStatus(session.StatusCompleted))
}

// A handler that is still there when its session ends has a moment for a goodbye.
// On a busy machine that may pass, but not each time.
func TestHijackFarewell(t *testing.T) {
	t.Parallel()
	s := newSite(t, plain, newTable(t, slot.Config{}), validator.HandlerConfig{}, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if assert.NoError(t, err) {
			<-r.Context().Done()
			time.Sleep(2 * time.Millisecond) // what needs no moment would prove none
			_, _ = io.WriteString(conn, "goodbye")
			conn.Close()
		}
	})
	deadline := time.Now().Add(patience)
	for heard := ""; heard != "goodbye"; {
		require.True(t, time.Now().Before(deadline))
		id := reserve(t, s.table, "alice").PlayerSessionID
		client := s.knock(id, "")
		s.until(id, hasStatus(session.StatusActive))
		_, err := s.table.Release(id)
		require.NoError(t, err)
		all, _ := io.ReadAll(client)
		heard = string(all)
	}
}

// pipeWriter is a ResponseWriter whose connection is one end of a pipe.
type pipeWriter struct {
	http.ResponseWriter
	conn net.Conn
}

func (w *pipeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.conn, bufio.NewReadWriter(bufio.NewReader(w.conn), bufio.NewWriter(w.conn)), nil
}

// The moment for a goodbye is the handler's: once it has returned, the connection is
// closed at once.
func TestHijackNoFarewell(t *testing.T) {
	t.Parallel()
	for returns, want := range map[bool]time.Duration{true: 0, false: 50 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			table, done := newTable(t, slot.Config{}), make(chan struct{})
			door := validator.New(table, validator.Config{}).Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _, err := http.NewResponseController(w).Hijack()
				assert.NoError(t, err)
				if !returns {
					<-done
				}
			}), validator.HandlerConfig{})
			id := reserve(t, table, "alice").PlayerSessionID
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Authorization", "Bearer "+id)
			client, server := net.Pipe()
			go door.ServeHTTP(&pipeWriter{httptest.NewRecorder(), server}, r)
			synctest.Wait()

			began := time.Now()
			_, err := table.Release(id)
			require.NoError(t, err)
			_, err = client.Read(make([]byte, 1))
			require.ErrorIs(t, err, io.EOF)
			require.Equal(t, want, time.Since(began))
			close(done)
		})
	}
}

// A handler that panics has nobody left to close what it hijacked.
func TestHijackPanic(t *testing.T) {
	t.Parallel()
	s := newSite(t, plain, newTable(t, slot.Config{}), validator.HandlerConfig{}, func(w http.ResponseWriter, _ *http.Request) {
		_, _, err := http.NewResponseController(w).Hijack()
		assert.NoError(t, err)
		panic(http.ErrAbortHandler)
	})
	id := reserve(t, s.table, "alice").PlayerSessionID
	client := s.knock(id, "")
	_, err := io.ReadAll(client)
	require.NoError(t, err)
	s.until(id, hasStatus(session.StatusCompleted))
}

// A second Hijack fails as without the gate, and is no end of the first.
func TestHijackTwice(t *testing.T) {
	t.Parallel()
	conns := make(chan net.Conn, 1)
	s := newSite(t, plain, newTable(t, slot.Config{}), validator.HandlerConfig{}, func(w http.ResponseWriter, _ *http.Request) {
		controller := http.NewResponseController(w)
		conn, _, err := controller.Hijack()
		assert.NoError(t, err)
		_, _, err = controller.Hijack()
		assert.ErrorIs(t, err, http.ErrHijacked)
		conns <- conn
	})
	id := reserve(t, s.table, "alice").PlayerSessionID
	s.knock(id, "")
	conn := <-conns
	s.until(id, hasStatus(session.StatusActive))
	require.NoError(t, conn.Close())
	s.until(id, hasStatus(session.StatusCompleted))
}

// wrapped hides all that a ResponseWriter can do, but for Unwrap.
type wrapped struct{ below http.ResponseWriter }

func (w wrapped) Header() http.Header         { return w.below.Header() }
func (w wrapped) Write(p []byte) (int, error) { return w.below.Write(p) }
func (w wrapped) WriteHeader(status int)      { w.below.WriteHeader(status) }
func (w wrapped) Unwrap() http.ResponseWriter { return w.below }

// A gate behind handlers that wrap the ResponseWriter still sees what is hijacked
// through them.
func TestHijackThroughAWrapper(t *testing.T) {
	t.Parallel()
	next, conns, _ := hijacks(t)
	table := newTable(t, slot.Config{})
	gate := validator.New(table, validator.Config{}).Handler(next, validator.HandlerConfig{})
	s := serveSite(t, plain, table, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gate.ServeHTTP(wrapped{w}, r)
	}))
	id := reserve(t, s.table, "alice").PlayerSessionID
	s.knock(id, "")
	conn := <-conns
	s.until(id, hasStatus(session.StatusActive))
	require.NoError(t, conn.Close())
	s.until(id, hasStatus(session.StatusCompleted))
}

// Where nothing can be hijacked that shows as without the gate: in HTTP/2, and
// behind handlers that hide it.
func TestNothingToHijack(t *testing.T) {
	t.Parallel()
	asks := func(w http.ResponseWriter, r *http.Request) {
		_, ok := w.(http.Hijacker)
		assert.False(t, ok)
		_, _, err := http.NewResponseController(w).Hijack()
		assert.ErrorIs(t, err, http.ErrNotSupported)
		visited(w, r)
	}
	s := newSite(t, 2, newTable(t, slot.Config{}), validator.HandlerConfig{}, asks)
	status, _ := s.get(reserve(t, s.table, "alice").PlayerSessionID)
	require.Equal(t, http.StatusOK, status)

	gate := s.server.Config.Handler
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+reserve(t, s.table, "bob").PlayerSessionID)
	gate.ServeHTTP(w, r)
	require.Equal(t, "bob", w.Body.String())
}

// What a ResponseWriter can do besides goes on working.
func TestResponseController(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version int) {
		s := newSite(t, version, newTable(t, slot.Config{}), validator.HandlerConfig{}, func(w http.ResponseWriter, r *http.Request) {
			controller := http.NewResponseController(w)
			assert.NoError(t, controller.SetReadDeadline(time.Now().Add(patience)))
			assert.NoError(t, controller.SetWriteDeadline(time.Now().Add(patience)))
			if err := controller.EnableFullDuplex(); version == 1 || !errors.Is(err, http.ErrNotSupported) {
				assert.NoError(t, err)
			}
			assert.NoError(t, controller.Flush())
			w.(http.Flusher).Flush()
			for in := bufio.NewScanner(r.Body); in.Scan(); {
				_, err := io.Copy(w, strings.NewReader("heard "+in.Text()+"\n"))
				assert.NoError(t, err)
				w.(http.Flusher).Flush()
			}
		})
		in, out := io.Pipe()
		r := s.request(t.Context(), reserve(t, s.table, "alice").PlayerSessionID)
		r.Method, r.Body = http.MethodPost, in
		answer := bufio.NewScanner(s.do(r).Body) // there are headers before the body has ended
		for i := range 3 {
			_, err := fmt.Fprintln(out, i)
			require.NoError(t, err)
			require.True(t, answer.Scan())
			require.Equal(t, fmt.Sprint("heard ", i), answer.Text())
		}
		require.NoError(t, out.Close())
		require.False(t, answer.Scan())
	})
}

// noFlusher has no Flush at all.
type noFlusher struct{ wrapped }

func (noFlusher) Unwrap() http.ResponseWriter { return nil }

func (w noFlusher) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.below).Hijack()
}

// A copy goes to what the ResponseWriter below makes of it, and what it cannot do
// is reported.
func TestReadFromAndFlush(t *testing.T) {
	t.Parallel()
	copied := make(chan bool, 1)
	table := newTable(t, slot.Config{})
	gate := validator.New(table, validator.Config{}).Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, ok := w.(io.ReaderFrom)
		copied <- ok
		_, err := io.Copy(w, io.LimitReader(strings.NewReader("hello"), 4))
		assert.NoError(t, err)
		assert.ErrorIs(t, http.NewResponseController(w).Flush(), http.ErrNotSupported)
	}), validator.HandlerConfig{})
	s := serveSite(t, plain, table, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gate.ServeHTTP(noFlusher{wrapped{w}}, r)
	}))
	status, body := s.get(reserve(t, table, "alice").PlayerSessionID)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "hell", body)
	require.True(t, <-copied)
}

// A reverse proxy behind the gate: the game behind it sees no id, and loses its
// connection with the player session.
func TestReverseProxy(t *testing.T) {
	t.Parallel()
	game := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, []string{"usher"}, r.Header["Sec-Websocket-Protocol"])
		conn, buffer, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err) {
			return
		}
		defer conn.Close()
		_, _ = buffer.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_ = buffer.Flush()
		_, _ = io.Copy(conn, buffer)
	}))
	t.Cleanup(game.Close)
	behind, err := url.Parse(game.URL)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) }}
	s := newSite(t, plain, newTable(t, slot.Config{}), validator.HandlerConfig{}, proxy.ServeHTTP)

	id := reserve(t, s.table, "alice").PlayerSessionID
	header := upgrade(t)
	header.Set("Sec-WebSocket-Protocol", "usher, "+id)
	conn, in, response := s.shakeHands(header)
	require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
	send(t, conn, "echo")
	echo := make([]byte, 4)
	_, err = io.ReadFull(in, echo)
	require.NoError(t, err)
	require.Equal(t, "echo", string(echo))
	_, err = s.table.Release(id)
	require.NoError(t, err)
	_, err = io.ReadAll(in)
	require.NoError(t, err)
}
