package slot

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot/internal/prefetch"
)

// Reservation asks for a slot.
type Reservation struct {
	GameSessionID, PlayerID string // required; at most 1,024 characters
	PlayerData              string // at most 2,048 characters; never interpreted

	// PlayerSessionID is the id to reserve under: one that was issued elsewhere,
	// valid and nowhere live or retained. "": a new random id.
	PlayerSessionID string

	// Timeout is how long the reservation waits for its player. 0: the table's. A
	// negative one is an ErrInvalidField; one of more than 146 years never ends.
	Timeout time.Duration
}

// String describes r without its secrets: the id is redacted, the data left out.
func (r Reservation) String() string {
	id := ""
	if r.PlayerSessionID != "" {
		id = session.Redact(r.PlayerSessionID)
	}
	return fmt.Sprintf("{GameSessionID:%q PlayerID:%q PlayerSessionID:%s Timeout:%s}",
		brief(r.GameSessionID), brief(session.RedactPlayerID(r.PlayerID)), id, r.Timeout)
}

// GoString is String, so that %#v keeps the secrets too.
func (r Reservation) GoString() string { return "slot.Reservation" + r.String() }

// PartyError says which member of a party could not be given a slot, and why.
type PartyError struct {
	Index    int    // in the reservations
	PlayerID string // the member's
	Err      error
}

// Error names the member, by number and player id.
func (e *PartyError) Error() string {
	return fmt.Sprintf("slot: party member %d (%q): %v", e.Index, brief(session.RedactPlayerID(e.PlayerID)), e.Err)
}

// Unwrap returns Err.
func (e *PartyError) Unwrap() error { return e.Err }

// Reserve holds a slot for a player: the lowest free seat of the game session,
// RESERVED until AcceptPlayerSession or the timeout.
//
// It answers with the first of these that applies: ErrClosed; an ErrInvalidField
// or ErrInvalidPlayerSessionID; ErrGameSessionNotFound; ErrGameSessionNotActive;
// under DuplicatesReturn the session that a repeat means, even when the game
// session is full or denies, or the table drains; ErrDraining; ErrCreationDenied;
// ErrPlayerSessionExists; ErrDuplicatePlayer; ErrGameSessionFull; ErrOverloaded.
func (t *Table) Reserve(r Reservation) (ps session.PlayerSession, err error) {
	if selfChecks { // as in admit
		defer t.checked()
	}
	rs, cs, out := [1]Reservation{r}, [1]claim{}, [1]*session.PlayerSession{&ps}
	err = t.reserve(rs[:], cs[:], out[:])
	if err == nil {
		return ps, nil
	}
	t.refuseReservation(rs[:], cs[:], err)
	var member *PartyError
	if errors.As(err, &member) {
		err = member.Err
	}
	return session.PlayerSession{}, err
}

// ReserveAll holds slots for a party of one game session: for all of its members,
// and then it returns their player sessions in order, or for none. Nobody sees a
// part of it.
//
// The errors are Reserve's, checked in the same order for all members; that of a
// member is a *PartyError. A party of none, and one across two game sessions, is
// an ErrInvalidField. Members who hold a seat already, under DuplicatesReturn,
// need no other. A player who is named twice is an ErrDuplicatePlayer, except
// under DuplicatesAllow.
func (t *Table) ReserveAll(party []Reservation) ([]session.PlayerSession, error) {
	defer t.checked()
	cs, out := make([]claim, len(party)), make([]session.PlayerSession, len(party))
	if err := t.reserve(party, cs, pointers(out)); err != nil {
		t.refuseReservation(party, cs, err)
		return nil, err
	}
	return out, nil
}

// pointers returns where each of out is. Reserve has one that is no slice's.
func pointers(out []session.PlayerSession) []*session.PlayerSession {
	to := make([]*session.PlayerSession, len(out))
	for i := range to {
		to[i] = &out[i]
	}
	return to
}

// claim is a reservation on its way through the checks.
type claim struct {
	player uint32 // hash of the player id
	twice  bool   // the player is named before in the party

	id     string // to be reserved under; "" as long as none is given
	issued bool   // elsewhere; one of our own, being random, is nobody else's
	key    key
	suffix string // of its text
	timed  timed  // what has been added
	until  int64  // its deadline

	holds    bool
	held     view // the live session that the player has already
	repeats  bool // it answers the reservation
	replaces bool // it ends, and its seat goes to the new one
}

