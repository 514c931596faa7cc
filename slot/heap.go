package slot

// heap is a binary heap: pop returns the least of what was pushed. It is not
// container/heap because that one allocates for each element.
type heap[E any] struct {
	less  func(a, b E) bool
	items []E
}

func (h *heap[E]) push(e E) {
	h.items = append(h.items, e)
	h.up(len(h.items) - 1)
}

// pop must not be called on an empty heap.
func (h *heap[E]) pop() E {
	least := h.items[0]
	last := len(h.items) - 1
	h.items[0] = h.items[last]
	h.items = h.items[:last]
	h.down(0)
	return least
}

// keep drops the elements that do not satisfy the condition.
func (h *heap[E]) keep(condition func(E) bool) {
	kept := h.items[:0]
	for _, e := range h.items {
		if condition(e) {
			kept = append(kept, e)
		}
	}
	h.items = append(make([]E, 0, len(kept)), kept...) // lets go of the memory
	for i := len(h.items)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
}

func (h *heap[E]) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.less(h.items[i], h.items[parent]) {
			return
		}
		h.items[i], h.items[parent] = h.items[parent], h.items[i]
		i = parent
	}
}

func (h *heap[E]) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(h.items) {
			return
		}
		if child+1 < len(h.items) && h.less(h.items[child+1], h.items[child]) {
			child++
		}
		if !h.less(h.items[child], h.items[i]) {
			return
		}
		h.items[i], h.items[child] = h.items[child], h.items[i]
		i = child
	}
}
