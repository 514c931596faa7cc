package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestDemo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out), &out)
	require.NotRegexp(t, `psess-[0-9a-f]{8}-`, out.String(), "no id stands there whole")
	for _, line := range []string{
		"the same answer, accepted once", "refused: already_active", "seat 1, generation 2",
		"COMPLETED: the seat is free", `ann is told "released"`, "leaked: dan's seat 0",
		"4 reserved, 4 accepted, 1 returned, 3 completed",
	} {
		require.Contains(t, out.String(), line)
	}
	for line := range strings.Lines(out.String()) {
		require.LessOrEqual(t, utf8.RuneCountInString(line), 101, line)
	}
}

func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, new(bytes.Buffer)), context.Canceled)
}
