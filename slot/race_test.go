package slot_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// together runs f(0) to f(n-1), which begin at the same moment.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-begin
			f(i)
		})
	}
	close(begin)
	wg.Wait()
}

// stripeCounts are tables on which everybody meets, and on which hardly anyone.
var stripeCounts = []int{1, 1024}

func forStripes(t *testing.T, test func(t *testing.T, stripes int)) {
	t.Helper()
	t.Parallel()
	for _, stripes := range stripeCounts {
		t.Run(fmt.Sprintf("stripes=%d", stripes), func(t *testing.T) {
			t.Parallel()
			test(t, stripes)
		})
	}
}

func (f fixture) sound() {
	f.t.Helper()
	require.NoError(f.t, f.CheckInvariants())
}

func (f fixture) soundAtRest() {
	f.t.Helper()
	require.NoError(f.t, f.CheckAtRest())
}

// LESSONS: colyseus#678, Paper#10668, csgo-osx-linux#348.
func TestRaceForOneSeat(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		for range 30 {
			f := newFixture(t, slot.Config{Stripes: stripes}, 3)
			f.join("a")
			f.join("b")
			var won atomic.Int32
			together(64, func(i int) {
				ps, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: player(i)})
				if err == nil {
					won.Add(1)
					if ps.Slot != 2 {
						t.Errorf("slot %d", ps.Slot)
					}
				} else if !errors.Is(err, session.ErrGameSessionFull) {
					t.Error(err)
				}
			})
			require.EqualValues(t, 1, won.Load())
			require.Equal(t, 3, f.held())
			f.soundAtRest()
		}
	})
}

// LESSONS: colyseus QueueRoom, Agones AppendListValues.
func TestRaceOfParties(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		for range 30 {
			f := newFixture(t, slot.Config{Stripes: stripes}, 10)
			var won atomic.Int32
			together(16, func(i int) {
				party := make([]slot.Reservation, 3)
				for m := range party {
					party[m] = slot.Reservation{GameSessionID: match, PlayerID: fmt.Sprint(i, m)}
				}
				out, err := f.ReserveAll(party)
				if err == nil && len(out) == 3 {
					won.Add(1)
				} else if !errors.Is(err, session.ErrGameSessionFull) {
					t.Error(err)
				}
			})
			require.EqualValues(t, 3, won.Load())
			require.Equal(t, 9, f.held())
			f.soundAtRest()
		}
	})
}

// One id in two game sessions at once, canonical and alias, alone and in a party.
func TestRaceForOneID(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		f := newFixture(t, slot.Config{Stripes: stripes}, 1000)
		f.create("other", 1000)
		for round := range 300 {
			id := session.NewPlayerSessionID()
			if round%2 == 0 {
				id += "x"
			}
			games := []string{match, "other"}
			var won atomic.Int32
			together(4, func(i int) {
				res := slot.Reservation{GameSessionID: games[i%2], PlayerID: fmt.Sprint(round, i), PlayerSessionID: id}
				_, err := f.ReserveAll([]slot.Reservation{{GameSessionID: games[i%2], PlayerID: fmt.Sprint(round, i, "friend")}, res})
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, session.ErrPlayerSessionExists) {
					t.Error(err)
				}
			})
			require.EqualValues(t, 1, won.Load())
		}
		require.Equal(t, 600, f.held()+f.gameSession("other").CurrentPlayerSessionCount)
		f.soundAtRest()
	})
}

func TestRaceOfAccepts(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		f := newFixture(t, slot.Config{Stripes: stripes, ReconnectWindow: time.Minute}, 1)
		recorder := f.events()
		id := f.reserve("a").PlayerSessionID
		for generation := uint32(1); generation <= 200; generation++ {
			var won atomic.Int32
			together(8, func(i int) {
				if i == 0 && generation > 1 { // a stale connection goes late
					if err := f.Disconnect(id, generation-2); err != nil {
						t.Error(err)
					}
					return
				}
				ps, err := f.Activate(id)
				if err == nil && ps.Generation == generation {
					won.Add(1)
				} else if !errors.Is(err, session.ErrAlreadyActive) {
					t.Error(err, ps.Generation)
				}
			})
			require.EqualValues(t, 1, won.Load())
			together(8, func(int) { // one connection is gone, told many times
				if err := f.Disconnect(id, generation); err != nil {
					t.Error(err)
				}
			})
		}
		f.release(id)
		require.NoError(t, f.Close())
		causes := causes(recorder.all())
		require.Len(t, causes, 1+2*200+1)
		for i, c := range causes[2 : 2+399] {
			require.Equal(t, []session.Cause{session.CauseDropped, session.CauseReturned}[i%2], c)
		}
	})
}

