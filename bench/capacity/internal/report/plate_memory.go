package report

import (
	"fmt"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

func memoryBySize(r *figures.Report) (plate, bool) {
	p := plate{
		id: "memory", title: "Memory per slot",
		alt: "Bar chart: live heap per slot by live slots.",
		reading: fmt.Sprintf("The live heap of a full table, all indexes, game sessions and pending timers included, for each player. "+
			"Each player's own id of %d bytes is part of it; yours may be longer, and player data comes on top. "+
			"In small tables the fixed parts weigh more. The table was not told its size beforehand.", r.Run.PlayerBytes),
		chart: chart{x: axis{label: "live slots"}, y: axis{label: "bytes per slot", ticks: linearTicks{plain}}},
		table: table{Head: []string{"live slots", "bytes per slot", "in all"}},
	}
	for _, s := range r.Sizes {
		p.chart.bars = append(p.chart.bars, bar{short(float64(s.Slots)), s.Memory.PerSlot, plain(s.Memory.PerSlot)})
		p.table.add(count(s.Slots), plain(s.Memory.PerSlot), size(float64(s.Memory.Bytes)))
	}
	return p, len(r.Sizes) > 0
}
