package slot

import (
	"runtime"
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
	lap     = buckets * int64(tick)

	// batch is how many entries are reclaimed before the locks are let go of.
	batch = 256
)

// expiry ends player sessions whose deadline has passed, and forgets game
// sessions whose retention is over. It is tickless: its goroutines, the timer and
// the reclaimer, sleep until there is something to do.
type expiry struct {
	lag   atomic.Int64  // nanoseconds by which the last player session was reclaimed late
	wakes atomic.Uint64 // of the timer

	// reclaiming is held for one batch at a time, by whoever reclaims: when it is
	// free, nothing has been taken out of the wheel that is not dealt with.
	reclaiming sync.Mutex

	mu    sync.Mutex // protects all below; a leaf
	wheel *wheel.Wheel[timed]
	ended []endedGame // game sessions that are retained, in order of their end
	clock *clock
	alarm *time.Timer
	set   int64 // what the alarm is set to, or never
	rung  int64 // when it last rang
	told  bool  // the reclaimer has work
	help  int   // calls that reclaim besides

	rang chan struct{} // tells the reclaimer
}

// timed is a player session in the wheel: its place in the roster, and the last
// bits of its sequence number, which tell whether it is still the one meant. Eight
// bytes, since every reservation leaves one behind until its deadline.
type timed struct {
	place place
	seq   uint32
}

func (r *record) timed() timed { return timed{r.place, uint32(r.seq)} }

// endedGame is a game session until its retention is over.
type endedGame struct {
	game   *gameSession
	forget int64
}

// schedule visits a player session at its deadline.
func (t *table) schedule(e timed, deadline, now int64) {
	x := &t.expiry
	x.mu.Lock()
	defer x.mu.Unlock()
	x.wheel.Add(e, deadline, now)
	if min(deadline, now+lap) < x.set { // it is visited once a lap
		x.setAlarm(now)
	}
}

// scheduleForgetting forgets g once its retention is over. g.mu is held.
func (t *table) scheduleForgetting(g *gameSession, ended int64) {
	x := &t.expiry
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ended = append(x.ended, endedGame{g, after(ended, t.config.Retention)})
	x.setAlarm(ended)
}

// setAlarm sets the alarm for whatever comes after now, and for the next tick while
// somebody reclaims. What has come by now is the reclaimer's, which has been
// told. x.mu is held.
func (x *expiry) setAlarm(now int64) {
	if x.set <= now { // it is ringing, and will be set then
		return
	}
	next := never
	if at, ok := x.wheel.Coming(now); ok {
		next = at
	}
	if i := slices.IndexFunc(x.ended, func(e endedGame) bool { return e.forget > x.rung }); i >= 0 {
		next = min(next, x.ended[i].forget)
	}
	if x.told || x.help > 0 { // the deadlines of what is still to be visited are not known to the wheel
		next = min(next, now+int64(tick))
	}
	if next == x.set {
		return
	}
	x.set = next
	if next == never {
		x.alarm.Stop()
		return
	}
	x.alarm.Reset(time.Duration(next - x.clock.now())) // now may be long ago
}

// runTimer raises the horizon when deadlines pass. It never waits for a lock that
// may be held for long, nor for the logger: so deadlines are judged in time while
// the reclaimer is busy or held up.
func (t *table) runTimer() {
	x := &t.expiry
	defer x.alarm.Stop()
	for {
		select {
		case <-t.done:
			return
		case <-x.alarm.C:
		}
		t.mayGoOn()
		now := t.now()
		x.wakes.Add(1)
		x.mu.Lock()
		x.set, x.rung = never, now
		x.tell()
		x.setAlarm(now)
		x.mu.Unlock()
	}
}

// tell lets the reclaimer look what there is to do. x.mu is held.
func (x *expiry) tell() {
	x.told = true
	select {
	case x.rang <- struct{}{}:
	default: // it will look once more, as it is
	}
}

// runReclaimer ends, puts away and forgets what is due when the alarm has rung.
func (t *table) runReclaimer() {
	for {
		select {
		case <-t.done:
			return
		case <-t.expiry.rang:
		}
		t.mayGoOn()
		t.reclaim()
		for t.tidySome() {
			t.checked()
			t.reclaim() // seats do not wait for it
		}
		t.expiry.rest()
	}
}