// A player comes in while he is given another session in place of that one: he is in
// with it or not, and afterwards in no case.
func TestRaceOfAcceptAndReplacement(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		f := newFixture(t, slot.Config{Stripes: stripes, DuplicatePlayers: slot.DuplicatesReplace}, 1)
		held := f.reserve("alice")
		for range 300 {
			var accepted, next session.PlayerSession
			together(2, func(i int) {
				var err error
				if i == 0 {
					accepted, err = f.Activate(held.PlayerSessionID)
				} else {
					next, err = f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice"})
				}
				if err != nil && (i == 1 || !errors.Is(err, session.ErrTimedOut)) {
					t.Error(err)
				}
			})
			want := session.StatusTimedOut
			if accepted.PlayerSessionID != "" {
				want = session.StatusCompleted
			}
			require.Equal(t, want, f.lookup(held.PlayerSessionID).Status)
			require.Equal(t, held.Slot, next.Slot)
			_, err := f.Activate(held.PlayerSessionID)
			require.Error(t, err)
			held = next
		}
		f.sound()
	})
}

// LESSONS: pitaya#251, netcode. A stale connection that goes never drops its
// successor's session.
func TestRaceOfTakeOverAndDisconnect(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		f := newFixture(t, slot.Config{Stripes: stripes}, 1)
		id := f.join("a").PlayerSessionID
		var last atomic.Uint32
		last.Store(1)
		together(4, func(i int) {
			for range 2000 {
				if i == 0 {
					ps, err := f.TakeOver(id)
					if err != nil || ps.Generation != last.Add(1) {
						t.Error(ps.Generation, err)
					}
					continue
				}
				// The current generation is i behind at the least.
				if g := last.Load(); g > uint32(i) {
					if err := f.Disconnect(id, g-uint32(i)); err != nil {
						t.Error(err)
					}
				}
			}
		})
		require.Equal(t, session.StatusActive, f.lookup(id).Status)
		f.soundAtRest()
	})
}

// Accepts, a release, a termination and the timer meet at the deadline itself.
func TestRaceAtTheDeadline(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		f := newFixture(t, slot.Config{Stripes: stripes}, 1000)
		recorder := f.events()
		var accepted, given sync.Map
		var ids []string
		for round := range 40 {
			timeout := time.Duration(1+round%5) * time.Millisecond
			var batch []string
			for i := range 8 {
				ps := f.reserved(slot.Reservation{GameSessionID: match, PlayerID: fmt.Sprint(round, i), Timeout: timeout})
				batch = append(batch, ps.PlayerSessionID)
			}
			deadline := time.Now().Add(timeout)
			together(6, func(i int) {
				for time.Until(deadline) > time.Duration(i)*100*time.Microsecond {
					time.Sleep(50 * time.Microsecond)
				}
				for range 3 {
					for _, id := range batch {
						if i == 0 {
							if ps, err := f.Release(id); err != nil || !ps.Status.Terminal() {
								t.Error(ps, err)
							} else if first, told := given.LoadOrStore(id, ps); told && first != ps {
								t.Errorf("released as %v, then as %v", first, ps)
							}
							continue
						}
						ps, err := f.Activate(id)
						switch {
						case err == nil:
							if _, twice := accepted.LoadOrStore(id, true); twice || ps.Status != session.StatusActive {
								t.Error("accepted twice, or not ACTIVE", ps)
							}
						case !errors.Is(err, session.ErrAlreadyActive) && !errors.Is(err, session.ErrCompleted) && !errors.Is(err, session.ErrTimedOut):
							t.Error(err)
						}
					}
				}
			})
			ids = append(ids, batch...)
		}
		require.Zero(t, f.held())
		f.soundAtRest()
		require.NoError(t, f.Close())
		for _, id := range ids {
			events := recorder.of(id)
			_, in := accepted.Load(id)
			require.Len(t, events, map[bool]int{false: 2, true: 3}[in])
			legal(t, events)
		}
	})
}

