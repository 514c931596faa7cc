package measure

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Share deals n pieces of work out to procs goroutines, which begin together, and
// returns how long it was until the last of them had done its part. They spin
// rather than sleep before it begins: a table of 200 is dealt with sooner than a
// goroutine is woken.
func Share(procs, n int, work func(from, to int)) time.Duration {
	var all struct{ ready, ball, begun, done atomic.Int64 }
	called := time.Now()
	for p := 1; p < procs; p++ {
		go func() {
			all.ready.Add(1)
			toss(&all.ball, p, procs, called)
			for all.begun.Load() == 0 {
			}
			work(p*n/procs, (p+1)*n/procs)
			all.done.Add(1)
		}()
	}
	for int(all.ready.Load()) < procs-1 {
		runtime.Gosched()
	}
	toss(&all.ball, 0, procs, called)
	start := time.Now()
	all.begun.Store(1)
	work(0, n/procs)
	for int(all.done.Load()) < procs-1 {
		runtime.Gosched()
	}
	return time.Since(start)
}

const (
	// rounds take 150 µs if nobody has to wait for a processor.
	rounds = 1000

	// patience is several times as long as Linux takes to move a thread to a
	// processor that is idle. Where none is, the work has to begin all the same.
	patience = 50 * time.Millisecond
)

// toss is player p's part in passing a ball round. Go gives each goroutine a
// thread, but the system may have woken two of these on one processor, and needs
// up to 20 ms to notice: longer than ten thousand accepts take. The ball is round
// so often in no time only if all of them run at once; if not, each waits here for
// another's time slice, until the system has spread them.
func toss(ball *atomic.Int64, p, players int, since time.Time) {
	for turn := p; turn <= rounds*players; turn += players { // the first sees the last catch, too
		for int(ball.Load()) < turn {
			if time.Since(since) > patience {
				return
			}
		}
		ball.Add(1)
	}
}
