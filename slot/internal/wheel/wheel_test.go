package wheel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/slot/internal/wheel"
)

const (
	tick    = 10 * time.Millisecond
	buckets = 64 // the fewest
	lap     = buckets * tick
)

// rig is a wheel with a naive model beside it: a slice of entries with their
// deadlines. It does what the wheel's owner does, which is to add again what
// comes too early, and compares every answer of the wheel with the model.
type rig struct {
	t       testing.TB
	w       *wheel.Wheel[int]
	tick    int64
	buckets int64

	held      []entry
	lastID    int
	now       int64 // the latest instant the wheel was told
	drained   int64 // the tick of the last Take that found nothing more
	hurried   int64 // the latest tick Hurry let come since then
	hurries   int
	delivered int // entries that came when they were due
	visits    int // entries that came

	// between, if set, is called between the calls of Take of one drain.
	between func()
}

// entry is one of the model's.
type entry struct {
	id        int
	at        int64
	latest    int64 // the tick at which it must come
	exact     bool  // and at none before it
	cancelled bool  // whoever takes it drops it
	visits    int
	allowed   int // visits until it is delivered
}

func newRig(t testing.TB, tick time.Duration, buckets int, now int64) *rig {
	t.Helper()
	r := &rig{
		t:       t,
		w:       wheel.New[int](tick, buckets, now),
		tick:    int64(tick),
		buckets: int64(buckets),
		now:     now,
		drained: now / int64(tick),
	}
	r.check()
	return r
}

// add enters one more entry and returns its id.
func (r *rig) add(at, now int64) int {
	r.t.Helper()
	r.now = max(r.now, now)
	r.lastID++
	e := entry{id: r.lastID, at: at}
	r.schedule(&e, now)
	// The cursor comes by its bucket once a lap, and so it does again for each
	// Hurry at most.
	e.allowed = 1 + int(min((e.latest-r.drained-1)/r.buckets, math.MaxInt32/2)) - r.hurries
	r.held = append(r.held, e)
	r.check()
	return e.id
}

// schedule hands e to the wheel.
func (r *rig) schedule(e *entry, now int64) {
	r.t.Helper()
	e.latest = max(r.ceil(e.at), r.now/r.tick+1)
	before, held := r.w.Next()
	e.exact = (!held || before > r.now) && e.latest-now/r.tick <= r.buckets
	r.w.Add(e.id, e.at, now)
}

// take calls Take once and deals with what comes.
func (r *rig) take(now int64, size int) int {
	r.t.Helper()
	r.now = max(r.now, now)
	next, ok := r.w.Next()
	out := make([]int, size)
	n := r.w.Take(now, out)
	if want := ok && next <= now; (n > 0) != want {
		r.t.Fatalf("Take(%d) hands out %d, but Next was %d, %v", now, n, next, ok)
	}
	for _, id := range out[:n] {
		r.visit(id, now)
	}
	if n == 0 {
		r.overdue(now)
		r.drained, r.hurried = max(r.drained, now/r.tick), 0
	}
	r.check()
	return n
}

// drain calls Take until it finds nothing more, which must happen: no entry comes
// twice, though those who are early are added again.
func (r *rig) drain(now int64, size int) (taken int) {
	r.t.Helper()
	most := len(r.held) - r.lastID // plus what is added meanwhile
	mayRepeat := r.hurried > 0
	for {
		n := r.take(now, size)
		if n == 0 {
			return taken
		}
		if taken+n > most+r.lastID && !mayRepeat {
			r.t.Fatalf("%d come at %d, more than there are", taken+n, now)
		}
		taken += n
		if r.between != nil {
			r.between()
		}
	}
}

func (r *rig) hurry(now int64) {
	r.t.Helper()
	r.now = max(r.now, now)
	r.w.Hurry(now)
	r.hurried = max(r.hurried, now/r.tick+1)
	r.hurries++
	for i := range r.held {
		if e := &r.held[i]; e.at <= now {
			e.latest = min(e.latest, now/r.tick)
		}
	}
	r.check()
}

// visit is what the owner does with an entry that comes.
func (r *rig) visit(id int, now int64) {
	r.t.Helper()
	i := slices.IndexFunc(r.held, func(e entry) bool { return e.id == id })
	if i < 0 {
		r.t.Fatalf("entry %d comes at %d, but is not held", id, now)
	}
	e := &r.held[i]
	e.visits++
	r.visits++
	if e.visits > e.allowed+r.hurries {
		r.t.Fatalf("entry due at %d comes for the %dth time at %d; %d are allowed", e.at, e.visits, now, e.allowed+r.hurries)
	}
	switch {
	case e.at <= now:
		r.delivered++
	case !r.mayBeEarly(e, now):
		r.t.Fatalf("entry due at %d (tick %d) comes at %d (tick %d)", e.at, e.latest, now, now/r.tick)
	case !e.cancelled:
		r.schedule(e, now)
		return
	}
	r.held = slices.Delete(r.held, i, i+1)
}

