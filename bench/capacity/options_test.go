package main

import (
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	parse := func(line string) *options {
		var told strings.Builder
		o, err := parseOptions(strings.Fields(line), &told)
		require.NoError(t, err, line)
		require.Empty(t, told.String(), line)
		return o
	}
	p := parse("").plan()
	require.Equal(t, []int{1_000, 10_000, 100_000, 500_000, 1_000_000}, p.Sizes)
	require.Zero(t, p.JoinRate)
	require.Equal(t, 2*time.Second, p.Duration)
	require.Equal(t, time.Millisecond, p.Bound)
	require.Equal(t, 200, p.Seats)

	o := parse("-quick -o some/where.html")
	require.True(t, o.quick)
	require.Equal(t, "some/where.json", o.jsonFile())
	require.Equal(t, []int{1_000, 10_000, 100_000}, o.plan().Sizes)
	require.Less(t, o.plan().Limit, time.Minute)

	p = parse("-players 50000 -join-rate 2000 -duration 5s -p99 250us -seats 64").plan()
	require.Equal(t, []int{50_000}, p.Sizes)
	require.InDelta(t, 2000, p.JoinRate, 0)
	require.Equal(t, 5*time.Second, p.Duration)
	require.Equal(t, 250*time.Microsecond, p.Bound)
	require.Equal(t, 64, p.Seats)
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for line, says := range map[string]string{
		"-players 99":                   "-players must lie between",
		"-players 10000001":             "-players must lie between",
		"-players -1":                   "-players must lie between",
		"-join-rate -1":                 "-join-rate",
		"-join-rate 10":                 "use -duration 11s",
		"-join-rate 1000 -duration 1ms": "use -duration",
		"-duration -1s":                 "-duration",
		"-p99 0":                        "-p99",
		"-seats 0":                      "-seats",
		"-o report.json":                "-o must name the HTML file",
		"-o=":                           "-o must name the HTML file",
		"quick":                         `what is "quick"?`,
		"-no-such-flag":                 "-no-such-flag",
	} {
		var told strings.Builder
		_, err := parseOptions(strings.Fields(line), &told)
		require.Error(t, err, line)
		require.Contains(t, told.String(), says, line)
	}

	var told strings.Builder
	_, err := parseOptions([]string{"-h"}, &told)
	require.ErrorIs(t, err, flag.ErrHelp)
	require.Contains(t, told.String(), "usage: go -C bench/capacity run . [flags]")
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	require.Equal(t, "go -C bench/capacity run .", commandLine(nil))
	require.Equal(t, `go -C bench/capacity run . -quick -o 'my report.html' '' 'it'\''s'`,
		commandLine([]string{"-quick", "-o", "my report.html", "", "it's"}))
}
