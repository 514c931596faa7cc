package validator

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// packets is a connection that brings what was sent, cut into packets.
type packets struct {
	net.Conn
	sent []byte
	cuts []byte // how long each packet is
}

func (p *packets) Read(b []byte) (int, error) {
	if len(p.sent) == 0 {
		return 0, io.EOF
	}
	n := len(p.sent)
	if len(p.cuts) > 0 {
		n, p.cuts = min(n, int(p.cuts[0])), p.cuts[1:]
	}
	n = copy(b, p.sent[:n])
	p.sent = p.sent[n:]
	return n, nil
}

// However it is cut, the id is the first line, and nothing of the rest is lost.
func FuzzReadLine(f *testing.F) {
	f.Add([]byte("psess-1\nhello"), []byte{1, 0, 3})
	f.Add([]byte("psess-1\r\n"), []byte{8})
	f.Add(append(bytes.Repeat([]byte("x"), maxLine-1), '\n'), []byte{100, 100})
	f.Add(append(bytes.Repeat([]byte("x"), maxLine), '\n'), []byte{})
	f.Add([]byte("psess-1"), []byte{})
	f.Add([]byte{}, []byte{})
	f.Add(bytes.Repeat([]byte("x"), 3*firstRead), []byte{135})
	f.Fuzz(func(t *testing.T, sent, cuts []byte) {
		conn := &packets{sent: bytes.Clone(sent), cuts: cuts}
		id, rest, err := readLine(conn)
		line, after, found := bytes.Cut(sent, []byte("\n"))
		switch {
		case len(sent) == 0:
			require.Equal(t, io.EOF, err)
		case found && len(line) < maxLine:
			require.NoError(t, err)
			require.Equal(t, string(bytes.TrimSuffix(line, []byte("\r"))), id)
			require.Equal(t, string(after), string(rest)+string(conn.sent))
		default:
			require.NoError(t, err)
			require.Empty(t, id)
			require.Empty(t, rest)
			require.Error(t, session.ValidatePlayerSessionID(id), "and so it is refused")
		}
		require.LessOrEqual(t, len(sent)-len(conn.sent), firstRead, "no more is read than needed")
	})
}

type addr string

func (addr) Network() string  { return "other" }
func (a addr) String() string { return string(a) }

type addressed struct {
	net.Conn
	addr net.Addr
}

func (a addressed) RemoteAddr() net.Addr { return a.addr }

func TestRemoteAddr(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		addr net.Addr
		want string
	}{
		{nil, ""},
		{(*net.TCPAddr)(nil), ""},
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1}, "192.0.2.1"},
		{&net.UDPAddr{IP: net.ParseIP("2001:db8::1"), Port: 1}, "2001:db8::1"},
		{&net.UnixAddr{Name: "@", Net: "unix"}, ""},
		{addr("192.0.2.1:80"), "192.0.2.1"},
		{addr("[2001:db8::1]:80"), "2001:db8::1"},
		{addr("example.com:80"), ""},
	} {
		var want netip.Addr
		if test.want != "" {
			want = netip.MustParseAddr(test.want)
		}
		require.Equal(t, want, remoteAddr(addressed{addr: test.addr}).Unmap(), test.addr)
	}
}

func TestHandshakeError(t *testing.T) {
	t.Parallel()
	err := error(&handshakeError{io.ErrUnexpectedEOF})
	require.EqualError(t, err, "validator: the handshake brought no player session id: unexpected EOF")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorIs(t, err, session.ErrInvalidPlayerSessionID)
	require.Equal(t, "not_found", publicReason(err))
}
