package slot

import (
	"math/bits"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// What the accept's speed rests on: a player is a cache line, and stripes share
// none. On 32 bits a record is smaller.
func TestLayout(t *testing.T) {
	t.Parallel()
	if bits.UintSize == 64 {
		require.EqualValues(t, 64, unsafe.Sizeof(record{}))
		require.LessOrEqual(t, unsafe.Offsetof(stripeState{}.past), uintptr(64), "what an accept touches of a stripe")
	} else {
		require.LessOrEqual(t, unsafe.Sizeof(record{}), uintptr(64))
	}
	require.Zero(t, unsafe.Sizeof(stripe{})%cacheLines)
}

// Canonical ids survive being mixed, and nothing else is taken for one.
func TestKeys(t *testing.T) {
	t.Parallel()
	ks := newKeys()
	const id = "psess-01234567-89ab-cdef-fedc-ba9876543210"
	k, alias, ok := ks.of(id)
	require.True(t, ok)
	require.False(t, alias)
	require.Equal(t, id, ks.id(&record{key: k}))
	for i := range id {
		for _, c := range []byte{'g', '/', ':', '`', 'A', 'F', 0x80 | id[i]} {
			if i < len(prefix) || id[i] == c {
				continue
			}
			other := id[:i] + string([]byte{c}) + id[i+1:]
			_, alias, ok = ks.of(other)
			require.True(t, alias || !ok, "%q at %d", c, i)
		}
	}
}
