package slot_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// pages reads a query page by page, and calls between after each that is not
// the last.
func (f fixture) pages(q slot.Query, between func(page int)) [][]session.PlayerSession {
	f.t.Helper()
	var pages [][]session.PlayerSession
	for {
		page, err := f.Describe(q)
		require.NoError(f.t, err)
		pages = append(pages, page.PlayerSessions)
		if q.NextToken = page.NextToken; q.NextToken == "" {
			return pages
		}
		require.NotEmpty(f.t, page.PlayerSessions, "a page that is not the last one")
		between(len(pages))
	}
}

func players(sessions []session.PlayerSession) []string {
	var ids []string
	for _, ps := range sessions {
		ids = append(ids, ps.PlayerID)
	}
	return ids
}

// In order of reservation, whatever has become of the sessions since.
func TestDescribeOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: time.Hour}, 5)
		a, b, c, d, e := f.reserve("a"), f.reserve("b"), f.reserve("c"), f.reserve("d"), f.reserve("e")
		f.accept(d.PlayerSessionID)
		f.release(a.PlayerSessionID)
		f.reserve("f") // in the seat of a
		f.accept(b.PlayerSessionID)
		f.release(b.PlayerSessionID)
		f.drop(f.accept(c.PlayerSessionID))
		time.Sleep(time.Minute)
		f.reserve("a") // again

		listed := f.describe(slot.Query{GameSessionID: match})
		require.Equal(t, []string{"a", "b", "c", "d", "e", "f", "a"}, players(listed))
		for _, ps := range listed {
			require.Equal(t, f.lookup(ps.PlayerSessionID), ps)
		}
		require.Equal(t, []session.Status{
			session.StatusTimedOut, session.StatusCompleted, session.StatusActive, session.StatusActive,
			session.StatusTimedOut, session.StatusTimedOut, session.StatusReserved,
		}, func() (statuses []session.Status) {
			for _, ps := range listed {
				statuses = append(statuses, ps.Status)
			}
			return statuses
		}())
		require.Equal(t, e.CreationTime.Add(time.Minute), listed[4].TerminationTime)
	})
}

func TestDescribeLimit(t *testing.T) {
	t.Parallel()
	const n = 7
	f := newFixture(t, slot.Config{}, n)
	for i := range n {
		f.reserve(player(i))
	}
	all := f.describe(slot.Query{GameSessionID: match})
	require.Len(t, all, n)
	for limit := 1; limit <= n+1; limit++ {
		pages := f.pages(slot.Query{GameSessionID: match, Limit: limit}, func(int) {})
		require.Len(t, pages, (n+limit-1)/limit, "no empty page at the end")
		for _, page := range pages[:len(pages)-1] {
			require.Len(t, page, limit)
		}
		require.Equal(t, all, slices.Concat(pages...))
	}
	for _, limit := range []int{-1, math.MinInt} {
		for _, q := range []slot.Query{{GameSessionID: match}, {PlayerID: "player-1"}, {PlayerSessionID: all[0].PlayerSessionID}} {
			q.Limit = limit
			_, err := f.Describe(q)
			requireField(t, "Limit", err)
		}
	}
}

// The limit is 100 if none is given, and never more than 1,000.
func TestDescribeLimitBounds(t *testing.T) {
	t.Parallel()
	const n = 1001
	f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesAllow}, n)
	for range n {
		f.reserve("alice")
	}
	for _, q := range []slot.Query{{GameSessionID: match}, {PlayerID: "alice"}} {
		for limit, want := range map[int]int{0: 100, 1: 1, 100: 100, 999: 999, 1000: 1000, 1001: 1000, math.MaxInt: 1000} {
			q.Limit = limit
			page, err := f.Describe(q)
			require.NoError(t, err)
			require.Len(t, page.PlayerSessions, want)
			require.NotEmpty(t, page.NextToken)
		}
		q.Limit = 0
		require.Len(t, f.describe(q), n)
	}
}

// The limit may change from page to page.
func TestDescribeChangingLimit(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 10)
	for i := range 10 {
		f.reserve(player(i))
	}
	q := slot.Query{GameSessionID: match}
	var all []session.PlayerSession
	for _, limit := range []int{1, 3, 2, 4} {
		q.Limit = limit
		page, err := f.Describe(q)
		require.NoError(t, err)
		require.Len(t, page.PlayerSessions, limit)
		all = append(all, page.PlayerSessions...)
		q.NextToken = page.NextToken
	}
	require.Empty(t, q.NextToken)
	require.Equal(t, f.describe(slot.Query{GameSessionID: match}), all)
}

