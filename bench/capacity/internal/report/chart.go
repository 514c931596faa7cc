package report

import (
	"bytes"
	"fmt"
	"html/template"
	"math"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The width of a phone, so that text needs no magnifying glass there, and is no
// headline on a desk.
const (
	chartWidth  = vg.Length(400)
	chartHeight = vg.Length(285)
	letters     = 12 // points
)

// axis is one of a chart's two.
type axis struct {
	label string
	log   bool
	ticks plot.Ticker
	least float64 // the range; both 0: what the lines need
	most  float64
}

// line is a series of points. Those with a mark show each point.
type line struct {
	name   string // "": not in the legend
	ink    ink
	mark   draw.GlyphDrawer // nil: none
	dashed bool
	points plotter.XYs
}

// chart is what to plot: lines, or bars with a dashed line to compare them with.
type chart struct {
	x, y  axis
	lines []line
	bars  []bar
}

// bar is one of a bar chart.
type bar struct {
	name  string
	value float64
	label string // on top of it
}

// key is a legend's entry. It stands beside the plot, where it covers nothing and
// can break into lines.
type key struct {
	Swatch template.HTML
	Name   string
}

// draw returns the chart as an SVG element for a page.
func (c *chart) draw() (svg template.HTML, keys []key, err error) {
	p := plot.New()
	p.BackgroundColor = nil
	c.x.apply(&p.X)
	c.y.apply(&p.Y)
	p.X.Label.Text = c.x.label
	grid := plotter.NewGrid()
	grid.Horizontal = draw.LineStyle{Color: inkGrid, Width: vg.Points(0.7)}
	grid.Vertical = grid.Horizontal
	if len(c.bars) > 0 {
		grid.Vertical.Color = nil
	}
	p.Add(grid)
	if len(c.bars) > 0 {
		if err := c.addBars(p); err != nil {
			return "", nil, err
		}
	}
	for i := range c.lines {
		k, err := c.lines[i].add(p)
		if err != nil {
			return "", nil, err
		}
		if k.Name != "" {
			keys = append(keys, k)
		}
	}
	c.x.bound(&p.X)
	c.y.bound(&p.Y)
	return render(chartWidth, chartHeight, func(canvas draw.Canvas) {
		p.Draw(c.y.above(canvas))
	}), keys, nil
}

// above writes the label of a y axis over it, where it is read without turning
// one's head, and returns what room is left. (Beside a log axis, gonum would
// also keep room for where the label stood if the axis were linear.)
func (a *axis) above(canvas draw.Canvas) draw.Canvas {
	style := textStyle(inkMuted)
	canvas.FillText(style, vg.Point{X: canvas.Min.X, Y: canvas.Max.Y - style.FontExtents().Ascent}, a.label)
	return draw.Crop(canvas, 0, -vg.Points(8), 0, -1.9*style.FontExtents().Height)
}

func (a *axis) apply(to *plot.Axis) {
	to.Label.TextStyle = textStyle(inkMuted)
	to.Label.TextStyle.XAlign, to.Label.TextStyle.YAlign = draw.XCenter, draw.YBottom
	to.Label.Padding = vg.Points(5)
	align := to.Tick.Label // how an axis lies is gonum's to know
	to.Tick.Label = textStyle(inkText)
	to.Tick.Label.XAlign, to.Tick.Label.YAlign = align.XAlign, align.YAlign
	to.Tick.LineStyle = draw.LineStyle{Color: inkMuted, Width: vg.Points(0.7)}
	to.Tick.Length = vg.Points(4)
	to.LineStyle = to.Tick.LineStyle
	to.Padding = 0
	if a.ticks != nil {
		to.Tick.Marker = a.ticks
	}
	if a.log {
		to.Scale = plot.LogScale{}
	}
}

// bound sets the range once gonum has seen all points: on a log axis, the round
// values around them.
func (a *axis) bound(of *plot.Axis) {
	switch {
	case a.least != 0 || a.most != 0:
		of.Min, of.Max = a.least, a.most
	case a.log:
		of.Min, of.Max = roundDown(of.Min*0.95), roundUp(of.Max*1.05)
		if of.Max < 1.01*of.Min {
			of.Min, of.Max = of.Min/2, of.Max*2
		}
	}
}

func textStyle(i ink) text.Style {
	return text.Style{
		Color:   i,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Weight: xfont.WeightNormal, Size: vg.Points(letters)},
		Handler: plot.DefaultTextHandler,
	}
}

