package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// TestSimulation lives through the days of whole servers, one for each seed.
func TestSimulation(t *testing.T) {
	t.Parallel()
	var sum counts
	began := time.Now()
	for seed := *from; seed < *from+uint64(*seeds); seed++ {
		c, _ := simulate(t, seed)
		if t.Failed() {
			break
		}
		sum.Seeds++
		sum.Operations += c.Operations
		sum.Events += c.Events
		if *progress && sum.Seeds%20 == 0 {
			fmt.Fprintf(os.Stderr, "%d of %d seeds, up to %d; %d operations, %d events; %v\n",
				sum.Seeds, *seeds, seed, sum.Operations, sum.Events, time.Since(began).Round(time.Second))
		}
	}
	record(t, sum)
}

// TestSimulationRepeats lives through the same day twice: what fails once can be
// looked at again.
func TestSimulationRepeats(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		_, once := simulate(t, seed)
		_, again := simulate(t, seed)
		require.Equal(t, once, again, "seed %d", seed)
	}
	record(t, counts{Seeds: 12})
}

// simulate returns what was done, and a hash of all that happened.
func simulate(t *testing.T, seed uint64) (done counts, hash string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, seed)
		for range 250 {
			w.act()
			w.check()
		}
		w.end()
		done = counts{Operations: w.operations, Events: len(w.watch.all())}
		hash = fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(w.trace, "\n"))))
	})
	return done, hash
}

// world is a server, its backend and its players, one of whom acts at a time.
type world struct {
	t          *testing.T
	seed       uint64
	rng        *rand.Rand
	start      time.Time
	table      *slot.Table
	config     slot.Config
	games      []string
	created    int
	guests     []guest // who has ever been given a seat
	arrivals   int
	draining   bool
	drains     []chan error
	operations int
	trace      []string
	traced     int // events in the trace

	watch              watcher // sees all at once
	slow, upset, nosey watcher // stalls; panics; calls the table
}

// guest is what a client knows of itself.
type guest struct {
	id         string
	generation uint32
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, seed))
	c := slot.Config{
		ReservationTimeout: pick(rng, 0, 300*time.Millisecond, 5*time.Second),
		ReconnectWindow:    pick(rng, 0, 20*time.Millisecond, 2*time.Second, time.Minute),
		Retention:          pick(rng, time.Second, time.Minute, time.Hour),
		MaxRetained:        pick(rng, 5, 50, 1000),
		Stripes:            pick(rng, 1, 4, 64),
		DuplicatePlayers:   slot.DuplicatePolicy(rng.IntN(4)),
	}
	table, err := slot.NewTable(c)
	require.NoError(t, err)
	w := &world{t: t, seed: seed, rng: rng, start: time.Now(), table: table, config: c}
	t.Cleanup(func() { _ = table.Close() })
	stalls := rand.New(rand.NewPCG(seed, 1))
	table.Subscribe(func(e session.Event) { w.watch.see(e) })
	table.Subscribe(func(e session.Event) {
		time.Sleep(time.Duration(stalls.IntN(40)) * time.Millisecond)
		w.slow.see(e)
	})
	table.Subscribe(func(e session.Event) {
		if n := w.upset.see(e); n%3 == 0 {
			panic("upset")
		}
	})
	table.Subscribe(func(e session.Event) {
		now, err := table.Lookup(e.PlayerSession.PlayerSessionID)
		if err == nil && (now.Status < e.To || now.Generation < e.PlayerSession.Generation) {
			w.nosey.complain("an event has happened that the table does not know of")
		}
		w.nosey.see(e)
	})
	return w
}

func pick[T any](rng *rand.Rand, choices ...T) T { return choices[rng.IntN(len(choices))] }

func (w *world) say(format string, args ...any) {
	w.operations++
	w.trace = append(w.trace, fmt.Sprintf("%v ", time.Since(w.start))+fmt.Sprintf(format, args...))
}

