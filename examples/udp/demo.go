package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

const (
	gameSession = "udp-demo"
	seats       = 3
	silence     = time.Second     // in a game, rather ten
	window      = 3 * time.Second // for a dropped player's return
)

// demo plays backend, players and a stranger against a server in the same process,
// over real sockets, and checks that each of them gets what is due.
type demo struct {
	*server
	out     io.Writer
	began   time.Time
	addr    netip.AddrPort
	ids     map[string]string  // by player
	clients map[string]*client // by player
}

func newDemo(out io.Writer) (*demo, error) {
	table, err := slot.NewTable(slot.Config{ReconnectWindow: window})
	if err != nil {
		return nil, err
	}
	err = table.CreateGameSession(session.GameSession{GameSessionID: gameSession, MaximumPlayerSessionCount: seats})
	if err != nil {
		return nil, errors.Join(err, table.Close())
	}
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, errors.Join(err, table.Close())
	}
	addr, err := netip.ParseAddrPort(conn.LocalAddr().String())
	return &demo{
		server: newServer(conn, table, silence), out: out, began: time.Now(), addr: addr,
		ids: make(map[string]string), clients: make(map[string]*client),
	}, err
}

// play serves until the story is over.
func (d *demo) play(ctx context.Context) error {
	serving, stop := context.WithCancel(ctx)
	served := make(chan struct{})
	go func() {
		defer close(served)
		d.serve(serving)
	}()
	err := d.story(ctx)
	stop()
	<-served
	for _, c := range d.clients {
		c.close()
	}
	if err == nil {
		s := d.table.Stats()
		d.title(fmt.Sprintf("The server has stopped: %d reserved, %d accepted, %d returned, %d completed.",
			s.ReservedTotal, s.AcceptedTotal, s.ReturnedTotal, s.CompletedTotal))
	}
	return errors.Join(err, d.table.Close())
}

func (d *demo) story(ctx context.Context) error {
	for _, chapter := range []func(context.Context) error{d.joining, d.spoofing, d.dropping, d.ending, d.auditing} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) joining(ctx context.Context) error {
	d.title(fmt.Sprintf("A UDP server of %d seats, at %v. Players join.", seats, d.addr))
	for _, player := range []string{"ann", "bea", "cem"} {
		if err := d.reserve(player); err != nil {
			return err
		}
	}
	if err := d.join(ctx, "ann", "answers the challenge"); err != nil {
		return err
	}
	token := d.clients["ann"].token
	if err := d.clients["ann"].join(ctx, d.ids["ann"]); err != nil {
		return err
	}
	if d.clients["ann"].token != token || d.table.Stats().AcceptedTotal != 1 {
		return errors.New("a join that was repeated got another answer")
	}
	d.say("ann", "joins again, as if the answer were lost", "the same answer, accepted once")
	return d.join(ctx, "cem", "answers the challenge")
}

func (d *demo) spoofing(ctx context.Context) error {
	d.title("Nobody gets in under another's address, nor with another's id.")
	bea, err := dial(d.addr)
	if err != nil {
		return err
	}
	d.clients["bea"] = bea
	bea.send(packet{kind: join, body: []byte(d.ids["bea"])})
	cookie, ok := bea.receive(time.Second)
	if !ok || cookie.kind != challenge {
		return errors.New("bea was not challenged")
	}
	d.say("bea", "asks to join, and is challenged", "a cookie for her address and id")

	mallory, err := dial(d.addr)
	if err != nil {
		return err
	}
	defer mallory.close()
	mallory.send(packet{kind: join, key: cookie.key, body: []byte(d.ids["bea"])})
	if p, _ := mallory.receive(time.Second); p.kind != challenge {
		return fmt.Errorf("a foreign cookie was answered with %q", p.kind)
	}
	d.say("mallory", "shows bea's cookie and id", "challenged in turn, nobody let in")
	err = errors.Join(
		d.isRefused(ctx, mallory, "shows ann's id", d.ids["ann"], "already_active"),
		d.isRefused(ctx, mallory, "invents an id", session.NewPlayerSessionID(), "not_found"),
		d.isRefused(ctx, mallory, "has none", "let me in", "not_found"))
	if err != nil {
		return err
	}
	return d.join(ctx, "bea", "answers her challenge")
}

