//go:build unix

package validator

import (
	"net"
	"syscall"
)

// hasUnread tells whether a client has sent something that nobody has read yet.
func hasUnread(conn net.Conn) bool {
	for conn != nil {
		if socket, ok := conn.(syscall.Conn); ok {
			return peeks(socket)
		}
		outer, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return false
		}
		conn = outer.NetConn()
	}
	return false
}

func peeks(socket syscall.Conn) bool {
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	n := 0
	err = raw.Control(func(fd uintptr) { // not Read, which waits for whoever is reading
		n, _, _ = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK) // it does not block: no socket of Go's does
	})
	return err == nil && n > 0
}
