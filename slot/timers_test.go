package slot_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

const (
	wheelTick = 10 * time.Millisecond
	wheelLap  = 8192 * wheelTick
	day       = 24 * time.Hour

	// punctual is how late the horizon may be.
	punctual = 20 * time.Millisecond
)

// waiter is a reservation, or a dropped player, and its deadline to the
// nanosecond.
type waiter struct {
	id       string
	deadline time.Time
}

// wait reserves a seat until the timeout has passed.
func (f fixture) wait(timeout time.Duration) waiter {
	f.t.Helper()
	ps := f.reserved(slot.Reservation{GameSessionID: match, PlayerID: session.NewPlayerSessionID()[len("psess-"):], Timeout: timeout})
	w := waiter{ps.PlayerSessionID, time.Now().Add(timeout)}
	require.Equal(f.t, w.deadline.Truncate(time.Millisecond).UTC(), f.deadline(w.id))
	return w
}

// requireStatus asks the calls that read no clock, so that what they say is
// what the timer has done, and one that does.
func (f fixture) requireStatus(w waiter, want session.Status) {
	f.t.Helper()
	require.Equal(f.t, want, f.lookup(w.id).Status)
	_, err := f.Deadline(w.id)
	if want.Terminal() {
		require.Equal(f.t, w.deadline.Truncate(time.Millisecond).UTC(), f.lookup(w.id).TerminationTime)
		_, accepted := f.Activate(w.id)
		require.Equal(f.t, &session.StatusError{Have: want, Want: session.StatusReserved}, accepted)
		require.Equal(f.t, accepted, err)
		return
	}
	require.NoError(f.t, err)
}

// requirePunctual sleeps until w's deadline and checks that it is kept: a
// nanosecond before it nothing has happened, and 20 ms after it the seat has
// been left, though nobody but the timer looked.
func (f fixture) requirePunctual(w waiter) {
	f.t.Helper()
	events := new(recorder)
	defer f.Subscribe(events.record)()
	before := f.lookup(w.id)
	time.Sleep(time.Until(w.deadline) - 1)
	synctest.Wait()
	require.Contains(f.t, f.describe(slot.Query{GameSessionID: match}), before) // reads the clock
	require.Empty(f.t, events.of(w.id))

	time.Sleep(punctual + 1)
	synctest.Wait()
	ended := events.of(w.id)
	require.Len(f.t, ended, 1, "%s after the deadline the seat is held", punctual)
	want := session.StatusTimedOut
	if before.Status == session.StatusActive {
		want = session.StatusCompleted
	}
	f.requireStatus(w, want)
	require.Equal(f.t, before.Status, ended[0].From)
	require.Equal(f.t, want, ended[0].To)
	require.Equal(f.t, w.deadline.Truncate(time.Millisecond).UTC(), ended[0].At)
}

// below returns a duration in [0, d).
func below(random *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(d)))
}

func TestTimerEdges(t *testing.T) {
	t.Parallel()
	// netty#7760
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReservationTimeout: 7 * time.Second}, 10)
		_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "past", Timeout: -1})
		requireField(t, "Timeout", err)
		_, err = f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "past", Timeout: math.MinInt64})
		requireField(t, "Timeout", err)
		require.Zero(t, f.WheelLen())

		for _, phase := range []time.Duration{0, 1, wheelTick / 2, wheelTick - 2, wheelTick - 1} {
			time.Sleep(phase)
			instant := f.wait(1)
			require.Equal(t, session.StatusReserved, f.lookup(instant.id).Status)
			f.requirePunctual(instant)
		}

		usual := f.reserve("usual")
		f.requirePunctual(waiter{usual.PlayerSessionID, time.Now().Add(7 * time.Second)})

		var forever []string
		for i, timeout := range []time.Duration{math.MaxInt64, math.MaxInt64 - 1, 1<<62 + 1, 1 << 62, 1<<62 - time.Hour} {
			ps := f.reserved(slot.Reservation{GameSessionID: match, PlayerID: player(i), Timeout: timeout})
			require.True(t, f.deadline(ps.PlayerSessionID).After(time.Now().AddDate(140, 0, 0)))
			forever = append(forever, ps.PlayerSessionID)
		}
		time.Sleep(3 * day)
		for _, id := range forever {
			require.Equal(t, session.StatusActive, f.accept(id).Status)
		}
		require.NoError(t, f.CheckAtRest())
	})
}

func TestTimerWholeLaps(t *testing.T) {
	t.Parallel()
	// akka-core#1016, go-zero#5510
	for _, phase := range []time.Duration{0, 1, wheelTick / 2, wheelTick - 1} {
		t.Run("phase="+phase.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, slot.Config{}, 20)
				begin := time.Now()
				for laps := range time.Duration(4) {
					for _, offset := range []time.Duration{-wheelTick, -1, 0, 1, wheelTick} {
						timeout := laps*wheelLap + offset
						if timeout <= 0 {
							continue
						}
						time.Sleep((wheelTick - time.Since(begin)%wheelTick + phase) % wheelTick)
						f.requirePunctual(f.wait(timeout))
					}
				}
				require.NoError(t, f.CheckAtRest())
			})
		})
	}
}

func TestTimerBeyondTheWheel(t *testing.T) {
	t.Parallel()
	// nats-server#7070
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 20)
		var waiters []waiter
		for _, timeout := range []time.Duration{wheelLap + time.Second, 100 * time.Second, 2*wheelLap - wheelTick, 10 * time.Minute, time.Hour, day} {
			time.Sleep(123_456_789)
			waiters = append(waiters, f.wait(timeout))
		}
		for _, w := range waiters {
			f.requirePunctual(w)
		}
		require.NoError(t, f.CheckAtRest())
	})
}

// crowd are waiters of one table, who are looked at at any time.
type crowd struct {
	fixture
	waiters []waiter
}

// look fails for those who are early, or late, and lets go of those who are over.
func (c *crowd) look() {
	c.t.Helper()
	now := time.Now()
	c.waiters = slices.DeleteFunc(c.waiters, func(w waiter) bool {
		late := now.Sub(w.deadline)
		if late >= 0 && late < punctual {
			return false
		}
		ps, err := c.Lookup(w.id)
		if err != nil || (ps.Status == session.StatusTimedOut) != (late >= 0) {
			c.t.Fatalf("%s after its deadline a reservation is %v, %v", late, ps.Status, err)
		}
		return late >= 0
	})
}

// Calls that count seats drive the wheel as well, at instants of their own.
func TestTimerIrregularCadence(t *testing.T) {
	t.Parallel()
	// agrona#73, go-zero#3619
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 1))
				c := crowd{fixture: newFixture(t, slot.Config{MaxRetained: 150}, 500)}
				steps := []time.Duration{1, time.Millisecond, wheelTick, 10 * wheelTick, time.Second, wheelLap}
				for range 200 {
					time.Sleep(below(random, steps[random.IntN(len(steps))]))
					if len(c.waiters) < 100 {
						c.waiters = append(c.waiters, c.wait(1+below(random, 3*steps[random.IntN(len(steps))])))
					}
					switch random.IntN(5) {
					case 0:
						c.Stats()
					case 1:
						c.held()
					case 2:
						c.describe(slot.Query{GameSessionID: match})
					}
					synctest.Wait()
					c.look()
				}
				time.Sleep(4 * wheelLap)
				c.look()
				require.Empty(t, c.waiters)
				require.NoError(t, c.CheckAtRest())
				require.Zero(t, c.WheelLen())
			})
		})
	}
}

