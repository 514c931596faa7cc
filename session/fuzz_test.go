package session_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// A stand-in looks the same whatever it stands for, and gives nothing of it away.
func FuzzRedact(f *testing.F) {
	for _, id := range []string{
		"", "x", "psess-", "psess-…", "psess-x", "PSESS-X", "psess-\xff", "psess-x\ny", secretID, strings.ToUpper(secretID),
	} {
		f.Add(id)
	}
	standIn := regexp.MustCompile(`^psess-…[0-9a-f]{8}$`)
	f.Fuzz(func(t *testing.T, id string) {
		redacted := session.Redact(id)
		require.Regexp(t, standIn, redacted)
		require.Equal(t, redacted, session.Redact(strings.Clone(id)))
		if session.ValidatePlayerSessionID(id) == nil && !likeAStandIn(id) {
			require.NotContains(t, redacted, id)
		}

		// As a player's id it is not secret, unless a session's stands in it.
		for _, playerID := range []string{id, "player " + id} {
			want := playerID
			if strings.Contains(strings.ToLower(id), "psess-") {
				want = session.Redact(playerID)
			}
			require.Equal(t, want, session.RedactPlayerID(playerID))
		}
	})
}

// likeAStandIn tells ids that begin as each stand-in does. They cannot be kept
// apart from one, and NewPlayerSessionID makes none of them.
func likeAStandIn(id string) bool { return strings.HasPrefix(id, "psess-…") }

// What strangers chose can neither bring an id into a log or an error nor break
// out of its line.
func FuzzWhatIsPrinted(f *testing.F) {
	f.Add(secretID, "alice", secretData, byte(2))
	f.Add("psess-x", "psess-x", "x", byte(1))
	f.Add("psess-"+strings.Repeat("x", 122), "A\nERROR forged\x1b[31m\u2028", "\xff", byte(9))
	f.Add("psess-%s%n%!d(", "%v", `"},{"`, byte(0))
	f.Fuzz(func(t *testing.T, id, playerID, data string, status byte) {
		p := session.PlayerSession{PlayerSessionID: id, PlayerID: playerID, PlayerData: data, Status: session.Status(status)}
		for _, v := range []any{p, accepted(p)} {
			for _, text := range []string{fmt.Sprint(v), fmt.Sprintf("%+v %#v %s", v, v, v)} { // %q and %x are of what %s prints
				require.True(t, utf8.ValidString(text), "%q", text)
				require.Negative(t, strings.IndexFunc(text, breaksOut), "%q", text)
				requireKept(t, id, text)
			}
			for _, text := range []string{logText(v), logJSON(v), logOneZerolog(v)} {
				line, rest, _ := strings.Cut(text, "\n")
				require.Empty(t, rest)
				require.Negative(t, strings.IndexAny(line, "\r\x1b\x00"), "%q", line)
				require.True(t, line[0] != '{' || json.Valid([]byte(line)), "%q", line)
				requireKept(t, id, line)
			}
		}
		if err := errors.Join(p.Validate(), session.ValidatePlayerSessionID(id)); err != nil {
			requireKept(t, id, err.Error())
		}
	})
}

// requireKept asks that a valid id does not stand in text. One that is as short as
// a word may stand there by chance, which those that NewPlayerSessionID makes
// cannot.
func requireKept(t *testing.T, id, text string) {
	t.Helper()
	if session.ValidatePlayerSessionID(id) == nil && len(id) >= 24 && !likeAStandIn(id) {
		require.NotContains(t, text, id)
	}
}

// breaksOut tells what ends a line or speaks to a terminal.
func breaksOut(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}

func logOneZerolog(v any) string {
	var out bytes.Buffer
	logger := zerolog.New(&out)
	if object, ok := v.(zerolog.LogObjectMarshaler); ok {
		logger.Info().Object("v", object).Send()
	}
	return out.String()
}
