package session_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

const (
	secretID   = "psess-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1a2b"
	secretData = "the treasure is under the old oak"
)

// requireSecret asks that text gives away neither the id, in any case of letters or
// in hexadecimal, nor the player data.
func requireSecret(t *testing.T, text string) {
	t.Helper()
	text = strings.ToLower(text)
	for _, secret := range []string{secretID, strings.TrimPrefix(secretID, "psess-"), secretData} {
		require.NotContains(t, text, secret)
		require.NotContains(t, text, fmt.Sprintf("%x", secret))
	}
}

func confidential() session.PlayerSession {
	return session.PlayerSession{
		GameSessionID:   "arn:aws:gamelift:us-west-2::gamesession/fleet-1/gs-1",
		PlayerID:        `al"ice`,
		PlayerSessionID: secretID,
		PlayerData:      secretData,
		Status:          session.StatusActive,
		Slot:            3,
		Generation:      2,
	}
}

func accepted(p session.PlayerSession) session.Event {
	return session.Event{
		Cause: session.CauseAccepted,
		From:  session.StatusReserved,
		To:    session.StatusActive,
		At:    time.UnixMilli(1469498468057).UTC(),

		PlayerSession: p,
	}
}

func TestPlayerSessionString(t *testing.T) {
	t.Parallel()
	want := `PlayerSession{PlayerSessionID:` + session.Redact(secretID) + ` PlayerID:"al\"ice"` +
		` GameSessionID:"arn:aws:gamelift:us-west-2::gamesession/fleet-1/gs-1" Status:ACTIVE Slot:3 Generation:2}`
	require.Equal(t, want, confidential().String())
	require.Equal(t, "session."+want, confidential().GoString())
}

func TestEventString(t *testing.T) {
	t.Parallel()
	e := accepted(confidential())
	require.Equal(t, "Event{Cause:accepted From:RESERVED To:ACTIVE At:2016-07-26T02:01:08.057Z PlayerSession:"+
		e.PlayerSession.String()+"}", e.String())
	require.Equal(t, "session."+e.String(), e.GoString())

	e.Cause, e.From, e.To = session.CauseReserved, 0, session.StatusReserved
	require.Contains(t, e.String(), "Event{Cause:reserved To:RESERVED At:")
}

// A player's name must not be able to forge a line of a log.
func TestStringIsOneLine(t *testing.T) {
	t.Parallel()
	p := session.PlayerSession{PlayerID: "a\nERROR forged\x1b[31m", GameSessionID: "b\r\nc\u2028\xff"}
	require.NotRegexp(t, `[\n\r\x1b\x{2028}]`, accepted(p).String())
}

// Whatever holds a player session, and however it is printed or logged: promise 7.
func TestNothingPrintsTheID(t *testing.T) {
	t.Parallel()
	p := confidential()
	slip := p
	slip.PlayerID = secretID
	shout := p
	shout.PlayerID = "player " + strings.ToUpper(secretID)

	for name, p := range map[string]session.PlayerSession{"plain": p, "id as player id": slip, "in capitals": shout} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := accepted(p)
			for _, v := range []any{
				p, &p,
				[]session.PlayerSession{p},
				[1]session.PlayerSession{p},
				map[string]session.PlayerSession{"p": p},
				struct{ P session.PlayerSession }{p},
				struct{ session.PlayerSession }{p},
				any(p),
				e, &e,
				[]session.Event{e},
				struct{ E any }{e},
			} {
				for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X"} {
					text := fmt.Sprintf(verb, v)
					requireSecret(t, text)
					require.NotContains(t, text, "%!", "%s of %T", verb, v)
				}
				requireSecret(t, fmt.Sprint(v))
				requireSecret(t, fmt.Errorf("refused: %v", v).Error())
				requireSecret(t, logText(v))
			}
			for _, v := range []any{p, &p, e, &e} {
				for _, text := range []string{logJSON(v), logZerolog(v)} {
					requireSecret(t, text)
					require.Contains(t, text, `"player_session_id":"`+session.Redact(secretID)+`"`)
					require.Contains(t, text, `"player_id":`)
					require.Contains(t, text, `"game_session_id":"`+p.GameSessionID+`"`)
					require.Contains(t, text, `"status":"ACTIVE","slot":3,"generation":2`)
				}
			}
		})
	}
}

