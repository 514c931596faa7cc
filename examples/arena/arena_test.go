package main

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// world is an arena that follows a table, in which time is at the test's command.
type world struct {
	*arena
	table *slot.Table
}

// inWorld runs a test in a bubble.
func inWorld(t *testing.T, test func(*testing.T, *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := options{seats: 2, timeout: time.Minute, window: 10 * time.Second}
		table, err := newTable(o, zerolog.Logger{})
		require.NoError(t, err)
		defer func() { require.NoError(t, table.Close()) }()
		w := &world{newArena(rand.New(rand.NewPCG(1, 2))), table}
		table.Subscribe(w.follow)
		test(t, w)
	})
}

// comes is a player from reservation to accept.
func (w *world) comes(t *testing.T, name string) session.PlayerSession {
	t.Helper()
	ps, err := w.table.Reserve(slot.Reservation{GameSessionID: gameSession, PlayerID: name, PlayerData: name})
	require.NoError(t, err)
	ps, err = w.table.Activate(ps.PlayerSessionID)
	require.NoError(t, err)
	synctest.Wait() // for the subscriber
	return ps
}

// shown is what the pages are shown now.
func (w *world) shown(t *testing.T) frame {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var f frame
	require.NoError(t, json.Unmarshal(w.frame(), &f))
	return f
}

func (w *world) steps(n int) {
	for range n {
		w.step()
	}
}

const second = int(time.Second / tick)

// Who is in the arena, and how, is what the table says.
func TestArenaFollowsTheTable(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ann, bob := w.comes(t, "Ann"), w.comes(t, "Bob")
		players := w.shown(t).Players
		require.Len(t, players, 2)
		require.Equal(t, []string{"Ann", "Bob"}, []string{players[0].Name, players[1].Name})
		require.NotEqual(t, players[0].Hue, players[1].Hue)

		require.NoError(t, w.table.Disconnect(ann.PlayerSessionID, 1))
		time.Sleep(4 * time.Second)
		require.Equal(t, int64(4000), w.shown(t).Players[0].Away)
		_, err := w.table.Activate(ann.PlayerSessionID)
		require.NoError(t, err)
		synctest.Wait()
		require.Zero(t, w.shown(t).Players[0].Away, "back")

		require.NoError(t, w.table.Disconnect(ann.PlayerSessionID, 2))
		time.Sleep(10*time.Second + 100*time.Millisecond)
		require.Len(t, w.shown(t).Players, 1, "the window is over")

		_, err = w.table.Release(bob.PlayerSessionID)
		require.NoError(t, err)
		synctest.Wait()
		require.Empty(t, w.shown(t).Players)

		_, err = w.table.Reserve(slot.Reservation{GameSessionID: gameSession, PlayerID: "cem"})
		require.NoError(t, err)
		synctest.Wait()
		require.Empty(t, w.shown(t).Players, "a reservation has no avatar")
	})
}

func TestMoves(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ann := w.comes(t, "Ann")
		p := w.players[ann.PlayerSessionID]
		p.x, p.y = 300, 300
		w.steer(ann.PlayerSessionID, 1, 1, 0)
		w.steps(second)
		require.InDelta(t, 300+speed, p.x, 0.2*speed, "a second at nearly full speed")
		require.InDelta(t, 300, p.y, 1e-9)

		w.steer(ann.PlayerSessionID, 1, 1, 1)
		w.steps(second)
		require.LessOrEqual(t, math.Hypot(p.vx, p.vy), speed+1e-9, "a diagonal is no faster")

		w.steer(ann.PlayerSessionID, 1, -1, -1)
		w.steps(20 * second)
		require.Equal(t, []float64{radius, radius}, []float64{p.x, p.y}, "the corner")
		w.steer(ann.PlayerSessionID, 1, 1, 1)
		w.steps(20 * second)
		require.Equal(t, []float64{width - radius, height - radius}, []float64{p.x, p.y}, "the other one")
	})
}

