package slot

import (
	"math"
	"sync"
	"sync/atomic"
)

// history knows which player sessions have ended, the earliest first: those
// beyond MaxRetained are forgotten. Their records are in the stripes.
//
// Nearly all end in order, in one run. Who should have ended before somebody who
// has, such as a reservation that is reclaimed after a player left, begins another
// one. The order is that of the milliseconds which callers see, and within one that
// in which they come here: so those who end at nearly one instant make one run, and
// whoever leaves finds few.
type history struct {
	retained atomic.Int64 // changed under mu

	mu sync.Mutex // protects all below; a leaf

	// ended has those as well who have been forgotten otherwise than surplus took
	// them, and not yet dropped.
	ended runs
}

// past is a player session that ended. The roster gives places again; the
// sequence number tells whether this one is still meant.
type past struct {
	at    int64 // milliseconds on the table's clock
	seq   uint64
	place place
	game  uint32
}

// before tells whether p is forgotten first. Who ended in the same millisecond may
// go in any order.
func (p past) before(o past) bool { return p.at < o.at }

// push enters those who have ended.
func (h *history) push(ps []past) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.retained.Add(int64(len(ps)))
	for _, p := range ps {
		h.ended.push(p)
	}
}

// surplus takes out the earliest while more than most are retained, at most as
// many as room has.
func (h *history) surplus(most int, room []past) []past {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := min(int(h.retained.Load())-most, len(room), h.ended.len)
	if n <= 0 {
		return nil
	}
	for i := range n {
		room[i] = h.ended.pop()
	}
	h.retained.Add(-int64(n))
	return room[:n]
}

// count corrects how many are retained, for n that were forgotten (negative) or
// were not (positive), otherwise than surplus took them.
func (h *history) count(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.retained.Add(int64(n))
}

// cleanHistory drops those who have been forgotten with their game
// session, once they are more than the others.
func (t *table) cleanHistory() {
	h := &t.history
	t.roster.mu.Lock()
	defer t.roster.mu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended.len > 2*int(h.retained.Load())+chunkPlaces {
		h.ended.keep(func(p past) bool { return t.roster.at(p.place).seq == p.seq })
	}
}

// all is more than there are of anything.
const all = math.MaxInt

// forgetSurplus forgets the earliest ended beyond MaxRetained, n of them at most. Who
// has added some forgets as many, and no more: the surplus of a storm is the
// reclaimer's. No lock is held.
func (t *table) forgetSurplus(n int) {
	for some := true; some; {
		var forgot int
		forgot, some = t.forgetSome(n)
		n -= forgot
	}
}

// surplus is how many are retained beyond MaxRetained, if it is positive.
func (t *table) surplus() int { return int(t.history.retained.Load()) - t.config.MaxRetained }

// forgetSome is a part of it. It returns how many that was, and whether there may be
// more.
func (t *table) forgetSome(n int) (forgot int, more bool) {
	switch n = min(n, t.surplus()); {
	case n <= 0:
		return 0, false
	case n <= together: // to clear the room for more takes longer than to forget one
		var ps [together]past
		var known [together]listed
		return t.forgetFew(ps[:n], known[:0])
	default:
		var ps [16 * together]past
		var known [16 * together]listed
		return t.forgetFew(ps[:min(n, len(ps))], known[:0])
	}
}

// forgetFew is forgetSome for as many as there is room for. Some may have been forgotten
// before, with their game session.
func (t *table) forgetFew(room []past, known []listed) (forgot int, more bool) {
	surplus := t.history.surplus(t.config.MaxRetained, room)
	more = len(surplus) > 0
	for len(surplus) > 0 {
		n := 1
		for n < len(surplus) && surplus[n].game == surplus[0].game {
			n++
		}
		there := t.forget(surplus[:n], known)
		if there < n {
			t.history.count(n - there)
		}
		forgot += there
		surplus = surplus[n:]
	}
	return forgot, more
}

// forget removes player sessions of one game session that have ended. It returns
// how many it had not forgotten before. known is room for as many.
func (t *table) forget(ps []past, known []listed) int {
	g := t.games.lookup(ps[0].game)
	if g == nil {
		return 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	known = t.roster.find(known, ps) // under the lock: they are g's, and stay
	t.forgetLocked(g, known)
	return len(known)
}

// forgetLocked removes player sessions of g that have ended. g is locked.
func (t *table) forgetLocked(g *gameSession, known []listed) {
	for first := 0; first < len(known); first += together {
		some := known[first:min(first+together, len(known))]
		var buffer [together]int
		t.lockSet(t.stripesOf(buffer[:0], some))
		for i := range some {
			t.stripe(some[i].key).touchEnded(some[i].key)
		}
		for i := range some {
			s := t.stripe(some[i].key)
			s.forget(some[i].key)
			t.unlockBefore(s, some[i+1:])
		}
	}
	t.roster.remove(g, known)
}

func (t *table) stripesOf(indices []int, entries []listed) []int {
	for i := range entries {
		indices = append(indices, t.stripeIndex(entries[i].key))
	}
	return indices
}

// forgetEnded forgets player sessions of the game session that ended first, if its
// retention is over, and at last itself. It does a part of that, and reports
// whether there may be more to do.
func (t *table) forgetEnded() bool {
	g := t.expiry.over(t.now())
	if g == nil || t.closed.Load() {
		return false
	}
	g.mu.Lock()
	g.retired = true
	known := make([]listed, 0, batch)
	known = t.roster.behind(known, list{order: byGame, game: g}, cursor{})
	t.history.count(-len(known)) // first, so that nobody else is forgotten in their place
	t.forgetLocked(g, known)
	g.mu.Unlock()
	if len(known) == batch {
		return true
	}
	t.expiry.forgotten(g)
	t.games.remove(g)
	t.cleanHistory()
	t.base.forgotten(g)
	return true
}

// over returns the game session that ended first, if its retention is over.
func (x *expiry) over(now int64) *gameSession {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.ended) == 0 || x.ended[0].forget > now {
		return nil
	}
	return x.ended[0].game
}

// forgotten takes out the game session that over has returned.
func (x *expiry) forgotten(g *gameSession) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ended[0].game == g {
		x.ended[0].game = nil
		x.ended = x.ended[1:]
	}
}
