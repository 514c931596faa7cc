package slot

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// What a million who time out at one instant cost until their seats are free, and the
// least that it can cost on this layout: in turns, on one processor that has nothing
// else to do. ns/op is the floor's: each record is found and says that it has ended.
// There are no locks, seats, deadlines or order. table-ns is the table's; away-ns is
// what it does afterwards, when it puts them away and forgets those whom its history
// does not hold.
func BenchmarkExpiryFloor(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const players = 1_000_000
	table, err := NewTable(Config{DuplicatePlayers: DuplicatesAllow})
	require.NoError(b, err)
	defer table.Close()
	expireAll(b, table, "first", players) // so that the history is full
	floor := expiryFloor{stripes: make([]floorStripe, len(table.stripes))}
	for i := range floor.stripes {
		floor.stripes[i].live = noRecords()
	}
	floor.reserve(players)
	var bare, whole, away time.Duration
	rounds := 0
	for b.Loop() {
		rounds++
		bare += floor.expire()
		free, rest := expireAll(b, table, strconv.Itoa(rounds), players)
		whole += free
		away += rest
	}
	ops := float64(rounds * players)
	b.ReportMetric(float64(bare)/ops, "ns/op")
	b.ReportMetric(float64(whole)/ops, "table-ns")
	b.ReportMetric(float64(away)/ops, "away-ns")
	b.ReportMetric(float64(whole)/float64(bare), "×floor")
}

// expireAll lets players reserve and none of them come. It returns how long it takes
// from the tick at which the wheel finds them until all seats are free, and from then
// until all is put away.
func expireAll(b *testing.B, table *Table, game string, players int) (free, away time.Duration) {
	b.Helper()
	require.NoError(b, table.CreateGameSession(session.GameSession{GameSessionID: game, MaximumPlayerSessionCount: players}))
	began := table.clock.now()
	deadline := began + int64(players)*int64(5*time.Microsecond)
	deadline -= deadline % int64(tick)
	for i := range players {
		_, err := table.Reserve(Reservation{
			GameSessionID: game,
			PlayerID:      "player-" + strconv.Itoa(i),
			Timeout:       time.Duration(deadline - table.clock.now()),
		})
		require.NoError(b, err, "or the machine takes longer than 5 µs")
	}
	runtime.GC()
	require.Less(b, table.clock.now(), deadline)
	require.NoError(b, table.DrainGameSession(context.Background(), game))
	free = time.Duration(table.clock.now() - deadline)
	for table.expiry.busy() {
		runtime.Gosched()
	}
	return free, time.Duration(table.clock.now()-deadline) - free
}

// busy tells whether the reclaimer has something to do.
func (x *expiry) busy() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.told
}

type expiryFloor struct {
	stripes []floorStripe
	keys    []key // in order of reservation
}

type floorStripe struct {
	live records
	_    [cacheLines]byte
}

func (f *expiryFloor) reserve(players int) {
	for i := range players {
		k := key{rand.Uint64(), rand.Uint64()}
		f.keys = append(f.keys, k)
		f.stripe(k).live.add(k).place = uint32(i + 1)
	}
}

func (f *expiryFloor) stripe(k key) *floorStripe { return &f.stripes[k.hi%uint64(len(f.stripes))] }

// expire ends all, as many together as the table does.
func (f *expiryFloor) expire() time.Duration {
	runtime.GC()
	began := time.Now()
	for some := range slices.Chunk(f.keys, together) {
		for _, k := range some {
			f.stripe(k).live.touch(k)
		}
		for _, k := range some {
			f.stripe(k).live.find(k).become(session.StatusTimedOut, session.CauseDeadline)
		}
	}
	return time.Since(began)
}
