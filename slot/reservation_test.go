package slot_test

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

func TestReserve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 2)
		require.NoError(t, f.CreateGameSession(session.GameSession{
			GameSessionID:             "arn:aws:gamelift:us-west-2::gamesession/fleet-1/gs-1",
			Name:                      "Friday night",
			FleetID:                   "fleet-1",
			FleetARN:                  "arn:aws:gamelift:us-west-2:1:fleet/fleet-1",
			DNSName:                   "1.us-west-2.amazongamelift.com",
			IPAddress:                 "10.0.0.1",
			Port:                      7777,
			MaximumPlayerSessionCount: 2,
		}))
		time.Sleep(1_234_567_890) // not in whole milliseconds
		now := time.Now()

		ps := f.reserved(slot.Reservation{
			GameSessionID: "arn:aws:gamelift:us-west-2::gamesession/fleet-1/gs-1",
			PlayerID:      "alice",
			PlayerData:    `{"skill":7}`,
		})

		require.Regexp(t, `^psess-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, ps.PlayerSessionID)
		require.Equal(t, session.PlayerSession{ // times too: UTC, whole milliseconds, not monotonic
			CreationTime:    time.UnixMilli(now.UnixMilli()).UTC(),
			DNSName:         "1.us-west-2.amazongamelift.com",
			FleetARN:        "arn:aws:gamelift:us-west-2:1:fleet/fleet-1",
			FleetID:         "fleet-1",
			GameSessionID:   "arn:aws:gamelift:us-west-2::gamesession/fleet-1/gs-1",
			IPAddress:       "10.0.0.1",
			PlayerData:      `{"skill":7}`,
			PlayerID:        "alice",
			PlayerSessionID: ps.PlayerSessionID,
			Port:            7777,
			Status:          session.StatusReserved,
		}, ps)
		require.Equal(t, ps, f.lookup(ps.PlayerSessionID))
		require.Equal(t, time.UnixMilli(now.Add(time.Minute).UnixMilli()).UTC(), f.deadline(ps.PlayerSessionID))
		require.Equal(t, 1, f.gameSession(ps.GameSessionID).CurrentPlayerSessionCount)
		require.Zero(t, f.held())
	})
}

func TestReserveIDsAreNew(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesAllow}, 1000)
	ids := make(map[string]bool)
	for range 1000 {
		ids[f.reserve("alice").PlayerSessionID] = true
	}
	require.Len(t, ids, 1000)
}

// Lengths count characters, not bytes.
func TestReserveFields(t *testing.T) {
	t.Parallel()
	const pad, pads = "🎮", "é" // four bytes and two
	f := newFixture(t, slot.Config{}, 1)
	for name, test := range map[string]struct {
		reservation slot.Reservation
		field       string
	}{
		"no game session":        {slot.Reservation{PlayerID: "alice"}, "GameSessionId"},
		"no player":              {slot.Reservation{GameSessionID: match}, "PlayerId"},
		"nothing":                {slot.Reservation{}, "GameSessionId"},
		"long game session":      {slot.Reservation{GameSessionID: strings.Repeat("g", 1025), PlayerID: "alice"}, "GameSessionId"},
		"long game session, 2":   {slot.Reservation{GameSessionID: strings.Repeat(pads, 1025), PlayerID: "alice"}, "GameSessionId"},
		"long player":            {slot.Reservation{GameSessionID: match, PlayerID: strings.Repeat("p", 1025)}, "PlayerId"},
		"long player, 2":         {slot.Reservation{GameSessionID: match, PlayerID: strings.Repeat(pads, 1025)}, "PlayerId"},
		"long player, 4":         {slot.Reservation{GameSessionID: match, PlayerID: strings.Repeat(pad, 1025)}, "PlayerId"},
		"long data":              {slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerData: strings.Repeat("d", 2049)}, "PlayerData"},
		"long data, 4":           {slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerData: strings.Repeat(pad, 2049)}, "PlayerData"},
		"game session not UTF-8": {slot.Reservation{GameSessionID: "match\xff", PlayerID: "alice"}, "GameSessionId"},
		"player not UTF-8":       {slot.Reservation{GameSessionID: match, PlayerID: "al\xc3ice"}, "PlayerId"},
		"player half a rune":     {slot.Reservation{GameSessionID: match, PlayerID: pad[:3]}, "PlayerId"},
		"player a surrogate":     {slot.Reservation{GameSessionID: match, PlayerID: "\xed\xa0\x80"}, "PlayerId"},
		"data not UTF-8":         {slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerData: "\x80"}, "PlayerData"},
		"timeout -1":             {slot.Reservation{GameSessionID: match, PlayerID: "alice", Timeout: -1}, "Timeout"},
		"most negative timeout":  {slot.Reservation{GameSessionID: match, PlayerID: "alice", Timeout: math.MinInt64}, "Timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ps, err := f.Reserve(test.reservation)
			requireField(t, test.field, err)
			require.Zero(t, ps)
			_, err = f.ReserveAll([]slot.Reservation{test.reservation})
			requireMember(t, 0, test.reservation.PlayerID, session.ErrInvalidField, err)
			require.Zero(t, f.held())
		})
	}
}

func TestReserveLongestFields(t *testing.T) {
	t.Parallel()
	for _, pad := range []string{"a", "é", "€", "🎮"} {
		f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesAllow}, 1)
		f.create(strings.Repeat(pad, 1024), 2)
		for _, id := range []string{"", "psess-" + strings.Repeat("x", 122)} {
			r := slot.Reservation{
				GameSessionID:   strings.Repeat(pad, 1024),
				PlayerID:        strings.Repeat(pad, 1024),
				PlayerData:      strings.Repeat(pad, 2048),
				PlayerSessionID: id,
			}
			ps := f.reserved(r)
			require.Equal(t, r.GameSessionID, ps.GameSessionID)
			require.Equal(t, r.PlayerID, ps.PlayerID)
			require.Equal(t, r.PlayerData, ps.PlayerData)
			require.Equal(t, ps, f.lookup(ps.PlayerSessionID))
			listed := f.describe(slot.Query{PlayerID: r.PlayerID})
			require.Equal(t, ps, listed[len(listed)-1])
		}
	}
}

func TestReserveTellsDataFromID(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 100)
	for i, r := range []slot.Reservation{
		{PlayerID: "ab", PlayerData: "c"},
		{PlayerID: "a", PlayerData: "bc"},
		{PlayerID: "abc"},
		{PlayerID: "ä", PlayerData: "\x00"},
		{PlayerID: "\x00", PlayerData: "\n"},
		{PlayerID: "alias", PlayerData: "psess-not-mine", PlayerSessionID: "psess-alias"},
		{PlayerID: "alias without data", PlayerSessionID: "psess-a"},
		{PlayerID: "psess-player", PlayerSessionID: "psess-" + strings.Repeat("ä", 61)},
	} {
		r.GameSessionID = match
		ps := f.reserved(r)
		got := f.lookup(ps.PlayerSessionID)
		require.Equal(t, r.PlayerID, got.PlayerID)
		require.Equal(t, r.PlayerData, got.PlayerData)
		require.Equal(t, i, got.Slot)
		live, err := f.Live(match, r.PlayerID)
		require.NoError(t, err)
		require.Equal(t, ps, live)
		page := f.describe(slot.Query{PlayerID: r.PlayerID})
		require.Equal(t, []session.PlayerSession{ps}, page)
	}
}

func TestReserveInvalidID(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 1)
	for _, id := range []string{
		"psess-", "psess", "x", " ", "PSESS-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1a2b",
		"psess-a b", "psess-a\n", "psess-\t", "psess-\x00", "psess-\x7f", "psess-\u00a0", "psess-\u0085", "psess-\u2028", "psess-\u3000",
		"psess-\xff", " psess-a", "psess-" + strings.Repeat("x", 123), "psess-" + strings.Repeat("é", 62),
		"psess-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1a2 ", "psess-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1\xff2b",
	} {
		_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerSessionID: id})
		requireOnly(t, session.ErrInvalidPlayerSessionID, err)
	}
	require.Zero(t, f.held())
	require.Zero(t, f.Stats().ReservedTotal)
}

func TestReserveIDIssuedElsewhere(t *testing.T) {
	t.Parallel()
	const canonical = "psess-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1a2b"
	f := newFixture(t, slot.Config{}, 100)
	for i, id := range []string{ // each is another one
		canonical,
		strings.Replace(canonical, "f", "F", 1),
		"psess-" + strings.ToUpper(canonical[6:]),
		"psess-" + strings.ReplaceAll(canonical[6:], "-", ""),
		canonical + "0",
		canonical[:len(canonical)-1],
		strings.Replace(canonical, "0f5c2a7e-1b3d", "0f5c2a7e1-b3d", 1), // as long, but no UUID
		strings.Replace(canonical, "2b", "2g", 1),
		strings.Replace(canonical, "2b", "2/", 1),
		strings.Replace(canonical, "2b", "2:", 1),
		strings.Replace(canonical, "2b", "2`", 1),
		"psess-00000000-0000-0000-0000-000000000000",
		"psess-ffffffff-ffff-ffff-ffff-ffffffffffff",
		"psess-1", "psess-é", "psess-psess-", "psess--", "psess-" + strings.Repeat("x", 122),
	} {
		_, err := f.Lookup(id)
		requireOnly(t, session.ErrPlayerSessionNotFound, err)
		_, err = f.Activate(id)
		requireOnly(t, session.ErrPlayerSessionNotFound, err)

		ps := f.reserved(slot.Reservation{GameSessionID: match, PlayerID: player(i), PlayerSessionID: id})
		require.Equal(t, id, ps.PlayerSessionID)
		require.Equal(t, ps, f.lookup(id))
		require.Equal(t, ps, f.describe(slot.Query{PlayerID: player(i)})[0])
		require.Equal(t, session.StatusReserved, ps.Status)
		require.Equal(t, player(i), f.accept(id).PlayerID)
	}
	require.Equal(t, f.Stats().Active, f.held())
}

