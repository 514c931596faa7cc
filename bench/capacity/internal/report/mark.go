package report

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// mark is a shape that gonum does not have, by its corners, in radii from its
// centre.
type mark []struct{ x, y vg.Length }

var (
	diamond = mark{{-1.2, 0}, {0, 1.2}, {1.2, 0}, {0, -1.2}}
	wedge   = mark{{-1, 0.8}, {1, 0.8}, {0, -1.1}}
)

// DrawGlyph is for gonum.
func (m mark) DrawGlyph(c *draw.Canvas, s draw.GlyphStyle, at vg.Point) {
	corners := make([]vg.Point, len(m))
	for i, corner := range m {
		corners[i] = vg.Point{X: at.X + s.Radius*corner.x, Y: at.Y + s.Radius*corner.y}
	}
	c.FillPolygon(s.Color, corners)
}
