// Command evidence runs the tests of slot/verify and writes its README.md: promise
// by promise, what was run, how much of it, and with what result.
//
//	go -C slot/verify run ./evidence
//	go -C slot/verify run ./evidence -seeds 100000 -histories 50000 -checks 100000 -race
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

func main() {
	seeds := flag.Int("seeds", 2000, "how many seeds the simulation tries")
	histories := flag.Int("histories", 2000, "how many histories are checked")
	checks := flag.Int("checks", 5000, "how many sequences of commands rapid makes up, for each of its tests")
	race := flag.Bool("race", false, "run under the race detector")
	flag.Parse()

	args := []string{
		"test", "-count=1", "-timeout=0", "-tags=usher_invariants", "-race=" + strconv.FormatBool(*race), ".",
		"-seeds=" + strconv.Itoa(*seeds), "-histories=" + strconv.Itoa(*histories), "-rapid.checks=" + strconv.Itoa(*checks),
	}
	if err := gather(args); err != nil {
		fmt.Fprintln(os.Stderr, "evidence:", err)
		os.Exit(1)
	}
}

// gather writes README.md also if a test has failed, which is an error.
func gather(args []string) error {
	dir, err := os.MkdirTemp("", "evidence")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	records := filepath.Join(dir, "records.json")
	test := exec.Command("go", args...)
	test.Env = append(os.Environ(), "USHER_EVIDENCE="+records)
	test.Stdout, test.Stderr = os.Stdout, os.Stderr
	failure := test.Run()
	all, err := read(records)
	if err != nil {
		return err
	}
	r := report{commit: commit(), command: "go " + strings.Join(args, " "), failed: failure != nil, tests: all}
	if err := os.WriteFile("README.md", []byte(r.String()), 0o600); err != nil {
		return err
	}
	return failure
}

// done is what a test has recorded.
type done struct {
	Test                                         string
	Failed                                       bool
	Checks, Seeds, Histories, Operations, Events int
}

// read reads the records, a line of JSON for each test that came to its end.
func read(name string) (map[string]done, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("no test has recorded anything: %w", err)
	}
	defer f.Close()
	all := make(map[string]done)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var d done
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			return nil, err
		}
		all[d.Test] = d
	}
	return all, lines.Err()
}

// commit names what was tested.
func commit() string {
	head, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	name := strings.TrimSpace(string(head))
	changes, err := exec.Command("git", "status", "--porcelain", "--", "../../session", "..").Output()
	if err != nil || strings.Contains(string(changes), ".go") {
		name += ", with changes"
	}
	return name
}

func machine() string {
	return fmt.Sprintf("%s, %s/%s, %d processors", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
}
