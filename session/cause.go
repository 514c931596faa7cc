package session

// Cause says why an [Event] happened. The words are chosen here. The zero Cause is
// none of them.
type Cause uint8

const (
	// CauseReserved is a new reservation: nothing to RESERVED.
	CauseReserved Cause = iota + 1

	// CauseAccepted is the game server's accept: RESERVED to ACTIVE.
	CauseAccepted

	// CauseDropped is a lost connection whose seat waits for the player within
	// the reconnect window: ACTIVE to ACTIVE.
	CauseDropped

	// CauseReturned is a further connection accepted for the same seat, after a
	// drop or in the place of the one before: ACTIVE to ACTIVE, with the next
	// Generation.
	CauseReturned

	// CauseReleased is a player who left: ACTIVE to COMPLETED, or RESERVED to TIMEDOUT when
	// the reservation was given up.
	CauseReleased

	// CauseDeadline is a reservation nobody came for in time: RESERVED to
	// TIMEDOUT.
	CauseDeadline

	// CauseTerminated is the end of the whole game session: ACTIVE to COMPLETED,
	// RESERVED to TIMEDOUT.
	CauseTerminated

	// CauseReplaced is a newer reservation of the same player that took the
	// seat: ACTIVE to COMPLETED, RESERVED to TIMEDOUT.
	CauseReplaced

	// CauseWindowOver is a dropped player who did not return within the
	// reconnect window, or who was dropped where there is none: ACTIVE to
	// COMPLETED.
	CauseWindowOver
)

var causes = vocabulary{
	typ: "Cause",
	words: []string{
		CauseReserved:   "reserved",
		CauseAccepted:   "accepted",
		CauseDropped:    "dropped",
		CauseReturned:   "returned",
		CauseReleased:   "released",
		CauseDeadline:   "deadline",
		CauseTerminated: "terminated",
		CauseReplaced:   "replaced",
		CauseWindowOver: "window_over",
	},
}

// String returns the word for c, stable and in lower case, such as "accepted" or
// "window_over", or "Cause(42)" for a value that has none.
func (c Cause) String() string { return causes.name(uint8(c)) }
