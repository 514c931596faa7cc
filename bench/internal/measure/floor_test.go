package measure_test

import (
	"math/bits"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/session"
)

type floor interface {
	Reserve(id, playerID, playerData string)
	AcceptPlayerSession(id string) (session.PlayerSession, error)
	Clear()
}

// The floors find what was put there, or their figures mean nothing.
func TestFloor(t *testing.T) {
	t.Parallel()
	if bits.UintSize == 64 {
		require.EqualValues(t, 64, measure.FloorRecordSize)
		require.EqualValues(t, 128, measure.FloorStripeSize)
		require.EqualValues(t, 64, measure.CheckedRecordSize)
		require.EqualValues(t, 128, measure.CheckedStripeSize)
	}
	const n = 3000
	g := session.GameSession{GameSessionID: "game", Port: 7777, MaximumPlayerSessionCount: n}
	for name, f := range map[string]floor{"bare": measure.NewFloor(g), "checked": measure.NewCheckedFloor(g)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 {
				requireFloor(t, f, n)
				f.Clear()
			}
		})
	}
}

// requireFloor lets n players reserve and come.
func requireFloor(t *testing.T, f floor, n int) {
	t.Helper()
	arrivals := measure.Strangers(n)
	for i := range n {
		f.Reserve(arrivals.At(i), "player-"+strconv.Itoa(i), "data")
	}
	for i := range n {
		ps, err := f.AcceptPlayerSession(arrivals.At(i))
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), ps.CreationTime, time.Minute)
		require.Equal(t, session.PlayerSession{
			CreationTime:    ps.CreationTime,
			GameSessionID:   "game",
			Port:            7777,
			PlayerID:        "player-" + strconv.Itoa(i),
			PlayerData:      "data",
			PlayerSessionID: arrivals.At(i),
			Status:          session.StatusActive,
			Slot:            i,
			Generation:      1,
		}, ps)
	}
	ps, err := f.AcceptPlayerSession(session.NewPlayerSessionID())
	require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
	require.Zero(t, ps)
}

// Of the two floors, one checks.
func TestCheckedFloorChecks(t *testing.T) {
	t.Parallel()
	f := measure.NewCheckedFloor(session.GameSession{GameSessionID: "game", MaximumPlayerSessionCount: 1})
	id := session.NewPlayerSessionID()
	f.Reserve(id, "player", "data")
	for i := range id {
		_, err := f.AcceptPlayerSession(id[:i] + "X" + id[i+1:])
		require.ErrorIs(t, err, session.ErrInvalidPlayerSessionID)
	}
	_, err := f.AcceptPlayerSession(id)
	require.NoError(t, err)
	_, err = f.AcceptPlayerSession(id)
	require.ErrorIs(t, err, session.ErrAlreadyActive)
}
