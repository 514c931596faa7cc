package main

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

const (
	seats       = 3
	players     = 6
	mostClients = 8

	// patience is how long a history may take to be decided. One that is not is a
	// failure: it has been checked by nobody. One in some thousands takes ten seconds
	// and more, several times that where the machine is busy.
	patience = 5 * time.Minute
)

// TestLinearizable lets goroutines loose on a small game session, in real time,
// and asks porcupine whether there is an order of their calls, each at an instant
// while it ran, that the model accepts.
func TestLinearizable(t *testing.T) {
	var sum counts
	for n := range *histories {
		h := newHistory(t, uint64(n))
		h.run()
		sum.Histories++
		sum.Operations += len(h.operations)
		if !h.check() {
			break
		}
	}
	record(t, sum)
}

// history is what some goroutines did to one table.
type history struct {
	t     *testing.T
	seed  uint64
	rules rules
	table *slot.Table
	base  time.Time

	mu         sync.Mutex // protects all below
	ids        []string   // of player sessions, by number
	operations []porcupine.Operation
}

func newHistory(t *testing.T, seed uint64) *history {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 2))
	h := &history{t: t, seed: seed, rules: rules{
		duplicates: slot.DuplicatePolicy(rng.IntN(4)),
		maximum:    seats,
		window:     pick(rng, 0, 2*time.Millisecond, time.Minute),
	}}
	h.base = time.Now()
	table, err := slot.NewTable(slot.Config{
		DuplicatePlayers: h.rules.duplicates,
		ReconnectWindow:  h.rules.window,
		Stripes:          pick(rng, 1, 64),
	})
	require.NoError(t, err)
	h.table = table
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "g", MaximumPlayerSessionCount: seats}))
	return h
}

// run ends when all goroutines have.
func (h *history) run() {
	var over atomic.Bool
	var clients, watch sync.WaitGroup
	watch.Go(func() { // how long the machine gives us no CPU
		for !over.Load() {
			began := time.Now()
			time.Sleep(time.Millisecond)
			h.rules.stall = max(h.rules.stall, time.Since(began))
		}
	})
	rng := rand.New(rand.NewPCG(h.seed, 3))
	slowly := rng.IntN(8) == 0 // so that some deadlines have passed long ago
	for client := range 4 + rng.IntN(mostClients-3) {
		clients.Go(func() { h.client(client, rand.New(rand.NewPCG(h.seed, uint64(10+client))), slowly) })
	}
	clients.Wait()
	over.Store(true)
	watch.Wait()
	h.rules.stall *= 2 // what was seen is a sample
	require.NoError(h.t, h.table.Close())
}

func (h *history) client(client int, rng *rand.Rand, slowly bool) {
	for range 8 {
		switch n := rng.IntN(10); {
		case n < 5:
		case n < 8:
			runtime.Gosched()
		case slowly:
			time.Sleep(time.Duration(rng.IntN(40)) * time.Millisecond)
		default:
			time.Sleep(time.Duration(rng.IntN(2000)) * time.Microsecond)
		}
		h.act(client, rng)
	}
}

// now is nanoseconds of the monotonic clock.
func (h *history) now() int64 { return int64(time.Since(h.base)) }

