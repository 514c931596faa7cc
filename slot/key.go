package slot

import (
	"crypto/rand"
	"encoding/binary"
	"hash/maphash"
	"math/bits"

	"github.com/usher-go/usher/session"
)

// key is what a player session id is found by: 128 bits, so evenly spread that
// the first of them choose the stripe and the place in it.
type key struct{ hi, lo uint64 }

// keys turns ids into keys, with seeds of its own, so that nobody outside the
// process can choose ids that fall together.
type keys struct {
	seed  [6]uint64
	alias [2]maphash.Seed
}

func newKeys() keys {
	ks := keys{alias: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	for i := range ks.seed {
		var random [8]byte
		_, _ = rand.Read(random[:]) // never fails; it ends the program instead
		ks.seed[i] = binary.NativeEndian.Uint64(random[:]) | 1
	}
	return ks
}

// of returns the key of an id. A canonical "psess-<uuid>" in lower case is its
// 128 bits, mixed; that mixing can be undone, so the text need not be kept. Any
// other valid id is an alias: its key is a seeded hash, and since two texts
// might share one, whoever finds a record by it compares the text as well.
func (ks *keys) of(id string) (k key, alias, ok bool) {
	if hi, lo, ok := parseCanonical(id); ok {
		return ks.mix(hi, lo), false, true
	}
	k, ok = ks.ofAlias(id)
	return k, true, ok
}

// ofAlias is that for an id that is not canonical.
func (ks *keys) ofAlias(id string) (k key, ok bool) {
	if session.ValidatePlayerSessionID(id) != nil {
		return key{}, false
	}
	return key{maphash.String(ks.alias[0], id), maphash.String(ks.alias[1], id)}, true
}

// mix is two rounds of a Feistel network, each half changed by products of the
// other with secret numbers. Both rounds are needed, and a second product in the
// last: after one alone, ids that differ in one half would crowd.
func (ks *keys) mix(hi, lo uint64) key {
	lo ^= fold(hi^ks.seed[0], ks.seed[1])
	hi ^= fold(fold(lo^ks.seed[2], ks.seed[3])^ks.seed[4], ks.seed[5])
	return key{hi, lo}
}

func (ks *keys) unmix(k key) (hi, lo uint64) {
	hi = k.hi ^ fold(fold(k.lo^ks.seed[2], ks.seed[3])^ks.seed[4], ks.seed[5])
	lo = k.lo ^ fold(hi^ks.seed[0], ks.seed[1])
	return hi, lo
}

// id returns the text of the id that v was reserved under.
func (ks *keys) id(v *view) string {
	if v.alias() {
		return v.aliasText()
	}
	return formatCanonical(ks.unmix(v.key))
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

const (
	prefix       = "psess-"
	canonicalLen = len(prefix) + 36
)

// parseCanonical reads "psess-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", eight hex
// digits at a time: a digit at a time takes three times as long. Of sixteen digits
// the first eight are each byte's high half and the others its low half, and the
// first digit is in the lowest byte, which is the fewest instructions; nobody but
// putCanonical has to know.
func parseCanonical(id string) (hi, lo uint64, ok bool) {
	if len(id) != canonicalLen || id[:6] != prefix || id[14] != '-' || id[19] != '-' || id[24] != '-' || id[29] != '-' {
		return 0, 0, false
	}
	a, badA := hexValues(load8(id, 6))
	b, badB := hexValues(load4(id, 15) | load4(id, 20)<<32)
	c, badC := hexValues(load4(id, 25) | load4(id, 30)<<32)
	d, badD := hexValues(load8(id, 34))
	return a<<4 | b, c<<4 | d, (badA|badB|badC|badD)&highHalf == 0
}

// load4 and load8 are little-endian. The compiler makes one instruction of each, of
// load8 only since it is written out.
func load4(s string, i int) uint64 {
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24
}

func load8(s string, i int) uint64 {
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
		uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
}

const (
	eachByte = 0x0101010101010101
	lowHalf  = 0x0f * eachByte
	highHalf = 0xf0 * eachByte
)

// hexValues reads eight hex digits, a byte each. All are lower-case ones if no high
// half of a byte of bad has a bit: of x, since it is below 16; and of what else bad
// is, since no letter comes before 'a' and no other digit after '9'. What goes below
// zero in one byte borrows from the next, but has such a bit itself.
func hexValues(text uint64) (x, bad uint64) {
	letters := text >> 6 & eachByte
	x = text - '0'*eachByte - letters*('a'-10-'0')
	return x, x | (text - ('9'-15)*eachByte - letters*('a'-('9'-15)))
}

// hexDigits writes eight numbers below 16, a byte each, as hex digits.
func hexDigits(x uint64) uint64 {
	letters := (x + 6*eachByte) >> 4 & eachByte
	return x + '0'*eachByte + letters*('a'-'9'-1)
}

// formatCanonical is parseCanonical backwards.
func formatCanonical(hi, lo uint64) string {
	var text [canonicalLen]byte
	putCanonical(&text, hi, lo)
	return string(text[:])
}

// putCanonical is formatCanonical into memory of the caller's.
func putCanonical(text *[canonicalLen]byte, hi, lo uint64) {
	copy(text[:], prefix)
	text[14], text[19], text[24], text[29] = '-', '-', '-', '-'
	a, b := hexDigits(hi>>4&lowHalf), hexDigits(hi&lowHalf)
	c, d := hexDigits(lo>>4&lowHalf), hexDigits(lo&lowHalf)
	binary.LittleEndian.PutUint64(text[6:], a)
	binary.LittleEndian.PutUint32(text[15:], uint32(b))
	binary.LittleEndian.PutUint32(text[20:], uint32(b>>32))
	binary.LittleEndian.PutUint32(text[25:], uint32(c))
	binary.LittleEndian.PutUint32(text[30:], uint32(c>>32))
	binary.LittleEndian.PutUint64(text[34:], d)
}

// idSource makes player session ids of a game session, sixteen at a time: to ask
// crypto/rand, and then for memory, for each was a third of a reservation.
type idSource struct {
	keys [idsAtOnce]key
	text string // the ids of all of them
	used int
}

const (
	idsAtOnce    = 16
	canonicalRaw = 16 // bytes of an id
)

// next returns a random id and its key. Each is given once.
func (s *idSource) next(ks *keys) (k key, id string) {
	if s.used %= idsAtOnce; s.used == 0 {
		s.fetch(ks)
	}
	k, id = s.keys[s.used], s.text[s.used*canonicalLen:][:canonicalLen]
	s.used++
	return k, id
}

// coming returns the key that next will return, if that is known.
func (s *idSource) coming() (k key, ok bool) {
	if s.used == idsAtOnce {
		return key{}, false
	}
	return s.keys[s.used], true
}

// fetch makes UUIDs of version 4.
func (s *idSource) fetch(ks *keys) {
	var random [idsAtOnce * canonicalRaw]byte
	_, _ = rand.Read(random[:]) // never fails: it ends the process instead
	var text [idsAtOnce * canonicalLen]byte
	for i := range s.keys {
		raw := random[i*canonicalRaw:]
		hi := binary.LittleEndian.Uint64(raw)&^(0xf<<32) | 4<<32 // version 4: the 13th digit
		lo := binary.LittleEndian.Uint64(raw[8:])&^(3<<6) | 2<<6 // its variant: the 17th
		putCanonical((*[canonicalLen]byte)(text[i*canonicalLen:]), hi, lo)
		s.keys[i] = ks.mix(hi, lo)
	}
	s.text = string(text[:])
}
