// Peers measures usher beside what a Go developer would reach for otherwise, all
// of it doing the same work in the same run:
//
//	go -C bench/peers run .          twenty minutes
//	go -C bench/peers run . -quick   one minute, and smaller tables
//
// It prints one table, in Markdown or with -json as JSON, and its progress to
// standard error. ../README.md says how to read it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := start(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func start(args []string) (err error) {
	r := &runner{sizes: []int{200, 10_000, 1_000_000}, rounds: 5, enough: 200_000, log: os.Stderr, began: time.Now(), dice: newDice()}
	for p := range min(2, runtime.NumCPU()) {
		r.procs = append(r.procs, p+1)
	}
	flags := flag.NewFlagSet("peers", flag.ExitOnError)
	flags.Func("sizes", "how many players hold a seat (200,10000,1000000)", numbers(&r.sizes, 10, 4_000_000))
	flags.Func("procs", "on how many processors to accept (1,2)", numbers(&r.procs, 1, runtime.NumCPU()))
	flags.IntVar(&r.rounds, "rounds", r.rounds, "how often to measure each contender")
	quick := flags.Bool("quick", false, "end within a minute: at most 100,000 slots, as many rounds as fit")
	asJSON := flags.Bool("json", false, "print JSON")
	storm := flags.String("storm", "", "measure no more than the storm and the growth of this `contender`, and print that as JSON: what the command runs for each")
	_ = flags.Parse(args) // exits
	if r.rounds < 1 || flags.NArg() > 0 {
		return errors.New("want at least one round, and no arguments but flags")
	}
	if !slices.Contains(r.procs, 1) {
		r.procs = append([]int{1}, r.procs...) // what the others are compared with
	}
	if *quick {
		r.budget, r.enough = 45*time.Second, 20_000
		for i, n := range r.sizes {
			r.sizes[i] = min(n, 100_000)
		}
		r.sizes = slices.Compact(r.sizes)
	}
	runtime.GOMAXPROCS(slices.Max(r.procs))
	if *storm != "" {
		return r.storm(*storm, os.Stdout)
	}
	sdk, err := connect()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sdk.close()) }()
	all, options := entrants(sdk.entrant()), variants()
	if err := r.check(all); err != nil {
		return err
	}
	if err := r.run(all, options); err != nil {
		return err
	}
	command := strings.Join(append([]string{"go -C bench/peers run ."}, args...), " ")
	report := r.report(all, options, command)
	r.progress("done")
	if *asJSON {
		return report.json(os.Stdout)
	}
	report.markdown(os.Stdout)
	return nil
}

// numbers parses a list of numbers between least and most.
func numbers(list *[]int, least, most int) func(string) error {
	return func(text string) error {
		*list = nil
		for word := range strings.SplitSeq(text, ",") {
			n, err := strconv.Atoi(strings.TrimSpace(word))
			if err != nil || n < least || n > most {
				return fmt.Errorf("want numbers from %d to %d, and commas between them", least, most)
			}
			*list = append(*list, n)
		}
		return nil
	}
}
