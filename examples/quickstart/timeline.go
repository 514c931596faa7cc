package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// timeline prints what happens: in aligned columns for people, as JSON lines for
// programs. Player session ids are redacted in both.
type timeline struct {
	out    io.Writer
	asJSON bool
	colour bool
	began  time.Time
	steps  int
}

// outcome is how a step ended for who took it.
type outcome struct{ word, sign, colour string }

var (
	done    = outcome{"done", "✓", "32"}
	refused = outcome{"refused", "✗", "31"}
	waiting = outcome{"waiting", "…", "33"}
	over    = outcome{"over", "■", "36"}
)

// step is a line of the timeline.
type step struct {
	kind      string // one word, for programs
	who, what string
	outcome   outcome
	result    string

	reason     string // session.Reason, if it was refused
	httpStatus int    // the backend's answer, if one was asked
	players    []session.PlayerSession
}

// title stands above the steps of a chapter.
func (t *timeline) title(text string) {
	if !t.asJSON {
		fmt.Fprintf(t.out, "\n%s\n", t.paint("1", text))
	}
}

// add prints a step that has just ended.
func (t *timeline) add(s step) {
	t.steps++
	if !t.asJSON {
		fmt.Fprintf(t.out, "%s  %-8s  %-42s  %s %s\n",
			t.paint("2", fmt.Sprintf("%6.3fs", time.Since(t.began).Seconds())),
			s.who, s.what, t.paint(s.outcome.colour, s.outcome.sign), s.result)
		return
	}
	e := t.line(s.kind).Int64("elapsed_ms", time.Since(t.began).Milliseconds()).
		Str("who", s.who).Str("what", s.what).Str("outcome", s.outcome.word).Str("result", s.result)
	if s.reason != "" {
		e.Str("reason", s.reason)
	}
	if s.httpStatus != 0 {
		e.Int("http_status", s.httpStatus)
	}
	if len(s.players) > 0 {
		sessions := e.CreateArray()
		for _, ps := range s.players {
			sessions.Object(ps)
		}
		e.Array("player_sessions", sessions)
	}
	e.Send()
}

// line begins a JSON line.
func (t *timeline) line(kind string) *zerolog.Event {
	log := zerolog.New(t.out)
	return log.Log().Str("time", wireTime(time.Now())).Str("kind", kind)
}

// table prints player sessions as they were at a moment of the timeline.
func (t *timeline) table(at time.Time, sessions []session.PlayerSession) {
	if t.asJSON {
		for _, ps := range sessions {
			e := t.line("player_session").Str("as_of", wireTime(at)).EmbedObject(ps).Str("created", wireTime(ps.CreationTime))
			if !ps.TerminationTime.IsZero() {
				e.Str("ended", wireTime(ps.TerminationTime))
			}
			e.Send()
		}
		return
	}
	t.title(fmt.Sprintf("DescribePlayerSessions, asked at %.3fs, while the server drained", at.Sub(t.began).Seconds()))
	t.row("", "player", "player session", "status", "seat", "generation", "created", "ended")
	for i, ps := range sessions {
		// A row for each of a large crowd would push everything else off the screen.
		if i >= crowdShown && i < len(sessions)-crowdShown {
			if i == crowdShown {
				fmt.Fprintf(t.out, "  … and %d more\n", len(sessions)-2*crowdShown)
			}
			continue
		}
		ended := "-"
		if !ps.TerminationTime.IsZero() {
			ended = ps.TerminationTime.Format(clock)
		}
		t.row(statusColour(ps.Status), ps.PlayerID, session.Redact(ps.PlayerSessionID), ps.Status.String(),
			fmt.Sprint(ps.Slot), fmt.Sprint(ps.Generation), ps.CreationTime.Format(clock), ended)
	}
}

const (
	crowdShown = 12 // rows at either end of a long table
	clock      = "15:04:05.000"
)

func statusColour(s session.Status) string {
	switch s {
	case session.StatusReserved:
		return waiting.colour
	case session.StatusActive:
		return done.colour
	default:
		return over.colour
	}
}

// row prints a row whose status is coloured.
func (t *timeline) row(colour, player, id, status, seat, generation, created, ended string) {
	fmt.Fprintf(t.out, "  %-9s  %-15s  %s  %4s  %10s  %-12s  %s\n",
		player, id, t.paint(colour, fmt.Sprintf("%-9s", status)), seat, generation, created, ended)
}

// stats prints the table's figures.
func (t *timeline) stats(s slot.Stats) {
	if t.asJSON {
		refusals := zerolog.Dict()
		for _, reason := range slices.Sorted(maps.Keys(s.Refused)) {
			refusals.Uint64(reason, s.Refused[reason])
		}
		t.line("stats").
			Uint64("reserved", s.ReservedTotal).Uint64("accepted", s.AcceptedTotal).Uint64("returned", s.ReturnedTotal).
			Uint64("completed", s.CompletedTotal).Uint64("timed_out", s.TimedOutTotal).
			Dict("refused", refusals).Dur("expiry_lag_ms", s.ExpiryLag).Send()
		return
	}
	var refusals []string
	for _, reason := range slices.SortedFunc(maps.Keys(s.Refused), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.Refused[b], s.Refused[a]), cmp.Compare(a, b))
	}) {
		refusals = append(refusals, fmt.Sprintf("%d %s", s.Refused[reason], reason))
	}
	t.title("Stats")
	fmt.Fprintf(t.out, "  %d reserved, %d accepted, %d returned, %d completed, %d timed out; the last expiry was %s late\n",
		s.ReservedTotal, s.AcceptedTotal, s.ReturnedTotal, s.CompletedTotal, s.TimedOutTotal, s.ExpiryLag.Round(10*time.Microsecond))
	fmt.Fprintf(t.out, "  refused: %s\n", strings.Join(refusals, ", "))
}

// verdict says how the demo went. In words, what went wrong is for stderr.
func (t *timeline) verdict(err error) {
	switch {
	case t.asJSON && err != nil:
		t.line("failed").Int("steps", t.steps).Str("error", err.Error()).Send()
	case t.asJSON:
		t.line("ok").Int("steps", t.steps).Send()
	case err == nil:
		fmt.Fprintf(t.out, "\n%s: %d steps in %.2fs.\n", t.paint("1;32", "All went as it should"), t.steps, time.Since(t.began).Seconds())
	}
}

// paint colours text, if there is a terminal to show it.
func (t *timeline) paint(colour, text string) string {
	if !t.colour || colour == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func wireTime(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z07:00") }
