package report

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

// Print writes the answer and a compact table.
func Print(w io.Writer, r *figures.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	// What is written to t is kept until Flush, which has the error of all.
	fmt.Fprintf(w, "%s\n\n", r.Answer)
	fmt.Fprintln(t, "live slots\tB/slot\tfull GC\tback to back\tsustained\tat rest\taccept p50\tp99\tp99.9\treserve p50\tp99\tCPU it got\t")
	for i := range r.Sizes {
		s := &r.Sizes[i]
		sustained := "none"
		if l := s.Sustained(); l != nil {
			sustained = perSecond(l.Rate) + "/s"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s/s\t%s\t", count(s.Slots), plain(s.Memory.PerSlot), duration(s.Collection.Cycle), perSecond(s.Ceiling), sustained)
		if l := s.Rest(); l != nil {
			fmt.Fprintf(t, "%s/s\t%s\t%s\t%s\t%s\t%s\t%s\t", perSecond(l.Rate), duration(l.Accept.P50), duration(l.Accept.P99), duration(l.Accept.P999),
				duration(l.Reserve.P50), duration(l.Reserve.P99), percent(l.GotCPU))
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return printRest(w, r)
}

// printRest writes storms and cores.
func printRest(w io.Writer, r *figures.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	if len(r.Storms) > 0 {
		fmt.Fprintln(t, "\nstorm of\ton\tlasts\tper expiry\taccept p50\tp99\tp99.9\treserve p50\tp99\t")
	}
	for i := range r.Storms {
		s := &r.Storms[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", count(s.Expiring), plural(s.Cores, "core"), duration(s.Window), duration(s.Each),
			duration(s.Accept.P50), duration(s.Accept.P99), duration(s.Accept.P999), duration(s.Reserve.P50), duration(s.Reserve.P99))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if len(r.Cores) > 0 {
		fmt.Fprintf(w, "\nback to back, %s slots:\n", count(r.Cores[0].Slots))
		fmt.Fprintln(t, "cores\taccepts\tjoins\t")
	}
	for i := range r.Cores {
		c := &r.Cores[i]
		fmt.Fprintf(t, "%d\t%s/s\t%s/s\t\n", c.Cores, perSecond(c.Accepts), perSecond(c.Joins))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}
