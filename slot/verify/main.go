// Command verify explores seeds of the simulation of a whole server:
//
//	go -C slot/verify run . -seeds 10000 -from 0
//
// The simulation needs the virtual time that Go has for tests, so it is one, and
// this runs it. The tests of this module are what it is for; see README.md.
package main

import (
	"fmt"
	"os"
	"os/exec"
)

func main() {
	args := []string{"test", "-count=1", "-timeout=0", "-run=^TestSimulation$", ".", "-args", "-progress"}
	run := exec.Command("go", append(args, os.Args[1:]...)...)
	run.Stdout, run.Stderr = os.Stdout, os.Stderr
	if err := run.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "verify:", err)
		os.Exit(1)
	}
}