// An id is taken while it is live or retained, whatever the game session.
func TestReserveIDIsTaken(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"psess-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1a2b", "psess-alias"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, slot.Config{Retention: time.Hour, ReconnectWindow: time.Minute}, 10)
				f.create("other", 10)
				first := f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerSessionID: id})
				taken := func(when string) {
					t.Helper()
					before := f.state(id)
					for _, gameSessionID := range []string{match, "other"} {
						_, err := f.Reserve(slot.Reservation{GameSessionID: gameSessionID, PlayerID: "bob", PlayerSessionID: id})
						if gameSessionID == match && f.gameSession(match).Status != session.GameSessionActive {
							requireOnly(t, session.ErrGameSessionNotActive, err)
							continue
						}
						requireOnly(t, session.ErrPlayerSessionExists, err)
					}
					require.Equal(t, before, f.state(id), when)
				}
				taken("RESERVED")
				ps := f.accept(id)
				taken("ACTIVE")
				f.drop(ps)
				taken("dropped")
				f.release(id)
				taken("COMPLETED")
				f.terminate(match)
				time.Sleep(time.Hour - time.Millisecond)
				taken("retained")

				time.Sleep(2 * time.Millisecond)
				second := f.reserved(slot.Reservation{GameSessionID: "other", PlayerID: "bob", PlayerSessionID: id})
				require.Equal(t, first.PlayerSessionID, second.PlayerSessionID)
				require.Equal(t, "bob", f.accept(id).PlayerID)
			})
		})
	}
}

func TestReserveTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReservationTimeout: 5 * time.Second}, 10)
		begin := time.Now().UTC()
		for timeout, want := range map[time.Duration]time.Duration{
			0:                    5 * time.Second,
			time.Millisecond:     time.Millisecond,
			time.Hour:            time.Hour, // more than MaxReservation, which bounds Extend alone
			365 * 24 * time.Hour: 365 * 24 * time.Hour,
		} {
			ps := f.reserved(slot.Reservation{GameSessionID: match, PlayerID: timeout.String(), Timeout: timeout})
			require.Equal(t, begin.Add(want), f.deadline(ps.PlayerSessionID))
		}
		forever := f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "forever", Timeout: math.MaxInt64})
		instant := f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "instant", Timeout: 1})
		require.Equal(t, session.StatusReserved, instant.Status)

		time.Sleep(20 * time.Millisecond)
		_, err := f.Activate(instant.PlayerSessionID)
		requireOnly(t, session.ErrTimedOut, err)

		time.Sleep(24 * time.Hour)
		require.Equal(t, 2, f.held())
		require.True(t, f.deadline(forever.PlayerSessionID).After(time.Now()))
		f.accept(forever.PlayerSessionID)
	})
}

// A deadline is no earlier than promised, and the end is the deadline.
func TestReserveTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 10)
		time.Sleep(1_234_567) // the phase within a tick
		early, late := f.reserve("early"), f.reserve("late")
		deadline := f.deadline(late.PlayerSessionID)

		time.Sleep(time.Minute - 1)
		require.Equal(t, early, f.lookup(early.PlayerSessionID))
		require.Equal(t, session.StatusActive, f.accept(early.PlayerSessionID).Status)
		require.Equal(t, deadline, f.deadline(late.PlayerSessionID))

		time.Sleep(1 + 20*time.Millisecond)
		_, err := f.Activate(late.PlayerSessionID)
		requireOnly(t, session.ErrTimedOut, err)
		var status *session.StatusError
		require.ErrorAs(t, err, &status)
		require.Equal(t, &session.StatusError{Have: session.StatusTimedOut, Want: session.StatusReserved}, status)
		late.Status, late.TerminationTime = session.StatusTimedOut, deadline
		require.Equal(t, late, f.lookup(late.PlayerSessionID))
		require.Equal(t, late, f.release(late.PlayerSessionID))
		require.Equal(t, late, f.describe(slot.Query{GameSessionID: match})[1])
		_, err = f.Deadline(late.PlayerSessionID)
		requireOnly(t, session.ErrTimedOut, err)
		_, err = f.Extend(late.PlayerSessionID, 0)
		requireOnly(t, session.ErrTimedOut, err)
		_, err = f.Live(match, "late")
		requireOnly(t, session.ErrPlayerSessionNotFound, err)
		require.Equal(t, 1, f.held())
	})
}

// LESSONS: livekit#2077, Nakama, Rivet. The seat of a ghost is open again within
// 100 ms of the deadline, and at once for whoever needs it.
func TestReserveReopensSeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 1)
		events := f.events()
		time.Sleep(3 * time.Millisecond)
		ghost := f.reserve("ghost")
		time.Sleep(time.Minute + 100*time.Millisecond)
		synctest.Wait()
		require.Equal(t, []session.Cause{session.CauseReserved, session.CauseDeadline}, causes(events.of(ghost.PlayerSessionID)))

		f.reserve("second ghost")
		time.Sleep(time.Minute - 1)
		_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice"})
		requireOnly(t, session.ErrGameSessionFull, err)
		time.Sleep(1 * time.Nanosecond)
		require.Zero(t, f.reserve("alice").Slot)
	})
}

