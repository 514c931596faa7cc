package slot

import "math/bits"

// seatSet is a set of seats that knows its lowest: a bit for each seat, and above
// them, three times, a bit for each word that is not 0. Four levels of 64 hold
// exactly as many as a game session may have.
type seatSet struct{ levels [4][]uint64 }

func (s *seatSet) add(seat uint32) {
	i := int(seat)
	for l := range s.levels {
		level := &s.levels[l]
		for i/64 >= len(*level) {
			*level = append(*level, 0)
		}
		word := &(*level)[i/64]
		known := *word != 0
		*word |= 1 << (i % 64)
		if known {
			return
		}
		i /= 64
	}
}

// takeLowest takes out the lowest seat, if there is one.
func (s *seatSet) takeLowest() (seat uint32, ok bool) {
	top := len(s.levels) - 1
	if len(s.levels[top]) == 0 || s.levels[top][0] == 0 {
		return 0, false
	}
	i := 0
	for l := top; l >= 0; l-- {
		i = i*64 + bits.TrailingZeros64(s.levels[l][i])
	}
	seat = uint32(i)
	for l := range s.levels {
		word := &s.levels[l][i/64]
		if *word &^= 1 << (i % 64); *word != 0 {
			break
		}
		i /= 64
	}
	return seat, true
}

func (s *seatSet) clear() {
	for l := range s.levels {
		s.levels[l] = s.levels[l][:0]
	}
}
