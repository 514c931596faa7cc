package report

import (
	"fmt"
	"strings"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

// undisturbed is the share of its core that a run must have got for its figures
// to be the table's and not the neighbours'.
const undisturbed = 0.9

// Answer is the report in one sentence.
func Answer(r *figures.Report) string {
	if len(r.Sizes) == 0 {
		return "Nothing was measured."
	}
	s := &r.Sizes[len(r.Sizes)-1]
	core := "One core of this machine (" + r.Machine.CPU + ")"
	memory := fmt.Sprintf("the table takes %s, %s bytes a player", size(float64(s.Memory.Bytes)), plain(s.Memory.PerSlot))
	l := s.Sustained()
	switch {
	case l != nil && r.Run.JoinRate > 0:
		return fmt.Sprintf("%s carries %s players with %s joins per second: 99 of 100 are accepted within %s of when they were due (the bound is %s), which keeps the core %s busy, and %s%s.",
			core, count(s.Slots), perSecond(l.Rate), duration(l.Accept.P99), duration(r.Run.Bound), percent(l.Busy), memory, although(l))
	case l != nil:
		return fmt.Sprintf("%s carries %s players with %s joins per second: 99 of 100 are accepted within %s of when they were due (the bound is %s), and %s%s.",
			core, count(s.Slots), perSecond(l.Rate), duration(l.Accept.P99), duration(r.Run.Bound), memory, although(l))
	case len(s.Loads) > 0 && r.Run.JoinRate > 0:
		l := &s.Loads[0]
		return fmt.Sprintf("%s did not carry %s players with %s joins per second (%s)%s; %s.",
			core, count(s.Slots), perSecond(l.Rate), l.Why, while(l), memory)
	case len(s.Loads) > 0:
		l := &s.Loads[0]
		return fmt.Sprintf("With %s players, %s kept p99 under %s at none of the rates tried%s; back to back it does %s joins per second%s, and %s.",
			count(s.Slots), "o"+core[1:], duration(r.Run.Bound), while(l), perSecond(s.Ceiling), ofProcessorTime(s, l), memory)
	}
	return fmt.Sprintf("%s was not put under load; with %s players, %s.", core, count(s.Slots), memory)
}

// although and while say what the neighbours had to do with it.
func although(l *figures.Load) string {
	if l.GotCPU == 0 || l.GotCPU >= undisturbed {
		return ""
	}
	return fmt.Sprintf(", although other programs left this run only %s of the core", percent(l.GotCPU))
}

func while(l *figures.Load) string {
	if l.GotCPU == 0 || l.GotCPU >= undisturbed {
		return ""
	}
	return fmt.Sprintf(", while other programs left this run only %s of the core", percent(l.GotCPU))
}

// ofProcessorTime is what a disturbed core would have done without the others.
func ofProcessorTime(s *figures.Size, l *figures.Load) string {
	if s.PerCPU == 0 || while(l) == "" {
		return ""
	}
	return fmt.Sprintf(" (%s per second of processor time)", perSecond(s.PerCPU))
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
