package main

import (
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/gamelift"
	"github.com/aws/aws-sdk-go-v2/service/gamelift/types"
	"github.com/stretchr/testify/require"
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
