package validator_test

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// Keep-alive is on, also where the inner listener has switched it off.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS() // for its certificate
	defer server.Close()
	trust := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	trust.ServerName = "example.com"
	for _, secure := range []bool{false, true} {
		table := newTable(t, slot.Config{})
		inner, err := (&net.ListenConfig{KeepAlive: -1}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		if secure {
			inner = tls.NewListener(inner, server.TLS)
		}
		l := gateAt(t, table, inner, validator.ListenerConfig{})
		client := dial(t, l)
		if secure {
			client = tls.Client(client, trust)
		}
		send(t, client, reserve(t, table, "alice").PlayerSessionID+"\n")
		below := accept(t, l).NetConn()
		if secure {
			below = below.(*tls.Conn).NetConn()
		}
		raw, err := below.(*net.TCPConn).SyscallConn()
		require.NoError(t, err)
		var on int
		require.NoError(t, raw.Control(func(fd uintptr) {
			on, err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
		}))
		require.NoError(t, err)
		require.Equal(t, 1, on)
	}
}
