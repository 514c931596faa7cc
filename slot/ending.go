package slot

import (
	"time"

	"github.com/usher-go/usher/session"
)

// departure is a player session that has ended, for the log.
type departure struct {
	game   *gameSession
	player view

	// noneAccepted is how many reservations of the game session have timed out
	// when it is time to warn that none was ever accepted; otherwise 0.
	noneAccepted int

	terminated bool // the game session itself has ended
}

// endLocked ends r, a live record of g, as e. It stays among the live ones until it is
// put away. Both locks, g's and s's, are held.
func (t *table) endLocked(g *gameSession, s *stripe, r *record, e *view) {
	from := r.status()
	*r = e.record
	s.ended++
	if from == session.StatusReserved {
		s.timedOut++
		s.timedOutTotal++
	} else {
		s.completedTotal++
	}
	if t.events.used.Load() {
		t.events.publish(g, *e, from, e.until)
	}
}

// finish ends r as e, puts it away, unlocks s and frees the seat. g stays locked.
func (t *table) finish(g *gameSession, s *stripe, r *record, e *view) {
	t.endLocked(g, s, r, e)
	s.putAway(r)
	s.mu.Unlock()
	t.remember([]past{e.past()})
	t.depart(g, []view{*e})
}

// depart frees the seats of player sessions that have just ended. g is locked.
func (t *table) depart(g *gameSession, ended []view) {
	if len(ended) == 0 {
		return
	}
	t.held.Add(-int64(len(ended)))
	for i := range ended {
		e := &ended[i]
		g.leaveSeat(e.seat())
		d := departure{game: g, player: *e}
		if e.cause() == session.CauseDeadline {
			d.noneAccepted = g.missed()
		}
		t.base.note(g, d)
	}
	if g.held == 0 {
		t.emptied(g)
	}
}

// past is what the history knows of r, which has ended.
func (r *record) past() past {
	return past{at: r.until / int64(time.Millisecond), seq: r.seq, place: r.place, game: r.game}
}

// remember takes what has ended out of the live ones of the roster and into the
// history.
func (t *table) remember(ended []past) {
	if len(ended) == 0 {
		return
	}
	if t.roster.byLife {
		t.roster.leave(ended)
	}
	t.history.push(ended)
}

// suspicious is how many reservations in a row, from the first on, nobody comes
// for before we suspect that the server does not call AcceptPlayerSession. An
// empty game session is enough, too: a server with few players has the fault as
// well.
const suspicious = 8

// missed counts a reservation that nobody came for. It returns how many there
// were when the time has come to warn, which is once. g is locked.
func (g *gameSession) missed() int {
	g.timedOut++
	if g.accepted.Load() || g.warned.nobodyAccepts || g.held > 0 && g.timedOut < suspicious {
		return 0
	}
	g.warned.nobodyAccepts = true
	return g.timedOut
}

// emptied is called when the last seat of g has been left. g is locked.
func (t *table) emptied(g *gameSession) {
	if g.Status == session.GameSessionTerminating {
		t.terminate(g)
	}
	if g.empty != nil {
		close(g.empty)
		g.empty = nil
	}
}

// terminate ends g and all its player sessions. g is locked, and not TERMINATED.
func (t *table) terminate(g *gameSession) {
	t.sweeping.Lock()
	now := t.end(g)
	t.sweep(g, now)
	t.sweeping.Unlock()
	t.scheduleForgetting(g, now)
	t.base.note(g, departure{game: g, terminated: true})
}

// end makes g TERMINATED. All stripes are locked meanwhile: so nobody has judged
// a deadline after the instant it returns, or accepted a player, before g ended.
func (t *table) end(g *gameSession) (now int64) {
	t.lockStripes()
	defer t.unlockStripes()
	now = t.now()
	g.Status = session.GameSessionTerminated
	g.TerminationTime = t.clock.wall(now)
	g.ended.Store(now)
	return now
}

// sweep moves the player sessions of g, which ended at now, to the past. g is
// locked.
func (t *table) sweep(g *gameSession, now int64) {
	for _, p := range g.seats {
		if p == 0 {
			continue
		}
		k := t.roster.key(p)
		s := t.stripe(k)
		s.mu.Lock()
		r := s.live.find(k)
		e := s.settled(r, now, now)
		t.finish(g, s, r, &e)
	}
}
