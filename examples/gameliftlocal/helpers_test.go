package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator/gameliftapi"
)

// patient bounds what only a hang would make long.
const patient = 2 * time.Minute

// world is a fleet and its door, without the service API.
type world struct {
	*fleet
	door   *door
	end    context.CancelFunc
	client *http.Client
	url    string
}

func newWorld(t *testing.T, listener net.Listener, client *http.Client, change ...func(*fleetConfig)) *world {
	c := fleetConfig{id: "fleet-local", limits: defaultLimits}
	for _, f := range change {
		f(&c)
	}
	table, err := slot.NewTable(slot.Config{})
	require.NoError(t, err)
	w := &world{fleet: newFleet(table, c), client: client, url: "ws://" + listener.Addr().String()}
	ending, end := context.WithCancel(context.Background())
	w.door, w.end = &door{fleet: w.fleet, faults: newFaults(nil), ending: ending, log: zerolog.Nop()}, end
	server := &http.Server{Handler: w.door, ReadHeaderTimeout: patient}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		end()
		w.door.links.Wait()
		client.CloseIdleConnections()
		require.NoError(t, table.Close())
	})
	return w
}

// onSockets is a world on a port of the loopback interface.
func onSockets(t *testing.T, change ...func(*fleetConfig)) *world {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return newWorld(t, listener, &http.Client{Transport: &http.Transport{}}, change...)
}

// onPipes is a world whose time can be synctest's.
func onPipes(t *testing.T, change ...func(*fleetConfig)) *world {
	l := &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})}
	return newWorld(t, l, &http.Client{Transport: &http.Transport{DialContext: l.dial}}, change...)
}

// pipes is a listener in memory.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.accepted:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (l *pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.accepted <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// peer is a server process that speaks the protocol by itself, in order to say what
// an SDK would not.
type peer struct {
	t      *testing.T
	conn   *websocket.Conn
	frames chan map[string]any // all that came, closed with the connection
	end    error               // why, once frames is closed
}

func (w *world) dial(query url.Values) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	defer cancel()
	return websocket.Dial(ctx, w.url+"/?"+query.Encode(), &websocket.DialOptions{HTTPClient: w.client})
}

// connect opens a connection as the process id, with a token of its own unless one
// is given.
func (w *world) connect(t *testing.T, id string, token ...string) *peer {
	t.Helper()
	token = append(token, uuid.NewString())
	conn, _, err := w.dial(url.Values{
		"pID": {id}, "FleetId": {"fleet-local"}, "ComputeId": {"compute"}, "sdkLanguage": {"Go"},
		"sdkVersion": {"5.5.0"}, "IdempotencyToken": token[:1], "Authorization": {"any"},
	})
	require.NoError(t, err)
	conn.SetReadLimit(-1) // the SDKs have no limit
	p := &peer{t: t, conn: conn, frames: make(chan map[string]any, 1000)}
	go p.read()
	t.Cleanup(func() { conn.CloseNow() })
	return p
}

func (p *peer) read() {
	defer close(p.frames)
	for {
		_, text, err := p.conn.Read(context.Background())
		if err != nil {
			p.end = err
			return
		}
		var frame map[string]any
		if err := json.Unmarshal(text, &frame); err != nil {
			p.end = err
			return
		}
		p.frames <- frame
	}
}

// next is the next frame that comes.
func (p *peer) next() map[string]any {
	p.t.Helper()
	select {
	case frame, ok := <-p.frames:
		if !ok {
			require.NoError(p.t, p.end, "the connection has ended")
		}
		return frame
	case <-time.After(patient):
		require.Fail(p.t, "no frame has come")
		return nil
	}
}

// closed waits until the connection has ended, and says how.
func (p *peer) closed() websocket.StatusCode {
	p.t.Helper()
	for {
		select {
		case _, ok := <-p.frames:
			if !ok {
				return websocket.CloseStatus(p.end)
			}
		case <-time.After(patient):
			require.Fail(p.t, "the connection has not ended")
		}
	}
}