// slowLog takes its time over a line: the timer, which says in the log who did
// not come, stands still meanwhile.
type slowLog struct{ pause atomic.Int64 }

// logger leaves out what calls say.
func (l *slowLog) logger() zerolog.Logger { return zerolog.New(l).Level(zerolog.InfoLevel) }

func (l *slowLog) Write(line []byte) (int, error) {
	time.Sleep(time.Duration(l.pause.Swap(0)))
	return len(line), nil
}

// stall stops the timer for that long, from a tick after now at the latest.
func (l *slowLog) stall(f fixture, d time.Duration) {
	f.t.Helper()
	l.pause.Store(int64(d))
	f.wait(1)
	time.Sleep(wheelTick)
	synctest.Wait()
	require.Zero(f.t, l.pause.Load())
}

func TestTimerDroppedTicks(t *testing.T) {
	t.Parallel()
	// agrona#73, go-zero#3619
	synctest.Test(t, func(t *testing.T) {
		var log slowLog
		f := newFixture(t, slot.Config{Logger: log.logger()}, 5000)
		for _, pause := range []time.Duration{wheelTick, 3 * wheelTick, time.Second, wheelLap - wheelTick, wheelLap, wheelLap + wheelTick, 5*wheelLap + 1} {
			c := crowd{fixture: f}
			for i := range 100 {
				c.waiters = append(c.waiters, f.wait(wheelTick+time.Duration(i)*(pause+time.Second)/100))
			}
			log.stall(f, pause)
			c.waiters = append(c.waiters, f.wait(1), f.wait(pause/2+1), f.wait(pause+1), f.wait(pause+wheelLap))
			time.Sleep(pause)
			synctest.Wait()

			// The timer has caught up, at once.
			c.look()
			late := f.wait(3 * time.Second)
			for range 500 {
				time.Sleep(wheelTick - 1)
				synctest.Wait()
				c.look()
			}
			time.Sleep(2 * wheelLap)
			c.look()
			require.Empty(t, c.waiters)
			require.Equal(t, session.StatusTimedOut, f.lookup(late.id).Status)
			f.requirePunctual(f.wait(time.Second)) // and is not late for good
			require.NoError(t, f.CheckAtRest())
		}
	})
}

func TestTimerRandomPhase(t *testing.T) {
	t.Parallel()
	// http4s/blaze#309, theine-go#64
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 1))
		f := newFixture(t, slot.Config{MaxRetained: 10}, 1) // one seat: each must reopen for the next
		for range 100 {
			time.Sleep(below(random, 3*wheelTick))
			f.requirePunctual(f.wait(1 + below(random, []time.Duration{wheelTick, time.Second, 2 * wheelLap}[random.IntN(3)])))
		}
		require.NoError(t, f.CheckAtRest())
	})
}

func TestTimerLateStart(t *testing.T) {
	t.Parallel()
	// tokio#8334, nebula#801
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 20)
		begin := time.Now()
		for _, start := range []time.Duration{
			wheelLap, 2 * wheelLap, 64 * wheelTick * 129, day, 25 * day, // 2^31 ms
			50 * day, // 2^32 ms
			1000*wheelLap + 5*365*day/wheelLap*wheelLap, 100 * 365 * day / wheelLap * wheelLap,
		} {
			for _, offset := range []time.Duration{-wheelTick, -1, 0, 1, wheelTick} {
				at := begin.Add(start + offset)
				time.Sleep(time.Until(at))
				w := f.wait(wheelTick / 2)
				laps := f.wait(wheelTick) // the cursor's own bucket, or the next one
				time.Sleep(time.Until(w.deadline) - 1)
				synctest.Wait()
				require.Equal(t, session.StatusReserved, f.lookup(w.id).Status)
				time.Sleep(time.Until(laps.deadline) - 1)
				require.Equal(t, session.StatusReserved, f.lookup(laps.id).Status)
				time.Sleep(wheelTick)
				synctest.Wait()
				f.requireStatus(w, session.StatusTimedOut)
				f.requireStatus(laps, session.StatusTimedOut)
			}
			f.requirePunctual(f.wait(wheelLap))
		}
		require.NoError(t, f.CheckAtRest())
	})
}

// A bucket that has come early, for a call that counts seats, takes entries for
// the rest of its tick; a timer that stood still takes those that are overdue.
func TestTimerPast(t *testing.T) {
	t.Parallel()
	// otter (2025)
	synctest.Test(t, func(t *testing.T) {
		var log slowLog
		f := newFixture(t, slot.Config{Logger: log.logger()}, 50)
		for _, phase := range []time.Duration{0, 1, 5 * time.Millisecond, 9 * time.Millisecond} {
			time.Sleep(wheelTick + phase)
			f.wait(1)
			f.Stats()
			w := f.wait(1)
			f.Stats()
			require.Equal(t, session.StatusReserved, f.lookup(w.id).Status)
			f.requirePunctual(w)
		}
		log.stall(f, 3*wheelLap)
		time.Sleep(wheelLap)
		w := f.wait(1)
		time.Sleep(wheelLap)
		require.Empty(t, f.describe(slot.Query{GameSessionID: match, Status: session.StatusReserved})) // reads the clock
		f.requireStatus(w, session.StatusTimedOut)
		time.Sleep(2 * wheelLap)
		f.requireStatus(w, session.StatusTimedOut)
		require.Zero(t, f.WheelLen())
		require.NoError(t, f.CheckAtRest())
	})
}

