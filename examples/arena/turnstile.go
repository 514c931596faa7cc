package main

import (
	"net/netip"
	"sync"

	"golang.org/x/time/rate"
)

const (
	perSecond = 2 // reservations of one address
	burst     = 10
	addresses = 1024 // remembered
)

// turnstile bounds how fast one address may reserve. An IPv6 address counts with
// its /64, which is what one household has.
type turnstile struct {
	mu   sync.Mutex
	seen map[netip.Prefix]*rate.Limiter
}

func newTurnstile() *turnstile { return &turnstile{seen: make(map[netip.Prefix]*rate.Limiter)} }

// pass reports whether whoever calls from remote, an address and port, may.
func (t *turnstile) pass(remote string) bool {
	from, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	household := household(from.Addr().Unmap())
	limiter := t.seen[household]
	if limiter == nil {
		if t.forget(); len(t.seen) >= addresses {
			return false
		}
		limiter = rate.NewLimiter(perSecond, burst)
		t.seen[household] = limiter
	}
	return limiter.Allow()
}

// forget makes room, when there is none: whoever has been quiet may do again what
// a newcomer may. It requires t.mu held.
func (t *turnstile) forget() {
	if len(t.seen) < addresses {
		return
	}
	for from, limiter := range t.seen {
		if limiter.Tokens() >= burst {
			delete(t.seen, from)
		}
	}
}

func household(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // bits are in range
	return p
}
