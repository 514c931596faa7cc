package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// report is what a run is printed from.
type report struct {
	Machine    string   `json:"machine"`
	Go         string   `json:"go"`
	GOMAXPROCS int      `json:"gomaxprocs"`
	GOGC       string   `json:"gogc"`
	Command    string   `json:"command"`
	Rounds     int      `json:"rounds"`
	Contenders []string `json:"contenders"`
	Rows       []row    `json:"rows"`
	Options    []string `json:"options"`
	OptionRows []row    `json:"optionRows"`
}

// row is a figure of every contender that has it: the median of the rounds.
type row struct {
	Work   string            `json:"work"`
	Unit   string            `json:"unit,omitempty"`
	Values map[string]spread `json:"values"`

	Best  string  `json:"bestPeer,omitempty"`
	Ratio float64 `json:"bestPeerToUsher,omitempty"` // greater than 1 if usher is better

	Asked   *target `json:"asked,omitempty"`
	Reached float64 `json:"reached,omitempty"`
	Verdict string  `json:"verdict,omitempty"`
}

type spread struct {
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
}

// target is a line of DESIGN.md's table of speed.
type target struct {
	What    string  `json:"what"`
	AtLeast float64 `json:"atLeast"`
	Goal    float64 `json:"goal"`
	more    bool    // more is better
}

func (t *target) verdict(value float64) string {
	meets := func(bound float64) bool { return t.more && value >= bound || !t.more && value <= bound }
	switch {
	case meets(t.Goal):
		return "goal"
	case meets(t.AtLeast):
		return "at least"
	}
	return "missed"
}

// What the ratios and figures of usher are asked to be.
const (
	toBestPeer = "best peer ÷ usher"
	toUsher    = "usher ÷ best peer"
	itself     = "usher"
)

func (r *runner) report(all []Entrant, options []variant, command string) *report {
	p := &report{
		Machine:    machine(),
		Go:         runtime.Version(),
		GOMAXPROCS: slices.Max(r.procs),
		GOGC:       gogc(),
		Command:    command,
		Rounds:     r.done,
	}
	for _, e := range all {
		p.Contenders = append(p.Contenders, e.Name)
	}
	for _, v := range options {
		p.Options = append(p.Options, v.Name)
	}
	p.Rows = r.rows(all)
	for _, k := range []key{{reserve, r.optional(), 1}, {accept, r.optional(), 1}, {release, r.optional(), 1}} {
		w := row{Work: k.work + ", " + grouped(float64(k.slots)) + " slots", Unit: "ns", Values: make(map[string]spread)}
		for _, v := range options {
			w.Values[v.Name] = r.spread(v.Name, k)
		}
		p.OptionRows = append(p.OptionRows, w)
	}
	return p
}

// rows are the table, from top to bottom.
func (r *runner) rows(all []Entrant) []row {
	var rows []row
	add := func(w row, ok bool) {
		if ok {
			rows = append(rows, w)
		}
	}
	for _, n := range r.sizes {
		least, goal := 3., 4.
		if n < 10_000 {
			least, goal = 1.5, 2
		}
		add(r.row(all, key{accept, n, 1}, "ns", &target{toBestPeer, least, goal, true}))
		add(r.quotient(all, "accept, to the floor's", key{accept, n, 1}, key{accept, n, 1}, "floor", &target{itself, 1.4, 1.15, false}))
		add(r.bestTo(all, key{accept, n, 1}))
	}
	for _, procs := range r.procs {
		if procs == 1 {
			continue
		}
		for _, n := range r.sizes {
			if n < 10_000 {
				continue // two processors are done before they have begun
			}
			add(r.row(all, key{accept, n, procs}, "ns", nil))
			var asked *target
			if procs == 2 {
				asked = &target{itself, 1.5, 1.8, true}
			}
			add(r.quotient(all, fmt.Sprintf("accept, %d processors' throughput to one's", procs), key{accept, n, 1}, key{accept, n, procs}, "", asked))
		}
	}
	for _, n := range r.sizes {
		add(r.row(all, key{refuse, n, 1}, "ns", nil))
		add(r.quotient(all, "refusal, to an accept", key{refuse, n, 1}, key{accept, n, 1}, "", &target{itself, 2, 1.2, false}))
	}
	for _, n := range r.sizes {
		add(r.row(all, key{reserve, n, 1}, "ns", &target{toBestPeer, 1, 2, true}))
	}
	for _, n := range r.sizes {
		add(r.row(all, key{release, n, 1}, "ns", nil))
	}
	n := r.largest()
	add(r.row(all, key{acceptAllocs, n, 1}, "", &target{itself, 0, 0, false}))
	add(r.row(all, key{refuseAllocs, n, 1}, "", &target{itself, 0, 0, false}))
	add(r.row(all, key{reserveAllocs, n, 1}, "", &target{itself, 2, 2, false}))
	add(r.row(all, key{memory, n, 1}, "B/slot", &target{itself, 200, 130, false}))
	add(r.row(all, key{gc, n, 1}, "ms", &target{toUsher, 1. / 3, 1. / 10, false}))
	add(r.row(all, key{expiry, n, 2}, "ns each", &target{itself, 500, 250, false}))
	add(r.row(all, key{expiryAccept, n, 2}, "µs, p99.9", &target{itself, 100, 30, false}))
	add(r.row(all, key{expiryWait, n, 2}, "µs, p99.9", nil))
	add(r.row(all, key{growth, n, 2}, "µs, p99.9", &target{itself, 1000, 100, false}))
	add(r.row(all, key{growthMax, n, 2}, "µs", nil))
	return rows
}

