package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

const (
	// minPlayers are a party of two, and two who come alone.
	minPlayers = 4

	// maxPlayers bounds the sockets: the demo holds both ends of each.
	maxPlayers = 1000

	// maxRequest is how many players one request reserves for, as in GameLift.
	maxRequest = 25
)

// demo plays the backend and the players of a server in the same process, over
// real sockets, and checks that each of them gets what is due.
type demo struct {
	*running
	seats      int
	timeline   *timeline
	matchmaker *matchmaker
	ids        map[string]string  // by player: the last one reserved
	clients    map[string]*client // by player, while connected

	events  chan session.Event // has room for all there will be
	causes  map[session.Cause]uint64
	refused map[string]uint64 // by reason

	described   []session.PlayerSession
	describedAt time.Time
}

// act is something that somebody does; the error is what went otherwise than it
// should.
type act func(context.Context) error

// playDemo starts a server, plays the demo against it and shuts it down.
func playDemo(ctx context.Context, o options, t *timeline) error {
	ctx, cancel := context.WithTimeout(ctx, o.timeout+o.window+30*time.Second)
	defer cancel()
	started, err := start(o, zerolog.Logger{})
	if err != nil {
		return err
	}
	d := &demo{
		running:    started,
		seats:      o.players,
		timeline:   t,
		matchmaker: newMatchmaker(started.backendAddr, o.secret),
		ids:        make(map[string]string),
		clients:    make(map[string]*client),
		events:     make(chan session.Event, 8*o.players+64),
		causes:     make(map[session.Cause]uint64),
		refused:    make(map[string]uint64),
	}
	d.table.Subscribe(func(e session.Event) { d.events <- e })
	defer d.cleanUp()

	for _, a := range d.script(o) {
		if err := a(ctx); err != nil {
			return err
		}
	}
	t.table(d.describedAt, d.described)
	t.stats(d.table.Stats())
	return nil
}

// cleanUp leaves nothing running when the demo ends early.
func (d *demo) cleanUp() {
	for _, c := range d.clients {
		c.drop()
	}
	d.matchmaker.hangUp()
	_ = d.table.TerminateGameSession(gameSession) // so that the drain need not wait
	d.drain()
	_ = d.drained()
}

// script is the demo from beginning to end.
func (d *demo) script(o options) []act {
	last := d.seats - 1
	crowd := make([]string, d.seats-minPlayers)
	for i := range crowd {
		crowd[i] = fmt.Sprintf("guest-%d", i+1)
	}
	return []act{
		d.title(fmt.Sprintf("A game server of %d seats starts.", d.seats)),
		d.listens(),
		d.title("The backend reserves seats, and the players come for them."),
		d.reserves("a seat", "ann"),
		d.joins("ann", 0),
		d.reserves("two seats", "bea", "cem"),
		d.joins("bea", 1),
		d.joins("cem", 2),
		d.crowds(crowd, 3),

		d.title("Nobody else gets in."),
		d.isRefused("mallory", "shows ann's id once more", d.idOf("ann"), session.ErrAlreadyActive),
		d.isRefused("mallory", "invents an id", session.NewPlayerSessionID, session.ErrPlayerSessionNotFound),
		d.isRefused("mallory", "has none", func() string { return "let me in" }, session.ErrInvalidPlayerSessionID),
		d.cannotReserve("two for dan and eve, but one is left", http.StatusConflict, session.ErrGameSessionFull, "dan", "eve"),
		d.reserves("the last seat", "dan"),
		d.joins("dan", last),
		d.cannotReserve("one more than there are, for eve", http.StatusConflict, session.ErrGameSessionFull, "eve"),

		d.title("A seat is free again when its player quits, and when nobody comes for it in time."),
		d.quits("dan"),
		d.isRefused("mallory", "shows dan's id", d.idOf("dan"), session.ErrCompleted),
		d.reservesBriefly(fmt.Sprintf("his seat, for %s,", o.timeout), "eve"),
		d.timesOut("eve"),
		d.isRefused("eve", "comes at last", d.idOf("eve"), session.ErrTimedOut),
		d.reserves("the same seat", "fay"),
		d.joins("fay", last),

		d.title(fmt.Sprintf("Connections break. A seat waits %s for the return of its player, and no longer.", o.window)),
		d.drops("ann"),
		d.cannotReserve("her seat meanwhile, for gus", http.StatusConflict, session.ErrGameSessionFull, "gus"),
		d.returns("ann", 0),
		d.drops("cem"),
		d.staysAway("cem"),

		d.title("The server drains: nobody new gets a seat, and whoever holds one finishes."),
		d.reserves("a seat, just in time,", "gus"),
		d.drains(),
		d.cannotReserve("a seat for hal, too late", http.StatusServiceUnavailable, session.ErrDraining, "hal"),
		d.describes(),
		d.joins("gus", 2),
		d.quits(append([]string{"ann", "bea", "fay", "gus"}, crowd...)...),
		d.stops(),
		d.agrees(),
	}
}

