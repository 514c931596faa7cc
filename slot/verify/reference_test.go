package main

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// lateness is how late the table may notice that a deadline has passed, and how
// late the timer may reclaim the seat when nobody needs it.
const lateness = 20 * time.Millisecond

// reference is the table as the documentation tells it, to be checked by eye:
// slices that are gone through from front to back, no timer, one caller at a time.
// Its methods are the table's; they do at the instant of the call what the table
// may do up to lateness later, but for two things that it leaves open: a deadline
// that passed less than that ago is judged by the horizon, which the caller may
// raise, and a game session that drains ends at an instant between two bounds.
type reference struct {
	config           slot.Config // defaults filled in
	start, horizon   time.Time
	games            []*refGame   // oldest first; live and retained
	players          []*refPlayer // in order of reservation; live and retained
	reserved         int
	draining, closed bool
	events           []session.Event
	stats            slot.Stats // but what is held now
}

type refGame struct {
	session.GameSession
	endedFrom, endedTo time.Time // when it was TERMINATED, at the earliest and at the latest
}

type refPlayer struct {
	seq                  int
	game                 *refGame
	id, player, data     string
	status               session.Status
	dropped              bool
	seat                 int
	generation           uint32
	made, deadline, over time.Time // zero: none, or not yet
}

func newReference(c slot.Config) *reference {
	c.ReservationTimeout = cmp.Or(c.ReservationTimeout, time.Minute)
	c.MaxReservation = cmp.Or(c.MaxReservation, 10*time.Minute)
	c.Retention = cmp.Or(c.Retention, 30*24*time.Hour)
	c.MaxRetained = cmp.Or(c.MaxRetained, 262_144)
	r := &reference{config: c, start: time.Now(), horizon: time.Now()}
	r.stats.Refused = make(map[string]uint64)
	return r
}

