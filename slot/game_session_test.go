package slot_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

func TestCreateGameSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 1)
		time.Sleep(1_234_567)
		gs := session.GameSession{
			GameSessionID:               "any text, no ARN: ä",
			Name:                        "name",
			FleetID:                     "not a fleet", // GameLift's patterns are Validate's
			FleetARN:                    "not an ARN",
			DNSName:                     "dns",
			IPAddress:                   "not an address",
			Port:                        65535,
			MaximumPlayerSessionCount:   3,
			PlayerSessionCreationPolicy: session.DenyAll,
			Status:                      session.GameSessionActivating,
			// Set by the table, whatever is given:
			CurrentPlayerSessionCount: 2,
			CreationTime:              time.Unix(1, 0),
			TerminationTime:           time.Unix(2, 0),
		}
		require.NoError(t, f.CreateGameSession(gs))
		gs.CurrentPlayerSessionCount = 0
		gs.CreationTime, gs.TerminationTime = time.UnixMilli(time.Now().UnixMilli()).UTC(), time.Time{}
		require.Equal(t, gs, f.gameSession(gs.GameSessionID))
		require.Equal(t, []session.GameSession{f.gameSession(match), gs}, slices.Collect(f.GameSessions()))
	})
}

func TestCreateGameSessionBounds(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 1)
	for _, gs := range []session.GameSession{
		{GameSessionID: "g"},
		{GameSessionID: strings.Repeat("g", 1024)},
		{GameSessionID: strings.Repeat("ä", 1024)},
		{GameSessionID: strings.Repeat("🎮", 1024)},
		{GameSessionID: "no seats", MaximumPlayerSessionCount: 0},
		{GameSessionID: "many seats", MaximumPlayerSessionCount: 16_777_215},
		{GameSessionID: "port 0", Port: 0},
		{GameSessionID: "port 65535", Port: 65535},
	} {
		require.NoError(t, f.CreateGameSession(gs))
	}
	for name, test := range map[string]struct {
		gs    session.GameSession
		field string
	}{
		"no id":                 {session.GameSession{}, "GameSessionId"},
		"long id":               {session.GameSession{GameSessionID: strings.Repeat("g", 1025)}, "GameSessionId"},
		"long id, 4":            {session.GameSession{GameSessionID: strings.Repeat("🎮", 1025)}, "GameSessionId"},
		"id not UTF-8":          {session.GameSession{GameSessionID: "\xff"}, "GameSessionId"},
		"negative maximum":      {session.GameSession{GameSessionID: "x", MaximumPlayerSessionCount: -1}, "MaximumPlayerSessionCount"},
		"most negative":         {session.GameSession{GameSessionID: "x", MaximumPlayerSessionCount: math.MinInt}, "MaximumPlayerSessionCount"},
		"oversized maximum":     {session.GameSession{GameSessionID: "x", MaximumPlayerSessionCount: 16_777_216}, "MaximumPlayerSessionCount"},
		"very large maximum":    {session.GameSession{GameSessionID: "x", MaximumPlayerSessionCount: math.MaxInt}, "MaximumPlayerSessionCount"},
		"negative port":         {session.GameSession{GameSessionID: "x", Port: -1}, "Port"},
		"large port":            {session.GameSession{GameSessionID: "x", Port: 65536}, "Port"},
		"TERMINATING":           {session.GameSession{GameSessionID: "x", Status: session.GameSessionTerminating}, "Status"},
		"TERMINATED":            {session.GameSession{GameSessionID: "x", Status: session.GameSessionTerminated}, "Status"},
		"unknown status":        {session.GameSession{GameSessionID: "x", Status: 99}, "Status"},
		"unknown policy":        {session.GameSession{GameSessionID: "x", PlayerSessionCreationPolicy: 99}, "PlayerSessionCreationPolicy"},
		"field before existing": {session.GameSession{GameSessionID: match, Port: -1}, "Port"},
	} {
		before := f.state()
		requireField(t, test.field, f.CreateGameSession(test.gs))
		require.Equal(t, before, f.state(), name)
	}
	requireOnly(t, session.ErrGameSessionExists, f.CreateGameSession(session.GameSession{GameSessionID: match}))
	f.terminate(match)
	requireOnly(t, session.ErrGameSessionExists, f.CreateGameSession(session.GameSession{GameSessionID: match}))
}