// legal checks that events of one player session follow each other.
func legal(t *testing.T, events []session.Event) {
	t.Helper()
	status, generation := session.Status(0), uint32(0)
	for _, e := range events {
		require.Equal(t, status, e.From)
		require.True(t, status == 0 && e.To == session.StatusReserved || status == session.StatusActive && e.To == status || status.CanBecome(e.To), "%v", e)
		switch e.Cause {
		case session.CauseAccepted, session.CauseReturned:
			generation++
		}
		require.Equal(t, generation, e.PlayerSession.Generation)
		require.Equal(t, e.To, e.PlayerSession.Status)
		require.Equal(t, e.To.Terminal(), !e.PlayerSession.TerminationTime.IsZero())
		status = e.To
	}
}

// Nobody sees one member of a party without the other, nor one whose game session
// has ended beside one whose has not.
func TestPartyIsSeenWhole(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		f := newFixture(t, slot.Config{Stripes: stripes, DuplicatePlayers: slot.DuplicatesAllow}, 100_000)
		stop := make(chan struct{})
		var observers sync.WaitGroup
		observe := func(look func()) {
			observers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						look()
					}
				}
			})
		}
		const rounds = 300
		var current atomic.Int64
		id := func(round int64, member int) string { return fmt.Sprintf("psess-%d-%d", round, member) }
		observe(func() {
			round := current.Load()
			// Both members appear at one instant: who sees the second sees the first.
			_, second := f.Lookup(id(round, 1))
			_, first := f.Lookup(id(round, 0))
			if second == nil && first != nil && current.Load() == round {
				t.Error("the second member was there before the first")
			}
			_, first = f.Lookup(id(round, 0))
			_, second = f.Lookup(id(round, 1))
			if first == nil && second != nil && current.Load() == round {
				t.Error("the first member was there before the second")
			}
		})
		observe(func() {
			if n := f.held(); n%2 != 0 {
				t.Errorf("%d seats held by parties of two", n)
			}
		})
		observe(func() {
			if s := f.Stats(); (s.Reserved+s.Active+s.TimedOut)%2 != 0 {
				t.Errorf("%+v with parties of two", s)
			}
		})
		observe(func() {
			for _, q := range []slot.Query{{GameSessionID: match, Limit: 1000}, {PlayerID: "twice", Limit: 1000}} {
				page, err := f.Describe(q)
				if err != nil || len(page.PlayerSessions)%2 != 0 {
					t.Errorf("%d described of parties of two, %v", len(page.PlayerSessions), err)
				}
			}
		})
		for round := range int64(rounds) {
			current.Store(round)
			_, err := f.ReserveAll([]slot.Reservation{
				{GameSessionID: match, PlayerID: "twice", PlayerSessionID: id(round, 0)},
				{GameSessionID: match, PlayerID: "twice", PlayerSessionID: id(round, 1)},
			})
			require.NoError(t, err)
		}
		close(stop)
		observers.Wait()
		f.soundAtRest()
	})
}

// Whatever is asked of a small table by many at once, its seats, its counts and
// its events agree.
func TestRandomRace(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		for policy := slot.DuplicatesReturn; policy <= slot.DuplicatesAllow; policy++ {
			t.Run(policy.String(), func(t *testing.T) { randomRace(t, stripes, policy) })
		}
	})
}

