package slot_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// TestDifferential gives random commands to a table and to the reference, and
// compares all that they answer. USHER_SEEDS=n tries n seeds, USHER_SEED=n that
// one alone.
func TestDifferential(t *testing.T) {
	t.Parallel()
	first, n := uint64(0), uint64(60)
	if testing.Short() {
		n = 50
	}
	if v, err := strconv.ParseUint(os.Getenv("USHER_SEEDS"), 10, 64); err == nil {
		n = v
	}
	if v, err := strconv.ParseUint(os.Getenv("USHER_SEED"), 10, 64); err == nil {
		first, n = v, 1
	}
	for seed := first; seed < first+n; seed++ {
		synctest.Test(t, func(t *testing.T) { newPair(t, seed).run(250) })
		if t.Failed() {
			return
		}
	}
}

// lateness is how late the horizon may be, and the timer in reclaiming: by that
// much the table may be behind the clock when a call begins.
const lateness = 20 * time.Millisecond

// pair is a table and what it may be. As long as there are deadlines that passed
// less than lateness ago, there are several references: one for each deadline
// that may be the last that the table has noticed. Those that a command proves
// wrong are dropped.
type pair struct {
	t      *testing.T
	seed   uint64
	rng    *rand.Rand
	config slot.Config

	table    *slot.Table
	possible []*reference
	recorder *recorder
	seen     int // events compared
	waits    []*waiting
	paging   []paging
	ids      []string // all that were ever given
	said     []string
}

// waiting is a drain under way.
type waiting struct {
	game  string    // "": the table
	since time.Time // another game session may get its id
	done  chan error
}

// paging is a query under way.
type paging struct {
	q    slot.Query
	last int
}

func newPair(t *testing.T, seed uint64) *pair {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	c := slot.Config{
		ReservationTimeout: pick(rng, 0, 7*time.Millisecond, 50*time.Millisecond, time.Second),
		MaxReservation:     pick(rng, 0, 30*time.Millisecond, 2*time.Second),
		ReconnectWindow:    pick(rng, 0, 0, 1, 15*time.Millisecond, time.Second, 100*time.Second),
		Retention:          pick(rng, 0, 200*time.Millisecond, time.Minute, time.Hour),
		MaxRetained:        pick(rng, 0, 1, 3, 12),
		Stripes:            pick(rng, 1, 2, 64),
		DuplicatePlayers:   slot.DuplicatePolicy(seed % 4),
	}
	table, err := slot.NewTable(c)
	require.NoError(t, err)
	t.Cleanup(func() { _ = table.Close() })
	p := &pair{t: t, seed: seed, rng: rng, config: c, table: table, recorder: new(recorder)}
	p.possible = []*reference{newReference(c, time.Now(), func(id string) bool {
		_, err := table.Lookup(id)
		return !errors.Is(err, session.ErrPlayerSessionNotFound)
	})}
	table.Subscribe(p.recorder.record)
	return p
}

func pick[T any](rng *rand.Rand, choices ...T) T { return choices[rng.IntN(len(choices))] }

func (p *pair) run(steps int) {
	for step := 0; step < steps; {
		for range 1 + p.rng.IntN(4) {
			p.command()
			step++
		}
		p.compare()
		p.jump()
	}
	p.close()
}

func (p *pair) fail(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("USHER_SEED=%d\n%+v\n%s\n%s", p.seed, p.config, strings.Join(p.said, "\n"), fmt.Sprintf(format, args...))
}

func (p *pair) say(format string, args ...any) {
	p.said = append(p.said, fmt.Sprintf(format, args...))
}

// ——— time

func (p *pair) jump() {
	d := pick(p.rng, 0, 1, time.Microsecond, 999*time.Microsecond, time.Millisecond, 5*time.Millisecond,
		10*time.Millisecond, 13*time.Millisecond, 40*time.Millisecond, time.Second, 30*time.Second, 82*time.Second, time.Hour, 3*24*time.Hour)
	if p.rng.IntN(2) == 0 { // about the next deadline
		next := p.possible[0].now.Add(time.Hour)
		for _, s := range p.possible[0].sessions {
			if !s.status.Terminal() && !s.deadline.IsZero() && s.deadline.Before(next) {
				next = s.deadline
			}
		}
		d = max(0, time.Until(next)+pick(p.rng, -1, 0, 1, time.Millisecond, 9*time.Millisecond, 11*time.Millisecond))
	}
	p.sleep(d, p.rng.IntN(2) == 0)
	// A game session that ended with its last player was noticed to end a little
	// later, and it is forgotten that much later too.
	for p.forgetting() {
		p.sleep(2*lateness, true)
	}
}

