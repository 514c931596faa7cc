package validator

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"slices"
)

// watch returns w, or, where a connection could be hijacked, what takes note of it.
func (q *request) watch(w http.ResponseWriter) http.ResponseWriter {
	if h := hijacker(w); h != nil {
		return &response{ResponseWriter: w, hijacker: h, request: q}
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
	request  *request
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
	conn := newConn(netConn, w.request.guests)
	conn.guest = w.request.guest
	redirect(buffers, conn)
	w.request.hijacked(conn)
	return conn, buffers, nil
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
