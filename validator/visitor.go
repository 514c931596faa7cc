package validator

import (
	"crypto/tls"
	"net"
	"net/netip"
	"time"
)

// visitor is a connection whose handshake is under way, or that is being refused.
type visitor struct {
	conn net.Conn

	// Protected by the lock of pending.
	timer      *time.Timer // hangs up on who is not through in time
	waits      bool        // it is pending
	known      bool        // it has shown the id of a live player session
	refused    bool        // what is left is to tell it
	hungUp     bool        // its connection is closed, and nobody comes in by it
	neighbours *crowd      // those of its address; nil if there is no bound on them
	places     [2]place    // in a queue of all, and in one of neighbours
}

// hangUp interrupts whatever is done with the connection, and returns when its
// descriptor is free. TLS says no last words.
func (v *visitor) hangUp() {
	if v == nil {
		return
	}
	conn := v.conn
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	_ = conn.Close()
}

// crowd are visitors in order of arrival. Those who have shown the id of a live
// player session stand apart.
type crowd struct {
	network netip.Prefix // they come from, if they are those of one address

	strangers, known queue
}

// Which place of a visitor a crowd uses.
const (
	ofAll = iota
	ofAddress
)

func (c *crowd) size() int { return c.strangers.size + c.known.size }

func (c *crowd) oldest() *visitor {
	if c.strangers.first != nil {
		return c.strangers.first
	}
	return c.known.first
}

// spared is for how many visitors a newcomer asks whether what they have sent is
// still to be read; more would take longer than to read it.
const spared = 8

// dispensable is whom to hang up on: the oldest, but rather one who has sent nothing
// than one whose id just has to be read.
func (c *crowd) dispensable(which int) *visitor {
	v := c.strangers.first
	for range spared {
		if v == nil {
			break
		}
		if v.refused || !hasUnread(v.conn) {
			return v
		}
		v = v.places[which].behind
	}
	return c.oldest()
}

func (c *crowd) add(v *visitor, which int) { c.queueOf(v).push(v, which) }

func (c *crowd) drop(v *visitor, which int) { c.queueOf(v).drop(v, which) }

func (c *crowd) queueOf(v *visitor) *queue {
	if v.known {
		return &c.known
	}
	return &c.strangers
}

// queue is a list that visitors are linked into by one of their places, so that
// each may leave it without a search.
type queue struct {
	first, last *visitor
	size        int
}

type place struct{ before, behind *visitor }

func (q *queue) push(v *visitor, which int) {
	v.places[which] = place{before: q.last}
	if q.last != nil {
		q.last.places[which].behind = v
	} else {
		q.first = v
	}
	q.last = v
	q.size++
}

func (q *queue) drop(v *visitor, which int) {
	at := v.places[which]
	if at.before != nil {
		at.before.places[which].behind = at.behind
	} else {
		q.first = at.behind
	}
	if at.behind != nil {
		at.behind.places[which].before = at.before
	} else {
		q.last = at.before
	}
	v.places[which] = place{}
	q.size--
}
