package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/gamelift"
	"github.com/aws/aws-sdk-go-v2/service/gamelift/types"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// backend is one of the wires that the service API is called on. What it returns
// besides is the name of the exception.
type backend interface {
	createGameSession(name string) (id, exception string)
	createPlayerSession(game, player, data string) (id, exception string)
	updateGameSession(game, name string, properties map[string]string) (exception string)
	terminateGameSession(game, mode string) (exception string)
	gameStatus(game string) string
	playerStatus(id string) string
}

const (
	gameData       = "{\"map\": \"<b>ümläut & 🎲</b>\\n\"}"
	matchmakerData = `{"matchId":"m-1","teams":[{"name":"red","players":[{"playerId":"ann"}]}]}`
	playerData     = "ann's <data>"
)

var gameProperties = map[string]string{"mode": "duel & more", "ключ": "значение"}

// cborBackend is aws-sdk-go-v2.
type cborBackend struct {
	t      *testing.T
	client *gamelift.Client
}

func exceptionOf(err error) string {
	var e interface{ ErrorCode() string }
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func (b cborBackend) createGameSession(name string) (string, string) {
	q := &gamelift.CreateGameSessionInput{
		FleetId: aws.String("fleet-local"), Name: &name, MaximumPlayerSessionCount: aws.Int32(4), GameSessionData: aws.String(gameData),
	}
	for k, v := range gameProperties {
		q.GameProperties = append(q.GameProperties, types.GameProperty{Key: &k, Value: &v})
	}
	r, err := b.client.CreateGameSession(b.t.Context(), q)
	if err != nil {
		return "", exceptionOf(err)
	}
	return *r.GameSession.GameSessionId, ""
}

func (b cborBackend) createPlayerSession(game, player, data string) (string, string) {
	r, err := b.client.CreatePlayerSession(b.t.Context(), &gamelift.CreatePlayerSessionInput{GameSessionId: &game, PlayerId: &player, PlayerData: &data})
	if err != nil {
		return "", exceptionOf(err)
	}
	return *r.PlayerSession.PlayerSessionId, ""
}

func (b cborBackend) updateGameSession(game, name string, properties map[string]string) string {
	q := &gamelift.UpdateGameSessionInput{GameSessionId: &game, Name: &name}
	for k, v := range properties {
		q.GameProperties = append(q.GameProperties, types.GameProperty{Key: &k, Value: &v})
	}
	_, err := b.client.UpdateGameSession(b.t.Context(), q)
	return exceptionOf(err)
}

func (b cborBackend) terminateGameSession(game, mode string) string {
	_, err := b.client.TerminateGameSession(b.t.Context(), &gamelift.TerminateGameSessionInput{GameSessionId: &game, TerminationMode: types.TerminationMode(mode)})
	return exceptionOf(err)
}

func (b cborBackend) gameStatus(game string) string {
	r, err := b.client.DescribeGameSessions(b.t.Context(), &gamelift.DescribeGameSessionsInput{GameSessionId: &game})
	require.NoError(b.t, err)
	require.Len(b.t, r.GameSessions, 1)
	return string(r.GameSessions[0].Status)
}

func (b cborBackend) playerStatus(id string) string {
	r, err := b.client.DescribePlayerSessions(b.t.Context(), &gamelift.DescribePlayerSessionsInput{PlayerSessionId: &id})
	require.NoError(b.t, err)
	require.Len(b.t, r.PlayerSessions, 1)
	return string(r.PlayerSessions[0].Status)
}

// jsonBackend is AWS JSON 1.1, by hand.
type jsonBackend struct {
	t *testing.T
	*emulator
}

// call returns a part of the output, or the exception.
func (b jsonBackend) call(operation, part string, input map[string]any) (any, string) {
	status, output := b.postJSON(b.t, operation, input)
	if status != http.StatusOK {
		exception, _ := output["__type"].(string)
		require.NotEmpty(b.t, exception, "%v", output)
		return nil, exception
	}
	return output[part], ""
}

// field is a field of what call returned.
func field(t *testing.T, of any, name string) string {
	if of == nil {
		return ""
	}
	fields, ok := of.(map[string]any)
	require.True(t, ok, "%v", of)
	text, _ := fields[name].(string)
	return text
}

func pairs(properties map[string]string) (list []map[string]string) {
	for k, v := range properties {
		list = append(list, map[string]string{"Key": k, "Value": v})
	}
	return list
}

func (b jsonBackend) createGameSession(name string) (string, string) {
	gs, exception := b.call("CreateGameSession", "GameSession", map[string]any{
		"FleetId": "fleet-local", "Name": name, "MaximumPlayerSessionCount": 4, "GameSessionData": gameData, "GameProperties": pairs(gameProperties),
	})
	return field(b.t, gs, "GameSessionId"), exception
}

func (b jsonBackend) createPlayerSession(game, player, data string) (string, string) {
	ps, exception := b.call("CreatePlayerSession", "PlayerSession", map[string]any{"GameSessionId": game, "PlayerId": player, "PlayerData": data})
	return field(b.t, ps, "PlayerSessionId"), exception
}

func (b jsonBackend) updateGameSession(game, name string, properties map[string]string) string {
	_, exception := b.call("UpdateGameSession", "GameSession", map[string]any{"GameSessionId": game, "Name": name, "GameProperties": pairs(properties)})
	return exception
}

func (b jsonBackend) terminateGameSession(game, mode string) string {
	_, exception := b.call("TerminateGameSession", "GameSession", map[string]any{"GameSessionId": game, "TerminationMode": mode})
	return exception
}

func (b jsonBackend) gameStatus(game string) string {
	return b.onlyStatus("DescribeGameSessions", "GameSessions", map[string]any{"GameSessionId": game})
}

func (b jsonBackend) playerStatus(id string) string {
	return b.onlyStatus("DescribePlayerSessions", "PlayerSessions", map[string]any{"PlayerSessionId": id})
}

func (b jsonBackend) onlyStatus(operation, part string, input map[string]any) string {
	list, exception := b.call(operation, part, input)
	require.Empty(b.t, exception)
	require.Len(b.t, list, 1)
	return field(b.t, list.([]any)[0], "Status")
}

// eachWire runs a test on both wires of the service API, with each version of
// Amazon's server SDK.
func eachWire(t *testing.T, change func(*options), test func(t *testing.T, e *emulator, b backend, binary string)) {
	t.Helper()
	t.Parallel()
	for _, version := range []string{"5.4.0", "5.5.0"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			binary := build(t, version)
			t.Run("cbor", func(t *testing.T) {
				t.Parallel()
				e := emulate(t, nil, change)
				test(t, e, cborBackend{t, e.aws("any", "any")}, binary)
			})
			t.Run("json", func(t *testing.T) {
				t.Parallel()
				e := emulate(t, nil, change)
				test(t, e, jsonBackend{t, e}, binary)
			})
		})
	}
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

