package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/gamelift"
	"github.com/stretchr/testify/require"
)

// emulator is gameliftlocal on a port of its own.
type emulator struct {
	*server
	address string
	log     *logBuffer
	end     context.CancelFunc
	ended   chan error
}

// emulate starts gameliftlocal with these flags; env are the lines of its
// environment.
func emulate(t *testing.T, env map[string]string, change func(*options), args ...string) *emulator {
	t.Helper()
	o, err := parse(append([]string{"-listen", "127.0.0.1:0", "-log-format", "json"}, args...), func(k string) string { return env[k] })
	require.NoError(t, err)
	if change != nil {
		change(&o)
	}
	listener, err := net.Listen("tcp", o.listen)
	require.NoError(t, err)
	e := &emulator{address: listener.Addr().String(), log: new(logBuffer), ended: make(chan error, 1)}
	e.server, err = newServer(o, newLog(o.logFormat, false, e.log))
	require.NoError(t, err)
	ctx, end := context.WithCancel(context.Background())
	e.end = end
	go func() { e.ended <- e.serve(ctx, listener) }()
	t.Cleanup(func() {
		e.stop(t)
		require.NotRegexp(t, wholeID, e.log.String(), "player session ids are redacted in the log")
	})
	return e
}

var wholeID = regexp.MustCompile(`psess-[0-9a-f]{8}-`)

// stop ends the emulator, as Ctrl-C does, and waits until it has ended.
func (e *emulator) stop(t *testing.T) {
	t.Helper()
	e.end()
	select {
	case err := <-e.ended:
		e.ended <- nil // for who asks again
		require.NoError(t, err)
	case <-time.After(patient):
		require.Fail(t, "gameliftlocal has not ended")
	}
}

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// aws is an AWS SDK whose endpoint is the emulator.
func (e *emulator) aws(key, secret string) *gamelift.Client {
	return gamelift.New(gamelift.Options{
		BaseEndpoint: aws.String("http://" + e.address),
		Region:       "us-west-2",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: key, SecretAccessKey: secret}, nil
		}),
	})
}

// build builds a game server with a version of Amazon's server SDK.
func build(t *testing.T, version string) string {
	t.Helper()
	modfile := map[string]string{"5.4.0": "v5.4.0.mod", "5.5.0": "go.mod"}[version]
	binary := filepath.Join(t.TempDir(), "gameserver")
	cmd := exec.Command("go", "build", "-modfile="+modfile, "-o", binary, ".")
	cmd.Dir = filepath.Join("testdata", "gameserver")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}

// gameServer is a process with Amazon's server SDK, see testdata/gameserver.
type gameServer struct {
	t     *testing.T
	id    string
	cmd   *exec.Cmd
	stdin io.Writer
	mu    sync.Mutex
	lines map[string]chan said
}

// said is a line that a game server prints.
type said struct {
	Event, Error, Version, Reason, Ticket, NextToken string

	Game struct {
		GameSessionID   string `json:"GameSessionId"`
		Name            string
		GameSessionData string
		MatchmakerData  string
		FleetID         string `json:"FleetId"`
		IPAddress       string `json:"IpAddress"`
		Port            int
		GameProperties  map[string]string

		MaximumPlayerSessionCount int
	}
	Players []struct {
		PlayerID        string `json:"PlayerId"`
		PlayerSessionID string `json:"PlayerSessionId"`
		PlayerData      string
		Status          string
		CreationTime    int64
		TerminationTime int64
	}
}

// launch starts a game server, which calls InitSDK and ProcessReady.
func launch(t *testing.T, e *emulator, binary, id string, args ...string) *gameServer {
	t.Helper()
	return start(t, id, exec.Command(binary, append([]string{"-url", "ws://" + e.address, "-id", id}, args...)...))
}

func start(t *testing.T, id string, cmd *exec.Cmd) *gameServer {
	t.Helper()
	g := &gameServer{t: t, id: id, cmd: cmd, lines: map[string]chan said{}}
	g.cmd.Stderr = os.Stderr
	stdin, err := g.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := g.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, g.cmd.Start())
	g.stdin = stdin
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.read(stdout)
	}()
	t.Cleanup(func() {
		_ = g.cmd.Process.Kill()
		<-done
		_ = g.cmd.Wait()
	})
	return g
}

func (g *gameServer) read(stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l said
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			l = said{Event: "unreadable", Error: lines.Text()}
		}
		g.said(l.Event) <- l
	}
}

func (g *gameServer) said(event string) chan said {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lines[event] == nil {
		g.lines[event] = make(chan said, 1000)
	}
	return g.lines[event]
}

// wait returns the next line of an event.
func (g *gameServer) wait(event string) said {
	g.t.Helper()
	select {
	case l := <-g.said(event):
		return l
	case <-time.After(patient):
		require.Failf(g.t, "the game server has not said it", "%s: %s", g.id, event)
		return said{}
	}
}

// do has a command carried out.
func (g *gameServer) do(command string) said {
	g.t.Helper()
	_, err := fmt.Fprintln(g.stdin, command)
	require.NoError(g.t, err)
	name, _, _ := strings.Cut(command, " ")
	return g.wait(name)
}

func (g *gameServer) succeed(command string) said {
	g.t.Helper()
	l := g.do(command)
	require.Empty(g.t, l.Error)
	return l
}

// The names that the server SDK has for errors, of those that are tested.
const (
	sdkBadRequest = "Bad request exception."
	sdkForbidden  = "Forbidden exception."
	sdkNotFound   = "Not found exception."
	sdkInternal   = "Internal service exception."
)

// fail has a command carried out that must be refused, with an error of that name.
func (g *gameServer) fail(name, text, command string) {
	g.t.Helper()
	l := g.do(command)
	require.Contains(g.t, l.Error, "ErrorName={"+name+"}")
	require.Contains(g.t, l.Error, text)
}

// ready waits until the process is registered.
func (g *gameServer) ready() *gameServer {
	g.t.Helper()
	require.Empty(g.t, g.wait("ready").Error)
	return g
}

// postJSON calls the service API as older SDKs and command-line tools do.
func (e *emulator) postJSON(t *testing.T, operation string, input any) (int, map[string]any) {
	t.Helper()
	body, err := json.Marshal(input)
	require.NoError(t, err)
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+e.address+"/", bytes.NewReader(body))
	require.NoError(t, err)
	q.Header.Set("Content-Type", "application/x-amz-json-1.1")
	q.Header.Set("X-Amz-Target", "GameLift."+operation)
	r, err := http.DefaultClient.Do(q)
	require.NoError(t, err)
	defer r.Body.Close()
	var output map[string]any
	require.NoError(t, json.NewDecoder(r.Body).Decode(&output))
	return r.StatusCode, output
}