func TestTimerRacesCancellation(t *testing.T) {
	t.Parallel()
	// netty#14959
	const rounds, crowd = 12, 64
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(2, 1))
		f := newFixture(t, slot.Config{}, rounds*crowd)
		begin := time.Now()
		events := f.events()
		var accepted, refused atomic.Int64
		for range rounds {
			time.Sleep(below(random, wheelTick))
			var calls sync.WaitGroup
			for range crowd {
				w := f.wait(50 * time.Millisecond)
				comes := w.deadline.Add((wheelTick - w.deadline.Sub(begin)%wheelTick) % wheelTick)
				at := []time.Time{w.deadline, comes, comes, comes.Add(-1)}[random.IntN(4)]
				call := random.IntN(4)
				calls.Go(func() {
					time.Sleep(time.Until(at)) // wakes with the timer
					switch call {
					case 0, 1:
						ps, err := f.Activate(w.id)
						if err != nil {
							require.ErrorIs(t, err, session.ErrTimedOut)
							refused.Add(1)
							return
						}
						require.Equal(t, session.StatusActive, ps.Status)
						accepted.Add(1)
						if call == 0 {
							f.release(w.id)
						}
					case 2:
						require.Equal(t, session.StatusTimedOut, f.release(w.id).Status)
					case 3:
						f.Stats()
					}
				})
			}
			calls.Wait()
		}
		time.Sleep(time.Second)
		synctest.Wait()

		stats := f.Stats()
		count := make(map[session.Status]int)
		for _, ps := range f.describe(slot.Query{GameSessionID: match}) {
			count[ps.Status]++
		}
		require.Equal(t, rounds*crowd, stats.TimedOut+stats.Completed+stats.Active)
		require.Zero(t, stats.Reserved)
		require.Equal(t, stats.Active, count[session.StatusActive])
		require.Equal(t, stats.Completed, count[session.StatusCompleted])
		require.Equal(t, stats.TimedOut, count[session.StatusTimedOut])
		require.Zero(t, count[session.StatusReserved])
		require.EqualValues(t, rounds*crowd, stats.ReservedTotal)
		require.EqualValues(t, accepted.Load(), stats.AcceptedTotal)
		require.EqualValues(t, stats.Active, stats.AcceptedTotal-stats.CompletedTotal)
		require.EqualValues(t, stats.TimedOut, stats.TimedOutTotal)
		require.EqualValues(t, refused.Load(), stats.Refused[session.Reason(session.ErrTimedOut)])
		require.Equal(t, stats.Active, f.held())
		ends := make(map[string]int)
		for _, e := range events.all() {
			if e.To.Terminal() {
				ends[e.PlayerSession.PlayerSessionID]++
			}
		}
		require.Len(t, ends, rounds*crowd-stats.Active)
		for id, n := range ends {
			require.Equal(t, 1, n, session.Redact(id))
		}
		require.NoError(t, f.CheckAtRest())
	})
}

// USHER_LONG=1 lets ten million players come and go. Not parallel: the heap is
// measured.
func TestTimerHeapIsFlat(t *testing.T) {
	// netty#2541, nats#8595
	players := 200_000
	if os.Getenv("USHER_LONG") == "1" {
		players = 10_000_000
	} else if testing.Short() || slowed() {
		players /= 20
	}
	f := newFixture(t, slot.Config{Stripes: 64, MaxRetained: 1000, ReservationTimeout: 100 * time.Millisecond}, 10)
	run := func(n int) { // of stripes so few that all have been used before the first look
		for range n {
			ps := f.reserve("player")
			if _, err := f.Activate(ps.PlayerSessionID); err != nil {
				require.ErrorIs(t, err, session.ErrTimedOut) // on a very busy machine
			}
			f.release(ps.PlayerSessionID)
		}
		require.Eventually(t, func() bool { return f.WheelLen() == 0 }, 10*time.Second, time.Millisecond)
	}
	run(players / 10)
	before := heapInUse()
	run(players)
	require.Less(t, heapInUse(), before+2<<20) // an entry of the wheel alone is 17 bytes
	require.NoError(t, f.CheckAtRest())
}

// slowed tells whether the race detector is on, which makes all take ten times
// as long.
func slowed() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // what the first one has found unused is swept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// At a constant rate the wheel holds what was reserved within a timeout or a
// lap, whichever is shorter, whatever has become of it.
func TestTimerCancelledEntriesGo(t *testing.T) {
	t.Parallel()
	// netty#2541, nats#8595
	for _, timeout := range []time.Duration{time.Second, time.Minute, 3 * wheelLap, math.MaxInt64} {
		t.Run("timeout="+timeout.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, slot.Config{MaxRetained: 10}, 10)
				const every = 250 * time.Millisecond
				most := int(min(timeout, wheelLap)/every) + 1
				for range 2*most + 10 {
					ps := f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "player", Timeout: timeout})
					f.accept(ps.PlayerSessionID)
					f.release(ps.PlayerSessionID)
					require.LessOrEqual(t, f.WheelLen(), most)
					time.Sleep(every)
				}
				time.Sleep(min(timeout, wheelLap) + wheelTick)
				synctest.Wait()
				require.Zero(t, f.WheelLen())
			})
		})
	}
}

// That something else is to be done in between does not change that.
func TestTimerCancelledEntriesGoBeforeRetentionEnds(t *testing.T) {
	t.Parallel()
	// netty#2541, nats#8595
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{MaxRetained: 10}, 10)
		f.create("over", 10)
		f.terminate("over")
		for range 3000 {
			ps := f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "player", Timeout: math.MaxInt64})
			f.accept(ps.PlayerSessionID)
			f.release(ps.PlayerSessionID)
			require.Less(t, f.WheelLen(), 200)
			time.Sleep(time.Second)
		}
	})
}

func TestTimerStorm(t *testing.T) {
	t.Parallel()
	// nats#7344
	storm, each := 100_000, 2000
	if testing.Short() || slowed() {
		storm, each = 20_000, 500
	}
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, storm)
		f.create("others", 10*each)
		reserve := func(game, name string, i int, timeout time.Duration) string {
			return f.reserved(slot.Reservation{GameSessionID: game, PlayerID: name + strconv.Itoa(i), Timeout: timeout}).PlayerSessionID
		}
		for i := range storm { // while nobody sleeps no time passes: they have one deadline
			reserve(match, "late", i, time.Second)
		}
		var guests []string
		for i := range each {
			guests = append(guests, reserve("others", "guest", i, time.Minute))
		}

		deadline := time.Now().Add(time.Second)
		var calls sync.WaitGroup
		at := func(d time.Duration, call func()) {
			calls.Go(func() {
				time.Sleep(time.Until(deadline.Add(d)))
				call()
			})
		}
		at(-1, func() {
			page, err := f.Describe(slot.Query{GameSessionID: match, Status: session.StatusTimedOut})
			require.NoError(t, err)
			require.Empty(t, page.PlayerSessions)
		})
		at(0, func() {
			for _, id := range guests {
				f.accept(id)
			}
		})
		at(0, func() {
			for i := range each {
				reserve("others", "insert", i, 5*time.Millisecond)
			}
		})
		at(0, func() { // seats of those who expire are free at once
			for i := range each {
				reserve(match, "heir", i, time.Minute)
			}
		})
		calls.Wait()

		time.Sleep(punctual)
		synctest.Wait()
		require.Equal(t, 2*each, f.WheelLen(), "the guests' entries and the heirs' are left")
		stats := f.Stats()
		require.Equal(t, storm+each, stats.TimedOut)
		require.Equal(t, each, stats.Reserved)
		require.Equal(t, each, stats.Active)
		require.Equal(t, each, f.held())
		require.LessOrEqual(t, stats.ExpiryLag, punctual)
		require.NoError(t, f.CheckAtRest())
	})
}

