package validator

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// An id from elsewhere may be reserved just when it has been found unknown. It is
// not accepted then, since Admit has not seen it, and comes back another time.
func TestReservedAfterTheLook(t *testing.T) {
	t.Parallel()
	const id = "psess-from-elsewhere"
	table, err := slot.NewTable(slot.Config{})
	require.NoError(t, err)
	defer table.Close()
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: 1}))
	g := newGuests(New(table, Config{}), false)
	defer g.close()
	accept, banned := g.accept, errors.New("banned")
	g.accept = func(id string) (session.PlayerSession, error) {
		_, err := table.Reserve(slot.Reservation{GameSessionID: "match", PlayerID: "mallory", PlayerSessionID: id})
		if err != nil {
			return session.PlayerSession{}, err
		}
		return accept(id)
	}
	_, err = g.admit(id, func(session.PlayerSession) error { return banned }, nil)
	require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
	ps, err := table.Lookup(id)
	require.NoError(t, err)
	require.Equal(t, session.StatusCompleted, ps.Status)
	require.Empty(t, g.inside)
}

// The subscription ends with the last guest after close, and with a refusal if
// there is no guest.
func TestSubscription(t *testing.T) {
	t.Parallel()
	table, err := slot.NewTable(slot.Config{})
	require.NoError(t, err)
	defer table.Close()
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: 10}))
	g := newGuests(New(table, Config{}), false)
	subscribed := func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.cancel != nil
	}
	come := func(player string) (*guest, chan error) {
		ps, err := table.Reserve(slot.Reservation{GameSessionID: "match", PlayerID: player})
		require.NoError(t, err)
		ended := make(chan error, 1)
		guest, err := g.admit(ps.PlayerSessionID, nil, func(why error) { ended <- why })
		require.NoError(t, err)
		return guest, ended
	}
	require.False(t, subscribed())
	alice, _ := come("alice")
	_, ended := come("bob")
	g.close()
	require.True(t, subscribed())
	accept := g.accept
	g.accept = func(id string) (session.PlayerSession, error) {
		require.NoError(t, g.dropped(alice))
		require.True(t, subscribed(), "bob is inside, and cem is coming")
		return accept(id)
	}
	_, endedToo := come("cem")
	g.accept = accept
	require.True(t, subscribed())
	require.NoError(t, table.TerminateGameSession("match"))
	require.Error(t, <-ended)
	require.Error(t, <-endedToo)
	require.False(t, subscribed(), "ended by the subscriber itself")

	_, err = g.admit("psess-stranger", nil, nil)
	require.ErrorIs(t, err, session.ErrPlayerSessionNotFound)
	require.False(t, subscribed())
}

// What happens to a player session before its connection is inside is not missed.
func TestHeardWhileArriving(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		meanwhile func(t *testing.T, g *guests, id string)
		cause     session.Cause // 0: the guest stays
	}{
		"nothing": {meanwhile: func(*testing.T, *guests, string) {}},
		"released": {cause: session.CauseReleased, meanwhile: func(t *testing.T, g *guests, id string) {
			t.Helper()
			_, err := g.table.Release(id)
			require.NoError(t, err)
		}},
		"dropped, and then released": {cause: session.CauseDropped, meanwhile: func(t *testing.T, g *guests, id string) {
			t.Helper()
			require.NoError(t, g.table.Disconnect(id, 1))
			_, err := g.table.Release(id)
			require.NoError(t, err)
		}},
		"taken over elsewhere": {cause: session.CauseReturned, meanwhile: func(t *testing.T, g *guests, id string) {
			t.Helper()
			_, err := g.table.TakeOver(id)
			require.NoError(t, err)
		}},
		"taken over here, and not yet heard of": {cause: session.CauseReturned, meanwhile: func(_ *testing.T, g *guests, id string) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.inside[id] = &guest{playerSession: session.PlayerSession{PlayerSessionID: id, Generation: 2}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				table, err := slot.NewTable(slot.Config{ReconnectWindow: time.Hour})
				require.NoError(t, err)
				defer table.Close()
				require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: 1}))
				ps, err := table.Reserve(slot.Reservation{GameSessionID: "match", PlayerID: "alice"})
				require.NoError(t, err)
				g := newGuests(New(table, Config{}), false)
				defer g.close()
				accept := g.accept
				g.accept = func(id string) (session.PlayerSession, error) {
					ps, err := accept(id)
					test.meanwhile(t, g, id)
					synctest.Wait() // the subscriber has heard of it
					return ps, err
				}
				ended := make(chan error, 2)
				arrived, err := g.admit(ps.PlayerSessionID, nil, func(why error) { ended <- why })
				require.NoError(t, err)
				require.EqualValues(t, 1, arrived.playerSession.Generation)
				synctest.Wait()
				require.Empty(t, g.arriving)
				if test.cause == 0 {
					require.Empty(t, ended)
					require.Equal(t, arrived, g.inside[ps.PlayerSessionID])
					return
				}
				require.Equal(t, &EndedError{test.cause}, <-ended)
				require.Empty(t, ended, "once")
				require.NotEqual(t, arrived, g.inside[ps.PlayerSessionID])
			})
		})
	}
}
