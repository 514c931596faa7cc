// Package wheel is a timer wheel: a ring of buckets, each a tick wide, that
// hands entries back once their time has come.
//
//	          cursor
//	            ↓
//	… ┌────┬────┬────┬────┬────┬─ … ─┬────┐
//	  │    │    │    │ ee │    │     │ e  │    one lap = buckets × tick
//	… └────┴────┴────┴────┴────┴─ … ─┴────┘
//	   came already   ↑ soonest
//
// It knows nothing of what it holds and nothing of when an entry is really
// due: whoever takes an entry looks up what it stands for. One that is gone is
// dropped, which is how entries are cancelled; one whose time is still to come
// (it was extended, or lies more than a lap ahead) is added again.
//
// The wheel has no lock and reads no clock: times are nanoseconds since an
// instant of the caller's choice, never negative, and every call must be made
// under one lock of the caller's.
package wheel

import (
	"math/bits"
	"time"
)

// never is the tick of an empty wheel's soonest bucket.
const never = int64(1<<63 - 1)

// Wheel is a timer wheel of entries E. Make one with New.
type Wheel[E any] struct {
	tick    int64
	buckets []list[E] // by tick, modulo their number
	used    []uint64  // a bit for each bucket that holds an entry

	cursor  int64   // the last tick whose bucket has come
	soonest int64   // the first used tick after the cursor, or never
	due     list[E] // entries of buckets that have come, not yet taken
	count   int

	spare  *chunk[E]
	spares int
}

// list is a queue of entries, in chunks.
type list[E any] struct{ head, tail *chunk[E] }

// chunk holds a few entries. Fifteen entries of a word make it 136 bytes. The pointer
// comes first, so that the collector scans one word of it.
type chunk[E any] struct {
	next        *chunk[E]
	taken, last int32 // entries[taken:last] are left
	entries     [15]E
}

// maxSpares bounds the chunks kept for reuse (about 1 MB): steady traffic
// allocates none, and what a storm needed goes back to the collector.
const maxSpares = 4096

// New returns an empty wheel whose buckets are tick wide; now is the present.
// The number of buckets is a power of two, at least 64.
func New[E any](tick time.Duration, buckets int, now int64) *Wheel[E] {
	if tick <= 0 || buckets < 64 || buckets&(buckets-1) != 0 {
		panic("wheel: want a positive tick and a power of two of at least 64 buckets")
	}
	return &Wheel[E]{
		tick:    int64(tick),
		buckets: make([]list[E], buckets),
		used:    make([]uint64, buckets/64),
		cursor:  now / int64(tick),
		soonest: never,
	}
}

// Len returns the number of entries held, cancelled ones included.
func (w *Wheel[E]) Len() int { return w.count }

// Add schedules e for the first tick that is not before at. An entry that lies
// more than a lap ahead comes out once a lap until then, one that lies in the
// past at the next tick.
func (w *Wheel[E]) Add(e E, at, now int64) {
	w.skip(now)
	tick := max(at/w.tick, w.cursor+1)
	if tick*w.tick < at { // round up: never early. Cannot overflow: at is one more
		tick++
	}
	// The first time the cursor comes by that bucket.
	visit := tick - (tick-w.cursor-1)&^(int64(len(w.buckets))-1)
	w.push(w.index(visit), e)
	w.count++
	w.soonest = min(w.soonest, visit)
}

// Next returns when Take will have an entry to hand out, and false when the
// wheel is empty.
func (w *Wheel[E]) Next() (at int64, ok bool) {
	if w.due.head != nil {
		return w.cursor * w.tick, true
	}
	if w.soonest == never {
		return 0, false
	}
	return w.soonest * w.tick, true
}

// Coming returns when the first bucket comes that has an entry and has not come
// by now, whatever waits to be taken, and false if there is none within a lap.
func (w *Wheel[E]) Coming(now int64) (at int64, ok bool) {
	after := max(now/w.tick, w.cursor)
	tick := w.soonest
	if tick <= after {
		tick = w.search(after)
	}
	if tick == never {
		return 0, false
	}
	return tick * w.tick, true
}