func (d *demo) dropping(ctx context.Context) error {
	d.title(fmt.Sprintf("Who is silent for %s is dropped, and has %s to return.", silence, window))
	return d.whilePlaying(ctx, "ann", func() error {
		// Nothing is sent for bea and cem.
		for _, player := range []string{"bea", "cem"} {
			if err := d.isDropped(ctx, player); err != nil {
				return err
			}
		}
		d.clients["bea"].close()
		delete(d.clients, "bea")
		if err := d.join(ctx, "bea", "returns, from another port"); err != nil {
			return err
		}
		return d.whilePlaying(ctx, "bea", func() error { return d.isCompleted(ctx, "cem") })
	})
}

func (d *demo) ending(ctx context.Context) error {
	d.title("When a player session ends elsewhere, its player is told.")
	ann, told := d.clients["ann"], make(chan error, 1)
	var at time.Time
	go func() {
		why, err := ann.play(ctx)
		at = time.Now()
		if err == nil && why != session.CauseReleased.String() {
			err = fmt.Errorf("ann was told %q", why)
		}
		told <- err
	}()
	if err := d.clients["bea"].echo(ctx, "still here"); err != nil {
		return err
	}
	began := time.Now()
	if err := d.door.RemovePlayerSession(d.ids["ann"]); err != nil {
		return err
	}
	if err := <-told; err != nil {
		return err
	}
	d.say("operator", "releases ann's player session", fmt.Sprintf("ann is told \"released\" after %s", at.Sub(began).Round(10*time.Microsecond)))
	return nil
}

func (d *demo) auditing(ctx context.Context) error {
	d.title("Who is ACTIVE, and who is connected?")
	leaked, ghosts, err := d.audit(gameSession)
	if err != nil || len(leaked)+len(ghosts) > 0 {
		return errors.Join(fmt.Errorf("leaked %v, ghosts %v", leaked, ghosts), err)
	}
	d.say("operator", "audits", "bea is both, nobody is one alone")
	if err := d.reserve("dan"); err != nil {
		return err
	}
	if _, err := d.table.Activate(d.ids["dan"]); err != nil { // a mistake: nobody is connected
		return err
	}
	leaked, _, err = d.audit(gameSession)
	if err != nil || len(leaked) != 1 {
		return errors.Join(fmt.Errorf("leaked %v", leaked), err)
	}
	d.say("operator", "audits, after dan was accepted by mistake", fmt.Sprintf("leaked: %s's seat %d", leaked[0].PlayerID, leaked[0].Slot))
	if err := d.table.Disconnect(leaked[0].PlayerSessionID, leaked[0].Generation); err != nil {
		return err
	}
	if err := d.clients["bea"].leave(ctx); err != nil {
		return err
	}
	d.say("bea", "leaves, for good", "seat 1 is free at once")
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

// join lets a player join, with the client it has or with a new one.
func (d *demo) join(ctx context.Context, player, what string) error {
	c := d.clients[player]
	if c == nil {
		var err error
		if c, err = dial(d.addr); err != nil {
			return err
		}
		d.clients[player] = c
	}
	if err := c.join(ctx, d.ids[player]); err != nil {
		return fmt.Errorf("%s: %w", player, err)
	}
	d.say(player, what, fmt.Sprintf("seat %d, generation %d", c.seat, c.generation))
	return nil
}

func (d *demo) isRefused(ctx context.Context, c *client, what, id, want string) error {
	err := c.join(ctx, id)
	var r *refusedError
	if !errors.As(err, &r) || r.reason != want {
		return errors.Join(fmt.Errorf("mallory %s, and was not refused as %s", what, want), err)
	}
	d.say("mallory", what, err.Error())
	return nil
}

// whilePlaying does something while a player keeps his connection alive.
func (d *demo) whilePlaying(ctx context.Context, player string, do func() error) error {
	playing, stop := context.WithCancel(ctx)
	c, over := d.clients[player], make(chan error, 1)
	go func() {
		why, err := c.play(playing)
		if err == nil {
			over <- fmt.Errorf("%s was told %q", player, why)
			return
		}
		over <- nil
	}()
	err := do()
	stop()
	return errors.Join(err, <-over)
}

// isDropped waits until a player's seat waits.
func (d *demo) isDropped(ctx context.Context, player string) error {
	err := d.await(ctx, func() bool {
		deadline, err := d.table.Deadline(d.ids[player])
		return err == nil && !deadline.IsZero()
	})
	if err == nil {
		d.say("server", "has not heard of "+player, "dropped: the seat waits")
	}
	return err
}

func (d *demo) isCompleted(ctx context.Context, player string) error {
	err := d.await(ctx, func() bool {
		ps, err := d.table.Lookup(d.ids[player])
		return err == nil && ps.Status == session.StatusCompleted
	})
	if err == nil {
		d.say("server", "has waited for "+player+" in vain", "COMPLETED: the seat is free")
	}
	return err
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
