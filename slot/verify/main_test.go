package main

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

var (
	seeds     = flag.Int("seeds", 60, "how many seeds TestSimulation tries")
	from      = flag.Uint64("from", 0, "the first seed")
	progress  = flag.Bool("progress", false, "show how far TestSimulation is")
	histories = flag.Int("histories", 300, "how many histories TestLinearizable checks")
)

func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.checks": "800", "rapid.steps": "50"} { // unless flags say otherwise
		if err := flag.Set(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	goleak.VerifyTestMain(m)
}
