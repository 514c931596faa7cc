package main

import (
	"context"
	"time"

	"github.com/usher-go/usher/session"
)

// Contender holds the seats of game sessions and does the whole job of it:
// Reserve checks the capacity, AcceptPlayerSession lets each player in exactly once
// and hands back the whole player session, whoever does not come in time loses the seat,
// and what Release or the timeout leaves is free again. All methods may be called
// concurrently.
type Contender interface {
	Door
	Reserve(Request) (session.PlayerSession, error)
	Release(playerSessionID string) error

	// AwaitEmpty waits until nobody holds a seat of a game session, in which
	// nothing is reserved any more. It waits only: it does nothing to free them.
	AwaitEmpty(ctx context.Context, game int) error

	Close() error
}

// Door lets players in.
type Door interface {
	AcceptPlayerSession(playerSessionID string) (session.PlayerSession, error)
}

// door is what a game server calls: of usher its validator, of which AcceptPlayerSession
// is that of the acceptor in it. Through a method of usherPeer's or of floor's, or the one
// that the compiler writes to call an embedded one by an interface, the player session
// would be copied once more than by the others.
func door(c Contender) Door {
	switch c := c.(type) {
	case *usherPeer:
		return &c.Acceptor
	case *floor:
		return c.accepter
	}
	return c
}

// Request asks for a seat.
type Request struct {
	Game                 int // number in Setup.Games
	PlayerID, PlayerData string
	ID                   string        // to reserve under; "": a new one
	Timeout              time.Duration // 0: Setup.Timeout
}

// Setup is what a contender begins with.
type Setup struct {
	Games   []session.GameSession
	Timeout time.Duration // of a reservation
}

// Entrant is a contender that can be started again and again.
type Entrant struct {
	Name string
	Open func(Setup) (Contender, error)

	// Sample bounds how many accepts of a round are timed; 0: all. What reserves
	// and releases for it is no part of it, and so is not timed.
	Sample int

	// Floor is not a contender: it does not do the job.
	Floor bool
}

// does tells whether that is the entrant's own doing.
func (e *Entrant) does(work string) bool {
	switch {
	case e.Floor:
		return work == accept || work == acceptAllocs || work == expiry
	case e.Sample > 0:
		return work == accept || work == acceptAllocs || work == refuse || work == refuseAllocs
	}
	return true
}

// entrants returns all of them, usher first.
func entrants(sdk Entrant) []Entrant {
	return []Entrant{
		{Name: "usher", Open: openUsher(plain)},
		{Name: "floor", Open: openFloor, Floor: true},
		{Name: "checked floor", Open: openCheckedFloor, Floor: true},
		{Name: "map+RWMutex", Open: openMap},
		{Name: "sync.Map", Open: openSyncMap},
		{Name: "xsync", Open: openXsync},
		{Name: "xsync+timingwheel", Open: openWheel},
		{Name: "otter", Open: openOtter},
		{Name: "ttlcache", Open: openTTLCache},
		sdk,
	}
}

// setup is a game session of so many seats for each number.
func setup(timeout time.Duration, seats ...int) Setup {
	s := Setup{Timeout: timeout}
	for i, n := range seats {
		s.Games = append(s.Games, session.GameSession{
			GameSessionID:             gameID(i),
			FleetID:                   "fleet-1",
			FleetARN:                  "arn:aws:gamelift:eu-west-1::fleet/fleet-1",
			DNSName:                   "ec2-198-51-100-7.compute-1.amazonaws.com",
			IPAddress:                 "198.51.100.7",
			Port:                      7777,
			MaximumPlayerSessionCount: n,
		})
	}
	return s
}

func gameID(i int) string {
	return "arn:aws:gamelift:eu-west-1::gamesession/fleet-1/match-" + string(rune('0'+i))
}