func (d *demo) title(text string) act {
	return func(context.Context) error {
		d.timeline.title(text)
		return nil
	}
}

func (d *demo) listens() act {
	return func(context.Context) error {
		d.timeline.add(step{kind: "listening", who: "server", what: "listens for players", outcome: done, result: d.playersAddr.String()})
		d.timeline.add(step{kind: "listening", who: "server", what: "listens for the backend", outcome: done, result: d.backendAddr.String()})
		return nil
	}
}

// idOf returns the id that a player has when the time has come.
func (d *demo) idOf(player string) func() string {
	return func() string { return d.ids[player] }
}

// reserves leaves players all the time they need, on however slow a machine.
func (d *demo) reserves(what string, party ...string) act {
	return d.reservesWithin(time.Hour, what, party...)
}

// reservesBriefly leaves the time that the server is configured for.
func (d *demo) reservesBriefly(what, player string) act { return d.reservesWithin(0, what, player) }

func (d *demo) reservesWithin(timeout time.Duration, what string, party ...string) act {
	return func(ctx context.Context) error {
		s := step{kind: "reserved", who: "backend", what: "reserves " + what + " for " + names(party), outcome: done}
		answer, err := d.matchmaker.reserve(ctx, timeout, party...)
		if err != nil {
			return s.wrong("%w", err)
		}
		if answer.status != http.StatusOK || len(answer.held) != len(party) {
			return s.wrong("answered %d %s with %d player sessions", answer.status, answer.word, len(answer.held))
		}
		var ids []string
		for i, ps := range answer.held {
			if ps.PlayerID != party[i] || ps.Status != session.StatusReserved {
				return s.wrong("answered %v", ps)
			}
			d.ids[ps.PlayerID] = ps.PlayerSessionID
			ids = append(ids, session.Redact(ps.PlayerSessionID))
			seated, err := d.table.Lookup(ps.PlayerSessionID) // the backend is not told the seat
			if err != nil {
				return s.wrong("%w", err)
			}
			s.players = append(s.players, seated)
		}
		s.result = strings.Join(ids, " ")
		if len(ids) > 2 {
			s.result = fmt.Sprintf("%d player sessions", len(ids))
		}
		s.httpStatus = answer.status
		d.timeline.add(s)
		return nil
	}
}