func (w *world) require(ok bool, format string, args ...any) {
	w.t.Helper()
	if !ok {
		w.t.Fatalf("%s\nseed %d: %s\nto see it again: go -C slot/verify run . -from %d -seeds 1",
			strings.Join(w.trace, "\n"), w.seed, fmt.Sprintf(format, args...), w.seed)
	}
}

// ——— what happens

func (w *world) act() {
	switch n := w.rng.IntN(100); {
	case n < 25 || len(w.games) == 0:
		w.arrive()
	case n < 45:
		w.connect()
	case n < 58:
		w.drop()
	case n < 66:
		w.leave()
	case n < 72:
		w.askForTime()
	case n < 80:
		w.govern()
	default:
		w.pass()
	}
}

// pass lets time pass. Who acts next waits until all that is due has been done.
func (w *world) pass() {
	d := time.Duration(w.rng.IntN(2000)) * time.Millisecond
	switch w.rng.IntN(12) {
	case 0:
		d = time.Duration(w.rng.IntN(120)) * time.Minute
	case 1, 2, 3, 4:
		d /= 100
	}
	time.Sleep(d)
	synctest.Wait()
	w.say("%v pass", d)
}

// arrive asks for seats, for one or for a party. The ids are the seed's.
func (w *world) arrive() {
	if len(w.games) == 0 || w.rng.IntN(30) == 0 {
		w.create()
	}
	game := pick(w.rng, w.games...)
	if gs, err := w.table.GameSession(game); (err != nil || gs.Status != session.GameSessionActive) && w.rng.IntN(2) == 0 {
		w.create()
		game = w.games[len(w.games)-1]
	}
	party := make([]slot.Reservation, pick(w.rng, 1, 1, 1, 1, 2, 3, 5))
	for i := range party {
		party[i] = slot.Reservation{
			GameSessionID:   game,
			PlayerID:        fmt.Sprintf("player-%d", w.rng.IntN(30)),
			PlayerSessionID: fmt.Sprintf("psess-%08x-0000-4000-8000-%012x", w.rng.Uint32(), w.arrivals),
			Timeout:         pick(w.rng, 0, 0, 5*time.Millisecond, time.Second, time.Minute),
		}
		w.arrivals++
		if w.config.DuplicatePlayers == slot.DuplicatesReturn && w.rng.IntN(2) == 0 {
			party[i].PlayerSessionID = "psess-" + party[i].PlayerID + "-" + fmt.Sprint(w.arrivals/40) // the same again, if it is asked again soon
		}
	}
	before, _ := w.table.GameSession(game)
	out, err := w.table.ReserveAll(party)
	after, _ := w.table.GameSession(game)
	w.say("%d arrive at %s: %v %v", len(party), game, session.Reason(err), seatsOf(out))
	held, grown := after.CurrentPlayerSessionCount, after.CurrentPlayerSessionCount-before.CurrentPlayerSessionCount
	w.require(err == nil || grown <= 0, "a party was refused with %v and %d have a seat", err, grown)
	w.require(grown <= 0 || held <= after.MaximumPlayerSessionCount, "%d seats of %d", held, after.MaximumPlayerSessionCount)
	w.require(grown <= 0 || !w.draining && before.Status == session.GameSessionActive, "a seat was given while there are none")
	for _, ps := range out {
		w.guests = append(w.guests, guest{ps.PlayerSessionID, ps.Generation})
	}
}

func seatsOf(out []session.PlayerSession) (seats []int) {
	for _, ps := range out {
		seats = append(seats, ps.Slot)
	}
	return seats
}

// someone is a guest, mostly one of the last.
func (w *world) someone() *guest {
	switch {
	case len(w.guests) == 0 || w.rng.IntN(25) == 0:
		return &guest{id: pick(w.rng, "psess-nobody", "psess-", "", "psess-00000000-0000-4000-8000-000000000000")}
	case w.rng.IntN(5) == 0:
		return &w.guests[w.rng.IntN(len(w.guests))]
	}
	return &w.guests[len(w.guests)-1-w.rng.IntN(min(12, len(w.guests)))]
}

