package validator

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/usher-go/usher/session"
)

const (
	// unclosed is how long a connection that has failed may wait for its Close.
	unclosed = time.Second

	// lastWords is how long TLS may say goodbye to a peer that does not read.
	lastWords = 50 * time.Millisecond
)

// Conn is the connection of a validated player. It is a [net.Conn]; all its
// methods may be called concurrently.
//
// When it is closed, the player is dropped: the seat waits for the table's
// ReconnectWindow, or is free at once if there is none. So it is a second after a
// Read or Write has failed for good (the end of the stream, a reset; not a
// deadline of yours), if Close does not come by then; the connection is closed
// then, too. Nothing reads in the background: who never reads nor writes does not
// learn that the player has gone.
//
// When the player session ends in another way, or a later connection takes it
// over, the connection is closed, and Read and Write return an [*EndedError], which
// is [net.ErrClosed] for errors.Is.
type Conn struct {
	conn   net.Conn
	guests *guests
	guest  *guest // set once it is admitted, before anyone has the Conn

	mu     sync.Mutex  // protects the rest
	rest   []byte      // came with the id; Read returns it first
	doomed *time.Timer // runs once the connection has failed; nil before
	why    error       // what Read and Write return, once the gate has closed it
	over   chan struct{}
	closed bool // and so is over
}

func newConn(c net.Conn, g *guests) *Conn {
	return &Conn{conn: c, guests: g, over: make(chan struct{})}
}

// PlayerSession returns the player session as it was accepted. What has become of
// it since, the table's Lookup tells.
func (c *Conn) PlayerSession() session.PlayerSession { return c.guest.playerSession }

// NetConn returns the connection below, for what a [net.Conn] does not do. What
// fails there, this Conn does not notice, and what came in one packet with the id
// is not read there. To close it is no substitute for Close.
func (c *Conn) NetConn() net.Conn { return c.conn }

// Read reads what the client sent after its id.
func (c *Conn) Read(p []byte) (int, error) {
	if n, err := c.readRest(p); n > 0 || err != nil {
		return n, err
	}
	n, err := c.conn.Read(p)
	return n, c.judge(err)
}

func (c *Conn) readRest(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := copy(p, c.rest)
	if c.rest = c.rest[n:]; len(c.rest) == 0 {
		c.rest = nil
	}
	return n, c.why
}

// Write writes to the client.
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.conn.Write(p)
	return n, c.judge(err)
}

// judge looks at what a Read or Write returned, and returns what its caller is
// told.
func (c *Conn) judge(err error) error {
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why != nil {
		return c.why
	}
	if !c.closed && c.doomed == nil && !timedOut(err) {
		c.doomed = time.AfterFunc(unclosed, c.lapse)
	}
	return err
}

// timedOut reports whether err is a deadline's, so that the connection may still
// be good. The kernel's ETIMEDOUT is none, although it says so: that is how
// keep-alive reports a peer that is gone.
func timedOut(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout() && !errors.Is(err, syscall.ETIMEDOUT)
}

// Close closes the connection and drops the player. Later calls do nothing, and
// it never ends what a later connection of the same player has taken over.
func (c *Conn) Close() error {
	if !c.shut(nil) {
		return nil
	}
	_ = c.guests.dropped(c.guest) // an error says that nothing is left to drop
	return c.conn.Close()
}

// End is Close for a player who has left for good: the player session is over, as
// by RemovePlayerSession, and the seat is free at once. After Close it still ends
// the wait for the player's return, unless the player is back already.
//
// Errors: those of RemovePlayerSession, and of Close.
func (c *Conn) End() error {
	err := c.guests.left(c.guest)
	return errors.Join(err, c.Close())
}

// end is called when the player session is not this connection's any more, and
// may be so before guest is set.
func (c *Conn) end(why error) {
	if c.shut(why) {
		hangUp(c.conn)
	}
}

// lapse drops the player of a connection that nobody closes.
func (c *Conn) lapse() {
	if c.shut(&EndedError{session.CauseDropped}) {
		_ = c.guests.dropped(c.guest)
		hangUp(c.conn)
	}
}

// shut reports whether this is the first call.
func (c *Conn) shut(why error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.closed, c.why, c.rest = true, why, nil
	if c.doomed != nil {
		c.doomed.Stop()
	}
	close(c.over)
	return true
}

// hangUp closes a connection, and does not wait for long until its peer has read
// TLS's last words.
func hangUp(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		defer time.AfterFunc(lastWords, func() { _ = t.NetConn().Close() }).Stop()
	}
	_ = c.Close()
}

// LocalAddr returns the address of the server's end.
func (c *Conn) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// RemoteAddr returns the address of the client's end.
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// SetDeadline sets both deadlines, as a [net.Conn] does.
func (c *Conn) SetDeadline(t time.Time) error { return c.conn.SetDeadline(t) }

// SetReadDeadline sets the deadline of Read. To miss it drops nobody.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.conn.SetReadDeadline(t) }

// SetWriteDeadline sets the deadline of Write. To miss it drops nobody.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.conn.SetWriteDeadline(t) }
