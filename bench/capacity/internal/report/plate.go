package report

import (
	"gonum.org/v1/plot/vg/draw"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

// plate is one plot of the page, with how to read it and the same in figures.
type plate struct {
	id, title string
	alt       string // what it shows, for those who do not see it
	reading   string
	chart     chart
	table     table
}

// table is a table of the page.
type table struct {
	Head []string
	Rows [][]string
}

func (t *table) add(cells ...string) { t.Rows = append(t.Rows, cells) }

// plates are all there is to show of a run; what it has no figures for is left out.
func plates(r *figures.Report) []plate {
	made := []func(*figures.Report) (plate, bool){
		loads, latencyBySize, acceptCurves, reserveCurves, memoryBySize, collectionBySize, acceptsByCore, joinsByCore,
	}
	var shown []plate
	for _, f := range made {
		if p, ok := f(r); ok {
			shown = append(shown, p)
		}
	}
	return shown
}

var (
	inksInOrder  = []ink{inkA, inkB, inkC, inkD, inkE}
	marksInOrder = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, diamond, wedge}
)

// sizeAxis marks the sizes that were measured.
func sizeAxis(r *figures.Report) axis {
	var sizes []float64
	for _, s := range r.Sizes {
		sizes = append(sizes, float64(s.Slots))
	}
	a := axis{label: "live slots", log: true, ticks: valueTicks(sizes, short)}
	if len(sizes) > 0 {
		a.least, a.most = sizes[0]/1.25, sizes[len(sizes)-1]*1.25
	}
	return a
}

func latencyAxis(label string) axis {
	return axis{label: label, log: true, ticks: logTicks{nanoseconds}}
}
