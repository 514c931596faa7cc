package main

import (
	"fmt"
	"strconv"
	"strings"
)

// report is what README.md says.
type report struct {
	commit, command string
	failed          bool
	tests           map[string]done
}

// promises are those of the library, and the tests here that look at each.
var promises = []struct {
	name  string
	tests []string
	how   string
}{
	{"Life", []string{"TestReference", "TestLinearizable", "TestSimulation"}, "every status, generation and event against a reference, a model, and a list of what may follow what"},
	{"Capacity", []string{"TestReference", "TestLinearizable", "TestSimulation"}, "seats and counts against the reference; racing reservations and parties for three seats; a recount after every event"},
	{"Time", []string{"TestReference", "TestLinearizable", "TestWheel"}, "deadlines to the nanosecond in virtual time, as intervals in real time; the wheel with stalls, jumps and dropped ticks"},
	{"Exactly one", []string{"TestReference", "TestLinearizable", "TestSimulation"}, "racing accepts, time-outs, releases, terminations and stale connections have an order in which each change has one author"},
	{"Retention", []string{"TestReference", "TestSimulation"}, "what is forgotten, by age and by number, against the reference"},
	{"Fail closed", []string{"TestReference", "TestLinearizable", "TestSimulation"}, "malformed and unknown ids, draining and closed tables, subscribers that panic; overload is tested in slot"},
	{"Secrecy", nil, "tested in slot/log_test.go and session/log_test.go"},
	{"Events", []string{"TestReference", "TestSimulation"}, "each event and its order against the reference; four subscribers, of whom one stalls, one panics and one calls the table, are told the same"},
	{"Idle costs nothing", nil, "tested in slot/timers_test.go"},
	{"Accept allocates nothing", nil, "tested in slot/costs_test.go"},
}

// String is the text of README.md.
func (r report) String() string {
	var b strings.Builder
	b.WriteString(head)
	fmt.Fprintf(&b, "\n## Evidence\n\nCommit %s. %s.\n\n    %s\n\n", r.commit, machine(), r.command)
	b.WriteString("| promise | how | what was run | result |\n|---|---|---|---|\n")
	for i, p := range promises {
		ran, result := "–", "–"
		if len(p.tests) > 0 {
			ran, result = r.ran(p.tests)
		}
		fmt.Fprintf(&b, "| %d. %s | %s | %s | %s |\n", i+1, p.name, p.how, ran, result)
	}
	b.WriteString("\n")
	if r.failed {
		b.WriteString("A test has failed: nothing follows from these numbers.\n")
		return b.String()
	}
	b.WriteString("Zero failures in N seeds bounds the rate at 3/N (95 %):\n\n")
	for _, d := range []struct {
		n    int
		what string
	}{
		{r.tests["TestSimulation"].Seeds, "seeds of the simulation"},
		{r.tests["TestLinearizable"].Histories, "histories"},
		{r.tests["TestReference"].Checks, "sequences of commands against the reference"},
		{r.tests["TestWheel"].Checks, "sequences of commands to the wheel"},
	} {
		if d.n > 0 {
			fmt.Fprintf(&b, "- %s %s: fewer than %.2g in a thousand fail.\n", grouped(d.n), d.what, 3000/float64(d.n))
		}
	}
	return b.String()
}

// ran says how much the tests did, and whether each came to its end.
func (r report) ran(tests []string) (ran, result string) {
	result = "no failure"
	var parts []string
	for _, name := range tests {
		d, ok := r.tests[name]
		if !ok || d.Failed {
			result = "FAILED"
		}
		parts = append(parts, "`"+name+"`: "+d.String())
	}
	return strings.Join(parts, "; "), result
}

func (d done) String() string {
	var parts []string
	for _, c := range []struct {
		n    int
		what string
	}{
		{d.Seeds, "seeds"}, {d.Histories, "histories"}, {d.Checks, "sequences"}, {d.Operations, "operations"}, {d.Events, "events"},
	} {
		if c.n > 0 {
			parts = append(parts, grouped(c.n)+" "+c.what)
		}
	}
	if len(parts) == 0 {
		return "not finished"
	}
	return strings.Join(parts, ", ")
}

// grouped writes 1234567 as 1,234,567.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

const head = `# slot/verify

Tests of the table that take tools which the library does not import: a module of
its own. What this file says below was written by ` + "`go -C slot/verify run ./evidence`" + `.

- **reference\*_test.go** is the table again, so naive that it can be checked by eye.
  ` + "`TestReference`" + ` gives both the same commands in virtual time and compares every
  answer, error, seat, generation, page, event and counter; rapid makes up the
  commands, and shrinks those that fail.
- **wheel_test.go** does so with the timer wheel and a list.
- **model_test.go** says what racing calls may answer, **linearizable_test.go** lets
  goroutines race in real time, and porcupine looks for an order. An undecided
  history is a failure; one that fails is kept, to be read and to be looked at, in
  the folder that ` + "`USHER_ARTIFACTS`" + ` names. ` + "`TestModelRefuses`" + ` is that the model can
  say no.
- **simulation_test.go** lives through the day of a whole server, one actor at a
  time, from a seed: the same seed, the same day.

## Running

    go -C slot/verify test ./...                            # what every change has to pass
    go -C slot/verify test -tags usher_invariants ./...     # with a look at the whole structure after each step
    go -C slot/verify test . -seeds 100000 -histories 100000 -rapid.checks 100000 -timeout 0   # a night
    go -C slot/verify run . -seeds 10000 -from 0            # seeds of the simulation, with progress
    go -C slot/verify run ./evidence                        # this file
`
