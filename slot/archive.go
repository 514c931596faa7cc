package slot

// archive holds the records that are past. Unlike the live ones they are found by
// an index of 8 bytes each, since most that is asked for has never been there, and
// stand in the order in which they came, so that those who come and those who are
// forgotten are each near the last ones.
type archive struct {
	found  index    // by the first bits of the key: numbers in chunks, from 1 on
	chunks []*shelf // do not move
	unused []uint32 // numbers
	count  int      // of records
}

// shelf is 1 KB: that much a stripe takes for its first player who leaves.
type shelf [16]record

func (a *archive) at(number uint32) *record { return &a.chunks[(number-1)/16][(number-1)%16] }

// find returns the record of k, or nil.
func (a *archive) find(k key) *record {
	_, r := a.search(k)
	return r
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
	a.count++
}

// remove takes out the record of k, which is there, and returns it.
func (a *archive) remove(k key) record {
	i, r := a.search(k)
	a.unused = append(a.unused, a.found.at(i, hashOf(k)))
	a.found.remove(i)
	removed := *r
	*r = record{}
	a.count--
	return removed
}

func (a *archive) touch(k key) { a.found.touch(hashOf(k)) }

// hashOf is what the archive finds a key by.
func hashOf(k key) uint32 { return uint32(k.hi >> 32) }
