package report_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
	"github.com/usher-go/usher/bench/capacity/internal/report"
)

func TestAnswer(t *testing.T) {
	t.Parallel()
	const machine = "One core of this machine (Some CPU) "
	answer := func(change func(*figures.Report, *figures.Load)) string {
		r := &figures.Report{
			Machine: figures.Machine{CPU: "Some CPU"},
			Run:     figures.Run{Bound: time.Millisecond},
			Sizes: []figures.Size{{
				Slots:   50_000,
				Memory:  figures.Memory{Bytes: 7 << 20, PerSlot: 146.8},
				Ceiling: 234_567,
				PerCPU:  456_789,
				Loads:   []figures.Load{{Rate: 2000, Sustained: true, Busy: 0.0123, GotCPU: 1, Accept: figures.Latency{P99: 12_345}}},
			}},
		}
		change(r, &r.Sizes[0].Loads[0])
		return report.Answer(r)
	}
	require.Equal(t,
		machine+"carries 50,000 players with 2,000 joins per second: 99 of 100 are accepted within 12.3 µs of when they were due (the bound is 1 ms), and the table takes 7 MiB, 147 bytes a player.",
		answer(func(*figures.Report, *figures.Load) {}))
	require.Equal(t,
		machine+"carries 50,000 players with 2,000 joins per second: 99 of 100 are accepted within 12.3 µs of when they were due (the bound is 1 ms), which keeps the core 1.2 % busy, and the table takes 7 MiB, 147 bytes a player, although other programs left this run only 50 % of the core.",
		answer(func(r *figures.Report, l *figures.Load) { r.Run.JoinRate, l.GotCPU = 2000, 0.5 }))
	require.Equal(t,
		machine+"did not carry 50,000 players with 2,000 joins per second (p99 of accept over 1ms); the table takes 7 MiB, 147 bytes a player.",
		answer(func(r *figures.Report, l *figures.Load) {
			r.Run.JoinRate, l.Sustained, l.Why = 2000, false, "p99 of accept over 1ms"
		}))
	require.Equal(t,
		"With 50,000 players, one core of this machine (Some CPU) kept p99 under 1 ms at none of the rates tried, while other programs left this run only 50 % of the core; back to back it does 235,000 joins per second (457,000 per second of processor time), and the table takes 7 MiB, 147 bytes a player.",
		answer(func(_ *figures.Report, l *figures.Load) { l.Sustained, l.GotCPU = false, 0.5 }))
	require.Equal(t, "Nothing was measured.", report.Answer(&figures.Report{}))
}