// ms is a time as it is handed out.
func ms(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

// after is t + d, or the farthest deadline there is.
func (r *reference) after(t time.Time, d time.Duration) time.Time {
	if farthest := r.start.Add(1 << 62); t.Add(d).After(farthest) {
		return farthest
	}
	return t.Add(d)
}

func first[E any](all []*E, wanted func(*E) bool) *E {
	if i := slices.IndexFunc(all, wanted); i >= 0 {
		return all[i]
	}
	return nil
}

func (r *reference) game(id string) *refGame {
	return first(r.games, func(g *refGame) bool { return g.GameSessionID == id })
}

func (r *reference) player(id string) *refPlayer {
	return first(r.players, func(p *refPlayer) bool { return p.id == id })
}

func (p *refPlayer) live() bool { return !p.status.Terminal() }

// seats are those held in g.
func (r *reference) seats(g *refGame) map[int]bool {
	seats := make(map[int]bool)
	for _, p := range r.players {
		if p.game == g && p.live() {
			seats[p.seat] = true
		}
	}
	return seats
}

// present is p as it reads at the horizon.
func (r *reference) present(p *refPlayer) session.PlayerSession {
	status, over := p.status, p.over
	if r.due(p) {
		status, over = ended(p.status), p.deadline
	}
	return session.PlayerSession{
		CreationTime: ms(p.made), TerminationTime: ms(over), Status: status,
		DNSName: p.game.DNSName, FleetARN: p.game.FleetARN, FleetID: p.game.FleetID, IPAddress: p.game.IPAddress, Port: p.game.Port,
		GameSessionID: p.game.GameSessionID, PlayerID: p.player, PlayerData: p.data, PlayerSessionID: p.id,
		Slot: p.seat, Generation: p.generation,
	}
}

func ended(s session.Status) session.Status {
	if s == session.StatusReserved {
		return session.StatusTimedOut
	}
	return session.StatusCompleted
}

// due tells whether p's deadline has passed at the horizon.
func (r *reference) due(p *refPlayer) bool {
	return p.live() && !p.deadline.IsZero() && !p.deadline.After(r.horizon)
}

func (r *reference) event(c session.Cause, from session.Status, at time.Time, p *refPlayer) {
	r.events = append(r.events, session.Event{Cause: c, From: from, To: p.status, At: ms(at), PlayerSession: r.present(p)})
}

// end ends p, as of at; it is noticed between from and to.
func (r *reference) end(p *refPlayer, c session.Cause, at, from, to time.Time) {
	was := p.status
	p.status, p.over, p.deadline, p.dropped = ended(was), at, time.Time{}, false
	if p.status == session.StatusTimedOut {
		r.stats.TimedOutTotal++
	} else {
		r.stats.CompletedTotal++
	}
	r.event(c, was, at, p)
	if p.game.Status == session.GameSessionTerminating && len(r.seats(p.game)) == 0 {
		p.game.Status, p.game.endedFrom, p.game.endedTo = session.GameSessionTerminated, from, to
	}
}

// endNow ends p by a call; if its deadline has passed, that was before.
func (r *reference) endNow(p *refPlayer, c session.Cause) {
	now := time.Now()
	r.horizon = now
	if r.due(p) {
		r.endDue(p)
	} else if p.live() {
		r.end(p, c, now, now, now)
	}
	r.forgetSurplus()
}

// endDue ends p, which the timer may have noticed since.
func (r *reference) endDue(p *refPlayer) {
	to := p.deadline.Add(lateness)
	if now := time.Now(); to.After(now) {
		to = now
	}
	cause := session.CauseWindowOver
	if p.status == session.StatusReserved {
		cause = session.CauseDeadline
	}
	r.end(p, cause, p.deadline, p.deadline, to)
}

// settle does what the timer has done by now.
func (r *reference) settle() { r.settleUntil(time.Now()) }

// settleUntil leaves out deadlines behind an instant.
func (r *reference) settleUntil(until time.Time) {
	now := time.Now()
	if until.After(r.horizon) {
		r.horizon = until
	}
	due := slices.DeleteFunc(slices.Clone(r.players), func(p *refPlayer) bool { return !r.due(p) })
	slices.SortStableFunc(due, func(a, b *refPlayer) int { return a.deadline.Compare(b.deadline) })
	for _, p := range due {
		r.endDue(p)
	}
	over := func(g *refGame) bool {
		return g.Status == session.GameSessionTerminated && !r.after(g.endedTo, r.config.Retention).After(now)
	}
	r.games = slices.DeleteFunc(r.games, over)
	r.players = slices.DeleteFunc(r.players, func(p *refPlayer) bool { return over(p.game) })
	r.forgetSurplus()
}

// unsure tells whether a game session's retention may be over, or may be not.
func (r *reference) unsure() bool {
	return slices.ContainsFunc(r.games, func(g *refGame) bool {
		return g.Status == session.GameSessionTerminated &&
			!r.after(g.endedFrom, r.config.Retention).After(time.Now()) && r.after(g.endedTo, r.config.Retention).After(time.Now())
	})
}

// forgetSurplus forgets the earliest ended beyond MaxRetained.
func (r *reference) forgetSurplus() {
	past := slices.DeleteFunc(slices.Clone(r.players), (*refPlayer).live)
	slices.SortFunc(past, func(a, b *refPlayer) int { return cmp.Or(a.over.Compare(b.over), a.seq-b.seq) })
	surplus := past[:max(0, len(past)-r.config.MaxRetained)]
	r.players = slices.DeleteFunc(r.players, func(p *refPlayer) bool { return slices.Contains(surplus, p) })
}

// ReserveAll is told which ids the table made up for those who named none.
func (r *reference) ReserveAll(party []slot.Reservation, made []session.PlayerSession) ([]session.PlayerSession, error) {
	if r.closed {
		return nil, session.ErrClosed
	}
	r.settle()
	out, err := r.reserveAll(party, made)
	r.forgetSurplus()
	if err != nil {
		r.stats.Refused[session.Reason(err)]++
	}
	return out, err
}

func (r *reference) reserveAll(party []slot.Reservation, made []session.PlayerSession) ([]session.PlayerSession, error) {
	if len(party) == 0 {
		return nil, session.ErrInvalidField
	}
	refuse := func(i int, err error) error { return &slot.PartyError{Index: i, PlayerID: party[i].PlayerID, Err: err} }
	for i, m := range party {
		if m.GameSessionID == "" || m.GameSessionID != party[0].GameSessionID || m.PlayerID == "" || m.Timeout < 0 {
			return nil, refuse(i, session.ErrInvalidField)
		}
		if m.PlayerSessionID != "" && session.ValidatePlayerSessionID(m.PlayerSessionID) != nil {
			return nil, refuse(i, session.ErrInvalidPlayerSessionID)
		}
	}
	g := r.game(party[0].GameSessionID)
	if g == nil {
		return nil, session.ErrGameSessionNotFound
	}
	if g.Status != session.GameSessionActive {
		return nil, session.ErrGameSessionNotActive
	}
	policy, out := r.config.DuplicatePlayers, make([]session.PlayerSession, len(party))
	held := make([]*refPlayer, len(party)) // what a member holds already
	repeats := make([]bool, len(party))    // and whether it answers
	twice := make([]bool, len(party))      // or the member is named before
	for i, m := range party {
		if policy == slot.DuplicatesAllow {
			continue
		}
		twice[i] = slices.ContainsFunc(party[:i], func(o slot.Reservation) bool { return o.PlayerID == m.PlayerID })
		h := r.liveOf(g, m.PlayerID)
		held[i] = h
		if h != nil && policy == slot.DuplicatesReturn && !twice[i] && (m.PlayerSessionID == "" || m.PlayerSessionID == h.id) &&
			(h.dropped || h.status == session.StatusReserved && h.data == m.PlayerData) {
			repeats[i], out[i] = true, r.present(h)
		}
	}
	if !slices.Contains(repeats, false) {
		return out, nil
	}
	if r.draining {
		return nil, session.ErrDraining
	}
	if g.PlayerSessionCreationPolicy == session.DenyAll {
		return nil, session.ErrCreationDenied
	}
	for i, m := range party {
		before := slices.ContainsFunc(party[:i], func(o slot.Reservation) bool { return o.PlayerSessionID == m.PlayerSessionID })
		if m.PlayerSessionID != "" && !repeats[i] && (before || r.player(m.PlayerSessionID) != nil) {
			return nil, refuse(i, session.ErrPlayerSessionExists)
		}
	}
	wanted := 0
	for i := range party {
		if twice[i] || held[i] != nil && !repeats[i] && policy != slot.DuplicatesReplace {
			return nil, refuse(i, session.ErrDuplicatePlayer)
		}
		if held[i] == nil {
			wanted++
		}
	}
	seats := r.seats(g)
	if wanted > 0 && len(seats)+wanted > g.MaximumPlayerSessionCount {
		return nil, session.ErrGameSessionFull
	}
	now := time.Now()
	for i, m := range party {
		if repeats[i] {
			continue
		}
		r.reserved++
		p := &refPlayer{
			seq: r.reserved, game: g, id: m.PlayerSessionID, player: m.PlayerID, data: m.PlayerData, status: session.StatusReserved,
			made: now, deadline: r.after(now, cmp.Or(m.Timeout, r.config.ReservationTimeout)),
		}
		if p.id == "" && i < len(made) {
			p.id = made[i].PlayerSessionID
		}
		if held[i] != nil {
			p.seat = held[i].seat
			r.end(held[i], session.CauseReplaced, now, now, now)
		} else {
			for seats[p.seat] {
				p.seat++
			}
			seats[p.seat] = true
		}
		r.players = append(r.players, p)
		r.stats.ReservedTotal++
		r.event(session.CauseReserved, 0, now, p)
		out[i] = r.present(p)
	}
	return out, nil
}

func (r *reference) liveOf(g *refGame, playerID string) *refPlayer {
	return first(r.players, func(p *refPlayer) bool { return p.game == g && p.player == playerID && p.live() })
}

func (r *reference) find(id string) (*refPlayer, error) {
	switch p := r.player(id); {
	case r.closed:
		return nil, session.ErrClosed
	case session.ValidatePlayerSessionID(id) != nil:
		return nil, session.ErrInvalidPlayerSessionID
	case p == nil:
		return nil, session.ErrPlayerSessionNotFound
	default:
		return p, nil
	}
}

// Admit is Activate, and TakeOver.
func (r *reference) Admit(id string, takeOver bool) (session.PlayerSession, error) {
	p, err := r.find(id)
	if err == nil {
		have := r.present(p).Status
		if have.Terminal() || have == session.StatusActive && !p.dropped && !takeOver {
			err = &session.StatusError{Have: have, Want: session.StatusReserved}
		}
	}
	if err != nil {
		if !r.closed {
			r.stats.Refused[session.Reason(err)]++
		}
		return session.PlayerSession{}, err
	}
	from, cause := p.status, session.CauseAccepted
	if from == session.StatusActive {
		cause = session.CauseReturned
		r.stats.ReturnedTotal++
	} else {
		r.stats.AcceptedTotal++
	}
	p.status, p.deadline, p.dropped = session.StatusActive, time.Time{}, false
	p.generation++
	r.event(cause, from, time.Now(), p)
	return r.present(p), nil
}

func (r *reference) Disconnect(id string, generation uint32) error {
	p, err := r.find(id)
	if err != nil {
		return err
	}
	r.horizon = time.Now()
	connected := p.status == session.StatusActive && !p.dropped && p.generation == generation
	switch {
	case r.due(p) || connected && r.config.ReconnectWindow == 0:
		r.endNow(p, session.CauseWindowOver)
	case connected:
		p.dropped, p.deadline = true, r.after(r.horizon, r.config.ReconnectWindow)
		r.event(session.CauseDropped, session.StatusActive, r.horizon, p)
	}
	return nil
}

func (r *reference) Release(id string) (session.PlayerSession, error) {
	p, err := r.find(id)
	if err != nil {
		return session.PlayerSession{}, err
	}
	r.endNow(p, session.CauseReleased)
	return r.present(p), nil
}

func (r *reference) Extend(id string, d time.Duration) (time.Time, error) {
	if d < 0 && !r.closed {
		return time.Time{}, session.ErrInvalidField
	}
	p, err := r.find(id)
	if err != nil {
		return time.Time{}, err
	}
	r.horizon = time.Now()
	if have := r.present(p).Status; have != session.StatusReserved {
		return time.Time{}, &session.StatusError{Have: have, Want: session.StatusReserved}
	}
	to := r.after(r.horizon, cmp.Or(d, r.config.ReservationTimeout))
	if limit := r.after(ms(p.made), r.config.MaxReservation); to.After(limit) {
		to = limit
	}
	if to.After(p.deadline) {
		p.deadline = to
	}
	return ms(p.deadline), nil
}

func (r *reference) Deadline(id string) (time.Time, error) {
	p, err := r.find(id)
	if err != nil {
		return time.Time{}, err
	}
	if have := r.present(p).Status; have.Terminal() {
		return time.Time{}, &session.StatusError{Have: have, Want: session.StatusReserved}
	}
	return ms(p.deadline), nil
}

func (r *reference) Lookup(id string) (session.PlayerSession, error) {
	p, err := r.find(id)
	if err != nil {
		return session.PlayerSession{}, err
	}
	return r.present(p), nil
}

func (r *reference) Live(gameSessionID, playerID string) (session.PlayerSession, error) {
	g, err := r.findGame(gameSessionID)
	if err != nil {
		return session.PlayerSession{}, err
	}
	if p := r.liveOf(g, playerID); p != nil {
		return r.present(p), nil
	}
	return session.PlayerSession{}, session.ErrPlayerSessionNotFound
}

// Describe returns the page behind the reservation of number last, the number to
// go on behind, and whether there is more.
func (r *reference) Describe(q slot.Query, last int) (page []session.PlayerSession, next int, more bool, err error) {
	given := slices.DeleteFunc([]string{q.PlayerSessionID, q.PlayerID, q.GameSessionID}, func(id string) bool { return id == "" })
	switch {
	case r.closed:
		return nil, 0, false, session.ErrClosed
	case len(given) != 1, q.Limit < 0, q.Status > session.StatusTimedOut:
		return nil, 0, false, session.ErrInvalidField
	case q.PlayerSessionID != "":
		ps, err := r.Lookup(q.PlayerSessionID)
		if err != nil {
			return nil, 0, false, err
		}
		return []session.PlayerSession{ps}, 0, false, nil
	case q.GameSessionID != "" && r.game(q.GameSessionID) == nil:
		return nil, 0, false, session.ErrGameSessionNotFound
	}
	r.settle()
	for _, p := range r.players {
		byGame := p.game.GameSessionID == q.GameSessionID && (q.Status == 0 || p.status == q.Status)
		switch {
		case p.seq <= last || p.player != q.PlayerID && !byGame:
		case len(page) == cmp.Or(q.Limit, 100):
			return page, next, true, nil
		default:
			page, next = append(page, r.present(p)), p.seq
		}
	}
	return page, next, false, nil
}

func (r *reference) findGame(id string) (*refGame, error) {
	switch g := r.game(id); {
	case r.closed:
		return nil, session.ErrClosed
	case g == nil:
		return nil, session.ErrGameSessionNotFound
	default:
		return g, nil
	}
}

func (r *reference) CreateGameSession(gs session.GameSession) error {
	switch {
	case r.closed:
		return session.ErrClosed
	case gs.GameSessionID == "", gs.MaximumPlayerSessionCount < 0, gs.Port < 0, gs.Port > 65535, gs.Status > session.GameSessionActivating:
		return session.ErrInvalidField
	case r.game(gs.GameSessionID) != nil:
		return session.ErrGameSessionExists
	}
	gs.CreationTime = ms(time.Now())
	r.games = append(r.games, &refGame{GameSession: gs})
	return nil
}

func (r *reference) ActivateGameSession(id string) error {
	g, err := r.findGame(id)
	switch {
	case err != nil:
		return err
	case g.Status == session.GameSessionTerminating, g.Status == session.GameSessionTerminated:
		return session.ErrGameSessionNotActive
	}
	g.Status = session.GameSessionActive
	return nil
}

func (r *reference) UpdateGameSession(id string, u slot.GameSessionUpdate) error {
	if u.MaximumPlayerSessionCount != nil && *u.MaximumPlayerSessionCount < 0 && !r.closed {
		return session.ErrInvalidField
	}
	g, err := r.findGame(id)
	switch {
	case err != nil:
		return err
	case g.Status == session.GameSessionTerminated:
		return session.ErrGameSessionNotActive
	}
	if u.Name != nil {
		g.Name = *u.Name
	}
	if u.MaximumPlayerSessionCount != nil {
		g.MaximumPlayerSessionCount = *u.MaximumPlayerSessionCount
	}
	if u.PlayerSessionCreationPolicy != nil {
		g.PlayerSessionCreationPolicy = *u.PlayerSessionCreationPolicy
	}
	return nil
}

func (r *reference) TerminateGameSession(id string) error {
	g, err := r.findGame(id)
	if err != nil || g.Status == session.GameSessionTerminated {
		return err
	}
	now := time.Now()
	g.Status, g.endedFrom, g.endedTo = session.GameSessionTerminated, now, now
	for _, p := range slices.Clone(r.players) {
		if p.game == g && p.live() {
			r.endNow(p, session.CauseTerminated)
		}
	}
	return nil
}

// DrainGameSession returns at once the game session to wait for, or nil.
func (r *reference) DrainGameSession(id string) (*refGame, error) {
	g, err := r.findGame(id)
	switch {
	case err != nil:
		return nil, err
	case g.Status == session.GameSessionTerminated:
		return nil, nil
	case len(r.seats(g)) == 0:
		return nil, r.TerminateGameSession(id)
	}
	g.Status = session.GameSessionTerminating
	return g, nil
}

// Drain returns at once whether there is somebody to wait for.
func (r *reference) Drain() (held bool, err error) {
	if r.closed {
		return false, session.ErrClosed
	}
	r.draining = true
	return r.held(), nil
}

func (r *reference) held() bool { return slices.ContainsFunc(r.players, (*refPlayer).live) }

func (r *reference) Close() { r.settle(); r.closed = true }

func (r *reference) GameSession(id string) (session.GameSession, error) {
	g, err := r.findGame(id)
	if err != nil {
		return session.GameSession{}, err
	}
	gs := g.GameSession
	gs.CurrentPlayerSessionCount = len(r.seats(g))
	return gs, nil
}

// learn narrows down when g ended, once the table has told.
func (g *refGame) learn(told time.Time) error {
	if g.Status != session.GameSessionTerminated || told.Before(ms(g.endedFrom)) || told.After(g.endedTo) {
		return errors.New("the game session ended too early or too late")
	}
	if told.After(g.endedFrom) {
		g.endedFrom = told
	}
	if within := told.Add(time.Millisecond); g.endedTo.After(within) {
		g.endedTo = within
	}
	g.TerminationTime = told
	return nil
}

func (r *reference) Stats() slot.Stats {
	if !r.closed {
		r.settle()
	}
	stats := r.stats
	stats.GameSessions, stats.Refused = len(r.games), maps.Clone(r.stats.Refused)
	for _, p := range r.players {
		switch p.status {
		case session.StatusReserved:
			stats.Reserved++
		case session.StatusActive:
			stats.Active++
		case session.StatusCompleted:
			stats.Completed++
		case session.StatusTimedOut:
			stats.TimedOut++
		}
	}
	return stats
}
