package session

// Status says where a player session stands in its life. The words are those of
// GameLift's PlayerSessionStatus. The zero Status is none of them: it stands for
// "unset" in a [PlayerSession] and for "nothing before" in an [Event].
type Status uint8

const (
	// StatusReserved holds a seat for a player who has not been accepted yet.
	// It becomes StatusActive when the game server accepts the player, or
	// StatusTimedOut when the deadline passes or the seat is given up first.
	StatusReserved Status = iota + 1

	// StatusActive is a player who was accepted and holds the seat, connected
	// or, where there is a reconnect window, dropped and awaited back.
	// It becomes StatusCompleted, and nothing else.
	StatusActive

	// StatusCompleted is a player who was accepted and has left; the seat is
	// open again. This is a terminal status: it has no exit.
	StatusCompleted

	// StatusTimedOut is a reservation that ended before the player was
	// accepted; the seat is open again. This is a terminal status: it has no
	// exit.
	StatusTimedOut
)

var statuses = vocabulary{
	typ:   "Status",
	field: "Status",
	words: []string{
		StatusReserved:  "RESERVED",
		StatusActive:    "ACTIVE",
		StatusCompleted: "COMPLETED",
		StatusTimedOut:  "TIMEDOUT",
	},
}

// ParseStatus returns the status with the given wire name, "RESERVED", "ACTIVE",
// "COMPLETED" or "TIMEDOUT", in just this spelling. Any other text, the empty one
// included, is a [*FieldError], which matches [ErrInvalidField].
func ParseStatus(name string) (Status, error) {
	v, err := statuses.parse(name)
	return Status(v), err
}

// String returns the wire name of s, or "Status(9)" for a value that has none.
func (s Status) String() string { return statuses.name(uint8(s)) }

// MarshalText returns the wire name of s. A value that has none, the zero Status
// included, is a [*FieldError], which matches [ErrInvalidField].
func (s Status) MarshalText() ([]byte, error) { return statuses.marshal(uint8(s)) }

// UnmarshalText sets s to the status with the given wire name. On any text that
// [ParseStatus] refuses it returns the same error and leaves s as it was.
func (s *Status) UnmarshalText(name []byte) error {
	v, err := ParseStatus(string(name))
	if err != nil {
		return err
	}
	*s = v
	return nil
}

// Terminal reports whether the player session is over: its status has no exit,
// and its seat may be another player's.
func (s Status) Terminal() bool {
	return s == StatusCompleted || s == StatusTimedOut
}

// CanBecome reports whether a player session may go from s to next. There are
// three such steps, by GameLift's documentation: RESERVED to ACTIVE, RESERVED to
// TIMEDOUT and ACTIVE to COMPLETED. To stay is not a step.
func (s Status) CanBecome(next Status) bool {
	switch s {
	case StatusReserved:
		return next == StatusActive || next == StatusTimedOut
	case StatusActive:
		return next == StatusCompleted
	default:
		return false
	}
}
