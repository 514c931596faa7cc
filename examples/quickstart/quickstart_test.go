package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// hasty makes the demo short. The window has to leave ann the time to return on a
// machine that stalls.
func hasty(players int) options {
	return options{
		listen:  "127.0.0.1:0",
		players: players,
		timeout: 50 * time.Millisecond,
		window:  2 * time.Second,
		grace:   10 * time.Second,
		secret:  "a secret of the tests",
	}
}

// wholeID finds a player session id that is not redacted.
var wholeID = regexp.MustCompile(`psess-[0-9a-f]{8}-`)

// The demos run side by side, however few tests may: they mostly wait.
func TestDemo(t *testing.T) {
	t.Parallel()
	inJSON := hasty(4)
	inJSON.json = true
	demos := []struct {
		options options
		colour  bool
		check   func(*testing.T, string)

		stdout, stderr bytes.Buffer
		status         int
	}{
		{options: hasty(6), check: checkWords},
		{options: inJSON, check: checkJSON},
		{options: hasty(60), colour: true, check: checkCrowd},
	}
	var running sync.WaitGroup
	for i := range demos {
		d := &demos[i]
		running.Go(func() { d.status = runDemo(t.Context(), d.options, d.colour, &d.stdout, &d.stderr) })
	}
	running.Wait()
	for i := range demos {
		d := &demos[i]
		require.Equal(t, exitOK, d.status, "%s%s", &d.stdout, &d.stderr)
		require.Empty(t, d.stderr.String())
		require.NotRegexp(t, wholeID, d.stdout.String())
		require.NotContains(t, d.stdout.String(), d.options.secret)
		d.check(t, d.stdout.String())
	}
}

func checkWords(t *testing.T, text string) {
	t.Helper()
	require.NotContains(t, text, "\x1b")
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		require.LessOrEqual(t, utf8.RuneCountInString(line), 100, line)
		require.Equal(t, strings.TrimRight(line, " "), line)
	}
	_, table, found := strings.Cut(text, "DescribePlayerSessions, asked at ")
	require.True(t, found)
	for _, row := range []string{
		`ann +psess-…[0-9a-f]{8} +ACTIVE +0 +2 +[0-9:.]{12} +-\n`,
		`bea +psess-…[0-9a-f]{8} +ACTIVE +1 +1 +[0-9:.]{12} +-\n`,
		`cem +psess-…[0-9a-f]{8} +COMPLETED +2 +1 +[0-9:.]{12} +[0-9:.]{12}\n`,
		`guest-1 +psess-…[0-9a-f]{8} +ACTIVE +3 +1 +[0-9:.]{12} +-\n`,
		`dan +psess-…[0-9a-f]{8} +COMPLETED +5 +1 +[0-9:.]{12} +[0-9:.]{12}\n`,
		`eve +psess-…[0-9a-f]{8} +TIMEDOUT +5 +0 +[0-9:.]{12} +[0-9:.]{12}\n`,
		`fay +psess-…[0-9a-f]{8} +ACTIVE +5 +1 +[0-9:.]{12} +-\n`,
		`gus +psess-…[0-9a-f]{8} +RESERVED +2 +0 +[0-9:.]{12} +-\n`,
	} {
		require.Regexp(t, row, table)
	}
	require.Contains(t, table, "9 reserved, 8 accepted, 1 returned, 8 completed, 1 timed out")
	require.Contains(t, table, "All went as it should: 35 steps")
}

func checkJSON(t *testing.T, text string) {
	t.Helper()
	var kinds, reasons []string
	statuses := make(map[string]int)
	for line := range strings.Lines(text) {
		var fields struct {
			Time         time.Time
			Kind, Reason string
			Status       string
			HTTPStatus   int `json:"http_status"`
		}
		require.NoError(t, json.Unmarshal([]byte(line), &fields), line)
		require.WithinDuration(t, time.Now(), fields.Time, time.Minute)
		kinds = append(kinds, fields.Kind)
		if fields.Reason != "" {
			reasons = append(reasons, fields.Reason)
		}
		if fields.Kind == "player_session" {
			statuses[fields.Status]++
		}
	}
	require.Equal(t, []string{
		"listening", "listening",
		"reserved", "joined", "reserved", "joined", "joined",
		"refused", "refused", "refused", "reservation_refused", "reserved", "joined", "reservation_refused",
		"completed", "refused", "reserved", "timed_out", "refused", "reserved", "joined",
		"dropped", "reservation_refused", "returned", "dropped", "completed",
		"reserved", "draining", "reservation_refused", "described", "joined", "completed", "stopped",
		"player_session", "player_session", "player_session", "player_session", "player_session", "player_session", "player_session",
		"stats", "ok",
	}, kinds)
	require.Equal(t, []string{
		"already_active", "not_found", "not_found", "full", "full", "completed", "timed_out", "full", "draining",
	}, reasons)
	require.Equal(t, map[string]int{"RESERVED": 1, "ACTIVE": 3, "COMPLETED": 2, "TIMEDOUT": 1}, statuses)
}

