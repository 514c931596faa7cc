package session

import "errors"

// What is wrong with the player session id in hand. The first two refuse whatever
// is asked of a player session, the third a reservation.
var (
	// ErrInvalidPlayerSessionID is a text that [ValidatePlayerSessionID] refuses.
	ErrInvalidPlayerSessionID = errors.New("session: not a player session id; send the one the reservation returned, unchanged")

	// ErrPlayerSessionNotFound is an id nobody reserved here, or one whose
	// session has ended and is retained no longer.
	ErrPlayerSessionNotFound = errors.New("session: player session not found; reserve a new one, on this server")

	// ErrPlayerSessionExists refuses a reservation under an id that is live or
	// retained already.
	ErrPlayerSessionExists = errors.New("session: player session id is taken; reserve with a new one or with none")
)

// The three ways of not being RESERVED, for errors.Is. What is returned is a
// [*StatusError], which matches one of them.
var (
	// ErrAlreadyActive is a player session that was accepted before.
	ErrAlreadyActive = errors.New("session: player session is active already; take it over, or release it and reserve a new one")

	// ErrCompleted is a player session whose player has left.
	ErrCompleted = errors.New("session: player session is completed; reserve a new one")

	// ErrTimedOut is a reservation that ended before it was accepted.
	ErrTimedOut = errors.New("session: player session timed out; reserve a new one")
)

// What is wrong with the game session in hand. All but ErrGameSessionExists refuse
// a reservation in it.
var (
	// ErrGameSessionNotFound is an id under which there is no game session,
	// live or retained.
	ErrGameSessionNotFound = errors.New("session: game session not found; create it first")

	// ErrGameSessionExists refuses a new game session under an id that is live
	// or retained already.
	ErrGameSessionExists = errors.New("session: game session exists already; create it under another id")

	// ErrGameSessionFull is a game session without an open seat.
	ErrGameSessionFull = errors.New("session: game session is full; reserve again when a seat opens, or in another game session")

	// ErrGameSessionNotActive is a game session that is still activating, that
	// is terminating, or that is over.
	ErrGameSessionNotActive = errors.New("session: game session is not active; activate it first, or choose another")

	// ErrCreationDenied is a game session whose policy is [DenyAll].
	ErrCreationDenied = errors.New("session: game session denies new player sessions; set its creation policy to accept all, or choose another")

	// ErrDuplicatePlayer is a player who holds a seat in the game session.
	ErrDuplicatePlayer = errors.New("session: player holds a seat in this game session already; use that one, or release it first")
)

// Returned whatever player or game session is meant.
var (
	// ErrInvalidField is an argument or a field that breaks a constraint. What
	// is returned is a [*FieldError], which says which and why.
	ErrInvalidField = errors.New("session: invalid field; correct it and try again")

	// ErrOverloaded refuses a reservation while a subscriber to the events is
	// too far behind.
	ErrOverloaded = errors.New("session: overloaded; try again later, and see which subscriber is behind")

	// ErrDraining refuses a reservation while the server empties.
	ErrDraining = errors.New("session: draining; reserve on another server")

	// ErrClosed is a call to something that was closed.
	ErrClosed = errors.New("session: closed; nothing can be asked of it any more")
)

var reasons = []struct {
	err  error
	word string
}{
	{ErrInvalidPlayerSessionID, "invalid_id"},
	{ErrPlayerSessionNotFound, "not_found"},
	{ErrPlayerSessionExists, "exists"},
	{ErrAlreadyActive, "already_active"},
	{ErrCompleted, "completed"},
	{ErrTimedOut, "timed_out"},
	{ErrGameSessionNotFound, "game_session_not_found"},
	{ErrGameSessionExists, "game_session_exists"},
	{ErrGameSessionFull, "full"},
	{ErrGameSessionNotActive, "game_session_not_active"},
	{ErrCreationDenied, "denied"},
	{ErrDuplicatePlayer, "duplicate"},
	{ErrInvalidField, "invalid_field"},
	{ErrOverloaded, "overloaded"},
	{ErrDraining, "draining"},
	{ErrClosed, "closed"},
}

// Reason returns one stable word for err, for logs, metrics and what a client is
// told: "invalid_id", "not_found", "exists", "already_active", "completed",
// "timed_out", "game_session_not_found", "game_session_exists", "full",
// "game_session_not_active", "denied", "duplicate", "invalid_field", "overloaded",
// "draining" or "closed". It is "" for nil and "other" for an error that is none
// of this package's. An error that wraps several has the word that comes first in
// this list. It allocates nothing.
func Reason(err error) string {
	if err == nil {
		return ""
	}
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.word
		}
	}
	return "other"
}

// FieldError is a field that breaks a constraint. It matches [ErrInvalidField].
type FieldError struct {
	// Field is the field's name on the wire, such as "PlayerId", or as the
	// function documents it where it is on no wire.
	Field string

	// Reason completes the sentence that Field begins, such as "is longer than
	// 1024 characters". It never holds the value itself, which may be a secret
	// or a stranger's.
	Reason string
}

// Error returns "session: ", the field and the reason.
func (e *FieldError) Error() string { return "session: " + e.Field + " " + e.Reason }

// Is reports whether target is [ErrInvalidField].
func (e *FieldError) Is(target error) bool { return target == ErrInvalidField }

// StatusError is a player session in another status than the call asks for. It
// matches [ErrAlreadyActive], [ErrCompleted] or [ErrTimedOut], by Have.
//
// One value may be returned many times and to many goroutines: do not change it.
type StatusError struct {
	// Have is the status the session has, and Want the one it would need.
	Have, Want Status
}

// Error returns what is wrong in the words that users of GameLift know, such as
// "session: player session has a status of COMPLETED instead of RESERVED".
func (e *StatusError) Error() string {
	return "session: player session has a status of " + e.Have.String() + " instead of " + e.Want.String()
}

// Is reports whether target is the sentinel for e.Have.
func (e *StatusError) Is(target error) bool {
	switch e.Have {
	case StatusActive:
		return target == ErrAlreadyActive
	case StatusCompleted:
		return target == ErrCompleted
	case StatusTimedOut:
		return target == ErrTimedOut
	default:
		return false
	}
}