// mayBeEarly tells whether e, which is not due, comes because Hurry let its
// bucket come, or because it lies more than a lap ahead of where the cursor was.
func (r *rig) mayBeEarly(e *entry, now int64) bool {
	if e.exact {
		return e.latest <= r.hurried
	}
	soonest := r.drained + 1 + (e.latest-r.drained-1)%r.buckets
	return soonest <= max(now/r.tick, r.hurried)
}

// overdue is called when Take finds nothing at now: nothing that has to have
// come by then may be left.
func (r *rig) overdue(now int64) {
	r.t.Helper()
	for _, e := range r.held {
		if e.latest <= now/r.tick {
			r.t.Fatalf("entry due at %d (tick %d) is late at %d (tick %d)", e.at, e.latest, now, now/r.tick)
		}
	}
}

// check compares what can be asked at any time.
func (r *rig) check() {
	r.t.Helper()
	if r.w.Len() != len(r.held) {
		r.t.Fatalf("Len is %d, a recount %d", r.w.Len(), len(r.held))
	}
	next, ok := r.w.Next()
	if ok != (len(r.held) > 0) {
		r.t.Fatalf("Next says %v, but %d entries are held", ok, len(r.held))
	}
	coming, later := r.w.Coming(r.now)
	if next > r.now && (coming != next || later != ok) || later && (coming <= r.now || coming%r.tick != 0) {
		r.t.Fatalf("at %d Coming is %d, %v, but Next %d, %v", r.now, coming, later, next, ok)
	}
	for i := range r.held {
		e := &r.held[i]
		if e.exact && e.at > r.now && e.latest > r.hurried && (!later || coming/r.tick > e.latest) {
			r.t.Fatalf("at %d Coming is %d, %v, but an entry is due at tick %d", r.now, coming, later, e.latest)
		}
		if next > r.now && next/r.tick > r.held[i].latest || next%r.tick != 0 {
			r.t.Fatalf("Next is %d, but an entry is due at tick %d", next, r.held[i].latest)
		}
	}
}

// ceil is the first tick that is not before at.
func (r *rig) ceil(at int64) int64 {
	if at%r.tick > 0 {
		return at/r.tick + 1
	}
	return at / r.tick
}

// requireAt drives the wheel, some ticks at a time, until the entry of the given
// id has come, and checks that this is at the first tick that is not before its
// deadline and is after now.
func (r *rig) requireAt(id int, at, now int64) {
	r.t.Helper()
	due := max(r.ceil(at), now/r.tick+1) * r.tick
	for r.holds(id) {
		now = min(now-now%r.tick+11*r.tick, r.next())
		r.drain(now, 4)
		if r.holds(id) != (now < due) {
			r.t.Fatalf("entry due at %d, %d in ticks: at %d held is %v", at, due, now, r.holds(id))
		}
	}
}

// next is Next of a wheel that is not empty.
func (r *rig) next() int64 {
	r.t.Helper()
	next, ok := r.w.Next()
	require.True(r.t, ok)
	return next
}

func (r *rig) holds(id int) bool {
	return slices.ContainsFunc(r.held, func(e entry) bool { return e.id == id })
}

// cancel lets whoever takes the entry drop it.
func (r *rig) cancel(which func(*entry) bool) {
	for i := range r.held {
		r.held[i].cancelled = r.held[i].cancelled || which(&r.held[i])
	}
}

// A difference of the naive model from the wheel shows what no fixed case
// thought of. Failing seeds can be run again by name.
func TestAgreesWithModel(t *testing.T) {
	t.Parallel()
	// agrona#73, go-zero#3619 (cadence), http4s/blaze#309, theine-go#64 (phase),
	// tokio#8334, nebula#801 (wraps), RussellLuo/timingwheel#35 (add while taking),
	// golang/go#24595, etcd#15247 (jumps)
	seeds := uint64(60)
	if testing.Short() {
		seeds = 15
	}
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			tick := []time.Duration{1, 7, 1000, tick}[random.IntN(4)]
			buckets := []int{64, 128, 256}[random.IntN(3)]
			r := newRig(t, tick, buckets, start(random, int64(tick), int64(buckets)))
			walk(r, random)
			finish(r)
		})
	}
}

// start is an instant to begin at: soon, at some wrap of the ring, or after so
// long that little is left of the integers.
func start(random *rand.Rand, tick, buckets int64) int64 {
	lap := tick * buckets
	at := []int64{
		0,
		random.Int64N(3 * lap),
		random.Int64N(1<<62/lap) * lap,
		1 << 61,
		1 << 62,
	}[random.IntN(5)]
	return max(0, at+random.Int64N(4*tick+1)-2*tick)
}

