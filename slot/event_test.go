package slot_test

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/atomic"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// Each transition makes one event, with its cause, the status before and after,
// the time and the session as it is then, which is what the call returned and
// what Lookup and Describe answer.
func TestEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: 10 * time.Second, DuplicatePlayers: slot.DuplicatesReplace}, 10)
		events := f.events()
		var told int
		expect := func(id string, cause session.Cause, from, to session.Status) {
			t.Helper()
			synctest.Wait()
			all := events.of(id)
			require.NotEmpty(t, all)
			now := time.UnixMilli(time.Now().UnixMilli()).UTC()
			want := session.Event{Cause: cause, From: from, To: to, At: now, PlayerSession: f.lookup(id)}
			require.Equal(t, want, all[len(all)-1])
			require.Equal(t, to, want.PlayerSession.Status)
			require.True(t, from == to || from == 0 || from.CanBecome(to))
			for _, q := range []slot.Query{{PlayerSessionID: id}, {GameSessionID: match}} {
				require.Contains(t, f.describe(q), want.PlayerSession)
			}
			if to.Terminal() {
				require.Equal(t, now, want.PlayerSession.TerminationTime)
			}
			told++
			require.Len(t, events.all(), told, "once each")
			time.Sleep(1_700 * time.Microsecond)
		}
		const none, reserved, active = session.Status(0), session.StatusReserved, session.StatusActive
		const completed, timedOut = session.StatusCompleted, session.StatusTimedOut

		a := f.reserve("a")
		expect(a.PlayerSessionID, session.CauseReserved, none, reserved)
		require.Equal(t, a, events.all()[0].PlayerSession)
		a = f.accept(a.PlayerSessionID)
		expect(a.PlayerSessionID, session.CauseAccepted, reserved, active)
		require.Equal(t, a, events.all()[1].PlayerSession)
		f.drop(a)
		expect(a.PlayerSessionID, session.CauseDropped, active, active)
		f.accept(a.PlayerSessionID)
		expect(a.PlayerSessionID, session.CauseReturned, active, active)
		f.TakeOver(a.PlayerSessionID)
		expect(a.PlayerSessionID, session.CauseReturned, active, active)
		f.release(a.PlayerSessionID)
		expect(a.PlayerSessionID, session.CauseReleased, active, completed)

		b := f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "b", PlayerData: "data", PlayerSessionID: "psess-b"})
		expect(b.PlayerSessionID, session.CauseReserved, none, reserved)
		f.release(b.PlayerSessionID)
		expect(b.PlayerSessionID, session.CauseReleased, reserved, timedOut)

		c := f.reserve("c")
		expect(c.PlayerSessionID, session.CauseReserved, none, reserved)
		time.Sleep(time.Until(f.deadline(c.PlayerSessionID)) + 20*time.Millisecond)
		synctest.Wait()
		late := events.of(c.PlayerSessionID)[1]
		told++
		require.Equal(t, session.Event{
			Cause: session.CauseDeadline, From: reserved, To: timedOut, At: c.CreationTime.Add(time.Minute), PlayerSession: f.lookup(c.PlayerSessionID),
		}, late, "the deadline, not when it was noticed")
		require.Equal(t, late.At, late.PlayerSession.TerminationTime)

		d := f.reserve("d")
		expect(d.PlayerSessionID, session.CauseReserved, none, reserved)
		f.TakeOver(d.PlayerSessionID)
		expect(d.PlayerSessionID, session.CauseAccepted, reserved, active)
		f.drop(f.lookup(d.PlayerSessionID))
		expect(d.PlayerSessionID, session.CauseDropped, active, active)
		deadline := f.deadline(d.PlayerSessionID)
		time.Sleep(10*time.Second + 20*time.Millisecond)
		synctest.Wait()
		told++
		require.Equal(t, session.Event{
			Cause: session.CauseWindowOver, From: active, To: completed, At: deadline, PlayerSession: f.lookup(d.PlayerSessionID),
		}, events.of(d.PlayerSessionID)[3])

		for _, accept := range []bool{false, true} {
			e := f.reserve("e")
			expect(e.PlayerSessionID, session.CauseReserved, none, reserved)
			from, to := reserved, timedOut
			if accept {
				f.accept(e.PlayerSessionID)
				expect(e.PlayerSessionID, session.CauseAccepted, reserved, active)
				from, to = active, completed
			}
			g := f.reserve("e")
			told++ // the new one's
			expect(e.PlayerSessionID, session.CauseReplaced, from, to)
			all := events.all()
			require.Equal(t, []session.Event{
				{Cause: session.CauseReplaced, From: from, To: to, At: g.CreationTime, PlayerSession: f.lookup(e.PlayerSessionID)},
				{Cause: session.CauseReserved, To: reserved, At: g.CreationTime, PlayerSession: g},
			}, all[len(all)-2:], "the seat is left before it is taken")
			f.release(g.PlayerSessionID)
			expect(g.PlayerSessionID, session.CauseReleased, reserved, timedOut)
		}

		h := f.reserve("h")
		expect(h.PlayerSessionID, session.CauseReserved, none, reserved)
		f.terminate(match)
		expect(h.PlayerSessionID, session.CauseTerminated, reserved, timedOut)
	})
}

