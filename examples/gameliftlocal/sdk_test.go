package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/gamelift"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// TestServerSDK is what a game server with Amazon's server SDK and a backend see,
// with each version.
func TestServerSDK(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"5.4.0", "5.5.0"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			binary := build(t, version)
			for name, test := range map[string]func(t *testing.T, binary string){
				"life":                     life,
				"force terminate":          forceTerminate,
				"timeout":                  timeout,
				"two servers and a crash":  twoServersAndACrash,
				"reconnect":                reconnect,
				"match backfill":           matchBackfill,
				"what the cloud alone has": whatTheCloudAloneHas,
				"injected faults":          injectedFaults,
				"wrong fleet":              wrongFleet,
				"environment":              environmentOfTheProcess,
				"signed connection":        signedConnection,
				"shutdown":                 shutdown,
				"checked credentials":      checkedCredentials,
			} {
				t.Run(name, func(t *testing.T) { test(t, binary) })
			}
		})
	}
}

// eachWire runs a test on both wires of the service API.
func eachWire(t *testing.T, change func(*options), test func(t *testing.T, e *emulator, b backend)) {
	t.Helper()
	t.Parallel()
	t.Run("cbor", func(t *testing.T) {
		t.Parallel()
		e := emulate(t, nil, change)
		test(t, e, cborBackend{t, e.aws("any", "any")})
	})
	t.Run("json", func(t *testing.T) {
		t.Parallel()
		e := emulate(t, nil, change)
		test(t, e, jsonBackend{t, e})
	})
}

// hosted launches a process and has it host an active game session.
func hosted(t *testing.T, e *emulator, b backend, binary, id string) (*gameServer, string) {
	t.Helper()
	g := launch(t, e, binary, id).ready()
	game, exception := b.createGameSession(id)
	require.Empty(t, exception)
	require.Equal(t, game, g.wait("start").Game.GameSessionID)
	g.succeed("activate")
	return g, game
}

func reserved(t *testing.T, b backend, game, player string) string {
	t.Helper()
	id, exception := b.createPlayerSession(game, player, playerData)
	require.Empty(t, exception)
	return id
}

// becomes waits until a status is what it is to be.
func becomes(t *testing.T, want string, status func() string) {
	t.Helper()
	require.Eventually(t, func() bool { return status() == want }, patient, 20*time.Millisecond, "it never is %s", want)
}