func TestTimerInsertsPostponeNothing(t *testing.T) {
	t.Parallel()
	// nats#7344
	synctest.Test(t, func(t *testing.T) {
		c := crowd{fixture: newFixture(t, slot.Config{}, 1000)}
		for i := range 400 {
			c.waiters = append(c.waiters, c.wait(time.Duration(1+i%7)*11*time.Millisecond), c.wait(time.Minute))
			c.release(c.waiters[len(c.waiters)-1].id)
			c.waiters = c.waiters[:len(c.waiters)-1]
			time.Sleep(700 * time.Microsecond)
			c.look()
		}
		require.LessOrEqual(t, c.Stats().ExpiryLag, wheelTick)
		require.NoError(t, c.CheckAtRest())
	})
}

func TestTimerReserveDuringAdvance(t *testing.T) {
	t.Parallel()
	// RussellLuo/timingwheel#35
	const callers, rounds = 16, 30
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, callers*rounds)
		events := f.events()
		var calls sync.WaitGroup
		for caller := range uint64(callers) {
			calls.Go(func() {
				random := rand.New(rand.NewPCG(caller, 2))
				for range rounds {
					timeout := []time.Duration{1, wheelTick, 2 * wheelTick, wheelLap}[random.IntN(4)]
					f.reserved(slot.Reservation{GameSessionID: match, PlayerID: session.NewPlayerSessionID()[6:], Timeout: timeout})
					if random.IntN(4) == 0 {
						f.Stats()
					}
					time.Sleep(time.Duration(random.IntN(3)) * wheelTick) // most wake with the timer
				}
			})
		}
		calls.Wait()
		time.Sleep(wheelLap + punctual)
		synctest.Wait()
		require.Zero(t, f.WheelLen())
		ended := 0
		for _, e := range events.all() {
			if e.To == session.StatusTimedOut {
				ended++
			}
		}
		require.Equal(t, callers*rounds, ended, "a reservation was lost")
		require.NoError(t, f.CheckAtRest())
	})
}

// Whoever sets the alarm anew at the instant at which it rings must not silence
// it.
func TestTimerAlarmIsHeard(t *testing.T) {
	t.Parallel()
	// RussellLuo/timingwheel#35
	synctest.Test(t, func(t *testing.T) {
		const rounds = 40
		f := newFixture(t, slot.Config{}, 10*rounds)
		f.create("others", 10*rounds)
		events := f.events()
		for round := range rounds {
			w := f.wait(2 * wheelTick) // the alarm is set to its very deadline
			var calls sync.WaitGroup
			for i := range 4 {
				name := player(4*round + i)
				f.create(name, 1)
				calls.Go(func() {
					time.Sleep(time.Until(w.deadline))
					f.reserved(slot.Reservation{GameSessionID: "others", PlayerID: name, Timeout: time.Minute})
					f.terminate(name)
				})
			}
			calls.Wait()
			synctest.Wait()
			require.Len(t, events.of(w.id), 2, "the seat has not been left")
			time.Sleep(time.Hour)
		}
		require.NoError(t, f.CheckAtRest())
	})
}

// elsewhere reserves under an id issued elsewhere.
func (f fixture) elsewhere(id string, timeout time.Duration) waiter {
	f.t.Helper()
	f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "player of " + id, PlayerSessionID: id, Timeout: timeout})
	return waiter{id, time.Now().Add(timeout)}
}

// forget ends a session and lets it be forgotten, in a table with a MaxRetained
// of 1, so that its id can be reserved again.
func (f fixture) forget(id string) {
	f.t.Helper()
	f.release(id)
	time.Sleep(1 * time.Nanosecond) // the earliest ended goes first
	f.release(f.elsewhere("psess-that-ends-later", time.Millisecond).id)
	_, err := f.Lookup(id)
	require.ErrorIs(f.t, err, session.ErrPlayerSessionNotFound)
	f.forgetLater()
}

func (f fixture) forgetLater() {
	f.t.Helper()
	time.Sleep(1 * time.Nanosecond)
	f.release(f.wait(time.Millisecond).id)
}

func TestTimerReusedID(t *testing.T) {
	t.Parallel()
	// go-zero#205
	for _, id := range []string{"psess-x", "psess-11111111-2222-4333-8444-555555555555"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, slot.Config{MaxRetained: 1, ReconnectWindow: time.Second}, 3)

				// RESERVED again, with a later deadline than the old entry's.
				f.elsewhere(id, time.Second)
				f.forget(id)
				w := f.elsewhere(id, 5*time.Second)
				f.requirePunctual(w)
				f.forgetLater()

				// With an earlier one.
				f.elsewhere(id, 5*time.Second)
				f.forget(id)
				w = f.elsewhere(id, time.Second)
				f.requirePunctual(w)
				f.forgetLater()
				time.Sleep(10 * time.Second)

				// ACTIVE when the old entry is visited, and dropped, and back.
				f.elsewhere(id, time.Second)
				f.forget(id)
				f.elsewhere(id, 10*time.Second)
				ps := f.accept(id)
				time.Sleep(500 * time.Millisecond)
				f.drop(ps)
				dropped := waiter{id, time.Now().Add(time.Second)}
				time.Sleep(600 * time.Millisecond) // the old entry has been visited
				f.requireStatus(dropped, session.StatusActive)
				ps = f.accept(id)
				time.Sleep(20 * time.Second)
				require.Equal(t, session.StatusActive, f.lookup(id).Status)
				f.drop(ps)
				f.requirePunctual(waiter{id, time.Now().Add(time.Second)})
				require.NoError(t, f.CheckAtRest())
				require.Zero(t, f.WheelLen())
			})
		})
	}
}

// However often an id is reserved anew while entries of it are in the wheel,
// these go when they are visited: they are not its present holder's.
func TestTimerReusedIDLeavesNoEntries(t *testing.T) {
	t.Parallel()
	// go-zero#205, nats#8595
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{MaxRetained: 1}, 3)
		for range 500 {
			f.elsewhere("psess-x", time.Second)
			time.Sleep(400 * time.Millisecond)
			f.forget("psess-x")
		}
		require.LessOrEqual(t, f.WheelLen(), 20)
	})
}