func TestDescribeStatus(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 100)
	want := make(map[session.Status][]string)
	for i := range 40 {
		id := f.reserve(player(i)).PlayerSessionID
		switch i % 5 {
		case 1, 2:
			f.accept(id)
		case 3:
			f.release(id)
		case 4:
			f.release(f.accept(id).PlayerSessionID)
		}
		status := f.lookup(id).Status
		want[status] = append(want[status], id)
	}
	require.Len(t, want, 4)
	for status, ids := range want {
		for _, limit := range []int{0, 1, 3, 8} {
			var got []string
			for _, page := range f.pages(slot.Query{GameSessionID: match, Status: status, Limit: limit}, func(int) {}) {
				require.NotEmpty(t, page, "no page for those passed over")
				for _, ps := range page {
					require.Equal(t, status, ps.Status)
					got = append(got, ps.PlayerSessionID)
				}
			}
			require.Equal(t, ids, got)
		}
		// It has effect with GameSessionID alone.
		for other, others := range want {
			ps := f.lookup(others[0])
			page, err := f.Describe(slot.Query{PlayerSessionID: ps.PlayerSessionID, Status: status})
			require.NoError(t, err)
			require.Equal(t, []session.PlayerSession{ps}, page.PlayerSessions, "%s asked for, %s", status, other)
			page, err = f.Describe(slot.Query{PlayerID: ps.PlayerID, Status: status})
			require.NoError(t, err)
			require.Equal(t, []session.PlayerSession{ps}, page.PlayerSessions)
		}
	}
	f.create("empty", 1)
	require.Empty(t, f.describe(slot.Query{GameSessionID: "empty", Status: session.StatusActive}))
	_, err := f.Describe(slot.Query{GameSessionID: match, Status: session.StatusTimedOut + 1})
	requireOnly(t, session.ErrInvalidField, err)
}

// A filter judges deadlines as all calls do.
func TestDescribeOverdue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: time.Minute}, 3)
		time.Sleep(3 * time.Millisecond)
		reserved := f.reserve("reserved")
		dropped := f.join("dropped")
		f.drop(dropped)
		time.Sleep(time.Minute)
		require.Empty(t, f.describe(slot.Query{GameSessionID: match, Status: session.StatusReserved}))
		require.Empty(t, f.describe(slot.Query{GameSessionID: match, Status: session.StatusActive}))
		reserved.Status, reserved.TerminationTime = session.StatusTimedOut, reserved.CreationTime.Add(time.Minute)
		dropped.Status, dropped.TerminationTime = session.StatusCompleted, dropped.CreationTime.Add(time.Minute)
		require.Equal(t, []session.PlayerSession{reserved}, f.describe(slot.Query{GameSessionID: match, Status: session.StatusTimedOut}))
		require.Equal(t, []session.PlayerSession{dropped}, f.describe(slot.Query{PlayerID: "dropped"}))
	})
}

func TestDescribePlayerSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 3)
	for _, id := range []string{"", "psess-alias"} {
		ps := f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "alice" + id, PlayerSessionID: id})
		for _, q := range []slot.Query{{}, {Limit: 1}, {NextToken: "no effect, as in GameLift"}} {
			q.PlayerSessionID = ps.PlayerSessionID
			page, err := f.Describe(q)
			require.NoError(t, err)
			require.Equal(t, slot.Page{PlayerSessions: []session.PlayerSession{ps}}, page)
		}
	}
	_, err := f.Describe(slot.Query{PlayerSessionID: session.NewPlayerSessionID()})
	requireOnly(t, session.ErrPlayerSessionNotFound, err)
	_, err = f.Describe(slot.Query{PlayerSessionID: "unknown"})
	requireOnly(t, session.ErrInvalidPlayerSessionID, err)
}

