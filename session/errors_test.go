package session_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

func ExampleStatusError() {
	var err error = &session.StatusError{Have: session.StatusCompleted, Want: session.StatusReserved}
	fmt.Println(err)
	fmt.Println(errors.Is(err, session.ErrCompleted))
	// Output:
	// session: player session has a status of COMPLETED instead of RESERVED
	// true
}

func ExampleReason() {
	err := fmt.Errorf("join match 7: %w", &session.StatusError{
		Have: session.StatusTimedOut,
		Want: session.StatusReserved,
	})
	fmt.Println(session.Reason(err))
	fmt.Println(session.Reason(session.ErrGameSessionFull))
	fmt.Println(session.Reason(errors.New("disk on fire")))
	// Output:
	// timed_out
	// full
	// other
}

// sentinels are all there are, with their words.
var sentinels = map[error]string{
	session.ErrInvalidPlayerSessionID: "invalid_id",
	session.ErrPlayerSessionNotFound:  "not_found",
	session.ErrPlayerSessionExists:    "exists",
	session.ErrAlreadyActive:          "already_active",
	session.ErrCompleted:              "completed",
	session.ErrTimedOut:               "timed_out",
	session.ErrGameSessionNotFound:    "game_session_not_found",
	session.ErrGameSessionExists:      "game_session_exists",
	session.ErrGameSessionFull:        "full",
	session.ErrGameSessionNotActive:   "game_session_not_active",
	session.ErrCreationDenied:         "denied",
	session.ErrDuplicatePlayer:        "duplicate",
	session.ErrInvalidField:           "invalid_field",
	session.ErrOverloaded:             "overloaded",
	session.ErrDraining:               "draining",
	session.ErrClosed:                 "closed",
}

func TestSentinels(t *testing.T) {
	t.Parallel()
	require.Len(t, sentinels, 16)
	texts := make(map[string]bool)
	for err := range sentinels {
		texts[err.Error()] = true
		require.Regexp(t, `^session: [a-z ]+; [a-z ,]+$`, err, "what happened; what to do")
		require.NotContains(t, err.Error(), "psess-")
		for other := range sentinels {
			require.Equal(t, err == other, errors.Is(err, other))
		}
	}
	require.Len(t, texts, len(sentinels))
}

func TestReason(t *testing.T) {
	t.Parallel()
	require.Empty(t, session.Reason(nil))
	require.Equal(t, "other", session.Reason(errors.New("a stranger's")))
	require.Equal(t, "other", session.Reason(fmt.Errorf("wraps: %w", errors.New("a stranger's"))))
	require.Equal(t, "other", session.Reason(uncomparable{"a", "slice"}))
	require.Equal(t, "other", session.Reason((&session.StatusError{Have: session.StatusReserved})))
	require.Equal(t, "other", session.Reason((&session.StatusError{})))
	require.Equal(t, "invalid_field", session.Reason(&session.FieldError{}))
	for have, word := range statusWords {
		require.Equal(t, word, session.Reason(&session.StatusError{Have: have, Want: session.StatusReserved}))
	}
	for err, word := range sentinels {
		require.Equal(t, word, session.Reason(err))
		require.Equal(t, word, session.Reason(fmt.Errorf("a: %w", fmt.Errorf("b: %w", err))))
		require.Equal(t, word, session.Reason(errors.Join(errors.New("a stranger's"), err)))
		require.Equal(t, word, session.Reason(fmt.Errorf("%w, %w", uncomparable{}, err)))
	}
}

// Of several, the first in the list Reason documents, in whatever order they stand.
func TestReasonOfSeveral(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		errors.Join(session.ErrClosed, session.ErrCompleted),
		errors.Join(session.ErrCompleted, session.ErrClosed),
	} {
		require.Equal(t, "completed", session.Reason(err))
	}
}

// uncomparable is an error that panics when it is compared with ==.
type uncomparable []string

func (uncomparable) Error() string { return "uncomparable" }

var statusWords = map[session.Status]string{
	session.StatusActive:    "already_active",
	session.StatusCompleted: "completed",
	session.StatusTimedOut:  "timed_out",
}

func TestStatusError(t *testing.T) {
	t.Parallel()
	for have := range 256 {
		err := error(&session.StatusError{Have: session.Status(have), Want: session.StatusReserved})
		require.EqualError(t, err,
			"session: player session has a status of "+session.Status(have).String()+" instead of RESERVED")
		for sentinel, word := range sentinels {
			want := statusWords[session.Status(have)] == word
			require.Equal(t, want, errors.Is(err, sentinel), "%v is %v", err, sentinel)
		}
		var as *session.StatusError
		require.ErrorAs(t, fmt.Errorf("wraps: %w", err), &as)
		require.Equal(t, session.Status(have), as.Have)
	}
}

func TestFieldError(t *testing.T) {
	t.Parallel()
	err := error(&session.FieldError{Field: "PlayerId", Reason: "is longer than 1024 characters"})
	require.EqualError(t, err, "session: PlayerId is longer than 1024 characters")
	for sentinel := range sentinels {
		require.Equal(t, sentinel == session.ErrInvalidField, errors.Is(err, sentinel))
	}
}

// requireFieldError asks for a *FieldError that names no id, and returns it.
func requireFieldError(t *testing.T, err error) *session.FieldError {
	t.Helper()
	var field *session.FieldError
	require.ErrorAs(t, err, &field)
	require.ErrorIs(t, err, session.ErrInvalidField)
	require.Equal(t, "invalid_field", session.Reason(err))
	require.Regexp(t, `^session: [A-Z][A-Za-z]+ (is|does) .+$`, field)
	requireSecret(t, err.Error())
	return field
}