func TestGameSessionStatus(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 2)
	require.NoError(t, f.CreateGameSession(session.GameSession{GameSessionID: "a", MaximumPlayerSessionCount: 1, Status: session.GameSessionActivating}))
	for range 2 { // again: nil
		require.NoError(t, f.ActivateGameSession("a"))
		require.Equal(t, session.GameSessionActive, f.gameSession("a").Status)
	}
	f.join("alice")
	f.drainMatch()
	require.Equal(t, session.GameSessionTerminating, f.gameSession(match).Status)
	requireOnly(t, session.ErrGameSessionNotActive, f.ActivateGameSession(match))
	require.NoError(t, f.UpdateGameSession(match, slot.GameSessionUpdate{Name: pointer("last orders")}))
	f.terminate(match)
	requireOnly(t, session.ErrGameSessionNotActive, f.ActivateGameSession(match))
	requireOnly(t, session.ErrGameSessionNotActive, f.UpdateGameSession(match, slot.GameSessionUpdate{Name: pointer("too late")}))
	require.Equal(t, "last orders", f.gameSession(match).Name)
	requireOnly(t, session.ErrGameSessionNotFound, f.ActivateGameSession("nowhere"))
	requireOnly(t, session.ErrGameSessionNotFound, f.UpdateGameSession("nowhere", slot.GameSessionUpdate{}))
	requireOnly(t, session.ErrGameSessionNotFound, f.TerminateGameSession("nowhere"))
	requireOnly(t, session.ErrGameSessionNotFound, f.DrainGameSession(t.Context(), "nowhere"))
	_, err := f.GameSession("nowhere")
	requireOnly(t, session.ErrGameSessionNotFound, err)
}

func TestUpdateGameSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 5)
	want := f.gameSession(match)
	f.update(slot.GameSessionUpdate{})
	require.Equal(t, want, f.gameSession(match), "nil: unchanged")

	want.Name = "name"
	f.update(slot.GameSessionUpdate{Name: pointer("name")})
	require.Equal(t, want, f.gameSession(match))
	want.MaximumPlayerSessionCount = 16_777_215
	f.update(slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(16_777_215)})
	require.Equal(t, want, f.gameSession(match))
	want.PlayerSessionCreationPolicy = session.DenyAll
	f.update(slot.GameSessionUpdate{PlayerSessionCreationPolicy: pointer(session.DenyAll)})
	require.Equal(t, want, f.gameSession(match))
	want.Name, want.MaximumPlayerSessionCount, want.PlayerSessionCreationPolicy = "", 0, session.AcceptAll
	f.update(slot.GameSessionUpdate{Name: pointer(""), MaximumPlayerSessionCount: pointer(0), PlayerSessionCreationPolicy: pointer(session.AcceptAll)})
	require.Equal(t, want, f.gameSession(match))

	for field, u := range map[string]slot.GameSessionUpdate{ // all of it or nothing
		"Name":                        {Name: pointer("\xff"), MaximumPlayerSessionCount: pointer(7)},
		"MaximumPlayerSessionCount":   {Name: pointer("x"), MaximumPlayerSessionCount: pointer(16_777_216)},
		"PlayerSessionCreationPolicy": {Name: pointer("x"), PlayerSessionCreationPolicy: pointer(session.CreationPolicy(2))},
	} {
		requireField(t, field, f.UpdateGameSession(match, u))
		require.Equal(t, want, f.gameSession(match))
	}
}

// LESSONS: Agones capacity list. Below use, nobody is evicted and nobody admitted.
func TestMaximumBelowUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		var ids []string
		for i := range 4 {
			ids = append(ids, f.reserve(player(i)).PlayerSessionID)
		}
		f.accept(ids[0])
		f.accept(ids[1])
		f.update(slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(2)})
		for i, id := range ids {
			require.False(t, f.lookup(id).Status.Terminal())
			require.Equal(t, i, f.lookup(id).Slot)
		}
		require.Equal(t, 4, f.held())
		full := func() {
			t.Helper()
			_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "late"})
			requireOnly(t, session.ErrGameSessionFull, err)
		}
		full()
		f.accept(ids[2]) // who holds a reservation gets in
		f.release(ids[0])
		full()
		f.release(ids[1])
		full() // 2 of 2
		f.release(ids[2])
		require.Zero(t, f.reserve("next").Slot)
		full()
		f.update(slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(3)})
		require.Equal(t, 1, f.reserve("raised").Slot)
		full()
	})
}

