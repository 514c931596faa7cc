package session_test

import (
	"encoding"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

func ExampleStatus_CanBecome() {
	statuses := []session.Status{
		session.StatusReserved, session.StatusActive, session.StatusCompleted, session.StatusTimedOut,
	}
	for _, from := range statuses {
		for _, to := range statuses {
			if from.CanBecome(to) {
				fmt.Println(from, "→", to)
			}
		}
	}
	// Output:
	// RESERVED → ACTIVE
	// RESERVED → TIMEDOUT
	// ACTIVE → COMPLETED
}

// The values that are no status are asked too: nothing leads out of them, nothing
// into them.
func TestStatusCanBecomeNothingElse(t *testing.T) {
	t.Parallel()
	type step struct{ from, to session.Status }
	var steps []step
	for from := range 256 {
		for to := range 256 {
			if s := (step{session.Status(from), session.Status(to)}); s.from.CanBecome(s.to) {
				steps = append(steps, s)
			}
		}
	}
	require.Equal(t, []step{
		{session.StatusReserved, session.StatusActive},
		{session.StatusReserved, session.StatusTimedOut},
		{session.StatusActive, session.StatusCompleted},
	}, steps)
}

func TestStatusTerminalHasNoExit(t *testing.T) {
	t.Parallel()
	for _, s := range []session.Status{
		session.StatusReserved, session.StatusActive, session.StatusCompleted, session.StatusTimedOut,
	} {
		exits := 0
		for next := range 256 {
			if s.CanBecome(session.Status(next)) {
				exits++
			}
		}
		require.Equal(t, exits == 0, s.Terminal(), s)
	}
	require.False(t, session.Status(0).Terminal())
	require.False(t, session.Status(9).Terminal())
}

func TestWords(t *testing.T) {
	t.Parallel()
	testWords(t, "Status", session.ParseStatus, map[session.Status]string{
		session.StatusReserved:  "RESERVED",
		session.StatusActive:    "ACTIVE",
		session.StatusCompleted: "COMPLETED",
		session.StatusTimedOut:  "TIMEDOUT",
	})
	testWords(t, "CreationPolicy", session.ParseCreationPolicy, map[session.CreationPolicy]string{
		session.AcceptAll: "ACCEPT_ALL",
		session.DenyAll:   "DENY_ALL",
	})
	testWords(t, "GameSessionStatus", session.ParseGameSessionStatus, map[session.GameSessionStatus]string{
		session.GameSessionActive:      "ACTIVE",
		session.GameSessionActivating:  "ACTIVATING",
		session.GameSessionTerminating: "TERMINATING",
		session.GameSessionTerminated:  "TERMINATED",
	})
}

// testWords holds an enumeration against its words: each value of its byte that has
// one is written and read as that word, and none of the others is.
func testWords[E interface {
	~uint8
	fmt.Stringer
	encoding.TextMarshaler
}, P interface {
	*E
	encoding.TextUnmarshaler
}](t *testing.T, name string, parse func(string) (E, error), words map[E]string,
) {
	t.Helper()
	for i := range 256 {
		value := E(i)
		word, known := words[value]
		if !known {
			require.Equal(t, fmt.Sprintf("%s(%d)", name, i), value.String())
			_, err := value.MarshalText()
			require.ErrorIs(t, err, session.ErrInvalidField)
			_, err = json.Marshal(value)
			require.ErrorIs(t, err, session.ErrInvalidField)
			continue
		}
		require.Equal(t, word, value.String())
		parsed, err := parse(word)
		require.NoError(t, err)
		require.Equal(t, value, parsed)

		text, err := json.Marshal(value)
		require.NoError(t, err)
		require.Equal(t, `"`+word+`"`, string(text))
		parsed++ // so that it has something to overwrite
		require.NoError(t, json.Unmarshal(text, P(&parsed)))
		require.Equal(t, value, parsed)
	}

	for _, stranger := range []string{"", " ", "active", "Active", "ACTIVE ", "ERROR", "Status(1)", "1", "\xff", secretID} {
		_, err := parse(stranger)
		requireFieldError(t, err)
		kept := E(1)
		requireFieldError(t, P(&kept).UnmarshalText([]byte(stranger)))
		require.Equal(t, E(1), kept)
	}
}

func TestZeroValues(t *testing.T) {
	t.Parallel()
	require.Equal(t, session.AcceptAll, session.GameSession{}.PlayerSessionCreationPolicy)
	require.Equal(t, session.GameSessionActive, session.GameSession{}.Status)
	require.Equal(t, "Status(0)", session.PlayerSession{}.Status.String())
	require.Equal(t, "Cause(0)", session.Event{}.Cause.String())
}

func TestCauseString(t *testing.T) {
	t.Parallel()
	for cause, word := range map[session.Cause]string{
		session.CauseReserved:   "reserved",
		session.CauseAccepted:   "accepted",
		session.CauseDropped:    "dropped",
		session.CauseReturned:   "returned",
		session.CauseReleased:   "released",
		session.CauseDeadline:   "deadline",
		session.CauseTerminated: "terminated",
		session.CauseReplaced:   "replaced",
		session.CauseWindowOver: "window_over",
		0:                       "Cause(0)",
		10:                      "Cause(10)",
		255:                     "Cause(255)",
	} {
		require.Equal(t, word, cause.String())
	}
}
