package slot

import (
	"math/bits"
	"unsafe"

	"github.com/usher-go/usher/slot/internal/prefetch"
)

// area is where the live records of a stripe stand. Whoever has not got the stripe's
// lock, which protects what is in it, may still ask for its memory.
type area struct {
	slots []record // the homes, and some room behind them
	homes uint32

	// leads has a byte for each home, four bits for either half of it: how far behind the
	// home the first record of that half stands, or farthestLead if that is less. A search
	// begins there, not at the home: how many records it would pass, a processor cannot
	// foresee, and every other time it would begin anew with all that an accept does next.
	// Small areas have none, since that would be more memory to wait for.
	leads []uint8
}

const (
	leadBits     = 4
	farthestLead = 1<<leadBits - 1
)

func newArea(homes uint32) *area {
	a := &area{slots: make([]record, homes+spill(homes)), homes: homes}
	if homes >= fewHomes {
		a.leads = make([]uint8, homes)
	}
	return a
}

// home is where a key belongs: the key as a fraction of the homes.
func (a *area) home(k key) int {
	home, _ := bits.Mul64(k.hi, uint64(a.homes))
	return int(home)
}

// half of a home, and where its bits in the home's byte of leads begin.
type half struct {
	home int
	bit  uint8
}

// half is the half of its home that a key belongs to.
func (a *area) half(k key) half {
	home, fraction := bits.Mul64(k.hi, uint64(a.homes))
	return half{int(home), uint8(fraction>>63) * leadBits}
}

// leadOf is how far behind its home the first record of h stands, if there is one.
func (a *area) leadOf(h half) int { return int(a.leads[h.home] >> h.bit & farthestLead) }

// ask asks the processor for the memory of a home, in a large area. It needs no lock.
func (a *area) ask(home int) {
	if prefetch.Enabled && home < len(a.leads) {
		prefetch.Lines(unsafe.Pointer(&a.leads[home]), unsafe.Pointer(&a.slots[home]))
	}
}

// find returns the record of k, or nil. It stays where it is until one is added or
// removed.
func (a *area) find(k key) *record {
	h := a.half(k)
	i := h.home
	if i < len(a.leads) {
		i += a.leadOf(h)
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
// there. None is empty.
func (a *area) lead(from, to int) {
	if len(a.leads) == 0 || from >= to {
		return
	}
	// Others of the same half may stand before them, but not before somebody at home.
	for h := a.half(a.slots[from].key); from > h.home && a.half(a.slots[from-1].key) == h; {
		from--
	}
	// Of those of one half the first counts, so it is noted last: to ask which is the
	// first would be another branch that no processor foresees.
	for i := to - 1; i >= from; i-- {
		h := a.half(a.slots[i].key)
		a.leads[h.home] = a.leads[h.home]&^(farthestLead<<h.bit) | uint8(min(i-h.home, farthestLead))<<h.bit
	}
}