// walk does a thousand things at random.
func walk(r *rig, random *rand.Rand) {
	lap := r.tick * r.buckets
	add := func() {
		if len(r.held) < 80 {
			// Whoever adds may have read the clock before another moved the wheel on.
			r.add(deadline(r, random), max(0, r.now-random.Int64N(2)*random.Int64N(2*r.tick)))
		}
	}
	r.between = func() {
		for range random.IntN(3) {
			add()
		}
	}
	for range 1000 {
		now := r.now
		switch random.IntN(12) {
		case 0, 1, 2, 3:
			add()
		case 4:
			now += random.Int64N(r.tick)
		case 5:
			now += r.tick
		case 6: // ticks are dropped
			now += random.Int64N(10 * r.tick)
		case 7:
			if next, ok := r.w.Next(); ok && next-now < 3*lap {
				now = max(now, next-random.Int64N(2))
			}
		case 8:
			r.hurry(now)
		case 9:
			r.take(now, 1+random.IntN(20)) // and no more
			continue
		case 10:
			if random.IntN(10) == 0 { // a stall
				now += random.Int64N(5 * lap)
			}
		case 11:
			if len(r.held) > 0 {
				r.held[random.IntN(len(r.held))].cancelled = true
			}
		}
		if random.IntN(4) > 0 {
			r.drain(now, 1+random.IntN(40))
		}
		r.now = max(r.now, now)
	}
	r.between = nil
}

// deadline is one of those at which wheels go wrong.
func deadline(r *rig, random *rand.Rand) int64 {
	lap := r.tick * r.buckets
	at := r.now
	switch random.IntN(8) {
	case 0:
		at = random.Int64N(r.now + 1)
	case 1:
		at += random.Int64N(r.tick + 1)
	case 2, 3:
		at += random.Int64N(lap)
	case 4:
		at += random.Int64N(4 * lap)
	case 5:
		at = at - at%r.tick + random.Int64N(4)*lap + (random.Int64N(3)-1)*r.tick
	case 6:
		at += random.Int64N(4)*lap + random.Int64N(3) - 1
	case 7:
		at = math.MaxInt64 - random.Int64N(3)*random.Int64N(1<<61)
	}
	return max(0, at)
}

// finish wakes when Next says so, and never for nothing, until all have come.
func finish(r *rig) {
	r.t.Helper()
	r.cancel(func(e *entry) bool { return e.latest > r.now/r.tick+20*r.buckets })
	for {
		next, ok := r.w.Next()
		if !ok {
			break
		}
		now := max(next, r.now)
		if r.drain(now, 16) == 0 {
			r.t.Fatalf("woken at %d for nothing", now)
		}
	}
	require.Empty(r.t, r.held)
	require.Zero(r.t, r.w.Len())
}

// Some of a lap's instants, for tests that go through all cursor positions.
var phases = []int64{0, 1, int64(tick) / 2, int64(tick) - 1}

func TestWholeLapsAheadAreNeitherEarlyNorLate(t *testing.T) {
	t.Parallel()
	// akka-core#1016, go-zero#5510
	offsets := []int64{-int64(tick), -1, 0, 1, int64(tick)}
	for position := range int64(buckets) {
		for _, phase := range phases {
			now := position*int64(tick) + phase
			for laps := range int64(4) {
				for _, offset := range offsets {
					at := now + laps*int64(lap) + offset
					if at < 0 {
						continue
					}
					r := newRig(t, tick, buckets, now)
					r.requireAt(r.add(at, now), at, now)
				}
			}
		}
	}
}

// The cursor can be at a position because the wheel was made there, or because
// it came there, with or without anything to hand out on the way.
func TestCursorPositionDoesNotMatter(t *testing.T) {
	t.Parallel()
	// akka-core#1016, go-zero#5510
	for position := range int64(buckets + 1) {
		for _, laps := range []int64{0, 1} {
			for _, offset := range []int64{-1, 0, 1} {
				now := position * int64(tick)
				at := now + laps*int64(lap) + offset*int64(tick)

				idle := newRig(t, tick, buckets, 0)
				idle.requireAt(idle.add(at, now), at, now)

				walked := newRig(t, tick, buckets, 0)
				for tick := range position {
					walked.add((tick+1)*walked.tick, tick*walked.tick)
					walked.drain((tick+1)*walked.tick, 4)
				}
				walked.requireAt(walked.add(at, now), at, now)

				hurried := newRig(t, tick, buckets, 0)
				hurried.add(now+1, now)
				hurried.hurry(now)
				hurried.drain(now, 4)
				hurried.requireAt(hurried.add(at, now), at, now)
			}
		}
	}
}

