package main

import (
	"io"
	"time"

	"github.com/rs/zerolog"
)

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
		}
	}
	return zerolog.New(zerolog.SyncWriter(out)).With().Timestamp().Logger()
}
