package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

func TestAudit(t *testing.T) {
	t.Parallel()
	g := start(t, forever, slot.Config{ReconnectWindow: forever})
	g.reserve(t, "reserved")
	awaited := g.reserve(t, "awaited")
	g.player(t, awaited)
	require.NoError(t, g.table.Disconnect(awaited, 1))
	eventually(t, func() bool { return g.peers() == 0 }, "he was told")
	g.player(t, g.reserve(t, "connected"))

	leaked, ghosts, err := g.audit(match)
	require.NoError(t, err)
	require.Empty(t, leaked)
	require.Empty(t, ghosts)

	// Accepted, but not by this server; more than a page of them.
	var planted []session.PlayerSession
	for i := range 1200 {
		ps, err := g.table.Activate(g.reserve(t, fmt.Sprint("planted ", i)))
		require.NoError(t, err)
		planted = append(planted, ps)
	}
	// Here, but not in this game session.
	require.NoError(t, g.table.CreateGameSession(session.GameSession{GameSessionID: "other", MaximumPlayerSessionCount: 1}))
	ps, err := g.table.Reserve(slot.Reservation{GameSessionID: "other", PlayerID: "stray"})
	require.NoError(t, err)
	g.player(t, ps.PlayerSessionID)

	leaked, ghosts, err = g.audit(match)
	require.NoError(t, err)
	require.Equal(t, planted, leaked)
	require.Len(t, ghosts, 1)
	require.Equal(t, "stray", ghosts[ps.PlayerSessionID].PlayerID)

	_, _, err = g.audit("nowhere")
	require.ErrorIs(t, err, session.ErrGameSessionNotFound)
}
