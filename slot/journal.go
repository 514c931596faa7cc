package slot

import (
	"fmt"
	"reflect"
	"time"

	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
)

// journal says in the log what an operator should know. Its methods are called
// without a lock held, since a logger may write to anything.
//
//	error  a subscriber is stuck or panics
//	warn   faults of integration, an id that is used twice, strangers, overload
//	info   what players notice: refusals, reservations nobody came for
//	debug  the rest of the life of player sessions
type journal struct {
	log       zerolog.Logger
	clock     *clock
	silent    bool // the zero Logger
	strangers strangers
}

func (t *table) newJournal(l zerolog.Logger) *journal {
	j := &journal{log: l, clock: &t.clock, silent: reflect.ValueOf(l).IsZero()}
	j.strangers.journal = j
	t.mu.Lock()
	defer t.mu.Unlock()
	t.journals = append(t.journals, j)
	return j
}

// says tells whether the log takes a level, before anything is prepared for it.
func (j *journal) says(level zerolog.Level) bool {
	return !j.silent && j.log.GetLevel() <= level && zerolog.GlobalLevel() <= level
}

// created is a new game session.
func (j *journal) created(gs *session.GameSession) {
	j.log.Info().Str("game_session_id", gs.GameSessionID).Stringer("game_session_status", gs.Status).
		Int("max", gs.MaximumPlayerSessionCount).Msg("game session created")
	j.maximum(gs.GameSessionID, gs.MaximumPlayerSessionCount)
}

// maximum warns of a game session nobody can join.
func (j *journal) maximum(gameSessionID string, maximum int) {
	if maximum == 0 {
		j.log.Warn().Str("game_session_id", gameSessionID).
			Msg("maximum player session count is 0: every reservation will be refused as full")
	}
}

func (j *journal) forgotten(g *gameSession) {
	j.log.Debug().Str("game_session_id", g.common.GameSessionID).
		Msg("retention is over; game session forgotten")
}

func (j *journal) draining(held int) {
	j.log.Info().Int("held", held).Msg("draining: no new reservations")
}

// player adds what identifies a player session, its state, and how old it is.
func (j *journal) player(e *zerolog.Event, v *view) *zerolog.Event {
	return e.Stringer("status", v.status()).Stringer("cause", v.cause()).
		Stringer("age", time.Duration(j.clock.now()-j.clock.since(v.created())).Round(time.Millisecond)).
		Uint32("generation", v.generation)
}

// seats adds what decides on reservations in g.
func (j *journal) seats(e *zerolog.Event, g *gameSession) *zerolog.Event {
	g.mu.Lock()
	defer g.mu.Unlock()
	return e.Str("game_session_id", g.GameSessionID).Stringer("game_session_status", g.Status).
		Int("held", g.held).Int("max", g.MaximumPlayerSessionCount).
		Stringer("policy", g.PlayerSessionCreationPolicy)
}

// refusedAccept is a known id that was not accepted.
func (j *journal) refusedAccept(g *gameSession, v *view, id string, err error) {
	level, message := zerolog.InfoLevel, "player refused"
	switch {
	case v.status() == session.StatusActive:
		level, message = zerolog.WarnLevel, "player refused: the id is in use"
	case v.cause() == session.CauseTerminated:
		message = "player refused: the game session was terminated"
	case v.cause() == session.CauseDeadline:
		message = "player refused: the reservation timed out"
	}
	if !j.says(level) {
		return
	}
	e := j.log.WithLevel(level).Str("player_session_id", session.Redact(id)).
		Str("player_id", session.RedactPlayerID(v.playerID())).
		Str("reason", session.Reason(err))
	j.seats(j.player(e, v), g).Msg(message)
}