func (h *history) act(client int, rng *rand.Rand) {
	c := call{Session: h.someone(rng), Maximum: -1, Timeout: pick(rng, time.Millisecond, 3*time.Millisecond, time.Minute)}
	switch n := rng.IntN(1000); {
	case n < 250:
		c.Kind, c.Players = reserve, []int{rng.IntN(players)}
	case n < 320:
		c.Kind, c.Players = reserve, rng.Perm(players)[:2+rng.IntN(2)]
	case n < 500:
		c.Kind = accept
	case n < 570:
		c.Kind = takeOver
	case n < 660:
		c.Kind, c.Generation = drop, 1+uint32(rng.IntN(2))
	case n < 750:
		c.Kind = release
	case n < 810:
		c.Kind, c.Timeout = extend, pick(rng, time.Millisecond, 4*time.Millisecond)
	case n < 890:
		c.Kind = lookup
	case n < 940:
		c.Kind = count
	case n < 970:
		c.Kind, c.Maximum = update, pick(rng, -1, 2, 3, 3, 4)
		c.Policy = pick(rng, session.AcceptAll, session.AcceptAll, session.DenyAll)
	case n < 978:
		c.Kind = terminate
	case n < 988:
		c.Kind = drainGame
	case n < 995:
		c.Kind = drainAll
	default:
		c.Kind = shut
	}
	h.mu.Lock()
	full := len(h.ids) > mostSessions-3*mostClients // each may be reserving for three
	h.mu.Unlock()
	if c.Kind == reserve && full {
		c = call{Kind: count}
	}
	h.do(client, c)
}

// someone is one of the last player sessions.
func (h *history) someone(rng *rand.Rand) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.ids) == 0 || rng.IntN(40) == 0 {
		return -1
	}
	return len(h.ids) - 1 - rng.IntN(min(4, len(h.ids)))
}

// do makes a call and notes it.
func (h *history) do(client int, c call) {
	id := "psess-nobody"
	if c.Session >= 0 {
		h.mu.Lock()
		if c.Session < len(h.ids) {
			id = h.ids[c.Session]
		}
		h.mu.Unlock()
	}
	ask := h.question(c, id)
	c.Began = h.now()
	out, deadline, n, err := ask()
	c.Ended = h.now()
	h.note(client, c, out, deadline, n, err)
}

// question is prepared before the call is timed.
func (h *history) question(c call, id string) func() (out []session.PlayerSession, deadline time.Time, n int, err error) {
	cancelled, cancel := context.WithCancel(h.t.Context())
	cancel()
	party := make([]slot.Reservation, len(c.Players))
	for i, p := range c.Players {
		party[i] = slot.Reservation{GameSessionID: "g", PlayerID: string(rune('a' + p)), Timeout: c.Timeout}
	}
	return func() (out []session.PlayerSession, deadline time.Time, n int, err error) {
		var ps session.PlayerSession
		switch c.Kind {
		case reserve:
			if len(party) > 1 {
				out, err = h.table.ReserveAll(party)
				return out, deadline, n, err
			}
			ps, err = h.table.Reserve(party[0])
		case accept:
			ps, err = h.table.Activate(id)
		case takeOver:
			ps, err = h.table.TakeOver(id)
		case release:
			ps, err = h.table.Release(id)
		case lookup:
			ps, err = h.table.Lookup(id)
		case drop:
			err = h.table.Disconnect(id, c.Generation)
		case extend:
			deadline, err = h.table.Extend(id, c.Timeout)
		case count:
			var gs session.GameSession
			gs, err = h.table.GameSession("g")
			n = gs.CurrentPlayerSessionCount
		case update:
			u := slot.GameSessionUpdate{PlayerSessionCreationPolicy: &c.Policy}
			if c.Maximum >= 0 {
				u.MaximumPlayerSessionCount = &c.Maximum
			}
			err = h.table.UpdateGameSession("g", u)
		case terminate:
			err = h.table.TerminateGameSession("g")
		case drainGame:
			err = h.table.DrainGameSession(cancelled, "g")
		case drainAll:
			err = h.table.Drain(cancelled)
		case shut:
			err = h.table.Close()
		case emptied, inhabited: // nobody calls these
		}
		if ps.PlayerSessionID != "" {
			out = []session.PlayerSession{ps}
		}
		return out, deadline, n, err
	}
}

