package bench_test

import (
	"math/bits"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// The bare floor under an accept: what no table of this layout can do without.
// It locks a stripe, finds a record of 64 bytes by the id's 128 bits, flips it,
// unlocks, and copies a whole session.PlayerSession out. It checks nothing and
// knows neither time nor game sessions.
func BenchmarkFloor(b *testing.B) {
	eachSize(b, func(b *testing.B, slots int) {
		f := newFloor(slots)
		h := house{rand: newRand(), slots: slots, ids: []byte(strangers(slots).text), each: idLen}
		crowd := newCrowd(slots)
		for i := range slots {
			f.reserve(h.idOf(i), crowd.playerID(i), crowd.data(i), uint32(i))
		}
		eachProcs(b, func(b *testing.B, procs int) {
			var w work
			for b.Loop() {
				arrivals := h.read(h.everyone())
				w.measure(slots, func() time.Duration {
					return share(procs, slots, func(from, to int) {
						for i := from; i < to; i++ {
							if ps := f.accept(arrivals.at(i)); ps.Status == 0 || ps.PlayerID == "" {
								b.Error("not found")
								return
							}
						}
					})
				})
			}
			w.report(b)
		})
	})
}

type floor struct {
	stripes []floorStripe
	common  session.PlayerSession
}

type floorStripe struct {
	mu    sync.Mutex
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

// newFloor has as many stripes as the table, and fills each to 3/4 as it does.
func newFloor(slots int) *floor {
	stripes := 256 << bits.Len(uint(runtime.GOMAXPROCS(0)-1))
	f := &floor{stripes: make([]floorStripe, stripes), common: session.PlayerSession{
		GameSessionID: gameID, FleetID: "fleet-1", DNSName: "ec2-198-51-100-7.compute-1.amazonaws.com",
		IPAddress: "198.51.100.7", Port: 7777,
	}}
	homes := max(slots/stripes*4/3, 4)
	for i := range f.stripes {
		f.stripes[i].homes = uint64(homes)
		f.stripes[i].slots = make([]floorRecord, homes+homes/4+32)
	}
	return f
}

func (f *floor) reserve(id, player, data string, seat uint32) {
	hi, lo := parse(id)
	s := f.stripe(hi)
	i := s.home(hi)
	for s.slots[i].place != 0 {
		i++
	}
	s.slots[i] = floorRecord{
		hi: hi, lo: lo,
		text:   player + data,
		made:   uint64(time.Now().UnixMilli())<<16 | uint64(len(player)),
		place:  seat + 1,
		packed: seat << 8,
	}
}

func (f *floor) accept(id string) session.PlayerSession {
	hi, lo := parse(id)
	s := f.stripe(hi)
	s.mu.Lock()
	i := s.home(hi)
	for s.slots[i].hi != hi || s.slots[i].lo != lo {
		if s.slots[i].place == 0 {
			s.mu.Unlock()
			return session.PlayerSession{}
		}
		i++
	}
	r := &s.slots[i]
	r.packed ^= uint32(session.StatusReserved ^ session.StatusActive)
	r.generation++
	found := *r
	s.mu.Unlock()

	ps := f.common
	ps.CreationTime = time.UnixMilli(int64(found.made >> 16)).UTC()
	ps.PlayerID = found.text[:found.made&0xffff]
	ps.PlayerData = found.text[found.made&0xffff:]
	ps.PlayerSessionID = id
	ps.Status = session.StatusReserved ^ session.Status(found.packed&0xff)
	ps.Slot = int(found.packed >> 8)
	ps.Generation = found.generation
	return ps
}

func (f *floor) stripe(hi uint64) *floorStripe { return &f.stripes[hi&uint64(len(f.stripes)-1)] }

func (s *floorStripe) home(hi uint64) int {
	home, _ := bits.Mul64(hi, s.homes)
	return int(home)
}

// parse reads the digits of "psess-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", eight
// at a time, and takes whatever there is for digits.
func parse(id string) (hi, lo uint64) {
	_ = id[idLen-1]
	return digits(id, 6, 10)<<32 | digits(id, 15, 20), digits(id, 25, 30)<<32 | digits(id, 34, 38)
}

func digits(s string, i, j int) uint64 {
	x := four(s, i)<<32 | four(s, j)
	x = x&0x0f0f0f0f0f0f0f0f + x>>6&0x0101010101010101*9
	x = (x | x>>4) & 0x00ff00ff00ff00ff
	x = (x | x>>8) & 0x0000ffff0000ffff
	return (x | x>>16) & 0xffffffff
}

func four(s string, i int) uint64 {
	return uint64(s[i])<<24 | uint64(s[i+1])<<16 | uint64(s[i+2])<<8 | uint64(s[i+3])
}

// The floor finds what was put there, or its figures mean nothing.
func TestFloor(t *testing.T) {
	t.Parallel()
	if strconv.IntSize == 64 {
		require.EqualValues(t, 64, unsafe.Sizeof(floorRecord{}))
		require.EqualValues(t, 128, unsafe.Sizeof(floorStripe{}))
	}
	const n = 3000
	f := newFloor(n)
	arrivals := strangers(n)
	for i := range n {
		f.reserve(arrivals.at(i), "player-"+strconv.Itoa(i), "data", uint32(i))
	}
	for i := range n {
		ps := f.accept(arrivals.at(i))
		require.Equal(t, arrivals.at(i), ps.PlayerSessionID)
		require.Equal(t, "player-"+strconv.Itoa(i), ps.PlayerID)
		require.Equal(t, "data", ps.PlayerData)
		require.Equal(t, i, ps.Slot)
		require.EqualValues(t, 1, ps.Generation)
		require.Equal(t, session.StatusActive, ps.Status)
	}
	require.Zero(t, f.accept(session.NewPlayerSessionID()))
}
