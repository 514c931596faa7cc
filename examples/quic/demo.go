package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

const (
	gameSession = "quic-demo"
	seats       = 3
	patience    = time.Second     // in a game, rather five
	silence     = 2 * time.Second // in a game, rather ten
	window      = 3 * time.Second // for a dropped player's return
)

// demo plays backend, players and a stranger against a server in the same process,
// over real sockets, and checks that each of them gets what is due.
type demo struct {
	*server
	socket  *net.UDPConn
	cert    tls.Certificate
	trusted *x509.CertPool
	out     io.Writer
	began   time.Time
	ids     map[string]string  // by player
	clients map[string]*client // by player
}

func newDemo(out io.Writer) (*demo, error) {
	cert, trusted, err := selfSigned(time.Now())
	if err != nil {
		return nil, err
	}
	table, err := slot.NewTable(slot.Config{ReconnectWindow: window})
	if err != nil {
		return nil, err
	}
	err = table.CreateGameSession(session.GameSession{GameSessionID: gameSession, MaximumPlayerSessionCount: seats})
	if err != nil {
		return nil, errors.Join(err, table.Close())
	}
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, errors.Join(err, table.Close())
	}
	return &demo{
		server: newServer(table, patience, silence), socket: socket, cert: cert, trusted: trusted,
		out: out, began: time.Now(), ids: make(map[string]string), clients: make(map[string]*client),
	}, nil
}

// play serves until the story is over.
func (d *demo) play(ctx context.Context) error {
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- d.serve(serving, d.socket, d.cert) }()
	err := d.story(ctx)
	for _, c := range d.clients {
		c.close()
	}
	stop()
	err = errors.Join(err, <-served)
	if err == nil {
		s := d.table.Stats()
		d.title(fmt.Sprintf("The server has stopped: %d reserved, %d accepted, %d returned, %d completed.",
			s.ReservedTotal, s.AcceptedTotal, s.ReturnedTotal, s.CompletedTotal))
	}
	return errors.Join(err, d.table.Close())
}

func (d *demo) story(ctx context.Context) error {
	for _, chapter := range []func(context.Context) error{d.joining, d.refusing, d.dropping, d.ending} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) joining(ctx context.Context) error {
	d.title(fmt.Sprintf("A QUIC server of %d seats, at %v. Players join.", seats, d.socket.LocalAddr()))
	for _, player := range []string{"ann", "bea"} {
		if err := d.reserve(player); err != nil {
			return err
		}
		if err := d.join(ctx, player, "connects and says the id"); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) refusing(ctx context.Context) error {
	d.title("Nobody else gets in. To a stranger, an unknown id and none look the same.")
	return errors.Join(
		d.isRefused(ctx, "shows ann's id", d.ids["ann"]+"\n", "already_active"),
		d.isRefused(ctx, "invents an id", session.NewPlayerSessionID()+"\n", "not_found"),
		d.isRefused(ctx, "has none", "let me in\n", "not_found"),
		d.isRefused(ctx, "says nothing", "", wordHandshakeTimeout))
}

func (d *demo) dropping(ctx context.Context) error {
	d.title(fmt.Sprintf("A connection that is silent for %s is gone. Its player has %s to return.", silence, window))
	d.clients["bea"].kill()
	d.say("bea", "is killed", "without a good-bye")
	err := d.await(ctx, func() bool {
		deadline, err := d.table.Deadline(d.ids["bea"])
		return err == nil && !deadline.IsZero()
	})
	if err != nil {
		return err
	}
	d.say("server", "has not heard of bea", "dropped: the seat waits")
	if err := d.join(ctx, "bea", "returns with the same id"); err != nil {
		return err
	}
	if answer, err := d.clients["ann"].ask("hello"); err != nil || answer != "hello" {
		return errors.Join(fmt.Errorf("ann was answered %q", answer), err)
	}
	d.say("ann", "was quiet, but there", "and is still")
	return nil
}

func (d *demo) ending(ctx context.Context) error {
	d.title("When a player session ends, so does the connection, and it says why.")
	began := time.Now()
	if err := d.door.RemovePlayerSession(d.ids["ann"]); err != nil {
		return err
	}
	if err := d.isOver(ctx, d.clients["ann"], "released"); err != nil {
		return err
	}
	d.say("operator", "releases ann's player session",
		fmt.Sprintf("closed after %s: %#x released", time.Since(began).Round(10*time.Microsecond), codeOf("released")))
	if _, err := d.clients["bea"].ask("quit"); err == nil {
		return errors.New("bea quit, and was answered")
	}
	if err := d.isOver(ctx, d.clients["bea"], "released"); err != nil {
		return err
	}
	d.say("bea", "quits", "seat 1 is free at once")
	return nil
}

func (d *demo) reserve(player string) error {
	ps, err := d.table.Reserve(slot.Reservation{GameSessionID: gameSession, PlayerID: player})
	if err != nil {
		return err
	}
	d.ids[player] = ps.PlayerSessionID
	d.say("backend", "reserves a seat for "+player, session.Redact(ps.PlayerSessionID))
	return nil
}

// join lets a player join, with a new client.
func (d *demo) join(ctx context.Context, player, what string) error {
	c, err := dial(ctx, d.socket.LocalAddr(), d.trusted)
	if err != nil {
		return err
	}
	d.clients[player] = c
	welcome, err := c.join(d.ids[player])
	if err != nil {
		return fmt.Errorf("%s: %w", player, err)
	}
	ps, err := d.table.Lookup(d.ids[player])
	d.say(player, what, fmt.Sprintf("%s, generation %d", welcome, ps.Generation))
	return err
}

func (d *demo) isRefused(ctx context.Context, what, says, want string) error {
	c, err := dial(ctx, d.socket.LocalAddr(), d.trusted)
	if err != nil {
		return err
	}
	defer c.close()
	if _, err := io.WriteString(c.stream, says); err != nil {
		return err
	}
	if err := d.isOver(ctx, c, want); err != nil {
		return fmt.Errorf("mallory %s: %w", what, err)
	}
	d.say("mallory", what, fmt.Sprintf("closed: %#x %s", codeOf(want), want))
	return nil
}

func (d *demo) isOver(ctx context.Context, c *client, want string) error {
	closed, err := c.over(ctx)
	if err != nil {
		return err
	}
	if closed.ErrorCode != codeOf(want) || closed.ErrorMessage != want || !closed.Remote {
		return fmt.Errorf("closed with %w instead of %s", closed, want)
	}
	return nil
}

func (d *demo) await(ctx context.Context, happened func() bool) error {
	for !happened() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

func (d *demo) title(text string) { fmt.Fprintf(d.out, "\n%s\n", text) }

func (d *demo) say(who, what, result string) {
	fmt.Fprintf(d.out, "%6.3fs  %-8s  %-42s  %s\n", time.Since(d.began).Seconds(), who, what, result)
}
