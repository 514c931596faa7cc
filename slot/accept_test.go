package slot_test

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

func TestActivate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		f.reserve("first")
		reserved := f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerData: "data"})
		time.Sleep(59 * time.Second)

		want := reserved
		want.Status, want.Generation = session.StatusActive, 1
		require.Equal(t, want, f.accept(reserved.PlayerSessionID))
		require.Equal(t, want, f.lookup(reserved.PlayerSessionID))
		require.Zero(t, f.deadline(reserved.PlayerSessionID))
		require.Equal(t, 2, f.held(), "a seat that is accepted was held before")

		time.Sleep(24 * time.Hour)
		require.Equal(t, want, f.lookup(reserved.PlayerSessionID), "no deadline any more")
		require.Equal(t, 1, f.held())
	})
}

// LESSONS: GameLift C# 5.1.2, Go 5.x. Each way of not being RESERVED has its error,
// told every time.
func TestActivateRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		f.create("over", 10)
		active := f.join("active").PlayerSessionID
		completed := f.join("completed").PlayerSessionID
		f.release(completed)
		givenUp := f.reserve("given up").PlayerSessionID
		f.release(givenUp)
		timedOut := f.reserve("timed out").PlayerSessionID
		endedActive := f.reserved(slot.Reservation{GameSessionID: "over", PlayerID: "a"}).PlayerSessionID
		f.accept(endedActive)
		endedReserved := f.reserved(slot.Reservation{GameSessionID: "over", PlayerID: "b"}).PlayerSessionID
		f.terminate("over")
		time.Sleep(time.Minute + 20*time.Millisecond)

		known := []string{active, completed, givenUp, timedOut, endedActive, endedReserved}
		for _, test := range []struct {
			id   string
			want error
			have session.Status
		}{
			{active, session.ErrAlreadyActive, session.StatusActive},
			{completed, session.ErrCompleted, session.StatusCompleted},
			{givenUp, session.ErrTimedOut, session.StatusTimedOut},
			{timedOut, session.ErrTimedOut, session.StatusTimedOut},
			{endedActive, session.ErrCompleted, session.StatusCompleted},
			{endedReserved, session.ErrTimedOut, session.StatusTimedOut},
			{session.NewPlayerSessionID(), session.ErrPlayerSessionNotFound, 0},
			{"psess-unknown", session.ErrPlayerSessionNotFound, 0},
			{"", session.ErrInvalidPlayerSessionID, 0},
			{"psess-", session.ErrInvalidPlayerSessionID, 0},
			{"active", session.ErrInvalidPlayerSessionID, 0},
			{active + "\n", session.ErrInvalidPlayerSessionID, 0},
			{" " + active, session.ErrInvalidPlayerSessionID, 0},
			{active + "x", session.ErrPlayerSessionNotFound, 0},
			{active[:len(active)-1], session.ErrPlayerSessionNotFound, 0},
		} {
			acceptor := f.Acceptor()
			for name, accept := range map[string]func(string) (session.PlayerSession, error){
				"Activate":            f.Activate,
				"AcceptPlayerSession": acceptor.AcceptPlayerSession,
				"TakeOver":            f.TakeOver,
			} {
				if test.id == active && name == "TakeOver" {
					continue
				}
				before := f.state(known...)
				refusals := f.Stats().Refused[session.Reason(test.want)]
				ps, err := accept(test.id)
				requireOnly(t, test.want, err)
				require.Zero(t, ps, "a refusal hands out nothing")
				require.Equal(t, before, f.state(known...), "refused calls change nothing")
				require.Equal(t, refusals+1, f.Stats().Refused[session.Reason(test.want)])
				if test.have == 0 {
					require.Equal(t, test.want, err)
					continue
				}
				var status *session.StatusError
				require.ErrorAs(t, err, &status)
				require.Equal(t, session.StatusError{Have: test.have, Want: session.StatusReserved}, *status)
				require.EqualError(t, err, "session: player session has a status of "+test.have.String()+" instead of RESERVED")
			}
		}
	})
}

