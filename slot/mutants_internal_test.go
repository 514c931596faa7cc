package slot

import (
	"runtime"
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
)

// newTable returns a table that is closed when the test ends.
func newTable(t *testing.T, c Config) *Table {
	t.Helper()
	table, err := NewTable(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, table.Close()) })
	return table
}

// Two aliases might share a hash of 128 bits. No test finds such a pair, so this
// one asks the record: the key is one, the text is another.
func TestAliasIsComparedByItsText(t *testing.T) {
	t.Parallel()
	s, r := keep(key{1, 1}, "psess-made-elsewhere", true)
	require.True(t, s.named(&r, "psess-made-elsewhere", true))
	require.False(t, s.named(&r, "psess-made-elsewherE", true))
	require.False(t, s.named(&r, "psess-made-elsewhere-", true))
	require.False(t, s.named(&r, "psess-made-elsewhere", false))
}

// A page is of one instant: so the largest one is read without letting go of the
// game session.
func TestPageFitsOneHold(t *testing.T) {
	t.Parallel()
	require.GreaterOrEqual(t, maxHold, maxLimit)
}

// Until the sweep has come, a player session of a game session that has ended
// reads as it will be, whatever deadline has passed since.
func TestSettledByTheEndBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	const before, ended, deadline, horizon = 5, 10, 15, 20
	for cause, status := range map[session.Cause]session.Status{
		session.CauseReserved: session.StatusReserved,
		session.CauseDropped:  session.StatusActive,
	} {
		r := record{until: deadline}
		r.become(status, cause)
		put := r.settled(horizon, ended)
		require.Equal(t, session.CauseTerminated, put.cause())
		require.EqualValues(t, ended, put.until)

		r.until = before
		late := r.settled(horizon, ended)
		require.NotEqual(t, session.CauseTerminated, late.cause())
		require.EqualValues(t, before, late.until)
	}
}

// Players are looked up by a hash of 32 bits, and any two may share one.
func TestPlayersWhoseHashesAreAlike(t *testing.T) {
	t.Parallel()
	table := newTable(t, Config{DuplicatePlayers: DuplicatesReject})
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: 2}))

	one, other := alikePlayers(table)
	var ids []string
	for _, playerID := range []string{one, other} {
		ps, err := table.Reserve(Reservation{GameSessionID: "match", PlayerID: playerID})
		require.NoError(t, err)
		ids = append(ids, ps.PlayerSessionID)
	}
	for i, playerID := range []string{one, other} {
		live, err := table.Live("match", playerID)
		require.NoError(t, err)
		require.Equal(t, ids[i], live.PlayerSessionID)

		page, err := table.Describe(Query{PlayerID: playerID})
		require.NoError(t, err)
		require.Len(t, page.PlayerSessions, 1)
		require.Equal(t, ids[i], page.PlayerSessions[0].PlayerSessionID)
	}
}

// alikePlayers finds two player ids of one hash, among some 80,000.
func alikePlayers(table *Table) (one, other string) {
	known := make(map[uint32]string)
	for i := 0; ; i++ {
		id := "player-" + formatCanonical(0, uint64(i))
		hash := table.roster.hash(id)
		if known[hash] != "" {
			return known[hash], id
		}
		known[hash] = id
	}
}

// However many calls raise the horizon at once, it is never taken back.
func TestHorizonNeverGoesBack(t *testing.T) {
	t.Parallel()
	const callers, raises = 4, 2_000_000
	var tb table
	var clock atomic.Int64
	var calls sync.WaitGroup
	for range callers {
		calls.Go(func() {
			seen := int64(0)
			for now := clock.Add(1); now <= raises; now = clock.Add(1) {
				tb.passHorizon(now)
				horizon := tb.horizon.Load()
				if horizon < now || horizon < seen {
					t.Errorf("the horizon is %d after it was %d, and raised to %d", horizon, seen, now)
					return
				}
				seen = horizon
			}
		})
	}
	calls.Wait()
	tb.passHorizon(1)
	require.EqualValues(t, raises, tb.horizon.Load())
}