func (h *history) note(client int, c call, out []session.PlayerSession, deadline time.Time, n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	wall := h.base.Round(0)
	answer := result{Reason: session.Reason(err), Count: n}
	if !deadline.IsZero() {
		answer.Deadline = int64(deadline.Sub(wall))
	}
	for _, ps := range out {
		o := seen{Status: ps.Status, Seat: ps.Slot, Generation: ps.Generation, Made: int64(ps.CreationTime.Sub(wall))}
		if !ps.TerminationTime.IsZero() {
			o.Over = int64(ps.TerminationTime.Sub(wall))
		}
		if o.Session = slices.Index(h.ids, ps.PlayerSessionID); o.Session < 0 {
			o.Session = len(h.ids)
			h.ids = append(h.ids, ps.PlayerSessionID)
		}
		answer.Sessions = append(answer.Sessions, o)
	}
	h.add(client, c, answer)
	drains := c.Kind == drainAll || c.Kind == drainGame
	switch client, waited := client+16, c; { // beside the call itself
	case drains && err == nil:
		waited.Kind = emptied
		h.add(client, waited, result{})
	case c.Kind == drainAll && answer.Reason == "other": // the context has ended
		waited.Kind = inhabited
		h.add(client, waited, result{})
	}
}

func (h *history) add(client int, c call, out result) {
	h.operations = append(h.operations, porcupine.Operation{ClientId: client, Input: c, Call: c.Began, Output: out, Return: c.Ended})
}

// check asks porcupine, and keeps a history that is not accepted.
func (h *history) check() bool {
	model := newModel(h.rules)
	decided, info := porcupine.CheckOperationsVerbose(model, h.operations, patience)
	if decided == porcupine.Ok {
		return true
	}
	dir := artifacts(h.t)
	h.keep(dir, model, info)
	h.t.Errorf("history %d (%+v) is %v; it is kept in %s", h.seed, h.rules, decided, dir)
	return false
}

// keep writes a history to read, and a picture of it.
func (h *history) keep(dir string, model porcupine.Model, info porcupine.LinearizationInfo) {
	b, err := json.MarshalIndent(h.operations, "", "\t")
	require.NoError(h.t, err)
	require.NoError(h.t, os.WriteFile(filepath.Join(dir, "history.json"), b, 0o600))
	require.NoError(h.t, porcupine.VisualizePath(model, info, filepath.Join(dir, "history.html")))
}

// artifacts is a folder that outlives the test.
func artifacts(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(os.Getenv("USHER_ARTIFACTS"), "history-") //nolint:usetesting // t.TempDir ends with the test
	require.NoError(t, err)
	return dir
}

