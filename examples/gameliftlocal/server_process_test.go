package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

func TestDeadlines(t *testing.T) {
	t.Parallel()
	now := time.Now()
	soon, later := now.Add(time.Second), now.Add(time.Minute)
	for name, d := range map[string]deadlines{
		"back":    {healthy: later, back: soon},
		"ended":   {healthy: later, ended: soon},
		"active":  {healthy: later, active: soon},
		"healthy": {healthy: soon, active: later},
	} {
		require.Equal(t, soon, d.next(), name)
		require.Empty(t, d.overdue(now), name)
		require.Empty(t, d.overdue(soon.Add(-1)), name)
		require.NotEmpty(t, d.overdue(soon), name)
	}
}

func TestTimerThatFiresForAnEarlierDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		w.host(t, "one")
		_, p := w.game(t, "one")
		time.Sleep(time.Minute)
		w.look(p) // as it may when the deadline was put off meanwhile
		require.Equal(t, session.GameSessionActive, w.gameStatus(t, "one"))
		time.Sleep(3 * time.Minute)
		require.Equal(t, session.GameSessionTerminated, w.gameStatus(t, "one"), "it is looked at again")
		w.look(p) // as it may when it is over
	})
}

func TestGameSessionThatHasEndedIsNotActivated(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		p := w.connect(t, "one").ready()
		_, err := w.place(t, "one")
		require.NoError(t, err)
		require.Equal(t, "CreateGameSession", p.next()["Action"])
		require.NoError(t, w.table.TerminateGameSession(gameID("one")))
		p.fail(http.StatusConflict, "session", "ActivateGameSession", map[string]any{"GameSessionId": gameID("one")})
	})
}

func TestCancelledBackfillTellsWhatTheGameSessionIsNow(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t, func(c *fleetConfig) { c.backfill = true })
		p := w.host(t, "one")
		cancelled := func() any {
			q := map[string]any{"GameSessionArn": gameID("one"), "TicketId": "first", "Players": []any{map[string]any{"PlayerId": "ann"}}}
			p.succeed("StartMatchBackfill", q)
			p.write(websocket.MessageText, `{"Action":"StopMatchBackfill","RequestId":"1","GameSessionArn":"`+gameID("one")+`","TicketId":"first"}`)
			update := p.next() // ahead of the answer
			require.Equal(t, http.StatusOK, status(p.next()))
			require.Equal(t, "UpdateGameSession", update["Action"])
			return update["GameSession"]
		}
		require.Subset(t, cancelled(), map[string]any{"Status": "ACTIVE"})
		require.NoError(t, w.table.TerminateGameSession(gameID("one")))
		require.Subset(t, cancelled(), map[string]any{"Status": "TERMINATED"})
	})
}

func TestMatchBackfillNeedsPlayers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t, func(c *fleetConfig) { c.backfill = true })
		p := w.host(t, "one")
		p.fail(http.StatusBadRequest, "Players", "StartMatchBackfill", map[string]any{"GameSessionArn": gameID("one")})
		p.fail(http.StatusNotFound, "TicketId", "StopMatchBackfill", map[string]any{"GameSessionArn": gameID("one")})
		q := map[string]any{"GameSessionArn": gameID("one"), "TicketId": "first", "Players": []any{map[string]any{"PlayerId": "ann"}}}
		require.Equal(t, "first", p.succeed("StartMatchBackfill", q)["TicketId"])
		q["TicketId"] = "second"
		p.succeed("StartMatchBackfill", q)
		q["TicketId"] = "first"
		p.fail(http.StatusNotFound, "TicketId", "StopMatchBackfill", q)
	})
}
