package validator

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/usher-go/usher/session"
)

// abandoned is how long a connection that has failed for good may wait for its
// Close.
const abandoned = time.Second

// Conn is the connection of a validated player.
type Conn struct {
	net.Conn
	guests *guests
	guest  *guest

	mu     sync.Mutex
	why    error
	failed *time.Timer
}

func newConn(c net.Conn, g *guests) *Conn { return &Conn{Conn: c, guests: g} }

// PlayerSession returns the player session as it was accepted.
func (c *Conn) PlayerSession() session.PlayerSession { return c.guest.playerSession }

// NetConn returns the connection below.
func (c *Conn) NetConn() net.Conn { return c.Conn }

func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, c.judge(err)
}

func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	return n, c.judge(err)
}

func (c *Conn) judge(err error) error {
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why != nil {
		return c.why
	}
	if c.failed == nil {
		c.failed = time.AfterFunc(abandoned, func() { _ = c.guests.dropped(c.guest) })
	}
	return err
}

func (c *Conn) end(why error) {
	c.mu.Lock()
	c.why = why
	c.mu.Unlock()
	_ = c.Conn.Close()
}

// Close closes the connection and drops the player.
func (c *Conn) Close() error {
	err := c.Conn.Close()
	_ = c.guests.dropped(c.guest)
	return err
}

// End closes the connection of a player who has left for good.
func (c *Conn) End() error {
	err := c.guests.left(c.guest)
	return errors.Join(err, c.Close())
}
