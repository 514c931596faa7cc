//go:build (amd64 || arm64) && !purego

package prefetch

// Enabled is whether Line does anything.
const Enabled = true

// Line lets the processor bring the cache line at an address near, without waiting for
// it. If there is no memory, it does nothing.
func Line(address uintptr)
