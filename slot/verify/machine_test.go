package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// TestReference gives the same commands to a table and to the reference, and
// compares all that can be known of them after each. -rapid.checks and
// -rapid.steps make it longer.
func TestReference(t *testing.T) {
	t.Parallel()
	var commands, checks int
	rapid.Check(t, func(rt *rapid.T) {
		checks++
		inBubble(t, func() {
			m := newMachine(rt)
			defer m.stop()
			rt.Repeat(map[string]func(*rapid.T){
				"":           m.compare,
				"reserve":    m.reserve,
				"reserveAll": m.reserveAll,
				"admit":      m.admit,
				"leave":      m.leave,
				"ask":        m.ask,
				"describe":   m.describe,
				"nextPage":   m.nextPage,
				"create":     m.create,
				"change":     m.change,
				"finish":     m.finish,
				"sleep":      m.sleep,
			})
			m.close(rt)
			commands += m.commands
		})
	})
	record(t, counts{Checks: checks, Operations: commands})
}

// inBubble runs f with a clock of its own. A panic, which is how rapid ends a
// check, would end the process there; it is passed on.
func inBubble(t *testing.T, f func()) {
	t.Helper()
	var panicked any
	synctest.Test(t, func(*testing.T) {
		defer func() { panicked = recover() }()
		f()
	})
	if fmt.Sprintf("%T", panicked) == "rapid.invalidData" {
		panic(panicked) // not a failure; rapid tells it from one by the line as well
	}
	if panicked != nil {
		panic(panicked)
	}
}

// machine is a table and its reference, and what commands can refer to.
type machine struct {
	table    *slot.Table
	ref      *reference
	ids      []string // all that were ever given
	paging   []paging
	waits    []waiting
	commands int

	mu     sync.Mutex // protects events
	events []session.Event
}

// paging is a query under way.
type paging struct {
	q    slot.Query
	last int
}

// waiting is a drain under way.
type waiting struct {
	over func() bool // it has to have returned
	done chan error
}

func newMachine(t *rapid.T) *machine {
	c := slot.Config{
		ReservationTimeout: draw(t, "timeout", 0, 7*time.Millisecond, 50*time.Millisecond, time.Second),
		MaxReservation:     draw(t, "most", 0, 30*time.Millisecond, 2*time.Second),
		ReconnectWindow:    draw(t, "window", 0, 1, 15*time.Millisecond, time.Second, 100*time.Second),
		Stripes:            draw(t, "stripes", 1, 2, 64),
		DuplicatePlayers:   draw(t, "duplicates", slot.DuplicatesReturn, slot.DuplicatesReject, slot.DuplicatesReplace, slot.DuplicatesAllow),
	}
	// One of the two: which forgets first is open, by as much as the end of a game
	// session that drains is.
	if rapid.Bool().Draw(t, "forgets by number") {
		c.MaxRetained = draw(t, "retained", 1, 3, 12)
	} else {
		c.Retention = draw(t, "retention", 0, 200*time.Millisecond, time.Minute, time.Hour)
	}
	table, err := slot.NewTable(c)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{table: table, ref: newReference(c, func(id string) bool {
		_, err := table.Lookup(id)
		return !errors.Is(err, session.ErrPlayerSessionNotFound)
	})}
	table.Subscribe(func(e session.Event) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.events = append(m.events, e)
	})
	m.same(t, answer{err: table.CreateGameSession(lobby)}, answer{err: m.ref.CreateGameSession(lobby)})
	return m
}

// lobby is the game session that each check begins with.
var lobby = session.GameSession{GameSessionID: "a", MaximumPlayerSessionCount: 3, Name: "match", DNSName: "host", Port: 7777}

func draw[T any](t *rapid.T, label string, choices ...T) T {
	return rapid.SampledFrom(choices).Draw(t, label)
}

// stop ends the goroutines of the bubble, also of a check that has failed.
func (m *machine) stop() {
	_ = m.table.Close()
	for _, w := range m.waits {
		<-w.done
	}
}

// answer is what a command returns.
type answer struct {
	value any
	err   error
}

