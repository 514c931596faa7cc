package report_test

import (
	"math"
	"time"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

// canned is what a run might have found, on a machine with so many cores.
func canned(sizes []int, cores []int) *figures.Report {
	r := &figures.Report{
		Run: figures.Run{
			Command:     "go -C bench/capacity run . -o report.html",
			Started:     time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
			Took:        4 * time.Minute,
			Bound:       time.Millisecond,
			Duration:    2 * time.Second,
			Timeout:     time.Second,
			Seats:       200,
			PlayerBytes: 19,
			Version:     "0123456789abcdef0123456789abcdef01234567",
			Go:          "go1.26.8",
			MaxProcs:    cores[len(cores)-1],
			GOGC:        100,
		},
		Machine:  figures.Machine{CPU: `Test <CPU> & "friends"`, Cores: cores[len(cores)-1], Memory: 16 << 30, OS: "linux", Arch: "amd64"},
		Clock:    figures.Clock{Cost: 33, Resolution: 24},
		Retained: figures.Retained{Sessions: 262_144, PerSession: 221.4, PerTimer: 16.3},
	}
	for i, n := range sizes {
		s := figures.Size{
			Slots:      n,
			Memory:     figures.Memory{Bytes: int64(130*n + 280_000), PerSlot: 130 + 280_000/float64(n)},
			Collection: figures.Collection{Runs: 5, Cycle: time.Duration(200_000 + 30*n), CPU: time.Duration(180_000 + 28*n), Pause: 20 * time.Microsecond},
			Ceiling:    400_000 / float64(i+1),
			PerCPU:     410_000 / float64(i+1),
			Floor:      latency(0.1, 300_000),
		}
		for _, share := range []float64{0.1, 0.25, 0.5, 0.7, 0.9} {
			l := figures.Load{
				Rate: share * s.Ceiling, Rest: share == 0.25, Sustained: share < 0.8, Attempts: 1, Busy: share, GC: 0.01, GotCPU: 0.99,
				Accept: latency(1/(1-share), 1_000_000), Reserve: latency(3/(1-share), 1_000_000), Release: latency(3/(1-share), 1_000_000),
				AcceptCall: latency(0.3, 1_000_000), ReserveCall: latency(1, 1_000_000), ReleaseCall: latency(1.5, 1_000_000),
			}
			if !l.Sustained {
				l.Why, l.Attempts = "p99 of accept over 1ms", 2
				l.Accept.P99 *= 200
			}
			s.Loads = append(s.Loads, l)
		}
		r.Sizes = append(r.Sizes, s)
	}
	largest := sizes[len(sizes)-1]
	for i, c := range []int{1, cores[len(cores)-1]} {
		r.Storms = append(r.Storms, figures.Storm{
			Cores: c, Slots: largest, Expiring: largest, Rounds: 12, Rate: 60_000, Window: 300 * time.Millisecond, Each: 300,
			Reserve: latency(900/float64(i*20+1), 200_000), Accept: latency(600/float64(i*40+1), 200_000),
		})
	}
	for _, c := range cores {
		r.Cores = append(r.Cores, figures.Cores{
			Cores: c, Slots: 100_000, GotCPU: 0.99,
			Joins: 250_000 * math.Sqrt(float64(c)), Accepts: 6_000_000 * math.Pow(float64(c), 0.97),
		})
	}
	return r
}

// latency is a distribution around a scale in microseconds.
func latency(scale float64, n int64) figures.Latency {
	at := func(share float64) time.Duration {
		return time.Duration(1000 * scale * (0.5 + math.Pow(-math.Log10(1-share+1e-9), 2.2)))
	}
	l := figures.Latency{Count: n, P50: at(0.5), P90: at(0.9), P99: at(0.99), P999: at(0.999), Max: at(1)}
	for x := math.Log10(2); x < math.Log10(float64(n)); x += 0.1 {
		share := 1 - math.Pow(10, -x)
		l.Curve = append(l.Curve, figures.Quantile{Share: share, Value: at(share)})
	}
	return l
}
