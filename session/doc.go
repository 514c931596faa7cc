// Package session says what a player session is: a seat in a game session, held
// for one player. The words, fields and limits are those of Amazon GameLift
// Servers' PlayerSession; where GameLift's documentation is silent, the comment on
// a name says that the rule was chosen here. The package is the model alone:
// package slot keeps the live sessions and moves them through their life, and
// package validator stands at the door.
//
// # Life
//
// A player session has one of four statuses, and there are three ways from one to
// another, see [Status.CanBecome]:
//
//	            accept             leave
//	RESERVED ───────────▶ ACTIVE ───────────▶ COMPLETED
//	    │
//	    │  deadline, or given up
//	    └───────────▶ TIMEDOUT
//
// Each change makes one [Event], whose [Cause] says why. Where there is a reconnect
// window, a dropped player stays ACTIVE: CauseDropped and CauseReturned come and
// go without a change of status.
//
// # Secrecy
//
// A player session id admits whoever shows it. It comes from crypto/rand, see
// [NewPlayerSessionID], and it stands whole neither in an error of this package
// nor in what a [PlayerSession] or an [Event] prints with package fmt or logs with
// log/slog or zerolog; [Redact] says what stands in its place.
//
// Three ways around that remain. The JSON of a PlayerSession is the wire form and
// carries the id, so a logger that writes JSON by reflection, as slog's JSONHandler
// and zerolog's Interface do with a slice, a map or a struct that holds player
// sessions, writes it too: log them one by one, or with zerolog's ObjectsV. Package
// fmt calls no method on an unexported field, so a type that keeps a PlayerSession
// in one needs a String and a GoString of its own. And a single field is just a string: log
// Redact(p.PlayerSessionID).
//
// # Concurrency
//
// All types are plain values and all functions may be called concurrently. Nothing
// is written after the package is initialized, and nothing here blocks but the
// read from the system's random source in [NewPlayerSessionID].
package session