func (m *machine) same(t *rapid.T, got, want answer) {
	m.commands++
	if session.Reason(got.err) != session.Reason(want.err) || !reflect.DeepEqual(got.value, want.value) {
		t.Fatalf("the table answers\n%+v, %v\nthe reference\n%+v, %v", got.value, got.err, want.value, want.err)
	}
	var a, b *slot.PartyError
	if errors.As(got.err, &a) != errors.As(want.err, &b) || a != nil && (a.Index != b.Index || a.PlayerID != b.PlayerID) {
		t.Fatalf("the table answers %v, the reference %v", got.err, want.err)
	}
	var c, d *session.StatusError
	switch {
	case errors.As(got.err, &c) != errors.As(want.err, &d) || c != nil && *c != *d:
		t.Fatalf("the table answers %v, the reference %v", got.err, want.err)
	case c == nil && b == nil && !errors.Is(got.err, want.err):
		t.Fatalf("%v is not %v", got.err, want.err)
	}
}

// compare asks for all there is to know. The table catches up with the clock
// meanwhile, as the reference does.
func (m *machine) compare(t *rapid.T) {
	stats := m.table.Stats()
	stats.ExpiryLag, stats.EventBacklog = 0, 0
	m.same(t, answer{value: stats}, answer{value: m.ref.Stats()})
	var games []session.GameSession
	for gs := range m.table.GameSessions() {
		games = append(games, gs)
		if g := m.ref.game(gs.GameSessionID); g != nil && !gs.TerminationTime.IsZero() {
			if err := g.learn(gs.TerminationTime); err != nil {
				t.Fatalf("%v: %v, not within %v and %v", err, gs.TerminationTime, g.endedFrom, g.endedTo)
			}
		}
	}
	var want []session.GameSession
	for _, g := range m.ref.games {
		gs, _ := m.ref.GameSession(g.GameSessionID)
		want = append(want, gs)
	}
	m.same(t, answer{value: games}, answer{value: want})
	for _, p := range m.ref.players {
		ps, err := m.table.Lookup(p.id)
		m.same(t, answer{ps, err}, answer{m.ref.present(p), nil})
	}
	synctest.Wait()
	m.compareEvents(t)
	m.compareWaits(t)
	if err := Check(m.table); err != nil {
		t.Fatal(err)
	}
}

// compareEvents compares those that are new, by player session.
func (m *machine) compareEvents(t *rapid.T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	byID := func(events []session.Event) map[string][]session.Event {
		sorted := make(map[string][]session.Event)
		for _, e := range events {
			sorted[e.PlayerSession.PlayerSessionID] = append(sorted[e.PlayerSession.PlayerSessionID], e)
		}
		return sorted
	}
	m.same(t, answer{value: byID(m.events)}, answer{value: byID(m.ref.events)})
	m.events, m.ref.events = nil, nil
}

func (m *machine) compareWaits(t *rapid.T) {
	m.waits = slices.DeleteFunc(m.waits, func(w waiting) bool {
		select {
		case err := <-w.done:
			if err != nil || !w.over() {
				t.Fatalf("a drain has returned %v; over: %v", err, w.over())
			}
			return true
		default:
			if w.over() {
				t.Fatal("a drain is over and has not returned")
			}
			return false
		}
	})
}

// close closes both, after which everything is refused.
func (m *machine) close(t *rapid.T) {
	if err := m.table.Close(); err != nil {
		t.Fatal(err)
	}
	m.ref.Close()
	for _, w := range m.waits {
		if err := <-w.done; !errors.Is(err, session.ErrClosed) {
			t.Fatalf("a drain has returned %v when the table was closed", err)
		}
	}
	m.waits = nil
	stats := m.table.Stats()
	stats.ExpiryLag, stats.EventBacklog = 0, 0
	m.same(t, answer{value: stats}, answer{value: m.ref.Stats()})
	m.compareEvents(t)
	m.ids = append(m.ids, "psess-unknown")
	for _, command := range []func(*rapid.T){m.reserve, m.reserveAll, m.admit, m.leave, m.ask, m.describe, m.create, m.change, m.finish} {
		command(t)
	}
}

// ——— commands

