package slot

import (
	"slices"
	"sync"

	"go.uber.org/atomic"

	"github.com/usher-go/usher/session"
)

// eventQueue is a log of events that each subscriber reads at its own pace. It
// is a list of chunks; what every subscriber has read is the collector's.
type eventQueue struct {
	used   atomic.Bool         // there are subscribers; without any, nothing is queued
	limit  func() int          // a subscriber's backlog must not be larger
	warn   func(events int)    // called on a goroutine of its own at half of that
	keys   *keys               // to write ids out
	clock  *clock              // to tell how long a subscriber has been at an event
	report func(recovered any) // called when a subscriber panics

	mu          sync.Mutex // protects all below; no other lock is taken under it
	last        *eventChunk
	published   uint64
	subscribers []*subscriber
	serving     []*subscriber // whose goroutines run: those cancelled, too, until they notice
	closed      bool

	warnings sync.WaitGroup // goroutines that warn
}

// eventChunk is full at 128 events: 11 KB.
type eventChunk struct {
	next   *eventChunk
	n      int
	events [128]event
}

// event is a session.Event before its texts are made, which is left to the
// subscriber's goroutine.
type event struct {
	player view // after the change
	game   *gameSession
	at     int64
	from   session.Status
}

// publish queues what v has just become. The lock of its stripe is held, so the
// events of one player session stand in order; at is when it happened.
func (q *eventQueue) publish(g *gameSession, v view, from session.Status, at int64) {
	limit := q.limit()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.last == nil { // the last subscriber has just left
		return
	}
	if q.last.n == len(q.last.events) {
		q.last.next = new(eventChunk)
		q.last = q.last.next
	}
	q.last.events[q.last.n] = event{player: v, game: g, at: at, from: from}
	q.last.n++
	q.published++
	for _, s := range q.subscribers {
		q.watch(s, limit)
		s.rouse()
	}
}

// watch warns of a subscriber at half its backlog, once until it has caught up.
func (q *eventQueue) watch(s *subscriber, limit int) {
	switch backlog := int(q.published - s.handled.Load()); {
	case backlog > limit/2 && !s.warned:
		s.warned = true
		q.warnings.Go(func() { q.warn(backlog) })
	case backlog < limit/4:
		s.warned = false
	}
}

// subscribe starts a goroutine that hands f every event from now on.
func (q *eventQueue) subscribe(f func(session.Event)) (cancel func()) {
	s := &subscriber{handle: f, wake: make(chan struct{}, 1), done: make(chan struct{}), closing: make(chan struct{})}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return func() {}
	}
	if q.last == nil {
		q.last = new(eventChunk)
	}
	s.chunk, s.n = q.last, q.last.n
	s.handled.Store(q.published)
	q.subscribers = append(q.subscribers, s)
	q.serving = append(q.serving, s)
	q.used.Store(true)
	go q.serve(s)
	return func() { q.cancel(s) }
}

func (q *eventQueue) cancel(s *subscriber) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s.cancelled.Store(true)
	s.rouse()
	q.subscribers = without(q.subscribers, s)
	if len(q.subscribers) == 0 {
		q.used.Store(false)
		q.last = nil // what nobody has read is let go
	}
}

// ended is called when the goroutine of s ends, for whatever reason.
func (q *eventQueue) ended(s *subscriber) {
	q.cancel(s)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.serving = without(q.serving, s)
	close(s.done)
}

func without(list []*subscriber, s *subscriber) []*subscriber {
	return slices.DeleteFunc(list, func(o *subscriber) bool { return o == s })
}

// next waits for events that s has not read and returns them, or nil when there
// will be no more: it is cancelled, or the queue is closed and read.
func (q *eventQueue) next(s *subscriber) []event {
	for !s.cancelled.Load() {
		q.mu.Lock()
		if s.n == len(s.chunk.events) && s.chunk.next != nil {
			s.chunk, s.n = s.chunk.next, 0
		}
		unread := s.chunk.events[s.n:s.chunk.n]
		s.n = s.chunk.n
		closed := q.closed
		q.mu.Unlock()
		if len(unread) > 0 || closed {
			return unread // what is queued is never written again
		}
		<-s.wake
	}
	return nil
}

// close lets the subscribers' goroutines end once they have read what is queued,
// and returns those that run.
func (q *eventQueue) close() []*subscriber {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, s := range q.subscribers {
		s.rouse()
	}
	return slices.Clone(q.serving)
}

// backlog is how many events the slowest subscriber has still to handle, and
// for how long one of them has been handling the same event, in nanoseconds.
func (q *eventQueue) backlog() (events int, stuck int64) {
	if !q.used.Load() {
		return 0, 0
	}
	now := q.clock.now()
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range q.subscribers {
		events = max(events, int(q.published-s.handled.Load()))
		if since := s.since.Load(); since != 0 {
			stuck = max(stuck, now-since)
		}
	}
	return events, stuck
}