// LESSONS: colyseus#678, Paper#10668, csgo-osx-linux#348.
func TestReserveOneFreeSeat(t *testing.T) {
	t.Parallel()
	for range 20 {
		f := newFixture(t, slot.Config{}, 8)
		for i := range 7 {
			f.join(player(i))
		}
		var begin, end sync.WaitGroup
		begin.Add(1)
		errs := make([]error, 64)
		for i := range errs {
			end.Go(func() {
				begin.Wait()
				_, errs[i] = f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: player(100 + i)})
			})
		}
		begin.Done()
		end.Wait()
		admitted := 0
		for _, err := range errs {
			if err == nil {
				admitted++
				continue
			}
			requireOnly(t, session.ErrGameSessionFull, err)
		}
		require.Equal(t, 1, admitted)
		require.Equal(t, 8, f.held())
	}
}

func TestReserveSeats(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 6)
	var ids []string
	for i := range 6 {
		ps := f.reserve(player(i))
		require.Equal(t, i, ps.Slot)
		ids = append(ids, ps.PlayerSessionID)
	}
	for _, seat := range []int{4, 1, 5, 2} {
		f.release(ids[seat])
	}
	for _, seat := range []int{1, 2, 4, 5} { // the lowest free one first
		require.Equal(t, seat, f.reserve(fmt.Sprint("seat ", seat)).Slot)
	}
	require.Equal(t, 3, f.accept(ids[3]).Slot, "stable")
	require.Equal(t, 1, f.lookup(ids[1]).Slot, "what it was, though another's now")

	// Emptied, it begins anew.
	for _, ps := range f.describe(slot.Query{GameSessionID: match}) {
		f.release(ps.PlayerSessionID)
	}
	require.Zero(t, f.reserve("last").Slot)
	require.Equal(t, 1, f.reserve("very last").Slot)
}

// trouble is one reason to refuse a reservation, arranged in a table where
// nothing else is wrong.
type trouble struct {
	want    error // nil: the session held answers
	arrange func(*situation)
}

// situation is a reservation about to be made.
type situation struct {
	fixture
	slot.Reservation
	held    session.PlayerSession // alice's, who asks again
	recover func()                // from the overload
}

// troubles stand in the order of API.md.
func troubles() []trouble {
	return []trouble{
		{session.ErrClosed, func(s *situation) { require.NoError(s.t, s.Close()) }},
		{session.ErrInvalidField, func(s *situation) { s.Timeout = -1 }},
		{session.ErrInvalidPlayerSessionID, func(s *situation) { s.PlayerSessionID = "psess-\n" }},
		{session.ErrGameSessionNotFound, func(s *situation) { s.GameSessionID = "nowhere" }},
		{session.ErrGameSessionNotActive, func(s *situation) { s.drainMatch() }},
		{nil, func(s *situation) { s.PlayerID, s.PlayerData = "alice", "data" }},
		{session.ErrDraining, func(s *situation) { s.drain() }},
		{session.ErrCreationDenied, func(s *situation) {
			s.update(slot.GameSessionUpdate{PlayerSessionCreationPolicy: pointer(session.DenyAll)})
		}},
		{session.ErrPlayerSessionExists, func(s *situation) { s.PlayerSessionID = "psess-taken" }},
		{session.ErrDuplicatePlayer, func(s *situation) { s.PlayerID = "bob" }},
		{session.ErrGameSessionFull, func(s *situation) {
			s.update(slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(3)})
		}},
		{session.ErrOverloaded, func(s *situation) { s.recover = s.overload() }},
	}
}

// newSituation is a match where alice is RESERVED, bob ACTIVE and carol's id
// psess-taken, and there is room.
func newSituation(t testing.TB) *situation {
	t.Helper()
	s := &situation{fixture: newFixture(t, slot.Config{}, 10)}
	s.held = s.reserved(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerData: "data"})
	s.join("bob")
	s.reserved(slot.Reservation{GameSessionID: match, PlayerID: "carol", PlayerSessionID: "psess-taken"})
	s.Reservation = slot.Reservation{GameSessionID: match, PlayerID: "dave"}
	return s
}

// drain lets the table drain, and waits for nobody.
func (f fixture) drain() {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.t.Context())
	cancel()
	require.ErrorIs(f.t, f.Drain(ctx), context.Canceled)
}

// drainMatch does so with match alone.
func (f fixture) drainMatch() {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.t.Context())
	cancel()
	require.ErrorIs(f.t, f.DrainGameSession(ctx, match), context.Canceled)
}

// overload stalls a subscriber, until the test ends, behind more events than may
// wait.
func (f fixture) overload() (relieve func()) {
	f.t.Helper()
	stalled := make(chan struct{})
	relieve = sync.OnceFunc(func() { close(stalled) })
	f.t.Cleanup(relieve)
	f.create("elsewhere", 1)
	ps, err := f.Reserve(slot.Reservation{GameSessionID: "elsewhere", PlayerID: "loud"})
	require.NoError(f.t, err)
	f.accept(ps.PlayerSessionID)
	f.Subscribe(func(session.Event) { <-stalled })
	for range 65_537 {
		_, err := f.TakeOver(ps.PlayerSessionID)
		require.NoError(f.t, err)
	}
	return relieve
}

