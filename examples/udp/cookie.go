package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"time"
)

// cookies prove that a client receives what is sent to its address, at no cost to
// the server: nothing is remembered of one who was challenged and does not answer.
// A cookie is good for one address, one player session id, and the rest of the
// slot of time it was made in and the slot after.
type cookies struct {
	secret [32]byte
	began  time.Time
	slot   time.Duration
}

// newCookies returns cookies that nobody else can make. They live for one slot at
// least, and for less than two.
func newCookies(began time.Time, slot time.Duration) *cookies {
	c := &cookies{began: began, slot: slot}
	_, _ = rand.Read(c.secret[:]) // never fails
	return c
}

// bake returns the cookie of that moment.
func (c *cookies) bake(addr netip.AddrPort, playerSessionID string, now time.Time) key {
	return c.at(c.slotOf(now), addr, playerSessionID)
}

// valid reports whether k was baked for both, and not too long ago.
func (c *cookies) valid(k key, addr netip.AddrPort, playerSessionID string, now time.Time) bool {
	this, last := c.at(c.slotOf(now), addr, playerSessionID), c.at(c.slotOf(now)-1, addr, playerSessionID)
	return k.is(this) || k.is(last)
}

func (c *cookies) slotOf(now time.Time) int64 { return int64(now.Sub(c.began) / c.slot) }

// at is a message authentication code. Neither a number nor an address holds a
// space, so no two triples read the same.
func (c *cookies) at(slot int64, addr netip.AddrPort, playerSessionID string) key {
	mac := hmac.New(sha256.New, c.secret[:])
	fmt.Fprintf(mac, "%d %v %s", slot, addr, playerSessionID)
	return key(mac.Sum(nil)[:len(key{})])
}