// reserve fills what out points to; if there is an error, perhaps a part of it.
func (t *Table) reserve(party []Reservation, cs []claim, out []*session.PlayerSession) error {
	if t.closed.Load() {
		return session.ErrClosed
	}
	var g *gameSession
	if len(party) > 0 {
		g = t.games.get(party[0].GameSessionID)
	}
	if err := t.checkFields(g, party, cs); err != nil {
		return err
	}
	if g == nil {
		return t.orClosed(session.ErrGameSessionNotFound)
	}
	t.warnPlayerIDs(g, party)
	err := t.reserveIn(g, party, cs, out)
	if errors.Is(err, session.ErrGameSessionFull) {
		t.catchUpUntil(func() bool { return g.hasRoom(len(party)) }) // a seat whose deadline has just passed is free
		err = t.reserveIn(g, party, cs, out)
	}
	t.forgetSurplus(len(party))
	if err == nil && t.log.says(zerolog.DebugLevel) {
		for i := range out {
			t.log.moved(*out[i], "player session reserved")
		}
	}
	return err
}

// checkFields checks what can be told without looking at the table. g is the game
// session that the party names, or nil if there is none of that id.
func (t *Table) checkFields(g *gameSession, party []Reservation, cs []claim) error {
	if len(party) == 0 {
		return &session.FieldError{Field: "PlayerIds", Reason: "must name at least one player"}
	}
	var seen map[string]bool
	if len(party) > 1 && t.config.DuplicatePlayers != DuplicatesAllow {
		seen = make(map[string]bool, len(party))
	}
	for i := range party {
		r, c := &party[i], &cs[i]
		if err := checkReservation(g, r, &party[0]); err != nil {
			return &PartyError{Index: i, PlayerID: r.PlayerID, Err: err}
		}
		if r.PlayerSessionID != "" {
			k, alias, ok := t.keys.of(r.PlayerSessionID)
			if !ok {
				return &PartyError{Index: i, PlayerID: r.PlayerID, Err: session.ErrInvalidPlayerSessionID}
			}
			c.key, c.id, c.issued = k, strings.Clone(r.PlayerSessionID), true
			if alias {
				c.suffix = suffixOf(c.id)
			}
		}
		c.player = t.roster.hash(r.PlayerID)
		if seen != nil {
			c.twice = seen[r.PlayerID]
			seen[r.PlayerID] = true
		}
	}
	return nil
}

func checkReservation(g *gameSession, r, first *Reservation) error {
	if g == nil { // a game session's id is valid
		if err := checkText("GameSessionId", r.GameSessionID, maxGameSessionID, true); err != nil {
			return err
		}
	}
	if r.GameSessionID != first.GameSessionID {
		return &session.FieldError{Field: "GameSessionId", Reason: "must be the same for all members of a party"}
	}
	if err := checkText("PlayerId", r.PlayerID, maxPlayerID, true); err != nil {
		return err
	}
	if err := checkText("PlayerData", r.PlayerData, maxPlayerData, false); err != nil {
		return err
	}
	if r.Timeout < 0 {
		return &session.FieldError{Field: "Timeout", Reason: "must not be negative"}
	}
	return nil
}

// reserveIn checks the party against the state of g and enters it, in one step:
// g's lock is held throughout.
func (t *Table) reserveIn(g *gameSession, party []Reservation, cs []claim, out []*session.PlayerSession) error {
	g.mu.Lock()
	defer t.unlock(g)
	switch {
	case t.closed.Load():
		return session.ErrClosed
	case g.retired:
		return session.ErrGameSessionNotFound
	case g.Status != session.GameSessionActive:
		return session.ErrGameSessionNotActive
	}
	now := t.now()
	repeats := 0
	for i := range cs {
		t.findHeld(g, &party[i], &cs[i])
		if cs[i].repeats {
			*out[i] = g.present(&cs[i].held, t.keys.id(&cs[i].held))
			repeats++
		}
	}
	if repeats == len(cs) {
		return nil
	}
	if err := t.checkState(g, party, cs); err != nil {
		return err
	}
	if c := &cs[0]; len(cs) == 1 && !c.issued && !c.replaces {
		t.enterNew(g, &party[0], c, out[0], now)
		return nil
	}
	return t.enter(g, party, cs, out, now)
}

// findHeld looks for a live session of the player in g, and decides whether it
// answers the reservation. g is locked.
func (t *Table) findHeld(g *gameSession, r *Reservation, c *claim) {
	c.holds, c.repeats, c.replaces = false, false, false
	if t.config.DuplicatePlayers == DuplicatesAllow {
		return
	}
	c.held, c.holds = t.liveOf(g, r.PlayerID, c.player)
	if !c.holds || c.twice || t.config.DuplicatePlayers != DuplicatesReturn {
		return
	}
	if c.issued && t.keys.id(&c.held) != c.id {
		return
	}
	switch c.held.cause() {
	case session.CauseReserved:
		c.repeats = c.held.playerData() == r.PlayerData
	case session.CauseDropped:
		c.repeats = true
	}
}

