//go:build (amd64 || arm64) && !purego

package prefetch

import "unsafe"

// Enabled is whether Lines does anything.
const Enabled = true

// Lines lets the processor bring the cache lines at two addresses near, without waiting
// for them. If there is no memory, it does nothing.
//
//go:noescape
func Lines(one, other unsafe.Pointer)
