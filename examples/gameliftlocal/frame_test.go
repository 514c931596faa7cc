package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

func FuzzDecode(f *testing.F) {
	for _, frame := range []string{
		`{"Action":"AcceptPlayerSession","RequestId":"1","GameSessionId":"arn","PlayerSessionId":"psess-1"}`,
		`{"Action":"ActivateServerProcess","RequestId":"1","SdkVersion":"5.5.0","SdkLanguage":"Go","Port":7777,"LogPaths":null}`,
		`{"Action":"StartMatchBackfill","RequestId":"1","Players":[{"PlayerId":"a","PlayerAttributes":{"s":{"N":1}}}]}`,
		`{"Action":"HeartbeatServerProcess","RequestId":"1","HealthStatus":1}`,
		`{"action":"x","requestid":"1","ACTION":"y"}`,
		`{"Action":null,"RequestId":{}}`, `[[[[`, `"`, "\xff", `{}`, `{"Port":1e999}`,
	} {
		f.Add([]byte(frame))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		q, err := decode(frame)
		if err != nil {
			r := (*refusal)(nil)
			require.ErrorAs(t, err, &r)
			require.Equal(t, http.StatusBadRequest, r.status)
		} else {
			require.NotEmpty(t, q.Action)
			require.NotEmpty(t, q.RequestID)
			require.True(t, utf8.ValidString(q.PlayerSessionID))
		}
		reply := encode(answer{}.complete(q, err))
		require.True(t, json.Valid(reply))
		var back request
		require.NoError(t, json.Unmarshal(reply, &back))
		require.Equal(t, q.RequestID, back.RequestID)
	})
}

func TestAnswerOfAFailureHasNoResult(t *testing.T) {
	t.Parallel()
	a := answer{TicketID: "ticket"}.complete(request{Action: "A", RequestID: "1"}, errors.New("boom"))
	require.Equal(t, answer{Action: "A", RequestID: "1", StatusCode: http.StatusInternalServerError, ErrorMessage: "boom"}, a)
}

func TestPlayerSessionHasWholeMilliseconds(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1469498468057)
	text := encode(present(session.PlayerSession{PlayerID: "ann", Status: session.StatusTimedOut, CreationTime: at, TerminationTime: at}))
	require.JSONEq(t, `{"PlayerId":"ann","PlayerSessionId":"","GameSessionId":"","FleetId":"","Status":"TIMEDOUT",
		"CreationTime":1469498468057,"TerminationTime":1469498468057}`, string(text))
}

func TestRefusalsOfTheTable(t *testing.T) {
	t.Parallel()
	for status, err := range map[int]error{
		http.StatusBadRequest:          &session.FieldError{Field: "Limit", Reason: "is wrong"},
		http.StatusNotFound:            session.ErrGameSessionNotFound,
		http.StatusConflict:            session.ErrGameSessionNotActive,
		http.StatusServiceUnavailable:  session.ErrClosed,
		http.StatusInternalServerError: errors.New("boom"),
	} {
		require.Equal(t, status, answer{}.complete(request{}, refuseAny(err)).StatusCode, "%v", err)
	}
	require.NoError(t, refuseAny(nil))
	require.NoError(t, refusePlayer("psess-1", nil))
}