// A game session ends while all stripes are locked: an accept that is under way
// was before the end, by the clock too. So as long as one stripe cannot be had,
// the game session has not ended.
func TestGameSessionEndsUnderAllStripes(t *testing.T) {
	t.Parallel()
	table := newTable(t, Config{Stripes: 2})
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match"}))
	g := table.games.get("match")

	last := &table.stripes[1].mu
	last.Lock()
	var call sync.WaitGroup
	call.Go(func() { _ = table.TerminateGameSession("match") })
	first := &table.stripes[0].mu
	for first.TryLock() {
		ended := g.ended.Load()
		first.Unlock()
		if ended != never {
			break
		}
		runtime.Gosched()
	}
	ended := g.ended.Load()
	last.Unlock()
	call.Wait()
	require.Equal(t, never, ended)
	require.NotEqual(t, never, g.ended.Load())
}

// A replacement whose id has been reserved elsewhere since that was checked changes
// nothing: the seat stays with who had it. That race is rare, so this test enters
// what has not been checked.
func TestRefusedReplacementLeavesTheSeat(t *testing.T) {
	t.Parallel()
	table := newTable(t, Config{DuplicatePlayers: DuplicatesReplace})
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: 1}))
	res := Reservation{GameSessionID: "match", PlayerID: "player"}
	ps, err := table.Reserve(res)
	require.NoError(t, err)

	g := table.games.get("match")
	g.mu.Lock()
	c := claim{player: table.roster.hash(res.PlayerID), replaces: true, issued: true}
	c.held, c.holds = table.liveOf(g, res.PlayerID, c.player)
	c.key, c.id = c.held.key, ps.PlayerSessionID
	last := table.roster.last
	err = table.enter(g, []Reservation{res}, []claim{c}, []*session.PlayerSession{{}}, table.now())
	seats := slices.Clone(g.seats)
	table.unlock(g)
	require.True(t, c.holds)
	require.ErrorIs(t, err, session.ErrPlayerSessionExists)
	require.Equal(t, []place{c.held.place}, seats)
	require.Equal(t, last, table.roster.last, "nobody was entered")

	require.NoError(t, table.TerminateGameSession("match"))
	ps, err = table.Lookup(ps.PlayerSessionID)
	require.NoError(t, err)
	require.Equal(t, session.StatusTimedOut, ps.Status)
}

// A party one of whose ids has been reserved elsewhere since it was checked is
// refused as a whole. That race is rare, too.
func TestPartyWhoseIDIsTakenMeanwhile(t *testing.T) {
	t.Parallel()
	table := newTable(t, Config{})
	for _, id := range []string{"match", "elsewhere"} {
		require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: id, MaximumPlayerSessionCount: 2}))
	}
	party := []Reservation{
		{GameSessionID: "match", PlayerID: "first"},
		{GameSessionID: "match", PlayerID: "second", PlayerSessionID: "psess-made-elsewhere"},
	}
	_, err := table.Reserve(Reservation{GameSessionID: "elsewhere", PlayerID: "second", PlayerSessionID: party[1].PlayerSessionID})
	require.NoError(t, err)

	g := table.games.get("match")
	cs, out := make([]claim, len(party)), make([]session.PlayerSession, len(party))
	require.NoError(t, table.checkFields(g, party, cs))
	g.mu.Lock()
	err = table.enter(g, party, cs, pointers(out), table.now())
	table.unlock(g)
	require.ErrorIs(t, err, session.ErrPlayerSessionExists)
	require.EqualValues(t, 1, table.Stats().ReservedTotal)
	_, err = table.Lookup(cs[0].id)
	require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
	page, err := table.Describe(Query{GameSessionID: "match"})
	require.NoError(t, err)
	require.Empty(t, page.PlayerSessions)
}

