package slot_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

func TestStats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: time.Minute}, 10)
		want := slot.Stats{GameSessions: 1, Refused: map[string]uint64{}}
		agree := func() {
			t.Helper()
			got := f.Stats()
			require.Less(t, got.ExpiryLag, 20*time.Millisecond)
			got.ExpiryLag = 0
			require.Equal(t, want, got)
			f.requireRecount()
		}
		agree()
		f.create("other", 10)
		want.GameSessions = 2
		a, b, c, d := f.reserve("a"), f.reserve("b"), f.reserve("c"), f.reserve("d")
		want.Reserved, want.ReservedTotal = 4, 4
		agree()
		f.accept(a.PlayerSessionID)
		f.accept(b.PlayerSessionID)
		want.Reserved, want.Active, want.AcceptedTotal = 2, 2, 2
		agree()
		f.TakeOver(a.PlayerSessionID)
		f.drop(f.lookup(b.PlayerSessionID))
		want.ReturnedTotal = 1
		agree()
		f.accept(b.PlayerSessionID)
		want.ReturnedTotal = 2
		agree()
		f.release(b.PlayerSessionID)
		want.Active, want.Completed, want.CompletedTotal = 1, 1, 1
		agree()
		f.release(c.PlayerSessionID)
		want.Reserved, want.TimedOut, want.TimedOutTotal = 1, 1, 1
		agree()
		time.Sleep(time.Until(f.deadline(d.PlayerSessionID))) // to the nanosecond, before the wheel looks
		want.Reserved, want.TimedOut, want.TimedOutTotal = 0, 2, 2
		agree()
		f.terminate(match)
		want.Active, want.Completed, want.CompletedTotal = 0, 2, 2
		agree()
		time.Sleep(30*24*time.Hour + time.Second) // forgotten, but the totals are kept
		want.GameSessions, want.Completed, want.TimedOut = 1, 0, 0
		agree()
	})
}

// LESSONS: colyseus#877. One error a reason, and each is counted under its own.
func TestStatsRefused(t *testing.T) {
	t.Parallel()
	for _, trouble := range troubles() {
		if trouble.want == nil || trouble.want == session.ErrClosed {
			continue
		}
		reason := session.Reason(trouble.want)
		if reason == "overloaded" {
			continue // see TestOverload
		}
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			s := newSituation(t)
			trouble.arrange(s)
			for range 3 {
				s.Reserve(s.Reservation)
			}
			second := slot.Reservation{GameSessionID: s.GameSessionID, PlayerID: "erin"}
			s.ReserveAll([]slot.Reservation{s.Reservation, second}) // a party counts once
			require.Equal(t, map[string]uint64{reason: 4}, s.Stats().Refused)
		})
	}
	t.Run("accepts", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, slot.Config{}, 10)
		active := f.join("a").PlayerSessionID
		completed := f.release(f.join("b").PlayerSessionID).PlayerSessionID
		timedOut := f.release(f.reserve("c").PlayerSessionID).PlayerSessionID
		f.Activate(active)
		for range 2 {
			f.TakeOver(completed)
			f.Activate(timedOut)
		}
		for range 3 {
			f.Activate("psess-unknown")
			f.TakeOver(session.NewPlayerSessionID())
		}
		for range 5 {
			f.Activate("malformed")
			f.TakeOver("")
		}
		require.Equal(t, map[string]uint64{"already_active": 1, "completed": 2, "timed_out": 2, "not_found": 6, "invalid_id": 10}, f.Stats().Refused)
		f.Stats().Refused["not_found"] = 0 // the caller's own
		require.Equal(t, uint64(6), f.Stats().Refused["not_found"])
	})
}

// A slow logger holds up the timer: that is what expiry behind looks like.
type slowWriter struct {
	mu   sync.Mutex
	slow time.Duration
}

func (w *slowWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	slow := w.slow
	w.mu.Unlock()
	time.Sleep(slow)
	return len(p), nil
}

func (w *slowWriter) take(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slow = d
}

func TestHealthOfExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := new(slowWriter)
		f := newFixture(t, slot.Config{Logger: zerolog.New(w)}, 10)
		require.NoError(t, f.Health())
		f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "first", Timeout: time.Second})
		f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "second", Timeout: 2 * time.Second})
		w.take(3 * time.Second)
		time.Sleep(2500 * time.Millisecond)
		require.NoError(t, f.Health(), "half a second behind")
		time.Sleep(750 * time.Millisecond)
		require.ErrorContains(t, f.Health(), "expiry is")
		require.ErrorContains(t, f.Health(), "behind")
		w.take(0)
		time.Sleep(time.Second)
		require.NoError(t, f.Health())
		require.Greater(t, f.Stats().ExpiryLag, time.Second)
		f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "third", Timeout: time.Second})
		time.Sleep(time.Second + 20*time.Millisecond)
		require.LessOrEqual(t, f.Stats().ExpiryLag, 20*time.Millisecond)
	})
}

func TestHealthOfSubscribers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		release := make(chan struct{}, 100)
		f.Subscribe(func(session.Event) { <-release })
		f.events()
		require.NoError(t, f.Health())
		f.join("alice")
		synctest.Wait()
		time.Sleep(5 * time.Second)
		require.NoError(t, f.Health())
		time.Sleep(time.Second)
		require.ErrorContains(t, f.Health(), "a subscriber has been handling one event for 6s")
		release <- struct{}{}
		synctest.Wait()
		require.NoError(t, f.Health(), "it handles another one")
		release <- struct{}{}
		time.Sleep(time.Hour)
		require.NoError(t, f.Health(), "idle is not stuck")
		require.NoError(t, f.Close())
		require.ErrorIs(t, f.Health(), session.ErrClosed)
	})
}

// Far behind is more than half of what makes Reserve refuse.
func TestHealthOfBacklog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // however long it takes, no event takes long
		f := newFixture(t, slot.Config{}, 10)
		loud := f.join("loud").PlayerSessionID
		stalled := make(chan struct{})
		t.Cleanup(func() { close(stalled) })
		cancel := f.Subscribe(func(session.Event) { <-stalled })
		for range 32_768 {
			f.TakeOver(loud)
		}
		require.NoError(t, f.Health())
		require.Equal(t, 32_768, f.Stats().EventBacklog)
		f.TakeOver(loud)
		require.ErrorContains(t, f.Health(), "32769 events behind")
		cancel()
		require.NoError(t, f.Health())
	})
}