func TestDescribePlayer(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesAllow}, 100)
	f.create("second", 100)
	f.create("third", 100)
	var want []session.PlayerSession
	for i := range 30 {
		ps := f.reserved(slot.Reservation{GameSessionID: []string{match, "second", "third"}[i*i%3], PlayerID: "alice", PlayerData: player(i)})
		f.reserved(slot.Reservation{GameSessionID: match, PlayerID: player(i)})
		if i%4 == 0 {
			ps = f.release(ps.PlayerSessionID)
		}
		want = append(want, ps)
	}
	for _, limit := range []int{0, 1, 4, 30} {
		require.Equal(t, want, f.describe(slot.Query{PlayerID: "alice", Limit: limit}))
	}
	f.terminate("second") // retained
	require.Len(t, f.describe(slot.Query{PlayerID: "alice"}), 30)
	for _, unknown := range []string{"bob", "alic", "alice ", "ALICE", strings.Repeat("x", 5000), "\xff"} {
		page, err := f.Describe(slot.Query{PlayerID: unknown})
		require.NoError(t, err)
		require.Empty(t, page.PlayerSessions)
		require.Empty(t, page.NextToken)
	}
}

func TestDescribeUnknownGameSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 1)
	_, err := f.Describe(slot.Query{GameSessionID: "nowhere"})
	requireOnly(t, session.ErrGameSessionNotFound, err)
	page, err := f.Describe(slot.Query{GameSessionID: match})
	require.NoError(t, err)
	require.Empty(t, page.PlayerSessions)
}

func TestDescribeWantsOneID(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 1)
	id := f.reserve("alice").PlayerSessionID
	for _, q := range []slot.Query{
		{},
		{Status: session.StatusActive, Limit: 1},
		{PlayerSessionID: id, PlayerID: "alice"},
		{PlayerSessionID: id, GameSessionID: match},
		{PlayerID: "alice", GameSessionID: match},
		{PlayerSessionID: id, PlayerID: "alice", GameSessionID: match},
	} {
		page, err := f.Describe(q)
		requireOnly(t, session.ErrInvalidField, err)
		require.Zero(t, page)
	}
}

func TestDescribeToken(t *testing.T) {
	t.Parallel()
	f, twin := newFixture(t, slot.Config{}, 10), newFixture(t, slot.Config{}, 10)
	for _, table := range []fixture{f, twin} { // the same but for the table
		table.create("other", 10)
		for i := range 4 {
			for _, gameSessionID := range []string{match, "other"} {
				table.reserved(slot.Reservation{
					GameSessionID: gameSessionID, PlayerID: "alice" + fmt.Sprint(i%2), PlayerData: "alice",
					PlayerSessionID: fmt.Sprint("psess-", gameSessionID, i),
				})
				if i < 2 {
					table.release(fmt.Sprint("psess-", gameSessionID, i))
				}
			}
		}
	}
	queries := []slot.Query{
		{GameSessionID: match},
		{GameSessionID: "other"},
		{GameSessionID: match, Status: session.StatusReserved},
		{GameSessionID: match, Status: session.StatusTimedOut},
		{PlayerID: "alice0"},
		{PlayerID: "alice1"},
	}
	for i, q := range queries {
		q.Limit = 1
		page, err := f.Describe(q)
		require.NoError(t, err)
		token := page.NextToken
		require.NotEmpty(t, token)
		refused := func(table fixture, q slot.Query, token string) {
			t.Helper()
			q.NextToken = token
			page, err := table.Describe(q)
			requireField(t, "NextToken", err)
			require.Zero(t, page)
		}
		for j, other := range queries {
			if i != j {
				refused(f, other, token)
			}
		}
		refused(twin, q, token)
		for _, made := range []string{"x", " ", token + token, token[1:], token[:len(token)-1], token + "A", token + "=", " " + token} {
			refused(f, q, made)
		}
		raw, err := base64.RawURLEncoding.DecodeString(token)
		require.NoError(t, err)
		for at := range raw {
			for bit := range 8 {
				altered := slices.Clone(raw)
				altered[at] ^= 1 << bit
				refused(f, q, base64.RawURLEncoding.EncodeToString(altered))
			}
		}
		refused(f, q, base64.RawURLEncoding.EncodeToString(make([]byte, len(raw))))

		// It is good for this query, and more than once.
		q.NextToken = token
		first, err := f.Describe(q)
		require.NoError(t, err)
		again, err := f.Describe(q)
		require.NoError(t, err)
		require.Equal(t, first, again)
		require.NotContains(t, token, "alice")
	}
}

// A line break is no part of a token, though base64 decoders pass over it.
func TestDescribeTokenWithLineBreaks(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 10)
	f.reserve("alice")
	f.reserve("bob")
	page, err := f.Describe(slot.Query{GameSessionID: match, Limit: 1})
	require.NoError(t, err)
	for _, token := range []string{page.NextToken + "\n", "\r\n" + page.NextToken, page.NextToken[:5] + "\n" + page.NextToken[5:]} {
		_, err := f.Describe(slot.Query{GameSessionID: match, NextToken: token})
		requireField(t, "NextToken", err)
	}
}

