package session

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/rs/zerolog"
)

// String returns the session in one line, for %v, %+v, %s and logs. The player
// session id is redacted as by [Redact], a player id that holds one as by
// [RedactPlayerID]; the player data is left out.
func (p PlayerSession) String() string {
	return fmt.Sprintf("PlayerSession{PlayerSessionID:%s PlayerID:%q GameSessionID:%q Status:%v Slot:%d Generation:%d}",
		Redact(p.PlayerSessionID), RedactPlayerID(p.PlayerID), p.GameSessionID, p.Status, p.Slot, p.Generation)
}

// GoString returns the same as String, for %#v, which would print every field.
func (p PlayerSession) GoString() string { return "session." + p.String() }

// LogValue returns what String shows as a group, for log/slog.
func (p PlayerSession) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("player_session_id", Redact(p.PlayerSessionID)),
		slog.String("player_id", RedactPlayerID(p.PlayerID)),
		slog.String("game_session_id", p.GameSessionID),
		slog.String("status", p.Status.String()),
		slog.Int("slot", p.Slot),
		slog.Uint64("generation", uint64(p.Generation)),
	)
}

// MarshalZerologObject adds what String shows to e, under the same keys as
// LogValue.
func (p PlayerSession) MarshalZerologObject(e *zerolog.Event) {
	e.Str("player_session_id", Redact(p.PlayerSessionID)).
		Str("player_id", RedactPlayerID(p.PlayerID)).
		Str("game_session_id", p.GameSessionID).
		Stringer("status", p.Status).
		Int("slot", p.Slot).
		Uint32("generation", p.Generation)
}

// String returns the event in one line, for %v, %+v, %s and logs, with the player
// session as its own String shows it. From is left out of a new reservation.
func (e Event) String() string {
	var from string
	if e.From != 0 {
		from = fmt.Sprintf(" From:%v", e.From)
	}
	return fmt.Sprintf("Event{Cause:%v%s To:%v At:%s PlayerSession:%v}",
		e.Cause, from, e.To, e.At.Format(time.RFC3339Nano), e.PlayerSession)
}

// GoString returns the same as String, for %#v.
func (e Event) GoString() string { return "session." + e.String() }

// LogValue returns what String shows as a group, for log/slog.
func (e Event) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("cause", e.Cause.String())}
	if e.From != 0 {
		attrs = append(attrs, slog.String("from", e.From.String()))
	}
	return slog.GroupValue(append(attrs,
		slog.String("to", e.To.String()),
		slog.Time("at", e.At),
		slog.Attr{Key: "player_session", Value: e.PlayerSession.LogValue()},
	)...)
}

// MarshalZerologObject adds what String shows to ev, under the same keys as
// LogValue.
func (e Event) MarshalZerologObject(ev *zerolog.Event) {
	ev.Stringer("cause", e.Cause)
	if e.From != 0 {
		ev.Stringer("from", e.From)
	}
	ev.Stringer("to", e.To).
		Time("at", e.At).
		Object("player_session", e.PlayerSession)
}
