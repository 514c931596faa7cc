//go:build !amd64 || purego

package prefetch

// Enabled is false: what Line gains has been measured on amd64 alone.
const Enabled = false

// Line does nothing.
func Line(uintptr) {}