func (w *world) connect() {
	g := w.someone()
	connect, how := w.table.Activate, "connects"
	if w.rng.IntN(4) == 0 {
		connect, how = w.table.TakeOver, "takes over"
	}
	before, _ := w.table.Lookup(g.id)
	ps, err := connect(g.id)
	w.say("%s %s: %v %d", g.id, how, session.Reason(err), ps.Generation)
	w.require((err == nil) == (ps.Status == session.StatusActive), "%v, and %v", err, ps)
	w.require(err != nil || !before.Status.Terminal(), "who has ended was let in")
	w.require(err != nil || ps.Generation == before.Generation+1, "generation %d after %d", ps.Generation, before.Generation)
	if err == nil {
		g.generation = ps.Generation
	}
}

// drop is the end of a connection, perhaps one that has a successor.
func (w *world) drop() {
	g := w.someone()
	generation := g.generation
	stale := generation > 0 && w.rng.IntN(4) == 0
	if stale {
		generation--
	}
	before, _ := w.table.Lookup(g.id)
	err := w.table.Disconnect(g.id, generation)
	w.say("%s drops connection %d: %v", g.id, generation, session.Reason(err))
	if stale && err == nil {
		after, err := w.table.Lookup(g.id)
		w.require(errors.Is(err, session.ErrPlayerSessionNotFound) || before.Status == after.Status && before.Generation == after.Generation,
			"a stale connection changed %v to %v", before, after)
	}
}

func (w *world) leave() {
	g := w.someone()
	ps, err := w.table.Release(g.id)
	w.say("%s leaves: %v %v", g.id, session.Reason(err), ps.Status)
	w.require(err != nil || ps.Status.Terminal(), "who has left is %v", ps.Status)
}

func (w *world) askForTime() {
	g := w.someone()
	before, known := w.table.Deadline(g.id)
	until, err := w.table.Extend(g.id, pick(w.rng, 0, time.Millisecond, time.Second, time.Hour))
	w.say("%s asks for time: %v %v", g.id, session.Reason(err), until.Sub(w.start))
	w.require(err != nil || known != nil || !until.Before(before), "a deadline went back from %v to %v", before, until)
}

func (w *world) create() {
	w.created++
	id := fmt.Sprintf("game-%d", w.created)
	err := w.table.CreateGameSession(session.GameSession{GameSessionID: id, MaximumPlayerSessionCount: 1 + w.rng.IntN(8)})
	w.say("%s begins: %v", id, session.Reason(err))
	w.require(err == nil, "%v", err)
	w.games = append(w.games, id)
	w.games = w.games[max(0, len(w.games)-4):]
}

// govern is what the backend does.
func (w *world) govern() {
	id := pick(w.rng, w.games...)
	switch w.rng.IntN(8) {
	case 0:
		w.create()
	case 1, 2:
		maximum := w.rng.IntN(9)
		err := w.table.UpdateGameSession(id, slot.GameSessionUpdate{MaximumPlayerSessionCount: &maximum})
		w.say("%s has %d seats: %v", id, maximum, session.Reason(err))
	case 3, 4:
		policy := pick(w.rng, session.AcceptAll, session.AcceptAll, session.DenyAll)
		err := w.table.UpdateGameSession(id, slot.GameSessionUpdate{PlayerSessionCreationPolicy: &policy})
		w.say("%s has policy %v: %v", id, policy, session.Reason(err))
	case 5:
		err := w.table.TerminateGameSession(id)
		w.say("%s is terminated: %v", id, session.Reason(err))
		gs, found := w.table.GameSession(id)
		w.require(found != nil || gs.CurrentPlayerSessionCount == 0 && gs.Status == session.GameSessionTerminated, "terminated: %v", gs)
	case 6:
		w.say("%s drains", id)
		w.drain(func(ctx context.Context) error { return w.table.DrainGameSession(ctx, id) })
	case 7:
		if w.operations > 200 && w.rng.IntN(4) == 0 {
			w.say("the server drains")
			w.draining = true
			w.drain(w.table.Drain)
		}
	}
}

