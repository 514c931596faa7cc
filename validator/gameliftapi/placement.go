package gameliftapi

import (
	"context"
	"errors"

	"github.com/usher-go/usher/session"
)

// ErrNoProcess is what a Placement returns when no server process is idle. The
// client gets a FleetCapacityExceededException.
var ErrNoProcess = errors.New("gameliftapi: no server process is idle; start one, or end a game session")

// Placement puts game sessions on server processes and tells those what becomes of
// them. Its methods are called one at a time, and whatever else changes a game
// session through the API waits: they must not wait for the process, nor call the
// API. They may call the table.
type Placement interface {
	// Place puts a new game session on an idle server process: it sets where that
	// is (IPAddress, DNSName, Port, ComputeName, Location) and, if it knows,
	// MatchmakerData in gs, creates gs.GameSession on the table, and has the
	// process told. gs.Status is ACTIVATING; the process's ActivateGameSession is
	// the table's. A Placement without processes may make it ACTIVE itself.
	//
	// Any error means that nothing was created: ErrNoProcess if no process is
	// idle; the table's errors, as they are, and others are passed on too.
	Place(ctx context.Context, gs *GameSession) error

	// Updated is called after UpdateGameSession has changed gs.
	Updated(gs GameSession)

	// Terminating is called after TerminateGameSession: with TriggerOnProcessTerminate
	// gs is TERMINATING and its process is to be asked to end, with ForceTerminate
	// it is TERMINATED already and its process is to be stopped.
	Terminating(gs GameSession, mode TerminationMode)
}

// TerminationMode is how a game session is to be ended, in the words of the wire.
type TerminationMode string

// The modes of TerminateGameSession.
const (
	TriggerOnProcessTerminate TerminationMode = "TRIGGER_ON_PROCESS_TERMINATE"
	ForceTerminate            TerminationMode = "FORCE_TERMINATE"
)

// GameSession is what the wire has of a game session: the table's part, and what
// is kept beside it.
type GameSession struct {
	session.GameSession

	GameProperties   []GameProperty // do not change them in place
	GameSessionData  string
	CreatorID        string
	Location         string
	ComputeName      string
	MatchmakerData   string
	IdempotencyToken string // "": none was given
	ProtectionPolicy string // "NoProtection" or "FullProtection"
	StatusReason     string // why it ended, if TerminateGameSession was called
}

// GameProperty is one of a game session's key-value pairs.
type GameProperty struct{ Key, Value string }
