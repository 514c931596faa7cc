package measure

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

// tiny is over in seconds and means nothing.
func tiny() Plan {
	p := Quick()
	p.Sizes = []int{200, 500}
	p.Fractions = []float64{0.05, Rest}
	p.Duration = 30 * time.Millisecond
	p.Timeout = 100 * time.Millisecond
	p.Bound = time.Second // no machine is too busy for that
	p.Retained = 300
	p.StormTime = 10 * time.Millisecond
	p.MostCores = 2
	p.Limit = 0
	return p
}

func TestRun(t *testing.T) {
	procs := runtime.GOMAXPROCS(0)
	steps, of := 0, 0
	r, err := Run(t.Context(), tiny(), func(what string, step, all int, left time.Duration) {
		require.NotEmpty(t, what)
		require.Greater(t, step, steps)
		require.GreaterOrEqual(t, left, time.Duration(0))
		steps, of = step, all
	})
	require.NoError(t, err)
	require.Equal(t, procs, runtime.GOMAXPROCS(0), "it is left as it was")
	require.Equal(t, of, steps, "all steps were announced, and no more than were foreseen")

	require.Equal(t, runtime.Version(), r.Run.Go)
	require.Positive(t, r.Clock.Cost)
	require.Positive(t, r.Clock.Resolution)
	require.NotEmpty(t, r.Machine.CPU)
	require.Len(t, r.Sizes, 2)
	for _, s := range r.Sizes {
		require.Positive(t, s.Memory.PerSlot)
		require.Positive(t, s.Collection.Cycle)
		require.Positive(t, s.Collection.Pause)
		require.Positive(t, s.Ceiling)
		require.Positive(t, s.Floor.Count)
		require.Len(t, s.Loads, 2)
		require.NotNil(t, s.Rest())
		require.NotEmpty(t, s.Rest().Accept.Curve)
		for _, l := range s.Loads {
			require.Positive(t, l.Rate)
			require.Positive(t, l.Accept.Count)
			require.LessOrEqual(t, l.AcceptCall.P50, l.Accept.Max)
			require.Positive(t, l.Busy)
		}
	}
	require.Len(t, r.Storms, 2)
	for _, s := range r.Storms {
		require.Equal(t, 500, s.Expiring)
		require.Positive(t, s.Window)
		require.Positive(t, s.Rounds)
	}
	require.Len(t, r.Cores, 2)
	for i, c := range r.Cores {
		require.Equal(t, i+1, c.Cores)
		require.Positive(t, c.Joins)
		require.Positive(t, c.Accepts)
	}
	require.Equal(t, 300, r.Retained.Sessions)
}

// A run that is pressed for time says what it has left out.
func TestRunIsPressed(t *testing.T) {
	p := tiny()
	p.Limit = time.Nanosecond
	steps, of := 0, 0
	r, err := Run(t.Context(), p, func(_ string, step, all int, _ time.Duration) { steps, of = step, all })
	require.NoError(t, err)
	require.Len(t, r.Sizes, 1)
	require.Len(t, r.Run.LeftOut, 1+2+2)
	require.Less(t, steps, of)
}

// The user need not wait for the step to end.
func TestRunEnds(t *testing.T) {
	const long, short = time.Hour, 10 * time.Millisecond
	for step, change := range map[string]func(*Plan){
		"memory":           func(p *Plan) { p.Sizes = []int{3_000_000} },
		"back to back":     func(p *Plan) { p.Duration = long },
		"joins per second": func(p *Plan) { p.Timeout = long },
		"ended":            func(*Plan) {},
		"storm":            func(p *Plan) { p.StormTime = long },
		"2 cores":          func(*Plan) {},
	} {
		t.Run(step, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			p := tiny()
			p.Sizes = []int{1000}
			p.Duration = short
			change(&p)
			var cancelled time.Time
			_, err := Run(ctx, p, func(what string, _, _ int, _ time.Duration) {
				if strings.Contains(what, step) {
					time.Sleep(short)
					cancelled = time.Now()
					cancel()
				}
			})
			require.ErrorIs(t, err, context.Canceled)
			require.Less(t, time.Since(cancelled), 5*time.Second)
		})
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	p := Full()
	p.MostCores = 1
	require.Equal(t, []int{1}, p.cores())
	require.Equal(t, []int{1}, p.stormCores())
	p.MostCores = 2
	require.Equal(t, []int{1, 2}, p.cores())
	p.MostCores = 48
	require.Equal(t, []int{1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 48}, p.cores())
	require.Equal(t, []int{1, 48}, p.stormCores())
	require.Equal(t, 100_000, p.compared())
	p.Sizes = []int{500_000}
	require.Equal(t, 500_000, p.compared())

	r := &runner{Plan: Plan{Fractions: []float64{Rest, 0.9}}}
	require.Equal(t, []float64{58_000, 210_000}, r.ratesBelow(233_333))
	r.JoinRate = 1234.5
	require.Equal(t, []float64{1234.5}, r.ratesBelow(233_333))
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	r := &runner{Plan: Plan{Bound: time.Millisecond}}
	slow := figures.Latency{P99: 2 * time.Millisecond}
	require.Empty(t, r.verdict(&figures.Load{}, &tally{}))
	require.Equal(t, "fell more than 250ms behind", r.verdict(&figures.Load{}, &tally{behind: true}))
	require.Equal(t, "p99 of accept over 1ms", r.verdict(&figures.Load{Accept: slow}, &tally{}))
	require.Equal(t, "p99 of reserve over 1ms", r.verdict(&figures.Load{Reserve: slow}, &tally{}))
	require.Equal(t, "3 reservations timed out before they could be accepted", r.verdict(&figures.Load{Late: 3}, &tally{}))
}