// No session twice, none skipped that was there throughout.
func TestDescribeWhileSessionsComeAndGo(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 2, 5} {
		for _, q := range []slot.Query{{GameSessionID: match}, {PlayerID: "alice"}} {
			t.Run(fmt.Sprint(q, limit), func(t *testing.T) {
				t.Parallel()
				f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesAllow}, 1000)
				var there []string
				for range 20 {
					there = append(there, f.reserve("alice").PlayerSessionID)
				}
				query := q
				query.Limit = limit
				pages := f.pages(query, func(page int) {
					f.release(there[page%20])     // perhaps read, perhaps not yet
					f.release(there[(page*7)%20]) // ended is not gone
					if page < 8 {
						f.reserve("alice")
					}
				})
				seen := make(map[string]int)
				var order []string
				for _, ps := range slices.Concat(pages...) {
					seen[ps.PlayerSessionID]++
					require.Equal(t, 1, seen[ps.PlayerSessionID])
					order = append(order, ps.PlayerSessionID)
				}
				require.Equal(t, there, order[:20])
				require.Greater(t, len(order), 20, "newcomers are behind the others")
			})
		}
	}
}

// A filter is asked of each session when its page is made.
func TestDescribeStatusWhilePaging(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 10)
	var ids []string
	for i := range 6 {
		ids = append(ids, f.reserve(player(i)).PlayerSessionID)
	}
	pages := f.pages(slot.Query{GameSessionID: match, Status: session.StatusReserved, Limit: 2}, func(page int) {
		if page == 1 {
			f.accept(ids[1]) // the one at the cursor
			f.accept(ids[2])
		}
	})
	require.Equal(t, []string{"player-0", "player-1", "player-3", "player-4", "player-5"}, players(slices.Concat(pages...)))
}

// The session at the cursor is forgotten before the next page.
func TestDescribeForgottenAtTheCursor(t *testing.T) {
	t.Parallel()
	for _, q := range []slot.Query{{GameSessionID: match}, {PlayerID: "alice"}} {
		for limit := 1; limit <= 5; limit++ {
			t.Run(fmt.Sprint(q, limit), func(t *testing.T) {
				t.Parallel()
				f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesAllow, MaxRetained: 1}, 100)
				var want []string
				for range 12 {
					want = append(want, f.reserve("alice").PlayerSessionID)
				}
				f.create("other", 1)
				query := q
				query.Limit = limit
				read := 0
				pages := f.pages(query, func(page int) {
					for ; read < page*limit; read++ { // all that were read are forgotten, but the last
						f.release(want[read])
					}
					// That one too, and its place is given to another.
					f.reserved(slot.Reservation{GameSessionID: "other", PlayerID: "bob"})
					live, err := f.Live("other", "bob")
					require.NoError(t, err)
					f.release(live.PlayerSessionID)
				})
				var got []string
				for _, ps := range slices.Concat(pages...) {
					got = append(got, ps.PlayerSessionID)
				}
				require.Equal(t, want, got)
			})
		}
	}
}

// It alone is forgotten: those before it are still there, and are not told again.
func TestDescribeForgottenBehindOthers(t *testing.T) {
	t.Parallel()
	for _, q := range []slot.Query{{GameSessionID: match, Limit: 3}, {PlayerID: "alice", Limit: 3}} {
		f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesAllow, MaxRetained: 1}, 100)
		f.create("other", 1)
		var want []string
		for range 12 {
			want = append(want, f.reserve("alice").PlayerSessionID)
		}
		pages := f.pages(q, func(page int) {
			f.release(want[page*3-1])
			f.release(f.reserved(slot.Reservation{GameSessionID: "other", PlayerID: "bob"}).PlayerSessionID)
			_, err := f.Lookup(want[page*3-1])
			requireOnly(t, session.ErrPlayerSessionNotFound, err)
		})
		var got []string
		for _, ps := range slices.Concat(pages...) {
			got = append(got, ps.PlayerSessionID)
		}
		require.Equal(t, want, got)
	}
}