// row is a figure as it was measured.
func (r *runner) row(all []Entrant, k key, unit string, asked *target) (row, bool) {
	w := row{Work: k.work + ", " + grouped(float64(k.slots)) + " slots", Unit: unit, Values: make(map[string]spread), Asked: asked}
	if k.procs > 1 && k.work == accept {
		w.Work += fmt.Sprintf(", %d processors", k.procs)
	}
	for _, e := range all {
		if len(r.samples[e.Name][k]) > 0 {
			w.Values[e.Name] = r.spread(e.Name, k)
		}
	}
	own, ok := w.Values["usher"]
	if !ok {
		return row{}, false
	}
	w.Best = w.bestPeer(all)
	if w.Best != "" && own.Median > 0 {
		w.Ratio = w.Values[w.Best].Median / own.Median
	}
	w.judge(own.Median)
	return w, true
}

// bestPeer is the contender of the least figure besides usher, or "".
func (w *row) bestPeer(all []Entrant) (best string) {
	for _, e := range all[1:] {
		v, ok := w.Values[e.Name]
		if ok && !e.Floor && (best == "" || v.Median < w.Values[best].Median) {
			best = e.Name
		}
	}
	return best
}

// bestTo is the best peer's figure divided by each one's: so many times as fast as that
// peer a floor is, too.
func (r *runner) bestTo(all []Entrant, k key) (row, bool) {
	measured, ok := r.row(all, k, "", nil)
	best := measured.Values[measured.Best].Median
	w := row{Work: k.work + ", the best peer's to it, " + grouped(float64(k.slots)) + " slots", Unit: "×", Values: make(map[string]spread)}
	for name, v := range measured.Values {
		if v.Median > 0 {
			w.Values[name] = spread{best / v.Median, best / v.Median, best / v.Median}
		}
	}
	return w, ok && best > 0
}

// quotient is one figure of each contender divided by another one: its own, or
// that of the contender named.
func (r *runner) quotient(all []Entrant, work string, over, under key, of string, asked *target) (row, bool) {
	w := row{Work: work + ", " + grouped(float64(over.slots)) + " slots", Unit: "×", Values: make(map[string]spread), Asked: asked}
	for _, e := range all {
		name := of
		if of == "" {
			name = e.Name
		}
		a, b := r.median(e.Name, over), r.median(name, under)
		if a > 0 && b > 0 {
			w.Values[e.Name] = spread{a / b, a / b, a / b}
		}
	}
	own, ok := w.Values["usher"]
	w.judge(own.Median)
	return w, ok
}

func (w *row) judge(own float64) {
	if w.Asked == nil || w.Asked.What != itself && w.Ratio == 0 {
		return // nothing to compare with
	}
	w.Reached = own
	switch w.Asked.What {
	case toBestPeer:
		w.Reached = w.Ratio
	case toUsher:
		w.Reached = 1 / w.Ratio
	}
	w.Verdict = w.Asked.verdict(w.Reached)
}