// Of two reasons that apply, the earlier one in API.md is told. All pairs but
// those with ErrOverloaded, which takes long to arrange.
func TestReserveOrderOfErrors(t *testing.T) {
	t.Parallel()
	all := troubles()
	all = all[:len(all)-1]
	for i, first := range all {
		for _, second := range all[i+1:] {
			if first.want == nil && (second.want == session.ErrDuplicatePlayer || second.want == session.ErrPlayerSessionExists) ||
				first.want == session.ErrInvalidPlayerSessionID && second.want == session.ErrPlayerSessionExists {
				continue // they exclude each other
			}
			t.Run(session.Reason(first.want)+" before "+session.Reason(second.want), func(t *testing.T) {
				t.Parallel()
				s := newSituation(t)
				second.arrange(s)
				first.arrange(s)
				ps, err := s.Reserve(s.Reservation)
				party, partyErr := s.ReserveAll([]slot.Reservation{s.Reservation})
				if first.want == nil {
					require.NoError(t, err)
					require.NoError(t, partyErr)
					require.Equal(t, s.held, ps)
					require.Equal(t, []session.PlayerSession{s.held}, party)
					return
				}
				requireOnly(t, first.want, err)
				requireOnly(t, first.want, partyErr)
				require.Zero(t, ps)
				require.Nil(t, party)
			})
		}
	}
}

// One reason after the other is added, from the last to the first: the last
// added is told.
func TestReserveOrderOfAllErrors(t *testing.T) {
	t.Parallel()
	s := newSituation(t)
	all := troubles()
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].want == nil {
			continue
		}
		if all[i].want == session.ErrClosed {
			s.recover()
		}
		all[i].arrange(s)
		_, err := s.Reserve(s.Reservation)
		requireOnly(t, all[i].want, err)
	}
}

func TestReserveNotActive(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 10)
	require.NoError(t, f.CreateGameSession(session.GameSession{
		GameSessionID:             "loading",
		MaximumPlayerSessionCount: 1,
		Status:                    session.GameSessionActivating,
	}))
	_, err := f.Reserve(slot.Reservation{GameSessionID: "loading", PlayerID: "alice"})
	requireOnly(t, session.ErrGameSessionNotActive, err)
	require.NoError(t, f.ActivateGameSession("loading"))
	_, err = f.Reserve(slot.Reservation{GameSessionID: "loading", PlayerID: "alice"})
	require.NoError(t, err)

	f.terminate(match)
	_, err = f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice"})
	requireOnly(t, session.ErrGameSessionNotActive, err)
}

func TestReserveRefusedChangesNothing(t *testing.T) {
	t.Parallel()
	for _, trouble := range troubles() {
		switch trouble.want {
		case nil, session.ErrClosed, session.ErrOverloaded:
			continue
		}
		t.Run(session.Reason(trouble.want), func(t *testing.T) {
			t.Parallel()
			s := newSituation(t)
			trouble.arrange(s)
			before := s.state(s.held.PlayerSessionID, "psess-taken")
			_, err := s.Reserve(s.Reservation)
			requireOnly(t, trouble.want, err)
			_, err = s.ReserveAll([]slot.Reservation{s.Reservation})
			requireOnly(t, trouble.want, err)
			require.Equal(t, before, s.state(s.held.PlayerSessionID, "psess-taken"))
			require.Equal(t, uint64(2), s.Stats().Refused[session.Reason(trouble.want)])
		})
	}
}

// LESSONS: agones#607, Nakama. The reply was lost, so Reserve is called again.
func TestDuplicatesReturnRetry(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "psess-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1a2b", "psess-alias"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, slot.Config{}, 3)
				f.create("other", 3)
				events := f.events()
				r := slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerData: "data", PlayerSessionID: id}
				first := f.reserved(r)
				deadline := f.deadline(first.PlayerSessionID)
				before := f.state(first.PlayerSessionID)

				time.Sleep(30 * time.Second)
				for _, again := range []string{id, "", first.PlayerSessionID} {
					r.PlayerSessionID, r.Timeout = again, time.Hour
					require.Equal(t, first, f.reserved(r))
				}
				require.Equal(t, deadline, f.deadline(first.PlayerSessionID))
				require.Equal(t, before, f.state(first.PlayerSessionID))

				r.GameSessionID, r.PlayerSessionID = "other", ""
				require.NotEqual(t, first.PlayerSessionID, f.reserved(r).PlayerSessionID)

				time.Sleep(30 * time.Second)
				r.GameSessionID = match
				second := f.reserved(r)
				require.NotEqual(t, first.PlayerSessionID, second.PlayerSessionID, "the first timed out")
				synctest.Wait()
				require.Equal(t, []session.Cause{session.CauseReserved, session.CauseDeadline}, causes(events.of(first.PlayerSessionID)))
				require.Len(t, events.all(), 4)
			})
		})
	}
}

