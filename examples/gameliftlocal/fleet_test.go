package main

import (
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/validator/gameliftapi"
)

// inBubble runs a test of which only synctest's time passes.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

func TestGameSessionsGoToTheProcessThatHasWaitedLongest(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		_, err := w.place(t, "none")
		require.ErrorIs(t, err, gameliftapi.ErrNoProcess)

		first, second := w.connect(t, "first").ready(), w.connect(t, "second").ready()
		_, err = w.place(t, "one")
		require.NoError(t, err)
		require.Equal(t, gameID("one"), first.next()["GameSessionId"])
		_, err = w.place(t, "two")
		require.NoError(t, err)
		require.Equal(t, gameID("two"), second.next()["GameSessionId"])
		_, err = w.place(t, "three")
		require.ErrorIs(t, err, gameliftapi.ErrNoProcess)
	})
}

func TestProcessHostsOneGameSessionInItsLife(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		w.host(t, "one")
		require.NoError(t, w.table.TerminateGameSession(gameID("one")))
		_, err := w.place(t, "two")
		require.ErrorIs(t, err, gameliftapi.ErrNoProcess)
	})
}

func TestNewProcessGetsNothingBeforeItTakesMessages(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		p := w.connect(t, "one")
		p.succeed("ActivateServerProcess", map[string]any{"Port": 7000})
		_, err := w.place(t, "one")
		require.NoError(t, err)

		time.Sleep(defaultLimits.settling - time.Millisecond)
		synctest.Wait()
		require.Empty(t, p.frames, "ProcessReady may not have returned there")
		time.Sleep(time.Millisecond)
		synctest.Wait()
		require.Len(t, p.frames, 1)
	})
}

func TestHeartbeatShowsThatMessagesAreTaken(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		p := w.connect(t, "one")
		p.succeed("ActivateServerProcess", map[string]any{"Port": 7000})
		_, err := w.place(t, "one")
		require.NoError(t, err)
		began := time.Now()
		p.write(websocket.MessageText, `{"Action":"HeartbeatServerProcess","RequestId":"1","HealthStatus":true}`)
		require.Equal(t, "CreateGameSession", p.next()["Action"])
		require.Equal(t, began, time.Now())
	})
}

func TestProcessThatSendsNoHealthyHeartbeatIsOver(t *testing.T) {
	t.Parallel()
	for name, healthy := range map[string]*bool{"silent": nil, "unhealthy": new(bool)} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := onPipes(t)
				p := w.host(t, "one")
				reserved, accepted := w.reserve(t, "one", "ann"), w.reserve(t, "one", "bob")
				p.succeed("AcceptPlayerSession", player("one", accepted))
				if healthy != nil {
					time.Sleep(time.Minute)
					p.beat(*healthy)
					time.Sleep(time.Minute)
				} else {
					time.Sleep(2 * time.Minute)
				}
				require.Equal(t, session.GameSessionActive, w.gameStatus(t, "one"))
				time.Sleep(time.Minute)
				synctest.Wait()
				require.Equal(t, session.GameSessionTerminated, w.gameStatus(t, "one"))
				require.Equal(t, session.StatusTimedOut, w.status(t, reserved))
				require.Equal(t, session.StatusCompleted, w.status(t, accepted))
				require.Equal(t, "TerminateProcess", p.next()["Action"])
				p.fail(http.StatusBadRequest, "not registered", "HeartbeatServerProcess", nil)
			})
		})
	}
}

func TestProcessThatSendsHeartbeatsLives(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		p := w.host(t, "one")
		for range 24 * 60 {
			time.Sleep(time.Minute)
			p.beat(true)
		}
		require.Equal(t, session.GameSessionActive, w.gameStatus(t, "one"))
		require.Empty(t, p.frames)
	})
}

func TestProcessThatLosesItsConnectionMayComeBack(t *testing.T) {
	t.Parallel()
	for name, token := range map[string]string{"with its token": "token", "with another": "another"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := onPipes(t)
				p := w.connect(t, "one", "token").ready()
				p.conn.CloseNow()
				synctest.Wait()
				_, err := w.place(t, "none")
				require.ErrorIs(t, err, gameliftapi.ErrNoProcess, "it is not there")

				time.Sleep(defaultLimits.absence - time.Millisecond)
				p = w.connect(t, "one", token)
				synctest.Wait()
				_, err = w.place(t, "one")
				require.NoError(t, err)
				require.Equal(t, "CreateGameSession", p.next()["Action"])
				time.Sleep(time.Minute)
				p.succeed("ActivateGameSession", map[string]any{"GameSessionId": gameID("one")})
			})
		})
	}
}

