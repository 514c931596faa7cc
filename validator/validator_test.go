package validator_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

const match = "match"

// newTable returns a table with a game session, match, of 10 seats, that is
// closed when the test ends.
func newTable(t testing.TB, c slot.Config) *slot.Table {
	t.Helper()
	table, err := slot.NewTable(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, table.Close()) })
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: match, MaximumPlayerSessionCount: 10}))
	return table
}

func reserve(t testing.TB, table *slot.Table, playerID string) session.PlayerSession {
	t.Helper()
	ps, err := table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: playerID, PlayerData: "data"})
	require.NoError(t, err)
	return ps
}

func TestAcceptPlayerSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, slot.Config{ReconnectWindow: time.Minute})
		v := validator.New(table, validator.Config{})
		want := reserve(t, table, "alice")
		late := reserve(t, table, "late").PlayerSessionID

		want.Status, want.Generation = session.StatusActive, 1
		got, err := v.AcceptPlayerSession(want.PlayerSessionID)
		require.NoError(t, err)
		require.Equal(t, want, got, "the whole player session")
		looked, err := table.Lookup(want.PlayerSessionID)
		require.NoError(t, err)
		require.Equal(t, want, looked)

		_, err = v.AcceptPlayerSession(want.PlayerSessionID)
		require.ErrorIs(t, err, session.ErrAlreadyActive)
		require.NoError(t, table.Disconnect(want.PlayerSessionID, 1))
		got, err = v.AcceptPlayerSession(want.PlayerSessionID)
		require.NoError(t, err)
		require.Equal(t, uint32(2), got.Generation, "a dropped player returns")
		require.NoError(t, v.RemovePlayerSession(want.PlayerSessionID))

		time.Sleep(time.Minute + 20*time.Millisecond)
		for id, refusal := range map[string]error{
			want.PlayerSessionID: session.ErrCompleted,
			late:                 session.ErrTimedOut,
			"psess-unknown":      session.ErrPlayerSessionNotFound,
			"unknown":            session.ErrInvalidPlayerSessionID,
			"":                   session.ErrInvalidPlayerSessionID,
		} {
			got, err := v.AcceptPlayerSession(id)
			require.ErrorIs(t, err, refusal)
			require.Zero(t, got)
		}
		require.NoError(t, table.Close())
		_, err = v.AcceptPlayerSession(late)
		require.ErrorIs(t, err, session.ErrClosed)
	})
}

func TestRemovePlayerSession(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{ReconnectWindow: time.Hour})
	v := validator.New(table, validator.Config{})
	active, reserved := reserve(t, table, "active").PlayerSessionID, reserve(t, table, "reserved").PlayerSessionID
	_, err := v.AcceptPlayerSession(active)
	require.NoError(t, err)
	for range 2 { // safe to call twice
		require.NoError(t, v.RemovePlayerSession(active))
		require.NoError(t, v.RemovePlayerSession(reserved))
	}
	for id, want := range map[string]session.Status{active: session.StatusCompleted, reserved: session.StatusTimedOut} {
		ps, err := table.Lookup(id)
		require.NoError(t, err)
		require.Equal(t, want, ps.Status)
	}
	gs, err := table.GameSession(match)
	require.NoError(t, err)
	require.Zero(t, gs.CurrentPlayerSessionCount)

	require.ErrorIs(t, v.RemovePlayerSession("psess-unknown"), session.ErrPlayerSessionNotFound)
	require.ErrorIs(t, v.RemovePlayerSession("unknown"), session.ErrInvalidPlayerSessionID)
	require.NoError(t, table.Close())
	require.ErrorIs(t, v.RemovePlayerSession(active), session.ErrClosed)
}