func TestNeverBeforeTheDeadlineWhateverThePhase(t *testing.T) {
	t.Parallel()
	// http4s/blaze#309, theine-go#64
	random := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		now := random.Int64N(10 * int64(lap))
		at := now + random.Int64N(int64(lap-tick))
		r := newRig(t, tick, buckets, now)
		r.add(at, now)
		next := r.next()
		if next < at || next >= max(at, now+1)+int64(tick) {
			t.Fatalf("added at %d, due at %d, comes at %d", now, at, next)
		}
		if r.drain(next-1, 1) != 0 || r.drain(next, 1) != 1 {
			t.Fatalf("added at %d, due at %d, but Take disagrees with Next", now, at)
		}
	}
}

func TestEdgesOfTime(t *testing.T) {
	t.Parallel()
	// netty#7760
	for _, now := range []int64{0, 1, int64(tick) - 1, int64(tick), 5*int64(lap) + 1, 1<<62 - int64(tick), 1 << 62} {
		for _, timeout := range []int64{-1, 0, 1} {
			r := newRig(t, tick, buckets, now)
			at := max(0, now+timeout)
			r.requireAt(r.add(at, now), at, now)
		}
		for _, at := range []int64{
			math.MaxInt64, math.MaxInt64 - 1, math.MaxInt64 - int64(tick), math.MaxInt64 - int64(lap),
			math.MaxInt64 / int64(tick) * int64(tick), math.MaxInt64/int64(tick)*int64(tick) - 1,
		} {
			r := newRig(t, tick, buckets, now)
			r.add(at, now)
			for range 5 * buckets {
				r.drain(r.now+int64(tick), 4)
			}
			require.Zero(t, r.delivered, "due at %d, delivered at %d", at, r.now)
			require.LessOrEqual(t, r.visits, 5)
			require.Equal(t, 1, r.w.Len())
		}
	}
}

func TestInThePastComesAtTheNextTick(t *testing.T) {
	t.Parallel()
	// otter (2025)
	for position := range int64(buckets) {
		now := 7*int64(lap) + position*int64(tick) + 1
		for _, past := range []int64{1, 2, int64(tick), int64(tick) + 1, int64(lap) - int64(tick), int64(lap), int64(lap) + int64(tick), 3 * int64(lap), now} {
			r := newRig(t, tick, buckets, now)
			id := r.add(now-past, now)
			require.Equal(t, now-1+int64(tick), r.next())
			r.requireAt(id, now-past, now)
		}
	}
}

// Next does not change while what has come waits to be taken; Coming tells what
// comes after it, taken or not.
func TestComingWhileEntriesWait(t *testing.T) {
	t.Parallel()
	w := wheel.New[int](tick, buckets, 0)
	w.Add(1, int64(tick), 0)
	w.Add(2, int64(tick), 0)
	w.Add(3, int64(3*tick), 0)
	at, ok := w.Coming(0)
	require.True(t, ok)
	require.EqualValues(t, tick, at)

	require.Equal(t, 1, w.Take(int64(tick), make([]int, 1)))
	before, _ := w.Next()
	w.Add(4, int64(2*tick), int64(tick))
	after, _ := w.Next()
	require.Equal(t, before, after)
	for now, want := range map[time.Duration]time.Duration{tick: 2 * tick, 2*tick - 1: 2 * tick, 2 * tick: 3 * tick} {
		at, ok = w.Coming(int64(now))
		require.True(t, ok)
		require.EqualValues(t, want, at, now)
	}
	at, ok = w.Coming(int64(3 * tick)) // nobody took them: they come by once more, a lap later
	require.True(t, ok)
	require.EqualValues(t, (2+buckets)*tick, at)
}

// A caller may have read the clock before another moved the wheel on.
func TestAddWithAnOlderNow(t *testing.T) {
	t.Parallel()
	r := newRig(t, tick, buckets, 0)
	r.drain(int64(lap), 4)
	id := r.add(int64(tick), int64(tick))
	require.Equal(t, int64(tick), r.next()-int64(lap))
	r.requireAt(id, int64(tick), int64(lap))
}

func TestMoreThanALapAheadComesOnceALapAndOnTime(t *testing.T) {
	t.Parallel()
	// nats-server#7070
	for _, now := range []int64{0, 3, 17*int64(lap) - int64(tick), 1 << 62} {
		for _, laps := range []int64{1, 2, 3, 10, 100} {
			for _, offset := range []int64{1, int64(tick), int64(lap) / 2, int64(lap) - 1} {
				r := newRig(t, tick, buckets, now)
				at := now + laps*int64(lap) + offset
				for r.add(at, now); r.delivered == 0; {
					require.NotZero(t, r.drain(r.next(), 4))
				}
				require.GreaterOrEqual(t, r.now, at)
				require.Less(t, r.now, at+int64(tick))
				require.LessOrEqual(t, int64(r.visits), laps+2)
				require.GreaterOrEqual(t, int64(r.visits), laps)
			}
		}
	}
}

