package prefetch_test

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/slot/internal/prefetch"
)

// It changes nothing, and needs nothing to be there.
func TestLines(t *testing.T) {
	t.Parallel()
	x := [64]byte{1, 2, 3}
	was := x
	prefetch.Lines(unsafe.Pointer(&x), unsafe.Pointer(&x[63]))
	prefetch.Lines(nil, unsafe.Pointer(&x))
	require.Equal(t, was, x)
}