// cannotReserve expects a refusal, and nobody of the party to hold a seat then.
func (d *demo) cannotReserve(what string, status int, reason error, party ...string) act {
	return func(ctx context.Context) error {
		s := step{kind: "reservation_refused", who: "backend", what: "wants " + what, outcome: refused}
		before, err := d.table.GameSession(gameSession)
		if err != nil {
			return s.wrong("%w", err)
		}
		answer, err := d.matchmaker.reserve(ctx, 0, party...)
		if err != nil {
			return s.wrong("%w", err)
		}
		if answer.status != status || answer.word != session.Reason(reason) {
			return s.wrong("answered %d %s instead of %d %s", answer.status, answer.word, status, session.Reason(reason))
		}
		after, err := d.table.GameSession(gameSession)
		if err != nil {
			return s.wrong("%w", err)
		}
		if before.CurrentPlayerSessionCount != after.CurrentPlayerSessionCount {
			return s.wrong("refused, but %d seats are held instead of %d", after.CurrentPlayerSessionCount, before.CurrentPlayerSessionCount)
		}
		for _, player := range party {
			if _, err := d.table.Live(gameSession, player); !errors.Is(err, session.ErrPlayerSessionNotFound) {
				return s.wrong("refused, but %s holds a seat", player)
			}
		}
		s.result = fmt.Sprintf("%d %s", status, answer.word)
		if len(party) > 1 {
			s.result += ": none of them gets one"
		}
		d.refused[answer.word]++
		s.httpStatus, s.reason = status, answer.word
		d.timeline.add(s)
		return nil
	}
}

func (d *demo) joins(player string, seat int) act {
	return d.comes(player, seat, step{kind: "joined", what: "connects with the id from the backend"}, 1)
}

func (d *demo) returns(player string, seat int) act {
	return d.comes(player, seat, step{kind: "returned", what: "comes back with the same id"}, 2)
}

func (d *demo) comes(player string, seat int, s step, generation uint32) act {
	return func(ctx context.Context) error {
		s.who = player
		ps, err := d.enter(ctx, player, seat, generation)
		if err != nil {
			return s.wrong("%w", err)
		}
		s.outcome, s.result = done, fmt.Sprintf("welcome to seat %d", seat)
		if generation > 1 {
			s.result += fmt.Sprintf(", generation %d", generation)
		}
		s.players = []session.PlayerSession{ps}
		d.timeline.add(s)
		return nil
	}
}

// crowds brings in as many players as it takes to leave one seat.
func (d *demo) crowds(crowd []string, seat int) act {
	return func(ctx context.Context) error {
		for chunk := range slices.Chunk(crowd, maxRequest) {
			if err := d.reserves("more", chunk...)(ctx); err != nil {
				return err
			}
			s := step{kind: "joined", who: "guests", what: fmt.Sprintf("connect, all %d", len(chunk)), outcome: done}
			for _, player := range chunk {
				ps, err := d.enter(ctx, player, seat, 1)
				if err != nil {
					return s.wrong("%s: %w", player, err)
				}
				s.players = append(s.players, ps)
				seat++
			}
			s.result = fmt.Sprintf("welcome, up to seat %d", seat-1)
			d.timeline.add(s)
		}
		return nil
	}
}

// enter connects a player who is to get a seat.
func (d *demo) enter(ctx context.Context, player string, seat int, generation uint32) (session.PlayerSession, error) {
	c, got, word, err := connect(ctx, d.playersAddr, d.ids[player])
	if err != nil {
		return session.PlayerSession{}, err
	}
	if c == nil {
		return session.PlayerSession{}, fmt.Errorf("refused: %s", word)
	}
	d.clients[player] = c
	ps, err := d.table.Lookup(d.ids[player])
	if err != nil {
		return session.PlayerSession{}, err
	}
	if got != seat || ps.Slot != seat || ps.Generation != generation || ps.Status != session.StatusActive {
		return session.PlayerSession{}, fmt.Errorf("welcome to seat %d, and not to %d in generation %d; the table has %v", got, seat, generation, ps)
	}
	return ps, nil
}