// Every event is queued under the lock of its stripe: else that of the next change
// might stand before it. The queue asks for its limit first, and there this test
// looks at the lock, which nobody else has.
func TestEventsAreQueuedUnderTheStripe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, Config{Stripes: 1, ReconnectWindow: time.Second, DuplicatePlayers: DuplicatesReplace})
		require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: 9}))
		var queued atomic.Int64
		table.events.limit = func() int {
			queued.Add(1)
			if mu := &table.stripes[0].mu; mu.TryLock() {
				mu.Unlock()
				t.Error("an event is queued outside the lock")
			}
			return 1000
		}
		table.Subscribe(func(session.Event) {})
		reserve := func(playerID string) string {
			ps, err := table.Reserve(Reservation{GameSessionID: "match", PlayerID: playerID, Timeout: time.Second})
			require.NoError(t, err)
			return ps.PlayerSessionID
		}
		accept := func(id string) uint32 {
			ps, err := table.TakeOver(id)
			require.NoError(t, err)
			return ps.Generation
		}

		reserve("late")
		time.Sleep(2 * time.Second) // reserved and timed out: 2
		require.EqualValues(t, 2, queued.Load())
		id := reserve("alice")
		accept(id)
		require.NoError(t, table.Disconnect(id, accept(id)))
		accept(id)
		_, err := table.Release(id) // reserved, accepted, taken over, dropped, returned, released: 6
		require.NoError(t, err)
		require.EqualValues(t, 8, queued.Load())
		reserve("bob")
		accept(reserve("bob")) // reserved, replaced, reserved, accepted: 4
		require.EqualValues(t, 12, queued.Load())
		require.NoError(t, table.TerminateGameSession("match"))
		require.EqualValues(t, 13, queued.Load())
	})
}

// Those who were forgotten with their game session leave the history, whether they
// ended in order or late.
func TestHistoryIsCleaned(t *testing.T) {
	t.Parallel()
	const many = 2 * chunkPlaces
	for name, late := range map[string]bool{"in order": false, "late": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t, Config{})
			require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: 1}))
			_, err := table.Reserve(Reservation{GameSessionID: "match", PlayerID: "who makes room in the roster"})
			require.NoError(t, err)

			h := &table.history
			if late {
				h.push([]past{{at: 2, seq: 1}})
			}
			forgotten := make([]past, many)
			for i := range forgotten {
				forgotten[i] = past{at: 1, seq: uint64(2 + i)} // of a place that is nobody's
			}
			h.push(forgotten)
			require.Equal(t, late, len(h.ended.heap) > 1)
			h.count(-h.ended.len)
			table.cleanHistory()
			require.Zero(t, h.ended)
		})
	}
}

// The backlog is the slowest subscriber's, whichever it is.
func TestBacklogIsTheSlowest(t *testing.T) {
	t.Parallel()
	const events = 5
	for slowest := range 3 {
		synctest.Test(t, func(t *testing.T) {
			table, err := NewTable(Config{})
			require.NoError(t, err)
			require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: events}))
			stall := make(chan struct{})
			for i := range 3 {
				table.Subscribe(func(session.Event) {
					if i == slowest {
						<-stall
					}
				})
			}
			for i := range events {
				_, err := table.Reserve(Reservation{GameSessionID: "match", PlayerID: string(rune('a' + i))})
				require.NoError(t, err)
			}
			synctest.Wait()
			require.Equal(t, events, table.Stats().EventBacklog)
			close(stall)
			synctest.Wait()
			require.Zero(t, table.Stats().EventBacklog)
			require.NoError(t, table.Close())
		})
	}
}