// More guests than one request reserves for, and than the table prints.
func checkCrowd(t *testing.T, text string) {
	t.Helper()
	require.Contains(t, text, "\x1b[32mACTIVE   \x1b[0m")
	require.Contains(t, text, "… and 39 more\n")
	require.Contains(t, text, "63 reserved")
}

// A demo that is interrupted, at whatever step, leaves nothing behind and says so.
func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	var running sync.WaitGroup
	defer running.Wait()
	for _, step := range []string{"listens for players", "joined", "reserves the last seat", "reserves his seat", "loses the connection"} {
		running.Go(func() {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			o := hasty(6)
			o.json = true
			var stderr bytes.Buffer
			stdout := writerFunc(func(p []byte) (int, error) {
				if bytes.Contains(p, []byte(step)) {
					interrupt()
				}
				return len(p), nil
			})
			assert.Equal(t, exitInterrupted, runDemo(ctx, o, false, stdout, &stderr), step)
			assert.Equal(t, "quickstart: interrupted\n", stderr.String(), step)
		})
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// The demo is worth nothing if it does not notice a server that lets everybody in.
func TestDemoNoticesAnOpenDoor(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	defer serving.Wait()
	defer l.Close()
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = bufio.NewReader(conn).ReadString('\n')
			fmt.Fprintln(conn, "welcome to seat 0")
			conn.Close()
		}
	})
	var stdout bytes.Buffer
	d := &demo{running: &running{playersAddr: l.Addr()}, timeline: &timeline{out: &stdout}}
	err = d.isRefused("mallory", "shows an id", session.NewPlayerSessionID, session.ErrAlreadyActive)(t.Context())
	require.EqualError(t, err, "mallory shows an id: got in, to seat 0, instead of being refused as already_active")
	require.Empty(t, stdout.String())
}

func TestDemoNoticesAnotherReason(t *testing.T) {
	t.Parallel()
	d := &demo{running: started(t, hasty(4)), timeline: &timeline{out: io.Discard}}
	err := d.isRefused("mallory", "shows an id", session.NewPlayerSessionID, session.ErrAlreadyActive)(t.Context())
	require.EqualError(t, err, "mallory shows an id: refused as not_found instead of already_active")

	d.matchmaker = newMatchmaker(d.backendAddr, "another secret")
	defer d.matchmaker.hangUp()
	err = d.reserves("a seat", "ann")(t.Context())
	require.EqualError(t, err, "backend reserves a seat for ann: answered 401 unauthorized with 0 player sessions")
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args   string
		status int
		says   string
	}{
		{"-h", exitOK, "Usage: quickstart [flags]"},
		{"-no-such-flag", exitUsage, "flag provided but not defined: -no-such-flag (-h tells more)"},
		{"argument", exitUsage, `there are no arguments, only flags: "argument"`},
		{"-players 3", exitUsage, "-players 3 is not enough, the demo needs 4 seats for its story"},
		{"-players 1001", exitUsage, "-players 1001 is too many, the demo plays up to 1000"},
		{"-serve -players 0", exitUsage, "-players 0 is not enough"},
		{"-reservation-timeout 0", exitUsage, "-reservation-timeout 0s is none, let it be positive"},
		{"-serve -reservation-timeout -1s", exitUsage, "-reservation-timeout -1s is none, let it be positive"},
		{"-listen nowhere", exitFailed, "after 0 steps: listen tcp: address nowhere: missing port in address"},
		{"-serve -listen nowhere", exitFailed, "listen tcp: address nowhere: missing port in address"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			require.Equal(t, test.status, run(t.Context(), strings.Fields(test.args), noEnvironment, &stdout, &stderr))
			require.Contains(t, stdout.String()+stderr.String(), test.says)
			if test.status == exitOK {
				require.Empty(t, stderr.String())
			}
		})
	}
}

