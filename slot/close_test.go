package slot_test

import (
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

// Every method answers ErrClosed before it looks at anything else, or is
// documented to answer otherwise.
func TestClosed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 10)
	id := f.join("alice").PlayerSessionID
	require.NoError(t, f.Close())
	for _, id := range []string{id, "psess-unknown", "unknown", ""} {
		for name, call := range map[string]func() error{
			"Activate":   func() error { _, err := f.Activate(id); return err },
			"TakeOver":   func() error { _, err := f.TakeOver(id); return err },
			"Disconnect": func() error { return f.Disconnect(id, 1) },
			"Release":    func() error { _, err := f.Release(id); return err },
			"Extend":     func() error { _, err := f.Extend(id, 0); return err },
			"Extend -1":  func() error { _, err := f.Extend(id, -1); return err },
			"Deadline":   func() error { _, err := f.Deadline(id); return err },
			"Lookup":     func() error { _, err := f.Lookup(id); return err },
			"Describe":   func() error { _, err := f.Describe(slot.Query{PlayerSessionID: id}); return err },
			"Describe, invalid": func() error {
				_, err := f.Describe(slot.Query{PlayerSessionID: id, Limit: -1, NextToken: "x"})
				return err
			},
			"Reserve": func() error {
				_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerSessionID: id})
				return err
			},
		} {
			require.Equal(t, session.ErrClosed, call(), "%s %q", name, id)
		}
	}
	for _, gameSessionID := range []string{match, "nowhere", ""} {
		for name, call := range map[string]func() error{
			"CreateGameSession":   func() error { return f.CreateGameSession(session.GameSession{GameSessionID: gameSessionID}) },
			"ActivateGameSession": func() error { return f.ActivateGameSession(gameSessionID) },
			"UpdateGameSession": func() error {
				return f.UpdateGameSession(gameSessionID, slot.GameSessionUpdate{})
			},
			"UpdateGameSession, invalid": func() error {
				return f.UpdateGameSession(gameSessionID, slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(-1)})
			},
			"TerminateGameSession": func() error { return f.TerminateGameSession(gameSessionID) },
			"DrainGameSession":     func() error { return f.DrainGameSession(t.Context(), gameSessionID) },
			"GameSession":          func() error { _, err := f.GameSession(gameSessionID); return err },
			"Live":                 func() error { _, err := f.Live(gameSessionID, "alice"); return err },
			"Describe":             func() error { _, err := f.Describe(slot.Query{GameSessionID: gameSessionID}); return err },
			"ReserveAll": func() error {
				_, err := f.ReserveAll([]slot.Reservation{{GameSessionID: gameSessionID, PlayerID: "alice"}})
				return err
			},
		} {
			require.Equal(t, session.ErrClosed, call(), "%s %q", name, gameSessionID)
		}
	}
	_, err := f.Describe(slot.Query{PlayerID: "alice"})
	require.Equal(t, session.ErrClosed, err)
	_, err = f.ReserveAll(nil)
	require.Equal(t, session.ErrClosed, err)
	require.Equal(t, session.ErrClosed, f.Drain(t.Context()))
	require.ErrorIs(t, f.Health(), session.ErrClosed)
	for gs := range f.GameSessions() {
		t.Error(gs)
	}
	f.Subscribe(func(e session.Event) { t.Error(e) })()
	_, err = f.WithLogger(new(logBook).logger()).Activate(id)
	require.Equal(t, session.ErrClosed, err)
	require.Equal(t, 1, f.Stats().Active, "it ends no player session")
	require.Empty(t, f.Stats().Refused, "nor do refusals count any more")
}

// Everything said before the table closed is kept.
func TestClosedStats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		f.join("active")
		f.reserve("reserved")
		f.release(f.join("completed").PlayerSessionID)
		f.release(f.reserve("timed out").PlayerSessionID)
		f.Activate("unknown")
		f.Activate("psess-unknown")
		want := f.Stats()
		require.NoError(t, f.Close())
		require.Equal(t, want, f.Stats())
		f.Stats().Refused["not_found"] = 99 // the caller's own
		f.Activate("psess-unknown")
		time.Sleep(time.Hour) // no deadline passes any more
		require.Equal(t, want, f.Stats())
	})
}

func TestCloseIsIdempotent(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 10)
	f.events()
	f.join("alice")
	var closers sync.WaitGroup
	for range 16 {
		closers.Go(func() {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if _, err := f.Lookup("psess-x"); session.Reason(err) != "closed" {
				t.Error(err)
			}
			f.Stats()
		})
	}
	closers.Wait()
	require.NoError(t, f.Close())
}

// What is queued is delivered before Close returns, to slow subscribers too.
func TestCloseDelivers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 1000)
		fast := f.events()
		var slow recorder
		f.Subscribe(func(e session.Event) { time.Sleep(10 * time.Millisecond); slow.record(e) })
		for i := range 300 {
			f.reserve(player(i))
		}
		begin := time.Now()
		require.NoError(t, f.Close())
		require.Equal(t, 3*time.Second, time.Since(begin))
		require.Len(t, fast.all(), 300)
		require.Equal(t, fast.all(), slow.all())
	})
}

// No deadline ends anything once the table is closed.
func TestCloseEndsNoPlayerSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: time.Minute}, 10)
		events := f.events()
		f.reserve("reserved")
		f.drop(f.join("dropped"))
		require.NoError(t, f.Close())
		time.Sleep(time.Hour)
		for _, e := range events.all() {
			require.False(t, e.To.Terminal())
		}
		require.Equal(t, []int{1, 1}, []int{f.Stats().Reserved, f.Stats().Active})
	})
}