// A connection that has lost its player steers nobody.
func TestOldConnectionHasNoSay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ann := w.comes(t, "Ann")
		p := w.players[ann.PlayerSessionID]
		w.steer(ann.PlayerSessionID, 1, 1, 0)
		_, err := w.table.TakeOver(ann.PlayerSessionID)
		require.NoError(t, err)
		synctest.Wait()
		require.Zero(t, p.dx, "the new connection has asked for nothing yet")
		w.steer(ann.PlayerSessionID, 1, 1, 0)
		require.Zero(t, p.dx)
		w.steer(ann.PlayerSessionID, 2, 0, 1)
		require.InDelta(t, 1, p.dy, 1e-9)
		w.steer("psess-somebody-else", 1, 1, 0)
	})
}

func TestSparks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ann := w.comes(t, "Ann")
		p := w.players[ann.PlayerSessionID]
		for i, s := range w.sparks { // all but two are out of reach
			s.x, s.y = width-sparkRadius, float64(i)*sparkRadius
		}
		near, golden := w.sparks[0], w.sparks[1]
		p.x, p.y = 300, 300
		near.x, near.y, near.worth = 300, 310, 1
		golden.x, golden.y, golden.worth = 300+radius+sparkRadius+1, 300, goldenWorth
		w.step()
		require.Equal(t, 1, p.score)
		require.NotContains(t, w.sparks, near)
		require.Contains(t, w.sparks, golden, "a hair's breadth too far")
		require.Len(t, w.sparks, sparks)

		require.NoError(t, w.table.Disconnect(ann.PlayerSessionID, 1))
		synctest.Wait()
		golden.x = 300
		w.step()
		require.Equal(t, 1, p.score, "who is away collects nothing")
		_, err := w.table.Activate(ann.PlayerSessionID)
		require.NoError(t, err)
		synctest.Wait()
		w.step()
		require.Equal(t, 1+goldenWorth, p.score)

		seen := make(map[int]bool)
		for _, s := range w.sparks {
			require.False(t, seen[s.number], "a number is used once")
			seen[s.number] = true
		}
	})
}

// Whoever does not come for its frames misses some, and has the latest.
func TestSlowPeerHoldsUpNobody(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		slow, unwatch := w.watch()
		w.steps(1000)
		var f frame
		require.NoError(t, json.Unmarshal(<-slow.frames, &f))
		require.Equal(t, uint64(1000), f.Tick)
		require.Empty(t, slow.frames)
		unwatch()
		w.step()
		require.Empty(t, slow.frames)
	})
}

func TestTicks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		done := make(chan struct{})
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			defer close(done)
			w.run(ctx)
		}()
		time.Sleep(10*time.Second + tick/2)
		synctest.Wait()
		require.Equal(t, uint64(200), w.shown(t).Tick, "20 a second")

		w.closesIn(3 * time.Second)
		time.Sleep(time.Second)
		require.Equal(t, int64(2000), w.shown(t).Closing)
		stop()
		<-done
	})
}

// A full arena's frame stays small: it is sent to each, 20 times a second.
func TestFrameSize(t *testing.T) {
	t.Parallel()
	a := newArena(rand.New(rand.NewPCG(1, 2)))
	for i := range maxSeats {
		ps := session.PlayerSession{Slot: i, PlayerData: "sixteen letters!", PlayerSessionID: strconv.Itoa(i)}
		a.follow(session.Event{Cause: session.CauseAccepted, To: session.StatusActive, PlayerSession: ps})
	}
	require.Less(t, len(a.frame()), 10<<10)
}

func TestLooks(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	hues := make(map[float64]bool)
	for seat := range maxSeats {
		name := nameOf(session.PlayerSession{Slot: seat})
		require.NotEmpty(t, name)
		require.False(t, seen[name], name)
		require.False(t, hues[hueOf(seat)], seat)
		seen[name], hues[hueOf(seat)] = true, true
	}
	require.Equal(t, "Ann", nameOf(session.PlayerSession{Slot: 3, PlayerData: "Ann"}))
}
