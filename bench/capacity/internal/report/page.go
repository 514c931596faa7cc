package report

import (
	_ "embed" // the page and its style
	"fmt"
	"html/template"
	"io"
	"strconv"
	"time"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

// Write writes the page: one file, which needs no other and no network. The same
// figures stand in it as JSON, and under jsonName beside it.
func Write(w io.Writer, r *figures.Report, jsonName string) error {
	page, err := newPage(r, jsonName)
	if err != nil {
		return err
	}
	parsed, err := template.New("page").Parse(pageText)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := parsed.Execute(w, page); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// page is what page.html shows.
type page struct {
	Style    template.CSS
	Report   *figures.Report
	JSONName string
	JSON     template.JS
	When     string

	Warnings, Advice, Caveats []string

	Tiles   []tile
	Plates  []shownPlate
	Details [][2]string
}

// tile is one of the figures on top.
type tile struct{ Value, Unit, What string }

// shownPlate is a plate once it is drawn.
type shownPlate struct {
	ID, Title, Alt, Reading string
	SVG                     template.HTML
	Keys                    []key
	Table                   table
}

func newPage(r *figures.Report, jsonName string) (*page, error) {
	encoded, err := figures.Encode(r)
	if err != nil {
		return nil, err
	}
	p := &page{
		Style:    template.CSS(pageStyle),
		Report:   r,
		JSONName: jsonName,
		JSON:     template.JS(encoded),
		When:     r.Run.Started.Format("2 January 2006, 15:04 UTC"),
		Warnings: warnings(r),
		Advice:   advice(r),
		Caveats:  caveats(r),
		Tiles:    tiles(r),
		Details:  details(r),
	}
	for _, made := range plates(r) {
		svg, keys, err := made.chart.draw()
		if err != nil {
			return nil, err
		}
		p.Plates = append(p.Plates, shownPlate{made.id, made.title, made.alt, made.reading, svg, keys, made.table})
	}
	return p, nil
}

// tiles are of the largest table.
func tiles(r *figures.Report) []tile {
	if len(r.Sizes) == 0 {
		return nil
	}
	s := &r.Sizes[len(r.Sizes)-1]
	shown := []tile{{short(float64(s.Slots)), "players", "live in the largest table"}}
	if l := s.Sustained(); l != nil {
		shown = append(shown, tile{short(l.Rate), "joins/s", "sustained on one core"})
	} else {
		shown = append(shown, tile{"none", "", "of the rates was sustained"})
	}
	if l := s.Rest(); l != nil {
		shown = append(shown, tile{duration(l.Accept.P50), "", "median accept at rest"}, tile{duration(l.Accept.P99), "", "p99 of accept at rest"})
	}
	return append(shown,
		tile{plain(s.Memory.PerSlot), "B", "memory per slot"},
		tile{duration(s.Collection.Cycle), "", "a full garbage collection"})
}

// details are the machine and the run.
func details(r *figures.Report) [][2]string {
	version := r.Run.Version
	if version == "" {
		version = "unknown"
	}
	if r.Run.Modified {
		version += ", with changes that are not committed"
	}
	gogc := strconv.Itoa(r.Run.GOGC)
	if r.Run.GOGC < 0 {
		gogc = "off"
	}
	d := [][2]string{
		{"Processor", r.Machine.CPU},
		{"Cores", count(r.Machine.Cores)},
		{"Memory", size(float64(r.Machine.Memory))},
		{"System", r.Machine.OS + ", " + r.Machine.Arch},
		{"Go", r.Run.Go},
		{"GOMAXPROCS", fmt.Sprintf("%d; 1 while “one core” is measured", r.Run.MaxProcs)},
		{"GOGC", gogc},
	}
	if r.Run.MemoryLimit > 0 {
		d = append(d, [2]string{"GOMEMLIMIT", size(float64(r.Run.MemoryLimit))})
	}
	return append(d,
		[2]string{"usher", version},
		[2]string{"Each rate", duration(r.Run.Duration) + " recorded, after " + duration(r.Run.Timeout) + " unrecorded"},
		[2]string{"The run took", r.Run.Took.Round(time.Second).String()},
	)
}