func TestDuplicatesReturnRefuses(t *testing.T) {
	t.Parallel()
	const held = "psess-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1a2b"
	f := newFixture(t, slot.Config{ReconnectWindow: time.Hour}, 10)
	f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerData: "data", PlayerSessionID: held})
	gone := f.release(f.reserve("gone").PlayerSessionID)
	refused := func(want error, id, data string) {
		t.Helper()
		before := f.state(held)
		_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerData: data, PlayerSessionID: id})
		requireOnly(t, want, err)
		require.Equal(t, before, f.state(held))
	}
	refused(session.ErrDuplicatePlayer, "", "")
	refused(session.ErrDuplicatePlayer, "", "dat")
	refused(session.ErrDuplicatePlayer, "", "data ")
	refused(session.ErrDuplicatePlayer, "psess-"+strings.ToUpper(held[6:]), "data") // another id
	refused(session.ErrDuplicatePlayer, "psess-another", "data")
	refused(session.ErrPlayerSessionExists, held, "other data") // no repeat: its id is taken
	refused(session.ErrPlayerSessionExists, gone.PlayerSessionID, "data")

	ps := f.accept(held)
	refused(session.ErrDuplicatePlayer, "", "data") // connected
	refused(session.ErrPlayerSessionExists, held, "data")
	f.drop(ps)
	refused(session.ErrDuplicatePlayer, "psess-another", "data")
	f.accept(held)
	refused(session.ErrDuplicatePlayer, "", "data") // returned
	_, err := f.TakeOver(held)
	require.NoError(t, err)
	refused(session.ErrDuplicatePlayer, "", "data")
}

// A dropped player finds the way back by reserving again, whatever the data.
func TestDuplicatesReturnWayBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{ReconnectWindow: time.Minute}, 2)
		events := f.events()
		ps := f.accept(f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerData: "data"}).PlayerSessionID)
		f.reserve("bob")
		f.drop(ps)
		deadline := f.deadline(ps.PlayerSessionID)
		time.Sleep(30 * time.Second)
		for _, r := range []slot.Reservation{
			{PlayerData: "data"},
			{PlayerData: "data", PlayerSessionID: ps.PlayerSessionID},
			{PlayerData: "other data"},
			{Timeout: time.Hour},
		} {
			r.GameSessionID, r.PlayerID = match, "alice"
			require.Equal(t, ps, f.reserved(r))
		}
		require.Equal(t, deadline, f.deadline(ps.PlayerSessionID))
		require.Equal(t, uint32(2), f.accept(ps.PlayerSessionID).Generation)
		f.drop(f.lookup(ps.PlayerSessionID))

		time.Sleep(time.Minute)
		again := f.reserve("alice")
		require.NotEqual(t, ps.PlayerSessionID, again.PlayerSessionID)
		require.Equal(t, session.StatusCompleted, f.lookup(ps.PlayerSessionID).Status)
		synctest.Wait()
		require.Equal(t, []session.Cause{
			session.CauseReserved, session.CauseAccepted, session.CauseDropped, session.CauseReturned, session.CauseDropped, session.CauseWindowOver,
		}, causes(events.of(ps.PlayerSessionID)))
	})
}

// A repeat is answered when nobody else would be let in.
func TestDuplicatesReturnWhenClosedToOthers(t *testing.T) {
	t.Parallel()
	for name, shut := range map[string]func(fixture){
		"full":    func(f fixture) { f.update(slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(2)}) },
		"lowered": func(f fixture) { f.update(slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(0)}) },
		"denied": func(f fixture) {
			f.update(slot.GameSessionUpdate{PlayerSessionCreationPolicy: pointer(session.DenyAll)})
		},
		"draining":   func(f fixture) { f.drain() },
		"overloaded": func(f fixture) { f.overload() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, slot.Config{ReconnectWindow: time.Hour}, 10)
			reserved, dropped := f.reserve("reserved"), f.join("dropped")
			f.drop(dropped)
			shut(f)
			for _, ps := range []session.PlayerSession{reserved, dropped} {
				for _, id := range []string{"", ps.PlayerSessionID} {
					require.Equal(t, ps, f.reserved(slot.Reservation{GameSessionID: match, PlayerID: ps.PlayerID, PlayerSessionID: id}))
				}
			}
			both, err := f.ReserveAll([]slot.Reservation{
				{GameSessionID: match, PlayerID: "dropped"},
				{GameSessionID: match, PlayerID: "reserved"},
			})
			require.NoError(t, err)
			require.Equal(t, []session.PlayerSession{dropped, reserved}, both)
			_, err = f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "other"})
			require.Error(t, err)
		})
	}
}

