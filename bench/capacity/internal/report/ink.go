package report

import (
	"fmt"
	"image/color"
	"strings"
)

// ink is a colour of the page by what it is for. Which colour that is, by day and
// by night, says page.css.
type ink uint8

const (
	inkText ink = iota + 1
	inkMuted
	inkGrid
	inkA
	inkB
	inkC
	inkD
	inkE
	inkOnBar
	inks
)

var inkVariables = [inks]string{
	inkText: "ink", inkMuted: "muted", inkGrid: "grid",
	inkA: "a", inkB: "b", inkC: "c", inkD: "d", inkE: "e", inkOnBar: "card",
}

// RGBA makes ink a colour: a stand-in that nobody would choose.
func (i ink) RGBA() (r, g, b, a uint32) {
	return color.RGBA{0x01, 0xFE, uint8(i), 0xFF}.RGBA()
}

// variables replaces the stand-ins of an SVG.
func variables(svg string) string {
	var pairs []string
	for i := inkText; i < inks; i++ {
		pairs = append(pairs, fmt.Sprintf("#01FE%02X", uint8(i)), "var(--"+inkVariables[i]+")")
	}
	return strings.NewReplacer(pairs...).Replace(svg)
}
