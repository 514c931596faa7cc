package slot_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// partyOf is a party for match.
func partyOf(playerIDs ...string) []slot.Reservation {
	var party []slot.Reservation
	for _, id := range playerIDs {
		party = append(party, slot.Reservation{GameSessionID: match, PlayerID: id})
	}
	return party
}

// requireRefusedParty asks that nobody of a refused party got anything.
func (f fixture) requireRefusedParty(party []slot.Reservation, refused func(error), ids ...string) {
	f.t.Helper()
	before := f.state(ids...)
	admitted, err := f.ReserveAll(party)
	refused(err)
	require.Nil(f.t, admitted)
	require.Equal(f.t, before, f.state(ids...))
}

func TestParty(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		events := f.events()
		f.reserve("first")
		left := f.reserve("left")
		f.reserve("second")
		f.release(left.PlayerSessionID)

		party := partyOf("alice", "bob", "carol")
		party[0].PlayerData = "data"
		party[1].PlayerSessionID = "psess-bob"
		party[2].Timeout = time.Second
		admitted, err := f.ReserveAll(party)
		require.NoError(t, err)
		require.Len(t, admitted, 3)
		for i, ps := range admitted {
			require.Equal(t, party[i].PlayerID, ps.PlayerID)
			require.Equal(t, party[i].PlayerData, ps.PlayerData)
			require.Equal(t, []int{1, 3, 4}[i], ps.Slot, "the lowest free ones, in order")
			require.Equal(t, session.StatusReserved, ps.Status)
			require.Equal(t, ps, f.lookup(ps.PlayerSessionID))
		}
		require.Equal(t, "psess-bob", admitted[1].PlayerSessionID)
		require.Equal(t, time.Now().Add(time.Minute).UTC(), f.deadline(admitted[0].PlayerSessionID))
		require.Equal(t, time.Now().Add(time.Second).UTC(), f.deadline(admitted[2].PlayerSessionID))
		require.Equal(t, admitted, f.describe(slot.Query{GameSessionID: match})[3:])
		require.Equal(t, 5, f.held())
		require.Equal(t, uint64(6), f.Stats().ReservedTotal)
		synctest.Wait()
		for _, ps := range admitted {
			require.Equal(t, []session.Event{{Cause: session.CauseReserved, To: session.StatusReserved, At: time.Now().UTC(), PlayerSession: ps}},
				events.of(ps.PlayerSessionID))
		}

		again, err := f.ReserveAll(party)
		require.NoError(t, err)
		require.Equal(t, admitted, again, "a retry")
		require.Equal(t, 5, f.held())
	})
}

func TestPartyOfNone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 1)
	for _, party := range [][]slot.Reservation{nil, {}} {
		f.requireRefusedParty(party, func(err error) {
			requireOnly(t, session.ErrInvalidField, err)
			var field *session.FieldError
			require.ErrorAs(t, err, &field)
		})
	}
	require.Equal(t, uint64(2), f.Stats().Refused["invalid_field"])
}

func TestPartyOfOne(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 1)
	admitted, err := f.ReserveAll(partyOf("alice"))
	require.NoError(t, err)
	require.Equal(t, admitted[0], f.lookup(admitted[0].PlayerSessionID))
}

func TestPartyOfTwoGameSessions(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 10)
	f.create("other", 10)
	party := partyOf("alice", "bob", "carol")
	party[2].GameSessionID = "other"
	f.requireRefusedParty(party, func(err error) {
		requireMember(t, 2, "carol", session.ErrInvalidField, err)
		requireField(t, "GameSessionId", err)
	})
	party[2].GameSessionID = "nowhere"
	f.requireRefusedParty(party, func(err error) { requireMember(t, 2, "carol", session.ErrInvalidField, err) })
}

// LESSONS: colyseus QueueRoom, Agones AppendListValues.
func TestPartyIntoOneSeatLess(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 5, 64} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, slot.Config{}, n+3)
			for i := range 4 {
				f.join(fmt.Sprint("early ", i))
			}
			var ids []string
			for i := range n {
				ids = append(ids, player(i))
			}
			f.requireRefusedParty(partyOf(ids...), func(err error) { requireOnly(t, session.ErrGameSessionFull, err) })
			require.Equal(t, uint64(1), f.Stats().Refused["full"], "a party counts once")
			f.update(slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(n + 4)})
			_, err := f.ReserveAll(partyOf(ids...))
			require.NoError(t, err)
			require.Equal(t, n+4, f.held())
		})
	}
}

