package validator_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// 200 players whose streams break and begin again, or are taken over. When all
// have gone for good not a seat, a goroutine or a descriptor of theirs is left. It
// does not run in parallel: it counts what the whole process holds.
func TestHandlerReloadStorm(t *testing.T) {
	poller, err := net.Listen("tcp", "127.0.0.1:0") // the first socket opens descriptors that the process keeps
	require.NoError(t, err)
	require.NoError(t, poller.Close())
	t.Run("HTTP/1", func(t *testing.T) { reloadStorm(t, plain) })
	t.Run("HTTP/2", func(t *testing.T) { reloadStorm(t, 2) })
}

func reloadStorm(t *testing.T, version int) {
	const players, visits = 200, 3
	goroutines, descriptors := runtime.NumGoroutine(), openFiles(t)
	table, err := slot.NewTable(slot.Config{ReconnectWindow: time.Second})
	require.NoError(t, err)
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: match, MaximumPlayerSessionCount: players}))
	s := newSite(t, version, table, validator.HandlerConfig{TakeOver: true}, stays)

	ctx, everybodyLeaves := context.WithCancel(t.Context())
	defer everybodyLeaves()
	var running sync.WaitGroup
	for i := range players {
		id := reserve(t, table, fmt.Sprint("player ", i)).PlayerSessionID
		running.Go(func() {
			for visit := range visits {
				s.reload(ctx, id, (i+visit)%3 == 0)
			}
		})
	}
	running.Wait()
	everybodyLeaves()
	require.Eventually(t, func() bool {
		gs, err := table.GameSession(match)
		return err == nil && gs.CurrentPlayerSessionCount == 0
	}, patience, time.Millisecond)
	stats := table.Stats()
	require.Equal(t, uint64(players), stats.AcceptedTotal)
	require.Greater(t, stats.ReturnedTotal, uint64(players/2))
	require.Equal(t, players, stats.Completed)

	s.server.Close()
	s.server.Client().CloseIdleConnections()
	require.NoError(t, table.Close())
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > goroutines || openFiles(t) > descriptors; time.Sleep(time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "%d goroutines instead of %d, %d descriptors instead of %d",
			runtime.NumGoroutine(), goroutines, openFiles(t), descriptors)
	}
}

// reload begins a visit, which ends the one before if that goes on. Its client
// hangs up at once, or when ctx ends.
func (s *site) reload(ctx context.Context, id string, hangsUp bool) {
	if hangsUp {
		var hangUp func()
		ctx, hangUp = context.WithCancel(ctx)
		defer hangUp()
	}
	var err error
	for range 10 { // of 200 players on one HTTP/2 connection, all come again when it breaks
		var r *http.Request
		r, err = http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL, nil)
		if err != nil {
			break
		}
		r.Header.Set("Authorization", "Bearer "+id)
		var response *http.Response
		response, err = s.server.Client().Do(r)
		if err == nil && response.StatusCode != http.StatusOK { // the seat has waited in vain
			response.Body.Close()
		}
		if err == nil {
			return
		}
	}
	s.Error(err)
}

// openFiles counts the process's descriptors, where the system tells.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// One subscription serves a whole gate, and ends when nobody is inside.
func TestHandlerSubscribesOnce(t *testing.T) {
	s := newSite(t, 1, newTable(t, slot.Config{}), validator.HandlerConfig{}, stays)
	require.Zero(t, subscribers())
	for round := range 3 {
		ctx, everybodyLeaves := context.WithCancel(t.Context())
		defer everybodyLeaves()
		for i := range 3 {
			s.do(s.request(ctx, reserve(t, s.table, fmt.Sprint("player ", round, i)).PlayerSessionID))
		}
		require.Eventually(t, func() bool { return subscribers() == 1 }, patience, time.Millisecond)
		everybodyLeaves()
		require.Eventually(t, func() bool { return subscribers() == 0 }, patience, time.Millisecond)
	}
}

// subscribers counts those of all tables.
func subscribers() int {
	stacks := make([]byte, 1<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "slot.(*eventQueue).serve(")
}