// liveOf returns the oldest live session of a player in g. One whose deadline
// has passed is ended on the way. g is locked.
func (t *Table) liveOf(g *gameSession, playerID string, hash uint32) (view, bool) {
	for p, k := t.roster.nextLive(g, hash, 0); p != 0; {
		s := t.stripe(k)
		s.mu.Lock()
		r := s.live.find(k)
		switch {
		case r == nil || r.place != p || r.status().Terminal():
			s.mu.Unlock()
			p, k = t.roster.nextLive(g, hash, p)
		case !g.lives(r, t.horizon.Load()):
			e := s.settled(r, t.horizon.Load(), g.ended.Load())
			t.finish(g, s, r, &e)
			p, k = t.roster.nextLive(g, hash, 0)
		case r.playerID(s.texts.at(r.text)) == playerID:
			defer s.mu.Unlock()
			return s.view(r), true
		default:
			s.mu.Unlock()
			p, k = t.roster.nextLive(g, hash, p)
		}
	}
	return view{}, false
}

// checkState is what the state of the table and of g, which is locked, refuses.
func (t *Table) checkState(g *gameSession, party []Reservation, cs []claim) error {
	if t.draining.Load() {
		return session.ErrDraining
	}
	if g.PlayerSessionCreationPolicy == session.DenyAll {
		return session.ErrCreationDenied
	}
	for i := range cs {
		if c := &cs[i]; c.issued && !c.repeats && (t.taken(c.key) || among(cs[:i], c.key)) {
			return &PartyError{Index: i, PlayerID: party[i].PlayerID, Err: session.ErrPlayerSessionExists}
		}
	}
	wanted := 0
	for i := range cs {
		c := &cs[i]
		c.replaces = c.holds && t.config.DuplicatePlayers == DuplicatesReplace
		if c.twice || c.holds && !c.repeats && !c.replaces {
			return &PartyError{Index: i, PlayerID: party[i].PlayerID, Err: session.ErrDuplicatePlayer}
		}
		if !c.repeats && !c.replaces {
			wanted++
		}
	}
	if wanted > 0 && g.held+wanted > g.MaximumPlayerSessionCount {
		return session.ErrGameSessionFull
	}
	if backlog, _ := t.events.backlog(); backlog > t.backlogLimit() {
		return session.ErrOverloaded
	}
	return nil
}

