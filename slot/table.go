package slot

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot/internal/wheel"
)

// Table holds the seats of a process's game sessions and moves their player
// sessions through their life. Make one with NewTable; it must be closed. All
// methods may be called concurrently, by subscribers too.
type Table struct {
	*table
	log *journal
}

// table is what all handles on it share.
//
// Lock order: expiry.reclaiming; a game session's; the roster's (listing, which is never
// taken with a game session's, and mu); stripes', ascending; and last, never two of them
// at once, the wheel's, the history's and the event queue's. No lock is held while a
// subscriber, a logger or a caller's code runs.
type table struct {
	// horizon is up to when deadlines have passed. It never goes back and is never
	// ahead of the clock.
	horizon   atomic.Int64
	malformed atomic.Uint64 // ids refused
	held      atomic.Int64  // seats

	// sweeping is held while the player sessions of a game session that has been
	// terminated are moved to the past: who counts them all waits for it. It is
	// taken after a game session's lock and before the roster's.
	sweeping sync.Mutex

	selfCheck // nothing, but in a build with the tag usher_invariants

	closed   atomic.Bool // set for good, then every lock is passed through
	draining atomic.Bool

	config    Config
	clock     clock
	keys      keys
	stripes   []stripe
	areas     []atomic.Pointer[area] // of each, for who has no lock
	games     *gameSessions
	roster    roster
	expiry    expiry
	leftovers leftovers
	history   history
	events    eventQueue
	refused   refusedReservations

	base     *journal   // the table's own
	mu       sync.Mutex // protects journals; a leaf
	journals []*journal

	done     chan struct{}  // closed when Close has begun
	running  sync.WaitGroup // the timer's and the reclaimer's goroutine
	shutDown chan struct{}  // closed when last is set, for good
	last     Stats
}

// NewTable returns a table without game sessions. A negative or absurd value in
// the configuration is an ErrInvalidField.
func NewTable(c Config) (*Table, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	t := &table{
		config:  c,
		clock:   newClock(),
		keys:    newKeys(),
		stripes: make([]stripe, c.Stripes),
		areas:   make([]atomic.Pointer[area], c.Stripes),
		games:   newGameSessions(),
		roster:  newRoster(c.DuplicatePlayers != DuplicatesAllow),
		done:    make(chan struct{}),

		shutDown: make(chan struct{}),
	}
	for i := range t.stripes {
		live := &t.stripes[i].live
		*live = noRecords()
		if c.Capacity > 0 {
			live.presize(c.Capacity / c.Stripes)
		}
		t.areas[i].Store(live.area)
	}
	t.expiry.wheel = wheel.New[timed](tick, buckets, 0)
	t.expiry.alarm = time.NewTimer(maxDuration)
	t.expiry.clock, t.expiry.set = &t.clock, never
	t.expiry.rang = make(chan struct{}, 1)
	t.base = t.newJournal(c.Logger)
	t.events.keys, t.events.clock = &t.keys, &t.clock
	t.events.limit, t.events.warn, t.events.report = t.backlogLimit, t.base.subscriberBehind, t.base.subscriberPanicked
	t.running.Go(t.runTimer)
	t.running.Go(t.runReclaimer)
	return &Table{table: t, log: t.base}, nil
}

// WithLogger returns another handle on the same table, whose own refusals go to
// l instead of the table's logger. The validator uses it.
func (t *Table) WithLogger(l zerolog.Logger) *Table {
	return &Table{table: t.table, log: t.newJournal(l)}
}

// Logger returns the logger that the refusals of this handle go to: the table's, or
// that of WithLogger.
func (t *Table) Logger() zerolog.Logger { return t.log.log }

// Subscribe hands every event from now on to f, on a goroutine of its own, until
// cancel is called or the table is closed. Events of one player session arrive in
// order, each once. f may call the table. If it panics, that is logged, and it
// gets the next event all the same; if it is slow, its events wait, and Reserve
// answers ErrOverloaded while more than max(65,536, 2 × live players) do. When
// cancel returns, f may be at one more event, the last. A nil f subscribes nobody.
func (t *Table) Subscribe(f func(session.Event)) (cancel func()) {
	if f == nil {
		return func() {}
	}
	return t.events.subscribe(f)
}

// backlogLimit is how many events may wait for a subscriber.
func (t *table) backlogLimit() int { return max(65_536, 2*int(t.held.Load())) }

// stripe returns the stripe of a key.
func (t *table) stripe(k key) *stripe { return &t.stripes[t.stripeIndex(k)] }

// area returns the area of that stripe, or maybe the one that it had a moment ago.
func (t *table) area(k key) *area { return t.areas[t.stripeIndex(k)].Load() }

// ask asks the processor for the memory of k's live record, which is needed soon.
func (t *table) ask(k key) {
	area := t.area(k)
	area.ask(area.home(k))
}

// follow notes the area of s, the stripe of k, which is locked and may have grown.
func (t *table) follow(s *stripe, k key) {
	if at := &t.areas[t.stripeIndex(k)]; at.Load() != s.live.area {
		at.Store(s.live.area)
	}
}

func (t *table) stripeIndex(k key) int { return int(k.hi & uint64(len(t.stripes)-1)) }

