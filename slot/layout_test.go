package slot

import (
	"math/bits"
	"strings"
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
		require.LessOrEqual(t, unsafe.Offsetof(stripeState{}.texts)+16, uintptr(64), "what an accept touches of a stripe")
		past := unsafe.Offsetof(stripeState{}.past)
		require.Zero(t, (past+unsafe.Offsetof(archive{}.found))%64, "what a refusal touches of a stripe")
		require.Zero(t, (past+unsafe.Offsetof(archive{}.fresh))%64)
		require.EqualValues(t, 64-8, unsafe.Offsetof(stripeState{}.refused)-past-unsafe.Offsetof(archive{}.fresh))
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
	require.Equal(t, id, ks.id(&view{record: record{key: k}}))
	for i := range id {
		for c := range 256 {
			other := id[:i] + string([]byte{byte(c)}) + id[i+1:]
			k, alias, ok := ks.of(other)
			canonical := id[i] == byte(c) || i >= len(prefix) && id[i] != '-' && strings.ContainsRune("0123456789abcdef", rune(c))
			require.Equal(t, canonical, ok && !alias, "%q at %d", c, i)
			require.True(t, !canonical || ks.id(&view{record: record{key: k}}) == other)
		}
	}
}
