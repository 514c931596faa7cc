package measure

// queue is first in, first out, within the capacity it was made with.
type queue struct {
	ring        []seat
	head, count int
}

func newQueue(capacity int) queue { return queue{ring: make([]seat, capacity)} }

func (q *queue) len() int { return q.count }

func (q *queue) first() *seat { return &q.ring[q.head] }

func (q *queue) push(s seat) {
	q.ring[(q.head+q.count)%len(q.ring)] = s
	q.count++
}

func (q *queue) pop() seat {
	s := q.ring[q.head]
	q.head = (q.head + 1) % len(q.ring)
	q.count--
	return s
}
