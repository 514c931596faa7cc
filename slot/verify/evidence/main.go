// Command evidence tries everything that is to show that the library keeps its
// promises, and writes down what was run, how much of it, and with what result:
// ../README.md, promise by promise, and ../mutants/RESULTS.md.
//
//	go -C slot/verify run ./evidence
//	go -C slot/verify run ./evidence -seeds 100000 -histories 50000 -checks 100000 -fuzz 10m
//
// The mutants take longest and are run by themselves, by mutants/run, which leaves
// mutants/killed.json; this reads it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const (
	module  = "."     // slot/verify, where this is run
	library = "../.." // the root module
	killed  = "mutants/killed.json"
	results = "mutants/RESULTS.md"
)

func main() {
	var a amount
	flag.IntVar(&a.seeds, "seeds", 2000, "how many seeds the simulation tries")
	flag.IntVar(&a.histories, "histories", 2000, "how many histories are checked")
	flag.IntVar(&a.checks, "checks", 5000, "how many sequences of commands rapid makes up, for each of its tests")
	flag.DurationVar(&a.fuzz, "fuzz", 20*time.Second, "how long each target is fuzzed")
	flag.Parse()
	if err := gather(a); err != nil {
		fmt.Fprintln(os.Stderr, "evidence:", err)
		os.Exit(1)
	}
}

// amount is how much is tried.
type amount struct {
	seeds, histories, checks int
	fuzz                     time.Duration
}

// gather writes the files also if something has failed, which is an error.
func gather(a amount) error {
	r := report{commit: commit()}
	var failures [5]error
	r.verified, failures[0] = verify(a)
	r.plain, failures[1] = own(command{"test", "-json", "-count=1", "./session", "./slot/...", "./validator"})
	r.raced, failures[4] = own(command{"test", "-json", "-race", "-cpu=1,2,8,64", "-count=1", "-timeout=0", "./session", "./slot/...", "./validator"}, "GOGC=20")
	failures[2] = longLife.in(library, "USHER_LONG=1").Run()
	r.leaks = failures[2] != nil
	r.fuzzed, failures[3] = fuzz(a.fuzz)
	var err error
	if r.mutants, err = readMutants(killed, filepath.Dir(killed)); err != nil {
		return err
	}
	if err := os.WriteFile("README.md", []byte(r.String()), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(results, []byte(r.mutants.table()), 0o644); err != nil {
		return err
	}
	return errors.Join(failures[:]...)
}

// verify runs the tests of this module, which record what they have done.
func verify(a amount) (verified, error) {
	v := verified{command: command{
		"test", "-count=1", "-timeout=0", "-tags=usher_invariants", ".",
		"-seeds=" + strconv.Itoa(a.seeds), "-histories=" + strconv.Itoa(a.histories), "-rapid.checks=" + strconv.Itoa(a.checks),
	}}
	dir, err := os.MkdirTemp("", "evidence")
	if err != nil {
		return v, err
	}
	defer os.RemoveAll(dir)
	records := filepath.Join(dir, "records.json")
	test := v.command.in(module, "USHER_EVIDENCE="+records)
	test.Stdout = os.Stderr
	failure := test.Run()
	v.failed = failure != nil
	v.tests, err = readRecords(records)
	return v, errors.Join(failure, err)
}

// own runs the library's own tests.
func own(c command, environment ...string) (ran, error) {
	r := ran{command: c}
	output, failure := c.in(library, environment...).Output()
	r.failed = failure != nil
	var err error
	r.tests, err = readTests(string(output))
	return r, errors.Join(failure, err)
}

// longLife is ten million players, one after the other.
var longLife = command{"test", "-count=1", "-timeout=0", "-run=^TestTimerHeapIsFlat$", "./slot"}

// fuzz runs each target of the library for as long as told.
func fuzz(each time.Duration) ([]fuzzed, error) {
	var all []fuzzed
	var failures []error
	for _, folder := range []string{"./session", "./slot", "./validator"} {
		list, err := command{"test", "-list=^Fuzz", folder}.in(library).Output()
		if err != nil {
			return nil, err
		}
		for target := range strings.FieldsSeq(string(list)) {
			if !strings.HasPrefix(target, "Fuzz") {
				continue
			}
			fmt.Fprintln(os.Stderr, target)
			// To minimize what is new takes a minute each time where ids are random.
			c := command{"test", "-run=^$", "-fuzz=^" + target + "$", "-fuzztime=" + each.String(), "-fuzzminimizetime=1x", folder}
			output, failure := c.in(library).Output()
			all = append(all, fuzzed{target, executions(string(output)), failure != nil})
			failures = append(failures, failure)
		}
	}
	return all, errors.Join(failures...)
}

// command is what go is told.
type command []string

func (c command) in(dir string, environment ...string) *exec.Cmd {
	run := exec.Command("go", c...)
	run.Dir, run.Env, run.Stderr = dir, append(os.Environ(), environment...), os.Stderr
	return run
}

func (c command) String() string { return "go " + strings.Join(c, " ") }

// commit names what was tested.
func commit() string {
	head, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	name := strings.TrimSpace(string(head))
	changes, err := exec.Command("git", "status", "--porcelain", "--", library).Output()
	if err != nil || strings.Contains(string(changes), ".go") {
		name += ", with changes"
	}
	return name
}

func machine() string {
	return fmt.Sprintf("%s, %s/%s, %d processors", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
}
