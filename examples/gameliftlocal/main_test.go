package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func environment(lines map[string]string) func(string) string {
	return func(k string) string { return lines[k] }
}

var allCredentials = map[string]string{
	"GAMELIFTLOCAL_ACCESS_KEY_ID": "key", "GAMELIFTLOCAL_SECRET_ACCESS_KEY": "secret", "GAMELIFTLOCAL_AUTH_TOKEN": "token",
}

func TestFlagsThatAreRefused(t *testing.T) {
	t.Parallel()
	for args, text := range map[string]string{
		"-listen 0.0.0.0:0":                  "-allow-remote",
		"-listen :0":                         "-allow-remote",
		"-listen example.com:0":              "-allow-remote",
		"-listen 0.0.0.0:0 -allow-remote":    "GAMELIFTLOCAL_AUTH_TOKEN",
		"-listen nowhere":                    "-listen",
		"-fleet=":                            "-fleet",
		"-region=":                           "-region",
		"-region us:west":                    "-region",
		"-fleet f/leet-1":                    "-fleet",
		"-fleet mine":                        "-fleet",
		"-max-players 0":                     "-max-players",
		"-reservation-timeout 0s":            "-reservation-timeout",
		"-reservation-timeout -1s":           "-reservation-timeout",
		"-retention 0s":                      "-retention",
		"-backfill maybe":                    "-backfill",
		"-log-format xml":                    "-log-format",
		"-fault AcceptPlayerSession":         "-fault",
		"-matchmaker-data /nowhere/at/all":   "matchmaker-data",
		"-unknown":                           "-unknown",
		"more":                               "more",
		"-listen 127.0.0.1:0 -log-format no": "-log-format",
	} {
		var stderr strings.Builder
		require.Equal(t, exitUsage, run(t.Context(), strings.Fields(args), environment(nil), io.Discard, &stderr), args)
		require.Contains(t, stderr.String(), text)
		require.True(t, strings.HasPrefix(stderr.String(), "gameliftlocal: "), stderr.String())
	}
	_, err := parse(nil, environment(map[string]string{"GAMELIFTLOCAL_ACCESS_KEY_ID": "key"}))
	require.ErrorContains(t, err, "GAMELIFTLOCAL_SECRET_ACCESS_KEY")
}

func TestRemoteNeedsAllCredentials(t *testing.T) {
	t.Parallel()
	args := []string{"-listen", "0.0.0.0:0", "-allow-remote"}
	_, err := parse(args, environment(allCredentials))
	require.NoError(t, err)
	for missing := range allCredentials {
		some := map[string]string{}
		for k, v := range allCredentials {
			if k != missing {
				some[k] = v
			}
		}
		_, err := parse(args, environment(some))
		require.Error(t, err, missing)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	var stdout strings.Builder
	require.Equal(t, exitOK, run(t.Context(), []string{"-help"}, environment(nil), &stdout, io.Discard))
	for _, name := range []string{"listen", "fleet", "region", "max-players", "reservation-timeout", "retention", "auto-activate", "backfill", "matchmaker-data", "fault", "log-format", "allow-remote"} {
		require.Contains(t, stdout.String(), "  -"+name)
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	var stderr strings.Builder
	require.Equal(t, exitFailed, run(t.Context(), []string{"-listen", taken.Addr().String()}, environment(nil), io.Discard, &stderr))
	require.Contains(t, stderr.String(), "gameliftlocal: ")
}

// What stands first on stdout is for scripts; the log follows, and says who is let in.
func TestRunSaysWhereItListensAndWhoIsLetIn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env  map[string]string
		text string
	}{
		"all":    {nil, "any credentials are taken"},
		"signed": {map[string]string{"GAMELIFTLOCAL_ACCESS_KEY_ID": "key", "GAMELIFTLOCAL_SECRET_ACCESS_KEY": "secret"}, "any token is taken"},
		"token":  {map[string]string{"GAMELIFTLOCAL_AUTH_TOKEN": "token"}, "any credentials are taken from backends"},
		"both":   {allCredentials, "signatures and tokens are checked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, end := context.WithCancel(context.Background())
			defer end()
			out, stdout := io.Pipe()
			status := make(chan int, 1)
			go func() {
				status <- run(ctx, []string{"-listen", "127.0.0.1:0"}, environment(test.env), stdout, os.Stderr)
				stdout.Close()
			}()
			lines := bufio.NewScanner(out)
			require.True(t, lines.Scan())
			address, ok := strings.CutPrefix(lines.Text(), "listening on ")
			require.True(t, ok, lines.Text())
			require.True(t, lines.Scan())
			require.Contains(t, lines.Text(), test.text)
			conn, err := net.Dial("tcp", address)
			require.NoError(t, err)
			conn.Close()
			end()
			for lines.Scan() {
			}
			require.Equal(t, exitOK, <-status)
		})
	}
}

func TestMatchmakerDataIsTheFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.WriteFile(file, []byte(" {} \n"), 0o600))
	o, err := parse([]string{"-matchmaker-data", file}, environment(nil))
	require.NoError(t, err)
	require.Equal(t, " {} \n", o.matchmakerData)

	require.NoError(t, os.WriteFile(file, []byte("{\"name\":\"J\xf6rg\"}"), 0o600))
	_, err = parse([]string{"-matchmaker-data", file}, environment(nil))
	require.ErrorContains(t, err, "UTF-8", "JSON would mend it on its way to the server process")
}