func life(t *testing.T, binary string) {
	eachWire(t, func(o *options) { o.matchmakerData = matchmakerData }, func(t *testing.T, e *emulator, b backend) {
		_, exception := b.createGameSession("none")
		require.Equal(t, "FleetCapacityExceededException", exception)

		g := launch(t, e, binary, "p-1", "-port", "7001").ready()
		game, exception := b.createGameSession("ünï <match>")
		require.Empty(t, exception)
		started := g.wait("start").Game
		require.Equal(t, game, started.GameSessionID)
		require.Equal(t, []string{"ünï <match>", gameData, matchmakerData},
			[]string{started.Name, started.GameSessionData, started.MatchmakerData})
		require.Equal(t, gameProperties, started.GameProperties)
		require.Equal(t, 4, started.MaximumPlayerSessionCount)
		require.Equal(t, 7001, started.Port)
		require.Equal(t, "127.0.0.1", started.IPAddress)

		require.Equal(t, "ACTIVATING", b.gameStatus(game))
		_, exception = b.createPlayerSession(game, "early", playerData)
		require.Equal(t, "InvalidGameSessionStatusException", exception)
		g.succeed("activate")
		require.Equal(t, "ACTIVE", b.gameStatus(game))

		ann := reserved(t, b, game, "ann")
		require.Equal(t, "RESERVED", b.playerStatus(ann))
		g.succeed("accept " + ann)
		require.Equal(t, "ACTIVE", b.playerStatus(ann))
		g.fail(sdkBadRequest, "PlayerSession ("+ann+") has a status of ACTIVE instead of RESERVED", "accept "+ann)

		began := time.Now()
		bob := reserved(t, b, game, "bob")
		players := g.succeed("describe {}").Players
		require.Len(t, players, 2)
		require.Equal(t, []string{"ann", ann, playerData, "ACTIVE"},
			[]string{players[0].PlayerID, players[0].PlayerSessionID, players[0].PlayerData, players[0].Status})
		require.Equal(t, bob, players[1].PlayerSessionID)
		require.InDelta(t, began.UnixMilli(), players[1].CreationTime, float64(patient.Milliseconds()), "milliseconds")
		require.Zero(t, players[1].TerminationTime)

		g.succeed("remove " + ann)
		require.Equal(t, "COMPLETED", b.playerStatus(ann))
		g.fail(sdkBadRequest, "PlayerSession ("+ann+") has a status of COMPLETED instead of RESERVED", "accept "+ann)
		g.fail(sdkNotFound, "was not found", "accept psess-invented")

		g.succeed("policy DENY_ALL")
		_, exception = b.createPlayerSession(game, "late", playerData)
		require.Equal(t, "InvalidGameSessionStatusException", exception)
		g.succeed("accept " + bob)
		g.succeed("policy ACCEPT_ALL")
		reserved(t, b, game, "late")

		require.Empty(t, b.updateGameSession(game, "renamed", map[string]string{"mode": "coop", "more": "yes"}))
		updated := g.wait("update")
		require.Equal(t, []string{"renamed", gameData, matchmakerData},
			[]string{updated.Game.Name, updated.Game.GameSessionData, updated.Game.MatchmakerData})
		require.Equal(t, map[string]string{"mode": "coop", "more": "yes", "ключ": "значение"}, updated.Game.GameProperties)
		require.Equal(t, "UNKNOWN", updated.Reason)

		require.Empty(t, b.terminateGameSession(game, "TRIGGER_ON_PROCESS_TERMINATE"))
		g.wait("terminate")
		require.Equal(t, "TERMINATING", b.gameStatus(game))
		require.Equal(t, "ACTIVE", b.playerStatus(bob), "the process may still save its state")
		g.succeed("ending")
		g.succeed("destroy")
		require.Equal(t, "TERMINATED", b.gameStatus(game))
		require.Equal(t, "COMPLETED", b.playerStatus(bob))
		_, exception = b.createGameSession("none")
		require.Equal(t, "FleetCapacityExceededException", exception)
	})
}

func forceTerminate(t *testing.T, binary string) {
	eachWire(t, nil, func(t *testing.T, e *emulator, b backend) {
		g, game := hosted(t, e, b, binary, "p-1")
		ann := reserved(t, b, game, "ann")
		g.succeed("accept " + ann)
		require.Empty(t, b.terminateGameSession(game, "FORCE_TERMINATE"))
		require.Equal(t, "TERMINATED", b.gameStatus(game))
		require.Equal(t, "COMPLETED", b.playerStatus(ann))
		g.wait("terminate")
		g.succeed("ending")
	})
}

func timeout(t *testing.T, binary string) {
	eachWire(t, func(o *options) { o.reservationTimeout = 300 * time.Millisecond }, func(t *testing.T, e *emulator, b backend) {
		g, game := hosted(t, e, b, binary, "p-1")
		ann := reserved(t, b, game, "ann")
		becomes(t, "TIMEDOUT", func() string { return b.playerStatus(ann) })
		g.fail(sdkBadRequest, "PlayerSession ("+ann+") has a status of TIMEDOUT instead of RESERVED", "accept "+ann)
		for i := range 4 { // her seat is free
			reserved(t, b, game, fmt.Sprint("other", i))
		}
	})
}

