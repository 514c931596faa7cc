package slot

import "sync/atomic"

// leftovers are player sessions that have timed out in a storm, many together, and
// still stand among the live ones of their stripes. For a seat to be free again it
// takes no more than that its record says so: one line of memory that is in no cache.
// To enter the record in the archive, and to forget another one for it, takes several:
// that is done once all the seats are free, and then stripe by stripe, in the order in
// which they stand.
type leftovers struct {
	there atomic.Bool // there may be some, where the round is not under way

	round        bool // it is under way; the reclaimer's, like all below
	stripe, slot int  // where it is
}

// slotsAtOnce is how many slots are gone through under the lock of their stripe: some
// microseconds.
const slotsAtOnce = 256

// putAwaySome puts some of the leftovers away, or forgets some who ended before them.
// It reports whether there may be more to do. It is the reclaimer's.
func (t *table) putAwaySome() bool {
	if t.closed.Load() {
		return false
	}
	if t.forgetSome() > 0 { // first: who is forgotten need not be put away
		return true
	}
	l := &t.leftovers
	if !l.round {
		if !l.there.Swap(false) {
			return false
		}
		l.round, l.stripe, l.slot = true, 0, 0
	}
	s := &t.stripes[l.stripe]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended > 0 {
		l.slot = s.putAwayFrom(l.slot, slotsAtOnce)
	}
	if s.ended == 0 || l.slot == len(s.live.slots) {
		l.stripe, l.slot = l.stripe+1, 0
		l.round = l.stripe < len(t.stripes)
	}
	return true
}
