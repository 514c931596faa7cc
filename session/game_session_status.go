package session

// GameSessionStatus says whether a game session takes players. The words are those
// of GameLift's GameSessionStatus, but for ERROR, a state of the service that has
// no counterpart in a process.
type GameSessionStatus uint8

const (
	// GameSessionActive takes reservations. It is the zero value, so that a
	// plain [GameSession] is ready for players. It becomes
	// GameSessionTerminating when it is drained, or GameSessionTerminated.
	GameSessionActive GameSessionStatus = iota

	// GameSessionActivating is still loading and takes no reservation yet. It
	// becomes GameSessionActive, or one of the two below.
	GameSessionActivating

	// GameSessionTerminating is draining: it takes no new reservation, and who
	// holds one may still be accepted. It becomes GameSessionTerminated once
	// its last seat is empty, or at once when it is terminated.
	GameSessionTerminating

	// GameSessionTerminated is over, and so is each of its player sessions.
	// This is a terminal status: it has no exit.
	GameSessionTerminated
)

var gameSessionStatuses = vocabulary{
	typ:   "GameSessionStatus",
	field: "Status",
	words: []string{
		GameSessionActive:      "ACTIVE",
		GameSessionActivating:  "ACTIVATING",
		GameSessionTerminating: "TERMINATING",
		GameSessionTerminated:  "TERMINATED",
	},
}

// ParseGameSessionStatus returns the status with the given wire name, "ACTIVE",
// "ACTIVATING", "TERMINATING" or "TERMINATED", in just this spelling. Any other
// text, the empty one and "ERROR" included, is a [*FieldError], which matches
// [ErrInvalidField].
func ParseGameSessionStatus(name string) (GameSessionStatus, error) {
	v, err := gameSessionStatuses.parse(name)
	return GameSessionStatus(v), err
}

// String returns the wire name of s, or "GameSessionStatus(9)" for a value that
// has none.
func (s GameSessionStatus) String() string { return gameSessionStatuses.name(uint8(s)) }

// MarshalText returns the wire name of s. A value that has none is a
// [*FieldError], which matches [ErrInvalidField].
func (s GameSessionStatus) MarshalText() ([]byte, error) {
	return gameSessionStatuses.marshal(uint8(s))
}

// UnmarshalText sets s to the status with the given wire name. On any text that
// [ParseGameSessionStatus] refuses it returns the same error and leaves s as it
// was.
func (s *GameSessionStatus) UnmarshalText(name []byte) error {
	v, err := ParseGameSessionStatus(string(name))
	if err != nil {
		return err
	}
	*s = v
	return nil
}
