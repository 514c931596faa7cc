package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
)

// client is a player's side, with a socket of its own.
type client struct {
	socket    *net.UDPConn
	transport *quic.Transport
	conn      *quic.Conn
	stream    *quic.Stream
	answers   *bufio.Reader
}

// dial connects, and says nothing yet. The client is to be closed.
func dial(ctx context.Context, server net.Addr, trusted *x509.CertPool) (*client, error) {
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	c := &client{socket: socket, transport: &quic.Transport{Conn: socket}}
	c.conn, err = c.transport.Dial(ctx, server,
		&tls.Config{RootCAs: trusted, ServerName: serverName, NextProtos: []string{protocol}, MinVersion: tls.VersionTLS13},
		&quic.Config{HandshakeIdleTimeout: 10 * time.Second})
	if err != nil {
		c.kill()
		return nil, err
	}
	c.stream, err = c.conn.OpenStreamSync(ctx)
	if err != nil {
		c.close()
		return nil, err
	}
	c.answers = bufio.NewReader(c.stream)
	return c, nil
}

// join says the player session id, and returns the server's welcome.
func (c *client) join(playerSessionID string) (welcome string, err error) {
	return c.ask(playerSessionID)
}

// ask sends a line and returns the answer. When the server has closed the
// connection, the error is a *quic.ApplicationError that says why.
func (c *client) ask(line string) (answer string, err error) {
	if _, err = io.WriteString(c.stream, line+"\n"); err == nil {
		answer, err = c.answers.ReadString('\n')
	}
	return strings.TrimSuffix(answer, "\n"), err
}

// over waits until the server has closed the connection, and returns why.
func (c *client) over(ctx context.Context) (*quic.ApplicationError, error) {
	select {
	case <-c.conn.Context().Done():
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	var closed *quic.ApplicationError
	if err := context.Cause(c.conn.Context()); !errors.As(err, &closed) {
		return nil, fmt.Errorf("not closed by the server: %w", err)
	}
	return closed, nil
}

// close says good-bye to the server.
func (c *client) close() {
	_ = c.conn.CloseWithError(0, "")
	c.kill()
}

// kill closes the socket, without a word to the server.
func (c *client) kill() {
	c.socket.Close()
	c.transport.Close()
}