// refusedReservation is a reservation that was not made. g is nil if there is no
// such game session, inTheWay if no player session stands in its way.
func (j *journal) refusedReservation(res *Reservation, party int, g *gameSession, inTheWay *view, err error) {
	reason := session.Reason(err)
	level := zerolog.InfoLevel
	switch reason {
	case "invalid_id", "invalid_field", "game_session_not_found", "exists", "overloaded":
		level = zerolog.WarnLevel
	}
	if !j.says(level) {
		return
	}
	e := j.log.WithLevel(level).Str("player_id", brief(session.RedactPlayerID(res.PlayerID))).Str("reason", reason)
	if party > 1 {
		e.Int("party", party)
	}
	if inTheWay != nil {
		j.player(e, inTheWay)
	}
	if g != nil {
		j.seats(e, g)
	} else {
		e.Str("game_session_id", brief(session.RedactPlayerID(res.GameSessionID)))
	}
	if reason == "invalid_field" {
		e.Err(err)
	}
	e.Msg("reservation refused")
}

// idAsPlayer warns of a classic mistake: the player session id of one
// reservation is the player id of the next.
func (j *journal) idAsPlayer(res *Reservation) {
	j.log.Warn().Str("game_session_id", res.GameSessionID).Str("player_id", session.RedactPlayerID(res.PlayerID)).
		Msg("a player session id was passed as a PlayerID: reserve by the player's own id, accept by the player session id")
}

// accepted is of who came in, or came back. Inlined, it would take room in every accept.
//
//go:noinline
func (j *journal) accepted(ps *session.PlayerSession, from session.Status) {
	message := "player accepted"
	if from == session.StatusActive {
		message = "player returned"
	}
	j.moved(*ps, message)
}

// reserved, accepted: the quiet part of a life.
func (j *journal) moved(ps session.PlayerSession, message string) {
	j.log.Debug().EmbedObject(ps).Msg(message)
}

// departed are player sessions that have ended.
func (j *journal) departed(unsaid []departure) {
	for i := range unsaid {
		d := &unsaid[i]
		if d.terminated {
			j.log.Info().Str("game_session_id", d.game.common.GameSessionID).Msg("game session terminated")
			continue
		}
		message := "player session ended"
		switch d.player.cause() {
		case session.CauseDeadline:
			message = "player session timed out: nobody came"
		case session.CauseWindowOver:
			message = "player session ended: the player did not return"
		}
		e := j.log.WithLevel(d.level()).Str("player_id", session.RedactPlayerID(d.player.playerID())).
			Str("game_session_id", d.game.common.GameSessionID)
		j.player(e, &d.player).Msg(message)
		if d.noneAccepted > 0 {
			j.log.Warn().Str("game_session_id", d.game.common.GameSessionID).Int("timed_out", d.noneAccepted).
				Msg("every reservation so far timed out and none was accepted: does the server call AcceptPlayerSession when a player connects?")
		}
	}
}

// note keeps d to be said once g, which is locked, is unlocked.
func (j *journal) note(g *gameSession, d departure) {
	if j.says(d.level()) {
		g.unsaid = append(g.unsaid, d)
	}
}

// level is info for what players notice and nobody asked for.
func (d *departure) level() zerolog.Level {
	if d.terminated {
		return zerolog.InfoLevel
	}
	switch d.player.cause() {
	case session.CauseDeadline, session.CauseWindowOver:
		return zerolog.InfoLevel
	}
	return zerolog.DebugLevel
}

func (j *journal) subscriberBehind(events int) {
	j.log.Warn().Int("backlog", events).
		Msg("a subscriber is at half its backlog: reservations will be refused when it is full")
}

func (j *journal) subscriberStuck() {
	j.log.Error().Dur("waited", closePatience).
		Msg("table closed, but a subscriber is stuck: not waiting for it")
}

// subscriberPanicked names the type of the panic's value, and its text only if
// it is an error of the runtime: any other may hold what must not be logged.
func (j *journal) subscriberPanicked(recovered any) {
	e := j.log.Error().Str("panic", fmt.Sprintf("%T", recovered))
	if err, ok := recovered.(interface {
		error
		RuntimeError()
	}); ok {
		e.Str("error", err.Error())
	}
	e.Msg("a subscriber panicked; it gets the next event all the same")
}