// What the configuration may ask for at most is not refused, and one more is.
func TestConfigBounds(t *testing.T) {
	t.Parallel()
	most := Config{
		ReservationTimeout: maxDuration,
		MaxReservation:     maxDuration,
		ReconnectWindow:    maxDuration,
		Retention:          maxDuration,
		MaxRetained:        maxHeld,
		Capacity:           maxHeld, // no test has the memory to make such a table
		Stripes:            maxStripes,
	}
	require.NoError(t, most.validate())
	for field, config := range map[string]Config{
		"ReservationTimeout": {ReservationTimeout: maxDuration + 1},
		"MaxReservation":     {MaxReservation: maxDuration + 1},
		"ReconnectWindow":    {ReconnectWindow: maxDuration + 1},
		"Retention":          {Retention: maxDuration + 1},
		"MaxRetained":        {MaxRetained: maxHeld + 1},
		"Capacity":           {Capacity: maxHeld + 1},
		"Stripes":            {Stripes: 2 * maxStripes},
	} {
		var invalid *session.FieldError
		require.ErrorAs(t, config.validate(), &invalid)
		require.Equal(t, field, invalid.Field)
	}
}

// A page goes on where the last one ended, without a look at those before: here
// there is no head to begin with.
func TestResumeAtTheCursor(t *testing.T) {
	t.Parallel()
	table := newTable(t, Config{})
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: 2}))
	for _, playerID := range []string{"alice", "bob"} {
		_, err := table.Reserve(Reservation{GameSessionID: "match", PlayerID: playerID})
		require.NoError(t, err)
	}
	first := table.games.get("match").first
	ro := &table.roster
	ro.mu.Lock()
	defer ro.mu.Unlock()
	const nobody = 0
	require.EqualValues(t, 2, ro.resume(nobody, byGame, cursor{seq: 1, place: first}))
	require.Zero(t, ro.resume(nobody, byGame, cursor{seq: 2, place: 2}))
}

// A player in many game sessions has a list of live sessions in each.
func TestLiveListsAreApart(t *testing.T) {
	t.Parallel()
	const player, games = 1, 1000
	hashes := make(map[uint32]bool)
	for game := range uint32(games) {
		hashes[liveHash(player, game)] = true
	}
	require.Len(t, hashes, games)
}

// Capacity makes room for that many in all stripes together.
func TestCapacityIsOfAllStripes(t *testing.T) {
	t.Parallel()
	for _, stripes := range []int{1, 64} {
		const capacity = 10_000
		table := newTable(t, Config{Capacity: capacity, Stripes: stripes})
		homes := 0
		for i := range table.stripes {
			homes += int(table.stripes[i].live.homes)
		}
		require.InDelta(t, 1.5*capacity, homes, capacity/10)
	}
}

// At the very instant at which the alarm is to ring it is not set to anything
// later: who has come by then would not be told of.
func TestAlarmThatRingsIsNotSet(t *testing.T) {
	t.Parallel()
	table := newTable(t, Config{})
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: 2}))
	for i, playerID := range []string{"alice", "bob"} {
		_, err := table.Reserve(Reservation{GameSessionID: "match", PlayerID: playerID, Timeout: time.Duration(i+1) * time.Minute})
		require.NoError(t, err)
	}
	x := &table.expiry
	x.mu.Lock()
	defer x.mu.Unlock()
	first := x.set
	x.setAlarm(first)
	require.Equal(t, first, x.set)
	x.setAlarm(first - 1)
	require.Equal(t, first, x.set)
}

// No more of a list is read under one hold of the roster's lock than there is room
// for.
func TestListIsReadInParts(t *testing.T) {
	t.Parallel()
	table := newTableOfOne(t, 5)
	table.roster.listPlayers()
	for _, l := range []list{
		{order: byGame, game: table.games.get("match")},
		{order: byPlayer, player: table.roster.hash("player")},
	} {
		var last cursor
		var read []uint64
		for _, n := range []int{2, 2, 1, 0} {
			part := table.roster.behind(make([]listed, 0, 2), l, last)
			require.Len(t, part, n)
			for _, e := range part {
				last = e.cursor
				read = append(read, e.seq)
			}
		}
		require.Equal(t, []uint64{1, 2, 3, 4, 5}, read)
	}
}