// The process stands still for long, and then everything happens at once.
func TestTimerJump(t *testing.T) {
	t.Parallel()
	// golang/go#24595, etcd#15247
	for _, jump := range []time.Duration{time.Second, time.Minute, wheelLap, 5*wheelLap + 1} {
		t.Run("jump="+jump.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const crowd = 300
				var log slowLog
				f := newFixture(t, slot.Config{Logger: log.logger()}, 3*crowd)
				events := f.events()
				var due, later []waiter
				for i := range time.Duration(crowd) {
					due = append(due, f.wait(wheelTick+i*(jump-2*wheelTick)/crowd))
					later = append(later, f.wait(jump+time.Minute+i*time.Second))
				}
				log.stall(f, jump-wheelTick)
				time.Sleep(jump - wheelTick) // the timer moves on at this very instant

				var calls sync.WaitGroup
				var late atomic.Int64
				for part := range 4 {
					calls.Go(func() {
						for i := part; i < crowd; i += 4 {
							f.accept(later[i].id)
							// The horizon may not have been raised yet: then they get in.
							if _, err := f.Activate(due[i].id); err == nil {
								late.Add(1)
							} else {
								require.ErrorIs(t, err, session.ErrTimedOut)
							}
						}
					})
				}
				calls.Wait()
				time.Sleep(wheelTick)
				synctest.Wait()
				stats := f.Stats()
				require.Equal(t, crowd+int(late.Load()), stats.Active)
				require.Equal(t, crowd-int(late.Load())+1, stats.TimedOut) // and who stalled
				require.Zero(t, stats.Reserved)
				require.Equal(t, stats.Active, f.held())
				happened := make(map[string]int)
				for _, e := range events.all() {
					happened[e.PlayerSession.PlayerSessionID]++
				}
				for _, w := range due {
					require.Equal(t, 2, happened[w.id])
				}
				f.requirePunctual(f.wait(time.Minute))
				require.NoError(t, f.CheckAtRest())
			})
		})
	}
}

// However long it takes to free the seats, and to say so in the log, deadlines
// are kept, whatever the wheel was to look at meanwhile.
func TestTimerHorizonWaitsForNobody(t *testing.T) {
	t.Parallel()
	// nats#7344
	const stall = 3 * wheelLap
	for name, prepare := range map[string]func(f fixture) waiter{
		"reserved":           func(f fixture) waiter { return f.wait(time.Minute) },
		"more than a lap":    func(f fixture) waiter { return f.wait(wheelLap + 10*time.Second) },
		"more than two laps": func(f fixture) waiter { return f.wait(2*wheelLap + 10*time.Second) },
		"extended": func(f fixture) waiter {
			w := f.wait(time.Second)
			_, err := f.Extend(w.id, time.Minute)
			require.NoError(f.t, err)
			return waiter{w.id, time.Now().Add(time.Minute)}
		},
		"dropped": func(f fixture) waiter {
			f.drop(f.accept(f.wait(time.Second).id))
			time.Sleep(time.Millisecond)
			page := f.describe(slot.Query{GameSessionID: match, Status: session.StatusActive})
			return waiter{page[0].PlayerSessionID, time.Now().Add(10*time.Second - time.Millisecond)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log slowLog
				f := newFixture(t, slot.Config{Logger: log.logger(), ReconnectWindow: 10 * time.Second}, 10)
				before := prepare(f)
				log.stall(f, stall)
				during := waiter{deadline: time.Now()}
				if name != "dropped" { // which looks for the only one
					during = prepare(f)
				}
				for _, w := range []waiter{before, during} {
					if w.id == "" {
						continue
					}
					was := f.lookup(w.id).Status
					time.Sleep(time.Until(w.deadline) - 1)
					require.Equal(t, was, f.lookup(w.id).Status)
					time.Sleep(punctual)
					want := session.StatusTimedOut
					if was == session.StatusActive {
						want = session.StatusCompleted
					}
					f.requireStatus(w, want)
				}
				require.Zero(t, f.held()) // frees the seats itself
				require.NoError(t, f.CheckAtRest())
				time.Sleep(stall)
			})
		})
	}
}

// A call that counts seats takes entries out of the wheel. Held up, it must not
// keep the timer from waking for them.
func TestTimerHorizonWaitsForNoCall(t *testing.T) {
	t.Parallel()
	// nats#7344
	synctest.Test(t, func(t *testing.T) {
		var log slowLog
		f := newFixture(t, slot.Config{Logger: log.logger()}, 1000)
		for range 256 { // all that is looked at in one go
			f.wait(7 * time.Millisecond)
		}
		w := f.wait(9 * time.Millisecond)
		time.Sleep(8 * time.Millisecond)
		log.pause.Store(int64(time.Minute))
		var call sync.WaitGroup
		defer call.Wait()
		call.Go(func() { f.Stats() })
		synctest.Wait()
		require.Zero(t, log.pause.Load())

		f.create("over", 1)
		f.terminate("over") // sets the alarm anew
		require.Equal(t, session.StatusReserved, f.lookup(w.id).Status)
		time.Sleep(time.Until(w.deadline.Add(punctual)))
		f.requireStatus(w, session.StatusTimedOut)
	})
}

// Calls that count seats, or need one, see those free whose deadline has just
// passed, wherever in a tick.
func TestTimerSeatsAreCountedToTheNanosecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, phase := range []time.Duration{0, 1, 3*time.Millisecond + 1, wheelTick - 1} {
			f := newFixture(t, slot.Config{}, 1)
			for _, frees := range []func(){
				func() { require.Zero(t, f.held()) },
				func() { require.Zero(t, f.Stats().Reserved) },
				func() { f.release(f.reserve("heir").PlayerSessionID) },
				func() {
					_, err := f.ReserveAll([]slot.Reservation{{GameSessionID: match, PlayerID: "heir", Timeout: 1}})
					require.NoError(t, err)
				},
			} {
				time.Sleep(2*wheelTick - time.Duration(time.Now().UnixNano())%wheelTick + phase)
				w := f.wait(time.Second)
				time.Sleep(time.Second - 1)
				require.Equal(t, 1, f.held())
				require.Equal(t, 1, f.Stats().Reserved)
				_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "early"})
				requireOnly(t, session.ErrGameSessionFull, err)
				time.Sleep(1 * time.Nanosecond)
				frees()
				f.requireStatus(w, session.StatusTimedOut)
				time.Sleep(time.Second)
			}
		}
	})
}

func TestTimerSubscriberCallsTheTable(t *testing.T) {
	t.Parallel()
	// golang-lru/expirable
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 8)
		events := f.events()
		const generations = 20
		var timeouts atomic.Int64
		f.Subscribe(func(e session.Event) {
			if e.Cause != session.CauseDeadline {
				return
			}
			n := timeouts.Add(1)
			require.Equal(t, e.PlayerSession, f.lookup(e.PlayerSession.PlayerSessionID))
			require.Equal(t, e.PlayerSession, f.release(e.PlayerSession.PlayerSessionID))
			require.GreaterOrEqual(t, f.Stats().TimedOutTotal, uint64(n))
			if n > 8*generations {
				return
			}
			heir := f.wait(1 + time.Duration(n%5)*7*time.Millisecond)
			if n%10 == 0 {
				f.accept(heir.id)
				f.release(heir.id)
				f.wait(time.Millisecond)
			}
		})
		for range 8 {
			f.wait(wheelTick)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Greater(t, timeouts.Load(), int64(8*generations))
		require.Zero(t, f.held())
		last := make(map[string]session.Event) // of each, in order
		for _, e := range events.all() {
			id := e.PlayerSession.PlayerSessionID
			require.Equal(t, last[id].To, e.From)
			require.True(t, e.From == 0 || e.From.CanBecome(e.To))
			last[id] = e
		}
		for _, e := range last {
			require.True(t, e.To.Terminal())
		}
		require.NoError(t, f.CheckAtRest())
	})
}

