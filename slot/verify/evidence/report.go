package main

import (
	"fmt"
	"strconv"
	"strings"
)

// report is what README.md says.
type report struct {
	commit   string
	verified verified
	plain    ran  // as everybody runs them
	raced    ran  // under the race detector, on 1, 2, 8 and 64 processors, with a collector that is always at work
	leaks    bool // in ten million lives
	fuzzed   []fuzzed
	mutants  mutants
}

// promises are those of the library, how they are looked at, and what does it: the
// tests here, and some of the library's own.
var promises = []struct {
	name, how string
	here, own []string
}{
	{
		"Life", "every status, generation and event against a reference, a model, and a list of what may follow what",
		[]string{"TestReference", "TestLinearizable", "TestSimulation"},
		[]string{"TestStatusCanBecomeNothingElse", "TestRandomRace"},
	},
	{
		"Capacity", "seats and counts against the reference; racing reservations and parties for three seats; a recount after every event",
		[]string{"TestReference", "TestLinearizable", "TestSimulation"},
		[]string{"TestStressOneSeat", "TestPartyIsNeverSeenHalf"},
	},
	{
		"Time", "deadlines to the nanosecond in virtual time, as intervals in real time; the wheel with stalls, jumps and dropped ticks",
		[]string{"TestReference", "TestLinearizable", "TestWheel"},
		[]string{"TestHorizonIsInTime", "TestStressAtTheDeadline", "TestTimerStorm"},
	},
	{
		"Exactly one", "racing accepts, time-outs, releases, terminations and stale connections have an order in which each change has one author",
		[]string{"TestReference", "TestLinearizable", "TestSimulation"},
		[]string{"TestRaceOfAccepts", "TestRaceAtTheDeadline", "TestDisconnectStaleConnection"},
	},
	{
		"Retention", "what is forgotten, by age and by number, against the reference; the heap over ten million lives",
		[]string{"TestReference", "TestSimulation"},
		[]string{"TestRetention", "TestMaxRetained", "TestTimerHeapIsFlat"},
	},
	{
		"Fail closed", "malformed and unknown ids, draining and closed tables, overload, subscribers that panic",
		[]string{"TestReference", "TestLinearizable", "TestSimulation"},
		[]string{"TestActivateFailsClosed", "TestOverload", "TestStressShutdown"},
	},
	{
		"Secrecy", "what is printed and logged, at every level and by every verb, is searched for ids",
		nil,
		[]string{"TestLogHidesSecrets", "TestNothingPrintsTheID", "TestErrorsKeepSecrets", "TestLogInjection"},
	},
	{
		"Events", "each event and its order against the reference; four subscribers, of whom one stalls, one panics and one calls the table, are told the same",
		[]string{"TestReference", "TestSimulation"},
		[]string{"TestEventsInOrder", "TestOverload", "TestSubscriberPanics"},
	},
	{
		"Idle costs nothing", "every waking of the timer is counted, in virtual time",
		nil,
		[]string{"TestTimerIdle", "TestTimerWakesOnceForAnEntry", "TestTimerWakesOnceALapForLongerDeadlines"},
	},
	{
		"Accept allocates nothing", "allocations are counted; a logger that asks the table shows that no lock is held",
		nil,
		[]string{"TestAcceptAllocatesNothing", "TestRefusalsAllocateNothing", "TestReleaseAllocatesNothing", "TestNoLockIsHeldWhileALoggerRuns"},
	},
}

// String is the text of README.md.
func (r *report) String() string {
	var b strings.Builder
	b.WriteString(head)
	fmt.Fprintf(&b, "\n## Evidence\n\nCommit %s; %s.\n\n", r.commit, machine())
	b.WriteString("| promise | how | here | the library's own tests, among others | mutants killed |\n|---|---|---|---|---|\n")
	for i, p := range promises {
		all, killed := r.mutants.count(i + 1)
		fmt.Fprintf(&b, "| %d. %s | %s | %s | %s | %s |\n", i+1, p.name, p.how, r.here(p.here), r.own(p.own), ratio(killed, all))
	}
	r.amounts(&b)
	r.bounds(&b)
	return b.String()
}