func TestIrregularCadenceLosesNothingAndRecovers(t *testing.T) {
	t.Parallel()
	// agrona#73, go-zero#3619
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 3))
		r := newRig(t, tick, buckets, random.Int64N(int64(lap)))
		for range 300 {
			for range random.IntN(4) {
				r.add(r.now+random.Int64N(2*int64(lap)), r.now)
			}
			dropped := random.Int64N(3) * random.Int64N(buckets+10)
			r.drain(r.now+random.Int64N(int64(tick))+dropped*int64(tick), 8) // fails if anything is late
			if dropped == 0 {
				continue
			}
			// What is added after dropped ticks is as punctual as ever.
			now := r.now
			at := now + random.Int64N(int64(lap))
			r.requireAt(r.add(at, now), at, now)
		}
		finish(r)
	}
}

func TestStartsNearEveryWrap(t *testing.T) {
	t.Parallel()
	// tokio#8334, nebula#801
	for _, buckets := range []int64{64, 128, 8192} {
		lap := buckets * int64(tick)
		for _, laps := range []int64{0, 1, 2, 1000, 105_465, 1 << 62 / lap} { // 8192 × 10 ms: a hundred days
			for offset := int64(-2); offset <= 2; offset++ {
				now := laps*lap + offset*int64(tick)
				if now < 0 {
					continue
				}
				for _, ahead := range []int64{0, 1, 2, 3, 63, 64, 65, buckets - 2, buckets - 1, buckets, buckets + 1} {
					r := newRig(t, tick, int(buckets), now)
					at := now + ahead*int64(tick)
					r.add(at, now)
					for r.delivered == 0 {
						require.NotZero(t, r.drain(r.next(), 4))
					}
					require.GreaterOrEqual(t, r.now, at)
					require.LessOrEqual(t, r.now, max(at, now+int64(tick)))
				}
			}
		}
	}
}

// The search for the next bucket that is used reads words of 64 buckets.
func TestNextFindsEveryBucketFromEverywhere(t *testing.T) {
	t.Parallel()
	const buckets = 128
	out := make([]int, 2)
	for from := range int64(buckets) {
		for ahead := int64(2); ahead <= buckets; ahead++ {
			w := wheel.New[int](tick, buckets, from*int64(tick))
			w.Add(1, (from+1)*int64(tick), from*int64(tick))
			w.Add(2, (from+ahead)*int64(tick), from*int64(tick))
			n := w.Take((from+1)*int64(tick), out)
			if next, _ := w.Next(); n != 1 || next != (from+ahead)*int64(tick) {
				t.Fatalf("from bucket %d, %d ahead: %d taken, next %d", from, ahead, n, next)
			}
		}
	}
}

func TestJumpOfManyLapsHandsOutAllOnce(t *testing.T) {
	t.Parallel()
	// golang/go#24595, etcd#15247
	for _, jump := range []int64{int64(lap) - 1, int64(lap), int64(lap) + 1, 2 * int64(lap), 1000*int64(lap) + 17*int64(tick), 1 << 61} {
		for position := range int64(buckets) {
			r := newRig(t, tick, buckets, position*int64(tick))
			for i := range int64(buckets) {
				r.add(r.now+3*i*int64(tick), r.now)
			}
			r.drain(r.now+jump, 16) // fails if anything is late, or comes twice

			// After the jump all is as before.
			now := r.now
			at := now + int64(lap) - 1
			r.requireAt(r.add(at, now), at, now)
		}
	}
}

// Wherever in the ring a jump ends, and wherever the only entry is.
func TestJumpFindsASingleEntry(t *testing.T) {
	t.Parallel()
	// golang/go#24595, etcd#15247, tokio#8334
	const buckets = 128
	out := make([]int, 2)
	for position := range int64(buckets) {
		for end := range int64(buckets) {
			w := wheel.New[int](tick, buckets, 0)
			w.Add(1, (position+1)*int64(tick), 0)
			now := (3*buckets + end) * int64(tick)
			at, ok := w.Coming(now) // whether or not anybody takes it, a lap later at the latest
			if !ok || at <= now || at > now+buckets*int64(tick) {
				t.Fatalf("entry at %d, jump to %d: Coming says %d, %v", position+1, end, at, ok)
			}
			if n := w.Take(now, out); n != 1 || w.Take(now, out) != 0 || w.Len() != 0 {
				t.Fatalf("entry at %d, jump to %d: %d taken", position+1, end, n)
			}
			if _, ok := w.Next(); ok {
				t.Fatalf("entry at %d, jump to %d: still expected", position+1, end)
			}
		}
	}
}

