package main

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"

	"github.com/usher-go/usher/session"
)

// A datagram holds one packet: its kind, a key of 16 bytes, and a body.
//
//	kind           from    key     body
//	J  join        client  cookie  the player session id, 1 to 128 bytes
//	C  challenge   server  cookie  -
//	W  welcome     server  cookie  token 16, seat 4, generation 4, big-endian
//	R  refused     server  cookie  the reason, in a word
//	D  data        both    token   the game's, up to 1,183 bytes; none: still there
//	L  leave       client  token   -
//	E  ended       server  token   the cause, in a word; none: no player here
//
// The cookie says who may join: the server makes it for the address that asked,
// and a client that has none yet sends zeros. The token says who is playing: the
// server draws it for each accept. Whoever forges a sender's address gets to see
// neither, so he can neither join in that name, nor speak for a player, nor lie to
// one. Who reads along sees both: nothing here is encrypted.
//
// What answers a client whose address is unproven is never longer than what he
// sent: 17 bytes, for 18 or more to J and for 17 or more to D and L.
type packet struct {
	kind kind
	key  key
	body []byte
}

type kind byte

const (
	join      kind = 'J'
	challenge kind = 'C'
	welcome   kind = 'W'
	refused   kind = 'R'
	data      kind = 'D'
	leave     kind = 'L'
	ended     kind = 'E'
)

type key [16]byte

// is compares in constant time: how long it takes tells nothing about a prefix.
func (k key) is(other key) bool { return subtle.ConstantTimeCompare(k[:], other[:]) == 1 }

const (
	maxPacket = 1200 // bytes: fits into one IP packet on every path, as QUIC assumes
	header    = 1 + len(key{})
	maxID     = 128 // as session.ValidatePlayerSessionID
	maxWord   = 32
)

// bodies holds the shortest and the longest body of each kind.
func (k kind) bodies() (shortest, longest int, known bool) {
	switch k {
	case join:
		return 1, maxID, true
	case challenge, leave:
		return 0, 0, true
	case welcome:
		return len(key{}) + 4 + 4, len(key{}) + 4 + 4, true
	case refused, ended:
		return 0, maxWord, true
	case data:
		return 0, maxPacket - header, true
	default:
		return 0, 0, false
	}
}

// decode reads a datagram. The body is a copy. What is not exactly a packet is
// none: ok is false.
func decode(b []byte) (p packet, ok bool) {
	if len(b) < header {
		return packet{}, false
	}
	p.kind, p.key = kind(b[0]), key(b[1:header])
	shortest, longest, known := p.kind.bodies()
	if n := len(b) - header; !known || n < shortest || n > longest {
		return packet{}, false
	}
	p.body = bytes.Clone(b[header:])
	return p, true
}

// encode is what decode reads.
func (p packet) encode() []byte {
	b := make([]byte, 0, header+len(p.body))
	b = append(b, byte(p.kind))
	b = append(b, p.key[:]...)
	return append(b, p.body...)
}

// welcoming is the answer to a join that was accepted.
func welcoming(cookie, token key, ps session.PlayerSession) packet {
	body := binary.BigEndian.AppendUint32(token[:], uint32(ps.Slot))
	return packet{kind: welcome, key: cookie, body: binary.BigEndian.AppendUint32(body, ps.Generation)}
}

// welcomed reads what welcoming wrote; p is a welcome that was decoded.
func (p packet) welcomed() (token key, seat int, generation uint32) {
	rest := p.body[len(token):]
	return key(p.body[:len(token)]), int(binary.BigEndian.Uint32(rest)), binary.BigEndian.Uint32(rest[4:])
}
