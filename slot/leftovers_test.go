package slot

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// Whoever has timed out reads so before he is put away, and after: no call lets him
// in, and he is in nobody's way.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	table := newTable(t, Config{Stripes: 1})
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: 2}))
	reserve := func(player string) session.PlayerSession {
		ps, err := table.Reserve(Reservation{GameSessionID: "match", PlayerID: player})
		require.NoError(t, err)
		return ps
	}
	late, stays := reserve("late"), reserve("stays")
	s := &table.stripes[0]
	entry := table.timeOut(t, late.PlayerSessionID)
	require.Equal(t, 1, s.ended)

	requireLate := func() {
		t.Helper()
		id := late.PlayerSessionID
		for name, call := range map[string]func() error{
			"Activate": func() error { _, err := table.Activate(id); return err },
			"TakeOver": func() error { _, err := table.TakeOver(id); return err },
			"Extend":   func() error { _, err := table.Extend(id, time.Hour); return err },
			"Deadline": func() error { _, err := table.Deadline(id); return err },
		} {
			require.ErrorIs(t, call(), session.ErrTimedOut, name)
		}
		require.NoError(t, table.Disconnect(id, 0))
		for name, call := range map[string]func() (session.PlayerSession, error){
			"Release": func() (session.PlayerSession, error) { return table.Release(id) },
			"Lookup":  func() (session.PlayerSession, error) { return table.Lookup(id) },
		} {
			ps, err := call()
			require.NoError(t, err, name)
			require.Equal(t, session.StatusTimedOut, ps.Status, name)
			require.Equal(t, late.CreationTime.Add(time.Minute), ps.TerminationTime, name)
		}
		page, err := table.Describe(Query{GameSessionID: "match", Status: session.StatusTimedOut})
		require.NoError(t, err)
		require.Len(t, page.PlayerSessions, 1)
		stats := table.stats()
		require.Equal(t, [4]int{1, 0, 0, 1}, [4]int{stats.Reserved, stats.Active, stats.Completed, stats.TimedOut})
	}
	requireLate()
	_, err := table.Live("match", "late")
	require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
	table.expire([]listed{entry}, farthest, true) // the wheel may have a second entry
	requireLate()

	for table.putAwaySome() {
	}
	require.Zero(t, s.ended)
	require.Equal(t, 1, s.past.count)
	requireLate()
	require.Equal(t, 0, reserve("late").Slot, "the seat is free")
	_, err = table.Activate(stays.PlayerSessionID)
	require.NoError(t, err)
	require.NoError(t, table.CheckAtRest())
}

// timeOut does what the reclaimer does in a storm at the deadline of a reservation, but
// does not put it away. It returns what the wheel's entry stands for.
func (t *Table) timeOut(tb testing.TB, id string) listed {
	tb.Helper()
	s, r, err := t.lockStripe(id)
	require.NoError(tb, err)
	entry, deadline := listed{cursor{r.seq, r.place}, r.key, r.game}, r.until
	s.mu.Unlock()
	t.expire([]listed{entry}, deadline, true)
	return entry
}

// Whom MaxRetained pushes out before he is put away is gone for good.
func TestLeftoversAreForgotten(t *testing.T) {
	t.Parallel()
	table := newTable(t, Config{Stripes: 1, MaxRetained: 1})
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: 10}))
	var ids []string
	for i := range 10 {
		ps, err := table.Reserve(Reservation{GameSessionID: "match", PlayerID: strconv.Itoa(i)})
		require.NoError(t, err)
		ids = append(ids, ps.PlayerSessionID)
	}
	for _, id := range ids {
		table.timeOut(t, id)
	}
	table.forgetSurplus(all)
	s := &table.stripes[0]
	require.Equal(t, 1, s.ended)
	require.EqualValues(t, 1, s.live.count)
	for _, id := range ids[:9] {
		_, err := table.Lookup(id)
		require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
	}
	for table.putAwaySome() {
	}
	_, err := table.Lookup(ids[9])
	require.NoError(t, err)
	require.Zero(t, s.live.count)
	require.NoError(t, table.CheckAtRest())
}

// They who come find the room of those who have timed out: a stripe does not grow
// for them.
func TestLeftoversMakeRoom(t *testing.T) {
	t.Parallel()
	table := newTable(t, Config{Stripes: 1, DuplicatePlayers: DuplicatesAllow})
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: maxSeats}))
	s := &table.stripes[0]
	var ids []string
	reserve := func() {
		ps, err := table.Reserve(Reservation{GameSessionID: "match", PlayerID: "player"})
		require.NoError(t, err)
		ids = append(ids, ps.PlayerSessionID)
	}
	for len(ids) < 1_000 || !s.live.full() {
		reserve()
	}
	homes := s.live.homes
	for range 3 {
		for _, id := range ids {
			table.timeOut(t, id)
		}
		n := len(ids)
		for ids = nil; len(ids) < n; {
			reserve()
		}
	}
	require.Equal(t, homes, s.live.homes)
	for _, id := range ids {
		_, err := table.Activate(id)
		require.NoError(t, err)
	}
	for table.putAwaySome() {
	}
	require.NoError(t, table.CheckAtRest())
}

