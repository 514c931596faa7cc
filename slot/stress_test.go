package slot_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
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

// LESSONS: colyseus#678, Paper#10668, csgo-osx-linux#348. One seat goes from hand
// to hand, whichever way it is left, and is in one at a time.
func TestStressOneSeat(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		const turns = 8
		f := newFixture(t, slot.Config{Stripes: stripes}, 1)
		var holding atomic.Int32
		together(64, func(i int) {
			for turn := 0; turn < turns; {
				ps, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: player(i)})
				if errors.Is(err, session.ErrGameSessionFull) {
					runtime.Gosched()
					continue
				}
				if err != nil || ps.Slot != 0 || holding.Add(1) != 1 {
					t.Error("the seat was another's", ps, err)
					return
				}
				if turn%2 == 0 {
					if _, err := f.Activate(ps.PlayerSessionID); err != nil {
						t.Error(err)
					}
				}
				holding.Add(-1)
				if turn%4 == 0 {
					err = f.Disconnect(ps.PlayerSessionID, 1)
				} else {
					_, err = f.Release(ps.PlayerSessionID)
				}
				if err != nil {
					t.Error(err)
				}
				turn++
			}
		})
		require.Zero(t, f.held())
		require.EqualValues(t, 64*turns, f.Stats().ReservedTotal)
		require.EqualValues(t, 64*turns/2, f.Stats().AcceptedTotal)
		f.soundAtRest()
	})
}

// Many accepts at one instant, which is the deadline's to the nanosecond, or the
// one before it, or when the horizon must have passed it.
func TestStressAtTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const rounds, callers = 60, 32
		random := rand.New(rand.NewPCG(5, 1))
		f := newFixture(t, slot.Config{}, rounds)
		events := f.events()
		for range rounds {
			time.Sleep(below(random, wheelTick))
			w := f.wait(1 + below(random, 3*wheelTick))
			offset := pick(random, -1, 0, 0, punctual)
			var accepted, inUse, timedOut atomic.Int32
			var calls sync.WaitGroup
			for range callers {
				calls.Go(func() {
					time.Sleep(time.Until(w.deadline.Add(offset)))
					switch _, err := f.Activate(w.id); session.Reason(err) {
					case "":
						accepted.Add(1)
					case "already_active":
						inUse.Add(1)
					case "timed_out":
						timedOut.Add(1)
					}
				})
			}
			calls.Wait()
			in := accepted.Load() == 1
			if in {
				require.EqualValues(t, callers-1, inUse.Load())
			} else {
				require.EqualValues(t, callers, timedOut.Load())
			}
			require.True(t, in || offset >= 0, "refused before the deadline")
			require.False(t, in && offset == punctual, "accepted long after the deadline")
			time.Sleep(punctual)
			synctest.Wait()
			life := events.of(w.id)
			legal(t, life)
			require.Len(t, life, 2)
			require.Equal(t, in, life[1].Cause == session.CauseAccepted)
		}
		f.soundAtRest()
	})
}

// LESSONS: ACE#1627, GameLift forum 8259, GameLift C# 5.1.2, Go 5.x. Players come
// and go while a game session is terminated, another drains, the table drains and
// is closed. From each on, nobody gets in who must not; and whatever happens,
// there are as many admissions as answers that said so.
func TestStressShutdown(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		for range 4 {
			f := newFixture(t, slot.Config{Stripes: stripes, ReconnectWindow: time.Millisecond, DuplicatePlayers: slot.DuplicatesReplace}, 20)
			f.create("terminated", 20)
			f.create("drained", 20)
			events := f.events()
			c := coming{fixture: f}
			var players sync.WaitGroup
			for range 8 {
				players.Go(c.comeAndGo)
			}

			c.await(200)
			f.terminate("terminated")
			ended := f.describe(slot.Query{GameSessionID: "terminated"})
			for _, ps := range ended {
				require.True(t, ps.Status.Terminal())
				_, err := f.TakeOver(ps.PlayerSessionID)
				requireOneOf(t, []error{session.ErrCompleted, session.ErrTimedOut}, err)
			}

			c.await(200)
			emptied := make(chan error, 1)
			go func() { emptied <- f.DrainGameSession(context.Background(), "drained") }()

			c.await(200)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := f.Drain(ctx); err != nil { // nil if it is empty already
				require.ErrorIs(t, err, context.Canceled)
			}
			reserved := f.Stats().ReservedTotal

			c.await(200)
			require.NoError(t, f.Close())
			stats := f.Stats()
			players.Wait()
			if err := <-emptied; err != nil {
				require.ErrorIs(t, err, session.ErrClosed)
			}
			require.Equal(t, reserved, stats.ReservedTotal, "a reservation was in flight when Drain returned")
			require.Len(t, reservedIn(events.all(), "terminated"), len(ended), "one came after the game session was terminated")
			require.EqualValues(t, c.accepted.Load(), stats.AcceptedTotal)
			require.EqualValues(t, c.returned.Load(), stats.ReturnedTotal)
			require.Equal(t, stats, f.Stats())
			agree(t, events.all(), stats)
			f.sound()
		}
	})
}

// reservedIn are the reservations in a game session.
func reservedIn(events []session.Event, gameSessionID string) (reserved []session.Event) {
	for _, e := range events {
		if e.Cause == session.CauseReserved && e.PlayerSession.GameSessionID == gameSessionID {
			reserved = append(reserved, e)
		}
	}
	return reserved
}

// coming are players who come and go, and what they have been told.
type coming struct {
	fixture
	accepted, returned, calls atomic.Int64
}

