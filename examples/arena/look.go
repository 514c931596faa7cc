package main

import (
	"math"
	"strconv"

	"github.com/usher-go/usher/session"
)

// names are for those who have none, by seat.
var names = [...]string{
	"Wren", "Otter", "Lynx", "Heron", "Moth", "Ibex", "Stoat", "Crane",
	"Newt", "Seal", "Fox", "Swift", "Vole", "Yak", "Toad", "Hare",
}

// nameOf is how everybody is shown a player.
func nameOf(ps session.PlayerSession) string {
	switch round := ps.Slot / len(names); {
	case ps.PlayerData != "":
		return ps.PlayerData
	case round > 0:
		return names[ps.Slot%len(names)] + " " + strconv.Itoa(round+1)
	default:
		return names[ps.Slot]
	}
}

// hueOf is a seat's colour, in degrees: by the golden angle, so that neighbours
// differ however many there are.
func hueOf(seat int) float64 {
	const goldenAngle = 137.508
	return math.Round(math.Mod(165+float64(seat)*goldenAngle, 360))
}
