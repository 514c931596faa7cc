package main

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// passes counts how many of n get through.
func passes(ts *turnstile, remote string, n int) (passed int) {
	for range n {
		if ts.pass(remote) {
			passed++
		}
	}
	return passed
}

func TestTurnstile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ts := newTurnstile()
		require.Equal(t, burst, passes(ts, "192.0.2.1:1000", 100))
		require.Zero(t, passes(ts, "192.0.2.1:2000", 1), "another port is the same address")
		require.Zero(t, passes(ts, "[::ffff:192.0.2.1]:1000", 1), "so is another spelling")
		require.Equal(t, burst, passes(ts, "192.0.2.2:1000", 100), "another address is not")
		require.Equal(t, burst, passes(ts, "[2001:db8::1]:1000", 100))
		require.Zero(t, passes(ts, "[2001:db8::2]:1000", 1), "the same /64")
		require.Equal(t, burst, passes(ts, "[2001:db8:0:1::1]:1000", 100))
		require.Zero(t, passes(ts, "no address", 1))

		time.Sleep(time.Second)
		require.Equal(t, perSecond, passes(ts, "192.0.2.1:1000", 100))
	})
}

// Many addresses do not fill the memory, and do not shut others out for good.
func TestTurnstileForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ts := newTurnstile()
		for i := range 2 * addresses {
			passed := ts.pass(fmt.Sprintf("10.0.%d.%d:1", i/256, i%256))
			require.Equal(t, i < addresses, passed, i)
		}
		require.Len(t, ts.seen, addresses)
		time.Sleep(time.Minute)
		require.True(t, ts.pass("192.0.2.1:1"))
		require.Len(t, ts.seen, 1)
	})
}
