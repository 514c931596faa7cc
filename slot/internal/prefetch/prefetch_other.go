//go:build (!amd64 && !arm64) || purego

package prefetch

// Enabled is whether Line does anything.
const Enabled = false

// Line does nothing.
func Line(uintptr) {}
