package slot

import (
	"math/bits"
	"runtime"
	"strconv"
	"time"

	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
)

// Config configures a table. The zero value works.
type Config struct {
	// ReservationTimeout is how long a reservation waits for its player unless it
	// names a timeout of its own. 0: 60 s, as GameLift.
	ReservationTimeout time.Duration

	// MaxReservation is how long after its creation Extend may carry a
	// reservation's deadline. 0: 10 min. Chosen here.
	MaxReservation time.Duration

	// ReconnectWindow is how long the seat of a dropped player waits for its
	// return. 0: not at all, as GameLift: a player that is gone is COMPLETED.
	ReconnectWindow time.Duration

	// Retention is how long the player sessions of a game session, and itself, are
	// kept after it ended. 0: 30 days, as GameLift.
	Retention time.Duration

	// MaxRetained bounds the COMPLETED and TIMEDOUT player sessions kept in all;
	// beyond it the earliest ended go first, in any order if within one millisecond.
	// When many time out together, more are kept until all their seats are free.
	// 0: 262,144. Chosen here: some 60 MB.
	MaxRetained int

	// Capacity is how many live player sessions to make room for from the start.
	// 0: none; the table grows as needed either way.
	Capacity int

	// Stripes is the number of locks the table is striped by, a power of two of at
	// most 65,536. 0: chosen from GOMAXPROCS.
	Stripes int

	// DuplicatePlayers says what becomes of a reservation for a player that holds
	// a slot of the same game session already. Chosen here: GameLift does not say.
	DuplicatePlayers DuplicatePolicy

	// Logger takes what an operator should know; the zero Logger is silent.
	Logger zerolog.Logger
}

// DuplicatePolicy says what becomes of a reservation for a PlayerID that holds a
// slot of the same game session already.
type DuplicatePolicy uint8

const (
	// DuplicatesReturn answers with the session held, its deadline unchanged, if
	// it is RESERVED with the same data (a retry) or ACTIVE and dropped within the
	// ReconnectWindow (a way back), and with ErrDuplicatePlayer otherwise.
	DuplicatesReturn DuplicatePolicy = iota
	// DuplicatesReject answers with ErrDuplicatePlayer.
	DuplicatesReject
	// DuplicatesReplace ends the session held and gives its seat to the new one, in
	// one step and whether or not the game session is full.
	DuplicatesReplace
	// DuplicatesAllow takes one more slot.
	DuplicatesAllow
)

// String returns the policy's word, lower case.
func (p DuplicatePolicy) String() string {
	words := [...]string{"return", "reject", "replace", "allow"}
	if int(p) >= len(words) {
		return "DuplicatePolicy(" + strconv.Itoa(int(p)) + ")"
	}
	return words[p]
}

const (
	// maxDuration bounds what Config may ask for: a hundred years.
	maxDuration = 100 * 365 * 24 * time.Hour

	maxStripes = 1 << 16

	// maxHeld bounds MaxRetained and Capacity: places in the roster are 32 bits.
	maxHeld = 1 << 30

	// Each processor finds 16 stripes: two of them rarely meet in one. With 64 two
	// processors let in as many players, but one of them fewer, since all that there
	// is once for each stripe is not in the nearest cache then: bench/README.md.
	stripesPerProcessor = 16
)

func (c *Config) validate() error {
	durations := []struct {
		field string
		value time.Duration
	}{
		{"ReservationTimeout", c.ReservationTimeout},
		{"MaxReservation", c.MaxReservation},
		{"ReconnectWindow", c.ReconnectWindow},
		{"Retention", c.Retention},
	}
	for _, d := range durations {
		if d.value < 0 || d.value > maxDuration {
			return &session.FieldError{Field: d.field, Reason: "must lie between 0 and 100 years"}
		}
	}
	if c.MaxRetained < 0 || c.MaxRetained > maxHeld {
		return &session.FieldError{Field: "MaxRetained", Reason: "must lie between 0 and 1,073,741,824"}
	}
	if c.Capacity < 0 || c.Capacity > maxHeld {
		return &session.FieldError{Field: "Capacity", Reason: "must lie between 0 and 1,073,741,824"}
	}
	if c.Stripes < 0 || c.Stripes > maxStripes || c.Stripes&(c.Stripes-1) != 0 {
		return &session.FieldError{Field: "Stripes", Reason: "must be a power of two of at most 65,536"}
	}
	if c.DuplicatePlayers > DuplicatesAllow {
		return &session.FieldError{Field: "DuplicatePlayers", Reason: "is no known policy"}
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.ReservationTimeout == 0 {
		c.ReservationTimeout = time.Minute
	}
	if c.MaxReservation == 0 {
		c.MaxReservation = 10 * time.Minute
	}
	if c.Retention == 0 {
		c.Retention = 30 * 24 * time.Hour
	}
	if c.MaxRetained == 0 {
		c.MaxRetained = 262_144
	}
	if c.Stripes == 0 {
		processors := uint(min(runtime.GOMAXPROCS(0), maxStripes/stripesPerProcessor))
		c.Stripes = stripesPerProcessor << bits.Len(processors-1)
	}
	return c
}