func TestMessagesWaitForAProcessThatIsAway(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		p := w.host(t, "one")
		p.conn.CloseNow()
		synctest.Wait()
		gs, _ := w.game(t, "one")
		w.Updated(gs)
		w.Terminating(gs, gameliftapi.TriggerOnProcessTerminate)
		p = w.connect(t, "one")
		require.Equal(t, "UpdateGameSession", p.next()["Action"])
		require.Equal(t, "TerminateProcess", p.next()["Action"])
	})
}

func TestProcessThatStaysAwayIsOver(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		p := w.host(t, "one")
		accepted := w.reserve(t, "one", "ann")
		p.succeed("AcceptPlayerSession", player("one", accepted))
		p.conn.CloseNow()
		time.Sleep(defaultLimits.absence)
		synctest.Wait()
		require.Equal(t, session.GameSessionTerminated, w.gameStatus(t, "one"))
		require.Equal(t, session.StatusCompleted, w.status(t, accepted))
	})
}

func TestOldConnectionDoesNotEndItsSuccessor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		old := w.connect(t, "one", "token").ready()
		p := w.connect(t, "one", "token") // the SDK keeps the old one for 5 s
		synctest.Wait()
		old.beat(true) // what was on its way
		old.conn.CloseNow()
		time.Sleep(time.Minute)
		_, err := w.place(t, "one")
		require.NoError(t, err)
		require.Equal(t, "CreateGameSession", p.next()["Action"])
	})
}

func TestProcessThatDistrustsItsConnectionTakesAnother(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		old := w.host(t, "one")
		p := w.connect(t, "one") // with another token, as the C# SDK does
		synctest.Wait()
		gs, _ := w.game(t, "one")
		w.Updated(gs)
		require.Equal(t, "UpdateGameSession", old.next()["Action"], "the new one has not shown yet whose it is")
		p.succeed("AcceptPlayerSession", player("one", w.reserve(t, "one", "ann")))
		w.Updated(gs)
		require.Equal(t, "UpdateGameSession", p.next()["Action"])
		old.conn.CloseNow()
		time.Sleep(time.Minute)
		require.Equal(t, session.GameSessionActive, w.gameStatus(t, "one"))
	})
}

func TestTwoProcessesOfOneID(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		p := w.host(t, "one")
		p.fail(http.StatusConflict, "registered already", "ActivateServerProcess", map[string]any{"Port": 1})
		other := w.connect(t, "one")
		other.fail(http.StatusConflict, "another server process", "ActivateServerProcess", map[string]any{"Port": 1})
		other.succeed("TerminateServerProcess", nil)
		require.Equal(t, websocket.StatusNormalClosure, other.closed())
		require.Equal(t, session.GameSessionActive, w.gameStatus(t, "one"), "the first is not the second")
		p.beat(true)
	})
}

func TestRestartedProcessReplacesTheDeadOne(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		w.host(t, "one").conn.CloseNow()
		synctest.Wait()
		p := w.connect(t, "one").ready()
		require.Equal(t, session.GameSessionTerminated, w.gameStatus(t, "one"), "nobody waits for the dead")
		_, err := w.place(t, "two")
		require.NoError(t, err)
		require.Equal(t, gameID("two"), p.next()["GameSessionId"])
	})
}

func TestGameSessionThatIsNotActivatedIsOver(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		p := w.connect(t, "one").ready()
		_, err := w.place(t, "one")
		require.NoError(t, err)
		require.Equal(t, "CreateGameSession", p.next()["Action"])
		for range 9 {
			time.Sleep(time.Minute)
			p.beat(true)
		}
		require.Equal(t, session.GameSessionActivating, w.gameStatus(t, "one"))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, session.GameSessionTerminated, w.gameStatus(t, "one"))
		require.Equal(t, "TerminateProcess", p.next()["Action"])
	})
}