// A page is of one instant, however many entries it has: here all of a game session
// are RESERVED, or all have ended with it.
func TestDescribePageIsOfOneInstant(t *testing.T) {
	t.Parallel()
	const n = 1000
	for range 20 {
		f := newFixture(t, slot.Config{}, n)
		party := make([]slot.Reservation, n)
		for i := range party {
			party[i] = slot.Reservation{GameSessionID: match, PlayerID: player(i)}
		}
		_, err := f.ReserveAll(party)
		require.NoError(t, err)
		var call sync.WaitGroup
		call.Go(func() { _ = f.TerminateGameSession(match) })
		for over := false; !over; {
			page, err := f.Describe(slot.Query{GameSessionID: match, Limit: n})
			require.NoError(t, err)
			require.Len(t, page.PlayerSessions, n)
			over = page.PlayerSessions[0].Status.Terminal()
			for _, ps := range page.PlayerSessions {
				require.Equal(t, over, ps.Status.Terminal())
			}
		}
		call.Wait()
	}
}

// However many a filter passes over, it finds those behind.
func TestDescribeStatusPassesOverMany(t *testing.T) {
	t.Parallel()
	const n = 3000
	f := newFixture(t, slot.Config{}, n)
	var party []slot.Reservation
	for i := range n {
		party = append(party, slot.Reservation{GameSessionID: match, PlayerID: player(i)})
	}
	admitted, err := f.ReserveAll(party)
	require.NoError(t, err)
	var want []session.PlayerSession
	for _, i := range []int{0, 127, 128, 1500, n - 1} {
		want = append(want, f.accept(admitted[i].PlayerSessionID))
	}
	for _, limit := range []int{1, 2, 5, 1000} {
		require.Equal(t, want, f.describe(slot.Query{GameSessionID: match, Status: session.StatusActive, Limit: limit}))
	}
}

// A game session is forgotten and another is created under its id: the token
// leads to nothing that has been read.
func TestDescribeForgottenGameSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{Retention: time.Hour}, 10)
		for i := range 4 {
			f.reserve(player(i))
		}
		q := slot.Query{GameSessionID: match, Limit: 2}
		page, err := f.Describe(q)
		require.NoError(t, err)
		f.terminate(match)
		q.NextToken = page.NextToken
		page, err = f.Describe(q)
		require.NoError(t, err)
		require.Equal(t, []string{"player-2", "player-3"}, players(page.PlayerSessions), "retained")

		time.Sleep(time.Hour + time.Millisecond)
		_, err = f.Describe(q)
		requireOnly(t, session.ErrGameSessionNotFound, err)
		require.Empty(t, f.describe(slot.Query{PlayerID: "player-2"}))

		f.create(match, 10)
		for i := range 4 {
			f.reserve(fmt.Sprint("new ", i))
		}
		require.Equal(t, []string{"new 0", "new 1", "new 2", "new 3"}, players(f.describe(q)))
	})
}

// While parties come and go, no reading of all pages finds a part of one.
func TestDescribePartyOverPages(t *testing.T) {
	t.Parallel()
	const size = 5
	f := newFixture(t, slot.Config{Stripes: 4, DuplicatePlayers: slot.DuplicatesAllow}, 1000)
	ctx, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ctx.Err() == nil && i < 100; i++ {
			party := partyOf("alice", "alice", "bob", "alice", "alice")
			for j := range party {
				party[j].PlayerData = fmt.Sprint(i)
			}
			if _, err := f.ReserveAll(party); err != nil {
				t.Error(err)
			}
			runtime.Gosched()
		}
	})
	for range 30 {
		for _, test := range []struct {
			query slot.Query
			want  int
		}{
			{slot.Query{GameSessionID: match, Limit: 3}, size},
			{slot.Query{PlayerID: "alice", Limit: 3}, size - 1},
			{slot.Query{GameSessionID: match, Limit: 1000}, size},
		} {
			members := make(map[string]int)
			for _, ps := range f.describe(test.query) {
				members[ps.PlayerData]++
			}
			for party, n := range members {
				require.Equal(t, test.want, n, "party %s", party)
			}
		}
	}
	stop()
	writer.Wait()
}

func TestQueryHidesSecrets(t *testing.T) {
	t.Parallel()
	const secret = "psess-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1a2b"
	for _, q := range []slot.Query{{PlayerSessionID: secret, Limit: 7}, {PlayerID: secret}, {PlayerID: "alice", GameSessionID: match, Status: session.StatusActive}} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
			text := fmt.Sprintf(format, q)
			require.NotContains(t, text, secret)
			require.Contains(t, text, fmt.Sprint(q.Limit))
			require.Contains(t, text, q.GameSessionID)
		}
	}
	require.Contains(t, slot.Query{PlayerSessionID: secret}.String(), session.Redact(secret))
}
