//go:build usher_invariants

package slot

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/usher-go/usher/session"
)

// A table that is built with -tags usher_invariants looks at its own structure
// after every operation, the reclaimer's included, and panics if something is
// wrong. A test may hold its timer, too. It is slow, and for tests alone.
type selfCheck struct {
	operations atomic.Uint64

	timerMu   sync.Mutex
	timerHeld chan struct{} // closed when the timer may go on; nil: it may
}

const selfChecks = true

// often is after how many operations a table of no more than a few dozen player
// sessions is looked at every time no longer, since to look takes as long as many
// operations do. A larger one is looked at the more rarely, the larger it is.
const often = 2_000

// checked is called after an operation, when no lock is held.
func (t *table) checked() {
	n := t.operations.Add(1)
	every := 1 + uint64(t.held.Load()+t.history.retained.Load())/32
	if n > often {
		every *= 64
	}
	if n%every != 0 {
		return
	}
	if err := t.CheckInvariants(); err != nil {
		panic(fmt.Sprintf("slot: the table is broken: %v", err))
	}
}

// CheckInvariants locks everything, in lock order, and returns what is wrong with
// the structure: all that holds at any instant at which nobody holds a lock. Only
// a build with the tag usher_invariants has it.
func (t *table) CheckInvariants() error { return errors.Join(t.inspect().errs...) }

// CheckAtRest checks besides what holds when no call is under way. The timer may
// be: it is given a chance to finish.
func (t *table) CheckAtRest() error {
	for tries := 0; ; tries++ {
		in := t.inspect()
		in.atRest()
		if err := errors.Join(in.errs...); err == nil || tries == 100 {
			return err
		}
		runtime.Gosched()
	}
}

// HoldTimer keeps the table's timer and its reclaimer from doing anything, as if
// they got no processor, until release is called or the table is closed. Only a
// build with the tag usher_invariants has it.
func (t *table) HoldTimer() (release func()) {
	held := make(chan struct{})
	t.timerMu.Lock()
	defer t.timerMu.Unlock()
	t.timerHeld = held
	return sync.OnceFunc(func() { close(held) })
}

// mayGoOn is called by the timer and the reclaimer once they have something to do.
func (t *table) mayGoOn() {
	t.timerMu.Lock()
	held := t.timerHeld
	t.timerMu.Unlock()
	if held == nil {
		return
	}
	select {
	case <-held:
	case <-t.done:
	}
}

// inspection looks at a whole table while nothing can change.
type inspection struct {
	*table
	games []*gameSession
	errs  []error
	live  map[place]*record
	past  map[place]*record
}

// inspect checks what holds at every instant at which nobody holds a lock.
func (t *table) inspect() *inspection {
	in := &inspection{table: t, live: make(map[place]*record), past: make(map[place]*record)}
	t.expiry.reclaiming.Lock()
	defer t.expiry.reclaiming.Unlock()
	in.lockGames()
	defer in.unlockGames()
	t.roster.mu.Lock()
	defer t.roster.mu.Unlock()
	t.lockStripes()
	defer t.unlockStripes()

	for i := range t.stripes {
		in.stripe(i)
	}
	seats := 0
	for _, g := range in.games {
		in.game(g)
		seats += g.held
	}
	in.expect(seats == len(in.live), "%d seats held for %d live player sessions", seats, len(in.live))
	in.expect(int(t.held.Load()) == seats, "table counts %d seats, its game sessions %d", t.held.Load(), seats)
	in.rosterLists()
	in.wheelEntries()
	return in
}

// lockGames locks all game sessions, oldest first. Nobody else locks two.
func (in *inspection) lockGames() {
	for {
		in.games = in.table.games.all()
		for _, g := range in.games {
			g.mu.Lock()
		}
		if slices.Equal(in.games, in.table.games.all()) {
			return
		}
		in.unlockGames()
	}
}

func (in *inspection) unlockGames() {
	for _, g := range in.games {
		g.mu.Unlock()
	}
}

func (in *inspection) expect(ok bool, format string, args ...any) {
	if !ok && len(in.errs) < 20 {
		in.errs = append(in.errs, fmt.Errorf(format, args...))
	}
}