func TestLife(t *testing.T) {
	eachWire(t, func(o *options) { o.matchmakerData = matchmakerData }, func(t *testing.T, e *emulator, b backend, binary string) {
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
		require.Equal(t, "TERMINATED", b.gameStatus(game))
		require.Equal(t, "COMPLETED", b.playerStatus(bob))
		_, exception = b.createGameSession("none")
		require.Equal(t, "FleetCapacityExceededException", exception)
	})
}

func TestForceTerminate(t *testing.T) {
	eachWire(t, nil, func(t *testing.T, e *emulator, b backend, binary string) {
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

func TestTimeout(t *testing.T) {
	eachWire(t, func(o *options) { o.reservationTimeout = 300 * time.Millisecond }, func(t *testing.T, e *emulator, b backend, binary string) {
		g, game := hosted(t, e, b, binary, "p-1")
		ann := reserved(t, b, game, "ann")
		becomes(t, "TIMEDOUT", func() string { return b.playerStatus(ann) })
		g.fail(sdkBadRequest, "PlayerSession ("+ann+") has a status of TIMEDOUT instead of RESERVED", "accept "+ann)
		for i := range 4 { // her seat is free
			reserved(t, b, game, fmt.Sprint("other", i))
		}
	})
}

func TestTwoServersAndACrash(t *testing.T) {
	eachWire(t, func(o *options) { o.limits.absence = time.Second }, func(t *testing.T, e *emulator, b backend, binary string) {
		one, first := hosted(t, e, b, binary, "p-1")
		two, second := hosted(t, e, b, binary, "p-2")
		ann, bob := reserved(t, b, first, "ann"), reserved(t, b, second, "bob")

		two.fail(sdkNotFound, "was not found in this game session", "accept "+ann)
		two.fail(sdkNotFound, "was not found in this game session", "remove "+ann)
		require.Equal(t, "RESERVED", b.playerStatus(ann))
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

// eachVersion runs a test with each version of the server SDK.
func eachVersion(t *testing.T, test func(t *testing.T, binary string)) {
	t.Helper()
	t.Parallel()
	for _, version := range []string{"5.4.0", "5.5.0"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			test(t, build(t, version))
		})
	}
}

func TestServerSDKReconnects(t *testing.T) {
	eachVersion(t, func(t *testing.T, binary string) {
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
	})
}

func TestBackfill(t *testing.T) {
	eachVersion(t, func(t *testing.T, binary string) {
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
	})
}

func TestWhatTheCloudAloneHas(t *testing.T) {
	eachVersion(t, func(t *testing.T, binary string) {
		e := emulate(t, nil, nil)
		g := launch(t, e, binary, "p-1").ready()
		g.fail(sdkNotFound, "no compute certificates", "certificate")
		g.fail(sdkForbidden, "no fleet role", "credentials")
	})
}

func TestServerSDKMeetsFaults(t *testing.T) {
	eachVersion(t, func(t *testing.T, binary string) {
		e := emulate(t, nil, nil, "-fault", "AcceptPlayerSession=50%", "-fault", "RemovePlayerSession=200ms")
		b := jsonBackend{t, e}
		g, game := hosted(t, e, b, binary, "p-1")
		ann, bob := reserved(t, b, game, "ann"), reserved(t, b, game, "bob")
		g.succeed("accept " + ann)
		g.fail(sdkInternal, "-fault", "accept "+bob)
		require.Equal(t, "RESERVED", b.playerStatus(bob), "what fails does nothing")
		g.succeed("accept " + bob)
		began := time.Now()
		g.succeed("remove " + ann)
		require.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond)
	})
}

func TestWrongFleetIsSaidSo(t *testing.T) {
	eachVersion(t, func(t *testing.T, binary string) {
		e := emulate(t, nil, nil)
		g := launch(t, e, binary, "p-1", "-fleet", "fleet-other")
		require.Contains(t, g.wait("ready").Error, "FleetId must be fleet-local")
	})
}

func TestServerSDKReadsItsEnvironment(t *testing.T) {
	eachVersion(t, func(t *testing.T, binary string) {
		e := emulate(t, nil, nil)
		cmd := exec.Command(binary)
		cmd.Env = append(os.Environ(), "GAMELIFT_SDK_WEBSOCKET_URL=ws://"+e.address, "GAMELIFT_SDK_FLEET_ID=fleet-local",
			"GAMELIFT_SDK_HOST_ID=laptop", "GAMELIFT_SDK_PROCESS_ID=server-1", "GAMELIFT_SDK_AUTH_TOKEN=any")
		start(t, "server-1", cmd).ready()
		require.Contains(t, e.log.String(), `"compute":"laptop"`)
	})
}

func TestServerSDKSignsItsConnection(t *testing.T) {
	eachVersion(t, func(t *testing.T, binary string) {
		e := emulate(t, nil, nil)
		launch(t, e, binary, "p-1", "-key", "AKIDEXAMPLE").ready()
	})
}

func TestShutdownTellsServerProcesses(t *testing.T) {
	eachVersion(t, func(t *testing.T, binary string) {
		e := emulate(t, nil, nil)
		g, _ := hosted(t, e, jsonBackend{t, e}, binary, "p-1")
		e.end()
		g.wait("terminate")
		g.succeed("ending")
		e.stop(t)
	})
}

func TestCredentialsAreChecked(t *testing.T) {
	eachVersion(t, func(t *testing.T, binary string) {
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
	})
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
