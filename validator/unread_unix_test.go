//go:build unix

package validator_test

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// Who has sent an id that is still to be read is not pushed out for a newcomer as
// long as there is one who has sent nothing.
func TestWhoHasSentIsSpared(t *testing.T) {
	t.Parallel()
	for name, bound := range map[string]validator.ListenerConfig{
		"all":         {MaxPending: 2, MaxPendingPerAddress: -1},
		"one address": {MaxPendingPerAddress: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := newTable(t, slot.Config{})
			bound.HandshakeTimeout = time.Hour // nobody goes for that
			pending, read := make(chan struct{}), make(chan struct{})
			bound.Handshake = func(c net.Conn) (string, error) {
				pending <- struct{}{}
				<-read
				line, err := bufio.NewReader(c).ReadString('\n')
				return strings.TrimSpace(line), err
			}
			l := gate(t, table, bound)
			come := func(line string) net.Conn {
				conn := dial(t, l)
				send(t, conn, line)
				<-pending
				return conn
			}
			alice := come(reserve(t, table, "alice").PlayerSessionID + "\n")
			silent := come("")
			require.NoError(t, silent.(*net.TCPConn).CloseWrite(), "the end of nothing is nothing, too")
			bob := come(reserve(t, table, "bob").PlayerSessionID + "\n")
			require.Empty(t, answer(t, silent), "it makes room, though alice came first")

			cem := come(reserve(t, table, "cem").PlayerSessionID + "\n")
			_, err := alice.Read(make([]byte, 1))
			require.Error(t, err, "all have sent something: the oldest makes room")
			close(read)
			requireAccepted(t, l, "bob", "cem")
			require.NoError(t, bob.Close())
			require.NoError(t, cem.Close())
		})
	}
}

func requireAccepted(t *testing.T, l *validator.Listener, players ...string) {
	t.Helper()
	var came []string
	for range players {
		conn := accept(t, l)
		came = append(came, conn.PlayerSession().PlayerID)
	}
	require.ElementsMatch(t, players, came)
}
