package slot

import (
	"context"
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// What a million who time out at one instant cost, and the least that it can cost on
// this layout: in turns, on one processor that has nothing else to do. ns/op is the
// floor's: each record is found, leaves the live ones, goes to the archive and into
// its index, and once the history is full, the one that ended longest ago leaves the
// archive and its player's list. There are no locks, seats, texts, neighbours,
// deadlines or order. table-ns is the table's.
func BenchmarkExpiryFloor(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const players = 1_000_000
	table, err := NewTable(Config{DuplicatePlayers: DuplicatesAllow})
	require.NoError(b, err)
	defer table.Close()
	floor := expiryFloor{retained: table.config.MaxRetained, stripes: make([]floorStripe, len(table.stripes))}
	expireAll(b, table, "first", players) // so that both histories are full
	floor.reserve(players)
	floor.expire()
	var bare, whole time.Duration
	rounds := 0
	for b.Loop() {
		rounds++
		floor.reserve(players)
		bare += floor.expire()
		whole += expireAll(b, table, strconv.Itoa(rounds), players)
	}
	ops := float64(rounds * players)
	b.ReportMetric(float64(bare)/ops, "ns/op")
	b.ReportMetric(float64(whole)/ops, "table-ns")
	b.ReportMetric(float64(whole)/float64(bare), "×floor")
}

// expireAll lets players reserve and none of them come. It returns how long it takes
// from the tick at which the wheel finds them until all seats are free.
func expireAll(b *testing.B, table *Table, game string, players int) time.Duration {
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
	return time.Duration(table.clock.now() - deadline)
}

type expiryFloor struct {
	stripes  []floorStripe
	players  [64]index
	entries  []entry // in order of reservation
	retained int
	ended    int // of the entries
}

type floorStripe struct {
	live records
	past archive
	_    [cacheLines]byte
}

func (f *expiryFloor) reserve(players int) {
	f.entries = append(make([]entry, 0, len(f.entries)+players), f.entries...)
	for range players {
		e := entry{key: key{rand.Uint64(), rand.Uint64()}, player: rand.Uint32()}
		f.entries = append(f.entries, e)
		f.index(&e).add(e.player, uint32(len(f.entries)))
		f.stripe(&e).live.add(&record{key: e.key, place: uint32(len(f.entries))})
	}
	runtime.GC()
}

func (f *expiryFloor) stripe(e *entry) *floorStripe {
	return &f.stripes[e.key.hi%uint64(len(f.stripes))]
}

func (f *expiryFloor) index(e *entry) *index { return &f.players[e.player%uint32(len(f.players))] }

// expire ends all that are live, as many together as the table does.
func (f *expiryFloor) expire() time.Duration {
	began := time.Now()
	for f.ended < len(f.entries) {
		due := f.entries[f.ended:][:together]
		f.end(due)
		if f.ended += together; f.ended > f.retained {
			f.forget(f.entries[f.ended-f.retained-together:][:together])
		}
	}
	took := time.Since(began)
	f.entries = f.entries[f.ended-f.retained:]
	f.ended = f.retained
	return took
}

func (f *expiryFloor) end(due []entry) {
	for i := range due {
		s := f.stripe(&due[i])
		s.live.touch(due[i].key)
	}
	for i := range due {
		s := f.stripe(&due[i])
		r := s.live.find(due[i].key)
		ended := *r
		s.live.remove(r)
		s.past.add(&ended)
	}
}

func (f *expiryFloor) forget(earliest []entry) {
	for i := range earliest {
		e := &earliest[i]
		f.stripe(e).past.touchFirst()
		f.index(e).touch(e.player)
	}
	for i := range earliest {
		e := &earliest[i]
		f.stripe(e).past.remove(e.key)
		f.index(e).remove(f.index(e).find(e.player))
	}
}
