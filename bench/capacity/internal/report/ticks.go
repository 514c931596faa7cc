package report

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// logTicks marks 1, 2 and 5 times the powers of ten, or these alone where there
// are many.
type logTicks struct{ label func(float64) string }

// Ticks is for gonum.
func (t logTicks) Ticks(least, most float64) []plot.Tick {
	const crowded = 2.5 // decades
	all := math.Log10(most/least) <= crowded
	var ticks []plot.Tick
	first := math.Pow10(int(math.Floor(math.Log10(least))))
	for decade := first; decade <= most*1.001; decade *= 10 {
		for i := 1.0; i < 10; i++ {
			v := i * decade
			if v < least*0.999 || v > most*1.001 {
				continue
			}
			tick := plot.Tick{Value: v}
			if i == 1 || all && (i == 2 || i == 5) {
				tick.Label = t.label(v)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// linearTicks marks about five round values.
type linearTicks struct{ label func(float64) string }

// Ticks is for gonum.
func (t linearTicks) Ticks(least, most float64) []plot.Tick {
	step := roundUp((most - least) / 6)
	var ticks []plot.Tick
	for i := math.Ceil(least / step); i*step <= most*1.0001; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: t.label(i * step)})
	}
	return ticks
}

// valueTicks marks these values.
func valueTicks(values []float64, label func(float64) string) plot.ConstantTicks {
	ticks := make(plot.ConstantTicks, len(values))
	for i, v := range values {
		ticks[i] = plot.Tick{Value: v, Label: label(v)}
	}
	return ticks
}

// percentileTicks marks shares on an axis of nines.
func percentileTicks(most float64) plot.ConstantTicks {
	crowded := most > 5
	var ticks plot.ConstantTicks
	for _, p := range []float64{50, 90, 99, 99.9, 99.99, 99.999, 99.9999} {
		if x := nines(p / 100); x <= most+0.01 {
			ticks = append(ticks, plot.Tick{Value: x, Label: strconv.FormatFloat(p, 'f', -1, 64) + "%"})
			if n := len(ticks); crowded && n > 4 && n%2 == 1 {
				ticks[n-1].Label = ""
			}
		}
	}
	return ticks
}

// nines stretches shares that are close to 1: 90 % is 1, 99 % is 2.
func nines(share float64) float64 { return -math.Log10(1 - share) }

// roundUp returns the next of 1, 2 and 5 times a power of ten.
func roundUp(x float64) float64 {
	decade := math.Pow10(int(math.Floor(math.Log10(x) + 1e-9)))
	for _, i := range []float64{1, 2, 5} {
		if i*decade >= x*0.9999 {
			return i * decade
		}
	}
	return 10 * decade
}

// roundDown is the same, downward.
func roundDown(x float64) float64 {
	decade := math.Pow10(int(math.Floor(math.Log10(x) + 1e-9)))
	for _, i := range []float64{5, 2} {
		if i*decade <= x*1.0001 {
			return i * decade
		}
	}
	return decade
}
