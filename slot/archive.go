package slot

// archive holds the records that are past, in the order in which they came. In that
// order they are forgotten, but for those whom a storm has left: so both of its ends
// are near the processor, and who is forgotten is mostly found at the front.
//
// Others are found by an index of 8 bytes each, and since most that is asked for has
// never been there, by marks before that. Neither is in a cache just for somebody who
// comes or is forgotten: so they who come are entered seven at a time, and they who
// are forgotten stay there until it is full.
type archive struct {
	shelves shelves
	spare   *shelf // empty, or nil

	// The records have numbers from first on; next is nobody's yet. Both wrap around,
	// and 0 is left out. Who was forgotten before others has left a hole.
	first, next uint32
	count       int    // of records
	marked      uint32 // homes of found that marks were made for

	// What a refusal needs stands in two cache lines, of which the second one is for
	// the last who came and, in the stripe, for the number of refusals.
	found index     // numbers, by the first bits of the key
	marks []uint64  // for each markedHomes of found: three bits for each hash there
	late  int       // how many of fresh there are
	fresh [7]uint64 // words for found: of the last who came
}

// markedHomes are as many as a word of marks is for. The marks of a full history are
// 200 KB then and say of one stranger in twelve that he may be there; with a bit for
// each eighth of a home it was as many, but 400 KB.
const markedHomes = 16

// shelves are a ring by number. Its length is a power of two.
type shelves []*shelf

// shelf is 1 KB: that much a stripe takes for its first player who leaves.
type shelf [shelfRecords]record

const shelfRecords = 16

func (s shelves) of(number uint32) **shelf { return &s[number/shelfRecords&uint32(len(s)-1)] }

// at returns the place of a number between first and next.
func (a *archive) at(number uint32) *record { return &(*a.shelves.of(number))[number%shelfRecords] }

// known returns the record of a number, or nil if it has been forgotten.
func (a *archive) known(number uint32) *record {
	if number-a.first >= a.next-a.first {
		return nil
	}
	if r := a.at(number); r.place != 0 {
		return r
	}
	return nil
}

// find returns the record of k, or nil. Of strangers the marks turn nine in ten away,
// and unlike a large index they are near the processor.
func (a *archive) find(k key) *record {
	hash := hashOf(k)
	for _, word := range a.fresh[:a.late] {
		if uint32(word>>32) == hash {
			if r := a.known(uint32(word)); r != nil && r.key == k {
				return r
			}
		}
	}
	if at, bits := a.mark(hash); at >= len(a.marks) || a.marks[at]&bits != bits {
		return nil
	}
	for i := a.found.find(hash); ; i++ {
		number := a.found.at(i, hash)
		if number == 0 {
			return nil
		}
		if r := a.known(number); r != nil && r.key == k {
			return r
		}
	}
}

// add puts a copy of r behind the others.
func (a *archive) add(r *record) {
	if a.next == 0 {
		a.next++
	}
	if a.late == len(a.fresh) {
		a.enter()
	}
	a.fresh[a.late] = uint64(hashOf(r.key))<<32 | uint64(a.next)
	a.late++
	*a.room() = *r
	a.next++
	a.count++
}

// room makes room for the next record.
func (a *archive) room() *record {
	if int(a.next-a.first) >= (len(a.shelves)-1)*shelfRecords {
		a.extend()
	}
	s := a.shelves.of(a.next)
	if *s == nil {
		*s, a.spare = a.spare, nil
	}
	if *s == nil {
		*s = new(shelf)
	}
	return &(*s)[a.next%shelfRecords]
}

// extend makes the ring of shelves twice as long.
func (a *archive) extend() {
	longer := make(shelves, max(2, 2*len(a.shelves)))
	for i := range a.shelves {
		n := a.first + uint32(i)*shelfRecords
		*longer.of(n) = *a.shelves.of(n)
	}
	a.shelves = longer
}

// remove takes out the record of k, which is there, and returns it.
func (a *archive) remove(k key) record {
	r := a.at(a.first)
	if r.key != k {
		r = a.find(k)
	}
	removed := *r
	*r = record{}
	a.count--
	a.closeUp()
	if holes := int(a.next-a.first) - a.count; holes > a.count+shelfRecords {
		a.compact()
	}
	return removed
}

// touchFirst reads the record that is most likely forgotten next; see records' touch.
//
//go:noinline
func (a *archive) touchFirst() place {
	if a.count == 0 { // whoever that is, is still among the live ones
		return 0
	}
	return a.at(a.first).place
}

// closeUp leaves holes at the front behind.
func (a *archive) closeUp() {
	for a.first != a.next && a.at(a.first).place == 0 {
		a.first++
		if a.first%shelfRecords == 0 {
			a.takeDown(a.first - 1)
		}
	}
}

// takeDown removes the shelf of a number, which is empty.
func (a *archive) takeDown(number uint32) {
	s := a.shelves.of(number)
	*s, a.spare = nil, *s
}

// compact closes all holes, when they are more than the records: that is so where
// somebody stays long who left before many others, and these are forgotten sooner, with
// their game sessions, or had left in a storm.
func (a *archive) compact() {
	var dense archive
	for n := a.first; n != a.next; n++ {
		if r := a.at(n); r.place != 0 {
			dense.add(r)
		}
	}
	*a = dense
}

// enter lets the last who came be found by the index. Their lines of memory are waited
// for side by side.
func (a *archive) enter() {
	for _, word := range a.fresh[:a.late] {
		a.touch(uint32(word >> 32))
	}
	for _, word := range a.fresh[:a.late] {
		if a.found.full() && int(a.found.count)-int(a.next-a.first) > int(a.found.homes)/16 {
			a.sweep()
		}
		a.found.add(uint32(word>>32), uint32(word))
		a.setMark(uint32(word >> 32))
	}
	a.late = 0
}

// touch is records' touch.
//
//go:noinline
func (a *archive) touch(hash uint32) uint64 {
	if at, _ := a.mark(hash); at < len(a.marks) {
		return a.found.words[a.found.home(hash)] ^ a.marks[at]
	}
	return 0
}

// sweep drops from the index who was forgotten at the front.
func (a *archive) sweep() {
	a.found.keep(func(number uint32) bool { return number-a.first < a.next-a.first })
	a.markAll()
}

// mark is where a hash is marked, and how.
func (a *archive) mark(hash uint32) (at int, bits uint64) {
	place := uint64(hash) * uint64(a.found.homes) // the home, and where in it
	spread := uint32(place) * 0x9E3779B1          // 2^32 over the golden ratio
	bits = 1<<(spread>>26) | 1<<(spread>>20&63) | 1<<(spread>>14&63)
	return int(place>>32) / markedHomes, bits
}

// setMark marks a hash that has been entered.
func (a *archive) setMark(hash uint32) {
	if a.marked != a.found.homes { // it has grown
		a.marked = a.found.homes
		a.marks = make([]uint64, (a.marked+markedHomes-1)/markedHomes)
		a.markAll()
	}
	at, bits := a.mark(hash)
	a.marks[at] |= bits
}

// markAll sets the marks of the index as it is.
func (a *archive) markAll() {
	clear(a.marks)
	for _, word := range a.found.words {
		if word != 0 {
			at, bits := a.mark(uint32(word >> 32))
			a.marks[at] |= bits
		}
	}
}

// hashOf is what the archive finds a key by.
func hashOf(k key) uint32 { return uint32(k.hi >> 32) }
