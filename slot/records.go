package slot

// records is a set of records in open addressing, ordered by key: each stands
// at its home, which grows with its key, or as near behind it as the others
// allow. So a search ends at the first key that is greater, found or not, and
// there are no tombstones: the others close up behind one that leaves. Records
// move, so nothing but a key refers to one for longer than its lock is held.
type records struct {
	*area
	count uint32
}

// noArea is where nobody has been yet.
var noArea area

func noRecords() records { return records{area: &noArea} }

// The first slots are few: the stripes of a small table stay in the cache.
const (
	fewestHomes = 4
	fewHomes    = 64
)

// spill is the room behind the homes for records that are pushed beyond them.
// It makes wrapping around unnecessary, so that slots stay ordered. At a load of
// 3/4 a record stands more than k slots from home with a probability of about
// e^(-k/2); a run that reaches the end all the same makes the records grow early.
func spill(homes uint32) uint32 { return min(4+homes/8, 32) }

// touch reads where k should be. Who looks for several keys touches all of them
// first: then the processor waits for the memory of all at once, instead of for
// each before it knows where to go on.
//
//go:noinline
func (t *records) touch(k key) uint64 {
	if i := t.home(k); i+1 < len(t.slots) {
		return t.slots[i].key.hi ^ t.slots[i+1].key.hi // the next one moves up if this leaves
	}
	return 0
}

// add makes room for a record of k, which is not there yet, and returns it, empty but
// for its key. It has to be given a place before anything else is done.
func (t *records) add(k key) *record {
	if t.full() {
		t.grow()
	}
	t.count++
	for {
		if added := t.insert(k); added != nil {
			return added
		}
		t.grow()
	}
}

// insert shifts those behind k's place up to the next empty slot. It returns nil
// if there is none.
func (t *records) insert(k key) *record {
	i := t.home(k)
	for i < len(t.slots) && t.slots[i].place != 0 && t.slots[i].key.hi <= k.hi {
		i++
	}
	end := i
	for end < len(t.slots) && t.slots[end].place != 0 {
		end++
	}
	if end == len(t.slots) {
		return nil
	}
	copy(t.slots[i+1:end+1], t.slots[i:end])
	t.slots[i] = record{key: k}
	t.lead(i, end+1)
	return &t.slots[i]
}

// remove takes out r, which find has returned, and moves those up that stand
// behind their homes.
func (t *records) remove(r *record) {
	i := t.home(r.key)
	for &t.slots[i] != r {
		i++
	}
	end := i + 1
	for end < len(t.slots) && t.slots[end].place != 0 && t.home(t.slots[end].key) < end {
		end++
	}
	copy(t.slots[i:end-1], t.slots[i+1:end])
	t.slots[end-1] = record{}
	t.lead(i, end-1)
	t.count--
}

// sweep takes out those of n slots from first on who are gone, and moves the others up
// to their homes. It goes on until that moves nobody any more, and returns the slot
// behind. gone is asked once of each.
func (t *records) sweep(first, n int, gone func(*record) bool) (next int) {
	free, i := first, first // from free on, up to i, nobody stands
	for ; i < len(t.slots); i++ {
		r := &t.slots[i]
		if i >= first+n && (r.place == 0 || free == i || t.home(r.key) == i) {
			break
		}
		switch {
		case r.place == 0:
			clear(t.slots[free:i])
			free = i + 1
		case gone(r):
			t.count--
		default:
			to := max(free, t.home(r.key))
			clear(t.slots[free:to])
			if to < i {
				t.slots[to] = *r
				t.lead(to, to+1)
			}
			free = to + 1
		}
	}
	clear(t.slots[free:i])
	return i
}

// full tells whether they grow when one more is added.
func (t *records) full() bool { return t.count >= t.homes-t.homes/4 }

// grow makes room for more. The order of the records stays, so they are read and
// written once, from front to back.
func (t *records) grow() { t.resize(moreHomes(t.homes)) }

// moreHomes doubles what is small, so that a table fills fast, and then adds a
// quarter at a time, so that the load stays between 0.6 and 0.75 at any size.
func moreHomes(homes uint32) uint32 {
	if homes < fewHomes {
		return max(fewestHomes, 2*homes)
	}
	return homes + homes/4
}

// presize makes room for count records, before there are any.
func (t *records) presize(count int) { t.resize(max(fewestHomes, uint32(count)*3/2)) }

func (t *records) resize(homes uint32) {
	ordered := t.slots
	t.area = newArea(homes)
	next := 0
	for i := range ordered {
		if ordered[i].place != 0 {
			next = max(next, t.home(ordered[i].key))
			t.slots[next] = ordered[i] // what had room among fewer homes has room among more
			t.lead(next, next+1)
			next++
		}
	}
}
