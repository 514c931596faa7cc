// Command udp is a game server with netcode of its own, over UDP, and a
// demonstration of it: players, and somebody who is none, over real sockets.
//
// Begin with packet.go, which says what is sent, and cookie.go, which proves an
// address. Then server.go lets players in, peer.go sees them go, and audit.go
// compares them with the table. The rest is the demonstration.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "udp:", err)
		os.Exit(1)
	}
}

// run plays the demonstration. The error says what went otherwise than it should.
func run(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	d, err := newDemo(out)
	if err != nil {
		return err
	}
	return d.play(ctx)
}