func (in *inspection) stripe(i int) {
	s := &in.stripes[i]
	active, timedOut, ended := 0, 0, 0
	past := func(r *record) {
		in.expect(in.past[r.place] == nil && in.live[r.place] == nil, "two records at place %d", r.place)
		in.past[r.place] = r
		if r.status() == session.StatusTimedOut {
			timedOut++
		}
	}
	in.records(&s.live, func(r *record) {
		if r.status().Terminal() {
			past(r)
			ended++
			return
		}
		in.expect(in.live[r.place] == nil, "two live records at place %d", r.place)
		in.live[r.place] = r
		if r.status() == session.StatusActive {
			active++
		}
	})
	in.archive(&s.past, func(r *record) {
		in.expect(r.status().Terminal(), "stripe %d: a past record is %v", i, r.status())
		in.expect(s.live.find(r.key) == nil, "stripe %d: a key is live and past", i)
		past(r)
	})
	in.expect(ended == s.ended, "stripe %d: counts %d to be put away, has %d", i, s.ended, ended)
	in.expect(active == s.active(), "stripe %d: counts %d active, has %d", i, s.active(), active)
	in.expect(timedOut == s.timedOut, "stripe %d: counts %d timed out, has %d", i, s.timedOut, timedOut)
	kept := make([]int, len(s.texts.pages))
	each := func(r *record) {
		if int(r.text.page) >= len(kept) || int(r.text.start)+int(r.text.len) > len(s.texts.pages[r.text.page]) {
			in.expect(false, "stripe %d: a text is nowhere", i)
			return
		}
		kept[r.text.page] += int(r.text.len)
		in.expect(in.stripeIndex(r.key) == i, "a record of stripe %d is in stripe %d", in.stripeIndex(r.key), i)
		e := in.roster.at(r.place)
		in.expect(e.key == r.key && e.game == r.game && e.seq == r.seq && e.player == in.roster.hash(r.playerID(s.texts.at(r.text))),
			"the entry at place %d is not its record's", r.place)
		g := in.table.games.at(r.game)
		in.expect(g != nil && slices.Contains(in.games, g), "a record of game session number %d, which there is not", r.game)
	}
	in.records(&s.live, each)
	in.expect(in.areas[i].Load() == s.live.area, "stripe %d: its area is behind", i)
	in.archive(&s.past, each)
	in.texts(&s.texts, kept)
}

// texts checks the pages, given how many bytes of each the records have.
func (in *inspection) texts(x *texts, kept []int) {
	sum, held := 0, 0
	for number := range x.pages {
		u := x.usage[number]
		in.expect(kept[number] == int(u.kept), "page %d: counts %d bytes kept, has %d", number, u.kept, kept[number])
		unused := slices.Contains(x.unused, uint32(number))
		in.expect(!unused || u == usage{} && x.pages[number] == "", "page %d is unused, and not empty", number)
		in.expect(unused || u.kept > 0 || uint32(number) == x.last, "page %d is of nobody", number)
		sum += int(u.kept)
		held += int(u.size)
	}
	in.expect(sum == x.kept && held == x.held, "texts: counts %d bytes kept and %d held, has %d and %d", x.kept, x.held, sum, held)
}

// archive checks that each record that is past is found.
func (in *inspection) archive(a *archive, visit func(*record)) {
	n := 0
	for number := a.first; number != a.next; number++ {
		r := a.at(number)
		if r.place == 0 {
			in.expect(*r == record{}, "a hole among the past is not empty")
			continue
		}
		n++
		in.expect(number != 0, "a past record has the number 0")
		in.expect(a.find(r.key) == r, "a record is not found")
		visit(r)
	}
	in.expect(n == a.count, "%d past records, counted %d", n, a.count)
	in.expect(n == 0 || a.at(a.first).place != 0 || a.first == 0, "the first of the past is a hole")
	in.index(&a.found, func(hash, number uint32) {
		r := a.known(number)
		in.expect(r == nil || hashOf(r.key) == hash, "a record is found by another's key")
	})
	marked := archive{found: a.found, marks: make([]uint64, len(a.marks))}
	marked.markAll()
	in.expect(slices.Equal(a.marks, marked.marks), "an archive's marks are not its index's")
	shelves := slices.DeleteFunc(slices.Clone(a.shelves), func(s *shelf) bool { return s == nil })
	in.expect(len(shelves) <= int(a.next-a.first)/shelfRecords+2, "%d shelves for %d records", len(shelves), n)
	in.expect(a.spare == nil || *a.spare == shelf{}, "the spare shelf is not empty")
}