// passHorizon raises the horizon to now, an instant that has passed.
func (t *table) passHorizon(now int64) {
	for {
		horizon := t.horizon.Load()
		if horizon >= now || t.horizon.CompareAndSwap(horizon, now) {
			return
		}
	}
}

// now reads the clock and raises the horizon to it.
func (t *table) now() int64 {
	now := t.clock.now()
	t.passHorizon(now)
	return now
}

// closePatience is how long Close waits for a subscriber that is stuck.
const closePatience = 5 * time.Second

// Close ends the table: it delivers the events that are queued and waits for its
// goroutines, for 5 seconds at most if a subscriber is stuck, which it then says
// in the log. A subscriber that calls Close is not waited for. No player session
// is ended by it. Calls after it answer ErrClosed, Stats the last values. It is
// idempotent and returns nil.
func (t *Table) Close() error {
	defer t.checked()
	if !t.closed.Swap(true) {
		t.shut()
	}
	<-t.shutDown
	t.awaitSubscribers()
	return nil
}

// shut lets what is under way finish and keeps the last values.
func (t *Table) shut() {
	// Whoever holds a lock may not have seen the table closed; whoever takes it
	// after this has.
	t.expiry.reclaiming.Lock()
	//lint:ignore SA2001 passing through is the point
	t.expiry.reclaiming.Unlock()
	for _, g := range t.games.all() {
		g.mu.Lock()
		//lint:ignore SA2001 passing through is the point
		g.mu.Unlock()
	}
	t.lockStripes()
	t.unlockStripes()
	close(t.done)
	t.running.Wait()

	t.last = t.stats()
	close(t.shutDown)
	t.mu.Lock()
	journals := t.journals
	t.mu.Unlock()
	for _, j := range journals {
		j.strangers.close()
	}
}

// awaitSubscribers waits until they have handled what is queued.
func (t *Table) awaitSubscribers() {
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	t.events.closes(goroutineID())
	for _, s := range t.events.close() {
		select {
		case <-s.done:
		case <-s.closing:
		case <-ctx.Done():
			t.log.subscriberStuck()
			return
		}
	}
	t.events.warnings.Wait()
}

// together is how many player sessions the wheel and the history take at a time: then
// the processor waits for their cache lines side by side instead of one after the
// other. With eight or sixteen it was no faster. The history does it under the locks of
// all their stripes, and the more of these are held, the more accepts meet one.
const together = 4

// lockSet locks the stripes of these indices, each once and in ascending order,
// and returns them like that for unlockSet.
func (t *table) lockSet(indices []int) []int {
	if len(indices) > 1 {
		slices.Sort(indices)
		indices = slices.Compact(indices)
	}
	for _, i := range indices {
		t.stripes[i].mu.Lock()
	}
	return indices
}

func (t *table) unlockSet(indices []int) {
	for _, i := range indices {
		t.stripes[i].mu.Unlock()
	}
}

// unlockBefore unlocks s unless it is needed for those who follow. Who spins for it
// then gets it sooner, and is put to sleep less often.
func (t *table) unlockBefore(s *stripe, following []listed) {
	for i := range following {
		if t.stripe(following[i].key) == s {
			return
		}
	}
	s.mu.Unlock()
}

func (t *table) lockStripes() {
	for i := range t.stripes {
		t.stripes[i].mu.Lock()
	}
}

func (t *table) unlockStripes() {
	for i := range t.stripes {
		t.stripes[i].mu.Unlock()
	}
}

// lockPlayer finds a player session and locks its game session and its stripe.
// The record is live or past. The caller unlocks both, unless there is an error.
func (t *table) lockPlayer(id string) (*gameSession, *stripe, *record, error) {
	for {
		s, r, err := t.lockStripe(id)
		if err != nil {
			return nil, nil, nil, err
		}
		g, seq := t.games.at(r.game), r.seq
		if g.mu.TryLock() { // out of order, but without waiting for it
			return g, s, r, nil
		}
		s.mu.Unlock()

		g.mu.Lock()
		if s, r, err = t.lockStripe(id); err != nil {
			g.mu.Unlock()
			return nil, nil, nil, err
		}
		if r.seq == seq {
			return g, s, r, nil
		}
		s.mu.Unlock() // it has been forgotten meanwhile and reserved anew
		g.mu.Unlock()
	}
}

// lockGame finds a game session and locks it. The caller unlocks it, unless
// there is an error.
func (t *table) lockGame(id string) (*gameSession, error) {
	g := t.games.get(id)
	if g == nil {
		return nil, t.orClosed(session.ErrGameSessionNotFound)
	}
	g.mu.Lock()
	switch {
	case t.closed.Load():
		g.mu.Unlock()
		return nil, session.ErrClosed
	case g.retired:
		g.mu.Unlock()
		return nil, session.ErrGameSessionNotFound
	}
	return g, nil
}

// unlock unlocks g and says in the log who has left meanwhile.
func (t *table) unlock(g *gameSession) {
	if unsaid := g.leave(); len(unsaid) > 0 {
		t.base.departed(unsaid)
	}
}

// orClosed returns err, or ErrClosed, which comes first.
func (t *table) orClosed(err error) error {
	if t.closed.Load() {
		return session.ErrClosed
	}
	return err
}