func randomRace(t *testing.T, stripes int, policy slot.DuplicatePolicy) {
	t.Helper()
	f := newFixture(t, slot.Config{
		Stripes: stripes, DuplicatePlayers: policy, MaxRetained: 40,
		ReconnectWindow: 3 * time.Millisecond, Retention: 20 * time.Millisecond,
	}, 4)
	always := f.events()
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	games := []string{match, "b", "c"}
	var ids [64]atomic.Pointer[session.PlayerSession]
	known := func() session.PlayerSession {
		if ps := ids[rand.IntN(len(ids))].Load(); ps != nil {
			return *ps
		}
		return session.PlayerSession{PlayerSessionID: issued[0]}
	}
	const workers = 8
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				game, ps := games[rand.IntN(3)], known()
				res := func() slot.Reservation {
					r := slot.Reservation{
						GameSessionID: game, PlayerID: player(rand.IntN(6)),
						Timeout: time.Duration(rand.IntN(4)) * time.Millisecond,
					}
					if rand.IntN(3) == 0 {
						r.PlayerSessionID = issued[rand.IntN(len(issued))]
					}
					return r
				}
				keep := func(ps session.PlayerSession) { ids[rand.IntN(len(ids))].Store(&ps) }
				switch rand.IntN(24) {
				case 0, 1, 2, 3, 4, 5:
					if got, err := f.Reserve(res()); err == nil {
						keep(got)
					}
				case 6, 7:
					if got, err := f.ReserveAll([]slot.Reservation{res(), res()}); err == nil {
						keep(got[0])
						keep(got[1])
					}
				case 8, 9, 10, 11:
					if got, err := f.Activate(ps.PlayerSessionID); (err == nil) != (got.Status == session.StatusActive) {
						t.Error(got, err)
					} else if err == nil {
						keep(got)
					}
				case 12:
					if got, err := f.TakeOver(ps.PlayerSessionID); err == nil {
						keep(got)
					}
				case 13, 14:
					_ = f.Disconnect(ps.PlayerSessionID, ps.Generation)
				case 15, 16:
					if got, err := f.Release(ps.PlayerSessionID); err == nil && !got.Status.Terminal() {
						t.Error(got)
					}
				case 17:
					_, _ = f.Extend(ps.PlayerSessionID, time.Millisecond)
				case 18:
					_, _ = f.Live(game, player(rand.IntN(6)))
				case 19:
					seen := make(map[string]time.Time)
					for q := (slot.Query{GameSessionID: game, Limit: 3}); ; {
						page, err := f.Describe(q)
						if err != nil {
							break
						}
						live := make(map[int]bool)
						for _, ps := range page.PlayerSessions {
							if made, twice := seen[ps.PlayerSessionID]; twice && made.Equal(ps.CreationTime) && !slices.Contains(issued, ps.PlayerSessionID) {
								t.Errorf("described twice: %v", ps)
							}
							seen[ps.PlayerSessionID] = ps.CreationTime
							if !ps.Status.Terminal() && live[ps.Slot] {
								t.Errorf("slot %d is held twice", ps.Slot)
							}
							live[ps.Slot] = live[ps.Slot] || !ps.Status.Terminal()
						}
						if q.NextToken = page.NextToken; q.NextToken == "" {
							break
						}
					}
				case 20:
					if rand.IntN(20) == 0 {
						_ = f.TerminateGameSession(game)
					} else if rand.IntN(20) == 0 {
						short, cancel := context.WithTimeout(ctx, time.Millisecond)
						_ = f.DrainGameSession(short, game)
						cancel()
					}
				case 21:
					_ = f.CreateGameSession(session.GameSession{GameSessionID: game, MaximumPlayerSessionCount: 4})
				case 22:
					_ = f.UpdateGameSession(game, slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(1 + rand.IntN(4))})
					if gs, err := f.GameSession(game); err == nil && gs.CurrentPlayerSessionCount > 4 {
						t.Errorf("%d held of 4", gs.CurrentPlayerSessionCount)
					}
				case 23:
					cancel := f.Subscribe(func(session.Event) {})
					_ = f.Stats()
					cancel()
				}
			}
		})
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			if err := f.CheckInvariants(); err != nil {
				t.Error(err)
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	wg.Wait()
	stats := f.Stats()
	require.Equal(t, stats.ReservedTotal, uint64(stats.Reserved+stats.Active)+stats.CompletedTotal+stats.TimedOutTotal)
	require.LessOrEqual(t, stats.Completed+stats.TimedOut, 40)
	f.sound()
	require.NoError(t, f.Close())
	agree(t, always.all(), f.Stats())
	f.soundAtRest()
}

