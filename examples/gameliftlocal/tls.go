package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"sync"
	"time"
)

// The C++ and Unreal server SDKs speak TLS whatever the URL says, and take any
// certificate. So each connection may, on the same port.

// tlsListener accepts connections that speak TLS if their client does.
type tlsListener struct {
	net.Listener
	config *tls.Config
}

func newTLSListener(l net.Listener) (*tlsListener, error) {
	certificate, err := selfSigned()
	if err != nil {
		return nil, err
	}
	return &tlsListener{l, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}}, nil
}

func (l *tlsListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &eitherConn{Conn: conn, config: l.config}, nil
}

// eitherConn finds out by its first byte whether it is TLS.
type eitherConn struct {
	net.Conn // as accepted
	config   *tls.Config

	once   sync.Once
	speaks net.Conn // what is read and written
	err    error
}

// handshakeRecord is the first byte of TLS, and never that of HTTP.
const handshakeRecord = 0x16

func (c *eitherConn) decide() {
	first := make([]byte, 1)
	if _, c.err = io.ReadFull(c.Conn, first); c.err != nil {
		return
	}
	c.speaks = &prefixedConn{c.Conn, io.MultiReader(bytes.NewReader(first), c.Conn)}
	if first[0] == handshakeRecord {
		c.speaks = tls.Server(c.speaks, c.config)
	}
}

func (c *eitherConn) Read(p []byte) (int, error) {
	if c.once.Do(c.decide); c.err != nil {
		return 0, c.err
	}
	return c.speaks.Read(p)
}

func (c *eitherConn) Write(p []byte) (int, error) {
	if c.once.Do(c.decide); c.err != nil {
		return 0, c.err
	}
	return c.speaks.Write(p)
}

// prefixedConn is a connection of which something has been read already.
type prefixedConn struct {
	net.Conn
	reader io.Reader
}

func (c *prefixedConn) Read(p []byte) (int, error) { return c.reader.Read(p) }

// selfSigned is a certificate that nobody has reason to trust.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "gameliftlocal"},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0), // one is made at each start
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
