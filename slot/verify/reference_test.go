package main

import (
	"cmp"
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

	knows func(id string) bool // the table, which may forget those of one millisecond in any order
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

func newReference(c slot.Config, knows func(id string) bool) *reference {
	c.ReservationTimeout = cmp.Or(c.ReservationTimeout, time.Minute)
	c.MaxReservation = cmp.Or(c.MaxReservation, 10*time.Minute)
	c.Retention = cmp.Or(c.Retention, 30*24*time.Hour)
	c.MaxRetained = cmp.Or(c.MaxRetained, 262_144)
	r := &reference{config: c, start: time.Now(), horizon: time.Now(), knows: knows}
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

// forgetSurplus forgets the earliest ended beyond MaxRetained. Which of those go who
// ended in the last of these milliseconds, the table tells; if it has not come to
// that yet, they stay until it has.
func (r *reference) forgetSurplus() {
	past := slices.DeleteFunc(slices.Clone(r.players), (*refPlayer).live)
	surplus := len(past) - r.config.MaxRetained
	if surplus <= 0 {
		return
	}
	over := func(p *refPlayer) int64 { return p.over.UnixMilli() }
	slices.SortStableFunc(past, func(a, b *refPlayer) int { return cmp.Compare(over(a), over(b)) })
	last := over(past[surplus-1])
	several := surplus < len(past) && over(past[surplus]) == last
	for _, p := range past {
		if surplus == 0 || over(p) > last || several && over(p) == last && r.knows(p.id) {
			continue
		}
		surplus--
		r.players = slices.DeleteFunc(r.players, func(q *refPlayer) bool { return q == p })
	}
}

func (r *reference) held() bool { return slices.ContainsFunc(r.players, (*refPlayer).live) }

func (r *reference) Close() { r.settle(); r.closed = true }

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
