// Package cache asks the processor for memory ahead.
package cache

import "unsafe"

// Fetch lets the processor bring the line at p near, without waiting for it.
//
//go:noescape
func Fetch(p unsafe.Pointer)
