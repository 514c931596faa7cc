package main

import (
	"errors"

	"github.com/quic-go/quic-go"

	"github.com/usher-go/usher/session"
)

// A connection is closed with a code for programs and the word beside it for
// people.
const (
	wordHandshakeTimeout = "handshake_timeout" // no id was sent in time, or newcomers needed the room
	wordClosed           = "closed"            // the server stops

	codeOther quic.ApplicationErrorCode = 0x1ff // a reason that is none of these
)

// codeOf returns the code for a reason why nobody was let in, 0x110…, or for the
// cause of a player's end, 0x120….
func codeOf(word string) quic.ApplicationErrorCode {
	switch word {
	case "not_found":
		return 0x110
	case "already_active":
		return 0x111
	case "completed":
		return 0x112
	case "timed_out":
		return 0x113
	case wordHandshakeTimeout:
		return 0x114
	case wordClosed:
		return 0x11f
	case "dropped":
		return 0x120
	case "returned":
		return 0x121
	case "released":
		return 0x122
	case "terminated":
		return 0x123
	case "replaced":
		return 0x124
	case "window_over":
		return 0x125
	default:
		return codeOther
	}
}

// reason is the word for a refusal. A stranger cannot tell an unknown id from a
// malformed one.
func reason(err error) string {
	if errors.Is(err, session.ErrInvalidPlayerSessionID) {
		err = session.ErrPlayerSessionNotFound
	}
	return session.Reason(err)
}

// hangUp closes a connection and tells the client why. Only the first reason
// counts.
func hangUp(conn *quic.Conn, word string) { _ = conn.CloseWithError(codeOf(word), word) }