func noEnvironment(string) string { return "" }

func TestDefaults(t *testing.T) {
	t.Parallel()
	demo, err := parse(nil, func(string) string { return "from the environment" })
	require.NoError(t, err)
	require.Equal(t, 2*time.Second, demo.timeout)
	require.Equal(t, 6, demo.players)
	require.Equal(t, "127.0.0.1:0", demo.listen)
	require.NotEqual(t, "from the environment", demo.secret)

	serve, err := parse([]string{"-serve"}, func(string) string { return "from the environment" })
	require.NoError(t, err)
	require.Equal(t, time.Minute, serve.timeout)
	require.Equal(t, "from the environment", serve.secret)
	require.False(t, serve.random)

	serve, err = parse([]string{"-serve", "-reservation-timeout", "5s"}, noEnvironment)
	require.NoError(t, err)
	require.Equal(t, 5*time.Second, serve.timeout)
	require.Len(t, serve.secret, 26)
	require.True(t, serve.random)
}

// -serve says where it listens, takes a player in, and drains when it is asked to
// stop.
func TestServe(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, stdout := io.Pipe()
	var stderr bytes.Buffer
	status := make(chan int, 1)
	go func() {
		status <- run(ctx, []string{"-serve", "-json", "-players", "1"}, noEnvironment, stdout, &stderr)
		stdout.Close()
	}()
	lines := bufio.NewScanner(out)
	until := func(message string) map[string]any {
		for lines.Scan() {
			require.NotRegexp(t, wholeID, lines.Text())
			var fields map[string]any
			require.NoError(t, json.Unmarshal(lines.Bytes(), &fields), lines.Text())
			if fields["message"] == message {
				return fields
			}
		}
		t.Fatalf("no line %q: %v", message, lines.Err())
		return nil
	}
	serving := until("serving")
	secret, printed := strings.CutPrefix(strings.TrimSpace(stderr.String()), "USHER_SECRET=")
	require.True(t, printed)
	players, err := net.ResolveTCPAddr("tcp", fmt.Sprint(serving["players"]))
	require.NoError(t, err)
	backend, err := net.ResolveTCPAddr("tcp", fmt.Sprint(serving["backend"]))
	require.NoError(t, err)

	// The log is a pipe: whatever makes the server speak is done beside reading it.
	m := newMatchmaker(backend, secret)
	defer m.hangUp()
	var answered answer
	var joined *client
	var failed error
	var clients sync.WaitGroup
	clients.Go(func() {
		if answered, failed = m.reserve(ctx, 0, "ann"); failed == nil && len(answered.held) == 1 {
			joined, _, _, failed = connect(ctx, players, answered.held[0].PlayerSessionID)
		}
	})
	until("player accepted")
	clients.Wait()
	require.NoError(t, failed)
	require.NotNil(t, joined)

	stop()
	until("draining: no new reservations")
	clients.Go(func() { failed = joined.quit() })
	until("stopped, nobody was cut off")
	clients.Wait()
	require.NoError(t, failed)
	require.False(t, lines.Scan())
	require.Equal(t, exitOK, <-status)
}

func TestGreeting(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"-serve", "-listen", ":0"}, noEnvironment)
	require.NoError(t, err)
	r := started(t, o)
	var out bytes.Buffer
	greet(&out, o, r)
	port := r.playersAddr.(*net.TCPAddr).Port
	require.Contains(t, out.String(), fmt.Sprintf("nc 127.0.0.1 %d\n", port))
	require.Contains(t, out.String(), "export USHER_SECRET="+o.secret+"\n")

	o.random = false
	out.Reset()
	greet(&out, o, r)
	require.NotContains(t, out.String(), o.secret, "a secret of the user's own is not ours to print")
}

// started is a server that ends with the test.
func started(t *testing.T, o options) *running {
	t.Helper()
	r, err := start(o, zerolog.Nop())
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = r.table.TerminateGameSession(gameSession)
		r.drain()
		require.NoError(t, r.drained())
	})
	return r
}