// add plots the line and returns its key.
func (l *line) add(p *plot.Plot) (key, error) {
	drawn, err := plotter.NewLine(l.points)
	if err != nil {
		return key{}, fmt.Errorf("report: %s: %w", l.name, err)
	}
	drawn.LineStyle = draw.LineStyle{Color: l.ink, Width: vg.Points(1.8)}
	if l.dashed {
		drawn.Width = vg.Points(1.3)
		drawn.Dashes = []vg.Length{vg.Points(5), vg.Points(4)}
	}
	p.Add(drawn)
	thumbs := []plot.Thumbnailer{drawn}
	if l.mark != nil {
		marks, err := plotter.NewScatter(l.points)
		if err != nil {
			return key{}, fmt.Errorf("report: %s: %w", l.name, err)
		}
		marks.GlyphStyle = draw.GlyphStyle{Color: l.ink, Radius: vg.Points(3.2), Shape: l.mark}
		p.Add(marks)
		thumbs = append(thumbs, marks)
	}
	return key{swatch(thumbs...), l.name}, nil
}

// swatch draws what stands before a name in the legend.
func swatch(thumbs ...plot.Thumbnailer) template.HTML {
	return render(26, 10, func(c draw.Canvas) {
		for _, t := range thumbs {
			t.Thumbnail(&c)
		}
	})
}

// addBars plots bars with what they stand for below, and their values in them or,
// where they are too short for that, on top.
func (c *chart) addBars(p *plot.Plot) error {
	var (
		values plotter.Values
		names  plot.ConstantTicks
	)
	for i, b := range c.bars {
		values = append(values, b.value)
		names = append(names, plot.Tick{Value: float64(i), Label: b.name})
	}
	if c.y.most == 0 {
		c.y.most = 1.05 * max(highest(values), c.highestLine())
	}
	width := min(vg.Points(84), (chartWidth-90)/vg.Length(len(values))*0.7)
	bars, err := plotter.NewBarChart(values, width)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	bars.Color = inkA
	bars.LineStyle.Width = 0
	p.Add(bars)
	for i, b := range c.bars {
		label, err := plotter.NewLabels(plotter.XYLabels{
			XYs:    plotter.XYs{{X: float64(i), Y: b.value}},
			Labels: []string{b.label},
		})
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		lines := 1 + strings.Count(b.label, "\n")
		short := 0.1 * float64(lines) // of the axis
		label.TextStyle[0] = textStyle(inkOnBar)
		label.Offset.Y = -vg.Points(float64(lines)*letters + 4)
		if b.value < short*c.y.most {
			label.TextStyle[0].Color = inkText
			label.Offset.Y = vg.Points(4)
		}
		label.TextStyle[0].XAlign = draw.XCenter
		p.Add(label)
	}
	p.X.Tick.Marker = names
	c.x.least, c.x.most = -0.6, float64(len(values))-0.4
	return nil
}

func (c *chart) highestLine() float64 {
	most := 0.0
	for _, l := range c.lines {
		for _, p := range l.points {
			most = max(most, p.Y)
		}
	}
	return most
}

func highest(values plotter.Values) float64 {
	most := math.SmallestNonzeroFloat64
	for _, v := range values {
		most = max(most, v)
	}
	return most
}

// render draws on an SVG canvas and returns the element. Its size is the page's to
// choose, and to those who do not see it, the page tells what it shows.
func render(w, h vg.Length, on func(draw.Canvas)) template.HTML {
	canvas := vgsvg.New(w, h)
	on(draw.New(canvas))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		panic(err) // a buffer takes everything
	}
	_, svg, _ := strings.Cut(b.String(), "<svg ")
	_, svg, _ = strings.Cut(svg, ">")
	svg = strings.ReplaceAll(variables(svg), "font-family:Liberation Sans", "font-family:var(--plot-font)")
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %g %g" aria-hidden="true" focusable="false">%s`, w.Points(), h.Points(), svg))
}
