package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, in := io.Pipe()
	var stderr bytes.Buffer
	exit := make(chan int, 1)
	go func() { exit <- run(ctx, nil, in, &stderr) }()
	var printed []string
	for lines := bufio.NewScanner(out); len(printed) < 3 && lines.Scan(); {
		printed = append(printed, lines.Text())
	}
	for i, prefix := range []string{"play:    ", "operate: "} {
		url, found := strings.CutPrefix(printed[i], prefix)
		require.True(t, found, printed)
		require.Equal(t, http.StatusOK, call(t, http.MethodGet, url, "", "", nil).StatusCode)
	}
	stop()
	require.Zero(t, <-exit, &stderr)
}

// What is printed can be clicked.
func TestAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"127.0.0.1:80":  "http://127.0.0.1:80/",
		"[::1]:80":      "http://[::1]:80/",
		"0.0.0.0:80":    "http://localhost:80/",
		"[::]:80":       "http://localhost:80/",
		"192.0.2.1:808": "http://192.0.2.1:808/",
	} {
		require.Equal(t, want, link(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))))
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	o, err := parse(strings.Fields("-listen :0 -ops [::1]:0 -max 3 -reservation-timeout 2s -reconnect 3s"), io.Discard)
	require.NoError(t, err)
	require.Equal(t, options{":0", "[::1]:0", 3, 2 * time.Second, 3 * time.Second, 10 * time.Second}, o)

	for _, test := range []struct {
		args   string
		status int
		says   string
	}{
		{"-h", 0, "-reservation-timeout duration"},
		{"-no-such-flag", exitUsage, "flag provided but not defined: -no-such-flag"},
		{"argument", exitUsage, `there are no arguments, only flags: "argument"`},
		{"-max 0", exitUsage, "-max 0: let it be 1 to 64"},
		{"-max 65", exitUsage, "-max 65: let it be 1 to 64"},
		{"-reservation-timeout 0", exitUsage, "-reservation-timeout 0s is none"},
		{"-reconnect -1s", exitUsage, "-reconnect -1s is negative"},
		{"-listen nowhere", exitFailed, "missing port in address"},
		{"-ops nowhere", exitFailed, "missing port in address"},
		{"-ops :0", exitFailed, "let it be a loopback address"},
		{"-reservation-timeout 1000000h", exitFailed, "ReservationTimeout"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			require.Equal(t, test.status, run(t.Context(), strings.Fields(test.args), &stdout, &stderr))
			require.Contains(t, stderr.String(), test.says)
			require.Empty(t, stdout.String())
		})
	}
}
