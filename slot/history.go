package slot

import (
	"sync"

	"github.com/usher-go/usher/session"
)

// history knows which player sessions have ended, the earliest first: those
// beyond MaxRetained are forgotten. Their records are in the stripes.
type history struct {
	mu       sync.Mutex // protects all below; a leaf
	earliest heap[past]
	retained int
}

// past is a player session that ended. The roster gives places again; the
// sequence number tells whether this one is still meant.
type past struct {
	at    int64
	seq   uint64
	place place
	game  uint32
}

func newHistory() history {
	return history{earliest: heap[past]{less: func(a, b past) bool {
		return a.at < b.at || a.at == b.at && a.seq < b.seq
	}}}
}

func (h *history) push(ps []past) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range ps {
		h.earliest.push(p)
	}
	h.retained += len(ps)
}

// surplus takes out the earliest while more than most are retained, at most as
// many as room has.
func (h *history) surplus(most int, room []past) []past {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := min(h.retained-most, len(room), len(h.earliest.items))
	if n <= 0 {
		return nil
	}
	for i := range n {
		room[i] = h.earliest.pop()
	}
	h.retained -= n
	return room[:n]
}

// restore takes back what surplus counted, for n that were forgotten already.
func (h *history) restore(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.retained += n
}

// forgot counts n that were forgotten while they stand in the heap, and cleans
// up once more do than not.
func (h *history) forgot(n int, stands func(past) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.retained -= n
	if len(h.earliest.items) > 2*h.retained+chunkPlaces {
		h.earliest.keep(stands)
	}
}

// forgetSurplus forgets the earliest ended beyond MaxRetained. No lock is held.
func (t *table) forgetSurplus() {
	var room [together]past
	for {
		surplus := t.history.surplus(t.config.MaxRetained, room[:])
		if len(surplus) == 0 {
			return
		}
		for len(surplus) > 0 {
			n := 1
			for n < len(surplus) && surplus[n].game == surplus[0].game {
				n++
			}
			if known := t.forget(surplus[:n]); known < n {
				t.history.restore(n - known)
			}
			surplus = surplus[n:]
		}
	}
}

// forget removes player sessions of one game session that have ended. It returns
// how many it had not forgotten before.
func (t *table) forget(ps []past) int {
	g := t.games.lookup(ps[0].game)
	if g == nil {
		return 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var room [together]listed
	known := t.roster.find(room[:0], ps) // under the lock: they are g's, and stay
	t.forgetLocked(g, known)
	return len(known)
}

// forgetLocked removes player sessions of g that have ended, at most as many as
// go together. g is locked.
func (t *table) forgetLocked(g *gameSession, known []listed) {
	var buffer [together]int
	stripes := t.lockSet(t.stripesOf(buffer[:0], known))
	for i := range known {
		s := t.stripe(known[i].key)
		r := s.past.find(known[i].key)
		if r.status() == session.StatusTimedOut {
			s.timedOut--
		}
		s.past.remove(r)
	}
	t.unlockSet(stripes)
	t.roster.remove(g, known)
}

// forgetEnded forgets the game session that ended first, if its retention is
// over, with its player sessions. It reports whether it did.
func (t *table) forgetEnded() bool {
	g := t.expiry.over(t.now())
	if g == nil || t.closed.Load() {
		return false
	}
	g.mu.Lock()
	g.retired = true
	n := 0
	for {
		var room [together]listed
		known := t.roster.behind(room[:0], list{order: byGame, game: g}, cursor{})
		if len(known) == 0 {
			break
		}
		t.forgetLocked(g, known)
		n += len(known)
	}
	g.mu.Unlock()
	t.games.remove(g)
	t.history.forgot(n, func(p past) bool {
		var room [1]listed
		return len(t.roster.find(room[:0], []past{p})) > 0
	})
	t.base.forgotten(g, n)
	return true
}

// over takes out the game session that ended first if its retention is over.
func (x *expiry) over(now int64) *gameSession {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.ended) == 0 || x.ended[0].forget > now {
		return nil
	}
	g := x.ended[0].game
	x.ended[0].game = nil
	x.ended = x.ended[1:]
	return g
}
