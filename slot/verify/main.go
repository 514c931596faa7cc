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
	"path/filepath"
)

func main() {
	if err := explore(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "verify:", err)
		os.Exit(1)
	}
}

// explore builds the tests and runs the simulation: "go test" by itself would say
// nothing until it has ended.
func explore(args []string) error {
	dir, err := os.MkdirTemp("", "verify")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tests := filepath.Join(dir, "verify.test")
	build := exec.Command("go", "test", "-c", "-tags=usher_invariants", "-o", tests, ".")
	run := exec.Command(tests, append([]string{"-test.run=^TestSimulation$", "-progress"}, args...)...)
	for _, c := range []*exec.Cmd{build, run} {
		c.Stdout, c.Stderr = os.Stdout, os.Stderr
		if err := c.Run(); err != nil {
			return err
		}
	}
	return nil
}