func game(t *rapid.T) string {
	return draw(t, "game session", "a", "a", "a", "a", "b", "b", "c", "nowhere")
}

func player(t *rapid.T) string { return draw(t, "player", "p0", "p1", "p2", "p3", "p4") }

// issued are ids that come from elsewhere, some of them almost alike.
var issued = []string{
	"psess-00000000-0000-4000-8000-00000000000a", "psess-00000000-0000-4000-8000-00000000000A",
	"psess-00000000-0000-4000-8000-00000000000b", "psess-x", "psess-X", "psess-00000000",
}

func (m *machine) id(t *rapid.T) string {
	switch kind := rapid.IntRange(0, 19).Draw(t, "kind of id"); {
	case kind == 19:
		return draw(t, "odd id", "", "psess-", "psess-a b", "psess-unknown", "PSESS-x", issued[0]+"0")
	case kind > 16 || len(m.ids) == 0:
		return draw(t, "issued id", issued...)
	}
	ago := rapid.IntRange(0, min(len(m.ids), 16)-1).Draw(t, "id") // by number: the ids themselves are random
	return m.ids[len(m.ids)-1-ago]
}

func reservation(t *rapid.T) slot.Reservation {
	r := slot.Reservation{
		GameSessionID: game(t), PlayerID: player(t), PlayerData: draw(t, "data", "", "", "red"),
		Timeout: draw(t, "timeout", 0, 0, 1, time.Millisecond, 14*time.Millisecond, time.Second, 100*time.Second, time.Hour, math.MaxInt64),
	}
	switch rapid.IntRange(0, 24).Draw(t, "kind of reservation") {
	case 20, 21, 22:
		r.PlayerSessionID = draw(t, "issued id", issued...)
	case 23:
		r.PlayerSessionID, r.Timeout = draw(t, "odd id", "", "psess-"), -1
	case 24:
		r.PlayerID = ""
	}
	return r
}

func (m *machine) reserve(t *rapid.T) {
	r := reservation(t)
	ps, err := m.table.Reserve(r)
	out, want := m.ref.ReserveAll([]slot.Reservation{r}, []session.PlayerSession{ps})
	var member *slot.PartyError
	if errors.As(want, &member) {
		want = member.Err
	}
	if out == nil {
		out = make([]session.PlayerSession, 1)
	}
	m.same(t, answer{ps, err}, answer{out[0], want})
	if err == nil {
		m.ids = append(m.ids, ps.PlayerSessionID)
	}
}

func (m *machine) reserveAll(t *rapid.T) {
	party := make([]slot.Reservation, rapid.IntRange(0, 3).Draw(t, "members"))
	for i := range party {
		party[i] = reservation(t)
		if rapid.IntRange(0, 19).Draw(t, "astray") < 19 {
			party[i].GameSessionID = party[0].GameSessionID
		}
	}
	out, err := m.table.ReserveAll(party)
	want, wantErr := m.ref.ReserveAll(party, out)
	m.same(t, answer{out, err}, answer{want, wantErr})
	for _, ps := range out {
		m.ids = append(m.ids, ps.PlayerSessionID)
	}
}

func (m *machine) admit(t *rapid.T) {
	id, takeOver := m.id(t), rapid.IntRange(0, 4).Draw(t, "take over") == 4
	admit := m.table.Activate
	if takeOver {
		admit = m.table.TakeOver
	}
	ps, err := admit(id)
	m.judged(id, ps, err)
	want, wantErr := m.ref.Admit(id, takeOver)
	m.same(t, answer{ps, err}, answer{want, wantErr})
}

// judged is called when the table has judged a player session by its horizon. If
// a deadline has just passed, the answer tells whether that has seen it.
func (m *machine) judged(id string, ps session.PlayerSession, err error) {
	now := time.Now()
	if errors.Is(err, session.ErrPlayerSessionNotFound) { // forgotten, since others have ended meanwhile
		m.ref.settle()
	}
	passed := ps.Status.Terminal() || errors.Is(err, session.ErrTimedOut) || errors.Is(err, session.ErrCompleted)
	p := m.ref.player(id)
	if passed && p != nil && p.live() && !p.deadline.After(now) && p.deadline.After(m.ref.horizon) {
		m.ref.horizon = p.deadline
	}
}