// callingLog calls back for every line.
type callingLog struct{ call atomic.Pointer[func()] }

func (l *callingLog) Write(line []byte) (int, error) {
	if call := l.call.Load(); call != nil {
		(*call)()
	}
	return len(line), nil
}

func TestTimerLogCallsTheTable(t *testing.T) {
	t.Parallel()
	// golang-lru/expirable, nats#7344
	synctest.Test(t, func(t *testing.T) {
		const crowd = 300
		var log callingLog
		f := newFixture(t, slot.Config{Logger: zerolog.New(&log).Level(zerolog.InfoLevel)}, 2*crowd)
		f.join("host")
		for range crowd {
			f.wait(time.Second)
		}
		var lines atomic.Int64
		log.call.Store(pointer(func() {
			lines.Add(1)
			f.held()
			f.accept(f.wait(time.Minute).id)
			f.Stats()
		}))
		time.Sleep(time.Second)
		synctest.Wait()
		require.EqualValues(t, crowd, lines.Load())
		require.Equal(t, crowd+1, f.Stats().Active)
	})
}

// Not in a bubble: whoever waits for a mutex there stops its time.
func TestNoLockIsHeldWhileALoggerRuns(t *testing.T) {
	t.Parallel()
	// golang-lru/expirable
	var log callingLog
	f := newFixture(t, slot.Config{
		Logger:           zerolog.New(&log),
		ReconnectWindow:  time.Hour,
		DuplicatePlayers: slot.DuplicatesReplace,
	}, 20)
	reserved, dropped := f.reserve("reserved"), f.join("dropped")
	leaver := f.join("leaver").PlayerSessionID
	f.create("second", 10)
	var locked []string
	// requireFree fails if a call logs nothing, or while a lock is held.
	requireFree := func(name string, call func()) {
		t.Helper()
		var lines, stuck atomic.Int64
		log.call.Store(pointer(func() {
			lines.Add(1)
			inspected := make(chan error, 1)
			go func() { inspected <- f.CheckInvariants() }() // takes every lock
			select {
			case err := <-inspected:
				require.NoError(t, err)
			case <-time.After(time.Second): // only if it is broken
				stuck.Add(1)
			}
		}))
		call()
		log.call.Store(nil)
		require.NotZero(t, lines.Load(), name)
		if stuck.Load() > 0 {
			locked = append(locked, name)
		}
	}
	requireFree("CreateGameSession", func() { f.create("another", 0) })
	requireFree("Reserve", func() { f.reserve("player") })
	requireFree("Reserve that replaces", func() { f.reserve("player") })
	requireFree("Reserve that is refused", func() {
		_, err := f.Reserve(slot.Reservation{GameSessionID: "another", PlayerID: "player"})
		require.ErrorIs(t, err, session.ErrGameSessionFull)
	})
	requireFree("Reserve by the wrong id", func() { f.reserve("psess-x") })
	requireFree("ReserveAll", func() {
		_, err := f.ReserveAll([]slot.Reservation{{GameSessionID: match, PlayerID: "a"}, {GameSessionID: match, PlayerID: "b"}})
		require.NoError(t, err)
	})
	requireFree("Activate", func() { f.accept(reserved.PlayerSessionID) })
	requireFree("Activate that is refused", func() {
		_, err := f.Activate(reserved.PlayerSessionID)
		require.ErrorIs(t, err, session.ErrAlreadyActive)
	})
	requireFree("Activate of a stranger", func() {
		_, err := f.Activate("psess-nobody")
		require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
	})
	f.drop(dropped)
	requireFree("Activate of one who returns", func() { f.accept(dropped.PlayerSessionID) })
	requireFree("Release", func() { f.release(leaver) })
	requireFree("UpdateGameSession", func() { f.update(slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(0)}) })
	f.reserved(slot.Reservation{GameSessionID: "second", PlayerID: "late", Timeout: time.Millisecond})
	requireFree("a deadline", func() {
		require.Eventually(t, func() bool { return f.Stats().TimedOut == 2 }, 10*time.Second, time.Millisecond)
	})
	requireFree("TerminateGameSession", func() { f.terminate(match) })
	requireFree("DrainGameSession", func() { require.NoError(t, f.DrainGameSession(t.Context(), "second")) })
	requireFree("Drain", func() { require.NoError(t, f.Drain(t.Context())) })
	require.Empty(t, locked, "these hold a lock while the logger runs")
}

// What follows is promise 9: idle costs nothing.

// wakes counts how often the timer wakes up.
type wakes struct {
	fixture
	before uint64
}

// require sleeps for d and checks how often it has since the last time.
func (w *wakes) require(d time.Duration, want int) {
	w.t.Helper()
	time.Sleep(d)
	synctest.Wait()
	require.EqualValues(w.t, want, w.Wakes()-w.before)
	w.before = w.Wakes()
}

func newWakes(t testing.TB, c slot.Config, seats int) *wakes {
	t.Helper()
	return &wakes{fixture: newFixture(t, c, seats)}
}

func TestTimerIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWakes(t, slot.Config{}, 10)
		w.require(30*day, 0)
		w.Stats()
		w.held()
		w.describe(slot.Query{GameSessionID: match})
		w.require(30*day, 0)
		w.create("another", 10)
		_, err := w.Activate(session.NewPlayerSessionID())
		require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
		w.require(365*day, 0)
	})
}

func TestTimerWakesOnceForAnEntry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWakes(t, slot.Config{}, 1000)
		w.join("player")
		w.require(time.Minute-1, 0)
		w.require(wheelTick, 1)
		w.require(30*day, 0)

		w.release(w.reserve("given up").PlayerSessionID) // counts until visited
		w.require(30*day, 1)

		w.wait(time.Second)
		w.require(30*day, 1)

		for range 700 { // one bucket
			w.wait(time.Second)
		}
		w.require(30*day, 1)

		for i := range time.Duration(100) { // a hundred buckets
			w.wait(time.Second + i*wheelTick)
		}
		w.require(30*day, 100)
		require.Zero(t, w.WheelLen())
		w.require(10*365*day, 0)
	})
}

func TestTimerWakesOnceALapForLongerDeadlines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWakes(t, slot.Config{}, 1000)
		for range 700 {
			w.wait(3*wheelLap + wheelLap/2)
		}
		w.require(3*wheelLap+wheelLap/2-1, 3)
		w.require(wheelTick, 1)
		w.require(30*day, 0)

		w.accept(w.wait(3*wheelLap + wheelLap/2).id) // gone when it is first visited
		w.require(30*day, 1)

		w.reserved(slot.Reservation{GameSessionID: match, PlayerID: "forever", Timeout: math.MaxInt64})
		w.require(100*wheelLap, 100)
	})
}

func TestTimerWakesForExtensions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWakes(t, slot.Config{}, 10)
		r := w.wait(time.Minute)
		for range 30 { // however often it is extended
			time.Sleep(time.Second)
			_, err := w.Extend(r.id, time.Minute)
			require.NoError(t, err)
			require.Equal(t, 1, w.WheelLen())
		}
		w.require(30*time.Second-1, 0)
		w.require(wheelTick, 1) // finds it extended
		w.require(30*day, 1)
	})
}