// LESSONS: GameLift DENY_ALL, colyseus#809. Counts and policy are of one instant:
// whoever is told that there is room and everybody is welcome can rely on it, and
// never reads both sides of an update.
func TestCountsAndPolicyAtOneInstant(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 1)
	ctx, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			u := slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(1), PlayerSessionCreationPolicy: pointer(session.AcceptAll), Name: pointer("open")}
			if i%2 == 0 {
				u = slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(0), PlayerSessionCreationPolicy: pointer(session.DenyAll), Name: pointer("closed")}
			}
			if err := f.UpdateGameSession(match, u); err != nil {
				t.Error(err)
			}
		}
	})
	for range 2000 {
		gs := f.gameSession(match)
		switch gs.Name {
		case "open":
			require.Equal(t, 1, gs.MaximumPlayerSessionCount)
			require.Equal(t, session.AcceptAll, gs.PlayerSessionCreationPolicy)
		case "closed":
			require.Equal(t, 0, gs.MaximumPlayerSessionCount)
			require.Equal(t, session.DenyAll, gs.PlayerSessionCreationPolicy)
		}
	}
	stop()
	writer.Wait()
}

func TestGameSessionCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: time.Minute}, 10)
		counts := func(want int) {
			t.Helper()
			require.Equal(t, want, f.held())
			require.Equal(t, want, slices.Collect(f.GameSessions())[0].CurrentPlayerSessionCount)
		}
		counts(0)
		a, b := f.reserve("a"), f.reserve("b")
		counts(2)
		f.drop(f.accept(a.PlayerSessionID))
		counts(2)
		f.release(b.PlayerSessionID)
		counts(1)
		f.reserve("c")
		counts(2)
		time.Sleep(time.Minute - 1)
		counts(2)
		time.Sleep(1 * time.Nanosecond) // to the nanosecond, before the wheel looks
		counts(0)
	})
}

func TestTerminateGameSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: time.Hour}, 10)
		events := f.events()
		f.create("other", 10)
		stays := f.reserved(slot.Reservation{GameSessionID: "other", PlayerID: "reserved"})
		left := f.reserve("left")
		reserved, active, dropped := f.reserve("reserved"), f.join("active"), f.join("dropped")
		f.release(left.PlayerSessionID)
		f.drop(dropped)
		before := f.gameSession(match)
		time.Sleep(1_500 * time.Microsecond)
		now := time.UnixMilli(time.Now().UnixMilli()).UTC()

		f.terminate(match)
		before.Status, before.TerminationTime, before.CurrentPlayerSessionCount = session.GameSessionTerminated, now, 0
		require.Equal(t, before, f.gameSession(match))
		synctest.Wait()
		for _, want := range []session.PlayerSession{reserved, active, dropped} {
			from := want.Status
			want.TerminationTime, want.Status = now, session.StatusCompleted
			if from == session.StatusReserved {
				want.Status = session.StatusTimedOut
			}
			require.Equal(t, want, f.lookup(want.PlayerSessionID))
			told := events.of(want.PlayerSessionID)
			require.Equal(t, session.Event{
				Cause: session.CauseTerminated, From: from, To: want.Status, At: now, PlayerSession: want,
			}, told[len(told)-1])
		}
		require.Equal(t, stays, f.lookup(stays.PlayerSessionID))
		require.Equal(t, 1, f.gameSession("other").CurrentPlayerSessionCount)

		time.Sleep(time.Second)
		told := len(events.all())
		f.terminate(match) // again: nil
		require.Equal(t, before, f.gameSession(match))
		synctest.Wait()
		require.Len(t, events.all(), told)
		require.NoError(t, f.DrainGameSession(t.Context(), match))
		_, err := f.Live(match, "active")
		requireOnly(t, session.ErrPlayerSessionNotFound, err)
	})
}