func TestPartyTakesSeatsWhoseDeadlineHasPassed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 3)
		time.Sleep(12_345_678)
		_, err := f.ReserveAll(partyOf("a", "b", "c"))
		require.NoError(t, err)
		time.Sleep(time.Minute)
		admitted, err := f.ReserveAll(partyOf("d", "e", "f"))
		require.NoError(t, err)
		require.Equal(t, 2, admitted[2].Slot)
	})
}

// A member's error tells who and why, and is no secret.
func TestPartyError(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 10)
	f.join("bob")
	f.requireRefusedParty(partyOf("alice", "bob", "carol"), func(err error) {
		requireMember(t, 1, "bob", session.ErrDuplicatePlayer, err)
		require.Contains(t, err.Error(), "bob")
		require.Contains(t, err.Error(), session.ErrDuplicatePlayer.Error())
	})
	const slip = "psess-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1a2b"
	party := partyOf("alice", slip)
	party[1].Timeout = -1
	f.requireRefusedParty(party, func(err error) {
		requireMember(t, 1, slip, session.ErrInvalidField, err)
		require.NotContains(t, err.Error(), slip)
	})
	party = partyOf("alice", "dave")
	party[1].PlayerSessionID = "psess- "
	f.requireRefusedParty(party, func(err error) { requireMember(t, 1, "dave", session.ErrInvalidPlayerSessionID, err) })

	// Reserve's own errors are bare.
	_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "bob"})
	require.Equal(t, session.ErrDuplicatePlayer, err)
}

// The order of errors holds across members: all fields before any state, any
// taken id before any duplicate.
func TestPartyOrderOfErrors(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 4)
	f.join("bob")
	f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "carol", PlayerSessionID: "psess-taken"})
	party := partyOf("bob", "dave", "erin", "frank")
	f.requireRefusedParty(party, func(err error) { requireMember(t, 0, "bob", session.ErrDuplicatePlayer, err) }) // before full
	party[2].PlayerSessionID = "psess-taken"
	f.requireRefusedParty(party, func(err error) { requireMember(t, 2, "erin", session.ErrPlayerSessionExists, err) })
	f.update(slot.GameSessionUpdate{PlayerSessionCreationPolicy: pointer(session.DenyAll)})
	f.requireRefusedParty(party, func(err error) { requireOnly(t, session.ErrCreationDenied, err) })
	f.drain()
	f.requireRefusedParty(party, func(err error) { requireOnly(t, session.ErrDraining, err) })
	f.drainMatch()
	f.requireRefusedParty(party, func(err error) { requireOnly(t, session.ErrGameSessionNotActive, err) })
	party[3].PlayerID = ""
	f.requireRefusedParty(party, func(err error) { requireMember(t, 3, "", session.ErrInvalidField, err) })
	require.NoError(t, f.Close())
	_, err := f.ReserveAll(party)
	requireOnly(t, session.ErrClosed, err)
	_, err = f.ReserveAll(nil)
	requireOnly(t, session.ErrClosed, err)
}

