package measure

import (
	"math/bits"
	"runtime"
	"sync"
	"time"

	"github.com/usher-go/usher/session"
)

// Floor is the bare floor under an accept: what no table of slot's layout can do
// without. It locks a stripe, finds a record of 64 bytes by the id's 128 bits,
// flips it, copies a whole session.PlayerSession out, and unlocks. It checks
// nothing and knows neither time nor capacity.
type Floor struct {
	stripes []floorStripe
	common  session.PlayerSession // what all of them have in common
	seats   uint32                // reserved so far
}

type floorStripe struct {
	mu    sync.Mutex // protects the slots, once players come
	slots []floorRecord
	homes uint64
	_     [128 - 40]byte
}

// floorRecord is as large as the table's record, and has the same fields.
type floorRecord struct {
	hi, lo                    uint64
	text                      string
	made                      uint64
	_                         int64  // a deadline
	_                         uint32 // a game session
	place, generation, packed uint32
}

// NewFloor has as many stripes as a table, and room for the seats of g, of which
// it will fill 3/4 as a table does.
func NewFloor(g session.GameSession) *Floor {
	stripes, homes, slots := floorSize(g)
	f := &Floor{stripes: make([]floorStripe, stripes), common: floorCommon(g)}
	for i := range f.stripes {
		f.stripes[i].homes = uint64(homes)
		f.stripes[i].slots = make([]floorRecord, slots)
	}
	return f
}

func floorSize(g session.GameSession) (stripes, homes, slots int) {
	stripes = 16 << bits.Len(uint(runtime.GOMAXPROCS(0)-1))
	homes = max(g.MaximumPlayerSessionCount/stripes*4/3, 4)
	return stripes, homes, homes + homes/4 + 32
}

func floorCommon(g session.GameSession) session.PlayerSession {
	return session.PlayerSession{
		DNSName:       g.DNSName,
		FleetARN:      g.FleetARN,
		FleetID:       g.FleetID,
		GameSessionID: g.GameSessionID,
		IPAddress:     g.IPAddress,
		Port:          g.Port,
	}
}

// Reserve puts a player into the next seat. It is not for concurrent use, and
// nobody may be accepted before all have reserved.
func (f *Floor) Reserve(id, playerID, playerData string) {
	hi, lo := parse(id)
	s := f.stripe(hi)
	i := homeOf(hi, s.homes)
	for s.slots[i].place != 0 {
		i++
	}
	s.slots[i] = floorRecord{
		hi: hi, lo: lo,
		text:   playerID + playerData,
		made:   uint64(time.Now().UnixMilli())<<16 | uint64(len(playerID)),
		place:  f.seats + 1,
		packed: f.seats<<8 | uint32(session.StatusReserved),
	}
	f.seats++
}

// AcceptPlayerSession makes RESERVED ACTIVE, and the other way round. ps is filled where the
// caller will find it, and from the record where it stands: to copy the record
// first, right after two of its fields were written, would wait for these to reach
// the cache.
func (f *Floor) AcceptPlayerSession(id string) (ps session.PlayerSession, err error) {
	hi, lo := parse(id)
	s := f.stripe(hi)
	s.mu.Lock()
	r := s.find(hi, lo)
	if r == nil {
		s.mu.Unlock()
		return ps, session.ErrPlayerSessionNotFound
	}
	r.packed ^= uint32(session.StatusReserved ^ session.StatusActive)
	r.generation++
	ps = f.common
	ps.CreationTime = time.UnixMilli(int64(r.made >> 16)).UTC()
	ps.PlayerID = r.text[:r.made&0xffff]
	ps.PlayerData = r.text[r.made&0xffff:]
	ps.PlayerSessionID = id
	ps.Status = session.Status(r.packed & 0xff)
	ps.Slot = int(r.packed >> 8)
	ps.Generation = r.generation
	s.mu.Unlock()
	return ps, nil
}

// Clear lets everybody leave.
func (f *Floor) Clear() {
	for i := range f.stripes {
		clear(f.stripes[i].slots)
	}
	f.seats = 0
}

func (f *Floor) stripe(hi uint64) *floorStripe { return &f.stripes[hi&uint64(len(f.stripes)-1)] }

// homeOf is where a record belongs, of so many homes.
func homeOf(hi, homes uint64) int {
	home, _ := bits.Mul64(hi, homes)
	return int(home)
}

// find returns a record, or nil.
func (s *floorStripe) find(hi, lo uint64) *floorRecord {
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

// parse reads the digits of "psess-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", eight
// at a time, and takes whatever there is for digits.
func parse(id string) (hi, lo uint64) {
	_ = id[IDLen-1]
	a := eight(id, 6)
	b := four(id, 15) | four(id, 20)<<32
	c := four(id, 25) | four(id, 30)<<32
	d := eight(id, 34)
	return digits(a)<<32 | digits(b), digits(c)<<32 | digits(d)
}

func four(s string, i int) uint64 {
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24
}

// eight is written out, since the compiler makes one load of that.
func eight(s string, i int) uint64 {
	return uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
		uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
}

func digits(x uint64) uint64 {
	x = x&0x0f0f0f0f0f0f0f0f + x>>6&0x0101010101010101*9
	x = (x | x>>4) & 0x00ff00ff00ff00ff
	x = (x | x>>8) & 0x0000ffff0000ffff
	return (x | x>>16) & 0xffffffff
}
