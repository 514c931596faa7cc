package validator

import (
	"reflect"

	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// Config configures a Validator. The zero value works.
type Config struct {
	// Logger takes the refusals at this door, and what goes wrong at its gates,
	// such as a hook that panics; the zero Logger is the table's.
	Logger zerolog.Logger
}

// Validator stands at the door of a table: it accepts the players that come with
// the id of a reservation, and no others. Make one with New. All its methods may
// be called concurrently.
//
// Its AcceptPlayerSession(playerSessionID string) (session.PlayerSession, error) is what
// to call when a player connects, who is let in if, and only if, the error is nil:
// [slot.Acceptor.AcceptPlayerSession], which tells the errors.
type Validator struct {
	slot.Acceptor // embedded, since a call through a function more takes a tenth longer

	table *slot.Table
	log   zerolog.Logger
}

// New returns a validator for the player sessions of t, which must not be nil. It
// needs no closing; once t is closed its methods answer session.ErrClosed.
func New(t *slot.Table, c Config) *Validator {
	if t == nil {
		panic("validator: New needs a table")
	}
	if !reflect.ValueOf(c.Logger).IsZero() {
		t = t.WithLogger(c.Logger)
	}
	return &Validator{Acceptor: t.Acceptor(), table: t, log: t.Logger()}
}

// RemovePlayerSession ends a player session whose player has left for good:
// COMPLETED, or TIMEDOUT if it was never accepted. The seat is free at once. To
// call it twice is no error.
//
// Errors: session.ErrInvalidPlayerSessionID, session.ErrPlayerSessionNotFound,
// session.ErrClosed.
func (v *Validator) RemovePlayerSession(playerSessionID string) error {
	_, err := v.table.Release(playerSessionID)
	return err
}

// DescribePlayerSessions lists player sessions, page by page, as the table's
// Describe, which tells the errors.
func (v *Validator) DescribePlayerSessions(q slot.Query) (slot.Page, error) {
	return v.table.Describe(q)
}

// UpdatePlayerSessionCreationPolicy opens a game session for new reservations, or
// closes it. Who holds one already is accepted all the same.
//
// Errors: session.ErrInvalidField for an unknown policy;
// session.ErrGameSessionNotFound; session.ErrGameSessionNotActive for a game
// session that is TERMINATED; session.ErrClosed.
func (v *Validator) UpdatePlayerSessionCreationPolicy(gameSessionID string, p session.CreationPolicy) error {
	return v.table.UpdateGameSession(gameSessionID, slot.GameSessionUpdate{PlayerSessionCreationPolicy: &p})
}
