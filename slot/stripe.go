package slot

import (
	"sync"
	"unsafe"
)

// stripe is a part of the table under a lock of its own. A player session is
// found in the stripe that its key's last bits name, live or terminal, so that
// an accept learns under one lock all there is to know.
type stripe struct {
	stripeState
	_ [(cacheLines - unsafe.Sizeof(stripeState{})%cacheLines) % cacheLines]byte
}

// cacheLines is what stripes are padded to: two lines of 64 bytes, since
// processors fetch them in pairs.
const cacheLines = 128

type stripeState struct {
	mu sync.Mutex // protects all below

	live records // RESERVED and ACTIVE

	// What an accept counts stands in its first cache line.
	active   int
	accepted uint64

	past     archive // COMPLETED and TIMEDOUT, retained
	timedOut int     // of the past

	reservedTotal, returned, completedTotal, timedOutTotal uint64

	refused [refusals]uint64
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

// find returns the record of a key, live or past, or nil.
func (s *stripe) find(k key) *record {
	if r := s.live.find(k); r != nil {
		return r
	}
	return s.past.find(k)
}
