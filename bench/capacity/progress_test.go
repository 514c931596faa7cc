package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProgress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		terminal bool
		want     string
	}{
		{false, "[1/2] this, about 3s left\n[2/2] that, about 0s left\n"},
		{true, clearLine + "[1/2] this, about 3s left" + clearLine + "[2/2] that, about 0s left" + clearLine},
	} {
		var b strings.Builder
		p := newProgress(&b)
		require.False(t, p.terminal)
		p.terminal = c.terminal
		p.tell("this", 1, 2, 2700*time.Millisecond)
		p.tell("that", 2, 2, 100*time.Millisecond)
		p.end()
		require.Equal(t, c.want, b.String())
	}
}
