package slot

import (
	"sync"
	"time"
)

// strangersPause is how long the log says nothing more of strangers after it
// said something.
const strangersPause = 10 * time.Second

// strangers counts refusals of ids that nobody reserved. Anyone can cause as many
// as he likes, so they are summed up: the first is logged at once, the others
// after a pause, if there are any.
type strangers struct {
	journal *journal

	mu                 sync.Mutex // protects all below
	unknown, malformed int
	quiet              bool // the log speaks, or has just spoken
	pause              *time.Timer
	closed             bool
	speaking           sync.WaitGroup // lines being written
}

// meet counts one.
func (s *strangers) meet(wellFormed bool) {
	if s.journal.silent {
		return
	}
	s.mu.Lock()
	if wellFormed {
		s.unknown++
	} else {
		s.malformed++
	}
	quiet := s.quiet || s.closed
	s.quiet = true
	s.mu.Unlock()
	if !quiet {
		s.speak()
	}
}

// speak logs what has been counted since the last time, and pauses.
func (s *strangers) speak() {
	s.mu.Lock()
	unknown, malformed := s.unknown, s.malformed
	s.unknown, s.malformed = 0, 0
	s.quiet = unknown+malformed > 0
	if !s.quiet {
		s.mu.Unlock()
		return
	}
	if !s.closed {
		s.pause = time.AfterFunc(strangersPause, s.speak)
	}
	s.speaking.Add(1)
	s.mu.Unlock()
	defer s.speaking.Done()
	s.journal.log.Warn().Int("unknown", unknown).Int("malformed", malformed).
		Msg("refused player session ids that nobody reserved")
}

// close says what is left to say, and returns once it is said.
func (s *strangers) close() {
	s.mu.Lock()
	s.closed = true
	if s.pause != nil {
		s.pause.Stop()
	}
	s.mu.Unlock()
	s.speak()
	s.speaking.Wait()
}