// agree replays events from the first to the last and compares the sums.
func agree(t *testing.T, events []session.Event, s slot.Stats) {
	t.Helper()
	lives := make(map[string][]session.Event)
	count := make(map[session.Status]uint64)
	var accepted, returned uint64
	for _, e := range events {
		id := e.PlayerSession.PlayerSessionID
		if e.Cause == session.CauseReserved { // an id that was forgotten may be issued anew
			legal(t, lives[id])
			if n := len(lives[id]); n > 0 {
				require.True(t, lives[id][n-1].To.Terminal(), "reserved while live")
			}
			lives[id] = nil
		}
		lives[id] = append(lives[id], e)
		if e.From != e.To {
			count[e.To]++
		}
		switch e.Cause {
		case session.CauseAccepted:
			accepted++
		case session.CauseReturned:
			returned++
		}
	}
	var reserved, active int
	for _, life := range lives {
		legal(t, life)
		switch life[len(life)-1].To {
		case session.StatusReserved:
			reserved++
		case session.StatusActive:
			active++
		default:
		}
	}
	require.Equal(t, []uint64{s.ReservedTotal, s.AcceptedTotal, s.ReturnedTotal, s.CompletedTotal, s.TimedOutTotal},
		[]uint64{count[session.StatusReserved], accepted, returned, count[session.StatusCompleted], count[session.StatusTimedOut]})
	require.Equal(t, []int{s.Reserved, s.Active}, []int{reserved, active})
}

// LESSONS: ACE#1627, GameLift forum 8259. Close in the middle of everything: what
// it says last is so, and stays so.
func TestRaceAgainstClose(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		for round := range 60 {
			f := newFixture(t, slot.Config{Stripes: stripes, ReconnectWindow: time.Millisecond}, 200)
			recorder := f.events()
			var wg sync.WaitGroup
			for i := range 6 {
				wg.Go(func() {
					for n := 0; ; n++ {
						ps, err := f.Reserve(slot.Reservation{
							GameSessionID: match, PlayerID: fmt.Sprint(i, n),
							Timeout: time.Duration(1 + rand.IntN(int(time.Millisecond))),
						})
						if errors.Is(err, session.ErrClosed) {
							return
						}
						if _, err = f.Activate(ps.PlayerSessionID); err == nil && n%2 == 0 {
							_ = f.Disconnect(ps.PlayerSessionID, 1)
						}
						switch n % 5 {
						case 0:
							_, _ = f.Release(ps.PlayerSessionID)
						case 1:
							_ = f.Stats()
						}
					}
				})
			}
			wg.Go(func() { require.ErrorIs(t, f.drained(), session.ErrClosed) })
			time.Sleep(time.Duration(round%10) * 500 * time.Microsecond)
			if round%3 == 0 {
				wg.Go(func() { _ = f.TerminateGameSession(match) })
			}
			require.NoError(t, f.Close())
			stats, events := f.Stats(), recorder.all()
			wg.Wait()
			time.Sleep(2 * time.Millisecond)
			require.Equal(t, stats, f.Stats())
			require.Len(t, recorder.all(), len(events))
			agree(t, events, stats)
			f.sound()
		}
	})
}

