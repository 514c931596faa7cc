package slot

// archive holds the records that are past. Unlike the live ones they are found by
// an index of 8 bytes each, since most that is asked for has never been there, and
// stand in the order in which they came, so that those who come and those who are
// forgotten are each near the last ones.
type archive struct {
	found  index    // by the first bits of the key: numbers in chunks, from 1 on
	marks  []uint8  // by home: a bit for each eighth of it that a hash of found lies in
	chunks []*shelf // do not move
	unused []uint32 // numbers
	count  int      // of records
}

// shelf is 1 KB: that much a stripe takes for its first player who leaves.
type shelf [16]record

func (a *archive) at(number uint32) *record { return &a.chunks[(number-1)/16][(number-1)%16] }

// find returns the record of k, or nil. Of strangers the marks turn nine in ten away,
// and unlike a large index they are near the processor.
func (a *archive) find(k key) *record {
	if home, bit := a.mark(hashOf(k)); home >= len(a.marks) || a.marks[home]&bit == 0 {
		return nil
	}
	_, r := a.search(k)
	return r
}

// mark is where a hash is marked.
func (a *archive) mark(hash uint32) (home int, bit uint8) {
	at := uint64(hash) * uint64(a.found.homes)
	return int(at >> 32), 1 << (at >> 29 & 7)
}

// setMark marks a hash that has been entered.
func (a *archive) setMark(hash uint32) {
	if len(a.marks) != int(a.found.homes) { // it has grown
		a.marks = a.allMarks()
	}
	home, bit := a.mark(hash)
	a.marks[home] |= bit
}

// allMarks returns what marks should be.
func (a *archive) allMarks() []uint8 {
	marks := make([]uint8, a.found.homes)
	for _, word := range a.found.words {
		if word != 0 {
			home, bit := a.mark(uint32(word >> 32))
			marks[home] |= bit
		}
	}
	return marks
}

// clearMark takes away the mark of a hash that stood at i. One that shares it stands
// next to there.
func (a *archive) clearMark(i int, hash uint32) {
	home, bit := a.mark(hash)
	for _, word := range a.found.words[max(i-1, 0) : i+1] {
		if h, b := a.mark(uint32(word >> 32)); word != 0 && h == home && b == bit {
			return
		}
	}
	a.marks[home] &^= bit
}

func (a *archive) search(k key) (int, *record) {
	hash := hashOf(k)
	for i := a.found.find(hash); ; i++ {
		number := a.found.at(i, hash)
		if number == 0 {
			return 0, nil
		}
		if r := a.at(number); r.key == k {
			return i, r
		}
	}
}

// add enters a copy of r.
func (a *archive) add(r *record) {
	number := uint32(a.count + 1)
	if n := len(a.unused); n > 0 {
		number, a.unused = a.unused[n-1], a.unused[:n-1]
	} else if a.count%len(shelf{}) == 0 {
		a.chunks = append(a.chunks, new(shelf))
	}
	*a.at(number) = *r
	a.found.add(hashOf(r.key), number)
	a.setMark(hashOf(r.key))
	a.count++
}

// remove takes out the record of k, which is there, and returns it.
func (a *archive) remove(k key) record {
	i, r := a.search(k)
	a.unused = append(a.unused, a.found.at(i, hashOf(k)))
	a.found.remove(i)
	a.clearMark(i, hashOf(k))
	removed := *r
	*r = record{}
	a.count--
	return removed
}

func (a *archive) touch(k key) { a.found.touch(hashOf(k)) }

// hashOf is what the archive finds a key by.
func hashOf(k key) uint32 { return uint32(k.hi >> 32) }
