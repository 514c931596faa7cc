//go:build usher_invariants

package main

import "github.com/usher-go/usher/slot"

// Check looks at the whole structure of a table.
func Check(table *slot.Table) error { return table.CheckInvariants() }