func logText(v any) string {
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("joined", "v", v)
	return out.String()
}

func logJSON(v any) string {
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("joined", "v", v)
	return out.String()
}

func logZerolog(v any) string {
	var out bytes.Buffer
	logger := zerolog.New(&out)
	logger.Info().Interface("v", v).Msg("joined")
	logger.Info().Any("v", v).Fields(map[string]any{"w": v}).Send()
	if object, ok := v.(zerolog.LogObjectMarshaler); ok {
		logger.Info().Object("v", object).EmbedObject(object).Send()
	}
	return out.String()
}

// The way doc.go gives to log several.
func TestLogSeveral(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logger := zerolog.New(&out)
	logger.Info().ObjectsV("players", confidential(), confidential()).Send()
	requireSecret(t, out.String())
	require.Equal(t, 2, strings.Count(out.String(), session.Redact(secretID)))
}

func TestEventLogs(t *testing.T) {
	t.Parallel()
	e := accepted(confidential())
	require.Contains(t, logJSON(e),
		`"v":{"cause":"accepted","from":"RESERVED","to":"ACTIVE","at":"2016-07-26T02:01:08.057Z","player_session":{"player_session_id"`)
	require.Contains(t, logZerolog(e),
		`"v":{"cause":"accepted","from":"RESERVED","to":"ACTIVE","at":"2016-07-26T02:01:08Z","player_session":{"player_session_id"`)

	e.From = 0
	require.NotContains(t, logJSON(e), `"from"`)
	require.NotContains(t, logZerolog(e), `"from"`)
}

// A logger that is switched off hands a nil event on.
func TestMarshalZerologObjectOfNilEvent(t *testing.T) {
	t.Parallel()
	require.NotPanics(t, func() {
		confidential().MarshalZerologObject(nil)
		accepted(confidential()).MarshalZerologObject(nil)
	})
}

func TestErrorsKeepSecrets(t *testing.T) {
	t.Parallel()
	p := confidential()
	p.GameSessionID, p.FleetID, p.FleetARN, p.IPAddress = secretID+"\xff", secretID, secretID, secretID
	p.PlayerID = secretID + strings.Repeat("x", 2000)
	p.PlayerSessionID = secretID + " "
	p.Status = 9
	_, marshalErr := p.MarshalJSON()
	_, parseErr := session.ParseStatus(secretID)
	for _, err := range []error{
		p.Validate(),
		marshalErr,
		parseErr,
		session.ValidatePlayerSessionID(secretID + "\x00"),
		new(session.PlayerSession).UnmarshalJSON([]byte(`{"Status":"` + secretID + `"}`)),
		new(session.PlayerSession).UnmarshalJSON([]byte(`{"CreationTime":"` + secretID + `"}`)),
		new(session.PlayerSession).UnmarshalJSON([]byte(`{"Port":"` + secretID + `"}`)),
		new(session.PlayerSession).UnmarshalJSON([]byte(`{"PlayerSessionId":["` + secretID + `"]}`)),
		new(session.PlayerSession).UnmarshalJSON([]byte(`"` + secretID + `"`)),
		new(session.PlayerSession).UnmarshalJSON([]byte(secretID)),
	} {
		require.Error(t, err)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			requireSecret(t, fmt.Sprintf(verb, err))
			requireSecret(t, fmt.Sprintf(verb, errors.Join(err)))
		}
		requireSecret(t, logText(err))
		requireSecret(t, logJSON(err))
		requireSecret(t, logZerolog(err))
	}
}
