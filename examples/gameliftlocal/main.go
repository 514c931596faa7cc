// Command gameliftlocal is Amazon GameLift Servers on your own machine: the service
// API that backends and matchmakers call, and the WebSocket that game servers with
// a server SDK of version 5 connect to, over one table of player sessions.
//
// Begin with server.go. What becomes of a frame from a server process is in
// door.go and action.go, and which process hosts which game session in fleet.go.
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
)

const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process, whatever it is at
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run is the command until ctx ends.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	o, err := parse(args, getenv)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "%v\nTry -help.\n", err)
		return exitUsage
	}
	if err := serve(ctx, o, getenv("NO_COLOR") == "" && isTerminal(stdout), stdout); err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	return exitOK
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// serve listens, says so on stdout, and serves until ctx ends.
func serve(ctx context.Context, o options, colour bool, stdout io.Writer) error {
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("gameliftlocal: %w", err)
	}
	log := newLog(o.logFormat, colour, stdout)
	s, err := newServer(o, log)
	if err != nil {
		listener.Close()
		return err
	}
	fmt.Fprintln(stdout, "listening on", listener.Addr())
	s.greet()
	return s.serve(ctx, listener)
}