// patient holds seats for longer than a test may take.
func patient(players int) options {
	o := hasty(players)
	o.timeout, o.window = time.Hour, time.Hour
	return o
}

func TestReserve(t *testing.T) {
	t.Parallel()
	r := started(t, patient(2))
	client := http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	// One after the other: what was reserved before matters.
	for _, test := range []struct {
		name, method, path, authorization, body string

		status int
		word   string // "": player sessions
	}{
		{name: "no secret", authorization: "none", body: `[{"PlayerID":"ann"}]`, status: 401, word: "unauthorized"},
		{name: "wrong secret", authorization: "Bearer another", body: `[{"PlayerID":"ann"}]`, status: 401, word: "unauthorized"},
		{name: "a part of the secret", authorization: "Bearer a secret", body: `[{"PlayerID":"ann"}]`, status: 401, word: "unauthorized"},
		{name: "another scheme", authorization: "Basic a secret of the tests", body: `[{"PlayerID":"ann"}]`, status: 401, word: "unauthorized"},
		{name: "another method", method: http.MethodGet, status: 405, word: "Method Not Allowed"},
		{name: "another path", path: "/other", status: 404, word: "404 page not found"},
		{name: "no body", status: 400, word: "invalid_field"},
		{name: "malformed JSON", body: `[{"PlayerID":`, status: 400, word: "invalid_field"},
		{name: "not an array", body: `{"PlayerID":"ann"}`, status: 400, word: "invalid_field"},
		{name: "nobody", body: `[]`, status: 400, word: "invalid_field"},
		{name: "no name", body: `[{}]`, status: 400, word: "invalid_field"},
		{name: "not an id", body: `[{"PlayerID":"ann","PlayerSessionID":"mine"}]`, status: 400, word: "invalid_id"},
		{name: "too large", body: `[{"PlayerID":"` + strings.Repeat("a", maxParty) + `"}]`, status: 413, word: "invalid_field"},
		{name: "named twice", body: `[{"PlayerID":"ann"},{"PlayerID":"ann"}]`, status: 409, word: "duplicate"},
		{name: "a party that does not fit", body: `[{"PlayerID":"ann"},{"PlayerID":"bea"},{"PlayerID":"cem"}]`, status: 409, word: "full"},
		{name: "a party", body: `[{"PlayerID":"ann","PlayerData":"mage"},{"PlayerID":"bea"}]`, status: 200},
		{name: "the same again", body: `[{"PlayerID":"ann","PlayerData":"mage"},{"PlayerID":"bea"}]`, status: 200},
		{name: "GameLift's spelling", body: `[{"PlayerId":"bea","GameSessionId":"elsewhere"}]`, status: 200},
		{name: "one too many", body: `[{"PlayerID":"cem"}]`, status: 409, word: "full"},
	} {
		method, path, authorization := cmp.Or(test.method, http.MethodPost), cmp.Or(test.path, "/reserve"), cmp.Or(test.authorization, "Bearer a secret of the tests")
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.backendAddr.String()+path, strings.NewReader(test.body))
		require.NoError(t, err)
		if authorization != "none" {
			request.Header.Set("Authorization", authorization)
		}
		response, err := client.Do(request)
		require.NoError(t, err, test.name)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err, test.name)
		require.NoError(t, response.Body.Close())
		require.Equal(t, test.status, response.StatusCode, "%s: %s", test.name, body)
		if test.word != "" {
			require.Equal(t, test.word, strings.TrimSpace(string(body)), test.name)
			continue
		}
		var held []session.PlayerSession
		require.NoError(t, json.Unmarshal(body, &held))
		for _, ps := range held {
			require.NoError(t, ps.Validate())
			require.Equal(t, session.StatusReserved, ps.Status)
			require.Equal(t, gameSession, ps.GameSessionID)
		}
	}
	require.EqualValues(t, 2, r.table.Stats().ReservedTotal)
}

