package measure

import (
	"slices"
	"time"
)

// Stopwatch times single calls. What reading the clock itself costs is taken off
// each: more than half of it otherwise, with a small table.
type Stopwatch struct {
	Base time.Time // when Read would have returned 0
	Cost int64     // of a Read, in nanoseconds
}

// NewStopwatch finds out what reading the clock costs, which takes it some tens of
// microseconds.
func NewStopwatch() Stopwatch {
	s := Stopwatch{Base: time.Now()}
	empty := make([]int64, 1001)
	for i := range empty {
		start := s.Read()
		empty[i] = s.Read() - start
	}
	slices.Sort(empty)
	s.Cost = empty[len(empty)/2]
	return s
}

// Read returns nanoseconds. It is the monotonic clock alone, which costs less.
func (s *Stopwatch) Read() int64 { return int64(time.Since(s.Base)) }

// Since returns how long ago start was read, less the cost of reading.
func (s *Stopwatch) Since(start int64) int64 { return s.Read() - start - s.Cost }

// After spins until then, since to sleep is too coarse, and returns the time.
func (s *Stopwatch) After(then int64) int64 {
	now := s.Read()
	for now < then {
		now = s.Read()
	}
	return now
}