// index checks open addressing as records does.
func (in *inspection) index(x *index, visit func(hash, number uint32)) {
	n, gap, last := uint32(0), -1, uint64(0)
	for i, word := range x.words {
		if word == 0 {
			gap = i
			continue
		}
		n++
		hash, number := uint32(word>>32), uint32(word)
		home := x.home(hash)
		in.expect(gap < home && home <= i, "an index: a word at %d, home %d, gap at %d", i, home, gap)
		in.expect(last>>32 <= word>>32, "an index is not ordered")
		in.expect(number != 0, "an index leads nowhere")
		last = word
		visit(hash, number)
	}
	in.expect(n == x.count, "an index of %d, counted %d", n, x.count)
}

// records checks open addressing: each record at its home or behind it with no
// gap between, in the order of the keys.
func (in *inspection) records(rs *records, visit func(*record)) {
	n, gap := 0, -1
	var last *record
	for i := range rs.slots {
		r := &rs.slots[i]
		if r.place == 0 {
			in.expect(*r == record{}, "an empty slot is not")
			gap = i
			continue
		}
		n++
		home := rs.home(r.key)
		in.expect(gap < home && home <= i, "a record at %d, home %d, gap at %d", i, home, gap)
		in.expect(last == nil || last.key.hi <= r.key.hi, "records are not ordered")
		if h := rs.half(r.key); len(rs.leads) > 0 && (last == nil || rs.half(last.key) != h) {
			in.expect(rs.leadOf(h) == min(i-home, farthestLead), "the lead of home %d is %d, not %d", home, rs.leadOf(h), i-home)
		}
		in.expect(rs.find(r.key) == r, "a record is not found")
		last = r
		visit(r)
	}
	in.expect(n == int(rs.count), "%d records, counted %d", n, rs.count)
	in.expect(rs.slots == nil || len(rs.slots) >= int(rs.homes), "%d slots for %d homes", len(rs.slots), rs.homes)
}

func (in *inspection) game(g *gameSession) {
	id := g.GameSessionID
	held, found := 0, make([]int, len(g.seats))
	for seat, p := range g.seats {
		if p == 0 {
			continue
		}
		held++
		found[seat]++
		r := in.live[p]
		if r == nil {
			in.expect(false, "%s: seat %d is held by nobody", id, seat)
			continue
		}
		in.expect(r.game == g.number && int(r.seat()) == seat, "%s: seat %d is held by seat %d of game %d", id, seat, r.seat(), r.game)
	}
	in.expect(held == g.held, "%s: counts %d held, has %d", id, g.held, held)
	for i, word := range g.left.levels[0] {
		for b := range 64 {
			seat := 64*i + b
			switch {
			case word>>b&1 == 0:
			case seat >= len(g.seats):
				in.expect(false, "%s: seat %d was left, of %d", id, seat, len(g.seats))
			default:
				found[seat]++
			}
		}
	}
	for l, level := range g.left.levels[:len(g.left.levels)-1] {
		for i, word := range level {
			above := g.left.levels[l+1][i/64] >> (i % 64) & 1
			in.expect((above == 1) == (word != 0), "%s: level %d does not know word %d below it", id, l+1, i)
		}
	}
	for seat, n := range found {
		in.expect(n == 1, "%s: seat %d is held or left %d times", id, seat, n)
	}
	in.expect(held > 0 || len(g.seats) == 0, "%s: empty, with %d seats", id, len(g.seats))
	in.expect(held > 0 || g.empty == nil, "%s: empty, and somebody waits for it", id)
	over := g.Status == session.GameSessionTerminated
	in.expect(over == (g.ended.Load() != never), "%s: %v, ended at %d", id, g.Status, g.ended.Load())
	in.expect(!over || held == 0, "%s: TERMINATED, %d held", id, held)
	in.expect(held > 0 || g.Status != session.GameSessionTerminating, "%s: TERMINATING and empty", id)
	in.expect(over || !g.retired, "%s: retired, and not over", id)
	in.expect(g.retired || in.table.games.at(g.number) == g, "%s: is not number %d", id, g.number)
}