func TestPartyNamesAPlayerTwice(t *testing.T) {
	t.Parallel()
	for _, policy := range []slot.DuplicatePolicy{slot.DuplicatesReturn, slot.DuplicatesReject, slot.DuplicatesReplace} {
		t.Run(policy.String(), func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, slot.Config{DuplicatePlayers: policy}, 10)
			party := partyOf("alice", "bob", "alice")
			f.requireRefusedParty(party, func(err error) { requireMember(t, 2, "alice", session.ErrDuplicatePlayer, err) })
			party[2].PlayerData = "other"
			f.requireRefusedParty(party, func(err error) { requireMember(t, 2, "alice", session.ErrDuplicatePlayer, err) })

			held := f.reserve("alice") // who has a seat has no two either
			f.requireRefusedParty(partyOf("bob", "alice", "alice"), func(err error) {
				index := 2
				if policy == slot.DuplicatesReject {
					index = 1
				}
				requireMember(t, index, "alice", session.ErrDuplicatePlayer, err)
			}, held.PlayerSessionID)
			f.requireRefusedParty(partyOf("alice", "alice"), func(err error) {
				requireOnly(t, session.ErrDuplicatePlayer, err)
			}, held.PlayerSessionID)
		})
	}
	t.Run("allow", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesAllow}, 3)
		admitted, err := f.ReserveAll(partyOf("alice", "bob", "alice"))
		require.NoError(t, err)
		require.NotEqual(t, admitted[0].PlayerSessionID, admitted[2].PlayerSessionID)
		require.Equal(t, 3, f.held())
		require.Equal(t, []session.PlayerSession{admitted[0], admitted[2]}, f.describe(slot.Query{PlayerID: "alice"}))
	})
}

// Members who hold a seat already need no other.
func TestPartyOfSomeWhoHoldSeats(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{ReconnectWindow: time.Hour}, 4)
	reserved := f.reserve("reserved")
	dropped := f.join("dropped")
	f.drop(dropped)
	party := partyOf("new", "dropped", "reserved", "newer")
	party[2].PlayerSessionID = reserved.PlayerSessionID
	f.requireRefusedParty(append(slices.Clone(party), partyOf("one too many")...), func(err error) {
		requireOnly(t, session.ErrGameSessionFull, err)
	}, reserved.PlayerSessionID, dropped.PlayerSessionID)

	admitted, err := f.ReserveAll(party)
	require.NoError(t, err)
	require.Equal(t, []session.PlayerSession{dropped, reserved}, admitted[1:3])
	require.Equal(t, "new", admitted[0].PlayerID)
	require.Equal(t, "newer", admitted[3].PlayerID)
	require.Equal(t, 4, f.held())
	require.Equal(t, uint64(4), f.Stats().ReservedTotal)

	// One who holds a seat otherwise is a duplicate, and then nobody gets in.
	f.accept(reserved.PlayerSessionID)
	f.update(slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(10)})
	f.requireRefusedParty(partyOf("newest", "reserved"), func(err error) {
		requireMember(t, 1, "reserved", session.ErrDuplicatePlayer, err)
	}, reserved.PlayerSessionID)

	// Where newcomers are refused, a party with one is refused.
	f.update(slot.GameSessionUpdate{PlayerSessionCreationPolicy: pointer(session.DenyAll)})
	f.requireRefusedParty(partyOf("dropped", "newest"), func(err error) { requireOnly(t, session.ErrCreationDenied, err) })
	admitted, err = f.ReserveAll(partyOf("dropped", "new"))
	require.NoError(t, err)
	require.Equal(t, dropped, admitted[0])
}

func TestPartyIDs(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"psess-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1a2b", "psess-alias"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, slot.Config{}, 10)
			f.create("other", 10)
			party := partyOf("alice", "bob", "carol")
			party[0].PlayerSessionID, party[2].PlayerSessionID = id, id
			f.requireRefusedParty(party, func(err error) { requireMember(t, 2, "carol", session.ErrPlayerSessionExists, err) })

			taken := f.reserved(slot.Reservation{GameSessionID: "other", PlayerID: "alice", PlayerSessionID: id})
			f.requireRefusedParty(party, func(err error) { requireMember(t, 0, "alice", session.ErrPlayerSessionExists, err) }, taken.PlayerSessionID)
			f.release(id)
			f.requireRefusedParty(party, func(err error) { requireMember(t, 0, "alice", session.ErrPlayerSessionExists, err) }, taken.PlayerSessionID)

			// The first holds it already: it is taken for the other.
			party[0].PlayerSessionID, party[2].PlayerSessionID = "psess-held", "psess-held"
			held := f.reserved(party[0])
			f.requireRefusedParty(party, func(err error) { requireMember(t, 2, "carol", session.ErrPlayerSessionExists, err) }, held.PlayerSessionID)
		})
	}
}

