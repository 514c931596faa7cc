package session

import "time"

// Event is one change in the life of a player session. Each change makes exactly
// one. Events are chosen here, GameLift has none of single player sessions.
//
// An Event is a plain value: copy it, and read it from as many goroutines as you
// like. What it prints and logs keeps the session's secrets, see [PlayerSession].
type Event struct {
	// Cause is why it happened.
	Cause Cause

	// From and To are the status before and after. From is 0 for a new
	// reservation; both are ACTIVE for [CauseDropped] and [CauseReturned].
	From, To Status

	// At is when it happened, in UTC and whole milliseconds.
	At time.Time

	// PlayerSession is the session as it is after the change.
	PlayerSession PlayerSession
}