func TestProcessThatIsToldToEndHasFiveMinutes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		p := w.host(t, "one")
		gs, _ := w.game(t, "one")
		w.Terminating(gs, gameliftapi.TriggerOnProcessTerminate)
		m := p.next()
		require.Equal(t, "TerminateProcess", m["Action"])
		require.InDelta(t, time.Now().Add(5*time.Minute).UnixMilli(), m["TerminationTime"], 0)
		for range 4 {
			time.Sleep(time.Minute)
			p.beat(true)
		}
		require.Equal(t, session.GameSessionActive, w.gameStatus(t, "one"), "who calls Terminating sets TERMINATING")
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, session.GameSessionTerminated, w.gameStatus(t, "one"))
	})
}

func TestForcedProcessIsOverAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		p := w.host(t, "one")
		gs, _ := w.game(t, "one")
		w.Terminating(gs, gameliftapi.ForceTerminate)
		require.Equal(t, session.GameSessionTerminated, w.gameStatus(t, "one"))
		require.Equal(t, "TerminateProcess", p.next()["Action"])
		p.fail(http.StatusBadRequest, "not registered", "ActivateGameSession", nil)
		p.succeed("TerminateServerProcess", nil)
		require.Equal(t, websocket.StatusNormalClosure, p.closed())
	})
}

func TestEndTellsAllProcessesAndWaits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		hosting, idle := w.host(t, "one"), w.connect(t, "two").ready()
		for _, p := range []*peer{hosting, idle} {
			go func() {
				for frame := range p.frames {
					if frame["Action"] == "TerminateProcess" {
						time.Sleep(time.Second)
						_ = p.conn.Write(t.Context(), websocket.MessageText, []byte(`{"Action":"TerminateServerProcess","RequestId":"1"}`))
					}
				}
			}()
		}
		began := time.Now()
		w.fleet.end(t.Context())
		require.Equal(t, time.Second, time.Since(began))
		w.connect(t, "three").fail(http.StatusServiceUnavailable, "shutting down", "ActivateServerProcess", map[string]any{"Port": 1})
		require.Equal(t, session.GameSessionTerminated, w.gameStatus(t, "one"))
	})
}

func TestAutoActivateNeedsNoProcess(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t, func(c *fleetConfig) { c.autoActivate, c.matchmakerData = true, "data" })
		gs, err := w.place(t, "one")
		require.NoError(t, err)
		require.Equal(t, session.GameSessionActive, gs.Status)
		require.Equal(t, session.GameSessionActive, w.gameStatus(t, "one"))
		require.Equal(t, "data", gs.MatchmakerData)
		w.reserve(t, "one", "ann")
		w.Updated(gs)
		w.Terminating(gs, gameliftapi.ForceTerminate) // nobody to tell

		p := w.connect(t, "two").ready()
		_, err = w.place(t, "two")
		require.NoError(t, err)
		require.Equal(t, "CreateGameSession", p.next()["Action"], "a process that is there is taken")
		require.Equal(t, session.GameSessionActivating, w.gameStatus(t, "two"))
	})
}

func TestFailedPlacementLeavesTheProcessIdle(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		w.host(t, "one")
		second := w.connect(t, "two").ready()
		_, err := w.place(t, "one")
		require.ErrorIs(t, err, session.ErrGameSessionExists)
		_, err = w.place(t, "two")
		require.NoError(t, err)
		require.Equal(t, gameID("two"), second.next()["GameSessionId"])
	})
}

func TestFleetMayBeNamedByItsARN(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := onPipes(t)
		for fleet, want := range map[string]int{
			"fleet-local": http.StatusOK,
			"arn:aws:gamelift:us-west-2:111122223333:fleet/fleet-local": http.StatusOK,
			"fleet-local2": http.StatusBadRequest,
			"":             http.StatusBadRequest,
		} {
			conn, _, err := w.dial(url.Values{"pID": {"at " + fleet}, "FleetId": {fleet}})
			require.NoError(t, err)
			p := &peer{t: t, conn: conn, frames: make(chan map[string]any, 1)}
			go p.read()
			require.Equal(t, want, status(p.ask("ActivateServerProcess", map[string]any{"Port": 1})), fleet)
			conn.CloseNow()
		}
	})
}