// tidySome does a part of what is left to do when the seats are free, and reports
// whether there may be more.
func (t *table) tidySome() bool {
	putAway := t.putAwaySome()
	return t.forgetEnded() || putAway
}

// rest lets the timer sleep for long again, unless it has rung meanwhile.
func (x *expiry) rest() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.told = len(x.rang) > 0
	x.setAlarm(x.clock.now())
}

// catchUp raises the horizon to now and reclaims all that is behind it, to the
// nanosecond: for calls that count seats. No lock is held.
func (t *table) catchUp() {
	t.catchUpUntil(func() bool { return false })
	t.forgetSurplus(all)
}

// catchUpUntil is catchUp for who needs no more than that something holds, such as
// that a seat is free. What is left is the reclaimer's.
func (t *table) catchUpUntil(enough func() bool) {
	x := &t.expiry
	now := t.now()
	x.mu.Lock()
	x.wheel.Hurry(now)
	x.help++
	x.mu.Unlock()
	more := true
	defer func() { // also if the logger panics
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.help--; more || t.leftovers.there.Load() || t.surplus() > 0 {
			x.tell()
		}
		x.setAlarm(t.clock.now()) // for buckets that are empty now it need not ring
	}()
	for more && !enough() {
		more = t.reclaimSome()
	}
}

// reclaim ends what the wheel hands out and is due.
func (t *table) reclaim() {
	for t.reclaimSome() {
	}
}

// reclaimSome is a part of it. It reports whether there may be more to do.
func (t *table) reclaimSome() bool {
	unsaid, more := t.reclaimBatch()
	t.base.departed(unsaid)
	t.checked()
	runtime.Gosched() // on a single processor players wait meanwhile: 1 ms instead of 50 at 100,000 expiries
	return more
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
	var taken [batch]timed
	x.mu.Lock()
	n := x.wheel.Take(now, taken[:])
	x.mu.Unlock()

	var room [batch]listed
	for known := t.roster.timed(room[:0], taken[:n]); len(known) > 0; {
		same := 1
		for same < len(known) && known[same].game == known[0].game {
			same++
		}
		unsaid = append(unsaid, t.expire(known[:same], now, n == batch)...)
		known = known[same:]
	}
	return unsaid, n > 0
}

// expire looks up what the wheel's entries stand for, all of one game session.
// Those whose deadline has passed end. One that was extended is scheduled again,
// any other dropped. In a storm, who ends is left to be put away later. It returns what
// is to be said in the log.
func (t *table) expire(entries []listed, now int64, storm bool) []departure {
	g := t.games.lookup(entries[0].game)
	if g == nil {
		return nil // forgotten meanwhile
	}
	g.mu.Lock()
	var room [batch]past
	ended := room[:0]
	for first := 0; first < len(entries); first += together {
		ended = t.expireSome(g, entries[first:min(first+together, len(entries))], ended, now, storm)
	}
	t.remember(ended)
	if storm && len(ended) > 0 {
		t.leftovers.there.Store(true)
	}
	return g.leave()
}

// expireSome is expire for as many as go together. g is locked. Those who ended
// are appended to pasts.
func (t *table) expireSome(g *gameSession, some []listed, pasts []past, now int64, storm bool) []past {
	var room [together]view
	ended := room[:0]
	for i := range some {
		t.ask(some[i].key)
	}
	for i := range some {
		s := t.stripe(some[i].key)
		s.mu.Lock()
		r := s.live.find(some[i].key)
		switch {
		case r == nil || r.seq != some[i].seq || r.status().Terminal(): // it ended
		case !r.waiting(): // it was accepted
			r.until = 0
		case r.until > now: // it was extended
			t.schedule(r.timed(), r.until, now)
		default:
			t.expiry.lag.Store(now - r.until)
			ended = append(ended, s.settled(r, now, g.ended.Load()))
			e := &ended[len(ended)-1]
			t.endLocked(g, s, r, e)
			if !storm {
				s.putAway(r)
			}
			pasts = append(pasts, e.past())
		}
		s.mu.Unlock()
	}
	t.depart(g, ended)
	return pasts
}
