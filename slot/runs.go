package slot

import "slices"

// runs are sequences of player sessions that have ended, each in order of the end.
// They stand in a heap, the one that begins earliest on top. It is not
// container/heap, because that one allocates for each element.
type runs struct {
	heap []*queue[past]
	open [4]*queue[past] // may grow: those that were begun last
	len  int             // of all
}

// push enters p into the run whose last one ended the shortest time before it, or
// into a new one.
func (rs *runs) push(p past) {
	rs.len++
	if run := rs.fitting(p); run != nil {
		run.push(p)
		return
	}
	run := new(queue[past])
	run.push(p)
	copy(rs.open[1:], rs.open[:])
	rs.open[0] = run
	rs.heap = append(rs.heap, run)
	rs.up(len(rs.heap) - 1)
}

func (rs *runs) fitting(p past) (best *queue[past]) {
	var latest past
	for _, run := range rs.open {
		switch {
		case run == nil:
		case run.len == 0: // there is no other
			return run
		default:
			last := *run.at(run.len - 1)
			if !p.before(last) && (best == nil || latest.before(last)) {
				best, latest = run, last
			}
		}
	}
	return best
}

// pop takes out the earliest of all. There must be one.
func (rs *runs) pop() past {
	rs.len--
	run := rs.heap[0]
	p := run.pop()
	switch {
	case run.len > 0:
	case len(rs.heap) == 1: // for those who come
		rs.open = [len(rs.open)]*queue[past]{run}
	default:
		last := len(rs.heap) - 1
		rs.heap[0], rs.heap[last] = rs.heap[last], nil
		rs.heap = rs.heap[:last]
		if i := slices.Index(rs.open[:], run); i >= 0 {
			rs.open[i] = nil
		}
	}
	rs.down(0)
	return p
}

// keep drops those that do not satisfy the condition.
func (rs *runs) keep(condition func(past) bool) {
	var kept runs // lets go of the memory
	for _, run := range rs.heap {
		if run.keep(condition); run.len > 0 {
			kept.heap = append(kept.heap, run)
			kept.up(len(kept.heap) - 1)
			kept.len += run.len
		}
	}
	copy(kept.open[:], kept.heap)
	*rs = kept
}

func (rs *runs) less(i, j int) bool { return rs.heap[i].at(0).before(*rs.heap[j].at(0)) }

func (rs *runs) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !rs.less(i, parent) {
			return
		}
		rs.heap[i], rs.heap[parent] = rs.heap[parent], rs.heap[i]
		i = parent
	}
}

func (rs *runs) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(rs.heap) {
			return
		}
		if child+1 < len(rs.heap) && rs.less(child+1, child) {
			child++
		}
		if !rs.less(child, i) {
			return
		}
		rs.heap[i], rs.heap[child] = rs.heap[child], rs.heap[i]
		i = child
	}
}
