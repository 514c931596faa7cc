package bench_test

import (
	"context"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// All players of a game session time out at one instant, while guests of another
// one are being let in. ns/op is the time for each who times out, from when the
// first reads TIMEDOUT until the last seat is free. accept-… are the quantiles of
// letting a guest in; wait-… count from when it was his turn, so they show that
// the processor was not to be had, too.
func BenchmarkExpiry(b *testing.B) {
	onProcs(b, 2)
	eachSize(b, func(b *testing.B, slots int) {
		s := newStorm(b, slots)
		var w work
		for b.Loop() {
			s.prepare(b)
			w.measure(slots, func() time.Duration { return s.run(b) })
		}
		w.report(b)
		reportQuantiles(b, &s.accepts, "accept-")
		reportQuantiles(b, &s.waits, "wait-")
	})
}

type storm struct {
	*house               // the guests
	players        crowd // those who time out
	games          int
	game           string // theirs
	deadline       time.Time
	first          string      // id of one of them
	arrivals       measure.IDs // of guests
	accepts, waits measure.Histogram
}

// pace is how often a guest comes.
const pace = 10 * time.Microsecond

// newStorm has guests enough for two microseconds a player.
func newStorm(b *testing.B, slots int) *storm {
	b.Helper()
	guests := max(slots/5, 200)
	c := plain()
	c.ReservationTimeout = time.Hour // a slow machine takes long to prepare
	s := &storm{house: newHouse(b, guests, c), players: newCrowd(slots)}
	s.settle(b)
	return s
}

// prepare reserves for everyone. The deadline is as far ahead as it takes for the
// last of them to reserve before it.
func (s *storm) prepare(b *testing.B) {
	b.Helper()
	guests := s.everyone()
	s.release(b, s.read(guests))
	each := s.reserve(b, slices.Clone(guests)) / time.Duration(len(guests))
	s.arrivals = s.read(guests)
	n := len(s.players.text) / playerLen
	for ahead := 20*time.Millisecond + time.Duration(n)*each*2; ; ahead *= 2 {
		s.games++
		s.game = "storm-" + strconv.Itoa(s.games)
		openGame(b, s.table, s.game, n)
		s.deadline = time.Now().Add(ahead)
		for i := range n {
			ps, err := s.table.Reserve(slot.Reservation{
				GameSessionID: s.game,
				PlayerID:      s.players.playerID(i),
				PlayerData:    s.players.data(i),
				Timeout:       max(time.Until(s.deadline), 1),
			})
			require.NoError(b, err)
			s.first = ps.PlayerSessionID
		}
		if time.Until(s.deadline) > 0 {
			return
		}
		require.NoError(b, s.table.TerminateGameSession(s.game))
	}
}

// run waits for the storm, lets guests in as long as it lasts, and returns how
// long that was.
func (s *storm) run(b *testing.B) time.Duration {
	b.Helper()
	watch := measure.NewStopwatch()
	var over atomic.Int64 // when the last seat was free
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		// It waits for the seats but frees none itself, as GameSession and Stats would.
		if err := s.table.DrainGameSession(context.Background(), s.game); err != nil {
			b.Error(err)
		}
		over.Store(watch.Read())
	}()
	time.Sleep(time.Until(s.deadline) - 5*time.Millisecond)
	turn := watch.Read()
	before := turn // the storm
	for over.Load() == 0 && s.calm() {
		before = turn
		turn = watch.After(turn + int64(pace))
	}
	for i := 0; over.Load() == 0 && i < s.arrivals.Len(); i++ {
		start := watch.After(turn)
		if _, err := s.door.AcceptPlayerSession(s.arrivals.At(i)); err != nil {
			b.Error(err)
		}
		end := watch.Read()
		s.accepts.Add(end - start - watch.Cost)
		s.waits.Add(end - turn - watch.Cost)
		turn += int64(pace)
	}
	<-drained
	return time.Duration(over.Load() - before)
}

// calm tells whether the storm is still to come.
func (s *storm) calm() bool {
	ps, err := s.table.Lookup(s.first)
	return err == nil && ps.Status == session.StatusReserved
}

// A table without a Capacity grows from nothing, and the players are let in
// meanwhile. ns/op is a reservation's; of the accepts, the longest counts.
func BenchmarkGrowth(b *testing.B) {
	onProcs(b, 2)
	eachSize(b, func(b *testing.B, slots int) {
		var w work
		var accepts measure.Histogram
		for b.Loop() {
			h := newHouse(b, slots, plain())
			w.measure(slots, func() time.Duration { return h.grow(b, &accepts) })
		}
		w.report(b)
		reportQuantiles(b, &accepts, "accept-")
		b.ReportMetric(float64(accepts.Max()), "accept-max-ns")
	})
}

// grow lets everyone reserve on one processor and come on the other, as soon as
// they have reserved.
func (h *house) grow(b *testing.B, accepts *measure.Histogram) time.Duration {
	b.Helper()
	given := make([]string, h.slots)
	var reserved atomic.Int64 // how many of them can be read
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		watch := measure.NewStopwatch()
		for i := 0; i < h.slots && !b.Failed(); {
			for ; i < int(reserved.Load()); i++ {
				id := given[i]
				start := watch.Read()
				_, err := h.door.AcceptPlayerSession(id)
				accepts.Add(watch.Since(start))
				if err != nil {
					b.Error(err)
					return
				}
			}
		}
	}()
	start := time.Now()
	for i := range h.slots {
		ps, err := h.table.Reserve(h.reservation(i))
		if err != nil {
			b.Error(err)
			break
		}
		given[i] = ps.PlayerSessionID
		reserved.Store(int64(i + 1))
	}
	took := time.Since(start)
	<-accepted
	return took
}
