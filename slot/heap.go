package slot

// heap hands back the earliest ended first. It is not container/heap, because that
// one allocates for each element, and not for any type, because a comparison that
// the compiler cannot inline would be most of the work.
type heap []past

// children of a node: with four instead of two, half as many lines of a large heap
// that are in no cache are read.
const children = 4

func (h *heap) push(p past) {
	*h = append(*h, p)
	h.up(len(*h) - 1)
}

// pop must not be called on an empty heap.
func (h *heap) pop() past {
	earliest := (*h)[0]
	last := len(*h) - 1
	(*h)[0] = (*h)[last]
	*h = (*h)[:last]
	h.down(0)
	return earliest
}

// keep drops those that do not satisfy the condition.
func (h *heap) keep(condition func(past) bool) {
	var kept heap // lets go of the memory
	for _, p := range *h {
		if condition(p) {
			kept.push(p)
		}
	}
	*h = kept
}

func (h heap) up(i int) {
	for i > 0 {
		parent := (i - 1) / children
		if !h[i].before(h[parent]) {
			return
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
}

func (h heap) down(i int) {
	for {
		first := children*i + 1
		if first >= len(h) {
			return
		}
		earliest := first
		for c := first + 1; c < min(first+children, len(h)); c++ {
			if h[c].before(h[earliest]) {
				earliest = c
			}
		}
		if !h[earliest].before(h[i]) {
			return
		}
		h[i], h[earliest] = h[earliest], h[i]
		i = earliest
	}
}