// LESSONS: colyseus#962. A refused call changes nothing: neither a grace timer
// nor anything else.
func TestRefusedCallsChangeNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: time.Minute, ReservationTimeout: time.Hour, MaxReservation: 2 * time.Hour}, 10)
		events := f.events()
		reserved := f.reserve("reserved").PlayerSessionID
		dropped := f.join("dropped").PlayerSessionID
		active := f.join("active").PlayerSessionID
		completed := f.release(f.join("completed").PlayerSessionID).PlayerSessionID
		timedOut := f.release(f.reserve("timed out").PlayerSessionID).PlayerSessionID
		f.drop(f.lookup(dropped))
		time.Sleep(30 * time.Second)
		synctest.Wait()
		ids := []string{reserved, dropped, active, completed, timedOut}
		before, told := f.state(ids...), len(events.all())

		drop := func(id string, generation uint32) func() error {
			return func() error { return f.Disconnect(id, generation) }
		}
		extend := func(id string, d time.Duration) func() error {
			return func() error { _, err := f.Extend(id, d); return err }
		}
		accept := func(id string) func() error {
			return func() error { _, err := f.Activate(id); return err }
		}
		release := func(id string) func() error {
			return func() error { _, err := f.Release(id); return err }
		}
		for i, call := range []struct {
			do   func() error
			want error
		}{
			{accept(active), session.ErrAlreadyActive},
			{accept(completed), session.ErrCompleted},
			{accept(timedOut), session.ErrTimedOut},
			{accept(dropped + "x"), session.ErrPlayerSessionNotFound},
			{accept("psess-" + dropped), session.ErrPlayerSessionNotFound},
			{accept(dropped + " "), session.ErrInvalidPlayerSessionID},
			{drop(dropped, 1), nil}, // again: the window does not begin anew
			{drop(dropped, 0), nil},
			{drop(dropped, 2), nil},
			{drop(active, 0), nil},
			{drop(active, 2), nil},
			{drop(active, math.MaxUint32), nil},
			{drop(reserved, 0), nil},
			{drop(reserved, 1), nil},
			{drop(completed, 1), nil},
			{drop(timedOut, 0), nil},
			{drop("psess-unknown", 1), session.ErrPlayerSessionNotFound},
			{drop("unknown", 1), session.ErrInvalidPlayerSessionID},
			{release(completed), nil},
			{release(timedOut), nil},
			{release("psess-unknown"), session.ErrPlayerSessionNotFound},
			{release("unknown"), session.ErrInvalidPlayerSessionID},
			{extend(active, time.Hour), session.ErrAlreadyActive},
			{extend(dropped, time.Hour), session.ErrAlreadyActive},
			{extend(completed, time.Hour), session.ErrCompleted},
			{extend(timedOut, time.Hour), session.ErrTimedOut},
			{extend(reserved, -1), session.ErrInvalidField},
			{extend(reserved, time.Minute), nil}, // the later of the two deadlines holds
			{extend("psess-unknown", 0), session.ErrPlayerSessionNotFound},
			{extend("unknown", 0), session.ErrInvalidPlayerSessionID},
			{func() error {
				return f.UpdateGameSession(match, slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(-1)})
			}, session.ErrInvalidField},
			{func() error { return f.CreateGameSession(session.GameSession{GameSessionID: match}) }, session.ErrGameSessionExists},
			{func() error { return f.TerminateGameSession("nowhere") }, session.ErrGameSessionNotFound},
			{func() error { return f.DrainGameSession(t.Context(), "nowhere") }, session.ErrGameSessionNotFound},
		} {
			err := call.do()
			if call.want == nil {
				require.NoError(t, err, i)
			} else {
				requireOnly(t, call.want, err)
			}
			require.Equal(t, before, f.state(ids...), "call %d", i)
		}
		synctest.Wait()
		require.Len(t, events.all(), told)

		time.Sleep(30*time.Second + 20*time.Millisecond)
		require.Equal(t, session.StatusCompleted, f.lookup(dropped).Status, "its window has run all the time")
	})
}

// Of all accepts that race for a reservation, one makes it.
func TestActivateExactlyOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesAllow}, 1000)
	for range 50 {
		id := f.reserve("alice").PlayerSessionID
		var begin, end sync.WaitGroup
		begin.Add(1)
		errs := make([]error, 8)
		for i := range errs {
			end.Go(func() {
				begin.Wait()
				_, errs[i] = f.Activate(id)
			})
		}
		begin.Done()
		end.Wait()
		accepted := 0
		for _, err := range errs {
			if err == nil {
				accepted++
				continue
			}
			requireOnly(t, session.ErrAlreadyActive, err)
		}
		require.Equal(t, 1, accepted)
		require.Equal(t, uint32(1), f.lookup(id).Generation)
	}
	require.Equal(t, uint64(50), f.Stats().AcceptedTotal)
}

