package slot_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

func TestConfigZeroValue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{}, 3)
		begin := time.Now()

		// ReservationTimeout: 60 s.
		ps := f.reserve("alice")
		require.Equal(t, begin.Add(time.Minute).UTC(), f.deadline(ps.PlayerSessionID))

		// MaxReservation: 10 min.
		extended, err := f.Extend(ps.PlayerSessionID, time.Hour)
		require.NoError(t, err)
		require.Equal(t, begin.Add(10*time.Minute).UTC(), extended)

		// DuplicatePlayers: DuplicatesReturn.
		require.Equal(t, ps, f.reserve("alice"))

		// ReconnectWindow: none.
		bob := f.join("bob")
		f.drop(bob)
		require.Equal(t, session.StatusCompleted, f.lookup(bob.PlayerSessionID).Status)

		// Retention: 30 days.
		f.terminate(match)
		time.Sleep(30*24*time.Hour - time.Millisecond)
		f.lookup(bob.PlayerSessionID)
		time.Sleep(2 * time.Millisecond)
		_, err = f.Lookup(bob.PlayerSessionID)
		require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
	})
}

func TestConfigIsObeyed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slot.Config{
			ReservationTimeout: 5 * time.Second,
			MaxReservation:     20 * time.Second,
			ReconnectWindow:    7 * time.Second,
			Retention:          time.Hour,
			MaxRetained:        2,
			Capacity:           100,
			Stripes:            1,
			DuplicatePlayers:   slot.DuplicatesReject,
		}, 10)
		begin := time.Now().UTC()

		ps := f.reserve("alice")
		require.Equal(t, begin.Add(5*time.Second), f.deadline(ps.PlayerSessionID))
		extended, err := f.Extend(ps.PlayerSessionID, time.Hour)
		require.NoError(t, err)
		require.Equal(t, begin.Add(20*time.Second), extended)
		_, err = f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice"})
		require.ErrorIs(t, err, session.ErrDuplicatePlayer)

		f.drop(f.accept(ps.PlayerSessionID))
		require.Equal(t, begin.Add(7*time.Second), f.deadline(ps.PlayerSessionID))

		f.release(ps.PlayerSessionID)
		bob := f.release(f.reserve("bob").PlayerSessionID)
		carol := f.release(f.reserve("carol").PlayerSessionID)
		_, err = f.Lookup(ps.PlayerSessionID)
		require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
		f.lookup(bob.PlayerSessionID)

		f.terminate(match)
		time.Sleep(time.Hour + time.Millisecond)
		_, err = f.Lookup(carol.PlayerSessionID)
		require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
		_, err = f.GameSession(match)
		require.ErrorIs(t, err, session.ErrGameSessionNotFound)
	})
}

func TestConfigRefused(t *testing.T) {
	t.Parallel()
	const tooLong = math.MaxInt64
	for name, test := range map[string]struct {
		config slot.Config
		field  string
	}{
		"negative timeout":          {slot.Config{ReservationTimeout: -1}, "ReservationTimeout"},
		"absurd timeout":            {slot.Config{ReservationTimeout: tooLong}, "ReservationTimeout"},
		"negative max reservation":  {slot.Config{MaxReservation: -1}, "MaxReservation"},
		"absurd max reservation":    {slot.Config{MaxReservation: tooLong}, "MaxReservation"},
		"negative window":           {slot.Config{ReconnectWindow: -1}, "ReconnectWindow"},
		"absurd window":             {slot.Config{ReconnectWindow: tooLong}, "ReconnectWindow"},
		"negative retention":        {slot.Config{Retention: -1}, "Retention"},
		"absurd retention":          {slot.Config{Retention: tooLong}, "Retention"},
		"negative retained":         {slot.Config{MaxRetained: -1}, "MaxRetained"},
		"absurd retained":           {slot.Config{MaxRetained: math.MaxInt}, "MaxRetained"},
		"negative capacity":         {slot.Config{Capacity: -1}, "Capacity"},
		"absurd capacity":           {slot.Config{Capacity: math.MaxInt}, "Capacity"},
		"negative stripes":          {slot.Config{Stripes: -1}, "Stripes"},
		"most negative stripes":     {slot.Config{Stripes: math.MinInt}, "Stripes"},
		"stripes no power of two":   {slot.Config{Stripes: 3}, "Stripes"},
		"stripes 96":                {slot.Config{Stripes: 96}, "Stripes"},
		"absurd stripes":            {slot.Config{Stripes: 1 << 30}, "Stripes"},
		"unknown duplicates policy": {slot.Config{DuplicatePlayers: slot.DuplicatesAllow + 1}, "DuplicatePlayers"},
		"absurd duplicates policy":  {slot.Config{DuplicatePlayers: 255}, "DuplicatePlayers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, err := slot.NewTable(test.config)
			require.Nil(t, table)
			requireField(t, test.field, err)
		})
	}
}

func TestConfigStripes(t *testing.T) {
	t.Parallel()
	for _, stripes := range []int{0, 1, 2, 64, 1024} {
		f := newFixture(t, slot.Config{Stripes: stripes}, 100)
		for i := range 100 {
			f.accept(f.reserve(player(i)).PlayerSessionID)
		}
		require.Equal(t, 100, f.Stats().Active, "%d stripes", stripes)
	}
}

func TestDuplicatePolicyString(t *testing.T) {
	t.Parallel()
	for policy, word := range map[slot.DuplicatePolicy]string{
		slot.DuplicatesReturn:  "return",
		slot.DuplicatesReject:  "reject",
		slot.DuplicatesReplace: "replace",
		slot.DuplicatesAllow:   "allow",
		4:                      "DuplicatePolicy(4)",
		200:                    "DuplicatePolicy(200)",
	} {
		require.Equal(t, word, policy.String())
	}
}