// drained waits until the game session is empty, or the table is closed. Somebody
// may have emptied it before.
func (f fixture) drained() error {
	for {
		if err := f.DrainGameSession(context.Background(), "nowhere"); errors.Is(err, session.ErrClosed) {
			return err
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// LESSONS: ACE#1627, GameLift forum 8259. Drain and reserve meet: when Drain has
// returned nobody is in, nor gets in.
func TestRaceAgainstDrain(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		for range 50 {
			f := newFixture(t, slot.Config{Stripes: stripes}, 1000)
			f.create("b", 1000)
			var wg sync.WaitGroup
			var drained atomic.Bool
			for i := range 4 {
				wg.Go(func() {
					for n := 0; ; n++ {
						late := drained.Load()
						ps, err := f.Reserve(slot.Reservation{GameSessionID: []string{match, "b"}[n%2], PlayerID: fmt.Sprint(i, n)})
						if errors.Is(err, session.ErrDraining) || errors.Is(err, session.ErrGameSessionNotActive) {
							return
						}
						if err != nil || late {
							t.Error("reserved", late, err)
							return
						}
						if _, err := f.Activate(ps.PlayerSessionID); err != nil {
							t.Error(err) // who holds a reservation still gets in
						}
						f.release(ps.PlayerSessionID)
					}
				})
			}
			time.Sleep(200 * time.Microsecond)
			require.NoError(t, f.Drain(t.Context()))
			s := f.Stats()
			drained.Store(true)
			require.Zero(t, s.Reserved+s.Active)
			wg.Wait()
			f.soundAtRest()
		}
	})
}

// LESSONS: ACE#1627, GameLift forum 8259. Terminate ends all at one instant,
// whatever is under way.
func TestRaceAgainstTerminate(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		for range 30 {
			f := newFixture(t, slot.Config{Stripes: stripes}, 64)
			var ids []string
			for i := range 64 {
				ids = append(ids, f.reserve(player(i)).PlayerSessionID)
			}
			var over atomic.Bool
			together(5, func(i int) {
				if i == 0 {
					if err := f.TerminateGameSession(match); err != nil {
						t.Error(err)
					}
					over.Store(true)
					return
				}
				seen := false // that one has ended
				for n := range 2 * len(ids) {
					id := ids[n%len(ids)]
					late := seen || over.Load()
					ps, err := f.Activate(id)
					if err == nil && late {
						t.Error("accepted after others were terminated")
					}
					if ps, err = f.Lookup(id); err != nil || seen && !ps.Status.Terminal() {
						t.Error("alive after others were terminated", err)
					}
					seen = seen || ps.Status.Terminal()
				}
			})
			require.Zero(t, f.held())
			f.soundAtRest()
		}
	})
}

// LESSONS: Agones capacity list. Lowered below what is held, nobody is put out and
// nobody let in.
func TestRaceAgainstLowerMaximum(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		for range 20 {
			f := newFixture(t, slot.Config{Stripes: stripes}, 64)
			var lowered atomic.Bool
			var atLowering atomic.Int64
			together(9, func(i int) {
				if i == 0 {
					f.update(slot.GameSessionUpdate{MaximumPlayerSessionCount: pointer(8)})
					atLowering.Store(int64(f.held()))
					lowered.Store(true)
					return
				}
				for n := range 16 {
					late := lowered.Load()
					_, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: fmt.Sprint(i, n)})
					if err == nil && late && atLowering.Load() >= 8 {
						t.Error("let in beyond the maximum")
					}
				}
			})
			require.EqualValues(t, max(8, atLowering.Load()), f.held())
			f.soundAtRest()
		}
	})
}

// Paging while the past is forgotten: nothing that stays is skipped or told twice.
func TestPagingRace(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		f := newFixture(t, slot.Config{Stripes: stripes, MaxRetained: 10}, 10_000)
		stay := make(map[string]bool)
		for i := range 500 {
			stay[f.join(player(i)).PlayerSessionID] = true
			f.release(f.join("fleeting").PlayerSessionID)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for ctx.Err() == nil {
					if ps, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "fleeting"}); err == nil {
						_, _ = f.Release(ps.PlayerSessionID)
					}
				}
			})
		}
		for range 2 {
			wg.Go(func() {
				for ctx.Err() == nil {
					seen, n := make(map[string]bool), 0
					q := slot.Query{GameSessionID: match, Limit: 7}
					for {
						page, err := f.Describe(q)
						if err != nil {
							t.Error(err)
							return
						}
						for _, ps := range page.PlayerSessions {
							if seen[ps.PlayerSessionID] {
								t.Error("told twice")
							}
							seen[ps.PlayerSessionID] = true
							if stay[ps.PlayerSessionID] {
								n++
							}
						}
						if q.NextToken = page.NextToken; q.NextToken == "" {
							break
						}
					}
					if n != len(stay) {
						t.Errorf("told %d of %d", n, len(stay))
					}
				}
			})
		}
		wg.Wait()
		f.soundAtRest()
	})
}

