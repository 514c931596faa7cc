package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/usher-go/usher/bench/capacity/internal/measure"
)

// options are what the command line asks for.
type options struct {
	quick    bool
	players  int
	joinRate float64
	duration time.Duration
	bound    time.Duration
	seats    int
	output   string
}

const (
	fewestPlayers, mostPlayers = 100, 10_000_000
	mostSeats                  = 1_000_000

	// fewestJoins must be recorded at a rate, so that there is a p99.
	fewestJoins = 100
)

// parseOptions reads the command line. An error has been told to the user.
func parseOptions(args []string, stderr io.Writer) (*options, error) {
	o := new(options)
	f := flag.NewFlagSet("capacity", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.BoolVar(&o.quick, "quick", false, "a preview with small tables, in less than a minute")
	f.IntVar(&o.players, "players", 0, "measure a table of exactly this many live `players` (0: several sizes)")
	f.Float64Var(&o.joinRate, "join-rate", 0, "measure exactly this `rate` of joins per second (0: rising rates, until one is too much)")
	f.DurationVar(&o.duration, "duration", 0, "how long each rate is recorded (0: 2s, with -quick 300ms)")
	f.DurationVar(&o.bound, "p99", time.Millisecond, "a rate is kept up as long as p99 of accept and reserve stays under this `bound`")
	f.IntVar(&o.seats, "seats", 200, "players in one game session; 200 is what GameLift allows")
	f.StringVar(&o.output, "o", "report.html", "the `file` of the report; the JSON goes beside it")
	f.Usage = func() {
		fmt.Fprint(stderr, "How many players and joins per second does one core of this machine carry,\nand with how much memory?\n\n"+
			"usage: go -C bench/capacity run . [flags]\n\n")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, complain(stderr, fmt.Errorf("what is %q? there are flags only", f.Arg(0)))
	}
	if err := o.check(); err != nil {
		return nil, complain(stderr, err)
	}
	return o, nil
}

func complain(stderr io.Writer, err error) error {
	fmt.Fprintf(stderr, "capacity: %v\n", err)
	return err
}

func (o *options) check() error {
	switch {
	case o.players != 0 && (o.players < fewestPlayers || o.players > mostPlayers):
		return fmt.Errorf("-players must lie between %d and %d", fewestPlayers, mostPlayers)
	case o.joinRate < 0:
		return errors.New("-join-rate must not be negative")
	case o.duration < 0 || o.duration > time.Hour:
		return errors.New("-duration must lie between 0 and an hour")
	case o.bound <= 0:
		return errors.New("-p99 must be greater than 0")
	case o.seats < 1 || o.seats > mostSeats:
		return fmt.Errorf("-seats must lie between 1 and %d", mostSeats)
	case o.output == "" || strings.EqualFold(filepath.Ext(o.output), ".json"):
		return errors.New("-o must name the HTML file; the JSON goes beside it")
	}
	if d := o.plan().Duration; o.joinRate > 0 && o.joinRate*d.Seconds() < fewestJoins {
		return fmt.Errorf("-join-rate %g for %v is less than %d joins, too few for a p99; use -duration %v",
			o.joinRate, d, fewestJoins, time.Duration(fewestJoins/o.joinRate*float64(time.Second)).Round(time.Second)+time.Second)
	}
	return nil
}

func (o *options) plan() measure.Plan {
	p := measure.Full()
	if o.quick {
		p = measure.Quick()
	}
	if o.players > 0 {
		p.Sizes = []int{o.players}
		p.MostPerRun = o.players
	}
	if o.duration > 0 {
		p.Duration = o.duration
	}
	p.JoinRate, p.Bound, p.Seats = o.joinRate, o.bound, o.seats
	return p
}

// jsonFile is where the figures go.
func (o *options) jsonFile() string {
	return strings.TrimSuffix(o.output, filepath.Ext(o.output)) + ".json"
}