// amounts says how much was run of each kind, and how to run it again.
func (r *report) amounts(b *strings.Builder) {
	b.WriteString("\n| what | how much | result |\n|---|---|---|\n")
	for _, name := range []string{"TestReference", "TestWheel", "TestLinearizable", "TestSimulation"} {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, r.verified.tests[name], outcome(r.failed(name)))
	}
	fmt.Fprintf(b, "| the library's own tests | %s |\n", r.plain)
	fmt.Fprintf(b, "| the same under the race detector, on 1, 2, 8 and 64 processors, GOGC=20 | %s |\n", r.raced)
	fmt.Fprintf(b, "| `TestTimerHeapIsFlat`: the heap after 1,000,000 players and after 10,000,000 more | 11,000,000 lives | %s |\n", outcome(r.leaks))
	for _, f := range r.fuzzed {
		fmt.Fprintf(b, "| `%s` | %s executions | %s |\n", f.target, grouped(f.executions), outcome(f.failed))
	}
	all, killed := r.mutants.count(0)
	if all > 0 {
		fmt.Fprintf(b, "| mutants written by hand, on commit %s: [what kills each](mutants/RESULTS.md) | %d | %d killed |\n", r.mutants.Commit, all, killed)
	}
	fmt.Fprintf(b, "\n    %s\n    %s\n    GOGC=20 %s\n    USHER_LONG=1 %s\n", r.verified.command, r.plain.command, r.raced.command, longLife)
}

// bounds says what follows from so many tries without a failure.
func (r *report) bounds(b *strings.Builder) {
	b.WriteString("\n")
	if r.verified.failed {
		b.WriteString("A test has failed: nothing follows from these numbers.\n")
		return
	}
	b.WriteString("Zero failures in N seeds bounds the rate at 3/N (95 %):\n\n")
	tests := r.verified.tests
	for _, d := range []struct {
		n    int
		what string
	}{
		{tests["TestSimulation"].Seeds, "seeds of the simulation"},
		{tests["TestLinearizable"].Histories, "histories"},
		{tests["TestReference"].Checks, "sequences of commands against the reference"},
		{tests["TestWheel"].Checks, "sequences of commands to the wheel"},
	} {
		if d.n > 0 {
			fmt.Fprintf(b, "- %s %s: fewer than %.2g in a thousand fail.\n", grouped(d.n), d.what, 3000/float64(d.n))
		}
	}
}

// here says which tests of this module look at a promise, and how they ended.
func (r *report) here(tests []string) string {
	var parts []string
	for _, name := range tests {
		parts = append(parts, "`"+name+"`"+blame(r.failed(name)))
	}
	if parts == nil {
		return "–"
	}
	return strings.Join(parts, ", ")
}

// failed tells whether a test of this module failed, or did not come to its end.
func (r *report) failed(name string) bool {
	d, ok := r.verified.tests[name]
	return !ok || d.Failed
}

// own is here, for tests of the library.
func (r *report) own(tests []string) string {
	var parts []string
	for _, name := range tests {
		t, raced := r.plain.tests[name], r.raced.tests[name] // those that count allocations are not raced
		parts = append(parts, "`"+name+"`"+blame(t.passed == 0 || t.failed+raced.failed > 0))
	}
	return strings.Join(parts, ", ")
}

// String is how much was run, and the outcome.
func (r ran) String() string {
	passed, failed := 0, 0
	for _, t := range r.tests {
		passed += t.passed
		failed += t.failed
	}
	return fmt.Sprintf("%s runs of %s tests | %s", grouped(passed+failed), grouped(len(r.tests)), outcome(r.failed || failed > 0 || passed == 0))
}

func blame(failed bool) string {
	if failed {
		return " **FAILED**"
	}
	return ""
}

func outcome(failed bool) string {
	if failed {
		return "**FAILED**"
	}
	return "no failure"
}

func ratio(some, all int) string {
	if all == 0 {
		return "not run"
	}
	return fmt.Sprintf("%d of %d", some, all)
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
its own. ` + "`go -C slot/verify run ./evidence`" + ` has run what stands under Evidence.

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
    slot/verify/mutants/run -j 2                            # all mutants, half an hour; see mutants/README.md
    go -C slot/verify run ./evidence                        # this file, a quarter of an hour
`