// await lets that many more things happen.
func (c *coming) await(calls int64) {
	for until := c.calls.Load() + calls; c.calls.Load() < until && !c.t.Failed(); {
		runtime.Gosched()
	}
}

// comeAndGo does so until the table is closed.
func (c *coming) comeAndGo() {
	games := []string{match, "terminated", "drained"}
	ids := []string{"psess-unknown"}
	for !c.t.Failed() {
		id := ids[max(0, len(ids)-1-rand.IntN(6))]
		var err error
		var ps session.PlayerSession
		switch n := rand.IntN(20); {
		case n < 6:
			ps, err = c.Reserve(slot.Reservation{
				GameSessionID: games[n%3], PlayerID: player(rand.IntN(30)), Timeout: time.Duration(1 + rand.IntN(int(2*time.Millisecond))),
			})
			if err == nil {
				ids = append(ids, ps.PlayerSessionID)
			}
		case n < 13:
			ps, err = c.Activate(id)
			c.admitted(ps, err)
		case n < 14:
			ps, err = c.TakeOver(id)
			c.admitted(ps, err)
		case n < 16:
			err = c.Disconnect(id, 1)
		case n < 18:
			_, err = c.Release(id)
		case n == 18:
			_, err = c.Extend(id, time.Millisecond)
		default:
			_, err = c.Describe(slot.Query{GameSessionID: games[rand.IntN(3)], Limit: 5})
		}
		c.calls.Add(1)
		if errors.Is(err, session.ErrClosed) {
			return
		}
	}
}

func (c *coming) admitted(ps session.PlayerSession, err error) {
	switch {
	case (err == nil) != (ps.Status == session.StatusActive):
		c.t.Error("no error without an ACTIVE session", ps, err)
	case err == nil && ps.Generation == 1:
		c.accepted.Add(1)
	case err == nil:
		c.returned.Add(1)
	}
}

// LESSONS: go-zero#205. Where a session stood, the next one stands at once, while
// the wheel has entries of the one before, and of the one before that: each is
// ended at its own deadline or not at all.
func TestStressReusedPlaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const rounds = 2000
		random := rand.New(rand.NewPCG(5, 2))
		f := newFixture(t, slot.Config{MaxRetained: 1}, rounds)
		events := f.events()
		expires := make(map[string]time.Time)
		connected := make(map[string]bool)
		for range rounds {
			w := f.wait(pick(random, 1, time.Millisecond, wheelTick, 25*time.Millisecond, 200*time.Millisecond, time.Second, 5*time.Second))
			switch random.IntN(4) {
			case 0:
				expires[w.id] = w.deadline
			case 1:
				f.accept(w.id)
				connected[w.id] = true
				if random.IntN(2) == 0 {
					f.release(w.id)
					delete(connected, w.id)
				}
			default:
				f.release(w.id)
			}
			time.Sleep(below(random, 6*time.Millisecond))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Zero(t, f.WheelLen())
		require.Equal(t, len(connected), f.held())
		for _, e := range events.all() {
			if e.Cause == session.CauseDeadline {
				id := e.PlayerSession.PlayerSessionID
				require.Equal(t, ms(expires[id]), e.At)
				delete(expires, id)
			}
		}
		require.Empty(t, expires)
		for id := range connected {
			require.Equal(t, session.StatusActive, f.lookup(id).Status)
		}
		f.soundAtRest()
	})
}

// Whoever is refused leaves nothing behind, neither an entry nor a word of what he
// said. Not parallel: the heap is measured.
func TestStressRefusalsLeaveNothing(t *testing.T) {
	refusals := 1_000_000
	if testing.Short() || slowed() {
		refusals /= 20
	}
	f := newFixture(t, slot.Config{Logger: zerolog.New(io.Discard)}, 1)
	f.Subscribe(func(session.Event) {})
	f.join("alice")
	giant, long := "psess-"+strings.Repeat("x", 1<<20), strings.Repeat("x", 1025)
	refuse := func(from, to int) {
		for i := from; i < to; i++ {
			id := fmt.Sprintf("psess-%08x-89ab-4def-8edc-ba9876543210", i)
			var err error
			switch i % 16 {
			case 0:
				_, err = f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: id, PlayerSessionID: id}) // full
			case 1:
				_, err = f.Reserve(slot.Reservation{GameSessionID: id, PlayerID: id, PlayerData: id})
			case 2:
				_, err = f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: long, PlayerData: id})
			case 3:
				_, err = f.Describe(slot.Query{GameSessionID: match, NextToken: id})
			case 4:
				_, err = f.Release(id)
			case 5:
				_, err = f.Extend(id, time.Hour)
			case 6:
				_, err = f.TakeOver(id[:30]) // an alias
			case 7:
				_, err = f.Activate(id + "\n")
			case 8:
				_, err = f.Activate(giant)
			case 9:
				_, err = f.Live(match, id)
			default:
				_, err = f.Activate(id)
			}
			if err == nil {
				t.Fatal("not refused", i)
			}
		}
	}
	refuse(0, refusals/10)
	before := heapInUse()
	refuse(refusals/10, refusals/10+refusals)
	require.Less(t, heapInUse(), before+128<<10, "an eighth of a byte for each")
	stats := f.Stats()
	require.LessOrEqual(t, len(stats.Refused), 16, "one count for each reason")
	require.NotContains(t, fmt.Sprintf("%+v", stats), "psess-")
	require.Equal(t, 1, f.held())
	f.soundAtRest()
}