func (m *machine) leave(t *rapid.T) {
	id := m.id(t)
	if rapid.Bool().Draw(t, "release") {
		ps, err := m.table.Release(id)
		m.judged(id, session.PlayerSession{}, err)
		want, wantErr := m.ref.Release(id)
		m.same(t, answer{ps, err}, answer{want, wantErr})
		return
	}
	generation := draw[uint32](t, "generation", 0, 1, 1, 1, 2, 2, 3)
	err := m.table.Disconnect(id, generation)
	m.judged(id, session.PlayerSession{}, err)
	m.same(t, answer{err: err}, answer{err: m.ref.Disconnect(id, generation)})
}

func (m *machine) ask(t *rapid.T) {
	id := m.id(t)
	switch draw(t, "question", "lookup", "deadline", "extend", "live", "game session") {
	case "lookup":
		ps, err := m.table.Lookup(id)
		m.judged(id, ps, err)
		want, wantErr := m.ref.Lookup(id)
		m.same(t, answer{ps, err}, answer{want, wantErr})
	case "deadline":
		at, err := m.table.Deadline(id)
		m.judged(id, session.PlayerSession{}, err)
		want, wantErr := m.ref.Deadline(id)
		m.same(t, answer{at, err}, answer{want, wantErr})
	case "extend":
		d := draw(t, "by", -1, 0, 1, 5*time.Millisecond, time.Second, time.Hour, math.MaxInt64)
		at, err := m.table.Extend(id, d)
		m.judged(id, session.PlayerSession{}, err)
		want, wantErr := m.ref.Extend(id, d)
		m.same(t, answer{at, err}, answer{want, wantErr})
	case "live":
		m.ref.Stats()
		g, p := game(t), player(t)
		ps, err := m.table.Live(g, p)
		want, wantErr := m.ref.Live(g, p)
		m.same(t, answer{ps, err}, answer{want, wantErr})
	case "game session":
		m.ref.Stats()
		g := game(t)
		gs, err := m.table.GameSession(g)
		want, wantErr := m.ref.GameSession(g)
		m.same(t, answer{gs.CurrentPlayerSessionCount, err}, answer{want.CurrentPlayerSessionCount, wantErr})
	}
}

func (m *machine) describe(t *rapid.T) {
	q := slot.Query{Limit: draw(t, "limit", -1, 0, 1, 1, 2, 3)}
	switch draw(t, "by", "player", "game", "game", "id", "both") {
	case "player":
		q.PlayerID = player(t)
	case "game":
		q.GameSessionID, q.Status = game(t), session.Status(rapid.IntRange(0, 5).Draw(t, "status"))
	case "id":
		q.PlayerSessionID = m.id(t)
	case "both":
		q.PlayerID, q.GameSessionID = player(t), game(t)
	}
	m.page(t, q, 0)
}

// nextPage goes on with a query that was begun long ago perhaps.
func (m *machine) nextPage(t *rapid.T) {
	if len(m.paging) == 0 {
		m.describe(t)
		return
	}
	i := rapid.IntRange(0, len(m.paging)-1).Draw(t, "query")
	under := m.paging[i]
	m.paging = slices.Delete(m.paging, i, i+1)
	m.page(t, under.q, under.last)
}

func (m *machine) page(t *rapid.T, q slot.Query, last int) {
	page, err := m.table.Describe(q)
	want, next, more, wantErr := m.ref.Describe(q, last)
	m.same(t, answer{page.PlayerSessions, err}, answer{want, wantErr})
	if more != (page.NextToken != "") {
		t.Fatalf("there is more: %v; the table says %v", more, !more)
	}
	if more {
		q.NextToken = page.NextToken
		m.paging = append(m.paging, paging{q, next})
	}
}

func (m *machine) create(t *rapid.T) {
	gs := session.GameSession{
		GameSessionID: game(t), Name: "match", FleetID: "fleet-1", FleetARN: "arn", DNSName: "host", IPAddress: "::1", Port: 7777,
		MaximumPlayerSessionCount: draw(t, "maximum", 2, 3, 3, 4, 1, 0, -1),
		Status:                    draw(t, "status", session.GameSessionActive, session.GameSessionActive, session.GameSessionActivating, session.GameSessionTerminating),
	}
	m.same(t, answer{err: m.table.CreateGameSession(gs)}, answer{err: m.ref.CreateGameSession(gs)})
}