// isRefused expects the door to stay shut.
func (d *demo) isRefused(who, what string, id func() string, reason error) act {
	return func(ctx context.Context) error {
		s := step{kind: "refused", who: who, what: what, outcome: refused}
		c, seat, word, err := connect(ctx, d.playersAddr, id())
		if err != nil {
			return s.wrong("%w", err)
		}
		if c != nil {
			c.drop()
			return s.wrong("got in, to seat %d, instead of being refused as %s", seat, session.Reason(reason))
		}
		want := session.Reason(reason)
		if errors.Is(reason, session.ErrInvalidPlayerSessionID) {
			want = session.Reason(session.ErrPlayerSessionNotFound) // strangers are not told more
		}
		if word != want {
			return s.wrong("refused as %s instead of %s", word, want)
		}
		d.refused[session.Reason(reason)]++
		s.result, s.reason = "refused: "+word, word
		d.timeline.add(s)
		return nil
	}
}

func (d *demo) timesOut(player string) act {
	return d.ends(player, step{kind: "timed_out", what: "has not come"}, session.CauseDeadline, session.StatusTimedOut)
}

func (d *demo) staysAway(player string) act {
	return d.ends(player, step{kind: "completed", what: "has not come back"}, session.CauseWindowOver, session.StatusCompleted)
}

// ends waits for the event that a player's session is over.
func (d *demo) ends(player string, s step, cause session.Cause, status session.Status) act {
	return func(ctx context.Context) error {
		s.who = player
		e, err := d.await(ctx, player, cause)
		if err != nil {
			return s.wrong("%w", err)
		}
		if e.To != status {
			return s.wrong("%v instead of %v", e.To, status)
		}
		s.outcome, s.result = over, fmt.Sprintf("%v, seat %d is free", e.To, e.PlayerSession.Slot)
		s.players = []session.PlayerSession{e.PlayerSession}
		d.timeline.add(s)
		return nil
	}
}

// drops breaks a connection, and waits until the server has noticed.
func (d *demo) drops(player string) act {
	return func(ctx context.Context) error {
		s := step{kind: "dropped", who: player, what: "loses the connection", outcome: waiting}
		d.clients[player].drop()
		delete(d.clients, player)
		e, err := d.await(ctx, player, session.CauseDropped)
		if err != nil {
			return s.wrong("%w", err)
		}
		s.result = fmt.Sprintf("%v still, seat %d waits", e.To, e.PlayerSession.Slot)
		s.players = []session.PlayerSession{e.PlayerSession}
		d.timeline.add(s)
		return nil
	}
}

// quits lets players leave for good, one after the other.
func (d *demo) quits(players ...string) act {
	return func(ctx context.Context) error {
		s := step{kind: "completed", who: players[0], what: "quits", outcome: over}
		if len(players) > 1 {
			s.who, s.what = "players", "quit: "+names(players)
		}
		for _, player := range players {
			if err := d.clients[player].quit(); err != nil {
				return s.wrong("%w", err)
			}
			delete(d.clients, player)
			e, err := d.await(ctx, player, session.CauseReleased)
			if err != nil {
				return s.wrong("%w", err)
			}
			s.players = append(s.players, e.PlayerSession)
			s.result = fmt.Sprintf("%v, seat %d is free", e.To, e.PlayerSession.Slot)
		}
		if len(players) > 1 {
			s.result = fmt.Sprintf("%v, all %d", session.StatusCompleted, len(players))
		}
		d.timeline.add(s)
		return nil
	}
}

// drains asks the server to shut down. It returns once the table is draining.
func (d *demo) drains() act {
	return func(ctx context.Context) error {
		s := step{kind: "draining", who: "server", what: "is asked to shut down", outcome: waiting}
		d.drain()
		// The server drains on a goroutine of its own. To drain twice does no harm,
		// and a context that has ended makes this one return at once.
		ended, end := context.WithCancel(ctx)
		end()
		if err := d.table.Drain(ended); !errors.Is(err, context.Canceled) {
			return s.wrong("nobody to wait for: %v", err)
		}
		gs, err := d.table.GameSession(gameSession)
		if err != nil {
			return s.wrong("%w", err)
		}
		s.result = fmt.Sprintf("drains, %d seats are held", gs.CurrentPlayerSessionCount)
		d.timeline.add(s)
		return nil
	}
}

