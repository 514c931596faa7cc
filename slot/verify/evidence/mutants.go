package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// mutants are what mutants/run found.
type mutants struct {
	Commit  string
	Mutants []mutant
}

// mutant is the library with one fault. Fault and promise are what its patch begins
// with.
type mutant struct {
	Name, Result, Stage, Test string

	fault   string
	promise int
}

// readMutants reads what mutants/run has left, and the patches in dir. No such
// file: none has been run.
func readMutants(name, dir string) (mutants, error) {
	var all mutants
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return all, err
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return all, err
	}
	for i := range all.Mutants {
		m := &all.Mutants[i]
		if err := m.describe(filepath.Join(dir, m.Name+".patch")); err != nil {
			return all, err
		}
	}
	return all, nil
}

var preamble = regexp.MustCompile(`(?s)^(.+?)\.?\s+Promise (\d+)\.`)

func (m *mutant) describe(patch string) error {
	text, err := os.ReadFile(patch)
	if err != nil {
		return err
	}
	found := preamble.FindSubmatch(text)
	if found == nil {
		return fmt.Errorf("%s does not begin with what is broken and which promise it breaks", patch)
	}
	m.fault = strings.Join(strings.Fields(string(found[1])), " ")
	m.promise, err = strconv.Atoi(string(found[2]))
	return err
}

func (m *mutant) killed() bool { return m.Result == "killed" }

// count returns how many there are of a promise, or of all (0), and how many of
// them were killed.
func (ms *mutants) count(promise int) (all, killed int) {
	for i := range ms.Mutants {
		if m := &ms.Mutants[i]; promise == 0 || m.promise == promise {
			all++
			if m.killed() {
				killed++
			}
		}
	}
	return all, killed
}

// table is the text of RESULTS.md.
func (ms *mutants) table() string {
	var b strings.Builder
	all, killed := ms.count(0)
	fmt.Fprintf(&b, "# What kills each mutant\n\n%d of %d, on commit %s. Written by `go -C slot/verify run ./evidence` from what\n"+
		"`slot/verify/mutants/run` found; [README.md](README.md) says what a mutant is.\n\n", killed, all, ms.Commit)
	b.WriteString("| mutant | what is broken | promise | killed by |\n|---|---|---|---|\n")
	for i := range ms.Mutants {
		m := &ms.Mutants[i]
		fmt.Fprintf(&b, "| %s | %s | %d | %s |\n", m.Name, m.fault, m.promise, m.killer())
	}
	return b.String()
}

func (m *mutant) killer() string {
	switch {
	case !m.killed():
		return "**" + m.Result + "**"
	case m.Stage == "plain":
		return m.Test
	}
	return m.Test + ", " + m.Stage
}
