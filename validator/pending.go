package validator

import (
	"net/netip"
	"sync"
	"time"
)

// pending are the visitors of a listener. There is a bound on all of them, and on
// those of one address. Where it is reached, the oldest is hung up on for the
// newcomer, but rather one who has sent nothing than one who has; and nobody who
// has shown the id of a live player session as long as there is one who has not, so
// that no number of strangers keeps a player out whose Admit takes its time.
type pending struct {
	max, maxPerAddress int // maxPerAddress < 0: no bound

	mu        sync.Mutex // protects all below, and the visitors; no connection is closed under it
	all       crowd
	addresses map[netip.Prefix]*crowd // none of them empty
	closed    bool

	pushedOut, pushedOutOfAddress, outOfTime uint64
}

func newPending(maximum, maxPerAddress int) *pending {
	return &pending{max: maximum, maxPerAddress: maxPerAddress, addresses: map[netip.Prefix]*crowd{}}
}

// enter makes room for v, which has until timeout to leave. It reports whether
// anybody may still enter.
func (p *pending) enter(v *visitor, timeout time.Duration) bool {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return false
	}
	var oldest *visitor
	if p.all.size() >= p.max {
		oldest = p.pushOut(&p.all, ofAll, &p.pushedOut)
	}
	v.waits = true
	v.timer = time.AfterFunc(timeout, func() { p.expire(v) })
	p.all.add(v, ofAll)
	p.mu.Unlock()
	oldest.hangUp()
	return true
}

// enterFrom makes room for v, which has entered, at its address.
func (p *pending) enterFrom(addr netip.Addr, v *visitor) {
	if p.maxPerAddress < 0 || !addr.IsValid() {
		return
	}
	p.mu.Lock()
	if !v.waits {
		p.mu.Unlock()
		return
	}
	network := networkOf(addr)
	var oldest *visitor
	if there := p.addresses[network]; there != nil && there.size() >= p.maxPerAddress {
		oldest = p.pushOut(there, ofAddress, &p.pushedOutOfAddress)
	}
	there := p.addresses[network]
	if there == nil {
		there = &crowd{network: network}
		p.addresses[network] = there
	}
	v.neighbours = there
	there.add(v, ofAddress)
	p.mu.Unlock()
	oldest.hangUp()
}

// networkOf is what counts as one address. An IPv6 host has a /64 to choose from.
func networkOf(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap()
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	network, _ := addr.Prefix(bits) // an error would be for too many bits
	return network
}

// makeRoom hangs up on the oldest visitor, if there is one.
func (p *pending) makeRoom() bool {
	p.mu.Lock()
	oldest := p.pushOut(&p.all, ofAll, &p.pushedOut)
	p.mu.Unlock()
	oldest.hangUp()
	return oldest != nil
}

// pushOut removes whom a crowd can best do without, and counts it. It requires p.mu
// held.
func (p *pending) pushOut(c *crowd, which int, count *uint64) *visitor {
	oldest := c.dispensable(which)
	if oldest != nil {
		p.remove(oldest)
		oldest.hungUp = true
		*count++
	}
	return oldest
}

// know notes that v has shown the id of a live player session.
func (p *pending) know(v *visitor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rank(v, true)
}

// rank lets v stand with those it belongs to. It requires p.mu held.
func (p *pending) rank(v *visitor, known bool) {
	if !v.waits || v.known == known {
		v.known = known
		return
	}
	p.all.drop(v, ofAll)
	if v.neighbours != nil {
		v.neighbours.drop(v, ofAddress)
	}
	v.known = known
	p.all.add(v, ofAll)
	if v.neighbours != nil {
		v.neighbours.add(v, ofAddress)
	}
}

// refuse gives v, which is nobody any more, until timeout to be told so. It reports
// false if v was hung up on.
func (p *pending) refuse(v *visitor, late bool, timeout time.Duration) bool {
	p.mu.Lock()
	if v.hungUp {
		p.mu.Unlock()
		return false
	}
	if late {
		p.outOfTime++
	}
	v.refused = true
	p.rank(v, false)
	if v.waits {
		v.timer.Reset(timeout)
		p.mu.Unlock()
		return true
	}
	p.mu.Unlock()
	return p.enter(v, timeout) // it had left to come in
}

// leave reports whether v has been pending until now. If not, it was hung up on,
// and nobody may come in by it.
func (p *pending) leave(v *visitor) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.remove(v)
}

// expire hangs up on v if it is still pending.
func (p *pending) expire(v *visitor) {
	p.mu.Lock()
	waited := p.remove(v)
	if waited && !v.refused {
		p.outOfTime++
	}
	if waited {
		v.hungUp = true
	}
	p.mu.Unlock()
	if waited {
		v.hangUp()
	}
}

// close hangs up on everybody, now and later.
func (p *pending) close() {
	p.mu.Lock()
	p.closed = true
	var all []*visitor
	for v := p.all.oldest(); v != nil; v = p.all.oldest() {
		p.remove(v)
		v.hungUp = true
		all = append(all, v)
	}
	p.mu.Unlock()
	for _, v := range all {
		v.hangUp()
	}
}

// remove reports whether v was pending. It requires p.mu held.
func (p *pending) remove(v *visitor) bool {
	if !v.waits {
		return false
	}
	v.waits = false
	v.timer.Stop()
	p.all.drop(v, ofAll)
	if there := v.neighbours; there != nil {
		there.drop(v, ofAddress)
		v.neighbours = nil
		if there.size() == 0 {
			delete(p.addresses, there.network)
		}
	}
	return true
}

func (p *pending) stats() ListenerStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return ListenerStats{
		Pending:            p.all.size(),
		HandshakeTimeouts:  p.outOfTime,
		PushedOut:          p.pushedOut,
		PushedOutOfAddress: p.pushedOutOfAddress,
	}
}