// Of parties in different game sessions that race for one id, one gets it, and
// the other has left nothing behind.
func TestPartiesRaceForAnID(t *testing.T) {
	t.Parallel()
	const rounds, size = 60, 60
	f := newFixture(t, slot.Config{Stripes: 1}, 1)
	for round := range rounds {
		games := []string{fmt.Sprint("a ", round), fmt.Sprint("b ", round)}
		errs := make([]error, 2)
		var begin, end sync.WaitGroup
		begin.Add(1)
		for i, gameSessionID := range games {
			f.create(gameSessionID, size)
			var party []slot.Reservation
			for j := range size {
				party = append(party, slot.Reservation{GameSessionID: gameSessionID, PlayerID: player(j)})
			}
			party[1].PlayerSessionID = fmt.Sprint("psess-", round)
			end.Go(func() {
				begin.Wait()
				_, errs[i] = f.ReserveAll(party)
			})
		}
		begin.Done()
		end.Wait()
		winner := 0
		if errs[0] != nil {
			winner = 1
		}
		require.NoError(t, errs[winner])
		requireMember(t, 1, player(1), session.ErrPlayerSessionExists, errs[1-winner])
		require.Equal(t, size, f.gameSession(games[winner]).CurrentPlayerSessionCount)
		require.Zero(t, f.gameSession(games[1-winner]).CurrentPlayerSessionCount)
		require.Empty(t, f.describe(slot.Query{GameSessionID: games[1-winner]}))
		_, err := f.Live(games[1-winner], player(0))
		require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
		ps, err := f.Reserve(slot.Reservation{GameSessionID: games[1-winner], PlayerID: "alice"})
		require.NoError(t, err)
		require.Zero(t, ps.Slot)
	}
	require.Equal(t, (size+1)*rounds, f.Stats().Reserved)
}

// So too where the loser was to replace a session: that one stays.
func TestReplacementsRaceForAnID(t *testing.T) {
	t.Parallel()
	const rounds, size = 60, 60
	f := newFixture(t, slot.Config{Stripes: 1, DuplicatePlayers: slot.DuplicatesReplace}, 1)
	for round := range rounds {
		games := []string{fmt.Sprint("a ", round), fmt.Sprint("b ", round)}
		held, errs := make([][]session.PlayerSession, 2), make([]error, 2)
		var begin, end sync.WaitGroup
		begin.Add(1)
		for i, gameSessionID := range games {
			f.create(gameSessionID, size)
			var party []slot.Reservation
			for j := range size {
				party = append(party, slot.Reservation{GameSessionID: gameSessionID, PlayerID: player(j)})
			}
			held[i], errs[i] = f.ReserveAll(party)
			require.NoError(t, errs[i])
			party[1].PlayerSessionID = fmt.Sprint("psess-", round)
			end.Go(func() {
				begin.Wait()
				_, errs[i] = f.ReserveAll(party)
			})
		}
		begin.Done()
		end.Wait()
		winner := 0
		if errs[0] != nil {
			winner = 1
		}
		require.NoError(t, errs[winner])
		requireMember(t, 1, player(1), session.ErrPlayerSessionExists, errs[1-winner])
		require.Equal(t, held[1-winner], f.describe(slot.Query{GameSessionID: games[1-winner]}))
		for _, ps := range held[1-winner] {
			require.Equal(t, session.StatusTimedOut, f.release(ps.PlayerSessionID).Status)
		}
		require.Zero(t, f.gameSession(games[1-winner]).CurrentPlayerSessionCount)
		require.Equal(t, size, f.gameSession(games[winner]).CurrentPlayerSessionCount)
	}
}