func (p *pair) sleep(d time.Duration, wait bool) {
	p.say("sleep %v, wait %v", d, wait)
	time.Sleep(d)
	if wait {
		synctest.Wait()
	}
	for _, r := range p.possible {
		r.now = time.Now()
		r.settle(r.now.Add(-lateness))
	}
}

func (p *pair) forgetting() bool {
	r := p.possible[0]
	return slices.ContainsFunc(r.games, func(g refGame) bool {
		age := time.Since(r.after(g.TerminationTime, r.config.Retention))
		return g.Status == session.GameSessionTerminated && age > -2*time.Millisecond && age < lateness+2*time.Millisecond
	})
}

// branch adds what the table may be if it has noticed further deadlines.
func (p *pair) branch() {
	for _, r := range p.possible {
		var passed []time.Time
		for _, s := range r.sessions {
			if !s.status.Terminal() && !s.deadline.IsZero() && !s.deadline.After(r.now) {
				passed = append(passed, s.deadline)
			}
		}
		for _, at := range passed {
			c := r.clone()
			c.settle(at)
			p.possible = append(p.possible, c)
		}
	}
	if len(p.possible) < 16 {
		return
	}
	kinds := make(map[string]bool)
	p.possible = slices.DeleteFunc(p.possible, func(r *reference) bool {
		kind := fmt.Sprint(r.horizon, r.sessions, r.games)
		defer func() { kinds[kind] = true }()
		return kinds[kind]
	})
}

// ——— comparing

// answer is what a command returns.
type answer struct {
	value any
	err   error
}

// tell asks all references for the table's answer.
func (p *pair) tell(got answer, ask func(r *reference) answer) {
	p.t.Helper()
	p.said[len(p.said)-1] += fmt.Sprintf(" = %+v, %v", got.value, got.err)
	p.branch()
	var wants []string
	p.possible = slices.DeleteFunc(p.possible, func(r *reference) bool {
		want := ask(r)
		if same(got, want) {
			return false
		}
		wants = append(wants, fmt.Sprintf("want %+v, %v", want.value, want.err))
		return true
	})
	if len(p.possible) == 0 {
		p.fail("%s", strings.Join(wants, "\n"))
	}
}

func same(got, want answer) bool {
	if session.Reason(got.err) != session.Reason(want.err) || !reflect.DeepEqual(got.value, want.value) {
		return false
	}
	var a, b *slot.PartyError
	if errors.As(got.err, &a) != errors.As(want.err, &b) || a != nil && (a.Index != b.Index || a.PlayerID != b.PlayerID) {
		return false
	}
	var c, d *session.StatusError
	return errors.As(got.err, &c) == errors.As(want.err, &d) && (c == nil || *c == *d)
}

// compare asks for all there is to know. It makes the table catch up with the
// clock, after which there is one reference.
func (p *pair) compare() {
	stats := p.table.Stats()
	stats.ExpiryLag, stats.EventBacklog = 0, 0
	p.say("compare")
	p.tell(answer{value: stats}, func(r *reference) answer { return answer{value: r.Stats()} })
	p.possible = p.possible[:1]
	r := p.possible[0]

	games := slices.Collect(p.table.GameSessions())
	for i, gs := range games {
		if want := &r.games[i]; want.drained && gs.TerminationTime.Sub(want.TerminationTime) <= lateness && !gs.TerminationTime.Before(want.TerminationTime) {
			want.TerminationTime, want.drained = gs.TerminationTime, false
		}
	}
	if want := r.GameSessions(); !reflect.DeepEqual(games, want) {
		p.fail("game sessions\n%+v, want\n%+v", games, want)
	}
	synctest.Wait()
	p.compareEvents(r)
	p.waits = slices.DeleteFunc(p.waits, func(w *waiting) bool {
		over := r.Drain
		if w.game != "" {
			g := r.game(w.game)
			over = func() bool { return g == nil || g.CreationTime.After(w.since) || len(r.held(w.game)) == 0 }
		} else if !r.draining {
			p.fail("the table drains, its reference does not")
		}
		select {
		case err := <-w.done:
			if err != nil || !over() {
				p.fail("drain of %q returned %v", w.game, err)
			}
			return true
		default:
			if over() {
				p.fail("drain of %q has not returned", w.game)
			}
			return false
		}
	})
	for _, s := range r.sessions {
		if ps, err := p.table.Lookup(s.id); err != nil || ps != r.present(s) {
			p.fail("lookup: %+v, %v, want %+v", ps, err, r.present(s))
		}
	}
	if err := p.table.CheckAtRest(); err != nil {
		p.fail("%v", err)
	}
}