func TestCloseWithAStuckSubscriber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger()}, 10)
		stuck := make(chan struct{})
		defer close(stuck)
		f.Subscribe(func(session.Event) { <-stuck })
		other := f.events()
		f.join("alice")
		synctest.Wait()
		begin := time.Now()
		require.NoError(t, f.Close())
		require.Equal(t, 5*time.Second, time.Since(begin))
		lines := book.saying(t, "table closed, but a subscriber is stuck: not waiting for it")
		require.Len(t, lines, 1)
		require.Equal(t, "error", lines[0]["level"])
		require.Len(t, other.all(), 2)
	})
}

// Several that are stuck are waited for together.
func TestCloseWithStuckSubscribers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		stuck := make(chan struct{})
		defer close(stuck)
		for range 5 {
			f.Subscribe(func(session.Event) { <-stuck })
		}
		f.join("alice")
		begin := time.Now()
		require.NoError(t, f.Close())
		require.Equal(t, 5*time.Second, time.Since(begin))
	})
}

// A subscriber that closes the table is not waited for, others are, and it gets
// what is queued.
func TestCloseByASubscriber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		var calls atomic.Int64
		var took atomic.Duration
		var slow recorder
		f.Subscribe(func(e session.Event) { time.Sleep(time.Second); slow.record(e) })
		all := make(chan struct{})
		f.Subscribe(func(session.Event) {
			if calls.Inc() > 1 {
				return
			}
			<-all
			begin := time.Now()
			f.Close()
			took.Store(time.Since(begin))
		})
		f.join("alice")
		f.reserve("bob")
		close(all)
		synctest.Wait()
		require.Equal(t, session.ErrClosed, f.Health())
		time.Sleep(time.Minute)
		require.Equal(t, 3*time.Second, took.Load())
		require.Equal(t, int64(3), calls.Load())
		require.Len(t, slow.all(), 3)
	})
}

// Two subscribers that close the table at once: neither is stuck.
func TestCloseByTwoSubscribers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger()}, 10)
		var longest atomic.Duration
		for range 2 {
			f.Subscribe(func(session.Event) {
				begin := time.Now()
				f.Close()
				longest.Store(max(longest.Load(), time.Since(begin)))
			})
		}
		f.reserve("alice")
		synctest.Wait()
		require.NoError(t, f.Close())
		require.Zero(t, longest.Load())
		require.Empty(t, book.saying(t, "table closed, but a subscriber is stuck: not waiting for it"))
	})
}

// Close waits for its goroutines, that of a cancelled subscriber included: what
// is torn down behind Close may be what the subscriber still uses.
func TestCloseWaitsForACancelledSubscriber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		var returned atomic.Bool
		cancel := f.Subscribe(func(session.Event) {
			time.Sleep(time.Second)
			returned.Store(true)
		})
		f.reserve("alice")
		synctest.Wait()
		cancel()
		require.NoError(t, f.Close())
		waited := returned.Load()
		time.Sleep(time.Second)
		require.True(t, waited)
	})
}

func TestCloseBySubscriberThatHasCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		var took atomic.Duration
		subscribed := make(chan func(), 1)
		subscribed <- f.Subscribe(func(session.Event) {
			(<-subscribed)()
			begin := time.Now()
			f.Close()
			took.Store(time.Since(begin))
		})
		f.reserve("alice")
		synctest.Wait()
		require.Zero(t, took.Load())
	})
}

// A closed table leaves no goroutine and no timer behind; a bubble that is left
// with one panics.
func TestCloseLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{Logger: new(logBook).logger(), ReconnectWindow: time.Hour, Retention: time.Hour}, 100)
		for i := range 10 {
			f.Subscribe(func(session.Event) {})
			f.join(player(i))
			f.Activate(fmt.Sprint("psess-", i))
		}
		f.create("over", 1)
		f.terminate("over")
		cancel := f.Subscribe(func(session.Event) {})
		f.drop(f.join("dropped"))
		cancel()
		require.NoError(t, f.Close())
		synctest.Wait()
	})
}

// Closing races with all there is; what comes later gets ErrClosed.
func TestCloseAmongCalls(t *testing.T) {
	t.Parallel()
	for range 4 {
		f := newFixture(t, slot.Config{Stripes: 4, ReconnectWindow: time.Hour}, 100)
		events := f.events()
		var callers, begun sync.WaitGroup
		begun.Add(4)
		for i := range 4 {
			callers.Go(func() {
				for n := 0; ; n++ {
					ps, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: player(i)})
					f.Activate(ps.PlayerSessionID)
					f.Disconnect(ps.PlayerSessionID, 1)
					f.Stats()
					f.Describe(slot.Query{GameSessionID: match})
					f.Release(ps.PlayerSessionID)
					if n == 0 {
						begun.Done()
					}
					if session.Reason(err) == "overloaded" { // the recorder cannot keep up
						runtime.Gosched()
						continue
					}
					if err != nil {
						requireOneOf(t, []error{session.ErrClosed}, err)
						return
					}
				}
			})
		}
		begun.Wait()
		require.NoError(t, f.Close())
		last, told := f.Stats(), len(events.all())
		callers.Wait()
		require.Equal(t, last, f.Stats())
		require.Len(t, events.all(), told, "what was queued was delivered, and nothing happened since")
		reserved := 0
		for _, e := range events.all() {
			if e.Cause == session.CauseReserved {
				reserved++
			}
		}
		require.Equal(t, last.ReservedTotal, uint64(reserved))
	}
}
