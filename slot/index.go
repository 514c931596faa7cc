package slot

// index finds numbers by a hash. Like records it is in open addressing, ordered by
// hash, and grows by a quarter; but its elements are 8 bytes, so that a large one
// is near the processor still, and to grow it looks at nothing but itself. Several
// numbers may have the same hash.
type index struct {
	words []uint64 // hash<<32 | number; the homes, and some room behind them; 0: empty
	homes uint32
	count uint32
}

// find returns where the first number of a hash stands, or would.
func (x *index) find(hash uint32) int {
	i := x.home(hash)
	for i < len(x.words) && x.words[i] != 0 && uint32(x.words[i]>>32) < hash {
		i++
	}
	return i
}

// at returns the number at i, or 0 if none of that hash stands there.
func (x *index) at(i int, hash uint32) uint32 {
	if i >= len(x.words) || uint32(x.words[i]>>32) != hash {
		return 0
	}
	return uint32(x.words[i])
}

// put changes the number at i.
func (x *index) put(i int, number uint32) { x.words[i] = x.words[i]>>32<<32 | uint64(number) }

func (x *index) home(hash uint32) int { return int(uint64(hash) * uint64(x.homes) >> 32) }

// add enters a number, which is not 0.
func (x *index) add(hash, number uint32) {
	if x.full() {
		x.grow()
	}
	for !x.insert(uint64(hash)<<32 | uint64(number)) {
		x.grow()
	}
	x.count++
}

func (x *index) insert(word uint64) bool {
	i := x.find(uint32(word >> 32))
	end := i
	for end < len(x.words) && x.words[end] != 0 {
		end++
	}
	if end == len(x.words) {
		return false
	}
	copy(x.words[i+1:end+1], x.words[i:end])
	x.words[i] = word
	return true
}

// remove takes out the number at i.
func (x *index) remove(i int) {
	end := i + 1
	for end < len(x.words) && x.words[end] != 0 && x.home(uint32(x.words[end]>>32)) < end {
		end++
	}
	copy(x.words[i:end-1], x.words[i+1:end])
	x.words[end-1] = 0
	x.count--
}

// full tells whether it grows when one more is added.
func (x *index) full() bool { return x.count >= x.homes-x.homes/4 }

// keep drops the numbers that are not wanted. The others move up to their homes, so
// they are read and written once, from front to back.
func (x *index) keep(wanted func(number uint32) bool) {
	next := 0
	for i, word := range x.words {
		x.words[i] = 0
		switch {
		case word == 0:
		case !wanted(uint32(word)):
			x.count--
		default:
			next = max(next, x.home(uint32(word>>32)))
			x.words[next] = word
			next++
		}
	}
}

func (x *index) grow() {
	ordered := x.words
	x.homes = moreHomes(x.homes)
	x.words = make([]uint64, x.homes+spill(x.homes))
	next := 0
	for _, word := range ordered {
		if word != 0 {
			next = max(next, x.home(uint32(word>>32)))
			x.words[next] = word // what had room among fewer homes has room among more
			next++
		}
	}
}
