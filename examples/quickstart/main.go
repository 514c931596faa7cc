// Command quickstart is a dedicated game server that holds seats for its players,
// and a demonstration of it: the backend and the players are played over real
// sockets. With -serve it is the server alone.
//
// Begin with server.go, which is made to be copied, and reserve.go, where a
// matchmaker asks for seats. The rest is the demonstration.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const usage = `Usage: quickstart [flags]

Plays a matchmaker and its players against a small dedicated game server, over
real sockets, and prints what happens: who gets a seat, who is refused and why,
who loses the connection and returns. It checks itself, and takes some seconds.

With -serve it runs the server alone, for you to try with curl and nc.

  -listen address
        where the players connect (default 127.0.0.1:0, any free port); the
        backend's port is always a free one, of the loopback interface
  -players n
        seats (default 6; the demo needs 4 to 1000)
  -reservation-timeout duration
        how long a seat is held for a player who has not come yet (default 2s,
        with -serve 1m0s); the demo takes as long, and 2s more
  -json
        print JSON lines instead of text
  -serve
        run the server until Ctrl-C, which drains it; a second one ends it

Environment:
  USHER_SECRET  with -serve, what the backend must show in order to reserve
                (default: a random one, which is printed)
  NO_COLOR      no colours, also on a terminal

Exit status: 0 all went as it should, 1 it did not, 2 the flags are wrong,
130 interrupted.
`

const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process, whatever it is at
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

type options struct {
	listen      string
	players     int
	timeout     time.Duration // of reservations
	window      time.Duration // for a dropped player's return
	grace       time.Duration // for those who play while it drains
	json, serve bool
	secret      string
	random      bool // nobody knows the secret unless it is printed
}

func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	o, err := parse(args, getenv)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "quickstart: %v (-h tells more)\n", err)
		return exitUsage
	}
	colour := isTerminal(stdout) && getenv("NO_COLOR") == "" && getenv("TERM") != "" && getenv("TERM") != "dumb"
	if o.serve {
		return runServer(ctx, o, colour, stdout, stderr)
	}
	return runDemo(ctx, o, colour, stdout, stderr)
}

func parse(args []string, getenv func(string) string) (options, error) {
	var o options
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run says it
	flags.StringVar(&o.listen, "listen", "127.0.0.1:0", "")
	flags.IntVar(&o.players, "players", 6, "")
	flags.DurationVar(&o.timeout, "reservation-timeout", 0, "")
	flags.BoolVar(&o.json, "json", false, "")
	flags.BoolVar(&o.serve, "serve", false, "")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("there are no arguments, only flags: %q", flags.Arg(0))
	}
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if o.serve {
		o.window, o.grace = 30*time.Second, 30*time.Second
		if !given["reservation-timeout"] {
			o.timeout = time.Minute
		}
		if o.secret = getenv("USHER_SECRET"); o.secret == "" {
			o.secret, o.random = rand.Text(), true
		}
	} else {
		o.window, o.grace, o.secret = 2*time.Second, 10*time.Second, rand.Text()
		if !given["reservation-timeout"] {
			o.timeout = 2 * time.Second
		}
	}
	return o, o.validate()
}

func (o *options) validate() error {
	switch {
	case o.serve && o.players < 1:
		return fmt.Errorf("-players %d is not enough, let there be 1 at least", o.players)
	case !o.serve && o.players < minPlayers:
		return fmt.Errorf("-players %d is not enough, the demo needs %d seats for its story", o.players, minPlayers)
	case !o.serve && o.players > maxPlayers:
		return fmt.Errorf("-players %d is too many, the demo plays up to %d; -serve has no such limit", o.players, maxPlayers)
	case o.timeout <= 0:
		return fmt.Errorf("-reservation-timeout %s is none, let it be positive", o.timeout)
	}
	return nil
}

// runDemo is the demo, until it has ended or ctx does.
func runDemo(ctx context.Context, o options, colour bool, stdout, stderr io.Writer) int {
	t := &timeline{out: stdout, asJSON: o.json, colour: colour, began: time.Now()}
	err := playDemo(ctx, o, t)
	t.verdict(err)
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "quickstart: interrupted")
		return exitInterrupted
	default:
		fmt.Fprintf(stderr, "quickstart: after %d steps: %v\n", t.steps, err)
		return exitFailed
	}
}

// isTerminal takes any character device for one, which is near enough for colours.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
