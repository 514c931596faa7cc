//go:build !race && !usher_invariants

// What the race detector makes so slow, or allocate so much, that it tells nothing.

package slot_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// MaxRetained: 262,144.
func TestConfigMaxRetainedDefault(t *testing.T) {
	const most = 262_144
	f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesAllow, Capacity: most}, 1)
	first := f.release(f.reserve("first").PlayerSessionID)
	second := f.release(f.reserve("second").PlayerSessionID)
	for range most - 2 {
		f.release(f.reserve("other").PlayerSessionID)
	}
	f.lookup(first.PlayerSessionID)
	f.release(f.reserve("last").PlayerSessionID)
	_, err := f.Lookup(first.PlayerSessionID)
	require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
	f.lookup(second.PlayerSessionID)
	require.Equal(t, most, f.Stats().TimedOut)
}

// requireNoAllocations asks for the average of calls, so that one that allocates
// now and then (a queue, the history) passes, but none that always does.
func requireNoAllocations(t *testing.T, name string, call func()) {
	t.Helper()
	require.Zero(t, testing.AllocsPerRun(1000, call), name)
}

// testing.AllocsPerRun wants the process for itself, so none here is parallel.
func TestAcceptAllocatesNothing(t *testing.T) {
	for name, subscribe := range map[string]bool{"without a subscriber": false, "with one": true} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, slot.Config{ReconnectWindow: time.Hour}, 10_000)
			if subscribe { // stalled, for what it does would be measured too
				stalled := make(chan struct{})
				t.Cleanup(func() { close(stalled) })
				f.Subscribe(func(session.Event) { <-stalled })
			}
			var ids []string
			for i := range 2002 {
				r := slot.Reservation{GameSessionID: match, PlayerID: player(i), PlayerData: "data"}
				if i%2 == 0 {
					r.PlayerSessionID = fmt.Sprint("psess-", i)
				}
				ids = append(ids, f.reserved(r).PlayerSessionID)
			}
			next := 0
			requireNoAllocations(t, "Activate", func() {
				_, err := f.Activate(ids[next])
				next++
				if err != nil {
					panic(err)
				}
			})
			requireNoAllocations(t, "TakeOver", func() {
				if _, err := f.TakeOver(ids[0]); err != nil {
					panic(err)
				}
			})
			generation := f.lookup(ids[1]).Generation
			requireNoAllocations(t, "Disconnect and return", func() {
				if err := f.Disconnect(ids[1], generation); err != nil {
					panic(err)
				}
				ps, err := f.Activate(ids[1])
				if err != nil {
					panic(err)
				}
				generation = ps.Generation
			})
		})
	}
}

func TestRefusalsAllocateNothing(t *testing.T) {
	f := newFixture(t, slot.Config{}, 10)
	active := f.join("active").PlayerSessionID
	completed := f.release(f.join("completed").PlayerSessionID).PlayerSessionID
	timedOut := f.release(f.reserve("timed out").PlayerSessionID).PlayerSessionID
	alias := f.accept(f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "alias", PlayerSessionID: "psess-alias"}).PlayerSessionID).PlayerSessionID
	unknown := session.NewPlayerSessionID()
	refuse := func(t *testing.T, f fixture) {
		t.Helper()
		for _, test := range []struct {
			id   string
			want error
		}{
			{active, session.ErrAlreadyActive},
			{alias, session.ErrAlreadyActive},
			{completed, session.ErrCompleted},
			{timedOut, session.ErrTimedOut},
			{unknown, session.ErrPlayerSessionNotFound},
			{"psess-unknown", session.ErrPlayerSessionNotFound},
			{"malformed", session.ErrInvalidPlayerSessionID},
			{"psess-\xff", session.ErrInvalidPlayerSessionID},
			{strings.Repeat("x", 1<<20), session.ErrInvalidPlayerSessionID},
		} {
			requireNoAllocations(t, "Activate: "+session.Reason(test.want), func() {
				if _, err := f.Activate(test.id); !errors.Is(err, test.want) {
					panic(err)
				}
			})
			if errors.Is(test.want, session.ErrAlreadyActive) {
				continue
			}
			requireNoAllocations(t, "TakeOver: "+session.Reason(test.want), func() {
				if _, err := f.TakeOver(test.id); !errors.Is(err, test.want) {
					panic(err)
				}
			})
		}
	}
	refuse(t, f)
	// A logger that does not take the level costs nothing either.
	refuse(t, fixture{Table: f.WithLogger(zerolog.New(io.Discard).Level(zerolog.Disabled)), t: t})

	require.NoError(t, f.Close())
	requireNoAllocations(t, "closed", func() {
		if _, err := f.Activate(active); !errors.Is(err, session.ErrClosed) {
			panic(err)
		}
	})
}

