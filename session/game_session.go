package session

import "time"

// GameSession is a game that players join. The fields and their constraints are
// those of GameLift's GameSession, as far as player sessions need them; the
// constraints are checked by [GameSession.Validate] alone.
//
// A GameSession is a plain value: copy it, and read it from as many goroutines as
// you like.
type GameSession struct {
	// GameSessionID names the game session, 1 to 1024 characters. In GameLift
	// it is an ARN; here any text does.
	GameSessionID string

	// Name is a label for people, up to 1024 characters. It need not be unique.
	Name string

	// FleetID, FleetARN, DNSName and IPAddress say where the game session runs.
	// Every player session of it has them too, as they are.
	FleetID, FleetARN, DNSName, IPAddress string

	// Port is where the game server listens, 1 to 60000; 0 is unset. Every
	// player session has it too.
	Port int

	// MaximumPlayerSessionCount is the number of seats, 0 or more.
	MaximumPlayerSessionCount int

	// CurrentPlayerSessionCount is the number of seats held, by player sessions
	// that are RESERVED or ACTIVE. The table sets it.
	CurrentPlayerSessionCount int

	// PlayerSessionCreationPolicy says whether reservations are let in.
	PlayerSessionCreationPolicy CreationPolicy

	// Status says whether the game session takes players.
	Status GameSessionStatus

	// CreationTime and TerminationTime are when it was created and when it was
	// over, zero until then, in UTC and whole milliseconds. The table sets them.
	CreationTime, TerminationTime time.Time
}
