package validator_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// state is what has become of a player session.
func state(t testing.TB, table *slot.Table, playerSessionID string) (status session.Status, dropped bool) {
	t.Helper()
	ps, err := table.Lookup(playerSessionID)
	require.NoError(t, err)
	if ps.Status != session.StatusActive {
		return ps.Status, false
	}
	deadline, err := table.Deadline(playerSessionID)
	require.NoError(t, err)
	return ps.Status, !deadline.IsZero()
}

func requireConnected(t testing.TB, table *slot.Table, playerSessionID string) {
	t.Helper()
	status, dropped := state(t, table, playerSessionID)
	require.Equal(t, session.StatusActive, status)
	require.False(t, dropped)
}

func requireDropped(t testing.TB, table *slot.Table, playerSessionID string) {
	t.Helper()
	status, dropped := state(t, table, playerSessionID)
	require.Equal(t, session.StatusActive, status)
	require.True(t, dropped)
}

func requireStatus(t testing.TB, want session.Status, table *slot.Table, playerSessionID string) {
	t.Helper()
	status, _ := state(t, table, playerSessionID)
	require.Equal(t, want, status)
}

// Whatever else ends a player session, or gives it to another connection, the gate
// closes this one.
func TestSessionEndsElsewhere(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config slot.Config
		end    func(*slot.Table, string) error
		cause  session.Cause
	}{
		"release": {cause: session.CauseReleased, end: func(table *slot.Table, id string) error {
			_, err := table.Release(id)
			return err
		}},
		"terminate": {cause: session.CauseTerminated, end: func(table *slot.Table, _ string) error {
			return table.TerminateGameSession(match)
		}},
		"replace": {cause: session.CauseReplaced, config: slot.Config{DuplicatePlayers: slot.DuplicatesReplace}, end: func(table *slot.Table, _ string) error {
			_, err := table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice"})
			return err
		}},
		"take over": {cause: session.CauseReturned, end: func(table *slot.Table, id string) error {
			_, err := table.TakeOver(id)
			return err
		}},
		"disconnect": {cause: session.CauseWindowOver, end: func(table *slot.Table, id string) error {
			return table.Disconnect(id, 1)
		}},
		"disconnect, with a window": {cause: session.CauseDropped, config: slot.Config{ReconnectWindow: time.Hour}, end: func(table *slot.Table, id string) error {
			return table.Disconnect(id, 1)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				table := newTable(t, test.config)
				l, inner := bubble(t, table, validator.ListenerConfig{})
				alice, bob := reserve(t, table, "alice").PlayerSessionID, reserve(t, table, "bob").PlayerSessionID
				conn, client := join(t, l, inner, alice)
				other, neighbour := join(t, l, inner, bob)
				read := make(chan error)
				go func() {
					_, err := conn.Read(make([]byte, 1))
					read <- err
				}()
				synctest.Wait()

				began := time.Now()
				require.NoError(t, test.end(table, alice))
				_, err := client.Read(make([]byte, 1))
				require.ErrorIs(t, err, io.EOF)
				_, writeErr := conn.Write([]byte("x"))
				_, againErr := conn.Read(make([]byte, 1))
				for _, err := range []error{<-read, writeErr, againErr} {
					var ended *validator.EndedError
					require.ErrorAs(t, err, &ended)
					require.Equal(t, test.cause, ended.Cause)
					require.ErrorIs(t, err, net.ErrClosed, "a loop ends quietly")
					require.EqualError(t, err, "validator: the player session is not this connection's any more: "+test.cause.String())
				}
				require.Zero(t, time.Since(began), "at once")

				want, err := table.Lookup(alice)
				require.NoError(t, err)
				require.NoError(t, conn.Close())
				time.Sleep(2 * time.Second)
				got, err := table.Lookup(alice)
				require.NoError(t, err)
				require.Equal(t, want, got, "there is nothing left to drop")
				if test.cause != session.CauseTerminated {
					requireConnected(t, table, bob)
					go func() { _, _ = io.WriteString(neighbour, "x") }()
					_, err = other.Read(make([]byte, 1))
					require.NoError(t, err)
				}
			})
		})
	}
}