func twoServersAndACrash(t *testing.T, binary string) {
	eachWire(t, func(o *options) { o.limits.absence = time.Second }, func(t *testing.T, e *emulator, b backend) {
		one, first := hosted(t, e, b, binary, "p-1")
		two, second := hosted(t, e, b, binary, "p-2")
		ann, bob := reserved(t, b, first, "ann"), reserved(t, b, second, "bob")

		two.fail(sdkNotFound, "was not found in this game session", "accept "+ann)
		two.fail(sdkNotFound, "was not found in this game session", "remove "+ann)
		require.Equal(t, "RESERVED", b.playerStatus(ann))
		require.Contains(t, e.log.String(), `"reason":"PlayerSession (`+session.Redact(ann)+`) was not found in this game session"`)
		require.Empty(t, two.succeed(`describe {"PlayerId":"ann"}`).Players)
		two.fail(sdkNotFound, "not", `describe {"PlayerSessionId":"`+ann+`"}`)
		two.fail(sdkNotFound, "does not host", `describe {"GameSessionId":"`+first+`"}`)
		one.succeed("accept " + ann)
		two.succeed("accept " + bob)

		require.NoError(t, one.cmd.Process.Signal(syscall.SIGKILL))
		becomes(t, "TERMINATED", func() string { return b.gameStatus(first) })
		require.Equal(t, "COMPLETED", b.playerStatus(ann))
		require.Equal(t, "ACTIVE", b.playerStatus(bob))
		two.succeed("remove " + bob)
		_, exception := b.createPlayerSession(first, "late", playerData)
		require.Equal(t, "InvalidGameSessionStatusException", exception)
	})
}

func reconnect(t *testing.T, binary string) {
	t.Parallel()
	e := emulate(t, nil, nil)
	b := jsonBackend{t, e}
	g, game := hosted(t, e, b, binary, "p-1")
	e.fleet.mu.Lock()
	old := e.fleet.processes["p-1"].link
	e.fleet.mu.Unlock()
	old.conn.CloseNow()
	require.Eventually(t, func() bool {
		e.fleet.mu.Lock()
		defer e.fleet.mu.Unlock()
		p := e.fleet.processes["p-1"]
		return p != nil && p.link != nil && p.link != old
	}, patient, time.Millisecond)
	g.succeed("accept " + reserved(t, b, game, "ann"))
	require.Equal(t, "ACTIVE", b.gameStatus(game))
}

func matchBackfill(t *testing.T, binary string) {
	t.Parallel()
	refusing := emulate(t, nil, nil)
	g, _ := hosted(t, refusing, jsonBackend{t, refusing}, binary, "p-1")
	g.fail(sdkForbidden, "-backfill=accept", "backfill ticket-1")
	g.fail(sdkForbidden, "-backfill=accept", "stop-backfill ticket-1")

	accepting := emulate(t, nil, nil, "-backfill=accept")
	g, game := hosted(t, accepting, jsonBackend{t, accepting}, binary, "p-1")
	require.Equal(t, "ticket-1", g.succeed("backfill ticket-1").Ticket)
	g.fail(sdkNotFound, "TicketId", "stop-backfill ticket-2")
	g.succeed("stop-backfill ticket-1")
	cancelled := g.wait("update")
	require.Equal(t, "BACKFILL_CANCELLED", cancelled.Reason)
	require.Equal(t, "ticket-1", cancelled.Ticket)
	require.Equal(t, game, cancelled.Game.GameSessionID)
	require.NotEmpty(t, g.succeed("backfill").Ticket, "one is made up")
	require.Contains(t, accepting.log.String(), "match backfill accepted")
}

func whatTheCloudAloneHas(t *testing.T, binary string) {
	t.Parallel()
	e := emulate(t, nil, nil)
	g := launch(t, e, binary, "p-1").ready()
	g.fail(sdkNotFound, "no compute certificates", "certificate")
	g.fail(sdkForbidden, "no fleet role", "credentials")
}

