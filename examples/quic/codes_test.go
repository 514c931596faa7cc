package main

import (
	"fmt"
	"testing"

	"github.com/quic-go/quic-go"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// Whatever can end a connection has a code of its own.
func TestCodes(t *testing.T) {
	t.Parallel()
	words := []string{wordHandshakeTimeout, wordClosed}
	for _, err := range []error{
		session.ErrPlayerSessionNotFound, session.ErrAlreadyActive, session.ErrCompleted, session.ErrTimedOut,
	} {
		words = append(words, reason(err))
	}
	for c := session.CauseDropped; c <= session.CauseWindowOver; c++ {
		if c != session.CauseDeadline { // ends reservations alone
			words = append(words, c.String())
		}
	}
	seen := map[quic.ApplicationErrorCode]string{codeOther: "other"}
	for _, word := range words {
		code := codeOf(word)
		require.NotContains(t, seen, code, word)
		seen[code] = word
	}
	require.Equal(t, codeOf(wordClosed), codeOf(session.Reason(session.ErrClosed)))
	require.Equal(t, codeOther, codeOf("unheard of"))
}

func TestReason(t *testing.T) {
	t.Parallel()
	require.Equal(t, "not_found", reason(fmt.Errorf("wrapped: %w", session.ErrInvalidPlayerSessionID)))
	require.Equal(t, "not_found", reason(session.ErrPlayerSessionNotFound))
	require.Equal(t, "already_active", reason(session.ErrAlreadyActive))
}
