package slot

// runs are sequences of player sessions that have ended, each in order of the end.
// They stand in a heap, the one that begins earliest on top. It is not
// container/heap, because that one allocates for each element.
type runs struct {
	heap []*queue[past]
	open *queue[past] // the newest, which may grow
	len  int          // of all
}

// push enters p into the newest run, or where it ended before the last there, into
// one of its own.
func (rs *runs) push(p past) {
	rs.len++
	if o := rs.open; o != nil && o.len > 0 && !p.before(*o.at(o.len - 1)) {
		o.push(p)
		return
	}
	rs.open = new(queue[past])
	rs.open.push(p)
	rs.heap = append(rs.heap, rs.open)
	rs.up(len(rs.heap) - 1)
}

// earliest returns the earliest of all, if there is one.
func (rs *runs) earliest() (past, bool) {
	if len(rs.heap) == 0 {
		return past{}, false
	}
	return *rs.heap[0].at(0), true
}

// pop takes it out.
func (rs *runs) pop() {
	rs.len--
	rs.heap[0].pop()
	if rs.heap[0].len == 0 {
		last := len(rs.heap) - 1
		rs.heap[0], rs.heap[last] = rs.heap[last], nil
		rs.heap = rs.heap[:last]
	}
	rs.down(0)
}

// keep drops those that do not satisfy the condition.
func (rs *runs) keep(condition func(past) bool) {
	var kept runs // lets go of the memory
	for _, run := range rs.heap {
		run.keep(condition)
		if run.len > 0 {
			kept.heap = append(kept.heap, run)
			kept.up(len(kept.heap) - 1)
			kept.len += run.len
		}
	}
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
