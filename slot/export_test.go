package slot

import (
	"errors"
	"runtime"
)

// CheckInvariants locks everything, in lock order, and checks the structure: all
// that holds at any instant at which nobody holds a lock.
func (t *Table) CheckInvariants() error { return errors.Join(t.inspect().errs...) }

// CheckAtRest checks besides what holds when no call is under way. The timer may
// be: it is given a chance to finish.
func (t *Table) CheckAtRest() error {
	for tries := 0; ; tries++ {
		in := t.inspect()
		in.atRest()
		if err := errors.Join(in.errs...); err == nil || tries == 100 {
			return err
		}
		runtime.Gosched()
	}
}

// Wakes returns how often the timer's goroutine has woken up.
func (t *Table) Wakes() uint64 { return t.expiry.wakes.Load() }

// WheelLen returns how many entries the wheel holds, cancelled ones included.
func (t *Table) WheelLen() int {
	t.expiry.mu.Lock()
	defer t.expiry.mu.Unlock()
	return t.expiry.wheel.Len()
}
