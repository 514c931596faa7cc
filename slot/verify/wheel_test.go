package main

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-go/usher/slot/internal/wheel"
)

// timed is an entry as the naive list holds it.
type timed struct {
	id        int
	at        int64
	cancelled bool
	latest    int64 // the tick at which it has to come
	visited   int64 // the last one at which it came too early, and was added again
	visits    int   // at that one
}

// wheelAndList are a wheel, owned as the table owns one, and a list of what is in
// it. Time is passed in: it stalls, jumps, and skips ticks.
type wheelAndList struct {
	wheel         *wheel.Wheel[int]
	tick, buckets int64
	now           int64
	added         int
	list          []*timed
}

// TestWheel compares a wheel with a list that is gone through from front to back:
// no entry comes early, all that are due come when they are asked for, however
// late that is, and each comes once.
func TestWheel(t *testing.T) {
	t.Parallel()
	var checks, operations int
	rapid.Check(t, func(t *rapid.T) {
		checks++
		w := newWheel(t)
		t.Repeat(map[string]func(*rapid.T){
			"":       func(t *rapid.T) { operations++; w.check(t) },
			"add":    w.add,
			"cancel": w.cancel,
			"take":   w.take,
			"hurry":  w.hurry,
			"stall":  w.stall,
		})
		w.now += math.MaxInt32 * w.tick // at last all have come, whatever was dropped
		for range 3 {
			w.drain(t)
		}
	})
	record(t, counts{Checks: checks, Operations: operations})
}

func newWheel(t *rapid.T) *wheelAndList {
	w := &wheelAndList{
		tick:    int64(draw(t, "tick", 10*time.Millisecond, time.Millisecond, 1, 7)),
		buckets: int64(draw(t, "buckets", 64, 128, 8192)),
	}
	lap := w.tick * w.buckets
	// About the beginning, about a wrap of the ring, and after some years.
	w.now = draw(t, "start", 0, 1, lap-1, lap, 3*lap+w.tick/2, int64(5*365*24*time.Hour))
	w.wheel = wheel.New[int](time.Duration(w.tick), int(w.buckets), w.now)
	return w
}

func (w *wheelAndList) add(t *rapid.T) {
	lap := w.tick * w.buckets
	d := draw(t, "in", -lap, -w.tick, -1, 0, 1, w.tick-1, w.tick, w.tick+1, 5*w.tick, lap-w.tick, lap-1, lap, lap+1, lap+w.tick, 2*lap, 7*lap+3)
	w.added++
	e := &timed{id: w.added, at: max(0, w.now+d), visited: -1}
	w.list = append(w.list, e)
	w.schedule(e)
}

func (w *wheelAndList) schedule(e *timed) {
	e.latest = max((e.at+w.tick-1)/w.tick, w.now/w.tick+1)
	w.wheel.Add(e.id, e.at, w.now)
}

// cancel leaves the entry in the wheel, as the table does: who takes it drops it.
func (w *wheelAndList) cancel(t *rapid.T) {
	if len(w.list) > 0 {
		w.list[rapid.IntRange(0, len(w.list)-1).Draw(t, "entry")].cancelled = true
	}
}

// stall lets time pass in which nobody looks at the wheel.
func (w *wheelAndList) stall(t *rapid.T) {
	lap := w.tick * w.buckets
	w.now += draw(t, "for", 1, w.tick/2, w.tick, 3*w.tick, 100*w.tick, lap-1, lap, lap+w.tick, 9*lap+1)
}

// take takes a few, perhaps less than have come.
func (w *wheelAndList) take(t *rapid.T) {
	if rapid.Bool().Draw(t, "all") {
		w.drain(t)
		return
	}
	w.some(t, rapid.IntRange(1, 4).Draw(t, "room"))
}

// some calls Take once and does what the table does with what comes.
func (w *wheelAndList) some(t *rapid.T, room int) int {
	out := make([]int, room)
	n := w.wheel.Take(w.now, out)
	for _, id := range out[:n] {
		i := slices.IndexFunc(w.list, func(e *timed) bool { return e.id == id })
		if i < 0 {
			t.Fatalf("entry %d came, which is not there any more", id)
		}
		switch e := w.list[i]; {
		case e.cancelled || e.at <= w.now:
			w.list = slices.Delete(w.list, i, i+1)
		default:
			// After a stall, the cursor goes round once, or once more if somebody added
			// or took a few meanwhile; and does not go round and round.
			if now := w.now / w.tick; e.visited != now {
				e.visited, e.visits = now, 0
			}
			if e.visits++; e.visits > 2 {
				t.Fatalf("entry %d comes again and again at tick %d", id, e.visited)
			}
			w.schedule(e)
		}
	}
	return n
}

// drain takes all, after which nobody is left whose tick has come.
func (w *wheelAndList) drain(t *rapid.T) {
	for w.some(t, 16) > 0 {
		continue
	}
	for _, e := range w.list {
		if e.latest <= w.now/w.tick {
			t.Fatalf("entry %d, due at %d, has not come by %d", e.id, e.at, w.now)
		}
	}
}

// hurry asks for all that is due to the nanosecond.
func (w *wheelAndList) hurry(t *rapid.T) {
	for _, e := range w.list {
		e.visited = -1 // the next bucket comes, and later again
	}
	w.wheel.Hurry(w.now)
	w.drain(t)
	for _, e := range w.list {
		if e.at <= w.now {
			t.Fatalf("entry %d, due at %d, has not come by %d, though in a hurry", e.id, e.at, w.now)
		}
		e.visited = -1
	}
}

// check compares what the wheel says of itself.
func (w *wheelAndList) check(t *rapid.T) {
	if w.wheel.Len() != len(w.list) {
		t.Fatalf("the wheel holds %d entries, the list %d", w.wheel.Len(), len(w.list))
	}
	next, ok := w.wheel.Next()
	if ok != (len(w.list) > 0) {
		t.Fatalf("the wheel has a next entry: %v, of %d", ok, len(w.list))
	}
	coming, comes := w.wheel.Coming(w.now)
	if comes && coming <= w.now {
		t.Fatalf("at %d comes what has come by %d", coming, w.now)
	}
	for _, e := range w.list {
		switch due := e.latest * w.tick; {
		case next > max(due, w.now):
			t.Fatalf("the next entry is at %d, but %d is due at %d", next, e.id, e.at)
		case due > w.now && next > w.now && (!comes || coming > due) && due < w.now+w.tick*w.buckets:
			t.Fatalf("nothing comes before %d, %v, but %d is due at %d", coming, comes, e.id, e.at)
		}
	}
}
