package session

import "time"

// PlayerSession is a seat in a game session, held for one player or in use by that
// player. The fields on the wire and their constraints are those of GameLift's
// PlayerSession; the constraints are checked by [PlayerSession.Validate] alone.
//
// A PlayerSession is a plain value: copy it, and read it from as many goroutines
// as you like.
//
// PlayerSessionID admits its bearer and PlayerData is the game's own affair, so
// neither shows in what a PlayerSession prints (%v, %+v, %#v, %s) or logs (slog,
// zerolog). Its JSON is the wire form and carries both.
type PlayerSession struct {
	// CreationTime is when the seat was reserved, and TerminationTime when the
	// status became terminal, zero until then; if the deadline ended it, the
	// deadline. Both are in UTC and whole milliseconds.
	CreationTime, TerminationTime time.Time

	// DNSName is the name of the host. With TLS a client must connect to it
	// and not to the address.
	DNSName string

	// FleetARN and FleetID name the fleet the game session runs on, if any.
	FleetARN, FleetID string

	// GameSessionID is the game session the seat is in, 1 to 1024 characters.
	GameSessionID string

	// IPAddress is the address of the host, of either family.
	IPAddress string

	// PlayerData is whatever the game gave along, 1 to 2048 characters. It is
	// never interpreted.
	PlayerData string

	// PlayerID is the player in the game's own terms, 1 to 1024 characters.
	PlayerID string

	// PlayerSessionID is what the player shows at the door; see
	// [ValidatePlayerSessionID].
	PlayerSessionID string

	// Port is where the game server listens, 1 to 60000; 0 is unset.
	Port int

	// Status is where the session stands in its life.
	Status Status

	// Slot is the seat, from 0 on, the lowest free one first, and stable while
	// the session is RESERVED or ACTIVE. It may be another player's the moment
	// the session is terminal: compare PlayerSessionID before you clear a seat.
	// It is not on the wire.
	Slot int

	// Generation counts the connections accepted so far: 0 while RESERVED, 1
	// after the first accept, one more at each return. It is not on the wire.
	Generation uint32
}