func (w *world) drain(drain func(context.Context) error) {
	done := make(chan error, 1)
	w.drains = append(w.drains, done)
	go func() { done <- drain(context.WithoutCancel(w.t.Context())) }()
	synctest.Wait()
}

// ——— what must hold

// check looks at the table from outside, and at its structure where the build
// shows it.
func (w *world) check() {
	w.t.Helper()
	synctest.Wait()
	stats := w.table.Stats()
	synctest.Wait() // what Stats has reclaimed is told
	var have slot.Stats
	for gs := range w.table.GameSessions() {
		have.GameSessions++
		w.checkGame(gs, &have)
	}
	w.require(have.GameSessions == stats.GameSessions && have.Reserved == stats.Reserved && have.Active == stats.Active &&
		have.Completed == stats.Completed && have.TimedOut == stats.TimedOut, "counted %+v, there are %+v", stats, have)
	w.require(stats.Completed+stats.TimedOut <= w.config.MaxRetained, "%d retained", stats.Completed+stats.TimedOut)
	for _, o := range []*watcher{&w.watch, &w.slow, &w.upset, &w.nosey} {
		w.require(o.wrong() == "", "%s", o.wrong())
	}
	told := w.watch.totals()
	w.require(told.ReservedTotal == stats.ReservedTotal && told.AcceptedTotal == stats.AcceptedTotal && told.ReturnedTotal == stats.ReturnedTotal &&
		told.CompletedTotal == stats.CompletedTotal && told.TimedOutTotal == stats.TimedOutTotal, "told of %+v, counted %+v", told, stats)
	for _, e := range w.watch.all()[w.traced:] {
		w.trace = append(w.trace, fmt.Sprintf("  %s %v %v→%v at %v, seat %d, generation %d", e.PlayerSession.PlayerSessionID,
			e.Cause, e.From, e.To, e.At.Sub(w.start), e.PlayerSession.Slot, e.PlayerSession.Generation))
		w.traced++
	}
	for _, done := range w.drains {
		select {
		case err := <-done:
			w.require(err == nil || errors.Is(err, session.ErrGameSessionNotFound), "a drain returned %v", err)
			done <- nil
		default:
			w.require(stats.Reserved+stats.Active > 0, "a drain has not returned, and nobody holds a seat")
		}
	}
	err := Check(w.table)
	w.require(err == nil, "%v", err)
}

// checkGame counts the player sessions of a game session page by page.
func (w *world) checkGame(gs session.GameSession, sum *slot.Stats) {
	w.t.Helper()
	seats := make(map[int]string)
	ids := make(map[string]bool)
	q := slot.Query{GameSessionID: gs.GameSessionID, Limit: 7}
	for {
		page, err := w.table.Describe(q)
		w.require(err == nil, "%v", err)
		for _, ps := range page.PlayerSessions {
			w.require(!ids[ps.PlayerSessionID], "%s is listed twice", ps.PlayerSessionID)
			ids[ps.PlayerSessionID] = true
			last, told := w.watch.last(ps.PlayerSessionID)
			w.require(told && last.PlayerSession == ps, "%+v, and the last event says %+v", ps, last.PlayerSession)
			switch ps.Status {
			case session.StatusReserved:
				sum.Reserved++
			case session.StatusActive:
				sum.Active++
			case session.StatusCompleted:
				sum.Completed++
			case session.StatusTimedOut:
				sum.TimedOut++
			}
			if !ps.Status.Terminal() {
				w.require(seats[ps.Slot] == "", "seat %d is %s's and %s's", ps.Slot, seats[ps.Slot], ps.PlayerSessionID)
				seats[ps.Slot] = ps.PlayerSessionID
			}
		}
		if q.NextToken = page.NextToken; q.NextToken == "" {
			break
		}
	}
	w.require(len(seats) == gs.CurrentPlayerSessionCount, "%d seats are held, the game session counts %d", len(seats), gs.CurrentPlayerSessionCount)
}

