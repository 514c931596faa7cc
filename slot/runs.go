package slot

// runs are sequences of player sessions that have ended, each in order of the end.
// They stand in a heap, the one that begins earliest on top. It is not
// container/heap, because that one allocates for each element.
type runs [][]past

// push enters a copy of ps, which are in order.
func (rs *runs) push(ps []past) {
	*rs = append(*rs, append([]past(nil), ps...))
	rs.up(len(*rs) - 1)
}

// earliest returns the earliest of all, if there is one.
func (rs runs) earliest() (past, bool) {
	if len(rs) == 0 {
		return past{}, false
	}
	return rs[0][0], true
}

// pop takes it out.
func (rs *runs) pop() {
	old := *rs
	if old[0] = old[0][1:]; len(old[0]) == 0 {
		last := len(old) - 1
		old[0], old[last] = old[last], nil
		*rs = old[:last]
	}
	rs.down(0)
}

// len returns how many player sessions there are.
func (rs runs) len() (n int) {
	for _, run := range rs {
		n += len(run)
	}
	return n
}

// keep drops those that do not satisfy the condition.
func (rs *runs) keep(condition func(past) bool) {
	var kept runs // lets go of the memory
	for _, run := range *rs {
		n := 0
		for _, p := range run {
			if condition(p) {
				run[n] = p
				n++
			}
		}
		if n > 0 {
			kept.push(run[:n])
		}
	}
	*rs = kept
}

func (rs runs) less(i, j int) bool { return rs[i][0].before(rs[j][0]) }

func (rs runs) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !rs.less(i, parent) {
			return
		}
		rs[i], rs[parent] = rs[parent], rs[i]
		i = parent
	}
}

func (rs runs) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(rs) {
			return
		}
		if child+1 < len(rs) && rs.less(child+1, child) {
			child++
		}
		if !rs.less(child, i) {
			return
		}
		rs[i], rs[child] = rs[child], rs[i]
		i = child
	}
}
