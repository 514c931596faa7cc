package measure

import "runtime"

// Allocations is what everybody has allocated so far: compare two of them.
type Allocations struct{ Objects, Bytes uint64 }

// Allocated stops the world for a moment, to count exactly.
func Allocated() Allocations {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Allocations{m.Mallocs, m.TotalAlloc}
}

// LiveHeap is how many bytes are reachable.
func LiveHeap() int64 {
	runtime.GC()
	runtime.GC() // what the first one found in a sync.Pool or a finalizer
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
