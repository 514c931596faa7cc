package slot

import (
	"sync"
	"unsafe"

	"github.com/usher-go/usher/session"
)

// stripe is a part of the table under a lock of its own. A player session is
// found in the stripe that its key's last bits name, live or terminal, so that
// an accept learns under one lock all there is to know.
type stripe struct {
	stripeState
	_ [stripeSize - unsafe.Sizeof(stripeState{})]byte
}

const (
	// cacheLines is what stripes are padded to: two lines of 64 bytes, since
	// processors fetch them in pairs.
	cacheLines = 128

	// stripeSize is an odd multiple of that. Of a power of two, the first lines of
	// all stripes would be in an eighth of the nearest cache.
	stripeSize = ((unsafe.Sizeof(stripeState{})+cacheLines-1)/cacheLines | 1) * cacheLines
)

type stripeState struct {
	mu sync.Mutex // protects all below

	// What an accept needs stands in one cache line.
	live     records // RESERVED and ACTIVE, and who is still to be put away
	accepted uint64
	texts    texts // of all

	reservedTotal, completedTotal, timedOutTotal uint64

	next  int // where to tidy
	swept int // up to where those who have ended were put away

	ended   int     // of live: they are COMPLETED or TIMEDOUT, and are to be put away
	past    archive // COMPLETED and TIMEDOUT, retained
	refused [refusals]uint64

	timedOut int // of ended and past
	returned uint64
}

// refusal is why an accept is refused once the id is well formed.
type refusal int

const (
	refusedNotFound refusal = iota
	refusedAlreadyActive
	refusedCompleted
	refusedTimedOut
	refusals
)

// active is how many are ACTIVE: they were accepted, and have not ended.
func (s *stripe) active() int { return int(s.accepted - s.completedTotal) }

// view returns r to be looked at without the lock.
func (s *stripe) view(r *record) view { return view{*r, s.texts.at(r.text)} }

// settled is the view of what record's settled returns.
func (s *stripe) settled(r *record, horizon, ended int64) view {
	return view{r.settled(horizon, ended), s.texts.at(r.text)}
}

// named tells whether id, whose key r has, is what r was reserved under.
func (s *stripe) named(r *record, id string, alias bool) bool {
	if r.alias() != alias {
		return false
	}
	return !alias || s.aliased(r, id)
}

// aliased is not inlined, so that named can be.
//
//go:noinline
func (s *stripe) aliased(r *record, id string) bool {
	v := s.view(r)
	return v.aliasText() == id
}

// add makes room for a live player session and writes its text. What else there is to
// its record is the caller's to write where it stands, first of all its place: to copy
// what has just been written in parts takes long.
func (s *stripe) add(k key, playerID, playerData, suffix string) *record {
	if s.live.full() && s.ended > int(s.live.homes)/8 {
		s.putAwayAll()
	}
	r := s.live.add(k)
	r.text = s.texts.add(playerID, playerData, suffix)
	r.made = uint64(len(playerID))
	if suffix != "" {
		r.packed = aliasBit
	}
	s.reservedTotal++
	return r
}

// putAway moves r, which has ended, to the past.
func (s *stripe) putAway(r *record) {
	s.past.add(r)
	s.live.remove(r)
	s.ended--
}

// putAwaySome is that for all who have ended in the next slots of the live ones, round
// and round. Going from one to the next, the processor waits for no memory: so this
// takes a fraction of what as many calls of putAway do.
func (s *stripe) putAwaySome() {
	if s.swept >= len(s.live.slots) {
		s.swept = 0
	}
	s.swept = s.putAwayFrom(s.swept, slotsAtOnce)
}

// putAwayAll takes about as long as the growth that it spares. A part alone would
// leave the others crowded.
func (s *stripe) putAwayAll() { s.putAwayFrom(0, len(s.live.slots)) }

func (s *stripe) putAwayFrom(first, n int) (next int) {
	return s.live.sweep(first, n, func(r *record) bool {
		if !r.status().Terminal() {
			return false
		}
		s.past.add(r)
		s.ended--
		return true
	})
}

// slotsAtOnce is how many slots are gone through while the stripe is locked: some
// microseconds.
const slotsAtOnce = 256

// take removes the record of a key, which has ended, and returns it.
func (s *stripe) take(k key) record {
	if s.ended > 0 {
		if r := s.live.find(k); r != nil {
			taken := *r
			s.live.remove(r)
			s.ended--
			return taken
		}
	}
	return s.past.remove(k)
}

// touchEnded is records' touch, for take.
func (s *stripe) touchEnded(k key) {
	if s.ended > 0 {
		s.live.touch(k)
	} else {
		s.past.touchFirst()
	}
}

// forget removes the record of a key, which has ended.
func (s *stripe) forget(k key) {
	r := s.take(k)
	if r.status() == session.StatusTimedOut {
		s.timedOut--
	}
	s.texts.drop(r.text)
	if s.texts.untidy() {
		s.tidy()
	}
}

// tidy looks at the next few records, round and round, and moves the texts of those
// who are nearly alone on their page. To look at all at once would hold up accepts.
func (s *stripe) tidy() {
	for range 16 {
		if s.next++; s.next >= len(s.live.slots)+int(s.past.next-s.past.first) {
			s.next = 0
		}
		r := s.at(s.next)
		if r.place != 0 {
			r.text = s.texts.tidied(r.text)
		}
	}
}

// at returns the place of a record, of the live ones first.
func (s *stripe) at(i int) *record {
	if i < len(s.live.slots) {
		return &s.live.slots[i]
	}
	return s.past.at(s.past.first + uint32(i-len(s.live.slots)))
}

// find returns the record of a key, live or past, or nil.
func (s *stripe) find(k key) *record {
	if r := s.live.find(k); r != nil {
		return r
	}
	return s.past.find(k)
}