// What every refusal of the table becomes for the backend.
func TestRefusalStatus(t *testing.T) {
	t.Parallel()
	for err, status := range map[error]int{
		session.ErrInvalidField:         http.StatusBadRequest,
		session.ErrGameSessionFull:      http.StatusConflict,
		session.ErrCreationDenied:       http.StatusConflict,
		session.ErrGameSessionNotActive: http.StatusConflict,
		session.ErrOverloaded:           http.StatusServiceUnavailable,
		session.ErrDraining:             http.StatusServiceUnavailable,
		session.ErrClosed:               http.StatusServiceUnavailable,
	} {
		w := httptest.NewRecorder()
		refuse(w, &slot.PartyError{PlayerID: "ann", Err: err})
		require.Equal(t, status, w.Code, err)
		require.Equal(t, session.Reason(err)+"\n", w.Body.String())
	}
}

func TestDoor(t *testing.T) {
	t.Parallel()
	r := started(t, patient(8))
	reserve := func(t *testing.T, player, id string) string {
		t.Helper()
		ps, err := r.table.Reserve(slot.Reservation{GameSessionID: gameSession, PlayerID: player, PlayerSessionID: id})
		require.NoError(t, err)
		return ps.PlayerSessionID
	}
	longest := "psess-" + strings.Repeat("x", 122)
	for _, test := range []struct {
		name string
		send func(*testing.T) string
		want string
	}{
		{"an id", func(t *testing.T) string { t.Helper(); return reserve(t, "a", "") + "\n" }, `^welcome to seat \d$`},
		{"the longest id", func(t *testing.T) string { t.Helper(); return reserve(t, "b", longest) + "\r\n" }, `^welcome to seat \d$`},
		{"a line too long by one", func(*testing.T) string { return longest + "x\r\n" }, "^refused not_found$"},
		{"an oversized line", func(*testing.T) string { return strings.Repeat("x", 1000) + "\n" }, "^refused not_found$"},
		{"no end of it", func(*testing.T) string { return strings.Repeat("x", 1000) }, "^refused not_found$"},
		{"an empty line", func(*testing.T) string { return "\n" }, "^refused not_found$"},
		{"a space behind", func(t *testing.T) string { t.Helper(); return reserve(t, "c", "") + " \n" }, "^refused not_found$"},
		{"a stranger", func(*testing.T) string { return session.NewPlayerSessionID() + "\n" }, "^refused not_found$"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", r.playersAddr.String())
			require.NoError(t, err)
			defer conn.Close()
			_, err = io.WriteString(conn, test.send(t))
			require.NoError(t, err)
			line, err := bufio.NewReader(conn).ReadString('\n')
			require.NoError(t, err)
			require.Regexp(t, test.want, strings.TrimSuffix(line, "\n"))
		})
	}
}

// The life of a player as the server sees it: each way out of the seat, and each
// id that is shown once too often.
func TestDoorThroughALife(t *testing.T) {
	t.Parallel()
	r := started(t, patient(1))
	dropped := make(chan uint32, 1)
	defer r.table.Subscribe(func(e session.Event) {
		if e.Cause == session.CauseDropped {
			dropped <- e.PlayerSession.Generation
		}
	})()
	ps, err := r.table.Reserve(slot.Reservation{GameSessionID: gameSession, PlayerID: "ann"})
	require.NoError(t, err)
	shows := func(want string) *client {
		t.Helper()
		c, seat, word, err := connect(t.Context(), r.playersAddr, ps.PlayerSessionID)
		require.NoError(t, err)
		require.Equal(t, want, word)
		require.Zero(t, seat)
		return c
	}
	first := shows("")
	shows("already_active")
	first.drop()
	require.EqualValues(t, 1, <-dropped)

	second := shows("")
	shows("already_active")
	_, err = io.WriteString(second.conn, strings.Repeat("x", bufio.MaxScanTokenSize)) // breaks the protocol
	require.NoError(t, err)
	require.EqualValues(t, 2, <-dropped)
	second.conn.Close()

	third := shows("")
	_, err = io.WriteString(third.conn, "hello\nquit no\n")
	require.NoError(t, err)
	require.NoError(t, third.quit())
	shows("completed")

	ps, err = r.table.Lookup(ps.PlayerSessionID)
	require.NoError(t, err)
	require.Equal(t, session.StatusCompleted, ps.Status)
	require.EqualValues(t, 3, ps.Generation)
}

