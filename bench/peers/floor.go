package main

import (
	"context"
	"errors"
	"math/bits"
	"runtime"
	"sync"
	"time"

	"github.com/usher-go/usher/session"
)

// floor is what no table of usher's layout can do without: it locks a stripe,
// finds a record of 64 bytes by the id's 128 bits, flips it, unlocks, and copies a
// whole session.PlayerSession out. It checks nothing and knows neither time nor
// capacity, so it is no contender. bench/floor_test.go has the same.
type floor struct {
	stripes []floorStripe
	common  session.PlayerSession
	seats   uint32
}

type floorStripe struct {
	mu    sync.Mutex
	slots []floorRecord
	homes uint64
	_     [128 - 40]byte
}

type floorRecord struct {
	hi, lo                    uint64
	text                      string
	made                      uint64
	_                         int64  // a deadline
	_                         uint32 // a game session
	place, generation, packed uint32
}

func openFloor(s Setup) (Contender, error) {
	stripes := 256 << bits.Len(uint(runtime.NumCPU()-1))
	f := &floor{stripes: make([]floorStripe, stripes), common: newGames(s)[0].common}
	homes := max(s.Games[0].MaximumPlayerSessionCount/stripes*4/3, 4)
	for i := range f.stripes {
		f.stripes[i].homes = uint64(homes)
		f.stripes[i].slots = make([]floorRecord, homes+homes/4+32)
	}
	return f, nil
}

func (f *floor) Reserve(r Request) (session.PlayerSession, error) {
	id := session.NewPlayerSessionID()
	hi, lo := parse(id)
	s := f.stripe(hi)
	i := s.home(hi)
	for s.slots[i].place != 0 {
		i++
	}
	f.seats++
	s.slots[i] = floorRecord{
		hi: hi, lo: lo,
		text:   r.PlayerID + r.PlayerData,
		made:   uint64(time.Now().UnixMilli())<<16 | uint64(len(r.PlayerID)),
		place:  f.seats,
		packed: (f.seats - 1) << 8,
	}
	return session.PlayerSession{PlayerSessionID: id, Status: session.StatusReserved}, nil
}

func (f *floor) Accept(id string) (session.PlayerSession, error) {
	hi, lo := parse(id)
	s := f.stripe(hi)
	s.mu.Lock()
	i := s.home(hi)
	for s.slots[i].hi != hi || s.slots[i].lo != lo {
		if s.slots[i].place == 0 {
			s.mu.Unlock()
			return session.PlayerSession{}, session.ErrPlayerSessionNotFound
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
	return ps, nil
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

var errNoSeats = errors.New("the floor frees no seats")

func (f *floor) Release(string) error                  { return errNoSeats }
func (f *floor) AwaitEmpty(context.Context, int) error { return errNoSeats }
func (f *floor) Close() error                          { return nil }
