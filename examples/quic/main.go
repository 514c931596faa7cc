// Command quic is a game server that lets players in over QUIC, with quic-go, and a
// demonstration of it: players, and somebody who is none, over real sockets.
//
// Begin with server.go, which takes the player session id off a connection. Then
// player.go sees players come and go, and codes.go says with which code a
// connection ends. The rest is the demonstration.
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
		fmt.Fprintln(os.Stderr, "quic:", err)
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
