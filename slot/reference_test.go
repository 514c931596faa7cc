package slot_test

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// reference is the table as one would write it without a thought for speed: what
// there is stands in slices that are gone through from front to back. It has no
// lock and no timer: now is set and settle called from outside. TestDifferential
// drives it beside the table.
//
// Like the table it judges a deadline by the horizon: a session whose deadline is
// behind it reads as ended, though its seat is free only once it is reclaimed.
type reference struct {
	config slot.Config // defaults filled in

	start, now, horizon time.Time

	games        []refGame    // oldest first; live and retained
	sessions     []refSession // in order of reservation; live and retained
	reservations int
	draining     bool

	events  []session.Event
	totals  slot.Stats // but what is held now
	refused map[string]uint64

	knows func(id string) bool // the table, which may forget those of one millisecond in any order
}

type refGame struct {
	session.GameSession
	drained bool // TERMINATED when its last player left, and not by a call
}

type refSession struct {
	seq                           int
	game, player, data, id        string
	made, deadline, dropped, over time.Time // zero: not, or not yet
	status                        session.Status
	slot                          int
	generation                    uint32
}

func newReference(c slot.Config, now time.Time, knows func(id string) bool) *reference {
	c.ReservationTimeout = cmp.Or(c.ReservationTimeout, time.Minute)
	c.MaxReservation = cmp.Or(c.MaxReservation, 10*time.Minute)
	c.Retention = cmp.Or(c.Retention, 30*24*time.Hour)
	c.MaxRetained = cmp.Or(c.MaxRetained, 262_144)
	return &reference{config: c, start: now, now: now, horizon: now, refused: make(map[string]uint64), knows: knows}
}

func (r *reference) clone() *reference {
	c := *r
	c.games, c.sessions, c.events = slices.Clone(r.games), slices.Clone(r.sessions), slices.Clone(r.events)
	c.refused = maps.Clone(r.refused)
	return &c
}