func (in *inspection) rosterLists() {
	ro := &in.roster
	listedBy := [orders]map[place]bool{{}, {}, {}}
	walk := func(o order, head place, check func(p place, e *entry)) {
		if head == 0 {
			return
		}
		last, seq := place(0), uint64(0)
		for p := head; p != 0; p = ro.at(p).links[o].next {
			e := ro.at(p)
			if listedBy[o][p] {
				in.expect(false, "place %d is listed twice in order %d", p, o)
				return
			}
			listedBy[o][p] = true
			in.expect(e.seq > seq, "order %d: sequence %d behind %d", o, e.seq, seq)
			in.expect(p == head || e.links[o].prev == last, "order %d: prev of %d is %d, not %d", o, p, e.links[o].prev, last)
			check(p, e)
			last, seq = p, e.seq
		}
		in.expect(ro.at(head).links[o].prev == last, "order %d: the first's prev is %d, the last %d", o, ro.at(head).links[o].prev, last)
	}
	for _, g := range in.games {
		walk(byGame, g.first, func(_ place, e *entry) { in.expect(e.game == g.number, "listed in another game session") })
	}
	for _, h := range []*heads{&ro.players, &ro.lives} {
		for i := range h.parts {
			x := &h.parts[i]
			in.index(x, func(hash, head uint32) {
				in.expect(h.part(hash) == x, "order %d: a list in another part", h.order)
				walk(h.order, head, func(_ place, e *entry) {
					in.expect(h.hash(e) == hash, "order %d: listed under another hash", h.order)
				})
			})
		}
	}

	unused := make(map[place]bool)
	in.expect(len(ro.left) == len(ro.chunks), "%d chunks, places left of %d", len(ro.chunks), len(ro.left))
	for chunk, left := range ro.left {
		listed := 0
		for _, n := range ro.anyLeft {
			if int(n) == chunk {
				listed++
			}
		}
		in.expect((left != leftPlaces{}) == (listed == 1), "chunk %d: listed %d times, with places left %x", chunk, listed, left)
		for left != (leftPlaces{}) {
			i, _ := left.take()
			p := place(chunk*chunkPlaces) + i
			in.expect(p > 0 && p < ro.places, "place %d was left, of %d", p, ro.places)
			in.expect(*ro.at(p) == entry{}, "unused place %d is not empty", p)
			unused[p] = true
		}
	}
	for p := place(1); p < ro.places; p++ {
		in.expect(in.live[p] == nil || in.past[p] == nil, "place %d is live and past", p)
		there := in.live[p] != nil || in.past[p] != nil
		in.expect(there != unused[p], "place %d: unused %v, with a record %v", p, unused[p], there)
		in.expect(listedBy[byGame][p] == there, "place %d: listed by game session %v, with a record %v", p, listedBy[byGame][p], there)
		in.expect(listedBy[byPlayer][p] == (ro.at(p).links[byPlayer] != links{}), "place %d: listed by player %v, and its neighbors", p, listedBy[byPlayer][p])
		in.expect(!ro.whole.Load() || listedBy[byPlayer][p] == there, "place %d: listed by player %v, with a record %v", p, listedBy[byPlayer][p], there)
		in.expect(listedBy[byLive][p] == (ro.byLife && in.live[p] != nil), "place %d: listed as live %v", p, listedBy[byLive][p])
	}
}

