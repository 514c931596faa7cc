package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReport(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "records.json")
	require.NoError(t, os.WriteFile(name, []byte(`{"Test":"TestReference","Failed":false,"Checks":3000,"Operations":1234567}
{"Test":"TestSimulation","Failed":true,"Seeds":5}
`), 0o600))
	tests, err := read(name)
	require.NoError(t, err)

	r := report{commit: "abc", tests: tests}
	require.Contains(t, r.String(), "3,000 sequences, 1,234,567 operations")
	require.Contains(t, r.String(), "fewer than 1 in a thousand")
	_, result := r.ran([]string{"TestReference"})
	require.Equal(t, "no failure", result)
	_, result = r.ran([]string{"TestReference", "TestSimulation"})
	require.Equal(t, "FAILED", result)
	_, result = r.ran([]string{"TestLinearizable"}) // did not come to its end
	require.Equal(t, "FAILED", result)

	r.failed = true
	require.NotContains(t, r.String(), "in a thousand")
}

// A run that recorded nothing has shown nothing.
func TestNoRecords(t *testing.T) {
	t.Parallel()
	_, err := read(filepath.Join(t.TempDir(), "records.json"))
	require.Error(t, err)
}
