package main

import (
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/rs/zerolog"
)

// gameSessionARN is what stands before the part of a game session's id that differs.
var gameSessionARN = regexp.MustCompile(`arn:aws:gamelift:[^:]*::gamesession/[^/]*/`)

func shorten(value any) string { return gameSessionARN.ReplaceAllString(fmt.Sprint(value), "") }

// newLog writes for people or, as json, for programs. Player session ids are
// redacted in it, by whoever has something to say.
func newLog(format string, colour bool, out io.Writer) zerolog.Logger {
	if format == "console" {
		out = zerolog.ConsoleWriter{
			Out:         out,
			NoColor:     !colour,
			TimeFormat:  time.TimeOnly,
			FieldsOrder: []string{"process_id", "player_id", "player_session_id", "status", "reason", "cause"},
			// The same all the time, or what only programs need.
			FieldsExclude: []string{"fleet_id", "ip_address", "port", "generation"},

			FormatFieldValue: shorten,
		}
	}
	return zerolog.New(zerolog.SyncWriter(out)).With().Timestamp().Logger()
}
