package report

import (
	"cmp"
	"fmt"

	"gonum.org/v1/plot/plotter"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

func loads(r *figures.Report) (plate, bool) {
	p := plate{
		id: "load", title: "Accept under rising load, one core",
		alt: "Line chart: p99 of accept by joins per second, a line for each table size, and the bound.",
		reading: fmt.Sprintf("Players come at random instants, whether or not the table has kept up, and wait from when they were due. "+
			"Each line is a table size: as far as it stays below the dashed bound (p99 under %s), one core carries that rate, "+
			"load generator and garbage collection included. Where a line shoots up, the queue grows faster than it is served.", duration(r.Run.Bound)),
		chart: chart{
			x: axis{label: "joins per second", log: true, ticks: logTicks{short}},
			y: latencyAxis("p99 of accept, from when it was due"),
		},
		table: table{Head: []string{
			"live slots", "joins/s", "kept up", "accept p50", "p90", "p99", "p99.9", "max",
			"reserve p99", "accepts", "core busy", "GC", "CPU it got", "attempts", "why not",
		}},
	}
	least, most := 0.0, 0.0
	for i, s := range r.Sizes {
		l := line{name: short(float64(s.Slots)) + " slots", ink: inksInOrder[i%len(inksInOrder)], mark: marksInOrder[i%len(marksInOrder)]}
		for _, x := range s.Loads {
			if x.Accept.Count > 0 {
				l.points = append(l.points, plotter.XY{X: x.Rate, Y: float64(x.Accept.P99)})
				least, most = min(cmp.Or(least, x.Rate), x.Rate), max(most, x.Rate)
			}
			kept := "yes"
			if !x.Sustained {
				kept = "no"
			}
			p.table.add(count(s.Slots), perSecond(x.Rate), kept, duration(x.Accept.P50), duration(x.Accept.P90), duration(x.Accept.P99),
				duration(x.Accept.P999), duration(x.Accept.Max), duration(x.Reserve.P99), count(x.Accept.Count),
				percent(x.Busy), percent(x.GC), percent(x.GotCPU), count(x.Attempts), x.Why)
		}
		if len(l.points) > 0 {
			p.chart.lines = append(p.chart.lines, l)
		}
	}
	if len(p.chart.lines) == 0 {
		return plate{}, false
	}
	p.chart.x.least, p.chart.x.most = roundDown(least*0.9), roundUp(most*1.1)
	bound := float64(r.Run.Bound)
	p.chart.lines = append(p.chart.lines, line{
		name: "the bound, " + duration(r.Run.Bound), ink: inkMuted, dashed: true,
		points: plotter.XYs{{X: p.chart.x.least, Y: bound}, {X: p.chart.x.most, Y: bound}},
	})
	return p, true
}
