package measure_test

import (
	"math/bits"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/session"
)

// The floor finds what was put there, or its figures mean nothing.
func TestFloor(t *testing.T) {
	t.Parallel()
	if bits.UintSize == 64 {
		require.EqualValues(t, 64, measure.FloorRecordSize)
		require.EqualValues(t, 128, measure.FloorStripeSize)
	}
	const n = 3000
	f := measure.NewFloor(session.GameSession{GameSessionID: "game", Port: 7777, MaximumPlayerSessionCount: n})
	arrivals := measure.Strangers(n)
	for i := range n {
		f.Reserve(arrivals.At(i), "player-"+strconv.Itoa(i), "data")
	}
	for i := range n {
		ps, err := f.AcceptPlayerSession(arrivals.At(i))
		require.NoError(t, err)
		require.NotZero(t, ps.CreationTime)
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