// What is not due after a jump is added again and must not keep Take from
// coming to an end.
func TestDrainEndsThoughAllIsAddedAgain(t *testing.T) {
	t.Parallel()
	// golang/go#24595, etcd#15247
	for _, jump := range []int64{int64(tick), int64(lap) / 2, int64(lap), 10 * int64(lap)} {
		r := newRig(t, tick, buckets, 0)
		for i := range int64(buckets) {
			r.add(1<<50+i*int64(tick), 0)
		}
		r.drain(jump, 16) // fails if an entry comes more than once a lap
		require.Zero(t, r.delivered)
		require.Equal(t, buckets, r.w.Len())
	}
}

func TestAddedWhileItsBucketIsDrained(t *testing.T) {
	t.Parallel()
	// RussellLuo/timingwheel#35
	for _, ahead := range []int64{-int64(tick), 0, 1, int64(tick), int64(lap) - int64(tick), int64(lap), int64(lap) + int64(tick), 2 * int64(lap)} {
		for _, entries := range []int{1, 15, 16, 40} {
			r := newRig(t, tick, buckets, 0)
			at := 5 * int64(tick)
			for range entries {
				r.add(at, 0)
			}
			var added []int
			r.between = func() {
				if len(added) < 50 {
					added = append(added, r.add(at+ahead, at))
				}
			}
			r.drain(at, 4)
			require.Equal(t, entries, r.delivered, "what is added for later came at once")
			r.between = nil
			for _, id := range added {
				r.requireAt(id, at+ahead, at)
			}
		}
	}
}

func TestInsertStormPostponesNothing(t *testing.T) {
	t.Parallel()
	// nats#7344
	r := newRig(t, tick, buckets, 0)
	for i := range int64(100) {
		r.add(i%10*int64(tick), 0)
	}
	inserts := 0
	r.between = func() {
		if inserts < 400 {
			inserts++
			r.add(r.now+int64(inserts)%int64(lap), r.now)
		}
	}
	for tick := int64(1); tick <= 10; tick++ {
		r.drain(tick*r.tick, 1) // fails if anything is late
	}
	finish(r)
	require.Equal(t, 500, r.delivered)
}

// The wheel knows nothing of what it holds: one value may be in it twice, and
// then comes twice, each time when it was added for.
func TestOneValueTwice(t *testing.T) {
	t.Parallel()
	// go-zero#205
	w := wheel.New[string](tick, buckets, 0)
	w.Add("a", int64(3*tick), 0)
	w.Add("a", int64(5*tick), 0)
	require.Equal(t, 2, w.Len())
	out := make([]string, 4)
	require.Equal(t, 0, w.Take(int64(3*tick)-1, out))
	require.Equal(t, 1, w.Take(int64(3*tick), out))
	require.Equal(t, 0, w.Take(int64(5*tick)-1, out))
	require.Equal(t, 1, w.Take(int64(5*tick), out))
	require.Zero(t, w.Len())
}

func TestLenCountsCancelledEntriesUntilTheyCome(t *testing.T) {
	t.Parallel()
	// netty#14959
	r := newRig(t, tick, buckets, 0)
	for i := range int64(200) {
		r.add(i*int64(tick), 0)
	}
	r.cancel(func(e *entry) bool { return e.id%2 == 0 })
	require.Equal(t, 200, r.w.Len())
	r.drain(int64(lap), 7)
	finish(r) // Len is compared with a recount throughout
	require.Less(t, r.delivered, 200)
}

func TestFirstAddedComesFirst(t *testing.T) {
	t.Parallel()
	for _, entries := range []int{1, 2, 14, 15, 16, 29, 30, 31, 45, 46, 1000} {
		for _, size := range []int{1, 2, 7, 14, 15, 16, 31, 256} {
			w := wheel.New[int](tick, buckets, 0)
			for i := range entries {
				w.Add(i, int64(tick)*5-int64(i%7), 0) // one bucket, whatever the instant in it
			}
			require.Equal(t, inOrder(entries), takeAll(w, int64(tick)*5, size))
		}
	}
}

func TestBucketsComeInOrder(t *testing.T) {
	t.Parallel()
	for position := range int64(buckets) {
		now := position * int64(tick)
		w := wheel.New[int](tick, buckets, now)
		for i := range 3 * buckets {
			w.Add(i%3*buckets+i/3, now+int64(i/3+1)*int64(tick), now) // three in a bucket
		}
		taken := takeAll(w, now+int64(lap), 10)
		require.Len(t, taken, 3*buckets)
		for i, e := range taken {
			require.Equal(t, i%3*buckets+i/3, e)
		}
	}
}

