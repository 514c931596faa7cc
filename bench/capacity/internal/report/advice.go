package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

// advice is how to plan with these figures.
func advice(r *figures.Report) []string {
	if len(r.Sizes) == 0 {
		return nil
	}
	const mostRetained = 262_144 // slot.Config.MaxRetained
	s := &r.Sizes[len(r.Sizes)-1]
	var said []string
	said = append(said, fmt.Sprintf(
		"Memory: players × %s B, plus the length of your player ids (beyond %d bytes) and player data. "+
			"Sessions that have ended are kept to be looked up, %s B each, %s of them at most by default: up to %s. "+
			"Each join leaves a timer of %s B until its reservation would have timed out: joins per second × 60 s × %s B. "+
			"With GOGC=100 the process needs up to twice the sum.",
		plain(s.Memory.PerSlot), r.Run.PlayerBytes, plain(r.Retained.PerSession), count(mostRetained), size(mostRetained*r.Retained.PerSession),
		plain(r.Retained.PerTimer), plain(r.Retained.PerTimer)))
	if l := s.Rest(); l != nil && l.Rate > 0 && l.Busy > 0 {
		said = append(said, fmt.Sprintf(
			"Processor: at %s joins per second with %s players, the calls themselves keep %s of a core busy, about %s for each join. "+
				"Your rate times that is what the table takes from your game.",
			perSecond(l.Rate), count(s.Slots), percent(l.Busy), nanoseconds(l.Busy/l.Rate*1e9)))
	}
	if s.PerCPU > 0 {
		said = append(said, fmt.Sprintf(
			"Head room: back to back, one core did %s joins per second; that is %s per second of processor time it got.",
			perSecond(s.Ceiling), perSecond(s.PerCPU)))
	}
	return said
}

// caveats are what the figures do not say by themselves.
func caveats(r *figures.Report) []string {
	said := []string{
		"The load is made in the same process, on the same core: choosing players, writing their names and reading the clock are part of what the core does. " +
			"A server that does this elsewhere carries more; one that runs a game on that core carries less.",
		"Open loop: calls are due at random instants (a Poisson process), and a call that is late because earlier ones took long has that wait in its latency. " +
			"Nothing is left out when the table falls behind (no coordinated omission).",
		fmt.Sprintf("The clock costs %s a reading, and its smallest step was %s. Each latency contains one reading; it was not subtracted.",
			duration(r.Clock.Cost), duration(r.Clock.Resolution)),
		"While nothing is due, the load gives way to other goroutines again and again instead of sleeping: a sleep would be late by more than what is measured. " +
			"So the process keeps a core busy at any rate; “core busy” counts the calls alone.",
		fmt.Sprintf("Reservations time out after %s here instead of a minute, so that the timers of players who were accepted come by while it is measured, as they do in a server that has run for a while.",
			duration(r.Run.Timeout)),
		"A rate counts as kept up if p99 of accept and of reserve stayed under the bound in one of two attempts. The table shows the last attempt.",
		fmt.Sprintf("Game sessions have %s seats. There is no subscriber, no reconnect window and no player data; duplicates are treated as by default. No network, no TLS: the table alone.",
			count(r.Run.Seats)),
	}
	if r.Run.Quick {
		said = append(said, "This was a quick run: short, with small tables and less history. Take it for a preview and run it without -quick, on a machine that does nothing else, before you plan with it.")
	}
	return said
}

// warnings are what must be read before the figures.
func warnings(r *figures.Report) []string {
	var said []string
	if got := gotCPU(r); len(got) > 0 && got[len(got)/2] < undisturbed {
		said = append(said, fmt.Sprintf(
			"This machine was busy: while it was measured, the process got between %s and %s of the core it asked for. What other programs took stands in the latencies as if it were the table's.",
			percent(got[0]), percent(got[len(got)-1])))
	}
	if worst := worstFloor(r); worst > r.Run.Bound/5 && worst > 0 {
		said = append(said, fmt.Sprintf(
			"Even calls that do nothing had a p99 of up to %s here, which is the machine's doing. Where the bound is %s, a rate may have been refused for that.",
			duration(worst), duration(r.Run.Bound)))
	}
	if len(r.Run.LeftOut) > 0 {
		said = append(said, "For lack of time this was left out: "+join(r.Run.LeftOut)+".")
	}
	return said
}

// worstFloor is the highest p99 of calls that do nothing.
func worstFloor(r *figures.Report) time.Duration {
	worst := time.Duration(0)
	for _, s := range r.Sizes {
		worst = max(worst, s.Floor.P99)
	}
	return worst
}

// gotCPU returns what the loads got of their core, ascending.
func gotCPU(r *figures.Report) []float64 {
	var got []float64
	for _, s := range r.Sizes {
		for _, l := range s.Loads {
			if l.GotCPU > 0 {
				got = append(got, l.GotCPU)
			}
		}
	}
	slices.Sort(got)
	return got
}

// join writes "a, b and c".
func join(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], ", ") + " and " + parts[last]
}