// A hang-up is noticed by a Read or Write, and a second later if Close never comes.
func TestHangUp(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(net.Conn) error{
		"read":  func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err },
		"write": func(c net.Conn) error { _, err := c.Write([]byte("x")); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				table := newTable(t, slot.Config{ReconnectWindow: time.Hour})
				l, inner := bubble(t, table, validator.ListenerConfig{})
				id := reserve(t, table, "alice").PlayerSessionID
				conn, client := join(t, l, inner, id)
				require.NoError(t, client.Close())
				time.Sleep(time.Hour)
				requireConnected(t, table, id) // nothing reads in the background

				err := use(conn)
				require.Error(t, err)
				require.NotErrorIs(t, err, net.ErrClosed)
				time.Sleep(500 * time.Millisecond)
				require.Error(t, use(conn)) // does not put it off
				time.Sleep(499 * time.Millisecond)
				requireConnected(t, table, id)
				time.Sleep(time.Millisecond)
				synctest.Wait()
				requireDropped(t, table, id)

				var ended *validator.EndedError
				require.ErrorAs(t, use(conn), &ended)
				require.Equal(t, session.CauseDropped, ended.Cause)
				_, err = conn.NetConn().Read(nil)
				require.ErrorIs(t, err, io.ErrClosedPipe, "nothing is left open")
				require.NoError(t, conn.Close())
			})
		})
	}
}

// Close drops at once, whatever has failed before, and only once.
func TestCloseDrops(t *testing.T) {
	t.Parallel()
	for _, failed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			table := newTable(t, slot.Config{ReconnectWindow: time.Hour})
			var drops int
			defer table.Subscribe(func(e session.Event) {
				if e.Cause == session.CauseDropped {
					drops++
				}
			})()
			l, inner := bubble(t, table, validator.ListenerConfig{})
			id := reserve(t, table, "alice").PlayerSessionID
			conn, client := join(t, l, inner, id)
			if failed {
				require.NoError(t, client.Close())
				_, err := conn.Read(make([]byte, 1))
				require.ErrorIs(t, err, io.EOF)
			}
			for range 3 {
				require.NoError(t, conn.Close())
				requireDropped(t, table, id)
			}
			_, err := conn.Read(make([]byte, 1))
			require.ErrorIs(t, err, io.ErrClosedPipe)
			time.Sleep(2 * time.Second)
			synctest.Wait()
			require.Equal(t, 1, drops)
		})
	}
}

// A deadline that is missed is no hang-up.
func TestDeadlinesDropNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, slot.Config{})
		l, inner := bubble(t, table, validator.ListenerConfig{})
		id := reserve(t, table, "alice").PlayerSessionID
		conn, client := join(t, l, inner, id)

		require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Second)))
		_, err := conn.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, conn.SetWriteDeadline(time.Now().Add(time.Second)))
		_, err = conn.Write([]byte("x"))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		time.Sleep(time.Minute)
		requireConnected(t, table, id)

		require.NoError(t, conn.SetDeadline(time.Time{}))
		go func() { _, _ = io.WriteString(client, "x") }()
		_, err = conn.Read(make([]byte, 1))
		require.NoError(t, err)
	})
}

// failing is a connection whose Read fails.
type failing struct {
	net.Conn
	err error
}

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// Some errors say that they are time-outs. That of keep-alive means that the peer
// is gone.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		good bool
	}{
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, true},
		{&net.DNSError{IsTimeout: true}, true}, // another library's
		{&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ETIMEDOUT)}, false},
		{&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, false},
		{io.EOF, false},
		{errors.New("another"), false},
	} {
		synctest.Test(t, func(t *testing.T) {
			table := newTable(t, slot.Config{})
			id := reserve(t, table, "alice").PlayerSessionID
			inner := newPipes()
			l := gateAt(t, table, inner, validator.ListenerConfig{Handshake: func(net.Conn) (string, error) { return id, nil }})
			near, far := net.Pipe()
			defer near.Close()
			inner.conns <- &failing{far, test.err}
			conn := accept(t, l)
			_, err := conn.Read(make([]byte, 1))
			require.Equal(t, test.err, err)
			time.Sleep(2 * time.Second)
			if test.good {
				requireConnected(t, table, id)
			} else {
				requireStatus(t, session.StatusCompleted, table, id)
			}
		})
	}
}