// All player sessions end at one instant: whoever sees one ended sees all ended,
// whichever call is asked.
func TestTerminateGameSessionAtOneInstant(t *testing.T) {
	t.Parallel()
	const seats = 500
	for name, see := range map[string]func(f fixture, ids []string) bool{ // whether all have ended
		"Lookup": func(f fixture, ids []string) bool {
			return !slices.ContainsFunc(ids, func(id string) bool { ps, _ := f.Lookup(id); return !ps.Status.Terminal() })
		},
		"Activate": func(f fixture, ids []string) bool {
			_, err := f.TakeOver(ids[seats-1])
			return err != nil
		},
		"Describe": func(f fixture, _ []string) bool {
			page, _ := f.Describe(slot.Query{GameSessionID: match, Status: session.StatusActive})
			return len(page.PlayerSessions) == 0
		},
		"Live": func(f fixture, _ []string) bool {
			_, err := f.Live(match, player(seats-1))
			return err != nil
		},
		"GameSession": func(f fixture, _ []string) bool {
			gs, _ := f.GameSession(match)
			return gs.CurrentPlayerSessionCount == 0 && gs.Status == session.GameSessionTerminated
		},
		"Stats": func(f fixture, _ []string) bool { return f.Stats().Active == 0 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 4 {
				f := newFixture(t, slot.Config{Stripes: 1}, seats)
				var ids []string
				for i := range seats {
					ids = append(ids, f.join(player(i)).PlayerSessionID)
				}
				var terminator sync.WaitGroup
				terminator.Go(func() { f.terminate(match) })
				for !f.lookup(ids[0]).Status.Terminal() {
					runtime.Gosched()
				}
				ended := see(f, ids)
				terminator.Wait()
				require.True(t, ended)
			}
		})
	}
}

// The retention begins when the game session ends; it answers until it is over.
func TestRetention(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{Retention: time.Hour}, 10)
		f.create("second", 10)
		long := f.release(f.join("long ago").PlayerSessionID)
		id := f.join("alice").PlayerSessionID
		second := f.reserved(slot.Reservation{GameSessionID: "second", PlayerID: "alice"}).PlayerSessionID

		time.Sleep(24 * time.Hour)
		require.Equal(t, long, f.lookup(long.PlayerSessionID), "the game session goes on")
		f.terminate(match)
		time.Sleep(30 * time.Minute)
		f.terminate("second")
		time.Sleep(30*time.Minute - 1)
		require.Equal(t, session.StatusCompleted, f.lookup(id).Status)
		require.Equal(t, long, f.lookup(long.PlayerSessionID))
		require.Equal(t, 2, f.Stats().GameSessions)

		time.Sleep(1 + time.Millisecond)
		for _, id := range []string{id, long.PlayerSessionID} {
			_, err := f.Lookup(id)
			requireOnly(t, session.ErrPlayerSessionNotFound, err)
			_, err = f.Activate(id)
			requireOnly(t, session.ErrPlayerSessionNotFound, err)
			_, err = f.Release(id)
			requireOnly(t, session.ErrPlayerSessionNotFound, err)
			_, err = f.Describe(slot.Query{PlayerSessionID: id})
			requireOnly(t, session.ErrPlayerSessionNotFound, err)
			requireOnly(t, session.ErrPlayerSessionNotFound, f.Disconnect(id, 1))
		}
		_, err := f.GameSession(match)
		requireOnly(t, session.ErrGameSessionNotFound, err)
		requireOnly(t, session.ErrGameSessionNotFound, f.TerminateGameSession(match))
		_, err = f.Live(match, "alice")
		requireOnly(t, session.ErrGameSessionNotFound, err)
		_, err = f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice"})
		requireOnly(t, session.ErrGameSessionNotFound, err)
		require.Equal(t, []string{second}, func() (ids []string) {
			for _, ps := range f.describe(slot.Query{PlayerID: "alice"}) {
				ids = append(ids, ps.PlayerSessionID)
			}
			return ids
		}())
		stats := f.Stats()
		require.Equal(t, 1, stats.GameSessions)
		require.Equal(t, []int{0, 1}, []int{stats.Completed, stats.TimedOut})
		require.Equal(t, uint64(2), stats.CompletedTotal, "totals are since the table was made")

		time.Sleep(30 * time.Minute)
		require.Zero(t, f.Stats().GameSessions)
		require.Empty(t, slices.Collect(f.GameSessions()))
	})
}

