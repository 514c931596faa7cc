package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

// A whole run, but for its size.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	o := &options{quick: true, players: 500, bound: time.Second, seats: 20, duration: 30 * time.Millisecond, output: filepath.Join(dir, "r.html")}
	plan := o.plan()
	plan.Timeout, plan.StormTime, plan.Retained = 100*time.Millisecond, 10*time.Millisecond, 300
	var stdout, stderr bytes.Buffer
	require.NoError(t, o.run(t.Context(), plan, "the command", &stdout, &stderr))

	encoded, err := os.ReadFile(filepath.Join(dir, "r.json"))
	require.NoError(t, err)
	r, err := figures.Decode(encoded)
	require.NoError(t, err)
	require.Equal(t, "the command", r.Run.Command)
	require.True(t, r.Run.Quick)
	require.Len(t, r.Sizes, 1)
	require.Equal(t, 500, r.Sizes[0].Slots)

	page, err := os.ReadFile(filepath.Join(dir, "r.html"))
	require.NoError(t, err)
	require.Contains(t, string(page), `<a href="r.json">`)
	require.Contains(t, string(page), "quick run")
	require.Contains(t, stdout.String(), r.Answer)
	require.Contains(t, stdout.String(), "live slots")

	progress := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	require.Contains(t, progress[0], "[1/")
	require.NotContains(t, stderr.String(), "\r", "this is no terminal")
	require.NotContains(t, stderr.String(), "\x1b")

	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 2, "nothing else is left behind")
}

func TestCommand(t *testing.T) {
	dir := t.TempDir()
	report := filepath.Join(dir, "report.html")
	require.NoError(t, os.WriteFile(report, []byte("an older one"), 0o600))
	run := func(ctx context.Context, args ...string) (exit int, stderr string) {
		var out, told bytes.Buffer
		exit = command(ctx, args, &out, &told)
		require.Empty(t, out.String())
		return exit, told.String()
	}

	interrupted, interrupt := context.WithCancel(t.Context())
	interrupt()
	exit, told := run(interrupted, "-quick", "-o", report)
	require.Equal(t, exitInterrupted, exit)
	require.Contains(t, told, "interrupted; no report was written")
	old, err := os.ReadFile(report)
	require.NoError(t, err)
	require.Equal(t, "an older one", string(old))

	exit, told = run(t.Context(), "-players", "1")
	require.Equal(t, exitUsage, exit)
	require.Contains(t, told, "-players")

	nowhere := filepath.Join(dir, "nowhere", "report.html")
	exit, told = run(interrupted, "-quick", "-o", nowhere)
	require.Equal(t, exitFailed, exit, "before anything is measured, which is where an interrupt counts")
	require.Contains(t, told, "nowhere")

	exit, _ = run(t.Context(), "-help")
	require.Zero(t, exit)
}