// pitaya#251: a late close of the old connection removed its successor.
func TestLateCloseSparesTheSuccessor(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]func(*validator.Conn) error{
		"close": (*validator.Conn).Close,
		"end":   (*validator.Conn).End,
		"failure": func(c *validator.Conn) error {
			_, err := c.Read(make([]byte, 1))
			time.Sleep(2 * time.Second)
			if err == nil {
				return errors.New("no failure")
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				table := newTable(t, slot.Config{})
				l, inner := bubble(t, table, validator.ListenerConfig{TakeOver: true})
				id := reserve(t, table, "alice").PlayerSessionID
				old, oldClient := join(t, l, inner, id)
				successor, client := join(t, l, inner, id)
				require.EqualValues(t, 1, old.PlayerSession().Generation)
				require.EqualValues(t, 2, successor.PlayerSession().Generation)
				_, err := oldClient.Read(make([]byte, 1))
				require.ErrorIs(t, err, io.EOF)

				require.NoError(t, late(old))
				requireConnected(t, table, id)
				go func() { _, _ = io.WriteString(client, "x") }()
				_, err = successor.Read(make([]byte, 1))
				require.NoError(t, err)
				require.NoError(t, successor.Close())
				requireStatus(t, session.StatusCompleted, table, id)
			})
		})
	}
}

// A connection that has failed does not get the second it has, if the player is
// back before.
func TestReturnWithinTheSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, slot.Config{ReconnectWindow: time.Hour})
		l, inner := bubble(t, table, validator.ListenerConfig{TakeOver: true})
		id := reserve(t, table, "alice").PlayerSessionID
		old, client := join(t, l, inner, id)
		require.NoError(t, client.Close())
		_, err := old.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		successor, _ := join(t, l, inner, id)
		require.EqualValues(t, 2, successor.PlayerSession().Generation)
		time.Sleep(2 * time.Second)
		requireConnected(t, table, id)
		_, err = old.Read(make([]byte, 1))
		var ended *validator.EndedError
		require.ErrorAs(t, err, &ended)
		require.Equal(t, session.CauseReturned, ended.Cause)
	})
}

func TestEnd(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(*validator.Conn) error{
		"at once":     func(*validator.Conn) error { return nil },
		"after close": (*validator.Conn).Close,
		"twice":       (*validator.Conn).End,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				table := newTable(t, slot.Config{ReconnectWindow: time.Hour})
				l, inner := bubble(t, table, validator.ListenerConfig{})
				id := reserve(t, table, "alice").PlayerSessionID
				conn, client := join(t, l, inner, id)
				require.NoError(t, before(conn))
				require.NoError(t, conn.End())
				requireStatus(t, session.StatusCompleted, table, id)
				_, err := client.Read(make([]byte, 1))
				require.ErrorIs(t, err, io.EOF)
				_, err = conn.Read(make([]byte, 1))
				var ended *validator.EndedError
				require.NotErrorAs(t, err, &ended, "it was asked for")
			})
		})
	}
}

func TestEndOfAClosedTable(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	l := gate(t, table, validator.ListenerConfig{})
	client := dial(t, l)
	send(t, client, reserve(t, table, "alice").PlayerSessionID+"\n")
	conn := accept(t, l)
	require.NoError(t, table.Close())
	require.ErrorIs(t, conn.End(), session.ErrClosed)
	require.Empty(t, answer(t, client), "closed all the same")
	require.NoError(t, conn.Close())
}

// A player that was dropped comes back by the same gate.
func TestReturn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, slot.Config{ReconnectWindow: time.Minute})
		l, inner := bubble(t, table, validator.ListenerConfig{})
		id := reserve(t, table, "alice").PlayerSessionID
		for generation := uint32(1); generation < 4; generation++ {
			conn, _ := join(t, l, inner, id)
			require.Equal(t, generation, conn.PlayerSession().Generation)
			require.NoError(t, conn.Close())
			requireDropped(t, table, id)
			time.Sleep(59 * time.Second)
		}
		time.Sleep(2 * time.Second)
		requireStatus(t, session.StatusCompleted, table, id)
	})
}

// What came with the id is read first, however small the buffer, and is gone when
// the connection is closed.
func TestRest(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	l := gate(t, table, validator.ListenerConfig{})
	rest := strings.Repeat("0123456789", 200)
	client := dial(t, l)
	send(t, client, reserve(t, table, "alice").PlayerSessionID+"\r\n"+rest)
	conn := accept(t, l)
	n, err := conn.Read(nil)
	require.NoError(t, err)
	require.Zero(t, n)
	got, small := "", make([]byte, 7)
	for len(got) < len(rest) {
		n, err := conn.Read(small)
		require.NoError(t, err)
		got += string(small[:n])
	}
	require.Equal(t, rest, got)

	client = dial(t, l)
	send(t, client, reserve(t, table, "bob").PlayerSessionID+"\n"+rest)
	conn = accept(t, l)
	require.NoError(t, conn.Close())
	_, err = conn.Read(small)
	require.ErrorIs(t, err, net.ErrClosed)
}