// Beyond MaxRetained the earliest ended go first, whatever their game session.
func TestMaxRetained(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{MaxRetained: 3}, 100)
		f.create("other", 100)
		var ids []string
		for i := range 8 {
			ids = append(ids, f.reserved(slot.Reservation{GameSessionID: []string{match, "other"}[i%2], PlayerID: player(i)}).PlayerSessionID)
		}
		var ended []string
		end := func(id string) {
			t.Helper()
			time.Sleep(time.Millisecond)
			f.release(id)
			ended = append(ended, id)
			for i, id := range ended {
				_, err := f.Lookup(id)
				if i < len(ended)-3 {
					requireOnly(t, session.ErrPlayerSessionNotFound, err)
				} else {
					require.NoError(t, err)
				}
			}
		}
		for _, i := range []int{5, 0, 7, 2, 4} { // not in order of reservation
			end(ids[i])
		}
		require.Equal(t, 3, f.Stats().TimedOut)
		require.Equal(t, 3, f.held()+f.gameSession("other").CurrentPlayerSessionCount)

		f.terminate(match) // at once: 6
		_, err := f.Lookup(ids[7])
		requireOnly(t, session.ErrPlayerSessionNotFound, err)
		f.lookup(ids[2])
		f.lookup(ids[4])
		f.lookup(ids[6])
		require.Equal(t, 2, f.Stats().GameSessions, "game sessions are not counted")
		require.Equal(t, []string{"player-2", "player-4", "player-6"}, players(f.describe(slot.Query{GameSessionID: match})))

		time.Sleep(time.Minute + 20*time.Millisecond) // 1 and 3 by the deadline
		require.Equal(t, 3, f.Stats().TimedOut)
		f.lookup(ids[1])
		f.lookup(ids[3])
		f.lookup(ids[6])

		// An id that is forgotten can be reserved anew.
		ps := f.reserved(slot.Reservation{GameSessionID: "other", PlayerID: "new", PlayerSessionID: ids[5]})
		require.Equal(t, ps, f.lookup(ids[5]))
	})
}

func TestMaxRetainedOfAPartyAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{MaxRetained: 10}, 1000)
	for i := range 1000 {
		f.reserve(player(i))
	}
	f.terminate(match)
	require.Equal(t, 10, f.Stats().TimedOut)
	require.Len(t, f.describe(slot.Query{GameSessionID: match}), 10)
}

// What a whole game session leaves when it is forgotten does not upset who goes
// next.
func TestMaxRetainedAfterRetention(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const crowd, most = 3000, 3100
		f := newFixture(t, slot.Config{Retention: time.Hour, MaxRetained: most, DuplicatePlayers: slot.DuplicatesAllow}, most)
		f.create("crowd", crowd)
		var ids []string
		end := func() {
			t.Helper()
			time.Sleep(time.Millisecond)
			ids = append(ids, f.release(f.reserve("alice").PlayerSessionID).PlayerSessionID)
		}
		end()
		party := make([]slot.Reservation, crowd)
		for i := range party {
			party[i] = slot.Reservation{GameSessionID: "crowd", PlayerID: player(i)}
		}
		_, err := f.ReserveAll(party)
		require.NoError(t, err)
		end()
		f.terminate("crowd")
		end()
		require.Equal(t, crowd+3, f.Stats().TimedOut)
		time.Sleep(time.Hour + time.Millisecond)
		require.Equal(t, 3, f.Stats().TimedOut)
		for range most {
			end()
		}
		require.Equal(t, most, f.Stats().TimedOut)
		for i, id := range ids {
			_, err := f.Lookup(id)
			require.Equal(t, i < 3, err != nil, "%d: %v", i, err)
		}
	})
}

