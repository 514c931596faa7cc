package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
	"github.com/usher-go/usher/bench/capacity/internal/report"
)

var (
	fiveSizes = []int{1_000, 10_000, 100_000, 500_000, 1_000_000}
	someCores = []int{1, 2, 3, 4, 5, 6, 7, 8, 16}
)

func render(t *testing.T, r *figures.Report) string {
	t.Helper()
	r.Answer = report.Answer(r)
	var b bytes.Buffer
	require.NoError(t, report.Write(&b, r, "report.json"))
	// For the eye: REPORTS=<folder> go test ./internal/report
	if dir := os.Getenv("REPORTS"); dir != "" {
		name := dir + "/" + strings.ReplaceAll(t.Name(), "/", "-") + ".html"
		require.NoError(t, os.WriteFile(name, b.Bytes(), 0o600))
	}
	return b.String()
}

func TestPage(t *testing.T) {
	t.Parallel()
	r := canned(fiveSizes, someCores)
	page := render(t, r)

	for _, id := range []string{"load", "sizes", "storm-accept", "storm-reserve", "memory", "gc", "accepts-by-core", "joins-by-core"} {
		require.Contains(t, page, `<figure id="`+id+`"`)
	}
	for _, text := range []string{
		"carries 1,000,000 players with 56,000 joins per second", "Test &lt;CPU&gt; &amp; &#34;friends&#34;",
		"go -C bench/capacity run . -o report.html", "go1.26.8", "16 GiB", "0123456789abcdef", ">1M<", ">100 µs<", "prefers-color-scheme: dark",
	} {
		require.Contains(t, page, text)
	}
	require.NotContains(t, page, "quick run")
	require.NotContains(t, page, "#01FE", "a stand-in for a colour was left")
	require.NotContains(t, page, "NaN")
	require.NotContains(t, page, "ZgotmplZ", "the template did not trust something")
}

// One file, which works without a network.
func TestPageNeedsNothingElse(t *testing.T) {
	t.Parallel()
	page := render(t, canned(fiveSizes, someCores))
	refers := regexp.MustCompile(`(?i)(?:src|href|srcset|action)\s*=\s*"([^"]*)"|url\(([^)]*)\)|@import`)
	for _, m := range refers.FindAllStringSubmatch(page, -1) {
		require.Contains(t, []string{"#figures", "report.json"}, m[1], m[0])
	}
	for _, address := range regexp.MustCompile(`https?://[^\s"'<>]+`).FindAllString(page, -1) {
		require.Contains(t, []string{"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}, address)
	}
}

func TestPlotsAreWellFormed(t *testing.T) {
	t.Parallel()
	page := render(t, canned(fiveSizes, someCores))
	plots := regexp.MustCompile(`(?s)<svg .*?</svg>`).FindAllString(page, -1)
	require.GreaterOrEqual(t, len(plots), 8)
	for _, p := range plots {
		d := xml.NewDecoder(strings.NewReader(p))
		for {
			_, err := d.Token()
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
		}
	}
}

// Every plot says what it shows, and has its figures as a table.
func TestPlotsAreAccessible(t *testing.T) {
	t.Parallel()
	page := render(t, canned(fiveSizes, someCores))
	figuresShown := regexp.MustCompile(`(?s)<figure .*?</figure>`).FindAllString(page, -1)
	require.Len(t, figuresShown, 8)
	for _, f := range figuresShown {
		require.Regexp(t, `role="img" aria-label="[^"]{20,}"`, f)
		require.Contains(t, f, "<figcaption>")
		require.Contains(t, f, "<details>")
		require.Regexp(t, `(?s)<tbody>\s*<tr>`, f)
		heads := strings.Count(f, `scope="col"`)
		for _, row := range regexp.MustCompile(`(?s)<tbody>(.*?)</tbody>`).FindStringSubmatch(f)[1:] {
			for cells := range strings.SplitSeq(strings.TrimSpace(row), "\n") {
				require.Equal(t, heads, strings.Count(cells, "</td>")+strings.Count(cells, "</th>"), cells)
			}
		}
	}
}

func TestPageHoldsTheJSON(t *testing.T) {
	t.Parallel()
	r := canned(fiveSizes, someCores)
	page := render(t, r)
	_, rest, ok := strings.Cut(page, `<script type="application/json" id="report">`)
	require.True(t, ok)
	text, _, ok := strings.Cut(rest, "</script>")
	require.True(t, ok)
	require.True(t, json.Valid([]byte(text)))
	decoded, err := figures.Decode([]byte(text))
	require.NoError(t, err)
	require.Equal(t, r, decoded)
}

// Little is known when one size and one rate were asked for, or when a run had no
// time.
func TestPageOfLittle(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*figures.Report){
		"one size": func(r *figures.Report) { r.Sizes = r.Sizes[:1] },
		"one rate": func(r *figures.Report) {
			r.Run.JoinRate = 1000
			r.Sizes = r.Sizes[2:3]
			l := r.Sizes[0].Loads[:1]
			l[0].Rest, l[0].Rate = true, 1000
			r.Sizes[0].Loads = l
		},
		"one core": func(r *figures.Report) { r.Cores, r.Storms = r.Cores[:1], r.Storms[:1] },
		"none sustained": func(r *figures.Report) {
			for i := range r.Sizes {
				for j := range r.Sizes[i].Loads {
					r.Sizes[i].Loads[j].Sustained = false
					r.Sizes[i].Loads[j].GotCPU = 0.5
				}
			}
		},
		"no storms, no cores": func(r *figures.Report) {
			r.Storms, r.Cores = nil, nil
			r.Run.LeftOut = []string{"the storm on 1 core", "the storm on 2 cores", "back to back on 1 core"}
		},
		"no loads":     func(r *figures.Report) { r.Sizes[0].Loads, r.Sizes = nil, r.Sizes[:1] },
		"no calls":     func(r *figures.Report) { r.Sizes[0].Loads = []figures.Load{{Rate: 10, Rest: true}} },
		"no latencies": func(r *figures.Report) { r.Storms[0].Accept = figures.Latency{} },
		"nothing":      func(r *figures.Report) { *r = figures.Report{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := canned(fiveSizes, someCores)
			change(r)
			page := render(t, r)
			require.NotContains(t, page, "NaN")
			require.NotContains(t, page, "Inf")
			var b bytes.Buffer
			require.NoError(t, report.Print(&b, r))
			require.Contains(t, b.String(), r.Answer)
		})
	}
}
