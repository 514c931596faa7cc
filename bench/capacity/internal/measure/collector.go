package measure

import (
	"runtime"
	"runtime/metrics"
	"slices"
	"time"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

const (
	liveHeap = "/memory/classes/heap/objects:bytes"
	spentGC  = "/cpu/classes/gc/total:cpu-seconds"
	gogc     = "/gc/gogc:percent"
	memLimit = "/gc/gomemlimit:bytes"
)

// live returns the live heap. The second collection frees what the first one
// found to have a finalizer, or kept in a pool.
func live() int64 {
	runtime.GC()
	runtime.GC()
	return int64(readMetric(liveHeap).Uint64())
}

// collectorTime returns the CPU time the garbage collector has spent so far.
func collectorTime() time.Duration {
	return time.Duration(readMetric(spentGC).Float64() * float64(time.Second))
}

func readMetric(name string) metrics.Value {
	s := []metrics.Sample{{Name: name}}
	metrics.Read(s)
	return s[0].Value
}

// collect collects garbage several times.
func collect() figures.Collection {
	const runs = 5
	now := stopwatch()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	spent := collectorTime()
	cycles := make([]time.Duration, runs)
	for i := range cycles {
		start := now()
		runtime.GC()
		cycles[i] = now() - start
	}
	spent = collectorTime() - spent
	runtime.ReadMemStats(&after)
	slices.Sort(cycles)
	return figures.Collection{
		Runs:  runs,
		Cycle: cycles[runs/2],
		CPU:   spent / runs,
		Pause: longestPause(&before, &after),
	}
}

// longestPause is that of the collections between two readings.
func longestPause(before, after *runtime.MemStats) time.Duration {
	longest := uint64(0)
	for n := before.NumGC; n != after.NumGC; n++ {
		longest = max(longest, after.PauseNs[n%uint32(len(after.PauseNs))])
	}
	return time.Duration(longest)
}
