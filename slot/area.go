package slot

import (
	"math"
	"math/bits"
	"unsafe"

	"github.com/usher-go/usher/slot/internal/prefetch"
)

// area is where the live records of a stripe stand. Their memory may be asked for by
// whoever has not got the stripe's lock, which protects what is in it.
type area struct {
	slots []record // the homes, and some room behind them
	homes uint32

	// leads tells for each home how far behind it the first of its records stands, or
	// as far as a byte reaches. To begin there is faster than to walk: how many steps
	// that takes, a processor cannot foresee, so it begins what comes next anew after half
	// of all searches. Small areas have none, since they would be more memory to wait for.
	leads []uint8
}

func newArea(homes uint32) *area {
	a := &area{slots: make([]record, homes+spill(homes)), homes: homes}
	if homes >= fewHomes {
		a.leads = make([]uint8, homes)
	}
	return a
}

// home is where a key belongs: the key as a fraction of the homes.
func (a *area) home(k key) int {
	hi, _ := bits.Mul64(k.hi, uint64(a.homes))
	return int(hi)
}

// ask asks the processor for the memory of a home, in a large area. It needs no lock.
func (a *area) ask(home int) {
	if prefetch.Enabled && home < len(a.leads) {
		prefetch.Lines(unsafe.Pointer(&a.leads[home]), unsafe.Pointer(&a.slots[home]))
	}
}

// find returns the record of k, whose home is given, or nil. It stays where it is until
// one is added or removed.
func (a *area) find(home int, k key) *record {
	i := home
	if home < len(a.leads) {
		i += int(a.leads[home])
	}
	for ; i < len(a.slots); i++ {
		r := &a.slots[i]
		if r.key == k && r.place != 0 {
			return r
		}
		if r.key.hi > k.hi || r.place == 0 {
			return nil
		}
	}
	return nil
}

// lead notes where the records of the slots between from and to stand, which have moved
// there. None is empty. Of those of one home the first counts, so they are noted from the
// last on: to ask which is the first would be a branch that no processor foresees.
func (a *area) lead(from, to int) {
	if len(a.leads) == 0 || from >= to {
		return
	}
	home := a.home(a.slots[from].key)
	lead := a.leads[home]
	if home == from || a.home(a.slots[from-1].key) != home { // who is at home is the first
		lead = leadOf(from - home)
	}
	for i := to - 1; i > from; i-- {
		home := a.home(a.slots[i].key)
		a.leads[home] = leadOf(i - home)
	}
	a.leads[home] = lead
}

func leadOf(distance int) uint8 { return uint8(min(distance, math.MaxUint8)) }