// LESSONS: GameLift C# 5.1.2, Go 5.x. Whatever comes instead of an accept, nobody
// is in.
func TestActivateFailsClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		late := f.reserve("late").PlayerSessionID
		time.Sleep(time.Minute + 20*time.Millisecond)
		id := f.reserve("alice").PlayerSessionID
		require.NoError(t, f.Close())
		for _, id := range []string{id, late, "psess-unknown", "unknown", ""} {
			for _, accept := range []func(string) (session.PlayerSession, error){f.Activate, f.TakeOver} {
				ps, err := accept(id)
				requireOnly(t, session.ErrClosed, err)
				require.Zero(t, ps)
			}
		}
		require.Zero(t, f.Stats().Active)
		require.Zero(t, f.Stats().AcceptedTotal)
	})
}

// Policy, capacity and draining are asked at Reserve, never at the door.
func TestActivateWhoeverHoldsAReservation(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 4)
	ids := []string{f.reserve("a").PlayerSessionID, f.reserve("b").PlayerSessionID, f.reserve("c").PlayerSessionID, f.reserve("d").PlayerSessionID}
	f.update(slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(0)})
	f.accept(ids[0])
	f.update(slot.GameSessionUpdate{PlayerSessionCreationPolicy: pointer(session.DenyAll)})
	f.accept(ids[1])
	f.drain()
	f.accept(ids[2])
	f.drainMatch()
	f.accept(ids[3])
}

func TestTakeOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, window := range []time.Duration{0, time.Minute} {
			f := newFixture(t, slot.Config{ReconnectWindow: window}, 10)
			events := f.events()
			want := f.reserve("alice")
			want.Status = session.StatusActive
			for generation := range uint32(4) {
				want.Generation = generation + 1
				got, err := f.TakeOver(want.PlayerSessionID)
				require.NoError(t, err)
				require.Equal(t, want, got)
				require.Equal(t, want, f.lookup(want.PlayerSessionID))
				require.Zero(t, f.deadline(want.PlayerSessionID))
			}
			_, err := f.Activate(want.PlayerSessionID)
			requireOnly(t, session.ErrAlreadyActive, err)
			synctest.Wait()
			require.Equal(t, []session.Cause{
				session.CauseReserved, session.CauseAccepted, session.CauseReturned, session.CauseReturned, session.CauseReturned,
			}, causes(events.all()))
			require.Equal(t, uint64(1), f.Stats().AcceptedTotal)
			require.Equal(t, uint64(3), f.Stats().ReturnedTotal)
			require.Equal(t, 1, f.held())

			// Only the last connection may drop it.
			require.NoError(t, f.Disconnect(want.PlayerSessionID, 3))
			require.Equal(t, want, f.lookup(want.PlayerSessionID))
			require.NoError(t, f.Disconnect(want.PlayerSessionID, 4))
			if window > 0 {
				require.Equal(t, time.Now().Add(window).UTC(), f.deadline(want.PlayerSessionID))
				got, err := f.TakeOver(want.PlayerSessionID)
				require.NoError(t, err)
				require.Equal(t, uint32(5), got.Generation)
				continue
			}
			_, err = f.TakeOver(want.PlayerSessionID)
			requireOnly(t, session.ErrCompleted, err)
		}
	})
}

// LESSONS: pitaya#251, netcode. The old connection is closed late, and its
// successor stays.
func TestDisconnectStaleConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: time.Minute}, 10)
		first := f.join("alice")
		f.drop(first)
		time.Sleep(time.Second)
		second := f.accept(first.PlayerSessionID)
		require.Equal(t, uint32(2), second.Generation)

		for _, stale := range []uint32{0, 1} {
			require.NoError(t, f.Disconnect(first.PlayerSessionID, stale))
			require.Equal(t, second, f.lookup(first.PlayerSessionID))
			require.Zero(t, f.deadline(first.PlayerSessionID))
		}
		time.Sleep(time.Hour)
		require.Equal(t, second, f.lookup(first.PlayerSessionID), "the first drop's window does not end the second connection")

		f.drop(second)
		require.Equal(t, time.Now().Add(time.Minute).UTC(), f.deadline(first.PlayerSessionID))
	})
}

func TestDisconnectWithoutWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 1)
		events := f.events()
		ps := f.join("alice")
		time.Sleep(1_500_000)
		f.drop(ps)
		ps.Status, ps.TerminationTime = session.StatusCompleted, time.UnixMilli(time.Now().UnixMilli()).UTC()
		require.Equal(t, ps, f.lookup(ps.PlayerSessionID))
		require.Zero(t, f.held())
		_, err := f.Activate(ps.PlayerSessionID)
		requireOnly(t, session.ErrCompleted, err)
		f.reserve("bob") // the seat is free at once
		synctest.Wait()
		last := events.of(ps.PlayerSessionID)[2]
		require.Equal(t, session.Event{
			Cause: session.CauseWindowOver, From: session.StatusActive, To: session.StatusCompleted,
			At: ps.TerminationTime, PlayerSession: ps,
		}, last)
	})
}

func TestReconnectWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: 30 * time.Second}, 1)
		events := f.events()
		ps := f.join("alice")
		time.Sleep(time.Hour + 7*time.Millisecond)
		f.drop(ps)
		require.Equal(t, ps, f.lookup(ps.PlayerSessionID), "dropped is ACTIVE")
		require.Equal(t, 1, f.held(), "and holds its seat")
		require.Equal(t, 1, f.Stats().Active)
		require.Equal(t, time.Now().Add(30*time.Second).UTC(), f.deadline(ps.PlayerSessionID))

		time.Sleep(30*time.Second - 1) // to the last moment
		ps.Generation = 2
		require.Equal(t, ps, f.accept(ps.PlayerSessionID))
		require.Zero(t, f.deadline(ps.PlayerSessionID))

		f.drop(ps)
		deadline := f.deadline(ps.PlayerSessionID)
		time.Sleep(30*time.Second + 20*time.Millisecond)
		for _, accept := range []func(string) (session.PlayerSession, error){f.Activate, f.TakeOver} {
			_, err := accept(ps.PlayerSessionID)
			requireOnly(t, session.ErrCompleted, err)
		}
		ps.Status, ps.TerminationTime = session.StatusCompleted, deadline
		require.Equal(t, ps, f.lookup(ps.PlayerSessionID))
		require.Zero(t, f.held())
		synctest.Wait()
		require.Equal(t, []session.Cause{
			session.CauseReserved, session.CauseAccepted, session.CauseDropped, session.CauseReturned, session.CauseDropped, session.CauseWindowOver,
		}, causes(events.all()))
		require.Equal(t, deadline, events.all()[5].At)
	})
}

// The seat waits from the drop on, however the reservation's own deadline lies.
func TestReconnectWindowAndReservationDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, window := range []time.Duration{time.Second, 30 * time.Second, 2 * time.Minute, time.Hour} {
			for _, stay := range []time.Duration{0, 45 * time.Second, 59*time.Second + 999*time.Millisecond, 61 * time.Second, 3 * time.Minute} {
				for _, extension := range []time.Duration{0, 5 * time.Minute} {
					f := newFixture(t, slot.Config{ReconnectWindow: window}, 1)
					ps := f.reserve("alice")
					_, err := f.Extend(ps.PlayerSessionID, extension)
					require.NoError(t, err)
					ps = f.accept(ps.PlayerSessionID)
					time.Sleep(stay)
					for range 3 {
						f.drop(ps)
						time.Sleep(window - 1)
						ps = f.accept(ps.PlayerSessionID)
					}
					f.drop(ps)
					deadline := time.Now().Add(window).UTC().Truncate(time.Millisecond)
					time.Sleep(window + 20*time.Millisecond)
					got := f.lookup(ps.PlayerSessionID)
					require.Equal(t, session.StatusCompleted, got.Status, "window %s, stay %s, extension %s", window, stay, extension)
					require.Equal(t, deadline, got.TerminationTime)
				}
			}
		}
	})
}

func TestRelease(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		bring func(fixture) session.PlayerSession
		want  session.Status
	}{
		"RESERVED": {func(f fixture) session.PlayerSession { return f.reserve("alice") }, session.StatusTimedOut},
		"ACTIVE":   {func(f fixture) session.PlayerSession { return f.join("alice") }, session.StatusCompleted},
		"dropped": {func(f fixture) session.PlayerSession {
			ps := f.join("alice")
			f.drop(ps)
			return ps
		}, session.StatusCompleted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, slot.Config{ReconnectWindow: time.Minute}, 1)
				events := f.events()
				want := test.bring(f)
				from := want.Status
				time.Sleep(time.Second)
				want.Status, want.TerminationTime = test.want, time.Now().UTC()
				require.Equal(t, want, f.release(want.PlayerSessionID))
				require.Zero(t, f.held())
				synctest.Wait()
				told := events.all()
				require.Equal(t, session.Event{
					Cause: session.CauseReleased, From: from, To: test.want, At: time.Now().UTC(), PlayerSession: want,
				}, told[len(told)-1])

				time.Sleep(time.Hour) // nothing comes later
				require.Equal(t, want, f.release(want.PlayerSessionID), "unchanged, no error")
				require.Equal(t, want, f.lookup(want.PlayerSessionID))
				f.reserve("bob")
				require.Equal(t, want, f.release(want.PlayerSessionID))
				require.Equal(t, 1, f.held(), "the seat is another's now")
				synctest.Wait()
				require.Len(t, events.of(want.PlayerSessionID), len(told))
			})
		})
	}
	t.Run("overdue", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, slot.Config{}, 1)
			events := f.events()
			time.Sleep(3 * time.Millisecond)
			want := f.reserve("alice")
			time.Sleep(time.Minute) // to the deadline, before the wheel looks
			want.Status, want.TerminationTime = session.StatusTimedOut, want.CreationTime.Add(time.Minute)
			require.Equal(t, want, f.release(want.PlayerSessionID))
			synctest.Wait()
			require.Equal(t, session.CauseDeadline, events.all()[1].Cause)
		})
	})
}