// Take moves entries whose bucket has come by now to out and returns how many.
// However long ago the last call was, each bucket comes at most once. Call it
// until it returns 0; entries may be added in between.
func (w *Wheel[E]) Take(now int64, out []E) int {
	n := 0
	for n < len(out) && (w.due.head != nil || w.advance(now)) {
		c := w.due.head
		got := copy(out[n:], c.entries[c.taken:c.last])
		n += got
		c.taken += int32(got)
		if c.taken == c.last {
			w.due.head = c.next
			w.recycle(c)
		}
	}
	w.count -= n
	return n
}

// Hurry lets the bucket in which now lies come at once, a part of a tick
// early: the next calls of Take hand out its entries too. Those that are not
// due yet find their place in it again when they are added.
func (w *Wheel[E]) Hurry(now int64) {
	w.skip(now)
	tick := now/w.tick + 1
	for w.soonest < tick {
		w.comes(w.soonest)
	}
	if w.soonest == tick {
		w.comes(tick)
		w.cursor = tick - 1 // so that what is added for this tick is not late
	}
}

// advance lets the next bucket come that is due by now.
func (w *Wheel[E]) advance(now int64) bool {
	if w.soonest > now/w.tick {
		w.skip(now)
		return false
	}
	if lap := now/w.tick - int64(len(w.buckets)); w.cursor < lap {
		w.cursor = lap // after a stall of many laps, too, one is enough
		w.soonest = w.search(w.cursor)
	}
	w.comes(w.soonest)
	return true
}

// comes moves the cursor to tick and its bucket's entries to those due.
func (w *Wheel[E]) comes(tick int64) {
	i := w.index(tick)
	bucket := w.buckets[i]
	if w.due.head == nil {
		w.due = bucket
	} else {
		w.due.tail.next, w.due.tail = bucket.head, bucket.tail
	}
	w.buckets[i] = list[E]{}
	w.used[i/64] &^= 1 << (i % 64)
	w.cursor = tick
	w.soonest = w.search(w.cursor)
}

// skip moves the cursor over buckets that hold nothing, so that no entry is
// taken to lie more than a lap ahead, or to come sooner, than it does.
func (w *Wheel[E]) skip(now int64) {
	w.cursor = max(w.cursor, min(now/w.tick, w.soonest-1))
}

// search returns the first used tick after another, at most a lap away.
func (w *Wheel[E]) search(after int64) int64 {
	for step := int64(1); step <= int64(len(w.buckets)); {
		i := w.index(after + step)
		if word := w.used[i/64] >> (i % 64); word != 0 {
			return after + step + int64(bits.TrailingZeros64(word))
		}
		step += int64(64 - i%64)
	}
	return never
}

func (w *Wheel[E]) index(tick int64) int { return int(tick & int64(len(w.buckets)-1)) }

func (w *Wheel[E]) push(i int, e E) {
	b := &w.buckets[i]
	if b.head == nil {
		b.head = w.fresh()
		b.tail = b.head
		w.used[i/64] |= 1 << (i % 64)
	} else if int(b.tail.last) == len(b.tail.entries) {
		b.tail.next = w.fresh()
		b.tail = b.tail.next
	}
	c := b.tail
	c.entries[c.last] = e
	c.last++
}

func (w *Wheel[E]) fresh() *chunk[E] {
	c := w.spare
	if c == nil {
		return new(chunk[E])
	}
	w.spare, c.next = c.next, nil
	w.spares--
	return c
}

func (w *Wheel[E]) recycle(c *chunk[E]) {
	if w.spares == maxSpares {
		return
	}
	*c = chunk[E]{next: w.spare} // nothing that was taken stays alive
	w.spare = c
	w.spares++
}
