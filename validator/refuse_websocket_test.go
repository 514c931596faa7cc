package validator_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// upgrade is the handshake of RFC 6455, section 1.3.
func upgrade(t testing.TB) http.Header {
	t.Helper()
	return http.Header{
		"Connection":             {"keep-alive, Upgrade"},
		"Upgrade":                {"websocket"},
		"Sec-Websocket-Version":  {"13"},
		"Sec-Websocket-Key":      {"dGhlIHNhbXBsZSBub25jZQ=="},
		"Sec-Websocket-Protocol": {"usher, " + session.NewPlayerSessionID()},
	}
}

// refuses is a server that lets nobody in.
func refuses(t *testing.T) *site {
	t.Helper()
	return newSite(t, plain, newTable(t, slot.Config{}), validator.HandlerConfig{Refuse: validator.RefuseWebSocket}, visited)
}

// shakeHands sends a handshake, and reads the answer to it.
func (s *site) shakeHands(header http.Header) (net.Conn, *bufio.Reader, *http.Response) {
	s.Helper()
	conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
	require.NoError(s, err)
	s.Cleanup(func() { conn.Close() })
	require.NoError(s, conn.SetDeadline(time.Now().Add(patience)))
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.server.URL, nil)
	require.NoError(s, err)
	r.Header = header
	require.NoError(s, r.Write(conn))
	in := bufio.NewReader(conn)
	response, err := http.ReadResponse(in, r)
	require.NoError(s, err)
	s.Cleanup(func() { response.Body.Close() })
	return conn, in, response
}

const goodbye = "\x88\x0b\x11\x31not_found" // 4401

func TestRefuseWebSocket(t *testing.T) {
	t.Parallel()
	s := refuses(t)
	fastest := patience
	for offered, selected := range map[string]string{
		"usher, psess-x":       "usher",
		"chat, usher, psess-x": "chat",
		"psess-x, usher":       "usher",
		"psess-x":              "",
		"":                     "",
	} {
		header := upgrade(t)
		header.Set("Sec-WebSocket-Protocol", offered)
		conn, in, response := s.shakeHands(header)
		began := time.Now()
		require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
		require.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", response.Header.Get("Sec-WebSocket-Accept"), "as in RFC 6455")
		require.Equal(t, "websocket", response.Header.Get("Upgrade"))
		require.Equal(t, "Upgrade", response.Header.Get("Connection"))
		require.Equal(t, selected, response.Header.Get("Sec-WebSocket-Protocol"))
		frame, err := io.ReadAll(in)
		require.NoError(t, err, "and no more")
		require.Equal(t, goodbye, string(frame))
		fastest = min(fastest, time.Since(began))
		conn.Close()
	}
	require.Less(t, fastest, 500*time.Millisecond, "no client has to wait for the end")
}

// Called with a request that no gate has seen it echoes no id either.
func TestRefuseWebSocketByItself(t *testing.T) {
	t.Parallel()
	s := serveSite(t, plain, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		validator.RefuseWebSocket(w, r, session.ErrPlayerSessionNotFound)
	}))
	header := upgrade(t)
	header["Sec-Websocket-Protocol"] = []string{"psess-x", "usher"}
	_, in, response := s.shakeHands(header)
	require.Equal(t, "usher", response.Header.Get("Sec-WebSocket-Protocol"))
	frame, err := io.ReadAll(in)
	require.NoError(t, err)
	require.Equal(t, goodbye, string(frame))
}

// What is no handshake by RFC 6455 gets the problem document, over HTTP/2 anything.
func TestRefuseWebSocketWithoutOne(t *testing.T) {
	t.Parallel()
	s := refuses(t)
	for name, spoil := range map[string]func(http.Header){
		"no upgrade":     func(h http.Header) { h.Del("Upgrade") },
		"another one":    func(h http.Header) { h.Set("Upgrade", "h2c") },
		"no connection":  func(h http.Header) { h.Del("Connection") },
		"old version":    func(h http.Header) { h.Set("Sec-WebSocket-Version", "8") },
		"no key":         func(h http.Header) { h.Del("Sec-WebSocket-Key") },
		"short key":      func(h http.Header) { h.Set("Sec-WebSocket-Key", "c2hvcnQ=") },
		"not in base 64": func(h http.Header) { h.Set("Sec-WebSocket-Key", strings.Repeat("*", 24)) },
	} {
		header := upgrade(t)
		spoil(header)
		_, _, response := s.shakeHands(header)
		require.Equal(t, http.StatusUnauthorized, response.StatusCode, name)
		require.Equal(t, "application/problem+json", response.Header.Get("Content-Type"), name)
	}
	r := s.request(t.Context(), "psess-x")
	r.Method, r.Header = http.MethodPost, upgrade(t)
	require.Equal(t, http.StatusUnauthorized, s.do(r).StatusCode)

	second := newSite(t, 2, s.table, validator.HandlerConfig{Refuse: validator.RefuseWebSocket}, visited)
	status, body := second.get("psess-x")
	require.Equal(t, http.StatusUnauthorized, status)
	require.Contains(t, body, `"reason":"not_found"`)
}

// A client that does not hang up, and one that talks on, are hung up on.
func TestRefuseWebSocketPatience(t *testing.T) {
	t.Parallel()
	s := refuses(t)
	for _, talks := range []bool{false, true} {
		conn, in, response := s.shakeHands(upgrade(t))
		require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
		began := time.Now()
		if talks {
			go func() { _, _ = io.Copy(conn, endless{}) }()
		}
		frame, err := io.ReadAll(in)
		require.NoError(t, err)
		require.Equal(t, goodbye, string(frame))
		require.Eventually(t, func() bool { // its own end is open still
			_, err := conn.Write([]byte("x"))
			return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
		}, patience, time.Millisecond)
		require.GreaterOrEqual(t, time.Since(began), 900*time.Millisecond)
	}
}

// endless is a client that does not stop talking.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// One that has hung up already needs no goodbye.
func TestRefuseWebSocketToNobody(t *testing.T) {
	t.Parallel()
	s := refuses(t)
	for range 20 {
		conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
		require.NoError(t, err)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL, nil)
		require.NoError(t, err)
		r.Header = upgrade(t)
		require.NoError(t, r.Write(conn))
		require.NoError(t, conn.(*net.TCPConn).SetLinger(0))
		require.NoError(t, conn.Close())
	}
	status, _ := s.get("psess-x")
	require.Equal(t, http.StatusUnauthorized, status)
}