func TestEventsReachEachSubscriber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 1000)
		first, second := f.events(), new(recorder)
		var slow recorder
		f.Subscribe(func(e session.Event) { time.Sleep(time.Second); slow.record(e) })
		for i := range 150 { // more than a chunk
			f.join(player(i))
		}
		cancel := f.Subscribe(second.record)
		for i := range 150 {
			f.release(f.reserve(player(1000 + i)).PlayerSessionID)
		}
		synctest.Wait()
		require.Len(t, first.all(), 600)
		require.Equal(t, first.all()[300:], second.all(), "from its subscription on")
		cancel()
		cancel()
		f.reserve("last")
		time.Sleep(time.Hour)
		require.Equal(t, first.all(), slow.all(), "at its own pace")
		require.Len(t, second.all(), 300)
		require.Len(t, first.all(), 602)
	})
}

// However many goroutines drive it, the events of a player session are in order,
// each once.
func TestEventsInOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{ReconnectWindow: time.Hour, DuplicatePlayers: slot.DuplicatesAllow}, 10_000)
	subscribers := []*recorder{f.events(), f.events()}
	var drivers sync.WaitGroup
	const sessions, connections = 60, 10
	for range sessions {
		id := f.reserve("alice").PlayerSessionID
		for range 2 {
			drivers.Go(func() {
				for range connections {
					if ps, err := f.TakeOver(id); err == nil {
						f.Disconnect(id, ps.Generation)
					}
				}
				f.Release(id)
			})
		}
	}
	drivers.Wait()
	require.NoError(t, f.Close())
	require.Len(t, subscribers[1].all(), len(subscribers[0].all()))
	for _, s := range subscribers {
		byID := make(map[string][]session.Event)
		for _, e := range s.all() {
			byID[e.PlayerSession.PlayerSessionID] = append(byID[e.PlayerSession.PlayerSessionID], e)
		}
		require.Len(t, byID, sessions)
		for _, events := range byID {
			from, generation, dropped := session.Status(0), uint32(0), false
			for _, e := range events {
				require.Equal(t, from, e.From)
				require.Equal(t, e.To, e.PlayerSession.Status)
				switch e.Cause {
				case session.CauseAccepted, session.CauseReturned:
					generation++
					dropped = false
				case session.CauseDropped:
					require.False(t, dropped)
					dropped = true
				}
				require.Equal(t, generation, e.PlayerSession.Generation)
				from = e.To
			}
			require.Equal(t, session.CauseReleased, events[len(events)-1].Cause)
		}
	}
}

func TestSubscribeNil(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 1)
	f.Subscribe(nil)()
	f.reserve("alice")
	require.Zero(t, f.Stats().EventBacklog)
}