// ms is a time as it is handed out.
func ms(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

// after is t + d, or the latest deadline there is, some 146 years ahead.
func (r *reference) after(t time.Time, d time.Duration) time.Time {
	if t, farthest := t.Add(d), r.start.Add(1<<62); t.Before(farthest) {
		return t
	}
	return r.start.Add(1 << 62)
}

// ——— what is there

func (r *reference) game(id string) *refGame {
	for i := range r.games {
		if r.games[i].GameSessionID == id {
			return &r.games[i]
		}
	}
	return nil
}

func (r *reference) session(id string) *refSession {
	for i := range r.sessions {
		if r.sessions[i].id == id {
			return &r.sessions[i]
		}
	}
	return nil
}

// due tells whether s has a deadline that the horizon has passed.
func (r *reference) due(s *refSession) bool {
	return !s.status.Terminal() && !s.deadline.IsZero() && !s.deadline.After(r.horizon)
}

// read is s as it reads at the horizon.
func (r *reference) read(s *refSession) refSession {
	read := *s
	if r.due(s) {
		read.status, read.over = ended(s.status), s.deadline
	}
	return read
}

func ended(s session.Status) session.Status {
	if s == session.StatusReserved {
		return session.StatusTimedOut
	}
	return session.StatusCompleted
}

func (r *reference) present(s refSession) session.PlayerSession {
	g := r.game(s.game)
	return session.PlayerSession{
		CreationTime: ms(s.made), TerminationTime: ms(s.over), Status: s.status,
		DNSName: g.DNSName, FleetARN: g.FleetARN, FleetID: g.FleetID, IPAddress: g.IPAddress, Port: g.Port,
		GameSessionID: s.game, PlayerID: s.player, PlayerData: s.data, PlayerSessionID: s.id,
		Slot: s.slot, Generation: s.generation,
	}
}

// held are the seats of a game session that have not been reclaimed.
func (r *reference) held(game string) map[int]bool {
	seats := make(map[int]bool)
	for _, s := range r.sessions {
		if s.game == game && !s.status.Terminal() {
			seats[s.slot] = true
		}
	}
	return seats
}

func (r *reference) snapshot(g *refGame) session.GameSession {
	gs := g.GameSession
	gs.CurrentPlayerSessionCount = len(r.held(g.GameSessionID))
	return gs
}

// ——— what changes

func (r *reference) event(c session.Cause, from session.Status, at time.Time, s *refSession) {
	r.events = append(r.events, session.Event{Cause: c, From: from, To: s.status, At: ms(at), PlayerSession: r.present(*s)})
}

func (r *reference) end(s *refSession, c session.Cause, at time.Time) {
	from := s.status
	s.status, s.over, s.deadline = ended(from), at, time.Time{}
	if s.status == session.StatusTimedOut {
		r.totals.TimedOutTotal++
	} else {
		r.totals.CompletedTotal++
	}
	r.event(c, from, at, s)
	g := r.game(s.game)
	if g.Status == session.GameSessionTerminating && len(r.held(s.game)) == 0 {
		g.Status, g.TerminationTime, g.drained = session.GameSessionTerminated, ms(at), true
	}
}

// reclaim ends s if it is due, and reports whether it was.
func (r *reference) reclaim(s *refSession) bool {
	if !r.due(s) {
		return false
	}
	cause := session.CauseWindowOver
	if s.status == session.StatusReserved {
		cause = session.CauseDeadline
	}
	r.end(s, cause, s.deadline)
	return true
}

// settle does what the timer does until an instant, in order of time: it ends
// sessions whose deadline passes and forgets game sessions.
func (r *reference) settle(until time.Time) {
	for {
		next, do := until.Add(1), func() {}
		for i := range r.sessions {
			if s := &r.sessions[i]; !s.status.Terminal() && !s.deadline.IsZero() && s.deadline.Before(next) {
				next, do = s.deadline, func() { r.reclaim(s) }
			}
		}
		for i := range r.games {
			g := &r.games[i]
			if forget := r.after(g.TerminationTime, r.config.Retention); g.Status == session.GameSessionTerminated && forget.Before(next) {
				next, do = forget, func() { r.forgetGame(g.GameSessionID) }
			}
		}
		if next.After(until) {
			break
		}
		r.pass(next)
		do()
		r.forgetSurplus()
	}
	r.forgetSurplus()
	r.pass(until)
}

// pass raises the horizon.
func (r *reference) pass(at time.Time) {
	if at.After(r.horizon) {
		r.horizon = at
	}
}

func (r *reference) forgetGame(id string) {
	r.games = slices.DeleteFunc(r.games, func(g refGame) bool { return g.GameSessionID == id })
	r.sessions = slices.DeleteFunc(r.sessions, func(s refSession) bool { return s.game == id })
}

// forgetSurplus forgets the earliest ended beyond MaxRetained. Which of those go who
// ended in the last of these milliseconds, the table tells; if it has not come to
// that yet, they stay until it has.
func (r *reference) forgetSurplus() {
	past := slices.DeleteFunc(slices.Clone(r.sessions), func(s refSession) bool { return !s.status.Terminal() })
	surplus := len(past) - r.config.MaxRetained
	if surplus <= 0 {
		return
	}
	over := func(s refSession) int64 { return s.over.UnixMilli() }
	slices.SortStableFunc(past, func(a, b refSession) int { return cmp.Compare(over(a), over(b)) })
	last := over(past[surplus-1])
	several := surplus < len(past) && over(past[surplus]) == last
	for _, p := range past {
		if surplus == 0 || over(p) > last || several && over(p) == last && r.knows(p.id) {
			continue
		}
		surplus--
		r.sessions = slices.DeleteFunc(r.sessions, func(s refSession) bool { return s.seq == p.seq })
	}
}

// ——— reservations

// ReserveAll is told the ids that the table made up for those who named none.
func (r *reference) ReserveAll(party []slot.Reservation, made []string) ([]session.PlayerSession, error) {
	out, err := r.reserve(party, made)
	if errors.Is(err, session.ErrGameSessionFull) {
		r.settle(r.now)
		out, err = r.reserve(party, made)
	}
	r.forgetSurplus()
	if err != nil {
		r.refused[session.Reason(err)]++
	}
	return out, err
}

func (r *reference) reserve(party []slot.Reservation, made []string) ([]session.PlayerSession, error) {
	if len(party) == 0 {
		return nil, session.ErrInvalidField
	}
	member := func(i int, err error) error { return &slot.PartyError{Index: i, PlayerID: party[i].PlayerID, Err: err} }
	for i, p := range party {
		if p.GameSessionID == "" || p.GameSessionID != party[0].GameSessionID || p.PlayerID == "" || p.Timeout < 0 {
			return nil, member(i, session.ErrInvalidField)
		}
		if p.PlayerSessionID != "" && session.ValidatePlayerSessionID(p.PlayerSessionID) != nil {
			return nil, member(i, session.ErrInvalidPlayerSessionID)
		}
	}
	g := r.game(party[0].GameSessionID)
	switch {
	case g == nil:
		return nil, session.ErrGameSessionNotFound
	case g.Status != session.GameSessionActive:
		return nil, session.ErrGameSessionNotActive
	}
	r.pass(r.now)
	policy := r.config.DuplicatePlayers
	out := make([]session.PlayerSession, len(party))
	holds, repeats, twice := make([]*refSession, len(party)), make([]bool, len(party)), make([]bool, len(party))
	fresh := 0
	for i, p := range party {
		if policy == slot.DuplicatesAllow {
			fresh++
			continue
		}
		twice[i] = slices.ContainsFunc(party[:i], func(o slot.Reservation) bool { return o.PlayerID == p.PlayerID })
		s := r.liveOf(p.GameSessionID, p.PlayerID)
		holds[i] = s
		if s == nil {
			fresh++
			continue
		}
		same := s.status == session.StatusReserved && s.data == p.PlayerData || !s.dropped.IsZero()
		if repeats[i] = policy == slot.DuplicatesReturn && !twice[i] && same && (p.PlayerSessionID == "" || p.PlayerSessionID == s.id); repeats[i] {
			out[i] = r.present(*s)
		}
	}
	if !slices.Contains(repeats, false) {
		return out, nil
	}
	switch {
	case r.draining:
		return nil, session.ErrDraining
	case g.PlayerSessionCreationPolicy == session.DenyAll:
		return nil, session.ErrCreationDenied
	}
	for i, p := range party {
		named := slices.ContainsFunc(party[:i], func(o slot.Reservation) bool { return o.PlayerSessionID == p.PlayerSessionID })
		if p.PlayerSessionID != "" && !repeats[i] && (named || r.session(p.PlayerSessionID) != nil) {
			return nil, member(i, session.ErrPlayerSessionExists)
		}
	}
	for i := range party {
		if twice[i] || holds[i] != nil && !repeats[i] && policy != slot.DuplicatesReplace {
			return nil, member(i, session.ErrDuplicatePlayer)
		}
	}
	if fresh > 0 && len(r.held(g.GameSessionID))+fresh > g.MaximumPlayerSessionCount {
		return nil, session.ErrGameSessionFull
	}
	taken := r.held(g.GameSessionID)
	var entered []refSession
	for i, p := range party {
		if repeats[i] {
			continue
		}
		r.reservations++
		s := refSession{
			seq: r.reservations, game: p.GameSessionID, player: p.PlayerID, data: p.PlayerData, id: p.PlayerSessionID,
			status: session.StatusReserved, made: r.now, deadline: r.after(r.now, cmp.Or(p.Timeout, r.config.ReservationTimeout)),
		}
		if s.id == "" && i < len(made) {
			s.id = made[i]
		}
		if holds[i] != nil {
			s.slot = holds[i].slot
			r.end(holds[i], session.CauseReplaced, r.now)
		} else {
			for taken[s.slot] {
				s.slot++
			}
			taken[s.slot] = true
		}
		r.totals.ReservedTotal++
		r.event(session.CauseReserved, 0, r.now, &s)
		entered, out[i] = append(entered, s), r.present(s)
	}
	r.sessions = append(r.sessions, entered...) // now: until here, holds points into it
	return out, nil
}

// liveOf returns the oldest live session of a player in a game session, and
// reclaims those it meets before.
func (r *reference) liveOf(game, player string) *refSession {
	for i := range r.sessions {
		s := &r.sessions[i]
		if s.game == game && s.player == player && !s.status.Terminal() && !r.reclaim(s) {
			return s
		}
	}
	return nil
}

// ——— player sessions

func (r *reference) find(id string) (*refSession, error) {
	if session.ValidatePlayerSessionID(id) != nil {
		return nil, session.ErrInvalidPlayerSessionID
	}
	if s := r.session(id); s != nil {
		return s, nil
	}
	return nil, session.ErrPlayerSessionNotFound
}

func (r *reference) Admit(id string, takeOver bool) (session.PlayerSession, error) {
	s, err := r.find(id)
	if err == nil {
		err = r.admit(s, takeOver)
	}
	if err != nil {
		r.refused[session.Reason(err)]++
		return session.PlayerSession{}, err
	}
	return r.present(*s), nil
}

func (r *reference) admit(s *refSession, takeOver bool) error {
	from, read := s.status, r.read(s)
	cause := session.CauseAccepted
	switch {
	case read.status.Terminal(), read.status == session.StatusActive && s.dropped.IsZero() && !takeOver:
		return &session.StatusError{Have: read.status, Want: session.StatusReserved}
	case read.status == session.StatusActive:
		cause = session.CauseReturned
		r.totals.ReturnedTotal++
	default:
		r.totals.AcceptedTotal++
	}
	s.status, s.deadline, s.dropped = session.StatusActive, time.Time{}, time.Time{}
	s.generation++
	r.event(cause, from, r.now, s)
	return nil
}

func (r *reference) Disconnect(id string, generation uint32) error {
	s, err := r.find(id)
	if err != nil {
		return err
	}
	r.pass(r.now)
	defer r.forgetSurplus()
	if r.reclaim(s) || s.status != session.StatusActive || !s.dropped.IsZero() || s.generation != generation {
		return nil
	}
	if r.config.ReconnectWindow == 0 {
		r.end(s, session.CauseWindowOver, r.now)
		return nil
	}
	s.dropped, s.deadline = r.now, r.after(r.now, r.config.ReconnectWindow)
	r.event(session.CauseDropped, session.StatusActive, r.now, s)
	return nil
}

func (r *reference) Release(id string) (session.PlayerSession, error) {
	s, err := r.find(id)
	if err != nil {
		return session.PlayerSession{}, err
	}
	r.pass(r.now)
	defer r.forgetSurplus()
	if !r.reclaim(s) && !s.status.Terminal() {
		r.end(s, session.CauseReleased, r.now)
	}
	return r.present(*s), nil
}

func (r *reference) Extend(id string, d time.Duration) (time.Time, error) {
	if d < 0 {
		return time.Time{}, session.ErrInvalidField
	}
	s, err := r.find(id)
	if err != nil {
		return time.Time{}, err
	}
	r.pass(r.now)
	if read := r.read(s); read.status != session.StatusReserved {
		return time.Time{}, &session.StatusError{Have: read.status, Want: session.StatusReserved}
	}
	to := r.after(r.now, cmp.Or(d, r.config.ReservationTimeout))
	if latest := ms(s.made).Add(r.config.MaxReservation); latest.Before(to) {
		to = latest
	}
	if to.After(s.deadline) {
		s.deadline = to
	}
	return ms(s.deadline), nil
}

func (r *reference) Deadline(id string) (time.Time, error) {
	s, err := r.find(id)
	if err != nil {
		return time.Time{}, err
	}
	if read := r.read(s); read.status.Terminal() {
		return time.Time{}, &session.StatusError{Have: read.status, Want: session.StatusReserved}
	}
	return ms(s.deadline), nil
}

func (r *reference) Lookup(id string) (session.PlayerSession, error) {
	s, err := r.find(id)
	if err != nil {
		return session.PlayerSession{}, err
	}
	return r.present(r.read(s)), nil
}

func (r *reference) Live(game, player string) (session.PlayerSession, error) {
	if r.game(game) == nil {
		return session.PlayerSession{}, session.ErrGameSessionNotFound
	}
	r.pass(r.now)
	defer r.forgetSurplus()
	if s := r.liveOf(game, player); s != nil {
		return r.present(*s), nil
	}
	return session.PlayerSession{}, session.ErrPlayerSessionNotFound
}

// Describe returns the player sessions behind the one of sequence number last,
// the number to go on from, and whether there are more.
func (r *reference) Describe(q slot.Query, last int) (page []session.PlayerSession, next int, more bool, err error) {
	r.pass(r.now)
	if q.GameSessionID != "" && r.game(q.GameSessionID) == nil {
		return nil, 0, false, session.ErrGameSessionNotFound
	}
	for i := range r.sessions {
		s := r.read(&r.sessions[i])
		wanted := s.player == q.PlayerID || s.game == q.GameSessionID && (q.Status == 0 || s.status == q.Status)
		switch {
		case s.seq <= last || !wanted:
		case len(page) == cmp.Or(q.Limit, 100):
			return page, next, true, nil
		default:
			page, next = append(page, r.present(s)), s.seq
		}
	}
	return page, next, false, nil
}

// ——— game sessions

func (r *reference) CreateGameSession(gs session.GameSession) error {
	if gs.MaximumPlayerSessionCount < 0 {
		return session.ErrInvalidField
	}
	if r.game(gs.GameSessionID) != nil {
		return session.ErrGameSessionExists
	}
	gs.CreationTime = ms(r.now)
	r.games = append(r.games, refGame{GameSession: gs})
	return nil
}

func (r *reference) ActivateGameSession(id string) error {
	switch g := r.game(id); {
	case g == nil:
		return session.ErrGameSessionNotFound
	case g.Status == session.GameSessionTerminating, g.Status == session.GameSessionTerminated:
		return session.ErrGameSessionNotActive
	default:
		g.Status = session.GameSessionActive
		return nil
	}
}

func (r *reference) UpdateGameSession(id string, u slot.GameSessionUpdate) error {
	g := r.game(id)
	switch {
	case u.MaximumPlayerSessionCount != nil && *u.MaximumPlayerSessionCount < 0:
		return session.ErrInvalidField
	case g == nil:
		return session.ErrGameSessionNotFound
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

// DrainGameSession returns at once, with whether it need not wait.
func (r *reference) DrainGameSession(id string) (empty bool, err error) {
	g := r.game(id)
	if g == nil {
		return false, session.ErrGameSessionNotFound
	}
	empty = len(r.held(id)) == 0
	switch {
	case g.Status == session.GameSessionTerminated:
	case empty:
		r.pass(r.now)
		g.Status, g.TerminationTime = session.GameSessionTerminated, ms(r.now)
	default:
		g.Status = session.GameSessionTerminating
	}
	return empty, nil
}

func (r *reference) TerminateGameSession(id string) error {
	g := r.game(id)
	if g == nil {
		return session.ErrGameSessionNotFound
	}
	if g.Status == session.GameSessionTerminated {
		return nil
	}
	r.pass(r.now)
	g.Status, g.TerminationTime = session.GameSessionTerminated, ms(r.now)
	for i := range r.sessions {
		if s := &r.sessions[i]; s.game == id && !s.status.Terminal() && !r.reclaim(s) {
			r.end(s, session.CauseTerminated, r.now)
		}
	}
	r.forgetSurplus()
	return nil
}

func (r *reference) GameSession(id string) (session.GameSession, error) {
	r.settle(r.now)
	if g := r.game(id); g != nil {
		return r.snapshot(g), nil
	}
	return session.GameSession{}, session.ErrGameSessionNotFound
}

func (r *reference) GameSessions() []session.GameSession {
	r.settle(r.now)
	var all []session.GameSession
	for i := range r.games {
		all = append(all, r.snapshot(&r.games[i]))
	}
	return all
}

// Drain returns at once, with whether it need not wait.
func (r *reference) Drain() (empty bool) {
	r.draining = true
	return !slices.ContainsFunc(r.sessions, func(s refSession) bool { return !s.status.Terminal() })
}

func (r *reference) Stats() slot.Stats {
	r.settle(r.now)
	stats := r.totals
	stats.GameSessions, stats.Refused = len(r.games), maps.Clone(r.refused)
	for _, s := range r.sessions {
		switch s.status {
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