// taken tells whether a player session is live or retained under a key.
func (t *Table) taken(k key) bool {
	s := t.stripe(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(k) != nil
}

func among(cs []claim, k key) bool {
	return slices.ContainsFunc(cs, func(c claim) bool { return c.issued && c.key == k })
}

// enter makes the player sessions. The roster and all their stripes are locked
// together: so they appear together, or nothing has been done. g is locked.
func (t *Table) enter(g *gameSession, party []Reservation, cs []claim, out []*session.PlayerSession, now int64) error {
	var few [2]int
	stripes := few[:0]
	for i := range cs {
		c := &cs[i]
		if c.repeats {
			continue
		}
		if !c.issued {
			c.key, c.id = g.ids.next(&t.keys)
		}
		stripes = append(stripes, t.stripeIndex(c.key))
		if c.replaces {
			stripes = append(stripes, t.stripeIndex(c.held.key))
		}
	}
	g.seats = slices.Grow(g.seats, len(cs)) // accepts do not wait for that
	t.roster.mu.Lock()
	stripes = t.lockSet(stripes)
	err := t.takenMeanwhile(party, cs)
	if err == nil {
		t.appear(g, party, cs, out, now)
	}
	t.unlockSet(stripes)
	t.prefetchNext(g)
	t.roster.mu.Unlock()
	if err != nil {
		return err
	}
	for i := range cs {
		if c := &cs[i]; !c.repeats {
			t.settleIn(g, c, now)
		}
	}
	return nil
}

// prefetchNext asks for the memory that the next reservation of g writes: its record's
// and its entry's in the roster, of which a larger table has none near. g and the roster
// are locked.
func (t *Table) prefetchNext(g *gameSession) {
	if !prefetch.Enabled || t.held.Load() < fewNear {
		return
	}
	t.roster.prefetchNext()
	if k, ok := g.ids.coming(); ok {
		t.ask(k)
	}
}

// fewNear are as many as the processor has near it anyway: their records are 128 KB.
const fewNear = 2048

// enterNew is enter for one player, under an id of our own, in whose way nobody can be:
// that is nearly all of them, and in a straight line it takes a tenth less. g is locked.
func (t *Table) enterNew(g *gameSession, res *Reservation, c *claim, out *session.PlayerSession, now int64) {
	c.key, c.id = g.ids.next(&t.keys)
	g.seats = slices.Grow(g.seats, 1)
	s := t.stripe(c.key)
	t.roster.mu.Lock()
	s.mu.Lock()
	t.enterRecord(g, res, c, out, now)
	s.mu.Unlock()
	t.prefetchNext(g)
	t.roster.mu.Unlock()
	t.settleIn(g, c, now)
}

// takenMeanwhile looks again for ids issued elsewhere, which may have been
// reserved in another game session. The stripes are locked.
func (t *Table) takenMeanwhile(party []Reservation, cs []claim) error {
	for i := range cs {
		if c := &cs[i]; !c.repeats && c.issued && t.stripe(c.key).find(c.key) != nil {
			return &PartyError{Index: i, PlayerID: party[i].PlayerID, Err: session.ErrPlayerSessionExists}
		}
	}
	return nil
}

// appear enters all who have no session yet. The roster and the stripes are locked.
func (t *Table) appear(g *gameSession, party []Reservation, cs []claim, out []*session.PlayerSession, now int64) {
	for i := range cs {
		if !cs[i].repeats {
			t.stripe(cs[i].key).live.touch(cs[i].key)
		}
	}
	for i := range cs {
		if !cs[i].repeats {
			t.enterRecord(g, &party[i], &cs[i], out[i], now)
		}
	}
}

// enterRecord makes c's record, and fills out from it. That is done where the record
// stands: to copy what has just been written in parts takes long.
func (t *Table) enterRecord(g *gameSession, res *Reservation, c *claim, out *session.PlayerSession, now int64) {
	timeout := res.Timeout
	if timeout == 0 {
		timeout = t.config.ReservationTimeout
	}
	at, seat := t.seat(g, c)
	s := t.stripe(c.key)
	r := s.add(c.key, res.PlayerID, res.PlayerData, c.suffix)
	t.follow(s, c.key)
	r.place, r.seq = at.place, at.seq
	r.made |= uint64(t.clock.milli(now)) << 16
	r.until = after(now, timeout)
	r.game = g.number
	r.packed |= seat << seatBits
	r.become(session.StatusReserved, session.CauseReserved)
	if t.events.used.Load() {
		t.events.publish(g, s.view(r), 0, now)
	}
	g.presentIn(out, r, s.texts.at(r.text), c.id)
	c.timed, c.until = r.timed(), r.until
}

// seat gives c a place in the roster and a seat: the lowest, or that of the session
// that it replaces, which ends.
func (t *Table) seat(g *gameSession, c *claim) (at cursor, seat uint32) {
	at = t.roster.addLocked(g, c.key, c.player)
	if !c.replaces {
		return at, g.takeSeat(at.place)
	}
	s := t.stripe(c.held.key)
	r := s.live.find(c.held.key)
	replaced := t.now() // read under its lock, so that it is not before an accept
	c.held = s.settled(r, replaced, never)
	if !c.held.status().Terminal() {
		c.held.end(session.CauseReplaced, replaced)
	}
	t.endLocked(g, s, r, &c.held)
	s.putAway(r)
	seat = c.held.seat()
	g.seats[seat] = at.place
	return at, seat
}

// settleIn does what remains once c's record can be seen. g is locked.
func (t *Table) settleIn(g *gameSession, c *claim, now int64) {
	t.schedule(c.timed, c.until, now)
	if !c.replaces {
		t.held.Add(1)
		return
	}
	t.remember([]past{c.held.past()})
	t.base.note(g, departure{game: g, player: c.held})
}

// refuseReservation counts and logs what was refused.
func (t *Table) refuseReservation(party []Reservation, cs []claim, err error) {
	if !errors.Is(err, session.ErrClosed) {
		t.refused.count(session.Reason(err))
	}
	if len(party) == 0 || !t.log.says(zerolog.WarnLevel) { // the highest level it may have
		return
	}
	i := 0
	var member *PartyError
	if errors.As(err, &member) {
		i, err = member.Index, member.Err // the line names the player itself
	}
	g := t.games.get(party[i].GameSessionID)
	t.log.refusedReservation(&party[i], len(party), g, t.inTheWay(&cs[i], err), err)
}

// inTheWay returns the player session because of which a reservation was
// refused, or nil.
func (t *Table) inTheWay(c *claim, err error) *view {
	if errors.Is(err, session.ErrPlayerSessionExists) {
		s := t.stripe(c.key)
		s.mu.Lock()
		defer s.mu.Unlock()
		if r := s.find(c.key); r != nil {
			taken := s.settled(r, t.horizon.Load(), t.games.at(r.game).ended.Load())
			return &taken
		}
	}
	if c.holds {
		return &c.held
	}
	return nil
}

// warnPlayerIDs warns, once for a game session, of player session ids that are
// passed as player ids.
func (t *Table) warnPlayerIDs(g *gameSession, party []Reservation) {
	for i := range party {
		if !strings.HasPrefix(party[i].PlayerID, prefix) {
			continue
		}
		g.mu.Lock()
		warned := g.warned.playerID
		g.warned.playerID = true
		t.unlock(g)
		if !warned {
			t.log.idAsPlayer(&party[i])
		}
		return
	}
}