// describes keeps the player sessions at a moment when there are all kinds.
func (d *demo) describes() act {
	return func(context.Context) error {
		s := step{kind: "described", who: "operator", what: "asks for DescribePlayerSessions", outcome: done}
		d.describedAt = time.Now()
		q := slot.Query{GameSessionID: gameSession}
		statuses := make(map[session.Status]int)
		for more := true; more; more = q.NextToken != "" {
			page, err := d.door.DescribePlayerSessions(q)
			if err != nil {
				return s.wrong("%w", err)
			}
			for _, ps := range page.PlayerSessions {
				statuses[ps.Status]++
			}
			d.described = append(d.described, page.PlayerSessions...)
			q.NextToken = page.NextToken
		}
		if len(statuses) != 4 {
			return s.wrong("there are %v and not all four statuses", statuses)
		}
		s.result = fmt.Sprintf("%d player sessions, see below", len(d.described))
		d.timeline.add(s)
		return nil
	}
}

// stops waits for the server, which nobody plays on any more.
func (d *demo) stops() act {
	return func(ctx context.Context) error {
		s := step{kind: "stopped", who: "server", what: "has drained and closes both ports", outcome: done, result: "nobody was cut off"}
		d.matchmaker.hangUp()
		if err := d.drained(); err != nil {
			return s.wrong("%w", err)
		}
		if c, _, _, _ := connect(ctx, d.playersAddr, d.ids["gus"]); c != nil {
			c.drop()
			return s.wrong("gus got in")
		}
		d.timeline.add(s)
		return nil
	}
}

// agrees checks that the table's figures, its events and the demo tell one story.
func (d *demo) agrees() act {
	return func(context.Context) error {
		for len(d.events) > 0 { // the closed table has delivered all
			d.note(<-d.events)
		}
		stats, crowd := d.table.Stats(), uint64(d.seats-minPlayers)
		for _, figure := range []struct {
			name              string
			want, table, told uint64
		}{
			{"reserved", crowd + 7, stats.ReservedTotal, d.causes[session.CauseReserved]},
			{"accepted", crowd + 6, stats.AcceptedTotal, d.causes[session.CauseAccepted]},
			{"returned", 1, stats.ReturnedTotal, d.causes[session.CauseReturned]},
			{"completed", crowd + 6, stats.CompletedTotal, d.causes[session.CauseReleased] + d.causes[session.CauseWindowOver]},
			{"timed out", 1, stats.TimedOutTotal, d.causes[session.CauseDeadline]},
		} {
			if figure.table != figure.want || figure.told != figure.want {
				return fmt.Errorf("%d were %s, but Stats say %d and the events %d", figure.want, figure.name, figure.table, figure.told)
			}
		}
		if !maps.Equal(stats.Refused, d.refused) {
			return fmt.Errorf("%v were refused, but Stats say %v", d.refused, stats.Refused)
		}
		return nil
	}
}

// await returns the next event of a player that has a cause.
func (d *demo) await(ctx context.Context, player string, cause session.Cause) (session.Event, error) {
	for {
		select {
		case e := <-d.events:
			d.note(e)
			if e.PlayerSession.PlayerID == player && e.Cause == cause {
				return e, nil
			}
		case <-ctx.Done():
			return session.Event{}, fmt.Errorf("no event %v of %s: %w", cause, player, ctx.Err())
		}
	}
}

func (d *demo) note(e session.Event) { d.causes[e.Cause]++ }

// wrong says what happened instead of the step.
func (s step) wrong(format string, args ...any) error {
	return fmt.Errorf("%s %s: %w", s.who, s.what, fmt.Errorf(format, args...))
}

// names lists some players.
func names(players []string) string {
	if n := len(players); n > 3 {
		return fmt.Sprintf("%s, %s and %d others", players[0], players[1], n-2)
	}
	return strings.Join(players, ", ")
}