// compareEvents compares those that are new, by player session.
func (p *pair) compareEvents(r *reference) {
	got := p.recorder.all()[p.seen:]
	p.seen += len(got)
	byID := func(events []session.Event) map[string][]session.Event {
		m := make(map[string][]session.Event)
		for _, e := range events {
			m[e.PlayerSession.PlayerSessionID] = append(m[e.PlayerSession.PlayerSessionID], e)
		}
		return m
	}
	if g, w := byID(got), byID(r.events); !reflect.DeepEqual(g, w) {
		p.fail("events\n%v, want\n%v", g, w)
	}
	r.events = nil
}

func (p *pair) close() {
	p.compare()
	require.NoError(p.t, p.table.Close())
	synctest.Wait()
	for _, w := range p.waits {
		require.ErrorIs(p.t, <-w.done, session.ErrClosed)
	}
	p.compareEvents(p.possible[0])
	stats := p.table.Stats()
	stats.ExpiryLag = 0
	require.Equal(p.t, p.possible[0].Stats(), stats)
	require.NoError(p.t, p.table.CheckAtRest())
}

// ——— commands

func (p *pair) command() {
	commands := []struct {
		often int
		do    func()
	}{
		{30, p.reserve},
		{10, p.reserveAll},
		{25, p.admit},
		{12, p.disconnect},
		{12, p.release},
		{8, p.extend},
		{8, p.deadline},
		{8, p.lookup},
		{6, p.live},
		{10, p.describe},
		{8, p.nextPage},
		{12, p.create},
		{4, p.activate},
		{8, p.update},
		{2, p.drainGame},
		{3, p.terminate},
		{4, p.gameSession},
	}
	sum := 0
	for _, c := range commands {
		sum += c.often
	}
	if p.rng.IntN(1500) == 0 {
		p.drain()
		return
	}
	n := p.rng.IntN(sum)
	for _, c := range commands {
		if n -= c.often; n < 0 {
			c.do()
			return
		}
	}
}

func (p *pair) game() string {
	if p.rng.IntN(40) == 0 {
		return "nowhere"
	}
	return pick(p.rng, "a", "a", "a", "b", "b", "c")
}

func (p *pair) player() string { return pick(p.rng, "p0", "p1", "p2", "p3", "p4") }

// issued are ids that come from elsewhere, some of them almost alike.
var issued = []string{
	"psess-00000000-0000-4000-8000-00000000000a", "psess-00000000-0000-4000-8000-00000000000A",
	"psess-00000000-0000-4000-8000-00000000000b", "psess-x", "psess-X", "psess-00000000",
}

func (p *pair) id() string {
	switch n := p.rng.IntN(40); {
	case n == 0:
		return pick(p.rng, "", "psess-", "psess-a b", "psess-unknown", "PSESS-x", issued[0]+"0")
	case n < 8 || len(p.ids) == 0:
		return pick(p.rng, issued...)
	case n < 34:
		return p.ids[max(0, len(p.ids)-1-p.rng.IntN(8))]
	}
	return pick(p.rng, p.ids...)
}

func (p *pair) reservation() slot.Reservation {
	r := slot.Reservation{
		GameSessionID: p.game(), PlayerID: p.player(), PlayerData: pick(p.rng, "", "", "red", "blue"),
		Timeout: pick(p.rng, 0, 0, 1, time.Millisecond, 10*time.Millisecond, 14*time.Millisecond, time.Second, 100*time.Second, time.Hour, math.MaxInt64),
	}
	switch p.rng.IntN(60) {
	case 0:
		r.PlayerID = ""
	case 1:
		r.Timeout = -1
	case 2:
		r.PlayerSessionID = "psess-"
	case 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15:
		r.PlayerSessionID = pick(p.rng, issued...)
	}
	return r
}

