package measure

import (
	"time"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

// stopwatch returns a clock that starts now. time.Since reads the monotonic clock
// alone, which costs half of time.Now.
func stopwatch() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}

// gauge finds out what a reading costs and how fine it is. Of several rounds the
// fastest counts: the others were disturbed.
func gauge() figures.Clock {
	const rounds, readings = 20, 10_000
	now := stopwatch()
	c := figures.Clock{Cost: time.Hour, Resolution: time.Hour}
	for range rounds {
		start := now()
		last := start
		for range readings {
			t := now()
			if t > last {
				c.Resolution = min(c.Resolution, t-last)
			}
			last = t
		}
		c.Cost = min(c.Cost, (last-start)/readings)
	}
	return c
}
