package validator

import (
	"context"
	"sync"
	"time"

	"github.com/usher-go/usher/session"
)

// farewell is how long a handler has, when the player session has ended and its
// context is cancelled, to say goodbye on a hijacked connection.
const farewell = 50 * time.Millisecond

// request is one that a player came in by, and its connection if the handler hijacks
// that.
type request struct {
	guests *guests
	guest  *guest // set before the handler runs
	cancel context.CancelCauseFunc

	mu    sync.Mutex // protects the rest
	conn  *Conn      // nil: not hijacked
	ended error      // the player session is not this request's any more
	over  bool       // the handler has returned
}

// end is called when the player session ends elsewhere.
func (q *request) end(why error) {
	q.cancel(why)
	q.mu.Lock()
	q.ended = why
	conn, over := q.conn, q.over
	q.mu.Unlock()
	if conn == nil {
		return
	}
	if !over {
		time.Sleep(farewell)
	}
	conn.end(why)
}

// returned says that the handler has neither panicked nor ended its goroutine.
func (q *request) returned() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over = true
}

// leave is called when the handler is through. A connection that it hijacked goes
// on, unless it panicked: then nobody may be left to close it. One that is hijacked
// later has no player any more.
func (q *request) leave() {
	q.mu.Lock()
	conn, over := q.conn, q.over
	if q.ended == nil {
		q.ended = &EndedError{session.CauseDropped}
	}
	q.mu.Unlock()
	switch {
	case conn == nil:
		_ = q.guests.dropped(q.guest) // an error says that nothing is left to drop
	case !over:
		_ = conn.Close()
	}
}

// hijacked takes note of the handler's connection.
func (q *request) hijacked(conn *Conn) {
	q.mu.Lock()
	q.conn = conn
	ended := q.ended
	q.mu.Unlock()
	if ended != nil {
		conn.end(ended)
	}
}
