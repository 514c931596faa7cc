package bench_test

import (
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/usher-go/usher/bench/internal/measure"
)

// What a table of players takes: B/slot is the growth of the live heap for each,
// beyond the bytes of the player's id and data, with all the indexes that there can
// be under DuplicatesAllow. A table grows in steps, so worst-B/slot is the most at
// any size from half of the slots on. gc-ms is how long a full collection takes with
// the table full, gc-cpu-ms the processors' time in it.
func BenchmarkMemory(b *testing.B) {
	const steps = 16
	eachSize(b, func(b *testing.B, slots int) {
		var most, last float64
		var wall, cpu time.Duration
		n := 0
		for b.Loop() {
			h := newHouse(b, slots, plain())
			h.askForPlayer(b)
			before := measure.LiveHeap()
			for step := range steps {
				h.reserve(b, span(step*slots/steps, (step+1)*slots/steps))
				if step+1 < steps/2 {
					continue
				}
				held := (step + 1) * slots / steps
				last = float64(measure.LiveHeap()-before)/float64(held) - float64(playerLen)
				most = max(most, last)
			}
			w, c := collect()
			wall += w
			cpu += c
			n++
			runtime.KeepAlive(h)
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(last, "B/slot")
		b.ReportMetric(most, "worst-B/slot")
		b.ReportMetric(float64(wall.Microseconds())/1000/float64(n), "gc-ms")
		b.ReportMetric(float64(cpu.Microseconds())/1000/float64(n), "gc-cpu-ms")
	})
}

// span returns the players from one number up to another.
func span(from, to int) []int {
	players := make([]int, to-from)
	for i := range players {
		players[i] = from + i
	}
	return players
}

// collect returns how long a full collection takes, by the clock and in the
// processors' time as the runtime estimates it.
func collect() (wall, cpu time.Duration) {
	sample := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(sample)
	before := sample[0].Value.Float64()
	start := time.Now()
	runtime.GC()
	wall = time.Since(start)
	metrics.Read(sample)
	return wall, time.Duration((sample[0].Value.Float64() - before) * float64(time.Second))
}
