package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// verified is what the tests of slot/verify did.
type verified struct {
	command command
	failed  bool
	tests   map[string]done
}

// done is what a test has recorded.
type done struct {
	Test                                         string
	Failed                                       bool
	Checks, Seeds, Histories, Operations, Events int
}

// readRecords reads a line of JSON for each test that came to its end.
func readRecords(name string) (map[string]done, error) {
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

// ran is how the library's own tests ended, each as often as it was run.
type ran struct {
	command command
	failed  bool
	tests   map[string]ended
}

type ended struct{ passed, failed int }

// readTests reads what go test -json prints.
func readTests(output string) (map[string]ended, error) {
	all := make(map[string]ended)
	for line := range strings.Lines(output) {
		var e struct{ Action, Test string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return nil, err
		}
		if e.Test == "" || strings.Contains(e.Test, "/") {
			continue
		}
		of := all[e.Test]
		switch e.Action {
		case "pass":
			of.passed++
		case "fail":
			of.failed++
		}
		all[e.Test] = of
	}
	return all, nil
}

// fuzzed is what was done with one target.
type fuzzed struct {
	target     string
	executions int
	failed     bool
}

// executions reads the last "execs: 12345 (678/sec)" of a fuzzer.
func executions(output string) int {
	all := regexp.MustCompile(`execs: (\d+)`).FindAllStringSubmatch(output, -1)
	if len(all) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(all[len(all)-1][1])
	return n
}
