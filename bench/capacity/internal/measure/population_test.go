package measure

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func newTestPopulation(t *testing.T, n int, timeout time.Duration) *population {
	t.Helper()
	plan := Plan{}
	h, err := plan.open(gameIDs(n, 10), 10)
	require.NoError(t, err)
	t.Cleanup(h.close)
	p := newPopulation(h, 0, 1, n, timeout)
	require.NoError(t, p.fill(0, n))
	return p
}

// requireHolds compares the books with the table's.
func requireHolds(t *testing.T, p *population, active, waiting int) {
	t.Helper()
	stats := p.hall.table.Stats()
	require.Equal(t, active, stats.Active)
	require.Equal(t, waiting, stats.Reserved)
	require.Len(t, p.active, active)
	require.Equal(t, waiting, p.waiting.len())
	require.Empty(t, stats.Refused)
}

// Whatever the load does, as many players hold seats as before, and every game
// session is full and never too full.
func TestPopulationStays(t *testing.T) {
	t.Parallel()
	const n = 95 // the last game session has room for more
	p := newTestPopulation(t, n, time.Minute)
	requireHolds(t, p, n, 0)
	require.NoError(t, p.hold(9))
	requireHolds(t, p, n-9, 9)
	for range 1000 {
		require.NoError(t, p.join())
	}
	requireHolds(t, p, n-9, 9)
	require.NoError(t, p.step())
	require.NoError(t, p.step()) // one has left, another has reserved: in the middle
	require.NoError(t, p.hold(3))
	requireHolds(t, p, n-3, 3)
	require.NoError(t, p.hold(0))
	requireHolds(t, p, n, 0)

	stats := p.hall.table.Stats()
	require.Zero(t, stats.TimedOutTotal)
	require.Equal(t, stats.ReservedTotal, stats.AcceptedTotal)
	require.Equal(t, stats.AcceptedTotal-n, stats.CompletedTotal)
}

// Players who come too late are counted, and others take their seats.
func TestPopulationSurvivesAStall(t *testing.T) {
	t.Parallel()
	const n, timeout = 50, 50 * time.Millisecond
	p := newTestPopulation(t, n, timeout)
	require.NoError(t, p.hold(5))
	p.late = 0 // a busy machine may have made some late already
	require.Eventually(t, func() bool { return p.hall.table.Stats().Reserved == 0 }, time.Minute, time.Millisecond)
	p.timeout = time.Minute
	for range 3 {
		require.NoError(t, p.join())
	}
	require.Equal(t, 3, p.late)
	require.NoError(t, p.hold(0))
	require.Equal(t, 5, p.late)
	stats := p.hall.table.Stats()
	require.Equal(t, n, stats.Active)
	require.Zero(t, stats.Reserved)
}

// Workers never give the same name.
func TestPlayerNames(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for worker := range 3 {
		names := playerNames{next: worker, step: 3}
		for range 100 {
			name := names.take()
			require.Len(t, name, PlayerBytes)
			require.False(t, seen[name])
			seen[name] = true
		}
	}
	require.Contains(t, seen, "player-000000000299")
}

func TestQueue(t *testing.T) {
	t.Parallel()
	q := newQueue(3)
	next, first := int32(0), int32(0)
	for round := range 10 {
		for q.len() < 1+round%3 {
			q.push(seat{game: next})
			next++
		}
		for q.len() > 0 {
			require.Equal(t, first, q.first().game)
			require.Equal(t, first, q.pop().game)
			first++
		}
	}
	require.Equal(t, next, first)
}