// bubble is a server on pipes for testing/synctest, which has its own time and
// fails a test that leaves a goroutine behind.
func bubble(t *testing.T, c slot.Config) (s *server, players, backend *pipes) {
	t.Helper()
	table, err := slot.NewTable(c)
	require.NoError(t, err)
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: gameSession, MaximumPlayerSessionCount: 2}))
	s = &server{table: table, door: validator.New(table, validator.Config{}), secret: "secret"}
	return s, newPipes(), newPipes()
}

// pipes is a listener within a process.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newPipes() *pipes {
	closed := make(chan struct{})
	return &pipes{make(chan net.Conn), closed, sync.OnceFunc(func() { close(closed) })}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) dial() net.Conn {
	near, far := net.Pipe()
	p.conns <- far
	return near
}

func (p *pipes) Close() error { p.close(); return nil }

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func TestSlowHandshake(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{"silent": "", "half a line": "psess-"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, players, backend := bubble(t, slot.Config{})
				ctx, stop := context.WithCancel(t.Context())
				served := make(chan error, 1)
				go func() { served <- s.serve(ctx, players, backend, time.Minute) }()

				began, conn := time.Now(), players.dial()
				_, err := io.WriteString(conn, sent)
				require.NoError(t, err)
				answer, err := io.ReadAll(conn)
				require.NoError(t, err)
				require.Equal(t, "refused not_found\n", string(answer))
				require.Equal(t, 5*time.Second, time.Since(began))

				stop()
				require.NoError(t, <-served)
			})
		})
	}
}

// A whole id without its line's end is none: who knows what is missing?
func TestHandshakeWithoutEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, players, backend := bubble(t, slot.Config{})
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- s.serve(ctx, players, backend, time.Minute) }()
		ps, err := s.table.Reserve(slot.Reservation{GameSessionID: gameSession, PlayerID: "ann"})
		require.NoError(t, err)

		conn := players.dial()
		_, err = io.WriteString(conn, ps.PlayerSessionID)
		require.NoError(t, err)
		answer, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.Equal(t, "refused not_found\n", string(answer))
		ps, err = s.table.Lookup(ps.PlayerSessionID)
		require.NoError(t, err)
		require.Equal(t, session.StatusReserved, ps.Status)

		stop()
		require.NoError(t, <-served, "the reservation times out")
	})
}

// Who neither leaves nor says who it is does not keep the server from stopping.
func TestGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, players, backend := bubble(t, slot.Config{})
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- s.serve(ctx, players, backend, time.Minute) }()
		ps, err := s.table.Reserve(slot.Reservation{GameSessionID: gameSession, PlayerID: "ann"})
		require.NoError(t, err)
		conn := players.dial()
		lines := bufio.NewReader(conn)
		_, err = io.WriteString(conn, ps.PlayerSessionID+"\n")
		require.NoError(t, err)
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "welcome to seat 0\n", line)

		began := time.Now()
		stop()
		synctest.Wait()
		late, idle := players.dial(), backend.dial()
		_, err = lines.ReadString('\n')
		require.ErrorIs(t, err, io.EOF)
		require.ErrorIs(t, <-served, context.DeadlineExceeded)
		require.WithinDuration(t, began.Add(time.Minute), time.Now(), time.Second)
		for _, conn := range []net.Conn{late, idle} {
			_, err = io.Copy(io.Discard, conn)
			require.NoError(t, err)
		}
		_, err = s.door.AcceptPlayerSession(ps.PlayerSessionID)
		require.ErrorIs(t, err, session.ErrClosed)
	})
}

// A listener that fails for a while does not close the door for good.
func TestAcceptFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, players, backend := bubble(t, slot.Config{})
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		failing := &exhausted{pipes: players, times: 3}
		go func() { served <- s.serve(ctx, failing, backend, time.Minute) }()
		conn := players.dial()
		_, err := io.WriteString(conn, "\n")
		require.NoError(t, err)
		answer, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.Equal(t, "refused not_found\n", string(answer))
		stop()
		require.NoError(t, <-served)
	})
}

type exhausted struct {
	*pipes
	times int
}

func (e *exhausted) Accept() (net.Conn, error) {
	if e.times--; e.times >= 0 {
		return nil, syscall.EMFILE
	}
	return e.pipes.Accept()
}

func TestIsTerminal(t *testing.T) {
	t.Parallel()
	require.False(t, isTerminal(new(bytes.Buffer)))
	f, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	defer f.Close()
	require.False(t, isTerminal(f))
}
