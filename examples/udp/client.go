package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

// client is a player's side. Datagrams get lost, so it asks until it is answered.
type client struct {
	conn       *net.UDPConn
	token      key
	seat       int
	generation uint32
}

// patience is how long a client waits for an answer before it asks again.
const patience = 50 * time.Millisecond

// refusedError is a refusal, with its reason.
type refusedError struct{ reason string }

func (e *refusedError) Error() string { return "refused: " + e.reason }

// dial takes a free port. The client is to be closed.
func dial(server netip.AddrPort) (*client, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(server))
	if err != nil {
		return nil, err
	}
	return &client{conn: conn}, nil
}

// close says nothing to the server.
func (c *client) close() { c.conn.Close() }

func (c *client) addr() netip.AddrPort {
	addr, _ := netip.ParseAddrPort(c.conn.LocalAddr().String())
	return addr
}

// join asks for the seat of a player session, until ctx ends. To join again asks
// for the same answer.
func (c *client) join(ctx context.Context, playerSessionID string) error {
	var cookie key // none yet
	for ctx.Err() == nil {
		c.send(packet{kind: join, key: cookie, body: []byte(playerSessionID)})
		switch p, _ := c.receive(patience); {
		case p.kind == challenge:
			cookie = p.key
		case p.kind == welcome && p.key == cookie:
			c.token, c.seat, c.generation = p.welcomed()
			return nil
		case p.kind == refused && p.key == cookie:
			return &refusedError{reason: string(p.body)}
		}
	}
	return fmt.Errorf("join: %w", context.Cause(ctx))
}

var errSilenced = errors.New("the player fell silent")

// play sends empty data until the server says why it is over, or ctx ends.
func (c *client) play(ctx context.Context) (why string, err error) {
	for ctx.Err() == nil {
		c.send(packet{kind: data, key: c.token})
		again := time.Now().Add(patience)
		for time.Now().Before(again) {
			if p, _ := c.receive(time.Until(again)); p.kind == ended && p.key == c.token {
				return string(p.body), nil
			}
		}
	}
	return "", errSilenced
}

// echo sends data of the game until it comes back.
func (c *client) echo(ctx context.Context, text string) error {
	for ctx.Err() == nil {
		c.send(packet{kind: data, key: c.token, body: []byte(text)})
		switch p, _ := c.receive(patience); {
		case p.key != c.token:
		case p.kind == data && string(p.body) == text:
			return nil
		case p.kind == ended:
			return fmt.Errorf("echo: ended: %q", p.body)
		}
	}
	return fmt.Errorf("echo: %w", context.Cause(ctx))
}

// leave gives the seat up, for good.
func (c *client) leave(ctx context.Context) error {
	for ctx.Err() == nil {
		c.send(packet{kind: leave, key: c.token})
		if p, _ := c.receive(patience); p.kind == ended && p.key == c.token {
			return nil
		}
	}
	return fmt.Errorf("leave: %w", context.Cause(ctx))
}

// send makes one attempt.
func (c *client) send(p packet) { _, _ = c.conn.Write(p.encode()) }

// receive returns the next packet, if one comes in time.
func (c *client) receive(timeout time.Duration) (p packet, ok bool) {
	_ = c.conn.SetReadDeadline(time.Now().Add(timeout))
	var buf [maxPacket]byte
	n, err := c.conn.Read(buf[:])
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		time.Sleep(timeout) // nobody listens there, which the system says at once
	}
	if err != nil {
		return packet{}, false
	}
	return decode(buf[:n])
}
