package report

import (
	"time"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

func collectionBySize(r *figures.Report) (plate, bool) {
	p := plate{
		id: "gc", title: "Garbage collection with the table full, one core",
		alt: "Line chart: duration of a collection, its CPU time and the longest pause, by live slots.",
		reading: "One full collection, with nothing to do but the table. A collection runs beside the game: its CPU time is work, " +
			"not a pause. Everything stands still only during the pause. With GOGC=100 there is one each time the heap has doubled.",
		chart: chart{x: sizeAxis(r), y: latencyAxis("time per collection")},
		table: table{Head: []string{"live slots", "from beginning to end", "CPU time", "longest pause", "collections"}},
	}
	lines := []line{
		{name: "from beginning to end", ink: inkA, mark: draw.CircleGlyph{}},
		{name: "CPU time", ink: inkB, mark: draw.BoxGlyph{}},
		{name: "longest pause", ink: inkC, mark: draw.PyramidGlyph{}},
	}
	for _, s := range r.Sizes {
		for i, d := range []time.Duration{s.Collection.Cycle, s.Collection.CPU, s.Collection.Pause} {
			lines[i].points = append(lines[i].points, plotter.XY{X: float64(s.Slots), Y: float64(max(d, 1))})
		}
		p.table.add(count(s.Slots), duration(s.Collection.Cycle), duration(s.Collection.CPU), duration(s.Collection.Pause), count(s.Collection.Runs))
	}
	p.chart.lines = lines
	return p, len(r.Sizes) > 0
}