// Calls that count seats look into the present tick's bucket; what is not due
// goes back into it, however much it is.
func TestTimerWakesForNoCall(t *testing.T) {
	t.Parallel()
	for _, waiters := range []int{1, 16, 256, 257, 600} {
		t.Run("waiters="+strconv.Itoa(waiters), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWakes(t, slot.Config{}, waiters)
				for range waiters {
					w.wait(9 * time.Millisecond)
				}
				for range 8 {
					w.require(time.Millisecond, 0)
					w.Stats()
					require.Equal(t, waiters, w.held())
				}
				w.require(30*day, 1)
				require.Zero(t, w.WheelLen())

				for range waiters {
					w.wait(5 * time.Millisecond)
				}
				time.Sleep(6 * time.Millisecond)
				require.Zero(t, w.Stats().Reserved)
				w.require(30*day, 0) // there is nothing left to wake for
			})
		})
	}
}

func TestTimerWakesOnceForRetention(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWakes(t, slot.Config{}, 10)
		id := w.join("player").PlayerSessionID
		w.wait(time.Second)
		w.require(time.Hour, 2)
		w.terminate(match)
		w.require(30*day-1, 0)
		w.lookup(id) // which reads no clock and sets no alarm
		w.require(1, 1)
		_, err := w.Lookup(id)
		require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
		_, err = w.GameSession(match)
		require.ErrorIs(t, err, session.ErrGameSessionNotFound)
		w.require(365*day, 0)
	})
}

func TestTimerWakesForTheReconnectWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWakes(t, slot.Config{ReconnectWindow: 10 * time.Second}, 10)
		ps := w.join("player")
		w.require(day, 1)
		for range 50 {
			w.drop(ps)
			time.Sleep(time.Millisecond)
			ps = w.accept(ps.PlayerSessionID)
		}
		require.Equal(t, 1, w.WheelLen())
		w.require(day, 1)
		w.drop(ps)
		w.require(30*day, 1)
		require.Zero(t, w.held())
		w.require(30*day, 0)
	})
}

// What follows is promise 3, where it is about more than the wheel.

func TestExtend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReservationTimeout: 30 * time.Second, MaxReservation: 2 * time.Minute}, 10)
		time.Sleep(123 * time.Millisecond)
		created := time.Now()
		id := f.reserve("player").PlayerSessionID
		requireExtended := func(d, want time.Duration) {
			t.Helper()
			deadline, err := f.Extend(id, d)
			require.NoError(t, err)
			require.Equal(t, created.Add(want).UTC(), deadline)
			require.Equal(t, deadline, f.deadline(id))
		}
		requireExtended(0, 30*time.Second)
		requireExtended(time.Second, 30*time.Second) // never less than it has
		requireExtended(1, 30*time.Second)
		requireExtended(time.Minute, time.Minute)
		time.Sleep(50 * time.Second)
		requireExtended(0, 80*time.Second) // from now
		requireExtended(time.Minute, 110*time.Second)
		time.Sleep(50 * time.Second)
		requireExtended(20*time.Second+time.Millisecond, 2*time.Minute) // MaxReservation after its creation
		requireExtended(math.MaxInt64, 2*time.Minute)

		_, err := f.Extend(id, -1)
		requireField(t, "Timeout", err)
		_, err = f.Extend(id, math.MinInt64)
		requireField(t, "Timeout", err)
		requireExtended(1, 2*time.Minute)
		f.requirePunctual(waiter{id, created.Add(2 * time.Minute)})
		_, err = f.Extend(id, time.Minute)
		requireOnly(t, session.ErrTimedOut, err)
		require.NoError(t, f.CheckAtRest())
	})
}

// MaxReservation bounds what Extend gives, not what Reserve gave.
func TestExtendOfALongReservation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		w := f.wait(time.Hour)
		deadline, err := f.Extend(w.id, 20*time.Minute)
		require.NoError(t, err)
		require.Equal(t, w.deadline.UTC(), deadline)
		deadline, err = f.Extend(w.id, 2*time.Hour)
		require.NoError(t, err)
		require.Equal(t, w.deadline.UTC(), deadline)
		f.requirePunctual(w)
	})
}

// The deadline is judged by the clock, to the nanosecond, whether or not the
// timer has come by.
func TestExtendAtTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		time.Sleep(3 * time.Millisecond)
		in, late := f.wait(time.Second), f.wait(time.Second)
		time.Sleep(time.Second - 1)
		_, err := f.Extend(in.id, time.Second)
		require.NoError(t, err)
		in.deadline = time.Now().Add(time.Second)
		time.Sleep(1 * time.Nanosecond)
		_, err = f.Extend(late.id, time.Second)
		requireOnly(t, session.ErrTimedOut, err)
		f.requireStatus(late, session.StatusTimedOut)
		f.requirePunctual(in)
	})
}

func TestExtendOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: time.Minute}, 10)
		requireRefused := func(id string, want error) {
			t.Helper()
			for _, d := range []time.Duration{0, time.Second, math.MaxInt64} {
				_, err := f.Extend(id, d)
				requireOnly(t, want, err)
			}
		}
		requireRefused("", session.ErrInvalidPlayerSessionID)
		requireRefused("psess-nobody", session.ErrPlayerSessionNotFound)
		ps := f.join("player")
		requireRefused(ps.PlayerSessionID, session.ErrAlreadyActive)
		f.drop(ps)
		requireRefused(ps.PlayerSessionID, session.ErrAlreadyActive) // its window is not a reservation
		f.requirePunctual(waiter{ps.PlayerSessionID, time.Now().Add(time.Minute)})
		requireRefused(ps.PlayerSessionID, session.ErrCompleted)
		ps = f.reserve("given up")
		f.release(ps.PlayerSessionID)
		requireRefused(ps.PlayerSessionID, session.ErrTimedOut)
		ps = f.reserve("terminated")
		f.terminate(match)
		requireRefused(ps.PlayerSessionID, session.ErrTimedOut)
	})
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: 5 * time.Second}, 10)
		time.Sleep(1_234_567)
		requireRefused := func(id string, want error) {
			t.Helper()
			_, err := f.Deadline(id)
			requireOnly(t, want, err)
		}
		requireRefused("x", session.ErrInvalidPlayerSessionID)
		requireRefused("psess-nobody", session.ErrPlayerSessionNotFound)

		w := f.wait(time.Minute) // which compares the deadline
		ps := f.accept(w.id)
		require.Zero(t, f.deadline(w.id))
		time.Sleep(time.Hour)
		require.Zero(t, f.deadline(w.id))
		f.drop(ps)
		require.Equal(t, time.Now().Add(5*time.Second).Truncate(time.Millisecond).UTC(), f.deadline(w.id))
		time.Sleep(time.Second)
		f.drop(ps) // dropped already
		require.Equal(t, time.Now().Add(4*time.Second).Truncate(time.Millisecond).UTC(), f.deadline(w.id))
		ps = f.accept(w.id)
		require.Zero(t, f.deadline(w.id))
		f.drop(ps)
		f.requirePunctual(waiter{w.id, time.Now().Add(5 * time.Second)})
		requireRefused(w.id, session.ErrCompleted)

		w = f.wait(time.Second)
		f.requirePunctual(w)
		requireRefused(w.id, session.ErrTimedOut)
		w = f.wait(time.Second)
		f.release(w.id)
		requireRefused(w.id, session.ErrTimedOut)
		ps = f.join("ended")
		f.release(ps.PlayerSessionID)
		requireRefused(ps.PlayerSessionID, session.ErrCompleted)
	})
}

