package slot

// queue is first in, first out: a ring that doubles when it is full.
type queue[E any] struct {
	ring  []E // its length is a power of two
	first int
	len   int
}

// at returns the i-th element from the front.
func (q *queue[E]) at(i int) *E { return &q.ring[(q.first+i)&(len(q.ring)-1)] }

func (q *queue[E]) push(e E) {
	if q.len == len(q.ring) {
		q.resize(max(16, 2*q.len))
	}
	q.len++
	*q.at(q.len - 1) = e
}

// pop must not be called on an empty queue.
func (q *queue[E]) pop() E {
	e := *q.at(0)
	q.first = (q.first + 1) & (len(q.ring) - 1)
	q.len--
	return e
}

// keep drops the elements that do not satisfy the condition.
func (q *queue[E]) keep(condition func(E) bool) {
	n := 0
	for i := range q.len {
		if e := *q.at(i); condition(e) {
			*q.at(n) = e
			n++
		}
	}
	q.len = n
	size := 16
	for size < n {
		size *= 2
	}
	q.resize(size) // lets go of the memory
}

func (q *queue[E]) resize(size int) {
	ring := make([]E, size)
	for i := range q.len {
		ring[i] = *q.at(i)
	}
	q.ring, q.first = ring, 0
}
