package validator_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// BenchmarkEviction is how long it takes from a Release to the moment when the
// player's own end of the connection learns of it, over loopback.
func BenchmarkEviction(b *testing.B) {
	table := newTable(b, slot.Config{})
	l := gate(b, table, validator.ListenerConfig{})
	var took time.Duration
	for b.Loop() {
		id := reserve(b, table, "alice").PlayerSessionID
		client, err := net.Dial("tcp", l.Addr().String())
		require.NoError(b, err)
		send(b, client, id+"\n")
		_, err = l.AcceptPlayer()
		require.NoError(b, err)
		began := time.Now()
		_, err = table.Release(id)
		require.NoError(b, err)
		_, err = client.Read(make([]byte, 1))
		took += time.Since(began)
		require.ErrorIs(b, err, io.EOF)
		require.NoError(b, client.Close())
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "ns/op")
}

// BenchmarkListener is a player who connects, is let in, and leaves, over loopback.
func BenchmarkListener(b *testing.B) {
	table := newTable(b, slot.Config{})
	l := gate(b, table, validator.ListenerConfig{})
	for b.Loop() {
		client, err := net.Dial("tcp", l.Addr().String())
		require.NoError(b, err)
		send(b, client, reserve(b, table, "alice").PlayerSessionID+"\n")
		conn, err := l.AcceptPlayer()
		require.NoError(b, err)
		require.NoError(b, conn.End())
		require.NoError(b, client.Close())
	}
}
