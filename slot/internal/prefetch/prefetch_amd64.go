//go:build !purego

package prefetch

import "unsafe"

// Enabled is whether Line does anything.
const Enabled = true

// Line lets the processor bring the cache line at p near, without waiting for it.
//
//go:noescape
func Line(p unsafe.Pointer)
