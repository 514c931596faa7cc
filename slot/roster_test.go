package slot

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// Who never asks for a player's sessions does not pay for the lists of them.
func TestPlayersListsAreMadeForWhoAsks(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(*Table) error{
		"Describe": func(table *Table) error {
			page, err := table.Describe(Query{PlayerID: "player"})
			if err == nil && len(page.PlayerSessions) != 2 {
				err = fmt.Errorf("%d sessions", len(page.PlayerSessions))
			}
			return err
		},
		"Live": func(table *Table) error {
			_, err := table.Live("match", "player")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := newTableOfOne(t, 2)
			lists := func() (n uint32) {
				for i := range table.roster.players.parts {
					n += table.roster.players.parts[i].count
				}
				return n
			}
			_, err := table.Describe(Query{GameSessionID: "match"})
			require.NoError(t, err)
			require.Zero(t, lists())
			require.NoError(t, ask(table))
			require.EqualValues(t, 1, lists())
			require.NoError(t, ask(table), "and they are kept")
		})
	}
}

// newTableOfOne returns a table in which "player" has so many sessions in "match".
func newTableOfOne(t *testing.T, sessions int) *Table {
	t.Helper()
	table := newTable(t, Config{DuplicatePlayers: DuplicatesAllow})
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: sessions}))
	for range sessions {
		_, err := table.Reserve(Reservation{GameSessionID: "match", PlayerID: "player"})
		require.NoError(t, err)
	}
	return table
}

// While players' lists are made, others come, are forgotten, and are given the places
// of those: in every list there are all who are there, in order of reservation. This
// test takes the steps of listPlayers itself.
func TestOthersComeAndGoWhilePlayersAreListed(t *testing.T) {
	t.Parallel()
	table := newTable(t, Config{DuplicatePlayers: DuplicatesAllow, MaxRetained: 1})
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: 8}))
	var ids []string
	reserve := func() {
		ps, err := table.Reserve(Reservation{GameSessionID: "match", PlayerID: fmt.Sprint("player ", len(ids)%2)})
		require.NoError(t, err)
		ids = append(ids, ps.PlayerSessionID)
	}
	release := func(n int) {
		_, err := table.Release(ids[n])
		require.NoError(t, err)
	}
	for range 6 {
		reserve()
	}
	ro := &table.roster
	newest := ro.keepPlayers()
	reserve() // 6 is listed as it comes
	there := ro.upTo(newest)
	require.Len(t, there, 6)

	release(0)
	release(3) // 0 is forgotten, unlisted
	reserve()  // 7 has its place
	ro.listBefore([]cursor{there[5], there[4], there[3]})
	release(4) // 3 is forgotten, listed
	release(6) // and 4
	reserve()
	ro.listBefore([]cursor{there[2], there[1], there[0]})
	ro.whole.Store(true)

	for player, want := range [][]int{{2, 6, 8}, {1, 5, 7}} {
		page, err := table.Describe(Query{PlayerID: fmt.Sprint("player ", player)})
		require.NoError(t, err)
		var got []string
		for i := range page.PlayerSessions {
			got = append(got, page.PlayerSessions[i].PlayerSessionID)
		}
		var wanted []string
		for _, n := range want {
			wanted = append(wanted, ids[n])
		}
		require.Equal(t, wanted, got)
	}
}

// The same at once: while some ask for the first time, others reserve, release and are
// forgotten. Then each player's list has those of the game session's.
func TestFirstToAskAmongOthers(t *testing.T) {
	t.Parallel()
	const there, players = 20 * chunkPlaces, 50
	table := newTable(t, Config{DuplicatePlayers: DuplicatesAllow, MaxRetained: there / 4})
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: 2 * there}))
	reserve := func(i int) string {
		ps, err := table.Reserve(Reservation{GameSessionID: "match", PlayerID: fmt.Sprint("player ", i%players)})
		assert.NoError(t, err)
		return ps.PlayerSessionID
	}
	var ids []string
	for i := range there {
		ids = append(ids, reserve(i))
	}
	var all sync.WaitGroup
	for asker := range 2 {
		all.Go(func() {
			_, err := table.Describe(Query{PlayerID: fmt.Sprint("player ", asker)})
			assert.NoError(t, err)
		})
	}
	for part := range 2 {
		all.Go(func() {
			for i := part; i < there; i += 2 {
				if _, err := table.Release(ids[i]); !assert.NoError(t, err) {
					return
				}
				reserve(i)
			}
		})
	}
	all.Wait()
	listed := make(map[string][]string)
	describe := func(q Query, found func(session.PlayerSession)) {
		for q.Limit = 1000; ; {
			page, err := table.Describe(q)
			require.NoError(t, err)
			for i := range page.PlayerSessions {
				found(page.PlayerSessions[i])
			}
			if q.NextToken = page.NextToken; q.NextToken == "" {
				return
			}
		}
	}
	describe(Query{GameSessionID: "match"}, func(ps session.PlayerSession) {
		listed[ps.PlayerID] = append(listed[ps.PlayerID], ps.PlayerSessionID)
	})
	require.Len(t, listed, players)
	for player, want := range listed {
		var got []string
		describe(Query{PlayerID: player}, func(ps session.PlayerSession) { got = append(got, ps.PlayerSessionID) })
		require.Equal(t, want, got)
	}
}

// Places that were left are given again, each to one, and a chunk's in order, before
// any that is new.
func TestPlacesAreGivenAgain(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 7))
	const chunks = 5
	ro := newRoster(false)
	taken := make(map[place]bool)
	take := func() place {
		p := ro.free()
		require.False(t, taken[p], "two have place %d", p)
		require.NotZero(t, p)
		taken[p] = true
		return p
	}
	for range chunks * chunkPlaces {
		take()
	}
	most := ro.places
	for range 50 {
		there := slices.Sorted(maps.Keys(taken))
		random.Shuffle(len(there), func(i, j int) { there[i], there[j] = there[j], there[i] })
		left := there[:random.IntN(len(there)+1)]
		for _, p := range left {
			delete(taken, p)
			ro.reuse(p)
		}
		var given []place
		for range random.IntN(len(left) + 1) {
			given = append(given, take())
		}
		for i := 1; i < len(given); i++ {
			if given[i]/chunkPlaces == given[i-1]/chunkPlaces {
				require.Greater(t, given[i], given[i-1])
			}
		}
		for len(taken) < len(there) {
			take()
		}
		require.Equal(t, most, ro.places)
	}
	require.Equal(t, most, take(), "there is no other")
}
