package main

import "math/rand/v2"

const (
	sparks      = 14
	sparkRadius = 12.0
	goldenWorth = 5 // and rare; the others are worth 1
	oneIn       = 8 // is golden
)

// spark lies about until a player runs over it; then there is another elsewhere.
type spark struct {
	number int // never used twice, so that a page can tell a new one
	x, y   float64
	worth  int
}

func newSpark(number int, r *rand.Rand) *spark {
	x, y := somewhere(r)
	s := &spark{number: number, x: x, y: y, worth: 1}
	if r.IntN(oneIn) == 0 {
		s.worth = goldenWorth
	}
	return s
}

// somewhere is a place with some room around it.
func somewhere(r *rand.Rand) (x, y float64) {
	const margin = 3 * radius
	return margin + r.Float64()*(width-2*margin), margin + r.Float64()*(height-2*margin)
}