func (p *peer) write(kind websocket.MessageType, text string) {
	p.t.Helper()
	require.NoError(p.t, p.conn.Write(context.Background(), kind, []byte(text)))
}

// ask sends a request and returns its answer, which must be the next frame.
func (p *peer) ask(action string, fields map[string]any) map[string]any {
	p.t.Helper()
	q := map[string]any{"Action": action, "RequestId": uuid.NewString()}
	maps.Copy(q, fields)
	text, err := json.Marshal(q)
	require.NoError(p.t, err)
	p.write(websocket.MessageText, string(text))
	a := p.next()
	require.Equal(p.t, q["RequestId"], a["RequestId"], "%v", a)
	require.Equal(p.t, action, a["Action"])
	return a
}

func (p *peer) succeed(action string, fields map[string]any) map[string]any {
	p.t.Helper()
	a := p.ask(action, fields)
	require.Equal(p.t, http.StatusOK, status(a), "%v", a)
	require.NotContains(p.t, a, "ErrorMessage")
	return a
}

// fail sends a request that must be refused with a status and a text.
func (p *peer) fail(want int, text, action string, fields map[string]any) {
	p.t.Helper()
	a := p.ask(action, fields)
	require.Equal(p.t, want, status(a), "%v", a)
	require.Contains(p.t, a["ErrorMessage"], text)
}

func status(answer map[string]any) int {
	code, _ := answer["StatusCode"].(float64)
	return int(code)
}

// ready registers the process, and has it take messages.
func (p *peer) ready() *peer {
	p.t.Helper()
	p.succeed("ActivateServerProcess", map[string]any{"Port": 7000})
	p.beat(true)
	return p
}

func (p *peer) beat(healthy bool) {
	p.t.Helper()
	p.succeed("HeartbeatServerProcess", map[string]any{"HealthStatus": healthy})
}

// place creates a game session, as the service API does.
func (w *world) place(t *testing.T, name string) (gameliftapi.GameSession, error) {
	gs := gameliftapi.GameSession{GameSession: session.GameSession{
		GameSessionID:             gameID(name),
		Name:                      name,
		FleetID:                   "fleet-local",
		MaximumPlayerSessionCount: 4,
		Status:                    session.GameSessionActivating,
	}}
	return gs, w.Place(t.Context(), &gs)
}

func gameID(name string) string {
	return fmt.Sprintf("arn:aws:gamelift:us-west-2::gamesession/fleet-local/%s", name)
}

// host connects a process that hosts an active game session.
func (w *world) host(t *testing.T, id string) *peer {
	t.Helper()
	p := w.connect(t, id).ready()
	_, err := w.place(t, id)
	require.NoError(t, err)
	require.Equal(t, "CreateGameSession", p.next()["Action"])
	p.succeed("ActivateGameSession", map[string]any{"GameSessionId": gameID(id)})
	return p
}

func (w *world) reserve(t *testing.T, game, player string) string {
	t.Helper()
	ps, err := w.table.Reserve(slot.Reservation{GameSessionID: gameID(game), PlayerID: player})
	require.NoError(t, err)
	return ps.PlayerSessionID
}

func (w *world) status(t *testing.T, playerSessionID string) session.Status {
	t.Helper()
	ps, err := w.table.Lookup(playerSessionID)
	require.NoError(t, err)
	return ps.Status
}

func (w *world) gameStatus(t *testing.T, name string) session.GameSessionStatus {
	t.Helper()
	gs, err := w.table.GameSession(gameID(name))
	require.NoError(t, err)
	return gs.Status
}

// player names a player session of a game session.
func player(game, id string) map[string]any {
	return map[string]any{"GameSessionId": gameID(game), "PlayerSessionId": id}
}

// game is a game session as the fleet knows it.
func (w *world) game(t *testing.T, name string) (gameliftapi.GameSession, *serverProcess) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.hosts[gameID(name)]
	require.NotNil(t, p)
	return *p.game, p
}
