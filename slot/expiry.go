package slot

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/slot/internal/wheel"
)

const (
	// A deadline is noticed at most a tick after it has passed, so the horizon is
	// 10 ms late at the most, and as much again if the machine is slow to wake us.
	tick = 10 * time.Millisecond

	// A lap of 82 s is longer than the usual timeout, so that an entry is visited
	// once. The bitmap of that many buckets is 1 KB.
	buckets = 8192

	// batch is how many entries are reclaimed before the locks are let go of.
	batch = 256
)

// expiry ends player sessions whose deadline has passed, and forgets game
// sessions whose retention is over. It is tickless: its goroutine sleeps until
// there is something to do.
type expiry struct {
	lag   atomic.Int64  // nanoseconds by which the last player session was reclaimed late
	wakes atomic.Uint64 // of the goroutine

	// reclaiming is held for one batch at a time, by whoever reclaims: when it is
	// free, nothing has been taken out of the wheel that is not dealt with.
	reclaiming sync.Mutex

	mu    sync.Mutex // protects all below; a leaf
	wheel *wheel.Wheel[key]
	ended []endedGame // game sessions that are retained, in order of their end
	alarm *time.Timer
	set   int64 // what the alarm is set to, or never
}

// endedGame is a game session until its retention is over.
type endedGame struct {
	game   *gameSession
	forget int64
}

// schedule visits k at its deadline. No stripe's lock needs to be held.
func (t *table) schedule(k key, deadline, now int64) {
	x := &t.expiry
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.wheel.Add(k, deadline, now) {
		x.setAlarm(&t.clock)
	}
}

// scheduleForgetting forgets g once its retention is over. g.mu is held.
func (t *table) scheduleForgetting(g *gameSession, ended int64) {
	x := &t.expiry
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ended = append(x.ended, endedGame{g, after(ended, t.config.Retention)})
	x.setAlarm(&t.clock)
}

// setAlarm wakes the goroutine for whatever is next. x.mu is held.
func (x *expiry) setAlarm(c *clock) {
	next := never
	if at, ok := x.wheel.Next(); ok {
		next = at
	}
	if len(x.ended) > 0 {
		next = min(next, x.ended[0].forget)
	}
	if next == x.set {
		return
	}
	x.set = next
	if next == never {
		x.alarm.Stop()
		return
	}
	x.alarm.Reset(time.Duration(next - c.now()))
}

// runTimer is the table's only goroutine but the subscribers'.
func (t *table) runTimer() {
	x := &t.expiry
	defer x.alarm.Stop()
	for {
		select {
		case <-t.done:
			return
		case <-x.alarm.C:
		}
		x.wakes.Add(1)
		t.reclaim()
		for t.forgetEnded() {
		}
		x.mu.Lock()
		x.set = never // the alarm has rung
		x.setAlarm(&t.clock)
		x.mu.Unlock()
	}
}

// catchUp raises the horizon to now and reclaims all that is behind it, to the
// nanosecond: for calls that count seats or need one. No lock is held.
func (t *table) catchUp() {
	x := &t.expiry
	now := t.now()
	x.mu.Lock()
	x.wheel.Hurry(now)
	x.mu.Unlock()
	t.reclaim()
}

// reclaim ends, batch by batch, what the wheel hands out and is due.
func (t *table) reclaim() {
	for more := true; more; {
		var unsaid []departure
		unsaid, more = t.reclaimBatch()
		t.base.departed(unsaid)
		t.forgetSurplus()
	}
}

// reclaimBatch is one batch of it. It returns what is to be said in the log.
func (t *table) reclaimBatch() (unsaid []departure, more bool) {
	x := &t.expiry
	x.reclaiming.Lock()
	defer x.reclaiming.Unlock()
	if t.closed.Load() {
		return nil, false
	}
	now := t.now()
	var taken [batch]key
	x.mu.Lock()
	n := x.wheel.Take(now, taken[:])
	x.mu.Unlock()

	var games [batch]*gameSession
	due := taken[:0]
	for some := range slices.Chunk(taken[:n], together) {
		due = t.visit(some, due, games[:], now)
	}
	for first := 0; first < len(due); {
		g, end := games[first], first+1
		for end < len(due) && games[end] == g {
			end++
		}
		unsaid = append(unsaid, t.expire(g, due[first:end], now)...)
		first = end
	}
	return unsaid, n > 0
}

// visit looks up what the wheel's entries stand for. Those whose deadline has
// passed are appended to due, with their game session at the same index of games.
// One that was extended is scheduled again, any other dropped.
func (t *table) visit(some, due []key, games []*gameSession, now int64) []key {
	var found [together]*record
	var buffer [together]int
	locked := t.lockSet(t.stripesOf(buffer[:0], some))
	for i, k := range some {
		found[i] = t.stripe(k).live.find(k)
	}
	for i, k := range some {
		switch r := found[i]; {
		case r == nil: // it ended
		case !r.waiting(): // it was accepted
			r.until = 0
		case r.until > now: // it was extended
			t.schedule(k, r.until, now)
		default:
			games[len(due)] = t.games.at(r.game)
			due = append(due, k)
		}
	}
	t.unlockSet(locked)
	return due
}

// expire ends player sessions of g, if their deadline has passed still. It
// returns what is to be said in the log.
func (t *table) expire(g *gameSession, due []key, now int64) []departure {
	g.mu.Lock()
	var buffer [together]int
	var room [together]record
	for some := range slices.Chunk(due, together) {
		ended := room[:0]
		locked := t.lockSet(t.stripesOf(buffer[:0], some))
		for _, k := range some {
			s := t.stripe(k)
			r := s.live.find(k)
			if r == nil || !r.due(now) || t.games.at(r.game) != g {
				continue
			}
			t.expiry.lag.Store(now - r.until)
			ended = append(ended, r.settled(now, g.ended.Load()))
			t.endLocked(g, s, r, &ended[len(ended)-1])
		}
		t.unlockSet(locked)
		t.depart(g, ended, now)
	}
	return g.leave()
}

func (t *table) stripesOf(indices []int, ks []key) []int {
	for _, k := range ks {
		indices = append(indices, t.stripeIndex(k))
	}
	return indices
}
