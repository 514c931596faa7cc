// Command capacity answers: how many players and joins per second does one core
// of this machine carry, and with how much memory? It writes a report with plots,
// and the same figures as JSON.
//
//	go -C bench/capacity run . [-quick] [-players N] [-join-rate R] [-duration D] -o report.html
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
	"github.com/usher-go/usher/bench/capacity/internal/measure"
	"github.com/usher-go/usher/bench/capacity/internal/report"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not ask
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130 // as a shell has it
)

// command is main, for tests.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) (exit int) {
	o, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage
	}
	switch err := o.run(ctx, o.plan(), commandLine(args), stdout, stderr); {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "capacity: interrupted; no report was written")
		return exitInterrupted
	case err != nil:
		fmt.Fprintf(stderr, "capacity: %v\n", err)
		return exitFailed
	}
	return 0
}

// run measures, writes the files and prints the answer.
func (o *options) run(ctx context.Context, plan measure.Plan, line string, stdout, stderr io.Writer) error {
	if err := o.writable(); err != nil {
		return err // now, and not after minutes of measuring
	}
	commit, modified := libraryVersion(ctx)
	p := newProgress(stderr)
	r, err := measure.Run(ctx, plan, p.tell)
	p.end()
	if err != nil {
		return err
	}
	r.Run.Command, r.Run.Quick = line, o.quick
	r.Run.Version, r.Run.Modified = commit, modified
	r.Answer = report.Answer(r)
	if err := o.write(r); err != nil {
		return err
	}
	if err := report.Print(stdout, r); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "\nreport: %s\nJSON:   %s\n", o.output, o.jsonFile())
	return err
}

// write writes both files, each in one step: an older report is not lost to a
// half of a new one.
func (o *options) write(r *figures.Report) error {
	var page bytes.Buffer
	if err := report.Write(&page, r, filepath.Base(o.jsonFile())); err != nil {
		return err
	}
	encoded, err := figures.Encode(r)
	if err != nil {
		return err
	}
	if err := writeFile(o.output, page.Bytes()); err != nil {
		return err
	}
	return writeFile(o.jsonFile(), encoded)
}

// writable tells whether there can be a report where it is to be.
func (o *options) writable() error {
	f, err := os.CreateTemp(filepath.Dir(o.output), ".report-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func writeFile(name string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".report-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it has its name
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
