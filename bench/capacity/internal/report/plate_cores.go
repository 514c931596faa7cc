package report

import (
	"fmt"

	"gonum.org/v1/plot/plotter"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

func acceptsByCore(r *figures.Report) (plate, bool) {
	return byCore(r, "accepts", func(c *figures.Cores) float64 { return c.Accepts },
		"Players who wait at the door are accepted back to back. An accept takes the lock of one stripe of many, so cores rarely meet.")
}

func joinsByCore(r *figures.Report) (plate, bool) {
	return byCore(r, "joins", func(c *figures.Cores) float64 { return c.Joins },
		"Whole joins back to back: reserve, accept, and another player's release. Reserve and release also share what is the table's as a whole.")
}

// Bars become too narrow for what could stand in them.
const (
	roomForRatios = 3
	roomForValues = 6
)

func byCore(r *figures.Report, what string, of func(*figures.Cores) float64, reading string) (plate, bool) {
	if len(r.Cores) == 0 {
		return plate{}, false
	}
	slots := r.Cores[0].Slots
	p := plate{
		id: what + "-by-core", title: fmt.Sprintf("%s by core, %s slots", upperFirst(what), short(float64(slots))),
		alt:     "Bar chart: " + what + " per second by number of cores, with lines for perfect scaling.",
		reading: reading + " The dashed lines are what perfect scaling would be. No rate is kept here: this is throughput, not what can be sustained.",
		chart:   chart{x: axis{label: "cores (GOMAXPROCS)"}, y: axis{label: what + " per second", ticks: linearTicks{short}}},
		table:   table{Head: []string{"cores", what + "/s", "against one core", "CPU it got"}},
	}
	var perfect []line
	one := of(&r.Cores[0]) / float64(r.Cores[0].Cores)
	for i := range r.Cores {
		c := &r.Cores[i]
		ratio := plain(digits(of(c)/one, 3)) + "×"
		label := ""
		if len(r.Cores) <= roomForValues {
			label = short(of(c))
		}
		if i > 0 && len(r.Cores) <= roomForRatios {
			label += "\n" + plain(digits(of(c)/one, 2)) + "×"
		}
		p.chart.bars = append(p.chart.bars, bar{count(c.Cores), of(c), label})
		if i > 0 {
			y := one * float64(c.Cores)
			perfect = append(perfect, line{ink: inkText, dashed: true, points: plotter.XYs{{X: float64(i) - 0.4, Y: y}, {X: float64(i) + 0.4, Y: y}}})
		}
		got := ""
		if what == "joins" {
			got = percent(c.GotCPU)
		}
		p.table.add(count(c.Cores), perSecond(of(c)), ratio, got)
	}
	if len(perfect) > 0 {
		perfect[0].name = "perfect scaling"
	}
	p.chart.lines = perfect
	return p, true
}
