package measure

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

const (
	slowest = time.Minute // beyond it all is alike
	digits  = 3           // an error of 0.1 %, less than any run repeats to
)

// latencies are how long calls took. Not for concurrent use: each worker has its
// own.
type latencies struct {
	histogram *hdrhistogram.Histogram
	sum       time.Duration
}

func newLatencies() *latencies {
	return &latencies{histogram: hdrhistogram.New(1, int64(slowest), digits)}
}

func (l *latencies) record(d time.Duration) {
	l.sum += d
	// Within its bounds, RecordValue has no error to return.
	_ = l.histogram.RecordValue(int64(min(max(d, 1), slowest)))
}

func (l *latencies) summary() figures.Latency {
	h := l.histogram
	return figures.Latency{
		Count: h.TotalCount(),
		P50:   l.at(0.5),
		P90:   l.at(0.9),
		P99:   l.at(0.99),
		P999:  l.at(0.999),
		Max:   time.Duration(h.Max()),
	}
}

// curve begins at the median and goes as far as the count bears: one call in a thousand says nothing about
// a p99.9 if there were only a hundred.
func (l *latencies) curve() []figures.Quantile {
	var curve []figures.Quantile
	rarest := math.Log10(float64(l.histogram.TotalCount()))
	for x := math.Log10(2); x < rarest; x += 0.1 {
		share := 1 - math.Pow(10, -x)
		curve = append(curve, figures.Quantile{Share: share, Value: l.at(share)})
	}
	return curve
}

func (l *latencies) at(share float64) time.Duration {
	return time.Duration(l.histogram.ValueAtQuantile(100 * share))
}
