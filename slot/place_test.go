package slot

import (
	"bytes"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// givenAgain is a table in which the id and the place of a player session that was
// found are given again before it is locked, as only its sequence number never is.
// That race is rare, so its tests take the steps themselves.
type givenAgain struct {
	*Table
	first, second *gameSession // one seat of the first is another's
	res           Reservation  // in the first
	was           listed       // as it was found
}

func newGivenAgain(t *testing.T) givenAgain {
	t.Helper()
	table := newTable(t, Config{MaxRetained: 1})
	for _, id := range []string{"first", "second"} {
		require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: id, MaximumPlayerSessionCount: 3}))
	}
	x := givenAgain{
		Table:  table,
		first:  table.games.get("first"),
		second: table.games.get("second"),
		res:    Reservation{GameSessionID: "first", PlayerID: "player", PlayerSessionID: "psess-made-elsewhere"},
	}
	x.reserve(t, Reservation{GameSessionID: "first", PlayerID: "who holds the lowest seat"})
	x.reserve(t, x.res)
	x.was = x.found(t)
	return x
}

// reserve is Reserve, for tests that hold the lock of a game session.
func (x givenAgain) reserve(t *testing.T, r Reservation) session.PlayerSession {
	t.Helper()
	var ps session.PlayerSession
	require.NoError(t, x.Table.reserve([]Reservation{r}, make([]claim, 1), []*session.PlayerSession{&ps}))
	return ps
}

// found is what the roster says of the id.
func (x givenAgain) found(t *testing.T) listed {
	t.Helper()
	s, r, err := x.lockStripe(x.res.PlayerSessionID)
	require.NoError(t, err)
	defer s.mu.Unlock()
	return listed{cursor{r.seq, r.place}, r.key, r.game}
}

// forget lets another end, which makes the one that was found a surplus.
func (x givenAgain) forget(t *testing.T) {
	t.Helper()
	_, err := x.Release(x.res.PlayerSessionID)
	require.NoError(t, err)
	other := x.reserve(t, Reservation{GameSessionID: "second", PlayerID: "who ends later"})
	_, err = x.Release(other.PlayerSessionID)
	require.NoError(t, err)
	_, err = x.Lookup(x.res.PlayerSessionID)
	require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
}

// again reserves under the id in a game session.
func (x givenAgain) again(t *testing.T, gameSessionID string) {
	t.Helper()
	x.res.GameSessionID = gameSessionID
	x.reserve(t, x.res)
	is := x.found(t)
	require.Equal(t, x.was.key, is.key)
	require.Equal(t, x.was.place, is.place)
}

func (x givenAgain) requireHeld(t *testing.T, first, second int) {
	t.Helper()
	for id, held := range map[string]int{"first": first, "second": second} {
		gs, err := x.GameSession(id)
		require.NoError(t, err)
		require.Equal(t, held, gs.CurrentPlayerSessionCount, id)
	}
}

// The wheel came for who was there before, and ends nobody else.
func TestExpireGivenAgain(t *testing.T) {
	t.Parallel()
	x := newGivenAgain(t)
	x.forget(t)
	x.again(t, "second")
	x.expire([]listed{x.was}, never, false)
	x.requireHeld(t, 1, 1)
	ps, err := x.Lookup(x.res.PlayerSessionID)
	require.NoError(t, err)
	require.Equal(t, session.StatusReserved, ps.Status)
}

// Describe leaves out who has been forgotten: who has come instead has a turn of
// its own.
func TestDescribeGivenAgain(t *testing.T) {
	t.Parallel()
	x := newGivenAgain(t)
	x.forget(t)
	x.again(t, "first")
	var g *gameSession
	_, _, ok := x.read(x.was, &g)
	x.unlock(g)
	require.False(t, ok)
}

// A call that waits for the game session it was to change finds that the player
// session is another's now, and changes it there.
func TestReleaseGivenAgain(t *testing.T) {
	t.Parallel()
	x := newGivenAgain(t)
	x.first.mu.Lock()
	unlock := sync.OnceFunc(func() { x.unlock(x.first) })
	defer unlock()
	var call sync.WaitGroup
	var err error
	call.Go(func() { _, err = x.Release(x.res.PlayerSessionID) })
	waitForMutex(t, "TestReleaseGivenAgain", "lockPlayer")

	s, r, lockErr := x.lockStripe(x.res.PlayerSessionID)
	require.NoError(t, lockErr)
	e := s.settled(r, 0, never)
	e.end(session.CauseReleased, x.now())
	x.finish(x.first, s, r, &e)
	x.history.count(-1)
	x.forgetLocked(x.first, []listed{x.was})
	x.again(t, "second")
	unlock()

	call.Wait()
	require.NoError(t, err)
	x.requireHeld(t, 1, 0)
	ps, err := x.Lookup(x.res.PlayerSessionID)
	require.NoError(t, err)
	require.Equal(t, session.StatusTimedOut, ps.Status)
}

// waitForMutex waits until a goroutine with these functions on its stack waits for
// a mutex.
func waitForMutex(t *testing.T, functions ...string) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	waits := func(stack []byte) bool {
		for _, f := range functions {
			if !bytes.Contains(stack, []byte(f)) {
				return false
			}
		}
		return bytes.Contains(stack, []byte("[sync.Mutex.Lock"))
	}
	require.Eventually(t, func() bool {
		n := runtime.Stack(stacks, true)
		for n == len(stacks) { // cut off
			stacks = make([]byte, 2*n)
			n = runtime.Stack(stacks, true)
		}
		for stack := range bytes.SplitSeq(stacks[:n], []byte("\n\n")) {
			if waits(stack) {
				return true
			}
		}
		return false
	}, time.Minute, time.Millisecond)
}