// Subscribers come and go; one that stays misses nothing, and the others get what
// happens between, in order.
func TestRaceOfSubscribers(t *testing.T) {
	forStripes(t, func(t *testing.T, stripes int) {
		f := newFixture(t, slot.Config{Stripes: stripes}, 1000)
		always := f.events()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for ctx.Err() == nil {
					var mu sync.Mutex
					last := make(map[string]session.Status)
					cancel := f.Subscribe(func(e session.Event) {
						mu.Lock()
						defer mu.Unlock()
						id := e.PlayerSession.PlayerSessionID
						if have, ok := last[id]; ok && have != e.From {
							t.Errorf("%v behind %v", e, have)
						}
						last[id] = e.To
					})
					time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
					cancel()
				}
			})
		}
		for i := range 3 {
			wg.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					ps, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: fmt.Sprint(i, n)})
					if errors.Is(err, session.ErrOverloaded) { // the one that stays cannot keep up
						runtime.Gosched()
						continue
					}
					if _, accept := f.Activate(ps.PlayerSessionID); errors.Join(err, accept) != nil {
						t.Error(err, accept)
						return
					}
					f.release(ps.PlayerSessionID)
				}
			})
		}
		wg.Wait()
		require.NoError(t, f.Close())
		agree(t, always.all(), f.Stats())
	})
}

// A logger runs without a lock held, so it may ask the table.
func TestLoggerMayAskTheTable(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]func(f fixture){
		"reserve": func(f fixture) { f.reserve("a") },
		"party": func(f fixture) {
			_, err := f.ReserveAll([]slot.Reservation{{GameSessionID: match, PlayerID: "a"}, {GameSessionID: match, PlayerID: "b"}})
			require.NoError(f.t, err)
		},
		"accept":    func(f fixture) { f.join("a") },
		"release":   func(f fixture) { f.release(f.join("a").PlayerSessionID) },
		"drop":      func(f fixture) { f.drop(f.join("a")) },
		"refuse":    func(f fixture) { _, _ = f.Reserve(slot.Reservation{GameSessionID: match}) },
		"maximum":   func(f fixture) { f.update(slot.GameSessionUpdate{MaximumPlayerSessionCount: new(int)}) },
		"terminate": func(f fixture) { f.join("a"); f.terminate(match) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asks := new(asksTheTable)
			table, err := slot.NewTable(slot.Config{Logger: zerolog.New(asks)})
			require.NoError(t, err)
			f := fixture{table, t}
			f.create(match, 2)
			asks.table.Store(table)
			done := make(chan struct{})
			go func() {
				defer close(done)
				act(f)
			}()
			select {
			case <-done:
			case <-time.After(time.Minute):
				t.Fatal("a lock is held while the logger runs")
			}
			require.NoError(t, f.Close())
		})
	}
}

// asksTheTable is a log that wants to know how things stand.
type asksTheTable struct{ table atomic.Pointer[slot.Table] }

func (a *asksTheTable) Write(p []byte) (int, error) {
	if t := a.table.Load(); t != nil {
		_, _ = t.GameSession(match)
		_ = t.Stats()
	}
	return len(p), nil
}

// A flood of strangers is summed up, however many come at once.
func TestRaceOfStrangers(t *testing.T) {
	t.Parallel()
	for range 200 {
		book := new(logBook)
		f := newFixture(t, slot.Config{Logger: book.logger()}, 1)
		together(16, func(int) {
			for range 20 {
				_, _ = f.Activate("psess-stranger")
			}
		})
		// The first is told at once; the others are summed up 10 s later.
		require.Len(t, book.saying(t, "refused player session ids that nobody reserved"), 1)
	}
}

// All player sessions of a game session end at one instant, for Stats too.
func TestStatsAgainstTerminate(t *testing.T) {
	t.Parallel()
	f := newFixture(t, slot.Config{}, 20_000)
	for i := range 20_000 {
		f.join(player(i))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.terminate(match)
	}()
	for over := false; !over; {
		select {
		case <-done:
			over = true
		default:
		}
		s := f.Stats()
		require.Contains(t, []int{0, 20_000}, s.Active, "half of a game session is over")
	}
}