func TestPartyReplaces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesReplace, ReconnectWindow: time.Minute}, 4)
		events := f.events()
		a, b, c := f.reserve("alice"), f.join("bob"), f.join("carol")
		f.drop(c)

		f.requireRefusedParty(partyOf("new", "alice", "newer"), func(err error) {
			requireOnly(t, session.ErrGameSessionFull, err)
		}, a.PlayerSessionID)

		admitted, err := f.ReserveAll(partyOf("carol", "new", "bob", "alice"))
		require.NoError(t, err)
		require.Equal(t, []int{2, 3, 1, 0}, []int{admitted[0].Slot, admitted[1].Slot, admitted[2].Slot, admitted[3].Slot})
		require.Equal(t, 4, f.held())
		require.Equal(t, session.StatusTimedOut, f.lookup(a.PlayerSessionID).Status)
		require.Equal(t, session.StatusCompleted, f.lookup(b.PlayerSessionID).Status)
		require.Equal(t, session.StatusCompleted, f.lookup(c.PlayerSessionID).Status)
		synctest.Wait()
		for _, ps := range []session.PlayerSession{a, b, c} {
			past := causes(events.of(ps.PlayerSessionID))
			require.Equal(t, session.CauseReplaced, past[len(past)-1])
		}
		stats := f.Stats()
		require.Equal(t, 4, stats.Reserved)
		require.Equal(t, 2, stats.Completed)
		require.Equal(t, 1, stats.TimedOut)

		// A party of those who hold seats fits where nobody else does.
		f.update(slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(1)})
		_, err = f.ReserveAll(partyOf("alice", "bob"))
		require.NoError(t, err)
		require.Equal(t, 4, f.held())
	})
}

func TestPartyRejectsAMember(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesReject}, 10)
	held := f.reserve("bob")
	f.requireRefusedParty(partyOf("alice", "bob"), func(err error) {
		requireMember(t, 1, "bob", session.ErrDuplicatePlayer, err)
	}, held.PlayerSessionID)
}

func TestPartyOf2000(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 2000)
	party := make([]slot.Reservation, 2000)
	for i := range party {
		party[i] = slot.Reservation{GameSessionID: match, PlayerID: player(i), PlayerData: fmt.Sprint(i)}
		if i%2 == 0 {
			party[i].PlayerSessionID = fmt.Sprint("psess-", i)
		}
	}
	admitted, err := f.ReserveAll(party)
	require.NoError(t, err)
	require.Len(t, admitted, 2000)
	for i, ps := range admitted {
		require.Equal(t, party[i].PlayerID, ps.PlayerID)
		require.Equal(t, i, ps.Slot)
	}
	require.Equal(t, admitted, f.describe(slot.Query{GameSessionID: match, Limit: 1000}))
	_, err = f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "late"})
	requireOnly(t, session.ErrGameSessionFull, err)
	f.terminate(match)
	require.Zero(t, f.held())
	require.Equal(t, 2000, f.Stats().TimedOut)
}

// However readers look, they see a party whole or not at all.
func TestPartyIsNeverSeenHalf(t *testing.T) {
	t.Parallel()
	const size, parties = 7, 25
	f := newFixture(t, slot.Config{Stripes: 8}, size*parties)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var readers sync.WaitGroup
	for name, count := range map[string]func() int{
		"Describe RESERVED": func() int {
			page, _ := f.Describe(slot.Query{GameSessionID: match, Status: session.StatusReserved, Limit: 1000})
			return len(page.PlayerSessions)
		},
		"Describe": func() int {
			page, _ := f.Describe(slot.Query{GameSessionID: match, Limit: 1000})
			return len(page.PlayerSessions)
		},
		"pages": func() int {
			q, n := slot.Query{GameSessionID: match, Limit: 10}, 0
			for {
				page, _ := f.Describe(q)
				n += len(page.PlayerSessions)
				if q.NextToken = page.NextToken; q.NextToken == "" {
					return n
				}
			}
		},
		"GameSession": func() int { gs, _ := f.GameSession(match); return gs.CurrentPlayerSessionCount },
		"GameSessions": func() int {
			n := 0
			for gs := range f.GameSessions() {
				n += gs.CurrentPlayerSessionCount
			}
			return n
		},
		"Stats": func() int { return f.Stats().Reserved },
	} {
		readers.Go(func() {
			for ctx.Err() == nil {
				if n := count(); n%size != 0 {
					t.Errorf("%s: %d of parties of %d", name, n, size)
					return
				}
			}
		})
	}
	for i := range parties {
		var ids []string
		for j := range size {
			ids = append(ids, player(i*size+j))
		}
		_, err := f.ReserveAll(partyOf(ids...))
		require.NoError(t, err)
		runtime.Gosched()
	}
	stop()
	readers.Wait()
	require.Equal(t, size*parties, f.held())
}