// The time of an end by a deadline is the deadline, that of any other is when
// it was made.
func TestTerminationTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: time.Second}, 10)
		time.Sleep(999_999)
		w := f.wait(time.Second)
		deadline, err := f.Extend(w.id, 90*time.Second)
		require.NoError(t, err)
		w.deadline = time.Now().Add(90 * time.Second)
		given := f.wait(10 * time.Second)
		dropped := f.join("dropped")
		f.drop(dropped)
		over := f.deadline(dropped.PlayerSessionID)
		time.Sleep(4 * time.Second)
		require.Equal(t, time.Now().Truncate(time.Millisecond).UTC(), f.release(given.id).TerminationTime)
		require.Equal(t, over, f.lookup(dropped.PlayerSessionID).TerminationTime)
		require.Equal(t, over, f.release(dropped.PlayerSessionID).TerminationTime)
		time.Sleep(10 * time.Minute)
		require.Equal(t, deadline, f.lookup(w.id).TerminationTime)
		require.Equal(t, deadline, f.release(w.id).TerminationTime) // a Release that lost changes nothing
		f.terminate(match)
		require.Equal(t, deadline, f.lookup(w.id).TerminationTime)
	})
}

func TestReconnectWindowIsKept(t *testing.T) {
	t.Parallel()
	for _, window := range []time.Duration{1, wheelTick, time.Second, time.Minute, wheelLap, 3*wheelLap + 1} {
		t.Run("window="+window.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, slot.Config{ReconnectWindow: window}, 1)
				// The wheel looks at an entry of the reservation before, or after,
				// or never more.
				for _, timeout := range []time.Duration{window/2 + 1, window, window + 1, 2*window + wheelTick, 2*window + wheelLap} {
					for _, connected := range []time.Duration{0, 1, window / 2, 3*window + 3*wheelLap} {
						time.Sleep(1_234_567)
						ps := f.accept(f.wait(timeout).id)
						time.Sleep(connected)
						f.drop(ps)
						dropped := waiter{ps.PlayerSessionID, time.Now().Add(window)}
						require.Equal(t, dropped.deadline.Truncate(time.Millisecond).UTC(), f.deadline(dropped.id))
						f.requirePunctual(dropped)
						require.NoError(t, f.CheckAtRest())
					}
				}
			})
		})
	}
}

// Players who come and go at random are neither put out early nor waited for too
// long, and the wheel does not fill with what they leave behind.
func TestReconnectAtRandom(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const players = 30
				random := rand.New(rand.NewPCG(seed, 4))
				window := []time.Duration{50 * time.Millisecond, time.Second, 20 * time.Second, 2 * wheelLap}[seed]
				f := newFixture(t, slot.Config{ReconnectWindow: window, MaxReservation: day}, players)
				connected := make(map[string]session.PlayerSession)
				dropped := make(map[string]time.Time)
				for range players {
					w := f.wait(below(random, 4*window) + 1)
					if random.IntN(3) == 0 {
						_, err := f.Extend(w.id, below(random, 6*window))
						require.NoError(t, err)
					}
					connected[w.id] = f.accept(w.id)
				}
				for range 1000 {
					time.Sleep(below(random, window/10))
					for id, deadline := range dropped {
						if time.Now().Before(deadline) {
							require.Equal(t, session.StatusActive, f.lookup(id).Status, "put out early")
						} else if time.Now().After(deadline.Add(punctual)) {
							f.requireStatus(waiter{id, deadline}, session.StatusCompleted)
							delete(dropped, id)
							w := f.wait(below(random, 4*window) + 1)
							connected[w.id] = f.accept(w.id)
						}
					}
					ids := slices.Sorted(maps.Keys(connected))
					for id := range dropped {
						if time.Now().Before(dropped[id]) {
							ids = append(ids, id)
						}
					}
					slices.Sort(ids)
					if len(ids) == 0 {
						continue
					}
					id := ids[random.IntN(len(ids))]
					if ps, ok := connected[id]; ok {
						f.drop(ps)
						delete(connected, id)
						dropped[id] = time.Now().Add(window)
					} else {
						connected[id] = f.accept(id)
						delete(dropped, id)
					}
					require.LessOrEqual(t, f.WheelLen(), 4*players)
				}
				require.NoError(t, f.CheckInvariants())
				for _, ps := range connected {
					f.drop(ps)
				}
				time.Sleep(7*window + wheelLap)
				require.Zero(t, f.WheelLen())
				require.Zero(t, f.held())
				require.NoError(t, f.CheckAtRest())
			})
		})
	}
}

func TestReconnectLeavesNoEntries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: time.Second}, 2)
		for _, timeout := range []time.Duration{time.Millisecond, time.Minute, 2 * wheelLap} {
			ps := f.accept(f.wait(timeout).id)
			for i := range 500 {
				f.drop(ps)
				time.Sleep(time.Duration(i%100) * 9 * time.Millisecond)
				ps = f.accept(ps.PlayerSessionID)
				time.Sleep(time.Duration(i%7) * 300 * time.Millisecond)
				require.LessOrEqual(t, f.WheelLen(), 2)
			}
			f.release(ps.PlayerSessionID)
			time.Sleep(3 * wheelLap)
			require.Zero(t, f.WheelLen())
		}
	})
}

// A logger that panics while a call reclaims does not leave the timer awake.
func TestTimerSleepsAfterALoggerPanicked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log panickyLog
		w := &wakes{fixture: newFixture(t, slot.Config{Logger: zerolog.New(&log).Level(zerolog.InfoLevel)}, 10)}
		w.wait(15 * time.Millisecond)
		time.Sleep(15 * time.Millisecond) // its bucket comes 5 ms later
		log.armed.Store(true)
		require.Panics(t, func() { w.Stats() })
		log.armed.Store(false)
		w.wait(time.Minute)
		time.Sleep(time.Second)
		synctest.Wait()
		w.before = w.Wakes()
		w.require(50*time.Second, 0)
	})
}

type panickyLog struct{ armed atomic.Bool }

func (l *panickyLog) Write(line []byte) (int, error) {
	if l.armed.Load() {
		panic("the log is full")
	}
	return len(line), nil
}
