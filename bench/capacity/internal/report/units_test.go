package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestUnits(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 ns", 7: "7 ns", 999: "999 ns", 1000: "1 µs", 12_345: "12.3 µs", 999_999: "1 ms",
		53_299_999: "53.3 ms", 1_500_000_000: "1.5 s", 90 * time.Second: "90 s",
	} {
		require.Equal(t, want, duration(d))
	}
	for x, want := range map[float64]string{0: "0", 12: "12", 1000: "1k", 1500: "1.5k", 100_000: "100k", 1e6: "1M", 5_612_345: "5.61M", 2e9: "2G"} {
		require.Equal(t, want, short(x))
	}
	for b, want := range map[float64]string{0: "0 B", 130: "130 B", 13_353_144: "12.7 MiB", 16 << 30: "16 GiB"} {
		require.Equal(t, want, size(b))
	}
	require.Equal(t, "123,000", perSecond(123_456))
	require.Equal(t, "1.2 %", percent(0.0123))
	require.Equal(t, "1 core", plural(1, "core"))
	require.Equal(t, "16 cores", plural(16, "core"))
	require.Equal(t, "a, b and c", join([]string{"a", "b", "c"}))
}

func TestLogTicks(t *testing.T) {
	t.Parallel()
	labels := func(least, most float64) (said []string) {
		for _, tick := range (logTicks{nanoseconds}).Ticks(least, most) {
			require.GreaterOrEqual(t, tick.Value, least*0.99)
			require.LessOrEqual(t, tick.Value, most*1.01)
			if tick.Label != "" {
				said = append(said, tick.Label)
			}
		}
		return said
	}
	require.Equal(t, []string{"200 ns", "500 ns", "1 µs", "2 µs", "5 µs"}, labels(200, 5000))
	require.Equal(t, []string{"100 ns", "1 µs", "10 µs", "100 µs", "1 ms", "10 ms"}, labels(100, 2e7))
}

func TestRoundValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ x, down, up float64 }{{1, 1, 1}, {1.1, 1, 2}, {4, 2, 5}, {7, 5, 10}, {99, 50, 100}, {100, 100, 100}, {0.3, 0.2, 0.5}} {
		require.InEpsilon(t, c.down, roundDown(c.x), 1e-9, c.x)
		require.InEpsilon(t, c.up, roundUp(c.x), 1e-9, c.x)
	}
}
