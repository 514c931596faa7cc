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
		"welcome to seat 0, generation 1", "closed: 0x111 already_active", "closed: 0x110 not_found",
		"closed: 0x114 handshake_timeout", "welcome to seat 1, generation 2", "0x122 released",
		"2 reserved, 2 accepted, 1 returned, 2 completed",
	} {
		require.Contains(t, out.String(), line)
	}
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSuffix(line, "\n")
		require.LessOrEqual(t, utf8.RuneCountInString(line), 100, line)
		require.Equal(t, strings.TrimRight(line, " "), line)
	}
}

func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, new(bytes.Buffer)), context.Canceled)
}