// wheelEntries checks that whoever waits is visited in time: there is an entry
// in the wheel, and the alarm is set for it.
func (in *inspection) wheelEntries() {
	x := &in.expiry
	x.mu.Lock()
	defer x.mu.Unlock()
	soonest := make(map[timed]int64) // when it is visited
	n := 0
	w := reflect.ValueOf(x.wheel).Elem()
	cursor, ring := w.FieldByName("cursor").Int(), int64(buckets)
	collect := func(head reflect.Value, at int64) {
		for ; !head.IsNil(); head = head.Elem().FieldByName("next") {
			c := head.Elem()
			for i := c.FieldByName("taken").Int(); i < c.FieldByName("last").Int(); i++ {
				e := c.FieldByName("entries").Index(int(i))
				k := timed{place(e.Field(0).Uint()), uint32(e.Field(1).Uint())}
				if have, ok := soonest[k]; !ok || at < have {
					soonest[k] = at
				}
				n++
			}
		}
	}
	collect(w.FieldByName("due").FieldByName("head"), 0)
	next := never
	used, ringOf := w.FieldByName("used"), w.FieldByName("buckets")
	for i := range used.Len() {
		for word := used.Index(i).Uint(); word != 0; word &= word - 1 {
			bucket := int64(i*64 + bits.TrailingZeros64(word))
			head := ringOf.Index(int(bucket)).FieldByName("head")
			in.expect(!head.IsNil(), "bucket %d is used and empty", bucket)
			visit := cursor + 1 + (bucket-cursor-1)&(ring-1)
			next = min(next, visit)
			collect(head, visit*int64(tick))
		}
	}
	in.expect(w.FieldByName("soonest").Int() == next, "wheel: soonest is %d, not %d", w.FieldByName("soonest").Int(), next)
	in.expect(n == x.wheel.Len(), "wheel: %d entries, counted %d", n, x.wheel.Len())
	for _, r := range in.live {
		// What the record says is when the wheel looks next, at the latest.
		at, ok := soonest[timed{r.place, uint32(in.roster.at(r.place).seq)}]
		in.expect(r.until == 0 || ok, "no entry in the wheel for a record that counts on one; %v, %v", r.status(), r.cause())
		past := at <= max((cursor+1)*int64(tick), in.horizon.Load()) // it comes with the next buckets, at once
		in.expect(!ok || r.until == 0 || past || at < r.until+int64(tick), "an entry is visited %d ns late", at-r.until)
		in.expect(r.until != 0 || !r.waiting(), "a record waits without a deadline")
	}
}

// atRest checks what holds besides when no call is under way.
func (in *inspection) atRest() {
	t := in.table
	h := &t.history
	h.mu.Lock()
	defer h.mu.Unlock()
	t.expiry.mu.Lock()
	defer t.expiry.mu.Unlock()
	retained := int(h.retained.Load())
	in.expect(retained == len(in.past), "history counts %d retained, there are %d", retained, len(in.past))
	if !t.expiry.told && !t.closed.Load() { // the reclaimer is through
		in.expect(retained <= t.config.MaxRetained, "%d retained, at most %d", retained, t.config.MaxRetained)
		for i := range t.stripes {
			in.expect(t.stripes[i].ended == 0, "stripe %d: %d are not put away", i, t.stripes[i].ended)
		}
	}
	stands := make(map[place]int)
	var all []past
	ended := &h.ended
	for i, run := range ended.heap {
		in.expect(run.len > 0 || len(ended.heap) == 1, "a run of the history is empty")
		in.expect(run.len == 0 || !ended.less(i, (i-1)/2), "the heap of the history is none")
		first := len(all)
		for i := range run.len {
			all = append(all, *run.at(i))
		}
		inOrder := slices.IsSortedFunc(all[first:], func(a, b past) int { return cmp.Compare(a.at, b.at) })
		in.expect(inOrder, "a run of the history is in no order")
	}
	for _, run := range ended.open {
		in.expect(run == nil || slices.Contains(ended.heap, run), "an open run of the history is none")
	}
	in.expect(len(all) == ended.len, "history: %d have ended, counted %d", len(all), ended.len)
	for _, p := range all {
		if len(t.roster.find(nil, []past{p})) == 1 {
			stands[p.place]++
			r := in.past[p.place]
			in.expect(r != nil && r.past().at == p.at, "history: place %d did not end at %d ms", p.place, p.at)
		}
	}
	for p := range in.past {
		in.expect(stands[p] == 1, "place %d stands %d times in the history", p, stands[p])
	}

	x := &t.expiry
	next, ok := x.wheel.Next()
	in.expect(!ok || t.closed.Load() || x.set <= next, "the alarm is set to %d, the next bucket comes at %d", x.set, next)
	in.expect(len(x.ended) == 0 || t.closed.Load() || x.set <= x.ended[0].forget, "the alarm is set behind the next game session to forget")
	over := 0
	for _, g := range in.games {
		in.expect(!g.retired || g.first == 0, "a retired game session has player sessions")
		if g.Status == session.GameSessionTerminated {
			over++
		}
	}
	in.expect(t.closed.Load() || len(t.expiry.ended) == over, "%d game sessions are to be forgotten, %d are over", len(t.expiry.ended), over)
}