func (m *machine) change(t *rapid.T) {
	id, u := game(t), slot.GameSessionUpdate{}
	switch draw(t, "what", "maximum", "policy", "name", "status", "nothing") {
	case "maximum":
		u.MaximumPlayerSessionCount = new(int)
		*u.MaximumPlayerSessionCount = rapid.IntRange(-1, 4).Draw(t, "maximum")
	case "policy":
		u.PlayerSessionCreationPolicy = new(session.CreationPolicy)
		*u.PlayerSessionCreationPolicy = draw(t, "policy", session.AcceptAll, session.AcceptAll, session.DenyAll)
	case "name":
		u.Name = new(string)
		*u.Name = draw(t, "name", "", "other")
	case "status":
		m.same(t, answer{err: m.table.ActivateGameSession(id)}, answer{err: m.ref.ActivateGameSession(id)})
		return
	}
	m.same(t, answer{err: m.table.UpdateGameSession(id, u)}, answer{err: m.ref.UpdateGameSession(id, u)})
}

// finish ends a game session, or drains it or, seldom, the table.
func (m *machine) finish(t *rapid.T) {
	id := game(t)
	switch n := rapid.IntRange(0, 15).Draw(t, "how"); {
	case n < 6:
		m.same(t, answer{err: m.table.TerminateGameSession(id)}, answer{err: m.ref.TerminateGameSession(id)})
	case n < 15:
		g, err := m.ref.DrainGameSession(id)
		m.drain(t, func(ctx context.Context) error { return m.table.DrainGameSession(ctx, id) }, g != nil, err,
			func() bool { return len(m.ref.seats(g)) == 0 })
	default:
		held, err := m.ref.Drain()
		m.drain(t, m.table.Drain, held, err, func() bool { return !m.ref.held() })
	}
}

// drain asks at first whether it has to wait, with a context that has ended.
func (m *machine) drain(t *rapid.T, drain func(context.Context) error, held bool, want error, over func() bool) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if held {
		want = context.Canceled
	}
	m.same(t, answer{err: drain(ctx)}, answer{err: want})
	if held {
		w := waiting{over, make(chan error, 1)}
		m.waits = append(m.waits, w)
		go func() { w.done <- drain(context.WithoutCancel(ctx)) }()
	}
}

// sleep lets time pass, to about the next deadline perhaps, and may then look at
// one player session before the table has caught up.
func (m *machine) sleep(t *rapid.T) {
	d := draw(t, "for", 1, time.Microsecond, 999*time.Microsecond, time.Millisecond, 5*time.Millisecond, 10*time.Millisecond,
		40*time.Millisecond, time.Second, 30*time.Second, 82*time.Second, time.Hour, 3*24*time.Hour)
	if next := m.next(); time.Until(next) < 3*24*time.Hour && rapid.Bool().Draw(t, "to a deadline") {
		d = time.Until(next) + draw(t, "and", -1, 0, 1, time.Millisecond, 9*time.Millisecond, 11*time.Millisecond, 20*time.Millisecond)
	}
	time.Sleep(d)
	for synctest.Wait(); m.ref.unsure(); synctest.Wait() {
		time.Sleep(time.Millisecond)
	}
	m.ref.settleUntil(time.Now().Add(-lateness))
	switch draw(t, "then", "rest", "admit", "leave", "ask") {
	case "admit":
		m.admit(t)
	case "leave":
		m.leave(t)
	case "ask":
		m.ask(t)
	}
}

// next is the first deadline that has not passed, or long ahead: somebody who
// waits for 146 years is looked at once a lap of the wheel.
func (m *machine) next() time.Time {
	next := time.Now().Add(30 * 24 * time.Hour)
	for _, p := range m.ref.players {
		if p.live() && p.deadline.After(time.Now()) && p.deadline.Before(next) {
			next = p.deadline
		}
	}
	return next
}