// A table that has reached MaxRetained forgets as many as it retains, so that
// what Reserve and Release take they give back: of the pair, only Reserve makes
// an id and clones the texts.
func TestReleaseAllocatesNothing(t *testing.T) {
	const most = 512
	f := newFixture(t, slot.Config{MaxRetained: most, Stripes: 1}, 10_000)
	for i := range 4 * most {
		f.release(f.reserve(player(i)).PlayerSessionID)
	}
	var ids []string
	for i := range 2002 {
		ids = append(ids, f.join(player(i)).PlayerSessionID)
	}
	next := 0
	requireNoAllocations(t, "ACTIVE", func() {
		_, err := f.Release(ids[next])
		next++
		if err != nil {
			panic(err)
		}
	})
	requireNoAllocations(t, "COMPLETED", func() {
		if _, err := f.Release(ids[next-1]); err != nil {
			panic(err)
		}
	})
	require.LessOrEqual(t, testing.AllocsPerRun(1000, func() {
		ps, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerData: "data"})
		if err != nil {
			panic(err)
		}
		if _, err := f.Release(ps.PlayerSessionID); err != nil {
			panic(err)
		}
	}), 2.0, "Reserve and Release")
}

// A page of a small game session costs what it returns, whatever else there is.
func TestDescribeCost(t *testing.T) {
	describe := func(f fixture, q slot.Query) time.Duration {
		fastest := time.Duration(math.MaxInt64) // the noise of the machine only ever adds
		for range 20 {
			begin := time.Now()
			for range 50 {
				page, err := f.Describe(q)
				require.NoError(t, err)
				require.Len(t, page.PlayerSessions, 10)
			}
			fastest = min(fastest, time.Since(begin))
		}
		return fastest
	}
	populate := func(f fixture) {
		for i := range 10 {
			f.create(fmt.Sprint("game ", i), 1)
			f.reserved(slot.Reservation{GameSessionID: fmt.Sprint("game ", i), PlayerID: "alice"})
			f.reserve(fmt.Sprint("alice's friend ", i))
		}
	}
	alone := newFixture(t, slot.Config{}, 10)
	populate(alone)
	crowded := newFixture(t, slot.Config{}, 10)
	const others = 200_000
	crowded.create("crowd", others)
	for i := range others / 2 {
		crowded.reserved(slot.Reservation{GameSessionID: "crowd", PlayerID: player(i)})
	}
	populate(crowded)
	for i := range others / 2 {
		crowded.reserved(slot.Reservation{GameSessionID: "crowd", PlayerID: player(others + i)})
	}
	for _, q := range []slot.Query{{GameSessionID: match}, {PlayerID: "alice"}, {GameSessionID: match, Status: session.StatusReserved}} {
		small, large := describe(alone, q), describe(crowded, q)
		t.Logf("%v: %s alone, %s among %d others", q, small/50, large/50, others)
		require.Less(t, large, 10*small, "%v", q)
	}
}

// A large table may be further behind: twice the live players.
func TestOverloadOfALargeTable(t *testing.T) {
	const live = 34_000
	f := newFixture(t, slot.Config{}, live+1)
	party := make([]slot.Reservation, live)
	for i := range party {
		party[i] = slot.Reservation{GameSessionID: match, PlayerID: player(i)}
	}
	admitted, err := f.ReserveAll(party)
	require.NoError(t, err)
	loud := f.accept(admitted[0].PlayerSessionID).PlayerSessionID
	stalled := make(chan struct{})
	t.Cleanup(func() { close(stalled) })
	f.Subscribe(func(session.Event) { <-stalled })
	for range 2 * live {
		f.TakeOver(loud)
	}
	f.release(f.reserve("at the limit").PlayerSessionID)
	_, err = f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "late"})
	requireOnly(t, session.ErrOverloaded, err)
}