// A game session whose seats are free since an instant is not full; and who takes
// one of them does not wait until all who timed out at that instant are dealt with.
// Nor are those forgotten: the reclaimer goes on, without waiting for a tick.
func TestReserveInAStorm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const others = 10_000
		mine, release := goroutineID(), make(chan struct{})
		said := 0 // by this goroutine, of players who timed out
		logger := zerolog.New(writer(func(line []byte) {
			if goroutineID() == mine {
				said++
			} else {
				<-release
			}
		})).Level(zerolog.InfoLevel)
		table := newTable(t, Config{Logger: logger})
		reserve := func(game, player string) {
			_, err := table.Reserve(Reservation{GameSessionID: game, PlayerID: player})
			require.NoError(t, err)
		}
		require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "full", MaximumPlayerSessionCount: 1}))
		require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "other", MaximumPlayerSessionCount: others}))
		time.Sleep(time.Nanosecond) // behind a tick
		reserve("full", "a")
		for i := range others {
			reserve("other", strconv.Itoa(i))
		}
		time.Sleep(time.Minute) // to the deadline; the next tick is still to come

		reserve("full", "b")
		require.Less(t, said, others/2)
		close(release)
		synctest.Wait()
		require.EqualValues(t, 1, table.held.Load())
	})
}

// A game session that is forgotten is let go of, the newest, too.
func TestForgottenGameSession(t *testing.T) {
	t.Parallel()
	gs, open := newGameSessions(), func() bool { return false }
	var made []*gameSession
	for _, id := range []string{"first", "second", "third"} {
		g := &gameSession{GameSession: session.GameSession{GameSessionID: id}}
		require.NoError(t, gs.add(g, open))
		made = append(made, g)
	}
	gs.remove(made[2])
	require.Nil(t, gs.get("third"))
	gs.remove(made[0])
	require.Nil(t, gs.get("first"))
	require.Same(t, made[1], gs.get("second"))
}

// writer is a function as an io.Writer.
type writer func([]byte)

func (w writer) Write(p []byte) (int, error) {
	w(p)
	return len(p), nil
}

// A party appears when it has the locks of all its stripes, and lets go of none before.
func TestPartyWaitsForAllItsStripes(t *testing.T) {
	t.Parallel()
	table := newTable(t, Config{})
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: 2}))
	party := []Reservation{{GameSessionID: "match", PlayerID: "alice"}, {GameSessionID: "match", PlayerID: "bob"}}
	ids := &table.games.get("match").ids
	ids.fetch(&table.keys)
	stripe := func(i int) int { // of who gets an id next, and who after him
		return table.stripeIndex(ids.keys[ids.used+i])
	}
	for ids.used = 1; stripe(0) >= stripe(1); ids.used++ {
		if ids.used == idsAtOnce-2 {
			ids.fetch(&table.keys)
			ids.used = 1
		}
	}
	first, last := &table.stripes[stripe(0)], &table.stripes[stripe(1)]
	last.mu.Lock()
	unlock := sync.OnceFunc(last.mu.Unlock)
	defer unlock()
	done := make(chan error, 1)
	go func() {
		_, err := table.ReserveAll(party)
		done <- err
	}()
	for first.mu.TryLock() {
		live := first.live.count
		first.mu.Unlock()
		require.Zero(t, live, "half of a party has appeared")
		require.Empty(t, done, "it did not wait")
		runtime.Gosched()
	}
	for range 1000 {
		if first.mu.TryLock() {
			first.mu.Unlock()
			require.Fail(t, "the first stripe was let go of while the party waits for the last")
		}
		runtime.Gosched()
	}
	unlock()
	require.NoError(t, <-done)
}
