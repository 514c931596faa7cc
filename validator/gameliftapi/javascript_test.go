package gameliftapi_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// The AWS SDKs for JavaScript, as backends on Node.js use them. It needs Node.js,
// npm and what npm fetches; without them it fails, for then nothing is shown.
func TestJavaScript(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sources, err := filepath.Glob("testdata/js/*.*js*")
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	for _, source := range sources {
		text, err := os.ReadFile(source)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(source)), text, 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "readme.mjs"), []byte(sample(t, "js")), 0o600))
	run(t, dir, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")

	t.Run("client-gamelift 3.x", func(t *testing.T) {
		t.Parallel()
		run(t, dir, newGameServer(t), "node", "v3.mjs")
	})
	t.Run("aws-sdk 2.x", func(t *testing.T) {
		t.Parallel()
		run(t, dir, newGameServer(t), "node", "v2.mjs")
	})
	t.Run("README", func(t *testing.T) {
		t.Parallel()
		require.Regexp(t, `^psess-[0-9a-f-]{36} RESERVED\nfull\n$`, run(t, dir, newGameServer(t), "node", "readme.mjs"))
	})
}

// run runs a program and returns what it prints.
func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Dir, command.Env = dir, append(os.Environ(), env...)
	var complaints strings.Builder
	command.Stderr = &complaints
	out, err := command.Output()
	require.NoError(t, err, "%s %v (the tests need Go, and Node.js 20 or newer with its npm)\n%s%s", name, args, out, &complaints)
	return string(out)
}

// newGameServer starts a game server with a game session, match-1, of one seat. It
// accepts players whose ids begin with "accept", and what it is told to leave
// alone times out soon. It returns where it is, for scripts.
func newGameServer(t *testing.T) (env []string) {
	t.Helper()
	table := newTable(t, slot.Config{ReservationTimeout: 2 * time.Second})
	newMatch(t, table, 1)
	door := validator.New(table, validator.Config{})
	t.Cleanup(table.Subscribe(func(e session.Event) {
		if e.Cause == session.CauseReserved && strings.HasPrefix(e.PlayerSession.PlayerID, "accept") {
			_, _ = door.AcceptPlayerSession(e.PlayerSession.PlayerSessionID)
		}
	}))
	return []string{"ENDPOINT=" + serve(t, table, everything()), "KEY_ID=" + keyID, "SECRET=" + secret}
}