func (r *runner) spread(name string, k key) spread {
	values := r.samples[name][k]
	if len(values) == 0 {
		return spread{}
	}
	return spread{r.median(name, k), slices.Min(values), slices.Max(values)}
}

func (p *report) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "\t")
	return e.Encode(p)
}

// markdown prints the report for a README.
func (p *report) markdown(w io.Writer) {
	fmt.Fprintf(w, "%s; %s, GOMAXPROCS=%d, GOGC=%s\n\n    %s\n\n", p.Machine, p.Go, p.GOMAXPROCS, p.GOGC, p.Command)
	fmt.Fprintf(w, "Medians of %d interleaved round(s). One processor unless two are named. Less is better, but for throughput.\n\n", p.Rounds)

	header := []string{"", "**usher**", "best peer ÷ usher", "asked: at least / goal", "reached"}
	header = append(header, p.Contenders[1:]...)
	cells := [][]string{header}
	for i := range p.Rows {
		cells = append(cells, p.Rows[i].cells(p.Contenders))
	}
	table(w, cells)

	fmt.Fprint(w, "\nWhat usher's options cost, each by itself; what a subscriber does is counted in.\n\n")
	cells = [][]string{append([]string{""}, p.Options...)}
	for _, r := range p.OptionRows {
		line := []string{r.name()}
		for _, o := range p.Options {
			line = append(line, number(r.Values[o].Median))
		}
		cells = append(cells, line)
	}
	table(w, cells)
}

func (w *row) name() string {
	if w.Unit == "" {
		return w.Work
	}
	return w.Work + " [" + w.Unit + "]"
}

func (w *row) cells(contenders []string) []string {
	line := []string{w.name(), w.cell("usher"), "", "", ""}
	if w.Ratio > 0 {
		line[2] = number(w.Ratio) + "× " + w.Best
	}
	if a := w.Asked; a != nil {
		line[3] = a.String()
		line[4] = w.Verdict
		if w.Verdict == "missed" {
			line[4] = "**missed**"
		}
		if a.What == toUsher {
			line[4] += " (" + number(w.Reached) + ")"
		}
	}
	for _, name := range contenders[1:] {
		line = append(line, w.cell(name))
	}
	return line
}

func (w *row) cell(name string) string {
	v, ok := w.Values[name]
	if !ok {
		return "–"
	}
	return number(v.Median)
}

func (t *target) String() string {
	sign, unit := "≤ ", ""
	if t.more {
		sign = "≥ "
	}
	if t.What == toBestPeer {
		unit = "×"
	}
	if t.AtLeast == t.Goal {
		return sign + number(t.Goal) + unit
	}
	return sign + number(t.AtLeast) + unit + " / " + number(t.Goal) + unit
}

// table prints Markdown whose columns stand below each other.
func table(w io.Writer, cells [][]string) {
	widths := make([]int, len(cells[0]))
	for _, line := range cells {
		for i, c := range line {
			widths[i] = max(widths[i], len([]rune(c)))
		}
	}
	for n, line := range cells {
		for i, c := range line {
			pad := strings.Repeat(" ", widths[i]-len([]rune(c)))
			if i == 0 {
				c += pad
			} else {
				c = pad + c
			}
			fmt.Fprint(w, "| ", c, " ")
		}
		fmt.Fprintln(w, "|")
		if n > 0 {
			continue
		}
		for i, width := range widths {
			if i == 0 {
				fmt.Fprint(w, "|", strings.Repeat("-", width+2))
			} else {
				fmt.Fprint(w, "|", strings.Repeat("-", width+1), ":")
			}
		}
		fmt.Fprintln(w, "|")
	}
}

// number prints about three digits that count.
func number(v float64) string {
	switch {
	case v >= 99.95:
		return grouped(v)
	case v >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v == float64(int(v)):
		return strconv.Itoa(int(v))
	case v >= 0.0995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	default:
		return strconv.FormatFloat(v, 'f', 4, 64)
	}
}

// grouped prints a whole number with commas.
func grouped(v float64) string {
	digits := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func machine() string {
	name := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if field, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(field) == "model name" {
				name = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d processor(s), %s/%s", name, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
}

func gogc() string {
	percent := debug.SetGCPercent(-1)
	debug.SetGCPercent(percent)
	if percent < 0 {
		return "off"
	}
	return strconv.Itoa(percent)
}
