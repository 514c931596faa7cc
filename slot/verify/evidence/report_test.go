package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func TestReport(t *testing.T) {
	t.Parallel()
	records := write(t, "records.json", `{"Test":"TestReference","Failed":false,"Checks":3000,"Operations":1234567}
{"Test":"TestSimulation","Failed":true,"Seeds":5}
`)
	tests, err := readRecords(records)
	require.NoError(t, err)
	own, err := readTests(`{"Action":"run","Test":"TestOverload"}
{"Action":"pass","Test":"TestOverload/part"}
{"Action":"pass","Test":"TestOverload"}
{"Action":"pass","Test":"TestOverload"}
{"Action":"fail","Test":"TestRetention"}
{"Action":"pass"}
`)
	require.NoError(t, err)
	require.Equal(t, map[string]ended{"TestOverload": {passed: 2}, "TestRetention": {failed: 1}}, own)

	r := report{commit: "abc", verified: verified{tests: tests}, plain: ran{tests: own}}
	require.Contains(t, r.String(), "3,000 sequences, 1,234,567 operations")
	require.Contains(t, r.String(), "fewer than 1 in a thousand")
	require.Contains(t, r.String(), "| 3 runs of 2 tests | **FAILED** |")
	require.Equal(t, "`TestReference`", r.here([]string{"TestReference"}))
	require.Contains(t, r.here([]string{"TestReference", "TestSimulation"}), "FAILED")
	require.Contains(t, r.here([]string{"TestLinearizable"}), "FAILED", "it did not come to its end")
	require.Equal(t, "`TestOverload`", r.own([]string{"TestOverload"}))
	r.raced.tests = map[string]ended{"TestOverload": {failed: 1}}
	require.Contains(t, r.own([]string{"TestOverload"}), "FAILED")
	require.Contains(t, r.own([]string{"TestRetention"}), "FAILED")
	require.Contains(t, r.own([]string{"TestOfThatNameIsGone"}), "FAILED")

	r.verified.failed = true
	require.NotContains(t, r.String(), "in a thousand")
}

// A run that recorded nothing has shown nothing.
func TestNoRecords(t *testing.T) {
	t.Parallel()
	_, err := readRecords(filepath.Join(t.TempDir(), "records.json"))
	require.Error(t, err)
	require.Zero(t, executions("PASS\n"))
	require.Equal(t, 2500, executions("fuzz: elapsed: 3s, execs: 7 (2/sec)\nfuzz: elapsed: 6s, execs: 2500 (9/sec), new interesting: 1\n"))
}

func TestMutants(t *testing.T) {
	t.Parallel()
	patch := write(t, "001-open-door.patch", "Everybody is let in,\nwhoever it is.\nPromise 6.\n\n--- a/slot/accept.go\n")
	found := write(t, "killed.json", `{"commit": "abc", "mutants": [
  {"name": "001-open-door", "result": "killed", "stage": "race", "test": "TestRefused", "seconds": 3}]}`)
	ms, err := readMutants(found, filepath.Dir(patch))
	require.NoError(t, err)
	require.Contains(t, ms.table(), "| 001-open-door | Everybody is let in, whoever it is | 6 | TestRefused, race |")
	all, killed := ms.count(6)
	require.Equal(t, []int{1, 1}, []int{all, killed})

	ms.Mutants[0].Result = "SURVIVED"
	require.Contains(t, ms.table(), "**SURVIVED**")
	_, killed = ms.count(0)
	require.Zero(t, killed)

	none, err := readMutants(filepath.Join(t.TempDir(), "killed.json"), ".")
	require.NoError(t, err)
	require.Empty(t, none.Mutants)
	_, err = readMutants(found, t.TempDir())
	require.Error(t, err, "no such patch")
}