// TestModelRefuses is that the check can fail: each history breaks one promise.
func TestModelRefuses(t *testing.T) {
	t.Parallel()
	const second = int64(time.Second)
	at := func(began int64, c call, out result) porcupine.Operation { // takes a microsecond
		c.Began, c.Ended = began, began+1000
		return porcupine.Operation{Input: c, Call: c.Began, Output: out, Return: c.Ended}
	}
	shows := func(i int, status session.Status, generation uint32, over int64) result {
		return result{Sessions: []seen{{Session: i, Status: status, Seat: i, Generation: generation, Over: over}}}
	}
	reserved := func(began int64, i int) porcupine.Operation { // until a second later
		out := shows(i, session.StatusReserved, 0, 0)
		out.Sessions[0].Made = began
		return at(began, call{Kind: reserve, Players: []int{i}, Timeout: time.Second}, out)
	}
	accepted := func(began int64, generation uint32) porcupine.Operation {
		return at(began, call{Kind: accept}, shows(0, session.StatusActive, generation, 0))
	}
	looks := func(began int64, out result) porcupine.Operation { return at(began, call{Kind: lookup}, out) }
	party := func(began int64, is ...int) porcupine.Operation {
		var out result
		for _, i := range is {
			out.Sessions = append(out.Sessions, seen{Session: i, Status: session.StatusReserved, Seat: i, Made: began})
		}
		return at(began, call{Kind: reserve, Players: is, Timeout: time.Second}, out)
	}
	counts := func(began int64, n int) porcupine.Operation {
		return at(began, call{Kind: count}, result{Count: n})
	}
	type operations = []porcupine.Operation
	for name, h := range map[string]struct {
		right, wrong operations
	}{
		"one accept": {
			operations{reserved(0, 0), accepted(2000, 1), at(4000, call{Kind: accept}, result{Reason: "already_active"})},
			operations{reserved(0, 0), accepted(2000, 1), accepted(4000, 2)},
		},
		"three seats": {
			operations{reserved(0, 0), reserved(2000, 1), reserved(4000, 2), at(6000, call{Kind: reserve, Players: []int{3}}, result{Reason: "full"})},
			operations{reserved(0, 0), reserved(2000, 1), reserved(4000, 2), reserved(6000, 3)},
		},
		"never early": {
			operations{reserved(0, 0), looks(second+2000, shows(0, session.StatusTimedOut, 0, second))},
			operations{reserved(0, 0), looks(second-2000, shows(0, session.StatusTimedOut, 0, second))},
		},
		"never late": {
			operations{reserved(0, 0), accepted(second+15*milli, 1)},
			operations{reserved(0, 0), accepted(second+22*milli, 1)},
		},
		"the seat reopens": {
			operations{party(0, 0, 1, 2), counts(second+2*milli, 0)},
			operations{party(0, 0, 1, 2), counts(second+2*milli, 3)},
		},
		"a party is seen whole": {
			operations{party(0, 0, 1, 2), counts(2000, 3)},
			operations{party(0, 0, 1, 2), counts(2000, 2)},
		},
		"time does not go back": {
			operations{reserved(0, 0), looks(second+1000, shows(0, session.StatusTimedOut, 0, second)), looks(second+3000, shows(0, session.StatusTimedOut, 0, second))},
			operations{reserved(0, 0), looks(second+1000, shows(0, session.StatusTimedOut, 0, second)), looks(second+3000, shows(0, session.StatusReserved, 0, 0))},
		},
		"a stale connection": {
			operations{
				reserved(0, 0), accepted(2000, 1), at(4000, call{Kind: takeOver}, shows(0, session.StatusActive, 2, 0)),
				at(6000, call{Kind: drop, Generation: 1}, result{}), looks(8000, shows(0, session.StatusActive, 2, 0)),
			},
			operations{
				reserved(0, 0), accepted(2000, 1), at(4000, call{Kind: takeOver}, shows(0, session.StatusActive, 2, 0)),
				at(6000, call{Kind: drop, Generation: 1}, result{}), looks(8000, shows(0, session.StatusCompleted, 2, 0)),
			},
		},
		"nothing after the end": {
			operations{reserved(0, 0), at(2000, call{Kind: terminate}, result{}), at(4000, call{Kind: accept}, result{Reason: "timed_out"})},
			operations{reserved(0, 0), at(2000, call{Kind: terminate}, result{}), accepted(4000, 1)},
		},
		"closed is closed": {
			operations{reserved(0, 0), at(2000, call{Kind: shut}, result{}), at(4000, call{Kind: accept}, result{Reason: "closed"})},
			operations{reserved(0, 0), at(2000, call{Kind: shut}, result{}), accepted(4000, 1)},
		},
		"draining": {
			operations{at(0, call{Kind: drainAll}, result{}), at(2000, call{Kind: reserve, Players: []int{0}}, result{Reason: "draining"})},
			operations{at(0, call{Kind: drainAll}, result{}), reserved(2000, 0)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			model := newModel(rules{maximum: seats})
			require.True(t, porcupine.CheckOperations(model, h.right))
			decided, info := porcupine.CheckOperationsVerbose(model, h.wrong, patience)
			require.Equal(t, porcupine.Illegal, decided)

			dir := t.TempDir()
			(&history{t: t, operations: h.wrong}).keep(dir, model, info)
			require.FileExists(t, filepath.Join(dir, "history.html"))
		})
	}
}
