package gameliftapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator/gameliftapi"
)

// Whatever a body holds, the answer is an output or an exception in its own wire,
// no error of the server's; and what is refused changes nothing.

func FuzzCBOR(f *testing.F) {
	for _, input := range inputs {
		body, err := cbor.Marshal(input.members)
		require.NoError(f, err)
		f.Add(input.operation, body)
	}
	f.Fuzz(func(t *testing.T, operation uint8, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.URL.Path = "/service/GameLift/operation/" + operationAt(operation)
		r.Header.Set("Content-Type", "application/cbor")
		r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
		checkAnswer(t, r, cbor.Unmarshal)
	})
}

func FuzzJSON(f *testing.F) {
	for _, input := range inputs {
		body, err := json.Marshal(input.members)
		require.NoError(f, err)
		f.Add(input.operation, body)
	}
	f.Fuzz(func(t *testing.T, operation uint8, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "GameLift."+operationAt(operation))
		checkAnswer(t, r, json.Unmarshal)
	})
}

func operationAt(n uint8) string {
	names := gameliftapi.Operations()
	return names[int(n)%len(names)]
}

// inputs are good ones, by the place of their operation in the alphabet.
var inputs = []struct {
	operation uint8
	members   map[string]any
}{
	{0, map[string]any{
		"FleetId": fleet, "MaximumPlayerSessionCount": 4, "Name": "a", "CreatorId": "b", "IdempotencyToken": "c", "GameSessionData": "d",
		"GameProperties": []any{map[string]any{"Key": "map", "Value": "dunes"}}, "Location": "e",
	}},
	{1, map[string]any{"GameSessionId": match, "PlayerId": "bob", "PlayerData": "red"}},
	{2, map[string]any{"GameSessionId": match, "PlayerIds": []any{"bob", "cid"}, "PlayerDataMap": map[string]any{"bob": "red"}}},
	{3, map[string]any{"FleetId": fleet, "StatusFilter": "ACTIVE", "Limit": 1}},
	{4, map[string]any{"GameSessionId": match}},
	{5, map[string]any{"GameSessionId": match, "PlayerSessionStatusFilter": "RESERVED", "Limit": 1, "NextToken": "x"}},
	{6, map[string]any{"FleetId": fleet, "FilterExpression": `NOT (gameSessionName = 'it\'s' OR playerSessionCount<=1)`, "SortExpression": "gameSessionName ASC"}},
	{7, map[string]any{"GameSessionId": match, "TerminationMode": "TRIGGER_ON_PROCESS_TERMINATE"}},
	{8, map[string]any{"GameSessionId": match, "MaximumPlayerSessionCount": 9, "PlayerSessionCreationPolicy": "DENY_ALL", "Name": "new"}},
}

func checkAnswer(t *testing.T, r *http.Request, decode func([]byte, any) error) {
	t.Helper()
	table, err := slot.NewTable(slot.Config{Stripes: 1})
	require.NoError(t, err)
	defer table.Close()
	newMatch(t, table, 4)
	_, err = table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "ann"})
	require.NoError(t, err)
	before := state(t, table)

	r.RemoteAddr = "127.0.0.1:50000"
	w := httptest.NewRecorder()
	gameliftapi.New(table, anybody()).ServeHTTP(w, r)

	var answer map[string]any
	require.NoError(t, decode(w.Body.Bytes(), &answer))
	require.Equal(t, r.Header.Get("Content-Type"), w.Header().Get("Content-Type"))
	if w.Code == http.StatusOK {
		require.NotContains(t, answer, "__type")
		return
	}
	require.Equal(t, http.StatusBadRequest, w.Code, answer)
	require.Contains(t, []string{
		"InvalidRequestException", "NotFoundException", "GameSessionFullException", "InvalidGameSessionStatusException",
	}, answer["__type"])
	require.NotEmpty(t, answer["message"])
	require.Equal(t, before, state(t, table))
}

// state is what a request could have changed.
func state(t *testing.T, table *slot.Table) (games []session.GameSession) {
	t.Helper()
	require.LessOrEqual(t, table.Stats().Reserved, 4)
	for gs := range table.GameSessions() {
		games = append(games, gs)
	}
	return games
}