// The number of a game session that is forgotten is given again. Its players, who
// are gone, and those who have it now go together, and only these count.
func TestMaxRetainedUnderAForgottenNumber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const few, crowd, most = 5, 30, 20
		f := newFixture(t, slot.Config{Retention: time.Hour, MaxRetained: most}, 1)
		end := func(gameSessionID string, players int) {
			f.create(gameSessionID, players)
			for i := range players {
				f.reserved(slot.Reservation{GameSessionID: gameSessionID, PlayerID: player(i)})
			}
			f.terminate(gameSessionID)
		}
		end("few", few)
		require.Equal(t, few, f.Stats().TimedOut)
		time.Sleep(time.Hour + time.Millisecond)
		require.Zero(t, f.Stats().TimedOut)
		end("crowd", crowd)
		require.Equal(t, most, f.Stats().TimedOut)
		require.Len(t, f.describe(slot.Query{GameSessionID: "crowd"}), most)
	})
}

// Ids and numbers of forgotten game sessions are given again, and nothing of the
// old ones shows.
func TestGameSessionCreatedUnderForgottenID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{Retention: time.Hour}, 10)
		for round := range 5 {
			var ids []string
			for i := range 3 {
				id := fmt.Sprint("game ", i)
				require.NoError(t, f.CreateGameSession(session.GameSession{GameSessionID: id, MaximumPlayerSessionCount: 1, Name: fmt.Sprint(round)}))
				ps := f.reserved(slot.Reservation{GameSessionID: id, PlayerID: "alice", PlayerSessionID: fmt.Sprint("psess-", i)})
				require.Zero(t, ps.Slot)
				require.Equal(t, id, ps.GameSessionID)
				ids = append(ids, ps.PlayerSessionID)
			}
			require.Len(t, f.describe(slot.Query{PlayerID: "alice"}), 3)
			for i, id := range ids {
				require.Equal(t, fmt.Sprint("game ", i), f.accept(id).GameSessionID)
				require.Equal(t, fmt.Sprint(round), f.gameSession(fmt.Sprint("game ", i)).Name)
				require.Len(t, f.describe(slot.Query{GameSessionID: fmt.Sprint("game ", i)}), 1)
			}
			for i := range 3 { // in another order each time
				f.terminate(fmt.Sprint("game ", (i*2+round)%3))
				time.Sleep(time.Minute)
			}
			time.Sleep(time.Hour)
			require.Equal(t, 1, f.Stats().GameSessions)
			require.Empty(t, f.describe(slot.Query{PlayerID: "alice"}))
		}
		require.Equal(t, uint64(15), f.Stats().CompletedTotal)
		f.requireRecount()
	})
}

// Oldest first, those retained included.
func TestGameSessionsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{Retention: time.Hour}, 1)
		want := []string{match, "z", "a", "m"}
		for _, id := range want[1:] {
			f.create(id, 1)
			time.Sleep(time.Second)
		}
		ids := func() (ids []string) {
			for gs := range f.GameSessions() {
				ids = append(ids, gs.GameSessionID)
			}
			return ids
		}
		f.terminate("a")
		require.Equal(t, want, ids())
		for range f.GameSessions() {
			break // must not keep anything locked
		}
		time.Sleep(2 * time.Hour)
		f.create("a", 1)
		require.Equal(t, []string{match, "z", "m", "a"}, ids())

		// The caller may call the table on the way.
		for gs := range f.GameSessions() {
			f.terminate(gs.GameSessionID)
			f.create("during "+gs.GameSessionID, 1)
		}
		require.Len(t, ids(), 8)
	})
}

// LESSONS: ACE#1627, GameLift forum 8259. Whoever joins during a shutdown is told
// why he cannot, and whoever holds a reservation still can while it drains.
func TestLateJoinToTerminated(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 10)
	reserved, active := f.reserve("reserved").PlayerSessionID, f.join("active").PlayerSessionID
	f.terminate(match)
	_, err := f.Activate(reserved)
	requireOnly(t, session.ErrTimedOut, err)
	_, err = f.Activate(active)
	requireOnly(t, session.ErrCompleted, err)
	_, err = f.TakeOver(active)
	requireOnly(t, session.ErrCompleted, err)
	_, err = f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "reserved"})
	requireOnly(t, session.ErrGameSessionNotActive, err)
	_, err = f.Extend(reserved, time.Minute)
	requireOnly(t, session.ErrTimedOut, err)
	require.NoError(t, f.Disconnect(active, 1))
	require.Equal(t, session.StatusCompleted, f.release(active).Status)
}