// Hurry appends to what has come already.
func TestHurryKeepsTheOrder(t *testing.T) {
	t.Parallel()
	w := wheel.New[int](tick, buckets, 0)
	for i := range 60 {
		w.Add(i, int64(1+i/20)*int64(tick), 0)
	}
	out := make([]int, 8)
	require.Equal(t, 8, w.Take(int64(tick), out))
	w.Hurry(int64(2 * tick))
	taken := append(out, takeAll(w, int64(2*tick), 8)...)
	require.Equal(t, inOrder(60), taken)
}

func inOrder(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}

func takeAll(w *wheel.Wheel[int], now int64, size int) (taken []int) {
	out := make([]int, size)
	for {
		n := w.Take(now, out)
		if n == 0 {
			return taken
		}
		taken = append(taken, out[:n]...)
	}
}

func TestHurryHandsOutThePresentTickOnly(t *testing.T) {
	t.Parallel()
	for position := range int64(buckets) {
		now := position*int64(tick) + int64(tick)/2
		r := newRig(t, tick, buckets, position*int64(tick))
		r.add(now-1, 0)
		r.add(now, 0)
		later := r.add(now+1, 0)
		next := r.add(now+int64(tick), 0)
		last := r.add(now+int64(lap)-int64(tick), 0)
		r.hurry(now)
		require.Equal(t, 3, r.drain(now, 2)) // what is due to the nanosecond is out
		require.Equal(t, 2, r.delivered)
		require.True(t, r.holds(later))
		require.Equal(t, (position+1)*int64(tick), r.next())

		// Who was early is not late for it; who is added now neither.
		added := r.add(now+2, now)
		r.requireAt(later, now+1, now)
		require.False(t, r.holds(added))
		r.requireAt(next, now+int64(tick), r.now)
		r.requireAt(last, now+int64(lap)-int64(tick), r.now)
	}
}

func TestHurryTwiceInATick(t *testing.T) {
	t.Parallel()
	r := newRig(t, tick, buckets, 0)
	for i := range int64(tick) / 1000 {
		if i%100 == 0 {
			r.add(i*1000, 0)
		}
	}
	for now := int64(0); now < int64(tick); now += 333_333 {
		r.hurry(now)
		r.drain(now, 16) // fails if anything due is left
	}
	finish(r)
	require.Equal(t, 100, r.delivered)
}

func TestHurryAfterAStall(t *testing.T) {
	t.Parallel()
	// golang/go#24595, etcd#15247
	for _, stall := range []int64{int64(lap) / 2, int64(lap), int64(lap) + 3*int64(tick) + 1, 50*int64(lap) + 5} {
		r := newRig(t, tick, buckets, 0)
		for i := range int64(2 * buckets) {
			r.add(i*int64(tick)+i%3, 0)
		}
		r.hurry(stall)
		r.drain(stall, 16)
		finish(r)
		require.Equal(t, 2*buckets, r.delivered)
	}
}

func TestHurryOfAnEmptyWheel(t *testing.T) {
	t.Parallel()
	r := newRig(t, tick, buckets, 0)
	r.hurry(0)
	r.hurry(1 << 62)
	require.Zero(t, r.drain(1<<62, 4))
	at := int64(1<<62 + 5)
	r.requireAt(r.add(at, 1<<62), at, 1<<62)
}

func TestTakeIntoNothingTakesNothing(t *testing.T) {
	t.Parallel()
	w := wheel.New[int](tick, buckets, 0)
	w.Add(1, 0, 0)
	require.Zero(t, w.Take(int64(lap), nil))
	require.Equal(t, 1, w.Len())
	require.Equal(t, 1, w.Take(int64(lap), make([]int, 1)))
}

func TestNewPanics(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tick    time.Duration
		buckets int
	}{{0, 64}, {-1, 64}, {tick, 0}, {tick, -64}, {tick, 1}, {tick, 32}, {tick, 63}, {tick, 65}, {tick, 96}, {tick, 100}} {
		require.Panics(t, func() { wheel.New[int](c.tick, c.buckets, 0) }, "%v", c)
	}
	require.NotPanics(t, func() { wheel.New[int](1, 64, math.MaxInt64) })
}

