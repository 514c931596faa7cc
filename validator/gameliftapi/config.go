package gameliftapi

import "github.com/rs/zerolog"

// Config configures the handler. The zero value refuses every request.
type Config struct {
	// Credentials returns the secret access key of an access key id; ok is false
	// if there is none. It is called once for each signed request, concurrently.
	// nil: no signed request is taken.
	Credentials func(accessKeyID string) (secret string, ok bool)

	// BearerToken is taken in "Authorization: Bearer …" instead of a signature.
	// "": none is.
	BearerToken string

	// Anonymous takes every request that comes from a loopback address, whatever
	// credentials it carries, if neither Credentials nor BearerToken is set; but a
	// browser's. It is for a developer's machine: whoever has an account on it can
	// take seats.
	Anonymous bool

	// Operations are the names of those allowed, such as "CreatePlayerSession".
	// Empty: the player sessions' and all that only read, which are
	// CreatePlayerSession, CreatePlayerSessions, DescribePlayerSessions,
	// DescribeGameSessions, DescribeGameSessionDetails and SearchGameSessions. See
	// [Operations] for all there are.
	Operations []string

	// Fleet is the id of the fleet that game sessions are created in; one without
	// a FleetID on the table counts as of this fleet. "": "fleet-local".
	Fleet string

	// Region is named in the ARNs of what is created. "": "local". Requests may be
	// signed for any region.
	Region string

	// MaxPlayers is the greatest MaximumPlayerSessionCount that may be asked for;
	// GameLift's is 200. 0: only the table's limit.
	MaxPlayers int

	// Placement puts new game sessions on server processes. nil: they are ACTIVE
	// on the table at once.
	Placement Placement

	// Logger takes the refusals: the client's faults at debug level, those of this
	// server as errors. The zero Logger is silent.
	Logger zerolog.Logger
}

const (
	defaultFleet  = "fleet-local"
	defaultRegion = "local"
)

func (c Config) withDefaults() Config {
	if c.Fleet == "" {
		c.Fleet = defaultFleet
	}
	if c.Region == "" {
		c.Region = defaultRegion
	}
	return c
}
