package measure

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/session"
)

// CheckedFloor is the floor under an accept that admits nobody by accident: Floor, and
// what a table has to look at besides. Every character of the id is checked, and a secret
// decides where the record stands; the table is open, the game session is not over, the
// player is RESERVED and his deadline has not passed. Accepts are counted. Texts are
// found by number, so that the garbage collector has nothing to follow for each player.
//
// It has no aliases, reconnects, events, log or history, and no validator before it.
type CheckedFloor struct {
	closed  atomic.Bool
	horizon atomic.Int64 // up to when deadlines have passed
	secrets [6]uint64
	stripes []checkedStripe
	games   []*checkedGame // by number
	seats   uint32         // reserved so far
}

type checkedGame struct {
	ended  atomic.Int64 // when it was, or will be
	common session.PlayerSession
}

type checkedStripe struct {
	mu       sync.Mutex // protects all below, once players come
	slots    []checkedRecord
	homes    uint64
	accepted uint64
	pages    []string // of texts
	_        [128 - 72]byte
}

type checkedRecord struct {
	hi, lo                          uint64
	page                            uint32
	start, len                      uint16
	made                            uint64
	_                               uint64 // a sequence number
	until                           int64  // the deadline
	game, place, generation, packed uint32
}

// NewCheckedFloor is NewFloor.
func NewCheckedFloor(g session.GameSession) *CheckedFloor {
	stripes, homes, slots := floorSize(g)
	game := &checkedGame{common: floorCommon(g)}
	game.ended.Store(math.MaxInt64)
	f := &CheckedFloor{stripes: make([]checkedStripe, stripes), games: []*checkedGame{game}}
	for i := range f.secrets {
		f.secrets[i] = rand.Uint64() | 1 //nolint:gosec // nobody attacks it
	}
	for i := range f.stripes {
		f.stripes[i].homes = uint64(homes)
		f.stripes[i].slots = make([]checkedRecord, slots)
	}
	return f
}

// Reserve is Floor's.
func (f *CheckedFloor) Reserve(id, playerID, playerData string) {
	hi, lo, _ := parseChecked(id)
	hi, lo = f.mix(hi, lo)
	s := f.stripe(hi)
	i := homeOf(hi, s.homes)
	for s.slots[i].place != 0 {
		i++
	}
	page, start := s.write(playerID + playerData)
	s.slots[i] = checkedRecord{
		hi: hi, lo: lo,
		page: page, start: start, len: uint16(len(playerID) + len(playerData)),
		made:   uint64(time.Now().UnixMilli())<<16 | uint64(len(playerID)),
		until:  math.MaxInt64,
		place:  f.seats + 1,
		packed: f.seats<<8 | uint32(session.StatusReserved),
	}
	f.seats++
}

// write puts a text on the last page, or begins another one.
func (s *checkedStripe) write(text string) (page uint32, start uint16) {
	const most = 4096
	if len(s.pages) == 0 || len(s.pages[len(s.pages)-1])+len(text) > most {
		s.pages = append(s.pages, "")
	}
	last := len(s.pages) - 1
	start = uint16(len(s.pages[last]))
	s.pages[last] += text
	return uint32(last), start
}

var errNotReserved = &session.StatusError{Have: session.StatusActive, Want: session.StatusReserved}

// AcceptPlayerSession makes RESERVED ACTIVE, once.
func (f *CheckedFloor) AcceptPlayerSession(id string) (ps session.PlayerSession, err error) {
	hi, lo, ok := parseChecked(id)
	if !ok {
		return ps, session.ErrInvalidPlayerSessionID
	}
	hi, lo = f.mix(hi, lo)
	s := f.stripe(hi)
	s.mu.Lock()
	r := s.find(hi, lo)
	if r == nil || f.closed.Load() {
		s.mu.Unlock()
		return ps, session.ErrPlayerSessionNotFound
	}
	g := f.games[r.game]
	if g.ended.Load() != math.MaxInt64 || r.until <= f.horizon.Load() || session.Status(r.packed&0xff) != session.StatusReserved {
		s.mu.Unlock()
		return ps, errNotReserved
	}
	r.packed ^= uint32(session.StatusReserved ^ session.StatusActive)
	r.generation++
	s.accepted++
	text := s.pages[r.page][r.start:][:r.len]
	ps = g.common
	ps.CreationTime = time.UnixMilli(int64(r.made >> 16)).UTC()
	ps.PlayerID = text[:r.made&0xffff]
	ps.PlayerData = text[r.made&0xffff:]
	ps.PlayerSessionID = id
	ps.Status = session.Status(r.packed & 0xff)
	ps.Slot = int(r.packed >> 8)
	ps.Generation = r.generation
	s.mu.Unlock()
	return ps, nil
}

// Clear is Floor's.
func (f *CheckedFloor) Clear() {
	for i := range f.stripes {
		clear(f.stripes[i].slots)
		f.stripes[i].pages = nil
	}
	f.seats = 0
}

func (f *CheckedFloor) stripe(hi uint64) *checkedStripe {
	return &f.stripes[hi&uint64(len(f.stripes)-1)]
}

// find is floorStripe's. Shared by a type parameter it would be measured as well.
func (s *checkedStripe) find(hi, lo uint64) *checkedRecord {
	for i := homeOf(hi, s.homes); ; i++ {
		r := &s.slots[i]
		if r.hi == hi && r.lo == lo {
			return r
		}
		if r.place == 0 {
			return nil
		}
	}
}

// mix is as slot's: a secret permutation, which can be undone.
func (f *CheckedFloor) mix(hi, lo uint64) (mixedHi, mixedLo uint64) {
	lo ^= fold(hi^f.secrets[0], f.secrets[1])
	hi ^= fold(fold(lo^f.secrets[2], f.secrets[3])^f.secrets[4], f.secrets[5])
	return hi, lo
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// parseChecked is parse for who does not trust the digits to be digits.
func parseChecked(id string) (hi, lo uint64, ok bool) {
	if len(id) != IDLen || id[:6] != "psess-" || id[14] != '-' || id[19] != '-' || id[24] != '-' || id[29] != '-' {
		return 0, 0, false
	}
	a, badA := hexDigits(eight(id, 6))
	b, badB := hexDigits(four(id, 15) | four(id, 20)<<32)
	c, badC := hexDigits(four(id, 25) | four(id, 30)<<32)
	d, badD := hexDigits(eight(id, 34))
	return a<<4 | b, c<<4 | d, (badA|badB|badC|badD)&(0xf0*eachByte) == 0
}

// eachByte has a one in each byte.
const eachByte = 0x0101010101010101

// hexDigits is as slot's hexValues: it reads eight lower-case digits, a byte each; they
// are such if no upper half of a byte of bad has a bit.
func hexDigits(text uint64) (x, bad uint64) {
	letters := text >> 6 & eachByte
	x = text - '0'*eachByte - letters*('a'-10-'0')
	return x, x | (text - ('9'-15)*eachByte - letters*('a'-('9'-15)))
}
