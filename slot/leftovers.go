package slot

import "sync/atomic"

// leftovers are player sessions that ended at their deadline in a storm, many
// together, and still stand among the live ones of their stripes. For a seat to be
// free again it takes no more than that its record says so: one line of memory that
// is in no cache. To enter the record in the archive, and to forget another one for
// it, takes several: that is done once all the seats are free, and then stripe by
// stripe, in the order in which they stand.
type leftovers struct {
	there  atomic.Bool // there may be some that the round does not meet
	stripe int         // where the round is, behind the last one if there is none; the reclaimer's
}

// putAwaySome puts some of the leftovers away, or forgets some who ended before them.
// It reports whether there may be more to do. It is the reclaimer's.
func (t *table) putAwaySome() bool {
	if t.closed.Load() {
		return false
	}
	if _, more := t.forgetSome(all); more { // first: who is forgotten need not be put away
		return true
	}
	l := &t.leftovers
	if l.there.Swap(false) {
		l.stripe = 0
	}
	for range 64 { // most are without, where few have ended
		if l.stripe == len(t.stripes) {
			return false
		}
		if t.stripes[l.stripe].lockAndPutAwaySome() {
			return true
		}
		l.stripe++
	}
	return true
}

// lockAndPutAwaySome is putAwaySome for a stripe that is not locked. It reports whether
// there was anybody.
func (s *stripe) lockAndPutAwaySome() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == 0 {
		return false
	}
	s.putAwaySome()
	return true
}
