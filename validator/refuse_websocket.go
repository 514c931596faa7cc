package validator

import (
	"crypto/sha1" // RFC 6455 asks for it; it protects nothing
	"encoding/base64"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	// goodbyeTimeout is how long a refused WebSocket may take for its goodbye.
	goodbyeTimeout = time.Second

	// closeCodes is what a status is added to: RFC 6455 leaves the codes from
	// 4000 on to applications.
	closeCodes = 4000

	// webSocketGUID is RFC 6455's.
	webSocketGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

// RefuseWebSocket is a Refuse for a [HandlerConfig] whose clients are browsers,
// which do not show a script the status of a refused upgrade. It accepts the
// upgrade and closes the WebSocket with 4000 + the status that [Validator.Handler]
// documents, and the word of session.Reason:
//
//	socket.onclose = e => console.log(e.code, e.reason) // 4409 "already_active"
//
// A request that is no upgrade to a WebSocket gets the problem document. It returns
// when the client has closed its side too, or after a second.
func RefuseWebSocket(w http.ResponseWriter, r *http.Request, err error) {
	h := hijacker(w)
	if h == nil || !asksForWebSocket(r) {
		refuseHTTP(w, r, err)
		return
	}
	header := w.Header()
	header.Set("Connection", "Upgrade")
	header.Set("Upgrade", "websocket")
	header.Set("Sec-WebSocket-Accept", acceptKey(r.Header.Get("Sec-WebSocket-Key")))
	if protocol := offered(r); protocol != "" {
		header.Set("Sec-WebSocket-Protocol", protocol)
	}
	w.WriteHeader(http.StatusSwitchingProtocols)
	if conn, _, hijackErr := h.Hijack(); hijackErr == nil {
		goodbye(conn, closeFrame(closeCodes+statusOf(err), publicReason(err)))
	}
}

// asksForWebSocket tells whether r is a client's handshake by RFC 6455, section
// 4.2.1.
func asksForWebSocket(r *http.Request) bool {
	key, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-WebSocket-Key"))
	return r.Method == http.MethodGet && r.ProtoMajor == 1 && r.ProtoAtLeast(1, 1) &&
		names(r.Header, "Connection", "upgrade") && names(r.Header, "Upgrade", "websocket") &&
		r.Header.Get("Sec-WebSocket-Version") == "13" && err == nil && len(key) == 16
}

// names tells whether token stands in a header.
func names(h http.Header, name, token string) bool {
	return slices.ContainsFunc(h.Values(name), func(line string) bool {
		return slices.ContainsFunc(elements(line), func(e string) bool { return strings.EqualFold(e, token) })
	})
}

// offered is the subprotocol to select, since a browser that offers some gives up
// if none is. Any will do: nothing is said in it.
func offered(r *http.Request) string {
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for _, e := range elements(line) {
			if !strings.HasPrefix(e, idPrefix) {
				return e
			}
		}
	}
	return ""
}

func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + webSocketGUID))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// closeFrame is a whole frame of a server's; reason is short enough for one.
func closeFrame(code int, reason string) []byte {
	const finalClose = 0x88
	frame := []byte{finalClose, byte(2 + len(reason))}
	frame = binary.BigEndian.AppendUint16(frame, uint16(code))
	return append(frame, reason...)
}

// goodbye sends the last bytes of a connection and closes it, cleanly as far as
// that takes no longer than goodbyeTimeout: closed with bytes of the client's
// unread it would be reset, and the client might never see them.
func goodbye(conn net.Conn, last []byte) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(goodbyeTimeout))
	if _, err := conn.Write(last); err != nil {
		return
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, conn)
}
