package report

import (
	"fmt"

	"gonum.org/v1/plot/plotter"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

func acceptCurves(r *figures.Report) (plate, bool) {
	return curves(r, "accept", func(l *figures.Load) *figures.Latency { return &l.Accept }, func(s *figures.Storm) *figures.Latency { return &s.Accept },
		"On one core the accepts and the storm take turns, as the scheduler lets them; a second core lets them run side by side.")
}

func reserveCurves(r *figures.Report) (plate, bool) {
	return curves(r, "reserve", func(l *figures.Load) *figures.Latency { return &l.Reserve }, func(s *figures.Storm) *figures.Latency { return &s.Reserve },
		"A reserve takes the lock of its game session, and so does each expiry; an accept does not.")
}

// curves compares the percentiles of a call at rest and in storms.
func curves(r *figures.Report, call string, rest func(*figures.Load) *figures.Latency, storm func(*figures.Storm) *figures.Latency, more string) (plate, bool) {
	if len(r.Storms) == 0 {
		return plate{}, false
	}
	first := &r.Storms[0]
	p := plate{
		id: "storm-" + call, title: fmt.Sprintf("%s at rest and in a storm, %s slots", upperFirst(call), short(float64(first.Slots))),
		alt: "Percentile curves of " + call + " latency: at rest, and while as many reservations expire as there are players.",
		reading: fmt.Sprintf("Read it from below: 99 %% of the calls were faster than the curve's height at 99 %%. "+
			"In the storm, %s reservations reach their deadline at one instant, while players go on joining as at rest (%s a second); "+
			"only calls that were due in the storm count. Calls that do nothing, at the same rate, show what the machine itself adds. ", count(first.Expiring), perSecond(first.Rate)) + more,
		chart: chart{
			x: axis{label: "percentile (each step to the right is ten times rarer)"},
			y: latencyAxis(call + " latency, from when it was due"),
		},
		table: table{Head: []string{"", "joins/s", "p50", "p90", "p99", "p99.9", "max", "calls", "the storm lasts", "per expiry", "storms"}},
	}
	most := 0.0
	add := func(name string, l *figures.Latency, i ink, dashed bool, rate float64, storm ...string) {
		if l.Count == 0 {
			return
		}
		c := line{name: name, ink: i, dashed: dashed}
		for _, q := range l.Curve {
			c.points = append(c.points, plotter.XY{X: nines(q.Share), Y: float64(max(q.Value, 1))})
			most = max(most, nines(q.Share))
		}
		if len(c.points) > 0 {
			p.chart.lines = append(p.chart.lines, c)
		}
		p.table.add(append([]string{
			name, perSecond(rate), duration(l.P50), duration(l.P90), duration(l.P99), duration(l.P999),
			duration(l.Max), count(l.Count),
		}, storm...)...)
	}
	for i := range r.Sizes {
		if l := r.Sizes[i].Rest(); l != nil && r.Sizes[i].Slots == first.Slots {
			add("at rest, 1 core", rest(l), inkA, false, l.Rate, "", "", "")
			add("calls that do nothing", &r.Sizes[i].Floor, inkMuted, true, l.Rate, "", "", "")
		}
	}
	for i := range r.Storms {
		s := &r.Storms[i]
		add("storm, "+plural(s.Cores, "core"), storm(s), []ink{inkC, inkB}[i%2], false, s.Rate, duration(s.Window), duration(s.Each), count(s.Rounds))
	}
	p.chart.x.least, p.chart.x.most = nines(0.5), max(most, 1)
	p.chart.x.ticks = percentileTicks(p.chart.x.most)
	return p, len(p.chart.lines) > 0
}
