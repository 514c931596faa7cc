package main

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCookies(t *testing.T) {
	t.Parallel()
	began := time.Now()
	c := newCookies(began, time.Second)
	ann := netip.MustParseAddrPort("192.0.2.1:1000")
	cookie := c.bake(ann, "psess-ann", began)

	require.True(t, c.valid(cookie, ann, "psess-ann", began))
	require.Equal(t, cookie, c.bake(ann, "psess-ann", began.Add(time.Second-1)), "the same all through a slot")
	for _, other := range []string{"192.0.2.1:1001", "192.0.2.2:1000", "[::ffff:192.0.2.1]:1000", "[2001:db8::1]:1000"} {
		require.False(t, c.valid(cookie, netip.MustParseAddrPort(other), "psess-ann", began), other)
	}
	require.False(t, c.valid(cookie, ann, "psess-bea", began), "another id")
	require.False(t, c.valid(key{}, ann, "psess-ann", began), "none")
	require.False(t, newCookies(began, time.Second).valid(cookie, ann, "psess-ann", began), "another server's")

	for i := range cookie {
		forged := cookie
		forged[i] ^= 1
		require.False(t, c.valid(forged, ann, "psess-ann", began), "byte %d", i)
	}
}

func TestCookiesGrowOld(t *testing.T) {
	t.Parallel()
	began := time.Now()
	c := newCookies(began, time.Second)
	addr := netip.MustParseAddrPort("192.0.2.1:1000")
	for _, baked := range []time.Duration{0, 1, time.Second - 1, time.Second, 1000*time.Hour + 1} {
		cookie := c.bake(addr, "psess-ann", began.Add(baked))
		for after, want := range map[time.Duration]bool{
			0: true, time.Second: true, 2 * time.Second: false, 3 * time.Second: false, time.Hour: false,
		} {
			require.Equal(t, want, c.valid(cookie, addr, "psess-ann", began.Add(baked+after)), "%v after %v", after, baked)
		}
		require.False(t, c.valid(cookie, addr, "psess-ann", began.Add(baked-2*time.Second)), "from the future")
	}
}
