package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// 200 players whose tabs are reloaded over and over, in every way there is to
// leave. When all have gone for good nothing of them is left. It runs alone: it
// counts what the whole process holds.
func TestReloadStorm(t *testing.T) {
	const players, visits = 200, 3
	goroutines, descriptors := runtime.NumGoroutine(), openDescriptors(t)

	table, err := slot.NewTable(slot.Config{ReconnectWindow: time.Second})
	require.NoError(t, err)
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: gameSession, MaximumPlayerSessionCount: players}))
	server := httptest.NewServer(routes(table))
	url := strings.Replace(server.URL, "http", "ws", 1)

	var running sync.WaitGroup
	for i := range players {
		running.Go(func() {
			ps, err := table.Reserve(slot.Reservation{GameSessionID: gameSession, PlayerID: fmt.Sprint("player ", i)})
			if err != nil {
				t.Error(err)
				return
			}
			server, dial := "coder", dialCoder
			if i%2 == 0 {
				server = "gorilla"
			}
			if i%4 < 2 {
				dial = dialGorilla
			}
			for visit := range visits {
				reload(t, dial, url+"/"+server, ps.PlayerSessionID, i+visit)
			}
		})
	}
	running.Wait()
	require.Eventually(t, func() bool {
		gs, err := table.GameSession(gameSession)
		return err == nil && gs.CurrentPlayerSessionCount == 0
	}, patience, time.Millisecond, "no seat is left")
	stats := table.Stats()
	require.Equal(t, uint64(players), stats.AcceptedTotal)
	require.Equal(t, players, stats.Completed)
	require.Greater(t, stats.ReturnedTotal, uint64(players/2))

	require.NoError(t, table.Close())
	server.Close()
	settle(t, goroutines, descriptors)
}

// reload joins and leaves. Its last visit may not have been noticed to be over, on
// a busy machine, or the seat have waited in vain.
func reload(t *testing.T, dial dial, url, id string, how int) {
	for {
		c, _, err := dial(t.Context(), url, nil, "usher", id)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.hangUp()
		if how%3 == 0 { // it is gone before it hears whether it is in
			return
		}
		_ = c.say("hello")
		if _, err = c.hear(); err == (closure{4409, "already_active"}) {
			continue
		}
		if how%3 == 1 {
			c.leave()
		}
		return
	}
}

// settle waits until the process holds no more than it did.
func settle(t *testing.T, goroutines, descriptors int) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if runtime.NumGoroutine() <= goroutines && openDescriptors(t) <= descriptors {
			return
		}
	}
	stacks := make([]byte, 1<<16)
	t.Fatalf("%d descriptors instead of %d, more than %d goroutines:\n%s",
		openDescriptors(t), descriptors, goroutines, stacks[:runtime.Stack(stacks, true)])
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0 // not Linux
	}
	return len(entries)
}
