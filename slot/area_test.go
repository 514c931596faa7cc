package slot

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// requireLeads asks that for each half of a home where its first record stands is known.
func requireLeads(t *testing.T, a *area) {
	t.Helper()
	last := half{home: -1}
	for i := range a.slots {
		r := &a.slots[i]
		if r.place == 0 {
			continue
		}
		h := a.half(r.key)
		if h != last && len(a.leads) > 0 {
			require.Equal(t, min(i-h.home, farthestLead), a.leadOf(h), "%+v", h)
		}
		last = h
	}
}

// Who stands farther behind his home than a lead tells is found all the same.
func TestFarBehindHome(t *testing.T) {
	t.Parallel()
	rs := noRecords()
	rs.presize(3_000)
	require.Len(t, rs.leads, int(rs.homes))
	want := make(map[key]place)
	add := func(k key) {
		p := place(len(want) + 1)
		rs.add(k).place = p
		want[k] = p
	}
	const crowd = 500
	home := math.MaxUint64 / uint64(rs.homes)
	random := rand.New(rand.NewPCG(3, 7))
	for n := range uint64(crowd) {
		add(key{0, n})
		add(key{2*home + home/4*(1+n%2*2), n}) // of both halves, pushed away by those
	}
	requireLeads(t, rs.area)
	requireRecords(t, want, &rs)
	require.EqualValues(t, math.MaxUint8, rs.leads[2])
	require.Nil(t, rs.find(key{0, crowd}))
	for k := range want {
		if random.IntN(3) > 0 {
			rs.remove(rs.find(k))
			delete(want, k)
		}
	}
	requireLeads(t, rs.area)
	requireRecords(t, want, &rs)
}

// Who has read where the records stood before they grew finds them where they stand now.
func TestAcceptWhileItGrows(t *testing.T) {
	t.Parallel()
	table := newTable(t, Config{Stripes: 1, DuplicatePlayers: DuplicatesAllow})
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "g", MaximumPlayerSessionCount: 1000}))
	var ids []string
	reserve := func(n int) *area {
		for range n {
			ps, err := table.Reserve(Reservation{GameSessionID: "g", PlayerID: "player"})
			require.NoError(t, err)
			ids = append(ids, ps.PlayerSessionID)
		}
		return table.areas[0].Load()
	}
	before := reserve(200)
	require.NotSame(t, before, reserve(200))
	for _, id := range ids {
		if !selfChecks { // which would say that it is behind
			table.areas[0].Store(before)
		}
		_, err := table.Activate(id)
		require.NoError(t, err)
		_, err = table.Activate(id)
		require.ErrorIs(t, err, session.ErrAlreadyActive)
		ps, err := table.Lookup(id)
		require.NoError(t, err)
		require.Equal(t, session.StatusActive, ps.Status)
	}
}

// However a table has grown, who has no lock knows where the records are, once all is
// quiet.
func TestAreas(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"from nothing":    {Stripes: 4},
		"presized":        {Stripes: 4, Capacity: 1000},
		"beyond capacity": {Stripes: 4, Capacity: 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, err := NewTable(c)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, table.Close()) })
			requireAreas := func() {
				for i := range table.stripes {
					require.Same(t, table.stripes[i].live.area, table.areas[i].Load())
				}
			}
			requireAreas()
			require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "g", MaximumPlayerSessionCount: 1000}))
			require.NoError(t, table.ActivateGameSession("g"))
			for i := range 1000 {
				_, err := table.Reserve(Reservation{GameSessionID: "g", PlayerID: strconv.Itoa(i)})
				require.NoError(t, err)
				requireAreas()
			}
		})
	}
}