func injectedFaults(t *testing.T, binary string) {
	t.Parallel()
	e := emulate(t, nil, nil, "-fault", "AcceptPlayerSession=50%", "-fault", "RemovePlayerSession=200ms")
	b := jsonBackend{t, e}
	g, game := hosted(t, e, b, binary, "p-1")
	ann, bob := reserved(t, b, game, "ann"), reserved(t, b, game, "bob")
	g.succeed("accept " + ann)
	g.fail(sdkInternal, "-fault", "accept "+bob)
	require.Equal(t, "RESERVED", b.playerStatus(bob), "what fails does nothing")
	require.Contains(t, e.log.String(), `"reason":"a fault that gameliftlocal was asked for`)
	g.succeed("accept " + bob)
	began := time.Now()
	g.succeed("remove " + ann)
	require.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond)
}

func wrongFleet(t *testing.T, binary string) {
	t.Parallel()
	e := emulate(t, nil, nil)
	g := launch(t, e, binary, "p-1", "-fleet", "fleet-other")
	require.Contains(t, g.wait("ready").Error, "FleetId must be fleet-local")
}

func environmentOfTheProcess(t *testing.T, binary string) {
	t.Parallel()
	e := emulate(t, nil, nil)
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), "GAMELIFT_SDK_WEBSOCKET_URL=ws://"+e.address, "GAMELIFT_SDK_FLEET_ID=fleet-local",
		"GAMELIFT_SDK_HOST_ID=laptop", "GAMELIFT_SDK_PROCESS_ID=server-1", "GAMELIFT_SDK_AUTH_TOKEN=any")
	start(t, "server-1", cmd).ready()
	require.Contains(t, e.log.String(), `"compute":"laptop"`)
}

func signedConnection(t *testing.T, binary string) {
	t.Parallel()
	e := emulate(t, nil, nil)
	launch(t, e, binary, "p-1", "-key", "AKIDEXAMPLE").ready()
}

func shutdown(t *testing.T, binary string) {
	t.Parallel()
	e := emulate(t, nil, nil)
	g, _ := hosted(t, e, jsonBackend{t, e}, binary, "p-1")
	e.end()
	g.wait("terminate")
	g.succeed("ending")
	e.stop(t)
}

func checkedCredentials(t *testing.T, binary string) {
	t.Parallel()
	e := emulate(t, map[string]string{
		"GAMELIFTLOCAL_ACCESS_KEY_ID": "AKIDEXAMPLE", "GAMELIFTLOCAL_SECRET_ACCESS_KEY": "secret", "GAMELIFTLOCAL_AUTH_TOKEN": "token",
	}, nil)
	g := launch(t, e, binary, "p-1", "-token", "token").ready()
	_, err := e.aws("AKIDEXAMPLE", "wrong").CreateGameSession(context.Background(), &gamelift.CreateGameSessionInput{
		FleetId: aws.String("fleet-local"), MaximumPlayerSessionCount: aws.Int32(1),
	})
	require.Error(t, err)
	_, exception := cborBackend{t, e.aws("AKIDEXAMPLE", "secret")}.createGameSession("one")
	require.Empty(t, exception)
	g.wait("start")
	status, _ := e.postJSON(t, "CreateGameSession", map[string]any{"FleetId": "fleet-local", "MaximumPlayerSessionCount": 1})
	require.NotEqual(t, http.StatusOK, status, "it is not signed")
}

func TestMaxPlayers(t *testing.T) {
	t.Parallel()
	e := emulate(t, nil, nil, "-auto-activate", "-max-players", "3")
	_, exception := jsonBackend{t, e}.createGameSession("four")
	require.Equal(t, "InvalidRequestException", exception)
}

func TestAutoActivateIsForBackendsAlone(t *testing.T) {
	t.Parallel()
	e := emulate(t, nil, nil, "-auto-activate")
	for _, b := range []backend{cborBackend{t, e.aws("any", "any")}, jsonBackend{t, e}} {
		game, exception := b.createGameSession("one")
		require.Empty(t, exception)
		require.Equal(t, session.GameSessionActive.String(), b.gameStatus(game))
		require.Equal(t, "RESERVED", b.playerStatus(reserved(t, b, game, "ann")))
		require.Empty(t, b.terminateGameSession(game, "FORCE_TERMINATE"))
		require.Equal(t, "TERMINATED", b.gameStatus(game))
	}
}