// Under the other policies a repeat has no such privilege.
func TestDuplicatesElseWhenClosedToOthers(t *testing.T) {
	t.Parallel()
	for _, policy := range []slot.DuplicatePolicy{slot.DuplicatesReject, slot.DuplicatesReplace, slot.DuplicatesAllow} {
		t.Run(policy.String(), func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, slot.Config{DuplicatePlayers: policy}, 10)
			ps := f.reserve("alice")
			refused := func(want error) {
				t.Helper()
				before := f.state(ps.PlayerSessionID)
				_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice"})
				requireOnly(t, want, err)
				require.Equal(t, before, f.state(ps.PlayerSessionID))
			}
			f.update(slot.GameSessionUpdate{PlayerSessionCreationPolicy: pointer(session.DenyAll)})
			refused(session.ErrCreationDenied)
			f.drain()
			refused(session.ErrDraining)
		})
	}
}

func TestDuplicatesReject(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesReject, ReconnectWindow: time.Minute}, 2)
		f.create("other", 2)
		ps := f.reserve("alice")
		f.reserve("bob") // full: the player is told of the seat, not of the crowd
		rejected := func(id string) {
			t.Helper()
			before := f.state(ps.PlayerSessionID)
			_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerSessionID: id})
			requireOnly(t, session.ErrDuplicatePlayer, err)
			require.Equal(t, before, f.state(ps.PlayerSessionID))
		}
		rejected("")
		rejected("psess-another")
		f.accept(ps.PlayerSessionID)
		rejected("")
		f.drop(f.lookup(ps.PlayerSessionID))
		rejected("")
		_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerSessionID: ps.PlayerSessionID})
		requireOnly(t, session.ErrPlayerSessionExists, err)

		f.reserved(slot.Reservation{GameSessionID: "other", PlayerID: "alice"})
		time.Sleep(time.Minute)
		require.NotEqual(t, ps.PlayerSessionID, f.reserve("alice").PlayerSessionID)
	})
}

// The session held ends and the new one takes its seat, full or not.
func TestDuplicatesReplace(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		bring func(fixture, session.PlayerSession)
		want  session.Status
	}{
		"RESERVED": {func(fixture, session.PlayerSession) {}, session.StatusTimedOut},
		"ACTIVE": {func(f fixture, ps session.PlayerSession) {
			f.accept(ps.PlayerSessionID)
		}, session.StatusCompleted},
		"dropped": {func(f fixture, ps session.PlayerSession) {
			f.drop(f.accept(ps.PlayerSessionID))
		}, session.StatusCompleted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesReplace, ReconnectWindow: time.Minute}, 3)
				events := f.events()
				left := f.reserve("left")
				first := f.reserve("alice")
				f.reserve("bob")
				f.release(left.PlayerSessionID) // a lower seat is free, and not what is asked for
				test.bring(f, first)
				before := f.lookup(first.PlayerSessionID)
				f.update(slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(1)})
				time.Sleep(time.Second)

				_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerSessionID: first.PlayerSessionID})
				requireOnly(t, session.ErrPlayerSessionExists, err)
				require.Equal(t, before, f.lookup(first.PlayerSessionID))

				second := f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerData: "new", PlayerSessionID: "psess-new"})
				require.Equal(t, first.Slot, second.Slot)
				require.Equal(t, session.StatusReserved, second.Status)
				require.Equal(t, time.Now().UTC(), second.CreationTime)
				require.Zero(t, second.Generation)
				require.Equal(t, "new", second.PlayerData)
				require.Equal(t, 2, f.held())

				before.Status, before.TerminationTime = test.want, time.Now().UTC()
				require.Equal(t, before, f.lookup(first.PlayerSessionID))
				live, err := f.Live(match, "alice")
				require.NoError(t, err)
				require.Equal(t, second, live)

				synctest.Wait()
				last := events.of(first.PlayerSessionID)
				require.Equal(t, session.CauseReplaced, last[len(last)-1].Cause)
				require.Equal(t, before, last[len(last)-1].PlayerSession)
				require.Equal(t, []session.Cause{session.CauseReserved}, causes(events.of("psess-new")))

				// The one replaced has no more say about the seat.
				require.NoError(t, f.Disconnect(first.PlayerSessionID, 1))
				f.release(first.PlayerSessionID)
				time.Sleep(59 * time.Second)
				require.Equal(t, second, f.lookup("psess-new"))
				require.Equal(t, second.Slot, f.accept("psess-new").Slot)
				require.Equal(t, 1, f.held(), "bob has timed out")
			})
		})
	}
}

func TestDuplicatesReplaceOfOneWhoIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesReplace}, 1)
		events := f.events()
		first := f.reserve("alice")
		time.Sleep(time.Minute)
		second := f.reserve("alice")
		require.NotEqual(t, first.PlayerSessionID, second.PlayerSessionID)
		synctest.Wait()
		require.Equal(t, []session.Cause{session.CauseReserved, session.CauseDeadline}, causes(events.of(first.PlayerSessionID)))
		require.Equal(t, first.CreationTime.Add(time.Minute), f.lookup(first.PlayerSessionID).TerminationTime)
	})
}

