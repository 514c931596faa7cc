package slot

// Wakes returns how often the timer's goroutine has woken up.
func (t *Table) Wakes() uint64 { return t.expiry.wakes.Load() }

// WheelLen returns how many entries the wheel holds, cancelled ones included.
func (t *Table) WheelLen() int {
	t.expiry.mu.Lock()
	defer t.expiry.mu.Unlock()
	return t.expiry.wheel.Len()
}
