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
}

func newHistory() history {
	return history{earliest: heap[past]{less: func(a, b past) bool {
		return a.at < b.at || a.at == b.at && a.seq < b.seq
	}}}
}

func (h *history) push(p past) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.earliest.push(p)
	h.retained++
}

// surplus takes out the earliest if more than most are retained.
func (h *history) surplus(most int) (past, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.retained <= most || len(h.earliest.items) == 0 {
		return past{}, false
	}
	h.retained--
	return h.earliest.pop(), true
}

// restore takes back what surplus counted, for one that was forgotten already.
func (h *history) restore() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.retained++
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
	for {
		p, ok := t.history.surplus(t.config.MaxRetained)
		if !ok {
			return
		}
		if !t.forget(p) {
			t.history.restore()
		}
	}
}

// forget removes a player session that has ended, and reports false if that has
// been done.
func (t *table) forget(p past) bool {
	e, ok := t.roster.find(p.place, p.seq)
	if !ok {
		return false
	}
	g := t.games.lookup(e.game)
	if g == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if e, ok = t.roster.find(p.place, p.seq); !ok {
		return false
	}
	t.forgetLocked(g, p.place, e.key)
	return true
}

// forgetLocked removes a player session of g that has ended. g is locked.
func (t *table) forgetLocked(g *gameSession, p place, k key) {
	s := t.stripe(k)
	s.mu.Lock()
	r := s.past.find(k)
	if r.status() == session.StatusTimedOut {
		s.timedOut--
	}
	s.past.remove(r)
	s.mu.Unlock()
	t.roster.remove(g, p)
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
		p, e, ok := t.roster.firstOf(g)
		if !ok {
			break
		}
		t.forgetLocked(g, p, e.key)
		n++
	}
	g.mu.Unlock()
	t.games.remove(g)
	t.history.forgot(n, func(p past) bool {
		_, ok := t.roster.find(p.place, p.seq)
		return ok
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
