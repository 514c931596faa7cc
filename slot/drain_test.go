package slot_test

import (
	"context"
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

// draining is a Drain under way.
type draining struct{ result chan error }

func begin(ctx context.Context, drain func(context.Context) error) draining {
	d := draining{make(chan error, 1)}
	go func() { d.result <- drain(ctx) }()
	synctest.Wait()
	return d
}

// pending tells whether it has not returned.
func (d draining) pending() bool {
	synctest.Wait()
	return len(d.result) == 0
}

// matchDrain is Drain for match alone.
func (f fixture) matchDrain(ctx context.Context) error { return f.DrainGameSession(ctx, match) }

func TestDrainOfAnEmptyTable(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 1)
	f.release(f.join("alice").PlayerSessionID)
	for range 2 {
		require.NoError(t, f.Drain(t.Context()))
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, f.Drain(cancelled), "there is nothing to wait for")
	f.create("later", 1)
	for _, gameSessionID := range []string{match, "later"} {
		_, err := f.Reserve(slot.Reservation{GameSessionID: gameSessionID, PlayerID: "bob"})
		requireOnly(t, session.ErrDraining, err)
		require.Equal(t, session.GameSessionActive, f.gameSession(gameSessionID).Status)
	}
}

// Who holds a reservation may still be accepted, extended and return; the last
// one who leaves ends the drain, whichever way.
func TestDrain(t *testing.T) {
	t.Parallel()
	for _, table := range []bool{true, false} {
		for name, leave := range map[string]func(fixture, string){
			"Release":              func(f fixture, id string) { f.release(id) },
			"TerminateGameSession": func(f fixture, _ string) { f.terminate(match) },
			"window over":          func(f fixture, id string) { f.drop(f.lookup(id)); time.Sleep(time.Minute + 20*time.Millisecond) },
		} {
			t.Run(fmt.Sprintf("%s, table %t", name, table), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := newFixture(t, slot.Config{ReconnectWindow: time.Minute}, 10)
					drain, status, want := f.Drain, session.GameSessionActive, session.ErrDraining
					if !table {
						drain, status, want = f.matchDrain, session.GameSessionTerminating, session.ErrGameSessionNotActive
					}
					reserved, givenUp, late := f.reserve("reserved"), f.reserve("given up"), f.reserve("late")
					active := f.join("active")
					first, second := begin(t.Context(), drain), begin(t.Context(), drain)

					_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "new"})
					requireOnly(t, want, err)
					require.Equal(t, status, f.gameSession(match).Status)
					f.accept(reserved.PlayerSessionID)
					_, err = f.Extend(late.PlayerSessionID, 2*time.Minute)
					require.NoError(t, err)
					f.drop(active)
					time.Sleep(59 * time.Second)
					require.Equal(t, uint32(2), f.accept(active.PlayerSessionID).Generation)
					_, err = f.TakeOver(active.PlayerSessionID)
					require.NoError(t, err)

					time.Sleep(time.Second + 20*time.Millisecond)
					require.True(t, f.lookup(givenUp.PlayerSessionID).Status.Terminal())
					f.release(active.PlayerSessionID)
					require.True(t, first.pending())
					f.release(late.PlayerSessionID)
					require.True(t, first.pending())
					require.True(t, second.pending())
					require.Equal(t, status, f.gameSession(match).Status)
					leave(f, reserved.PlayerSessionID)
					require.False(t, first.pending())
					require.NoError(t, <-first.result)
					require.NoError(t, <-second.result)
					require.Zero(t, f.held())
					require.NoError(t, drain(t.Context()), "again")
				})
			})
		}
	}
}

func TestDrainEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		active := f.join("alice")
		cancelled, cancel := context.WithCancel(t.Context())
		for _, drain := range []func(context.Context) error{f.Drain, f.matchDrain} {
			timeout, stop := context.WithTimeout(t.Context(), time.Minute)
			begin := time.Now()
			require.Equal(t, context.DeadlineExceeded, drain(timeout))
			require.Equal(t, time.Minute, time.Since(begin))
			stop()
		}
		first, second := begin(cancelled, f.Drain), begin(cancelled, f.matchDrain)
		cancel()
		require.False(t, first.pending())
		require.Equal(t, context.Canceled, <-first.result)
		require.Equal(t, context.Canceled, <-second.result)

		// It goes on draining.
		f.create("other", 1)
		_, err := f.Reserve(slot.Reservation{GameSessionID: "other", PlayerID: "bob"})
		requireOnly(t, session.ErrDraining, err)
		require.Equal(t, session.GameSessionTerminating, f.gameSession(match).Status)
		f.release(active.PlayerSessionID)
		require.Equal(t, session.GameSessionTerminated, f.gameSession(match).Status, "though nobody waits any more")
		require.NoError(t, f.Drain(t.Context()))
	})
}

func TestDrainWhenClosedMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		f.join("alice")
		first, second := begin(t.Context(), f.Drain), begin(t.Context(), f.matchDrain)
		require.True(t, first.pending())
		require.NoError(t, f.Close())
		require.Equal(t, session.ErrClosed, <-first.result)
		require.Equal(t, session.ErrClosed, <-second.result)
	})
}

func TestDrainOfManyGameSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		var ids []string
		for i := range 5 {
			f.create(fmt.Sprint(i), 10)
			ps := f.reserved(slot.Reservation{GameSessionID: fmt.Sprint(i), PlayerID: "alice"})
			ids = append(ids, f.accept(ps.PlayerSessionID).PlayerSessionID)
		}
		d := begin(t.Context(), f.Drain)
		for _, i := range []int{4, 1, 0, 3, 2} {
			require.True(t, d.pending())
			f.release(ids[i])
		}
		require.False(t, d.pending())
		require.NoError(t, <-d.result)
	})
}

func TestDrainGameSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{Retention: time.Hour}, 10)
		f.create("other", 10)
		f.create("empty", 10)
		require.NoError(t, f.CreateGameSession(session.GameSession{GameSessionID: "loading", Status: session.GameSessionActivating}))
		for _, id := range []string{"empty", "loading"} {
			require.NoError(t, f.DrainGameSession(t.Context(), id))
			gs := f.gameSession(id)
			require.Equal(t, session.GameSessionTerminated, gs.Status)
			require.Equal(t, time.Now().UTC(), gs.TerminationTime)
		}
		alice := f.join("alice")
		d := begin(t.Context(), f.matchDrain)
		require.Zero(t, f.gameSession(match).TerminationTime)
		f.reserved(slot.Reservation{GameSessionID: "other", PlayerID: "bob"}) // the others are not concerned

		time.Sleep(30 * time.Minute)
		f.release(alice.PlayerSessionID)
		require.False(t, d.pending())
		require.NoError(t, <-d.result)
		require.Equal(t, time.Now().UTC(), f.gameSession(match).TerminationTime)

		time.Sleep(time.Hour - time.Millisecond) // its retention begins when it is empty
		f.lookup(alice.PlayerSessionID)
		time.Sleep(2 * time.Millisecond)
		_, err := f.GameSession(match)
		requireOnly(t, session.ErrGameSessionNotFound, err)
	})
}

// LESSONS: ACE#1627, GameLift forum 8259. Players join while the table drains,
// a game session is terminated, or the table is closed.
func TestJoinsDuringShutdown(t *testing.T) {
	t.Parallel()
	shutdowns := map[string]struct {
		shut    func(fixture) error
		refused []error
	}{
		"Drain":            {func(f fixture) error { return f.Drain(f.t.Context()) }, []error{session.ErrDraining}},
		"DrainGameSession": {func(f fixture) error { return f.DrainGameSession(f.t.Context(), match) }, []error{session.ErrGameSessionNotActive}},
		"TerminateGameSession": {
			func(f fixture) error { return f.TerminateGameSession(match) },
			[]error{session.ErrGameSessionNotActive, session.ErrTimedOut, session.ErrCompleted},
		},
		"Close": {func(f fixture) error { return f.Close() }, []error{session.ErrClosed}},
	}
	for name, shutdown := range shutdowns {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 3 {
				f := newFixture(t, slot.Config{Stripes: 8, DuplicatePlayers: slot.DuplicatesAllow}, 1000)
				var events atomic.Uint64
				f.Subscribe(func(session.Event) { events.Inc() })
				var joining sync.WaitGroup
				var joined sync.WaitGroup
				joined.Add(4)
				for range 4 {
					joining.Go(func() {
						first := true
						for {
							ps, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice"})
							if err == nil {
								ps, err = f.Activate(ps.PlayerSessionID)
							}
							if err == nil {
								_, err = f.Release(ps.PlayerSessionID)
							}
							if first {
								first = false
								joined.Done()
							}
							if session.Reason(err) == "overloaded" { // the recorder cannot keep up
								runtime.Gosched()
								continue
							}
							if err != nil {
								requireOneOf(t, shutdown.refused, err)
								return
							}
						}
					})
				}
				joined.Wait()
				if err := shutdown.shut(f); err != nil {
					t.Error(err)
				}
				stats := f.Stats()
				if name != "Close" {
					require.Zero(t, stats.Reserved+stats.Active)
				}
				joining.Wait()
				after := f.Stats()
				require.Equal(t, stats.ReservedTotal, after.ReservedTotal, "no reservation was in flight")
				require.NoError(t, f.Close())
				require.Equal(t, stats.ReservedTotal, events.Load()-stats.AcceptedTotal-stats.CompletedTotal-stats.TimedOutTotal)
			}
		})
	}
}

// requireOneOf reports from a goroutine of the test's.
func requireOneOf(t *testing.T, want []error, err error) {
	t.Helper()
	for _, w := range want {
		if session.Reason(w) == session.Reason(err) {
			return
		}
	}
	t.Errorf("%v is none of %v", err, want)
}
