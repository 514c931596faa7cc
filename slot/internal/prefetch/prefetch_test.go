package prefetch_test

import (
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/slot/internal/prefetch"
)

// It changes nothing, and needs nothing to be there.
func TestLine(t *testing.T) {
	t.Parallel()
	x := [64]byte{1, 2, 3}
	was := x
	prefetch.Line(uintptr(unsafe.Pointer(&x)))
	prefetch.Line(uintptr(unsafe.Pointer(&x[63])))
	prefetch.Line(0)
	prefetch.Line(math.MaxUint)
	require.Equal(t, was, x)
}