// Not parallel: the heap is measured.
func TestHeapIsFlatAtAConstantRate(t *testing.T) {
	// netty#2541, nats#8595
	const perTick, ahead = 50, 600 // as if 5,000 a second waited for 6 s each
	ticks := 10_000_000 / perTick
	if testing.Short() {
		ticks /= 10
	}
	w := wheel.New[[2]uint64](tick, 1024, 0)
	out := make([][2]uint64, 256)
	now := int64(0)
	run := func(ticks int) {
		for range ticks {
			for i := range uint64(perTick) {
				w.Add([2]uint64{i, i}, now+ahead*int64(tick), now)
			}
			now += int64(tick)
			for w.Take(now, out) > 0 {
			}
		}
	}
	run(2 * ahead)
	require.Equal(t, perTick*(ahead-1), w.Len())
	before := heap()
	run(ticks)
	require.Equal(t, perTick*(ahead-1), w.Len())
	require.Less(t, heap(), before+1<<20)
	runtime.KeepAlive(w)
}

// Not parallel: allocations are counted.
func TestConstantRateAllocatesNothing(t *testing.T) {
	w := wheel.New[[2]uint64](tick, buckets, 0)
	out := make([][2]uint64, 256)
	now := int64(0)
	step := func() {
		for i := range uint64(100) {
			w.Add([2]uint64{i, i}, now+20*int64(tick), now)
		}
		now += int64(tick)
		for w.Take(now, out) > 0 {
		}
	}
	for range 2 * buckets {
		step()
	}
	require.Zero(t, testing.AllocsPerRun(1000, step))
}

// Not parallel: the heap is measured.
func TestStormGivesItsMemoryBack(t *testing.T) {
	// netty#2541, nats#8595
	w := wheel.New[[2]uint64](tick, buckets, 0)
	before := heap()
	for i := range uint64(500_000) {
		w.Add([2]uint64{i, i}, int64(tick), 0)
	}
	require.Greater(t, heap(), before+500_000*16)
	out := make([][2]uint64, 256)
	for w.Take(int64(tick), out) > 0 {
	}
	require.Less(t, heap(), before+3<<20) // of which 1 MB is kept for reuse
	runtime.KeepAlive(w)
}

func TestTakenEntriesAreLetGo(t *testing.T) {
	t.Parallel()
	// netty#2541, nats#8595
	w := wheel.New[*[64]byte](tick, buckets, 0)
	var taken []weak.Pointer[[64]byte]
	func() {
		for range 40 {
			e := new([64]byte)
			taken = append(taken, weak.Make(e))
			w.Add(e, int64(tick), 0)
		}
		out := make([]*[64]byte, 7)
		for w.Take(int64(tick), out) > 0 {
		}
	}()
	runtime.GC()
	for _, e := range taken {
		require.Nil(t, e.Value())
	}
	runtime.KeepAlive(w)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // what the first one has found unused is swept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// benchmarkBuckets is what the table has.
const benchmarkBuckets = 8192

// What an Add costs, in buckets that are hot or cold.
func BenchmarkAdd(b *testing.B) {
	for _, spread := range []int64{1, 100, benchmarkBuckets} {
		b.Run("buckets="+strconv.FormatInt(spread, 10), func(b *testing.B) {
			w := wheel.New[[2]uint64](tick, benchmarkBuckets, 0)
			out := make([][2]uint64, 256)
			now, i := int64(0), int64(0)
			for b.Loop() {
				if i++; i%100_000 == 0 {
					b.StopTimer()
					now += benchmarkBuckets * int64(tick)
					for w.Take(now, out) > 0 {
					}
					b.StartTimer()
				}
				w.Add([2]uint64{1, 1}, now+(1+i*7919%spread)*int64(tick), now)
			}
		})
	}
}

// What an entry costs from its Add until it is taken, at a constant rate.
func BenchmarkTake(b *testing.B) {
	for _, perTick := range []int{1, 16, 256, 4096} {
		b.Run("entries="+strconv.Itoa(perTick), func(b *testing.B) {
			w := wheel.New[[2]uint64](tick, benchmarkBuckets, 0)
			out := make([][2]uint64, 256)
			now, i := int64(0), 0
			for b.Loop() {
				w.Add([2]uint64{1, 1}, now+10*int64(tick), now)
				if i++; i%perTick == 0 {
					now += int64(tick)
					for w.Take(now, out) > 0 {
					}
				}
			}
		})
	}
}

// What it costs to find the next bucket, that many ticks away.
func BenchmarkNext(b *testing.B) {
	for _, ahead := range []int64{1, 100, benchmarkBuckets} {
		b.Run("ticks="+strconv.FormatInt(ahead, 10), func(b *testing.B) {
			w := wheel.New[[2]uint64](tick, benchmarkBuckets, 0)
			out := make([][2]uint64, 1)
			now := int64(0)
			w.Add([2]uint64{1, 1}, ahead*int64(tick), now)
			for b.Loop() {
				now, _ = w.Next()
				w.Add([2]uint64{1, 1}, now+ahead*int64(tick), now)
				w.Take(now, out)
			}
		})
	}
}