// After a storm all are put away, or forgotten, by the reclaimer itself, in whatever
// part of them a call was the first to notice.
func TestStormIsPutAway(t *testing.T) {
	t.Parallel()
	for name, notice := range map[string]func(*Table){
		"reclaimer": func(*Table) {},
		"Stats":     func(table *Table) { table.Stats() },
		"Reserve": func(table *Table) {
			_, _ = table.Reserve(Reservation{GameSessionID: "match", PlayerID: "player", Timeout: time.Hour})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { requirePutAway(t, notice, 5_000, 1_000) })
			synctest.Test(t, func(t *testing.T) { requirePutAway(t, notice, 5_000, 5_000) })
		})
	}
}

func requirePutAway(t *testing.T, notice func(*Table), players, most int) {
	t.Helper()
	table := newTable(t, Config{Stripes: 4, MaxRetained: most, DuplicatePlayers: DuplicatesAllow})
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: players}))
	time.Sleep(tick / 2)
	for range players {
		_, err := table.Reserve(Reservation{GameSessionID: "match", PlayerID: "player"})
		require.NoError(t, err)
	}
	time.Sleep(time.Minute + time.Microsecond) // the wheel's bucket comes half a tick later
	notice(table)
	time.Sleep(time.Second)
	synctest.Wait()
	past := 0
	for i := range table.stripes {
		require.Zero(t, table.stripes[i].ended)
		past += table.stripes[i].past.count
	}
	require.Equal(t, most, past)
	require.NoError(t, table.CheckAtRest())
}

// Records that are swept, in parts and in whatever place, against a plain map.
func TestRecordsSweep(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 6))
	for range 300 {
		rs := noRecords()
		want := make(map[key]place)
		for n := range place(random.IntN(300)) {
			k := key{random.Uint64(), uint64(n)}
			if random.IntN(4) == 0 {
				k.hi = uint64(random.Uint32N(8)) << 60 // many at one home
			}
			rs.add(k).place = n + 1
			want[k] = n + 1
		}
		one := random.Uint32N(4) + 1 // of so many is gone
		for at := 0; at < len(rs.slots); {
			next := rs.sweep(at, 1+random.IntN(40), func(r *record) bool {
				gone := r.place%one == 0
				if gone {
					require.Equal(t, r.place, want[r.key])
					delete(want, r.key)
				}
				return gone
			})
			require.Greater(t, next, at)
			at = next
			requireRecords(t, want, &rs)
			for k, p := range want { // so that nobody stands farther from home than he has to
				require.Equal(t, p, rs.find(k).place)
			}
		}
		for k, p := range want {
			require.NotZero(t, p%one)
			rs.remove(rs.find(k))
		}
		for i := range rs.slots {
			require.Zero(t, rs.slots[i])
		}
	}
}

// A call that finds fewer who have timed out than a storm has, and no seat, leaves
// nobody beyond MaxRetained: no alarm would come for them.
func TestSurplusOfACallIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const most = 10
		table := newTable(t, Config{MaxRetained: most, DuplicatePlayers: DuplicatesAllow})
		for id, seats := range map[string]int{"full": 1, "late": batch} {
			require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: id, MaximumPlayerSessionCount: seats}))
		}
		ps, err := table.Reserve(Reservation{GameSessionID: "full", PlayerID: "player"})
		require.NoError(t, err)
		_, err = table.Activate(ps.PlayerSessionID)
		require.NoError(t, err)
		time.Sleep(tick / 2)
		for range batch - 1 {
			_, err := table.Reserve(Reservation{GameSessionID: "late", PlayerID: "player"})
			require.NoError(t, err)
		}
		time.Sleep(time.Minute + time.Microsecond)
		_, err = table.Reserve(Reservation{GameSessionID: "full", PlayerID: "player"})
		require.ErrorIs(t, err, session.ErrGameSessionFull)
		synctest.Wait()
		require.EqualValues(t, most, table.history.retained.Load())
		require.NoError(t, table.CheckAtRest())
	})
}

// Who leaves forgets somebody for himself, though there stand others before in the
// history who have been forgotten with their game session.
func TestSurplusBehindWhoIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const others, most = 400, 1000
		table := newTable(t, Config{MaxRetained: most, Retention: time.Minute, DuplicatePlayers: DuplicatesAllow})
		leave := func(game string, n int) {
			for range n {
				ps, err := table.Reserve(Reservation{GameSessionID: game, PlayerID: "player"})
				require.NoError(t, err)
				_, err = table.Release(ps.PlayerSessionID)
				require.NoError(t, err)
				require.LessOrEqual(t, int(table.history.retained.Load()), most)
			}
		}
		for _, id := range []string{"over", "match"} {
			require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: id, MaximumPlayerSessionCount: 1}))
		}
		leave("over", others)
		leave("match", others+100)
		require.NoError(t, table.TerminateGameSession("over"))
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, 2*others+100, table.history.ended.len, "those of the game session that is over stand there")
		leave("match", 2*most)
		require.NoError(t, table.CheckAtRest())
	})
}
