package slot

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// area is where the live records of a stripe stand, for who does not have its lock: so
// their memory can be asked for before that is taken. The areas of all stripes are
// beside each other and rarely written, so every processor has them near, while a
// stripe is near the one that locked it last.
type area struct {
	first atomic.Uintptr // an address: nothing is read there
	homes atomic.Uint64  // maybe, for a moment, of others than first
}

// follow notes where t stands now. Its stripe is locked.
func (a *area) follow(t *records) {
	if a.homes.Load() != uint64(t.homes) {
		a.first.Store(uintptr(unsafe.Pointer(&t.slots[0])))
		a.homes.Store(uint64(t.homes))
	}
}

// home is the address of k's home.
func (a *area) home(k key) uintptr {
	home, _ := bits.Mul64(k.hi, a.homes.Load())
	return a.first.Load() + uintptr(home)*unsafe.Sizeof(record{})
}
