package validator

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// farewell is how long a handler has, when the player session has ended and its
// context is cancelled, to say goodbye on a hijacked connection.
const farewell = 20 * time.Millisecond

// visit is a player's request, and the connection if the handler hijacks it.
type visit struct {
	guests *guests
	guest  *guest // set before the handler runs
	cancel context.CancelCauseFunc

	mu    sync.Mutex // protects the rest
	conn  *Conn      // nil: not hijacked
	ended error      // the player session is not this visit's any more
	over  bool       // the handler has returned
}

// end is called when the player session ends elsewhere.
func (v *visit) end(why error) {
	v.cancel(why)
	v.mu.Lock()
	v.ended = why
	conn, over := v.conn, v.over
	v.mu.Unlock()
	if conn == nil {
		return
	}
	if !over {
		time.Sleep(farewell)
	}
	conn.end(why)
}

// returned says that the handler has neither panicked nor ended its goroutine.
func (v *visit) returned() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.over = true
}

// leave is called when the handler is through. A connection that it hijacked goes
// on, unless it panicked: then nobody may be left to close it.
func (v *visit) leave() {
	v.mu.Lock()
	conn, over := v.conn, v.over
	v.mu.Unlock()
	switch {
	case conn == nil:
		_ = v.guests.dropped(v.guest) // an error says that nothing is left to drop
	case !over:
		_ = conn.Close()
	}
}

// watch returns w, or, where a connection could be hijacked, what takes note of it.
func (v *visit) watch(w http.ResponseWriter) http.ResponseWriter {
	if h := hijacker(w); h != nil {
		return &response{ResponseWriter: w, hijacker: h, visit: v}
	}
	return w
}

// hijacker finds what http.ResponseController would hijack, nil if nothing.
func hijacker(w http.ResponseWriter) http.Hijacker {
	for {
		if h, ok := w.(http.Hijacker); ok {
			return h
		}
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = wrapper.Unwrap()
	}
}

// response is a ResponseWriter whose connection can be hijacked. What else the
// one below can do is found by asserting, and by http.ResponseController.
type response struct {
	http.ResponseWriter
	hijacker http.Hijacker
	visit    *visit
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush implements http.Flusher.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError is what http.ResponseController calls.
func (w *response) FlushError() error { return http.NewResponseController(w.ResponseWriter).Flush() }

// ReadFrom lets a file be sent without copying it.
func (w *response) ReadFrom(src io.Reader) (int64, error) { return io.Copy(w.ResponseWriter, src) }

// Hijack implements http.Hijacker. What it returns reads and writes the *Conn.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	netConn, buffers, err := w.hijacker.Hijack()
	if err != nil {
		return nil, nil, err
	}
	conn := newConn(netConn, w.visit.guests)
	conn.guest = w.visit.guest
	redirect(buffers, conn)
	w.visit.hijacked(conn)
	return conn, buffers, nil
}

func (v *visit) hijacked(conn *Conn) {
	v.mu.Lock()
	v.conn = conn
	ended := v.ended
	v.mu.Unlock()
	if ended != nil {
		conn.end(ended)
	}
}

// redirect makes buffers read and write conn. The bytes that came with the request
// are still there, and still count as buffered. What goes wrong with the connection
// here, its user will learn soon enough.
func redirect(buffers *bufio.ReadWriter, conn net.Conn) {
	early, _ := buffers.Peek(buffers.Reader.Buffered())
	buffers.Reader.Reset(io.MultiReader(bytes.NewReader(slices.Clone(early)), conn))
	_, _ = buffers.Peek(len(early))
	_ = buffers.Flush()
	buffers.Writer.Reset(conn)
}