func TestReleaseUnknown(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 1)
	_, err := f.Release("psess-unknown")
	requireOnly(t, session.ErrPlayerSessionNotFound, err)
	_, err = f.Release("unknown")
	requireOnly(t, session.ErrInvalidPlayerSessionID, err)
}

// Two spellings are two ids at every door.
func TestAcceptSpellings(t *testing.T) {
	t.Parallel()
	const id = "psess-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1a2b"
	other := "psess-0F5C2A7E-1B3D-4E9F-8A6B-7C8D9E0F1A2B"
	f := newFixture(t, slot.Config{}, 10)
	f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerSessionID: id})
	for _, call := range []func() error{
		func() error { _, err := f.Activate(other); return err },
		func() error { _, err := f.TakeOver(other); return err },
		func() error { _, err := f.Release(other); return err },
		func() error { _, err := f.Lookup(other); return err },
		func() error { _, err := f.Extend(other, 0); return err },
		func() error { _, err := f.Deadline(other); return err },
		func() error { return f.Disconnect(other, 1) },
		func() error { _, err := f.Describe(slot.Query{PlayerSessionID: other}); return err },
	} {
		requireOnly(t, session.ErrPlayerSessionNotFound, call())
	}
	f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "bob", PlayerSessionID: other})
	require.Equal(t, "bob", f.accept(other).PlayerID)
	require.Equal(t, session.StatusReserved, f.lookup(id).Status)
}

// LESSONS: colyseus#726. One record a player, and counts that agree with a
// recount, after a life of every kind.
func TestCountsAgreeWithRecount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: 10 * time.Second}, 50)
		for round := range 40 {
			for i := range 20 {
				id := fmt.Sprint("player ", i)
				ps, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: id})
				if err != nil {
					requireOnly(t, session.ErrDuplicatePlayer, err)
					ps, err = f.Live(match, id)
					require.NoError(t, err)
				}
				switch (i*7 + round*3) % 6 {
				case 0:
					f.Activate(ps.PlayerSessionID)
				case 1:
					f.TakeOver(ps.PlayerSessionID)
				case 2:
					f.Disconnect(ps.PlayerSessionID, ps.Generation)
				case 3:
					f.Release(ps.PlayerSessionID)
				case 4:
					f.Extend(ps.PlayerSessionID, time.Minute)
				}
			}
			time.Sleep(time.Duration(round) * time.Second)
			f.requireRecount()
		}
	})
}

// requireRecount counts what Describe lists, and compares.
func (f fixture) requireRecount() {
	f.t.Helper()
	stats := f.Stats()
	count := make(map[session.Status]int)
	games := 0
	for gs := range f.GameSessions() {
		games++
		seats := make(map[int]bool)
		players := make(map[string]int)
		for _, ps := range f.describe(slot.Query{GameSessionID: gs.GameSessionID}) {
			count[ps.Status]++
			if !ps.Status.Terminal() {
				require.False(f.t, seats[ps.Slot], "seat %d twice", ps.Slot)
				seats[ps.Slot] = true
				players[ps.PlayerID]++
				require.Equal(f.t, 1, players[ps.PlayerID])
			}
		}
		require.Len(f.t, seats, gs.CurrentPlayerSessionCount)
	}
	require.Equal(f.t, games, stats.GameSessions)
	require.Equal(f.t, count[session.StatusReserved], stats.Reserved)
	require.Equal(f.t, count[session.StatusActive], stats.Active)
	require.Equal(f.t, count[session.StatusCompleted], stats.Completed)
	require.Equal(f.t, count[session.StatusTimedOut], stats.TimedOut)
	require.Equal(f.t, stats.ReservedTotal, uint64(stats.Reserved+stats.Active)+stats.CompletedTotal+stats.TimedOutTotal)
	require.LessOrEqual(f.t, stats.AcceptedTotal, stats.ReservedTotal)
	require.LessOrEqual(f.t, stats.CompletedTotal, stats.AcceptedTotal)
}
