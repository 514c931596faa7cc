package main

import (
	"context"
	"os/exec"
	"runtime/debug"
	"strings"
	"time"
)

// libraryVersion returns the commit of the library that was measured, if it can
// be known, and whether it has changes that are not committed. The library is the
// repository around this module, so a build's own stamp tells; go run leaves none,
// and then git is asked.
func libraryVersion(ctx context.Context) (commit string, modified bool) {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				commit = s.Value
			case "vcs.modified":
				modified = s.Value == "true"
			}
		}
	}
	if commit != "" {
		return commit, modified
	}
	// In any other folder, git would speak of something else.
	if git(ctx, "rev-parse", "--show-prefix") != "bench/capacity/" {
		return "", false
	}
	changed := git(ctx, "status", "--porcelain", "--", "../../go.mod", "../../session", "../../slot", "../../validator")
	return git(ctx, "rev-parse", "HEAD"), changed != ""
}

// git returns what it says, or nothing.
func git(ctx context.Context, args ...string) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "git", args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
