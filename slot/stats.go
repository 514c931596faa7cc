package slot

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/usher-go/usher/session"
)

// Stats are figures of a table. Those of player sessions are of one instant.
type Stats struct {
	GameSessions, Reserved, Active, Completed, TimedOut int // held now; Completed and TimedOut are those retained

	// Since the table was made:
	ReservedTotal, AcceptedTotal, ReturnedTotal, CompletedTotal, TimedOutTotal uint64

	Refused      map[string]uint64 // reservations and accepts, by session.Reason; a party counts once
	ExpiryLag    time.Duration     // how late the last expiry was
	EventBacklog int               // events the slowest subscriber has still to handle
}

// Stats returns the table's figures; of a closed table, the last ones. It locks
// every stripe for some microseconds: call it every few seconds, not for every
// player.
func (t *Table) Stats() Stats {
	defer t.checked()
	if t.closed.Load() {
		<-t.shutDown
		last := t.last
		last.Refused = maps.Clone(last.Refused)
		return last
	}
	t.catchUp()
	return t.stats()
}

func (t *table) stats() Stats {
	s := Stats{
		GameSessions: t.games.len(),
		Refused:      t.refused.clone(),
		ExpiryLag:    time.Duration(t.expiry.lag.Load()),
	}
	s.EventBacklog, _ = t.events.backlog()
	refused := map[string]uint64{session.Reason(session.ErrInvalidPlayerSessionID): t.malformed.Load()}

	t.sweeping.Lock()
	t.lockStripes()
	for i := range t.stripes {
		t.stripes[i].addTo(&s, refused)
	}
	t.unlockStripes()
	t.sweeping.Unlock()

	for reason, n := range refused {
		if n > 0 {
			s.Refused[reason] += n
		}
	}
	return s
}

// addTo adds the figures of s, which is locked.
func (s *stripe) addTo(sum *Stats, refused map[string]uint64) {
	sum.Reserved += int(s.live.count) - s.ended - s.active()
	sum.Active += s.active()
	sum.Completed += s.past.count + s.ended - s.timedOut
	sum.TimedOut += s.timedOut
	sum.ReservedTotal += s.reservedTotal
	sum.AcceptedTotal += s.accepted
	sum.ReturnedTotal += s.returned
	sum.CompletedTotal += s.completedTotal
	sum.TimedOutTotal += s.timedOutTotal
	for why, err := range refusalErrors {
		refused[session.Reason(err)] += s.refused[why]
	}
}

var refusalErrors = [refusals]error{
	refusedNotFound:      session.ErrPlayerSessionNotFound,
	refusedAlreadyActive: session.ErrAlreadyActive,
	refusedCompleted:     session.ErrCompleted,
	refusedTimedOut:      session.ErrTimedOut,
}

// refusedReservations counts them by reason.
type refusedReservations struct {
	mu       sync.Mutex // protects all below; a leaf
	byReason map[string]uint64
}

func (rr *refusedReservations) count(reason string) {
	rr.mu.Lock()
	defer rr.mu.Unlock()
	if rr.byReason == nil {
		rr.byReason = make(map[string]uint64)
	}
	rr.byReason[reason]++
}

func (rr *refusedReservations) clone() map[string]uint64 {
	rr.mu.Lock()
	defer rr.mu.Unlock()
	counts := make(map[string]uint64, len(rr.byReason))
	maps.Copy(counts, rr.byReason)
	return counts
}

const (
	// lateExpiry and stuckSubscriber are when Health speaks of them.
	lateExpiry      = time.Second
	stuckSubscriber = 5 * time.Second
)

// Health returns nil, or what an operator must know: ErrClosed; that expiry is
// more than 1 s behind; that a subscriber has been handling one event for more
// than 5 s, or has more than half of the events to handle at which Reserve
// answers ErrOverloaded. Cheap enough for a probe every second.
func (t *Table) Health() error {
	if t.closed.Load() {
		return session.ErrClosed
	}
	var problems []error
	if late := t.expiry.late(t.clock.now()); late > lateExpiry {
		problems = append(problems, fmt.Errorf("slot: expiry is %s behind; the process gets too little CPU", late.Round(time.Millisecond)))
	}
	backlog, stuck := t.events.backlog()
	if time.Duration(stuck) > stuckSubscriber {
		problems = append(problems, fmt.Errorf("slot: a subscriber has been handling one event for %s; let it hand over and return", time.Duration(stuck).Round(time.Millisecond)))
	}
	if limit := t.backlogLimit(); backlog > limit/2 {
		problems = append(problems, fmt.Errorf("slot: a subscriber is %d events behind; at %d reservations are refused", backlog, limit))
	}
	return errors.Join(problems...)
}

// late is for how long the next thing to do has been due.
func (x *expiry) late(now int64) time.Duration {
	x.mu.Lock()
	defer x.mu.Unlock()
	if at, ok := x.wheel.Next(); ok {
		return time.Duration(now - at)
	}
	return 0
}
