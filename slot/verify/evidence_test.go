package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// counts is what a test has done.
type counts struct {
	Checks, Seeds, Histories, Operations, Events int
}

// record appends what a test has done to the file that USHER_EVIDENCE names, a
// line of JSON for each test. The evidence command makes a report of it.
func record(t *testing.T, c counts) {
	t.Helper()
	name := os.Getenv("USHER_EVIDENCE")
	if name == "" {
		return
	}
	line, err := json.Marshal(struct {
		Test   string
		Failed bool
		counts
	}{t.Name(), t.Failed(), c})
	require.NoError(t, err)
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	_, err = f.Write(append(line, '\n')) // at once: tests run side by side
	require.NoError(t, err)
	require.NoError(t, f.Close())
}
