package report

import (
	"time"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

func latencyBySize(r *figures.Report) (plate, bool) {
	p := plate{
		id: "sizes", title: "Accept by table size, at rest, one core",
		alt: "Line chart: accept latency by live slots, with lines for p50, p90, p99, p99.9, the call alone, and calls that do nothing.",
		reading: "At rest means a quarter of the joins that one core can do back to back (or the one rate that was asked for). " +
			"A larger table is slower because its slots no longer fit into the processor's caches. " +
			"“The call alone” leaves out the wait for earlier calls; it contains one reading of the clock (" + duration(r.Clock.Cost) + "). " +
			"“Calls that do nothing” is the same load without a table: what the machine and its other programs add to every figure here.",
		chart: chart{x: sizeAxis(r), y: latencyAxis("accept latency")},
		table: table{Head: []string{
			"live slots", "joins/s", "the call alone, p50", "p50", "p90", "p99", "p99.9", "max", "nothing p99", "accepts",
			"reserve alone, p50", "reserve p50", "p99", "p99.9", "max", "release alone, p50",
		}},
	}
	lines := []struct {
		line
		of func(*figures.Load, *figures.Size) time.Duration
	}{
		{line{name: "p99.9", ink: inkD, mark: draw.CircleGlyph{}}, func(l *figures.Load, _ *figures.Size) time.Duration { return l.Accept.P999 }},
		{line{name: "p99", ink: inkC, mark: draw.BoxGlyph{}}, func(l *figures.Load, _ *figures.Size) time.Duration { return l.Accept.P99 }},
		{line{name: "p90", ink: inkB, mark: draw.PyramidGlyph{}}, func(l *figures.Load, _ *figures.Size) time.Duration { return l.Accept.P90 }},
		{line{name: "p50", ink: inkA, mark: diamond}, func(l *figures.Load, _ *figures.Size) time.Duration { return l.Accept.P50 }},
		{line{name: "the call alone, p50", ink: inkMuted, dashed: true}, func(l *figures.Load, _ *figures.Size) time.Duration { return l.AcceptCall.P50 }},
		{line{name: "calls that do nothing, p99", ink: inkC, dashed: true}, func(_ *figures.Load, s *figures.Size) time.Duration { return s.Floor.P99 }},
	}
	for i := range r.Sizes {
		l := r.Sizes[i].Rest()
		if l == nil || l.Accept.Count == 0 {
			continue
		}
		slots := r.Sizes[i].Slots
		for j := range lines {
			lines[j].points = append(lines[j].points, plotter.XY{X: float64(slots), Y: float64(max(lines[j].of(l, &r.Sizes[i]), 1))})
		}
		p.table.add(count(slots), perSecond(l.Rate), duration(l.AcceptCall.P50), duration(l.Accept.P50), duration(l.Accept.P90),
			duration(l.Accept.P99), duration(l.Accept.P999), duration(l.Accept.Max), duration(r.Sizes[i].Floor.P99), count(l.Accept.Count),
			duration(l.ReserveCall.P50), duration(l.Reserve.P50), duration(l.Reserve.P99), duration(l.Reserve.P999), duration(l.Reserve.Max),
			duration(l.ReleaseCall.P50))
	}
	if len(p.table.Rows) == 0 {
		return plate{}, false
	}
	if len(p.table.Rows) == 1 { // a line of one point is nothing to see
		lines[4].mark, lines[5].mark = draw.CrossGlyph{}, draw.PlusGlyph{}
	}
	for _, l := range lines {
		p.chart.lines = append(p.chart.lines, l.line)
	}
	return p, true
}