func (p *pair) reserve() {
	res := p.reservation()
	p.say("Reserve %+v", struct{ slot.Reservation }{res})
	ps, err := p.table.Reserve(res)
	if err == nil {
		p.ids = append(p.ids, ps.PlayerSessionID)
	}
	p.tell(answer{ps, err}, func(r *reference) answer {
		out, err := r.ReserveAll([]slot.Reservation{res}, []string{ps.PlayerSessionID})
		var member *slot.PartyError
		if errors.As(err, &member) {
			err = member.Err
		}
		return answer{first(out), err}
	})
}

func first(out []session.PlayerSession) session.PlayerSession {
	if len(out) == 0 {
		return session.PlayerSession{}
	}
	return out[0]
}

func (p *pair) reserveAll() {
	party := make([]slot.Reservation, p.rng.IntN(4))
	for i := range party {
		party[i] = p.reservation()
		if p.rng.IntN(30) > 0 {
			party[i].GameSessionID = party[0].GameSessionID
		}
	}
	p.say("ReserveAll %+v", party)
	out, err := p.table.ReserveAll(party)
	var made []string
	for _, ps := range out {
		made = append(made, ps.PlayerSessionID)
	}
	p.ids = append(p.ids, made...)
	p.tell(answer{out, err}, func(r *reference) answer {
		out, err := r.ReserveAll(party, made)
		return answer{out, err}
	})
}

func (p *pair) admit() {
	id, takeOver := p.id(), p.rng.IntN(5) == 0
	p.say("Activate %s, take over %v", id, takeOver)
	admit := p.table.Activate
	if takeOver {
		admit = p.table.TakeOver
	}
	ps, err := admit(id)
	p.tell(answer{ps, err}, func(r *reference) answer {
		ps, err := r.Admit(id, takeOver)
		return answer{ps, err}
	})
}

func (p *pair) disconnect() {
	id, generation := p.id(), pick(p.rng, uint32(0), 1, 1, 1, 1, 2, 2, 3)
	p.say("Disconnect %s, %d", id, generation)
	err := p.table.Disconnect(id, generation)
	p.tell(answer{err: err}, func(r *reference) answer { return answer{err: r.Disconnect(id, generation)} })
}

func (p *pair) release() {
	id := p.id()
	p.say("Release %s", id)
	ps, err := p.table.Release(id)
	p.tell(answer{ps, err}, func(r *reference) answer {
		ps, err := r.Release(id)
		return answer{ps, err}
	})
}

func (p *pair) extend() {
	id, d := p.id(), pick(p.rng, -1, 0, 1, 5*time.Millisecond, time.Second, time.Hour, math.MaxInt64)
	p.say("Extend %s, %v", id, d)
	deadline, err := p.table.Extend(id, d)
	p.tell(answer{deadline, err}, func(r *reference) answer {
		deadline, err := r.Extend(id, d)
		return answer{deadline, err}
	})
}

func (p *pair) deadline() {
	id := p.id()
	p.say("Deadline %s", id)
	deadline, err := p.table.Deadline(id)
	p.tell(answer{deadline, err}, func(r *reference) answer {
		deadline, err := r.Deadline(id)
		return answer{deadline, err}
	})
}

func (p *pair) lookup() {
	id := p.id()
	p.say("Lookup %s", id)
	ps, err := p.table.Lookup(id)
	p.tell(answer{ps, err}, func(r *reference) answer {
		ps, err := r.Lookup(id)
		return answer{ps, err}
	})
}

func (p *pair) live() {
	game, player := p.game(), p.player()
	p.say("Live %s, %s", game, player)
	ps, err := p.table.Live(game, player)
	p.tell(answer{ps, err}, func(r *reference) answer {
		ps, err := r.Live(game, player)
		return answer{ps, err}
	})
}

func (p *pair) describe() {
	q := slot.Query{Limit: pick(p.rng, 0, 1, 1, 2, 3)}
	if p.rng.IntN(2) == 0 {
		q.PlayerID = p.player()
	} else {
		q.GameSessionID, q.Status = p.game(), session.Status(p.rng.IntN(5))
	}
	p.page(q, 0)
}

// nextPage goes on with a query that was begun long ago perhaps.
func (p *pair) nextPage() {
	if len(p.paging) == 0 {
		p.describe()
		return
	}
	i := p.rng.IntN(len(p.paging))
	under := p.paging[i]
	p.paging = slices.Delete(p.paging, i, i+1)
	p.page(under.q, under.last)
}