func TestSubscriberMayCallTheTable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesAllow}, 10)
		var mu sync.Mutex
		var later *recorder
		f.Subscribe(func(e session.Event) {
			id := e.PlayerSession.PlayerSessionID
			switch e.Cause {
			case session.CauseReserved:
				f.accept(id)
				f.GameSession(match)
				f.Stats()
				f.Health()
				f.describe(slot.Query{GameSessionID: match})
			case session.CauseAccepted:
				f.release(id)
				mu.Lock()
				defer mu.Unlock()
				if later == nil {
					later = f.events()
				}
			case session.CauseReleased:
				if f.Stats().ReservedTotal < 20 {
					f.reserve("alice")
				} else {
					f.terminate(match)
				}
			}
		})
		f.reserve("alice")
		synctest.Wait()
		require.Equal(t, uint64(20), f.Stats().CompletedTotal)
		require.NotEmpty(t, later.all())
		require.Equal(t, session.GameSessionTerminated, f.gameSession(match).Status)
	})
}

// LESSONS (timers): golang-lru/expirable. A subscriber to expiries calls the
// table, and neither waits for the other.
func TestSubscriberToExpiriesMayCallTheTable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{Stripes: 1}, 100)
		f.Subscribe(func(e session.Event) {
			if e.Cause == session.CauseDeadline && f.Stats().ReservedTotal < 200 {
				f.reserve(e.PlayerSession.PlayerID)
			}
		})
		for i := range 50 {
			f.reserve(player(i))
		}
		time.Sleep(10 * time.Minute)
		require.Equal(t, uint64(200), f.Stats().TimedOutTotal)
	})
}

// A panic is logged and survived: the next event comes all the same.
func TestSubscriberPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger()}, 10)
		other := f.events()
		var calls atomic.Int64
		f.Subscribe(func(e session.Event) {
			switch calls.Inc() {
			case 1:
				panic("the secret is " + e.PlayerSession.PlayerSessionID)
			case 2:
				panic(errors.New("id " + e.PlayerSession.PlayerSessionID))
			case 3:
				calls.Store(3 / (calls.Load() - 3))
			case 4:
				panic(nil) //nolint:govet // a *runtime.PanicNilError
			}
		})
		ps := f.join("alice")
		f.release(ps.PlayerSessionID)
		f.reserve("bob")
		f.reserve("carol")
		synctest.Wait()
		require.Equal(t, int64(5), calls.Load())
		require.Len(t, other.all(), 5)
		require.NoError(t, f.Health())
		require.Zero(t, f.Stats().EventBacklog)
		panics := book.saying(t, "a subscriber panicked; it gets the next event all the same")
		require.Len(t, panics, 4)
		for _, line := range panics {
			require.Equal(t, "error", line["level"])
		}
		require.NotContains(t, book.text(), ps.PlayerSessionID)
		require.Contains(t, book.text(), "integer divide by zero")
	})
}

// runtime.Goexit, as t.FailNow calls it, ends the subscriber and nobody else.
func TestSubscriberExits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		other := f.events()
		var calls atomic.Int64
		f.Subscribe(func(session.Event) {
			calls.Inc()
			runtime.Goexit()
		})
		f.join("alice")
		f.join("bob")
		synctest.Wait()
		require.Equal(t, int64(1), calls.Load())
		require.Len(t, other.all(), 4)
		require.Zero(t, f.Stats().EventBacklog)
		require.NoError(t, f.Health())
		begin := time.Now()
		require.NoError(t, f.Close())
		require.Zero(t, time.Since(begin))
	})
}

// After cancel, f is called no more; cancel may be called by f.
func TestSubscriberCancels(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		var calls atomic.Int64
		subscribed := make(chan func(), 1)
		cancel := f.Subscribe(func(session.Event) {
			calls.Inc()
			cancel := <-subscribed
			cancel()
			cancel()
			f.reserve("carol")
		})
		f.reserve("alice")
		f.reserve("bob")
		subscribed <- cancel
		synctest.Wait()
		require.Equal(t, int64(1), calls.Load())
		require.Equal(t, 3, f.held())
		require.Zero(t, f.Stats().EventBacklog)
	})
}

func TestSubscriberCancelledWhileItIsBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 1000)
		var calls atomic.Int64
		stalled := make(chan struct{})
		cancel := f.Subscribe(func(session.Event) { calls.Inc(); <-stalled })
		for i := range 300 {
			f.reserve(player(i))
		}
		synctest.Wait()
		require.Equal(t, 300, f.Stats().EventBacklog)
		cancel()
		require.Zero(t, f.Stats().EventBacklog, "it counts no more")
		close(stalled)
		synctest.Wait()
		require.Equal(t, int64(1), calls.Load())
	})
}

// Behind a stalled subscriber, Reserve refuses; accept, release and the wheel go
// on; and once it has caught up, so does Reserve.
func TestOverload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: time.Minute}, 100)
		waiting, expiring, dropped := f.reserve("waiting"), f.reserve("expiring"), f.join("dropped")
		late := f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "late", Timeout: time.Hour})
		loud := f.join("loud").PlayerSessionID
		stalled := make(chan struct{})
		var handled atomic.Int64
		f.Subscribe(func(session.Event) { <-stalled; handled.Inc() })
		const most = 65_536
		for range most {
			_, err := f.TakeOver(loud)
			require.NoError(t, err)
		}
		require.Equal(t, most, f.Stats().EventBacklog)
		f.reserve("at the limit") // more than the limit is too many
		require.Equal(t, most+1, f.Stats().EventBacklog)

		overloaded := func() {
			t.Helper()
			before := f.state(waiting.PlayerSessionID, dropped.PlayerSessionID)
			_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice"})
			requireOnly(t, session.ErrOverloaded, err)
			_, err = f.ReserveAll(partyOf("alice", "bob"))
			requireOnly(t, session.ErrOverloaded, err)
			require.Equal(t, before, f.state(waiting.PlayerSessionID, dropped.PlayerSessionID))
		}
		overloaded()
		require.ErrorContains(t, f.Health(), "a subscriber is 65537 events behind")
		f.accept(waiting.PlayerSessionID)
		f.drop(dropped)
		f.accept(dropped.PlayerSessionID)
		f.release(waiting.PlayerSessionID)
		f.update(slot.GameSessionUpdate{Name: pointer("goes on")})
		time.Sleep(time.Minute + 20*time.Millisecond)
		require.Equal(t, session.StatusTimedOut, f.lookup(expiring.PlayerSessionID).Status)
		_, err := f.Activate(expiring.PlayerSessionID)
		requireOnly(t, session.ErrTimedOut, err)
		overloaded()
		require.Equal(t, uint64(4), f.Stats().Refused["overloaded"])

		close(stalled)
		synctest.Wait()
		require.Zero(t, f.Stats().EventBacklog)
		require.NoError(t, f.Health())
		f.reserve("alice")
		f.accept(late.PlayerSessionID)
		synctest.Wait()
		require.Equal(t, int64(most+1+4+2+2), handled.Load(), "nothing was dropped")
	})
}

// Events of a game session that was forgotten before they were handled tell of it
// all the same.
func TestEventsOutliveRetention(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{Retention: time.Second, MaxRetained: 1}, 10)
		stalled := make(chan struct{})
		var late recorder
		f.Subscribe(func(e session.Event) { <-stalled; late.record(e) })
		prompt := f.events()
		for i := range 3 {
			f.reserved(slot.Reservation{GameSessionID: match, PlayerID: player(i), PlayerSessionID: fmt.Sprint("psess-", i)})
		}
		f.join("alice")
		f.terminate(match)
		time.Sleep(time.Minute)
		f.create(match, 10)
		f.reserve("bob")
		close(stalled)
		synctest.Wait()
		require.Len(t, late.all(), 10)
		require.Equal(t, prompt.all(), late.all())
	})
}