func TestDuplicatesAllow(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{DuplicatePlayers: slot.DuplicatesAllow}, 3)
	var sessions []session.PlayerSession
	for i := range 3 {
		ps := f.reserve("alice")
		require.Equal(t, i, ps.Slot)
		sessions = append(sessions, ps)
	}
	require.Equal(t, 3, f.held())
	_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice"})
	requireOnly(t, session.ErrGameSessionFull, err)
	_, err = f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerSessionID: sessions[0].PlayerSessionID})
	requireOnly(t, session.ErrPlayerSessionExists, err)

	// Live is the oldest that is RESERVED or ACTIVE.
	f.accept(sessions[2].PlayerSessionID)
	for i, ps := range sessions {
		live, err := f.Live(match, "alice")
		require.NoError(t, err)
		require.Equal(t, sessions[i].PlayerSessionID, live.PlayerSessionID)
		f.release(ps.PlayerSessionID)
	}
	_, err = f.Live(match, "alice")
	requireOnly(t, session.ErrPlayerSessionNotFound, err)
}

func TestLiveUnknown(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 1)
	f.create("other", 1)
	f.reserved(slot.Reservation{GameSessionID: "other", PlayerID: "alice"})
	_, err := f.Live(match, "alice")
	requireOnly(t, session.ErrPlayerSessionNotFound, err)
	_, err = f.Live("nowhere", "alice")
	requireOnly(t, session.ErrGameSessionNotFound, err)
}

// Nothing that was handed in may be reused by its owner's buffer.
func TestReserveClones(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"", "data"} {
		for _, id := range []string{"", "psess-alias", "psess-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1a2b"} {
			t.Run(data+id, func(t *testing.T) {
				t.Parallel()
				f := newFixture(t, slot.Config{}, 10)
				var buffers [][]byte
				borrowed := func(s string) string {
					b := []byte(s)
					buffers = append(buffers, b)
					return unsafe.String(unsafe.SliceData(b), len(b))
				}
				require.NoError(t, f.CreateGameSession(session.GameSession{
					GameSessionID: borrowed("borrowed"), Name: borrowed("name"), FleetID: borrowed("fleet-1"), FleetARN: borrowed("arn"),
					DNSName: borrowed("dns"), IPAddress: borrowed("ip"), MaximumPlayerSessionCount: 10,
				}))
				require.NoError(t, f.UpdateGameSession("borrowed", slot.GameSessionUpdate{Name: pointer(borrowed("renamed"))}))
				ps := f.reserved(slot.Reservation{
					GameSessionID: borrowed("borrowed"), PlayerID: borrowed("alice"), PlayerData: borrowed(data), PlayerSessionID: borrowed(id),
				})
				party, err := f.ReserveAll([]slot.Reservation{
					{GameSessionID: borrowed("borrowed"), PlayerID: borrowed("bob")},
					{GameSessionID: borrowed("borrowed"), PlayerID: borrowed("carol"), PlayerSessionID: borrowed("psess-carol")},
				})
				require.NoError(t, err)

				for _, b := range buffers {
					for i := range b {
						b[i] = '#'
					}
				}
				if id == "" {
					id = ps.PlayerSessionID
				}
				require.Equal(t, session.PlayerSession{
					CreationTime: ps.CreationTime, DNSName: "dns", FleetARN: "arn", FleetID: "fleet-1", GameSessionID: "borrowed", IPAddress: "ip",
					PlayerData: data, PlayerID: "alice", PlayerSessionID: id, Status: session.StatusReserved,
				}, ps)
				require.Equal(t, ps, f.lookup(strings.Clone(id)))
				require.Equal(t, append([]session.PlayerSession{ps}, party...), f.describe(slot.Query{GameSessionID: "borrowed"}))
				require.Equal(t, "carol", f.lookup("psess-carol").PlayerID)
				require.Equal(t, "renamed", f.gameSession("borrowed").Name)
				require.Equal(t, "ip", f.gameSession("borrowed").IPAddress)
				live, err := f.Live("borrowed", "bob")
				require.NoError(t, err)
				require.Equal(t, party[0], live)
			})
		}
	}
}

// A text is whole in what is written of it if it is valid, and cut if it is longer
// than any that is.
func TestReservationIsBrief(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("\U0001F680", 1024) // no character takes more bytes
	r := slot.Reservation{GameSessionID: match, PlayerID: longest}
	require.Contains(t, r.String(), strconv.Quote(longest))
	r.PlayerID += "!"
	require.Contains(t, r.String(), strconv.Quote(longest+"…"))
}

func TestReservationHidesSecrets(t *testing.T) {
	t.Parallel()
	const secret = "psess-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1a2b"
	r := slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerData: "card 4111", PlayerSessionID: secret, Timeout: time.Minute}
	slip := slot.Reservation{GameSessionID: match, PlayerID: secret}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		text := fmt.Sprintf(format, r)
		require.Contains(t, text, "alice")
		require.Contains(t, text, match)
		require.Contains(t, text, session.Redact(secret))
		require.NotContains(t, text, secret)
		require.NotContains(t, text, "4111")
		require.NotContains(t, fmt.Sprintf(format, slip), secret)
		require.NotContains(t, fmt.Sprintf(format, []slot.Reservation{r, slip}), secret)
	}
}
