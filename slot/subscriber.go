package slot

import (
	"bytes"
	"runtime"
	"sync/atomic"

	"github.com/usher-go/usher/session"
)

// subscriber reads the event queue on a goroutine of its own.
type subscriber struct {
	handled atomic.Uint64 // events, as the queue counts those published
	since   atomic.Int64  // when the event being handled was handed over; 0: none is

	handle    func(session.Event)
	wake      chan struct{} // holds one signal: there may be events, or an end
	done      chan struct{} // closed when the goroutine ends
	closing   chan struct{} // closed when the subscriber itself closes the table
	cancelled atomic.Bool

	// The rest is protected by the queue's lock.
	goroutine string      // see goroutineID
	chunk     *eventChunk // what to read next
	n         int         // in chunk
	warned    bool        // said to be behind
	closes    bool        // closing is closed
}

// rouse wakes the goroutine, now or when it next waits.
func (s *subscriber) rouse() {
	select {
	case s.wake <- struct{}{}:
	default: // a signal is there already
	}
}

// serve hands s its events until there are no more.
func (q *eventQueue) serve(s *subscriber) {
	defer q.ended(s) // also if the subscriber itself ends its goroutine
	q.started(s)
	for {
		events := q.next(s)
		if len(events) == 0 {
			return
		}
		for i := range events {
			if s.cancelled.Load() {
				return
			}
			q.deliver(s, &events[i])
		}
	}
}

// deliver survives a subscriber that panics: the player session's change has
// happened, and the next event is none of this one's business.
func (q *eventQueue) deliver(s *subscriber, e *event) {
	s.since.Store(max(q.clock.now(), 1))
	defer func() {
		if recovered := recover(); recovered != nil {
			q.report(recovered)
		}
		s.since.Store(0)
		s.handled.Add(1)
	}()
	s.handle(session.Event{
		Cause:         e.player.cause(),
		From:          e.from,
		To:            e.player.status(),
		At:            q.clock.wall(e.at),
		PlayerSession: e.game.present(&e.player, q.keys.id(&e.player)),
	})
}

func (q *eventQueue) started(s *subscriber) {
	id := goroutineID()
	q.mu.Lock()
	defer q.mu.Unlock()
	s.goroutine = id
}

// closes notes that whoever runs on a goroutine closes the table, if it is a
// subscriber: nobody needs to wait for that one.
func (q *eventQueue) closes(goroutine string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range q.serving {
		if s.goroutine == goroutine && !s.closes {
			s.closes = true
			close(s.closing)
		}
	}
}

// goroutineID tells goroutines apart: a Close that is called by a subscriber
// must not wait for it. The runtime has no other way to ask who is calling.
func goroutineID() string {
	var trace [64]byte
	fields := bytes.Fields(trace[:runtime.Stack(trace[:], false)])
	if len(fields) < 2 {
		return ""
	}
	return string(fields[1]) // "goroutine 7 [running]:"
}
