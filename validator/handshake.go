package validator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	"github.com/usher-go/usher/session"
)

const (
	// maxLine is how long the line with an id may be, its end included. The
	// longest id takes 128 bytes.
	maxLine = 136

	// firstRead has room for the line, and for what a client sends with it.
	firstRead = 512

	// maxDiscarded bounds what is read of a client that is refused, so that it
	// gets to read why: what stays unread resets the connection.
	maxDiscarded = 64 << 10
)

// readLine is the handshake if there is no other: one line, which ends with \n or
// \r\n. It returns what came behind it as well. A line that is too long, or that
// the client ends by closing, is returned as no id; without any byte, io.EOF.
func readLine(conn net.Conn) (playerSessionID string, rest []byte, err error) {
	read := make([]byte, 0, firstRead)
	for {
		n, err := conn.Read(read[len(read):cap(read)])
		fresh := read[len(read) : len(read)+n]
		end := len(read) + bytes.IndexByte(fresh, '\n')
		found := end >= len(read)
		read = read[:len(read)+n]
		switch {
		case found && end < maxLine:
			return string(bytes.TrimSuffix(read[:end], []byte{'\r'})), read[end+1:], nil
		case found || len(read) >= maxLine, len(read) > 0 && errors.Is(err, io.EOF):
			return "", nil, nil
		case err != nil:
			return "", nil, err
		}
	}
}

// handshakeError is a connection that showed no id.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string {
	return fmt.Sprintf("validator: the handshake brought no player session id: %v", e.err)
}

// Unwrap makes it as good as a malformed id.
func (e *handshakeError) Unwrap() []error { return []error{session.ErrInvalidPlayerSessionID, e.err} }

// wasLate reports whether err is a handshake that took too long.
func wasLate(err error) bool {
	var failed *handshakeError
	return errors.As(err, &failed) && timedOut(failed.err)
}

// wasLeft reports whether err is a handshake that failed because the client had
// hung up.
func wasLeft(err error) bool {
	var failed *handshakeError
	if !errors.As(err, &failed) || timedOut(failed.err) {
		return false
	}
	var broken *net.OpError
	return errors.As(failed.err, &broken) || errors.Is(failed.err, io.EOF) ||
		errors.Is(failed.err, io.ErrClosedPipe) || errors.Is(failed.err, net.ErrClosed)
}

// writeRefusal is how a client is refused if there is no other way.
func writeRefusal(conn net.Conn, err error) {
	_, _ = fmt.Fprintln(conn, "refused", publicReason(err))
}

// partWith lets the client read what it was told, before the connection is closed.
func partWith(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, conn, maxDiscarded)
	}
}

// remoteAddr is where a connection comes from; the zero Addr for one that does not
// come over IP.
func remoteAddr(conn net.Conn) netip.Addr {
	switch addr := conn.RemoteAddr().(type) {
	case nil:
		return netip.Addr{}
	case interface{ AddrPort() netip.AddrPort }:
		return addr.AddrPort().Addr()
	default:
		parsed, _ := netip.ParseAddrPort(addr.String()) // or the zero one
		return parsed.Addr()
	}
}

// keepAlive has the kernel find out about peers that vanish.
func keepAlive(conn net.Conn) {
	for conn != nil {
		if tcp, ok := conn.(interface{ SetKeepAlive(keepalive bool) error }); ok {
			_ = tcp.SetKeepAlive(true)
			return
		}
		outer, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return
		}
		conn = outer.NetConn()
	}
}
