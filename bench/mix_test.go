package bench_test

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// A full server at work: players join at a steady rate, and for each who joins
// another one leaves. Some never come and time out, strangers knock, somebody
// asks who is there. ns/op is the processors' time for one who joins and all that
// goes with it; two of the allocations are ids being read. The quantiles are
// those of his being let in.
func BenchmarkMix(b *testing.B) {
	const rate = 10_000 // joins a second
	eachSize(b, func(b *testing.B, slots int) {
		h := newHouse(b, slots, plain())
		h.settle(b)
		b.Run("rate="+strconv.Itoa(rate), func(b *testing.B) {
			eachProcs(b, func(b *testing.B, procs int) {
				m := &mix{house: h, procs: procs, order: h.everyone()}
				var w work
				for b.Loop() {
					w.measure(rate/10, func() time.Duration { return m.run(b, rate/10, rate) })
				}
				w.report(b)
				reportQuantiles(b, &m.accepts, "accept-")
			})
		})
	})
}

// mix is where its players stand, from one round to the next.
type mix struct {
	*house
	procs int
	order []int // who joins when
	done  int   // joins of each processor

	mu      sync.Mutex // protects all below
	accepts measure.Histogram
	busy    time.Duration
}

const (
	comesLater = 8               // joins later the player who reserved comes
	noShow     = 50              // one in so many never comes
	patience   = time.Second / 5 // how long a seat is held for such a one
	stranger   = 100             // one knocks for so many who join
	curious    = 1000            // somebody asks for a page for so many
)

// run lets so many players join at a rate, in bursts of a millisecond, and
// returns how long the processors were at it.
func (m *mix) run(b *testing.B, joins, rate int) time.Duration {
	b.Helper()
	m.busy = 0
	joins, rate = joins/m.procs, rate/m.procs
	measure.Share(m.procs, m.procs, func(p, _ int) {
		began := time.Now()
		players := m.order[p*len(m.order)/m.procs : (p+1)*len(m.order)/m.procs]
		w := mixer{mix: m, players: players, watch: measure.NewStopwatch()}
		burst := rate / 1000
		for i := 0; i < joins; i += burst {
			time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(rate))))
			start := time.Now()
			if err := w.join(i, i+burst); err != nil {
				b.Error(err)
				return
			}
			w.busy += time.Since(start)
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.accepts.Merge(&w.accepts)
		m.busy += w.busy
	})
	m.done += joins
	return m.busy
}

// mixer is one processor's part in a round.
type mixer struct {
	*mix
	players []int
	watch   measure.Stopwatch
	accepts measure.Histogram
	busy    time.Duration
	waiting [comesLater]int // who has reserved, in a ring
}

// join is all that goes with the players who join from the first to the last.
func (w *mixer) join(first, last int) error {
	for i := first; i < last; i++ {
		if i >= comesLater {
			if err := w.comes(w.waiting[i%comesLater]); err != nil {
				return err
			}
		}
		player := w.players[(w.done+i)%len(w.players)]
		if err := w.replace(player, i); err != nil {
			return err
		}
		if i%stranger == 0 {
			if _, err := w.door.AcceptPlayerSession(session.NewPlayerSessionID()); !errors.Is(err, session.ErrPlayerSessionNotFound) {
				return errors.New("a stranger was let in")
			}
		}
		if i%curious == 0 {
			if _, err := w.table.Describe(slot.Query{GameSessionID: gameID}); err != nil {
				return err
			}
		}
	}
	return nil
}

// replace lets a player leave, and reserve anew.
func (w *mixer) replace(player, i int) error {
	if _, err := w.table.Release(w.idOf(player)); err != nil {
		return err
	}
	r := w.reservation(player)
	w.waiting[i%comesLater] = player
	if i%noShow == 0 {
		w.waiting[i%comesLater] = -1
		r.Timeout = patience
	}
	ps, err := w.table.Reserve(r)
	if err != nil {
		return err
	}
	copy(w.ids[player*measure.IDLen:][:measure.IDLen], ps.PlayerSessionID)
	return nil
}

func (w *mixer) comes(player int) error {
	if player < 0 {
		return nil
	}
	id := w.idOf(player)
	start := w.watch.Read()
	_, err := w.door.AcceptPlayerSession(id)
	w.accepts.Add(w.watch.Since(start))
	return err
}

// idOf returns a player's id as he sends it.
func (h *house) idOf(player int) string { return string(h.ids[player*h.each:][:h.each]) }