// end waits for the slow one and compares what all have been told.
func (w *world) end() {
	w.t.Helper()
	for n := len(w.watch.all()); len(w.slow.all()) < n; n = len(w.watch.all()) {
		time.Sleep(time.Minute)
	}
	synctest.Wait()
	w.require(w.table.Close() == nil, "close")
	all := w.watch.all()
	for _, o := range []*watcher{&w.slow, &w.upset, &w.nosey} {
		w.require(slices.Equal(o.all(), all), "two subscribers were told different things")
	}
	_, err := w.table.Reserve(slot.Reservation{GameSessionID: "game-1", PlayerID: "late"})
	w.require(errors.Is(err, session.ErrClosed), "a closed table answers %v", err)
}

// watcher is a subscriber that knows what may follow what.
type watcher struct {
	mu     sync.Mutex // protects all below
	events []session.Event
	byID   map[string]session.Event
	sum    slot.Stats
	bad    string
}

// see returns how many it has seen.
func (o *watcher) see(e session.Event) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.byID == nil {
		o.byID = make(map[string]session.Event)
	}
	id := e.PlayerSession.PlayerSessionID
	before := o.byID[id]
	if before.To.Terminal() && e.Cause == session.CauseReserved {
		before = session.Event{} // forgotten, and reserved anew
	}
	if o.bad == "" && !follows(before, e) {
		o.bad = fmt.Sprintf("%+v after %+v", e, before)
	}
	o.byID[id] = e
	o.events = append(o.events, e)
	o.count(e)
	return len(o.events)
}

// follows tells whether e may be what happens to a player session next.
func follows(before, e session.Event) bool {
	grown := e.PlayerSession.Generation - before.PlayerSession.Generation
	waits := before.Cause == session.CauseDropped
	right := e.From == before.To && e.To == e.PlayerSession.Status && (before.Cause == 0 || e.PlayerSession.Slot == before.PlayerSession.Slot)
	switch e.Cause {
	case session.CauseReserved:
		return right && e.From == 0 && e.To == session.StatusReserved && grown == 0
	case session.CauseAccepted:
		return right && e.From == session.StatusReserved && e.To == session.StatusActive && grown == 1
	case session.CauseReturned:
		return right && e.From == session.StatusActive && e.To == session.StatusActive && grown == 1
	case session.CauseDropped:
		return right && e.From == session.StatusActive && e.To == session.StatusActive && grown == 0 && !waits
	case session.CauseDeadline:
		return right && e.From == session.StatusReserved && e.To == session.StatusTimedOut && grown == 0
	case session.CauseWindowOver:
		return right && e.From == session.StatusActive && e.To == session.StatusCompleted && grown == 0
	case session.CauseReleased, session.CauseTerminated, session.CauseReplaced:
		return right && e.To == ended(e.From) && e.To.Terminal() && !e.From.Terminal() && grown == 0
	}
	return false
}

func (o *watcher) count(e session.Event) {
	switch {
	case e.Cause == session.CauseReserved:
		o.sum.ReservedTotal++
	case e.Cause == session.CauseAccepted:
		o.sum.AcceptedTotal++
	case e.Cause == session.CauseReturned:
		o.sum.ReturnedTotal++
	case e.To == session.StatusCompleted:
		o.sum.CompletedTotal++
	case e.To == session.StatusTimedOut:
		o.sum.TimedOutTotal++
	}
}

func (o *watcher) complain(what string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bad = what
}

func (o *watcher) wrong() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bad
}

func (o *watcher) all() []session.Event {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.events[:len(o.events):len(o.events)]
}

func (o *watcher) last(id string) (session.Event, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e, ok := o.byID[id]
	return e, ok
}

func (o *watcher) totals() slot.Stats {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sum
}