// While much is reclaimed, forgotten or terminated elsewhere, deadlines are judged
// in time all the same: the horizon is at most 20 ms late. That holds while the
// timer gets CPU, which nobody can tell of another goroutine; so it has to hold in
// one of five attempts throughout.
func TestHorizonIsInTime(t *testing.T) {
	crowd := 100_000
	if slowed() {
		crowd /= 10
	}
	fill := func(f fixture) {
		for i := range crowd {
			f.reserved(slot.Reservation{GameSessionID: match, PlayerID: player(i)})
		}
	}
	for name, attempt := range map[string]func(t *testing.T) bool{
		"terminate": func(t *testing.T) bool {
			f := newFixture(t, slot.Config{ReservationTimeout: 700 * time.Millisecond}, crowd)
			fill(f)
			return judgedInTime(f, func() { time.Sleep(100 * time.Millisecond); _ = f.TerminateGameSession(match) })
		},
		"describe": func(t *testing.T) bool {
			f := newFixture(t, slot.Config{ReservationTimeout: 700 * time.Millisecond}, crowd)
			fill(f)
			return judgedInTime(f, func() {
				for range 50 { // passes over them all
					_, _ = f.Describe(slot.Query{GameSessionID: match, Status: session.StatusCompleted})
				}
			})
		},
		"forget": func(t *testing.T) bool {
			f := newFixture(t, slot.Config{Retention: 300 * time.Millisecond}, crowd)
			fill(f)
			f.terminate(match)
			return judgedInTime(f, func() {})
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range 5 {
				if attempt(t) {
					return
				}
			}
			t.Error("somebody was let in 30 ms after the deadline, in each attempt")
		})
	}
}

// judgedInTime tells whether twelve players, one after the other, are refused once
// their deadlines have passed, while busy runs.
func judgedInTime(f fixture, busy func()) bool {
	const timeout = 5 * time.Millisecond
	f.create("small", 1)
	var running sync.WaitGroup
	running.Go(busy)
	defer running.Wait()
	for range 12 {
		ps := f.reserved(slot.Reservation{GameSessionID: "small", PlayerID: "p", Timeout: timeout})
		time.Sleep(timeout + 30*time.Millisecond)
		if _, err := f.Activate(ps.PlayerSessionID); !errors.Is(err, session.ErrTimedOut) {
			return false
		}
	}
	return true
}

// Who ended last is retained while a game session is forgotten whose player
// sessions ended before.
func TestForgettingIsNoSurplus(t *testing.T) {
	t.Parallel()
	const most = 50
	for range 30 {
		f := newFixture(t, slot.Config{MaxRetained: most, Retention: time.Millisecond}, 1000)
		f.create("ends", most)
		for i := range most {
			f.reserved(slot.Reservation{GameSessionID: "ends", PlayerID: player(i)})
		}
		var ids []string
		for i := range most {
			ids = append(ids, f.reserve(player(i)).PlayerSessionID)
		}
		f.terminate("ends")
		together(2, func(i int) {
			for n := i; n < len(ids); n += 2 {
				f.release(ids[n])
				time.Sleep(20 * time.Microsecond)
				if _, err := f.Lookup(ids[n]); err != nil {
					t.Error("at most 50 have ended since, and 50 are retained:", err)
				}
			}
		})
		require.Eventually(t, func() bool { return f.Stats().GameSessions == 1 }, time.Minute, time.Millisecond)
		f.soundAtRest()
	}
}

// Whom MaxRetained pushes out is gone at once, whoever noticed the end.
func TestLiveForgetsSurplus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{MaxRetained: 1}, 2)
		old := f.reserve("old").PlayerSessionID
		f.release(old)
		f.reserved(slot.Reservation{GameSessionID: match, PlayerID: "p", Timeout: time.Millisecond})
		time.Sleep(2 * time.Millisecond)
		_, err := f.Live(match, "p")
		require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
		_, err = f.Lookup(old)
		require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
		f.soundAtRest()
	})
}

// Two subscribers that both close the table do not wait for each other.
func TestSubscribersClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 1)
		begin := time.Now()
		var meet sync.WaitGroup
		meet.Add(2)
		for range 2 {
			f.Subscribe(func(session.Event) {
				meet.Done()
				meet.Wait()
				_ = f.Close()
			})
		}
		f.reserve("a")
		synctest.Wait()
		require.NoError(t, f.Close())
		require.Zero(t, time.Since(begin))
	})
}
