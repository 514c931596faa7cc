package measure

import (
	"os"
	"time"

	"github.com/shirou/gopsutil/v4/process"
)

// cpuTime tells how much of the processor this process got: on a machine that has
// other things to do, that explains what the latencies cannot.
type cpuTime struct {
	now   func() time.Duration
	spent time.Duration
	ok    bool // the system tells
}

func startCPUTime() cpuTime {
	spent, ok := processTime()
	return cpuTime{stopwatch(), spent, ok}
}

// stop returns the CPU time since start, and its share of so many cores; both are
// 0 if the system does not tell.
func (c *cpuTime) stop(cores int) (spent time.Duration, share float64) {
	if !c.ok {
		return 0, 0
	}
	spent, _ = processTime()
	spent -= c.spent
	return spent, min(spent.Seconds()/c.now().Seconds()/float64(cores), 1)
}

// processTime returns the CPU time this process has had so far.
func processTime() (spent time.Duration, ok bool) {
	p, err := process.NewProcess(int32(os.Getpid()))
	if err != nil {
		return 0, false
	}
	t, err := p.Times()
	if err != nil {
		return 0, false
	}
	return time.Duration((t.User + t.System) * float64(time.Second)), true
}
