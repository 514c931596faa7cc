// Command arena is a small game in the browser, and the whole life of a seat: a
// lobby reserves it, a WebSocket that comes through the gate takes it, a tab that
// drops leaves it waiting, and an operator watches and kicks.
//
//	go -C examples/arena run .
//
// README.md says what to try, and in which order to read.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
)

const (
	exitFailed = 1
	exitUsage  = 2

	maxSeats = 64 // each player is sent all the others, 20 times a second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process, whatever it is at
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

type options struct {
	listen, ops string
	seats       int
	timeout     time.Duration // of reservations
	window      time.Duration // for a dropped player's return
	grace       time.Duration // for those who play while it drains
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (exit int) {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return exitUsage
	}
	lines := zerolog.ConsoleWriter{Out: stderr, NoColor: true, TimeFormat: time.TimeOnly}
	log := zerolog.New(zerolog.SyncWriter(lines)).With().Timestamp().Logger().Level(zerolog.InfoLevel)
	s, err := start(o, log)
	if err != nil {
		fmt.Fprintln(stderr, "arena:", err)
		return exitFailed
	}
	fmt.Fprintf(stdout, "play:    %s\noperate: %sops\n", link(s.players.Addr()), link(s.operator.Addr()))
	fmt.Fprintln(stdout, "Ctrl-C drains it, a second one ends it.")
	if err := s.serve(ctx); err != nil {
		fmt.Fprintln(stderr, "arena:", err)
		return exitFailed
	}
	return 0
}

// link can be clicked on this machine.
func link(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if net.ParseIP(host).IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port) + "/"
}

// parse says itself what is wrong with the flags.
func parse(args []string, stderr io.Writer) (options, error) {
	o := options{grace: 10 * time.Second}
	flags := flag.NewFlagSet("arena", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.listen, "listen", "127.0.0.1:0", "where the players connect; port 0 is any free one")
	flags.StringVar(&o.ops, "ops", "127.0.0.1:0", "where the operator's page is, a loopback address")
	flags.IntVar(&o.seats, "max", 8, fmt.Sprintf("seats, 1 to %d", maxSeats))
	flags.DurationVar(&o.timeout, "reservation-timeout", time.Minute, "how long a reservation waits for its player")
	flags.DurationVar(&o.window, "reconnect", 20*time.Second, "how long a dropped player's seat waits for the return; 0: not at all")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if err := o.validate(flags.Args()); err != nil {
		fmt.Fprintf(stderr, "arena: %v (-h tells more)\n", err)
		return options{}, err
	}
	return o, nil
}

// patience is how long a seat waits for a player of a status, who is not connected.
func (o *options) patience(s session.Status) time.Duration {
	if s == session.StatusReserved {
		return o.timeout
	}
	return o.window
}

func (o *options) validate(args []string) error {
	switch {
	case len(args) > 0:
		return fmt.Errorf("there are no arguments, only flags: %q", args[0])
	case o.seats < 1 || o.seats > maxSeats:
		return fmt.Errorf("-max %d: let it be 1 to %d", o.seats, maxSeats)
	case o.timeout <= 0:
		return fmt.Errorf("-reservation-timeout %s is none, let it be positive", o.timeout)
	case o.window < 0:
		return fmt.Errorf("-reconnect %s is negative", o.window)
	}
	return nil
}
