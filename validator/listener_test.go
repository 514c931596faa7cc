package validator_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// patience only bounds a hang.
const patience = 30 * time.Second

// gate is a listener on the loopback interface that is closed when the test ends.
func gate(t testing.TB, table *slot.Table, c validator.ListenerConfig) *validator.Listener {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return gateAt(t, table, inner, c)
}

func gateAt(t testing.TB, table *slot.Table, inner net.Listener, c validator.ListenerConfig) *validator.Listener {
	t.Helper()
	l := validator.New(table, validator.Config{}).NewListener(inner, c)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// dial connects to a gate, and hangs up when the test ends.
func dial(t testing.TB, l net.Listener) net.Conn {
	t.Helper()
	conn, err := net.Dial(l.Addr().Network(), l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	return conn
}

func send(t testing.TB, conn io.Writer, text string) {
	t.Helper()
	_, err := io.WriteString(conn, text)
	require.NoError(t, err)
}

// answer is all that a client is told before the connection is closed.
func answer(t testing.TB, conn net.Conn) string {
	t.Helper()
	text, err := io.ReadAll(conn)
	require.NoError(t, err)
	return string(text)
}

func accept(t testing.TB, l *validator.Listener) *validator.Conn {
	t.Helper()
	c, err := l.AcceptPlayer()
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func TestListener(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	l := gate(t, table, validator.ListenerConfig{})
	want := reserve(t, table, "alice")
	client := dial(t, l)
	send(t, client, want.PlayerSessionID+"\nhello\nworld\n")

	conn := accept(t, l)
	want.Status, want.Generation = session.StatusActive, 1
	require.Equal(t, want, conn.PlayerSession())
	require.Equal(t, client.LocalAddr(), conn.RemoteAddr())
	require.Equal(t, client.RemoteAddr(), conn.LocalAddr())
	lines := bufio.NewScanner(conn)
	require.True(t, lines.Scan())
	require.Equal(t, "hello", lines.Text())
	require.True(t, lines.Scan())
	require.Equal(t, "world", lines.Text())
	fmt.Fprintln(conn, "welcome")
	require.NoError(t, conn.End())
	require.Equal(t, "welcome\n", answer(t, client))
	ps, err := table.Lookup(want.PlayerSessionID)
	require.NoError(t, err)
	require.Equal(t, session.StatusCompleted, ps.Status)

	again := dial(t, l)
	send(t, again, want.PlayerSessionID+"\n")
	require.Equal(t, "refused completed\n", answer(t, again))
}