func TestDescribePlayerSessions(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	v := validator.New(table, validator.Config{})
	for i := range 5 {
		reserve(t, table, fmt.Sprint("player ", i))
	}
	var got []session.PlayerSession
	q := slot.Query{GameSessionID: match, Limit: 2}
	for pages := 1; ; pages++ {
		page, err := v.DescribePlayerSessions(q)
		require.NoError(t, err)
		got = append(got, page.PlayerSessions...)
		if q.NextToken = page.NextToken; q.NextToken == "" {
			require.Equal(t, 3, pages)
			break
		}
	}
	want, err := table.Describe(slot.Query{GameSessionID: match})
	require.NoError(t, err)
	require.Equal(t, want.PlayerSessions, got)

	_, err = v.DescribePlayerSessions(slot.Query{})
	require.ErrorIs(t, err, session.ErrInvalidField)
	_, err = v.DescribePlayerSessions(slot.Query{GameSessionID: "nowhere"})
	require.ErrorIs(t, err, session.ErrGameSessionNotFound)
	_, err = v.DescribePlayerSessions(slot.Query{PlayerSessionID: "psess-unknown"})
	require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
	page, err := v.DescribePlayerSessions(slot.Query{PlayerID: "nobody"})
	require.NoError(t, err)
	require.Empty(t, page.PlayerSessions)
}

func TestUpdatePlayerSessionCreationPolicy(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	v := validator.New(table, validator.Config{})
	alice := reserve(t, table, "alice").PlayerSessionID
	require.NoError(t, v.UpdatePlayerSessionCreationPolicy(match, session.DenyAll))
	_, err := table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "bob"})
	require.ErrorIs(t, err, session.ErrCreationDenied)
	_, err = v.AcceptPlayerSession(alice)
	require.NoError(t, err, "never checked at accept")
	gs, err := table.GameSession(match)
	require.NoError(t, err)
	require.Equal(t, session.DenyAll, gs.PlayerSessionCreationPolicy)
	require.Equal(t, 10, gs.MaximumPlayerSessionCount)

	require.NoError(t, v.UpdatePlayerSessionCreationPolicy(match, session.AcceptAll))
	reserve(t, table, "bob")
	require.ErrorIs(t, v.UpdatePlayerSessionCreationPolicy(match, 99), session.ErrInvalidField)
	require.ErrorIs(t, v.UpdatePlayerSessionCreationPolicy("nowhere", session.DenyAll), session.ErrGameSessionNotFound)
	require.NoError(t, table.TerminateGameSession(match))
	require.ErrorIs(t, v.UpdatePlayerSessionCreationPolicy(match, session.DenyAll), session.ErrGameSessionNotActive)
	require.NoError(t, table.Close())
	require.ErrorIs(t, v.UpdatePlayerSessionCreationPolicy(match, session.DenyAll), session.ErrClosed)
}

// Refusals at this door go to its own logger, or, without one, to the table's.
func TestLogger(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{true, false} {
		var door, house bytes.Buffer
		table := newTable(t, slot.Config{Logger: zerolog.New(&house)})
		c, want, other := validator.Config{}, &house, &door
		if own {
			c.Logger, want, other = zerolog.New(&door), &door, &house
		}
		v := validator.New(table, c)
		id := reserve(t, table, "alice").PlayerSessionID
		_, err := v.AcceptPlayerSession(id)
		require.NoError(t, err)
		_, err = v.AcceptPlayerSession(id)
		require.Error(t, err)
		_, err = v.AcceptPlayerSession("psess-unknown")
		require.Error(t, err)
		require.NoError(t, table.Close())
		for _, message := range []string{"player refused", "ids that nobody reserved"} {
			require.Contains(t, want.String(), message)
			require.NotContains(t, other.String(), message)
		}
		require.Contains(t, want.String(), session.Redact(id))
		require.NotContains(t, door.String()+house.String(), strings.TrimPrefix(id, "psess-"))
	}
}

// Two validators, of two tables or of one, know nothing of each other.
func TestValidatorsAreIndependent(t *testing.T) {
	t.Parallel()
	first, second := newTable(t, slot.Config{}), newTable(t, slot.Config{})
	a, b, c := validator.New(first, validator.Config{}), validator.New(second, validator.Config{}), validator.New(second, validator.Config{})
	id := reserve(t, first, "alice").PlayerSessionID
	_, err := b.AcceptPlayerSession(id)
	require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
	_, err = a.AcceptPlayerSession(id)
	require.NoError(t, err)
	id = reserve(t, second, "alice").PlayerSessionID
	_, err = b.AcceptPlayerSession(id)
	require.NoError(t, err)
	_, err = c.AcceptPlayerSession(id)
	require.ErrorIs(t, err, session.ErrAlreadyActive)
}

func TestNewWithoutATable(t *testing.T) {
	t.Parallel()
	require.Panics(t, func() { validator.New(nil, validator.Config{}) })
}
