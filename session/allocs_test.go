//go:build !race

// The race detector moves variables to the heap that are not there otherwise.

package session_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// testing.AllocsPerRun wants the process for itself, so this test is not parallel.
func TestAllocations(t *testing.T) {
	id := session.NewPlayerSessionID()
	status := &session.StatusError{Have: session.StatusCompleted, Want: session.StatusReserved}
	for name, budget := range map[string]struct {
		most float64
		call func()
	}{
		"NewPlayerSessionID":              {1, func() { session.NewPlayerSessionID() }},
		"ValidatePlayerSessionID":         {0, func() { _ = session.ValidatePlayerSessionID(id) }},
		"ValidatePlayerSessionID, ä":      {0, func() { _ = session.ValidatePlayerSessionID("psess-ä") }},
		"ValidatePlayerSessionID, refuse": {0, func() { _ = session.ValidatePlayerSessionID("psess-\xff") }},
		"Reason of a StatusError":         {0, func() { session.Reason(status) }},
		"Status.String":                   {0, func() { _ = session.StatusActive.String() }},
		"Cause.String":                    {0, func() { _ = session.CauseWindowOver.String() }},
		"RedactPlayerID":                  {0, func() { session.RedactPlayerID("alice") }},
	} {
		require.LessOrEqual(t, testing.AllocsPerRun(100, budget.call), budget.most, name)
	}
	for err := range sentinels {
		require.Zero(t, testing.AllocsPerRun(100, func() { session.Reason(err) }), err)
	}
}
