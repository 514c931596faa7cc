package slot

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/usher-go/usher/session"
)

// gameSession is a game session as the table holds it.
type gameSession struct {
	// ended is when the game session was TERMINATED, or never. Every call loads it
	// under its stripe's lock; storing it ends all player sessions at once, and
	// what follows only reclaims them.
	ended atomic.Int64

	// accepted is set by the first accept and only read by the others.
	accepted atomic.Bool

	number uint32
	common session.PlayerSession // what all its player sessions share; never changes
	clock  *clock

	mu sync.Mutex // protects all below; taken before the roster's and any stripe's

	session.GameSession               // but its MaximumPlayerSessionCount and below
	held                int           // seats
	seats               []place       // who holds them; 0: nobody
	left                seatSet       // seats that were left, below len(seats)
	ids                 idSource      // of those who reserve here
	empty               chan struct{} // closed once nobody holds a seat, for those who drain
	unsaid              []departure   // for the log, once g is unlocked
	timedOut            int           // reservations that nobody came for
	warned              struct{ nobodyAccepts, playerID bool }
	retired             bool // its retention is over: the table has forgotten it

	first place // its player sessions, live and retained; protected by the roster's lock
}

// lives tells whether r, a record of g that has not been ended, reads as live at the
// horizon.
func (g *gameSession) lives(r *record, horizon int64) bool {
	return g.ended.Load() == never && !r.due(horizon)
}

// leave unlocks g and returns what is to be said in the log.
func (g *gameSession) leave() []departure {
	unsaid := g.unsaid
	g.unsaid = nil
	g.mu.Unlock()
	return unsaid
}

// present returns v as the caller gets it; id is the text v was found by.
func (g *gameSession) present(v *view, id string) (ps session.PlayerSession) {
	g.presentIn(&ps, &v.record, v.text, id)
	return ps
}

// presentIn is present without a copy of 208 bytes, which a reservation would notice.
func (g *gameSession) presentIn(ps *session.PlayerSession, r *record, text, id string) {
	*ps = g.common
	ps.CreationTime = r.created()
	ps.PlayerID = r.playerID(text)
	ps.PlayerData = r.playerData(text)
	ps.PlayerSessionID = id
	ps.Status = r.status()
	ps.Slot = int(r.seat())
	ps.Generation = r.generation
	if ps.Status.Terminal() {
		ps.TerminationTime = g.clock.wall(r.until)
	}
}

// hasRoom tells whether n seats are free.
func (g *gameSession) hasRoom(n int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.held+n <= g.MaximumPlayerSessionCount
}

// takeSeat gives the lowest free seat to the session at p. g.mu is held.
func (g *gameSession) takeSeat(p place) uint32 {
	g.held++
	if seat, ok := g.left.takeLowest(); ok {
		g.seats[seat] = p
		return seat
	}
	g.seats = append(g.seats, p)
	return uint32(len(g.seats) - 1)
}

// leaveSeat frees a seat. g.mu is held.
func (g *gameSession) leaveSeat(seat uint32) {
	g.seats[seat] = 0
	g.held--
	if g.held == 0 { // all are free: begin anew
		g.seats = g.seats[:0]
		g.left.clear()
		return
	}
	g.left.add(seat)
}

// snapshot is what the caller gets. g.mu is held.
func (g *gameSession) snapshot() session.GameSession {
	gs := g.GameSession
	gs.CurrentPlayerSessionCount = g.held
	return gs
}

// Limits of strings, in characters, from GameLift's API reference.
const (
	maxGameSessionID = 1024
	maxName          = 1024
	maxPlayerID      = 1024
	maxPlayerData    = 2048
)

// longer tells whether s has more than limit characters.
func longer(s string, limit int) bool {
	return len(s) > limit && utf8.RuneCountInString(s) > limit
}

// brief cuts what may have been refused for its length, for logs and errors.
func brief(text string) string {
	const most = 4 * maxPlayerID // bytes; whole, whatever is valid
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

func checkText(field, text string, limit int, required bool) error {
	switch {
	case required && text == "":
		return &session.FieldError{Field: field, Reason: "is required"}
	case longer(text, limit):
		return &session.FieldError{Field: field, Reason: "is too long; see its limit in characters"}
	case !utf8.ValidString(text):
		return &session.FieldError{Field: field, Reason: "is not valid UTF-8"}
	}
	return nil
}

func checkMaximum(maximum int) error {
	if maximum < 0 || maximum > maxSeats {
		return &session.FieldError{Field: "MaximumPlayerSessionCount", Reason: "must lie between 0 and 16,777,215"}
	}
	return nil
}

func checkPolicy(p session.CreationPolicy) error {
	if p > session.DenyAll {
		return &session.FieldError{Field: "PlayerSessionCreationPolicy", Reason: "must be ACCEPT_ALL or DENY_ALL"}
	}
	return nil
}

// checkGameSession is what CreateGameSession refuses. GameLift's patterns are
// Validate's: a server that never spoke to GameLift names things as it likes.
func checkGameSession(gs *session.GameSession) error {
	if err := checkText("GameSessionId", gs.GameSessionID, maxGameSessionID, true); err != nil {
		return err
	}
	if err := checkMaximum(gs.MaximumPlayerSessionCount); err != nil {
		return err
	}
	if gs.Port < 0 || gs.Port > 65535 {
		return &session.FieldError{Field: "Port", Reason: "must lie between 0 and 65,535"}
	}
	if gs.Status != session.GameSessionActive && gs.Status != session.GameSessionActivating {
		return &session.FieldError{Field: "Status", Reason: "must be ACTIVE or ACTIVATING for a new game session"}
	}
	return checkPolicy(gs.PlayerSessionCreationPolicy)
}

// newGameSession returns a game session with strings of its own.
func newGameSession(gs session.GameSession, c *clock) *gameSession {
	for _, s := range []*string{&gs.GameSessionID, &gs.Name, &gs.FleetID, &gs.FleetARN, &gs.DNSName, &gs.IPAddress} {
		*s = strings.Clone(*s)
	}
	gs.CreationTime, gs.TerminationTime = c.wall(c.now()), time.Time{}
	g := &gameSession{
		clock: c,
		common: session.PlayerSession{
			DNSName:       gs.DNSName,
			FleetARN:      gs.FleetARN,
			FleetID:       gs.FleetID,
			GameSessionID: gs.GameSessionID,
			IPAddress:     gs.IPAddress,
			Port:          gs.Port,
		},
		GameSession: gs,
	}
	g.ended.Store(never)
	return g
}