func (p *pair) page(q slot.Query, last int) {
	p.say("Describe %+v behind %d", q, last)
	page, err := p.table.Describe(q)
	next := 0
	p.tell(answer{answer{page.PlayerSessions, nil}, err}, func(r *reference) answer {
		sessions, n, more, err := r.Describe(q, last)
		if more != (page.NextToken != "") {
			err = fmt.Errorf("more: %v", more)
		}
		if reflect.DeepEqual(sessions, page.PlayerSessions) {
			next = n
		}
		return answer{answer{sessions, nil}, err}
	})
	if page.NextToken != "" {
		q.NextToken = page.NextToken
		p.paging = append(p.paging, paging{q, next})
	}
}

func (p *pair) create() {
	gs := session.GameSession{
		GameSessionID: p.game(), Name: "match", FleetID: "fleet-1", FleetARN: "arn", DNSName: "host", IPAddress: "::1", Port: 7777,
		MaximumPlayerSessionCount: pick(p.rng, -1, 0, 1, 2, 2, 3, 3, 4),
		Status:                    pick(p.rng, session.GameSessionActive, session.GameSessionActive, session.GameSessionActivating),
	}
	p.say("CreateGameSession %+v", gs)
	err := p.table.CreateGameSession(gs)
	p.tell(answer{err: err}, func(r *reference) answer { return answer{err: r.CreateGameSession(gs)} })
}

func (p *pair) activate() {
	id := p.game()
	p.say("ActivateGameSession %s", id)
	err := p.table.ActivateGameSession(id)
	p.tell(answer{err: err}, func(r *reference) answer { return answer{err: r.ActivateGameSession(id)} })
}

func (p *pair) update() {
	id, u := p.game(), slot.GameSessionUpdate{}
	if p.rng.IntN(2) == 0 {
		u.MaximumPlayerSessionCount = pointer(pick(p.rng, -1, 0, 1, 2, 3, 4))
	}
	if p.rng.IntN(3) == 0 {
		u.PlayerSessionCreationPolicy = pointer(pick(p.rng, session.AcceptAll, session.AcceptAll, session.DenyAll))
	}
	if p.rng.IntN(3) == 0 {
		u.Name = pointer(pick(p.rng, "", "other"))
	}
	p.say("UpdateGameSession %s %+v", id, u)
	err := p.table.UpdateGameSession(id, u)
	p.tell(answer{err: err}, func(r *reference) answer { return answer{err: r.UpdateGameSession(id, u)} })
}

// drainGame either asks only, with a context that has ended, or waits.
func (p *pair) drainGame() {
	id := p.game()
	p.say("DrainGameSession %s", id)
	drain := func(ctx context.Context) error { return p.table.DrainGameSession(ctx, id) }
	p.drainBy(id, drain, func(r *reference) (bool, error) { return r.DrainGameSession(id) })
}

func (p *pair) drain() {
	p.say("Drain")
	p.drainBy("", p.table.Drain, func(r *reference) (bool, error) { return r.Drain(), nil })
}

func (p *pair) drainBy(game string, drain func(context.Context) error, ask func(r *reference) (bool, error)) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := drain(ctx)
	p.tell(answer{err: err}, func(r *reference) answer {
		switch empty, err := ask(r); {
		case err != nil:
			return answer{err: err}
		case !empty:
			return answer{err: context.Canceled}
		}
		return answer{}
	})
	if errors.Is(err, context.Canceled) {
		w := &waiting{game, time.Now(), make(chan error, 1)}
		p.waits = append(p.waits, w)
		go func() { w.done <- drain(context.WithoutCancel(ctx)) }()
	}
}

func (p *pair) terminate() {
	id := p.game()
	p.say("TerminateGameSession %s", id)
	err := p.table.TerminateGameSession(id)
	p.tell(answer{err: err}, func(r *reference) answer { return answer{err: r.TerminateGameSession(id)} })
}

func (p *pair) gameSession() {
	id := p.game()
	p.say("GameSession %s", id)
	gs, err := p.table.GameSession(id)
	p.tell(answer{gs.CurrentPlayerSessionCount, err}, func(r *reference) answer {
		gs, err := r.GameSession(id)
		return answer{gs.CurrentPlayerSessionCount, err}
	})
}
