package validator_test

import (
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// pipes is a listener within a process, for testing/synctest.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newPipes() *pipes {
	closed := make(chan struct{})
	return &pipes{make(chan net.Conn), closed, sync.OnceFunc(func() { close(closed) })}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.close(); return nil }

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// dial connects, and hangs up when the test ends.
func (p *pipes) dial(t testing.TB) net.Conn {
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close() })
	p.conns <- far
	return near
}

// bubble is a gate on pipes.
func bubble(t testing.TB, table *slot.Table, c validator.ListenerConfig) (*validator.Listener, *pipes) {
	t.Helper()
	inner := newPipes()
	return gateAt(t, table, inner, c), inner
}

// join brings a player in and returns both ends of its connection.
func join(t testing.TB, l *validator.Listener, inner *pipes, playerSessionID string) (*validator.Conn, net.Conn) {
	t.Helper()
	client := inner.dial(t)
	send(t, client, playerSessionID+"\n")
	conn := accept(t, l)
	require.Equal(t, playerSessionID, conn.PlayerSession().PlayerSessionID)
	return conn, client
}
