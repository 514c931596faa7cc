package report

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// count writes a number with commas.
func count[N int | int64 | uint64](n N) string {
	return message.NewPrinter(language.English).Sprintf("%d", n)
}

// perSecond writes a rate with three digits and commas: more would not repeat.
func perSecond(rate float64) string { return count(int64(math.Round(digits(rate, 3)))) }

// digits rounds to so many significant digits.
func digits(x float64, n int) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'e', n-1, 64), 64)
	if err != nil {
		return x // not a number
	}
	return rounded
}

// short writes 1500 as 1.5k.
func short(x float64) string {
	switch {
	case x >= 1e9:
		return plain(x/1e9) + "G"
	case x >= 1e6:
		return plain(x/1e6) + "M"
	case x >= 1e3:
		return plain(x/1e3) + "k"
	}
	return plain(x)
}

// plain writes three digits, without zeros at the end.
func plain(x float64) string { return strconv.FormatFloat(digits(x, 3), 'f', -1, 64) }

// duration writes three digits and a unit.
func duration(d time.Duration) string { return nanoseconds(float64(d)) }

func nanoseconds(ns float64) string {
	switch ns = digits(ns, 3); {
	case ns >= 1e9:
		return plain(ns/1e9) + " s"
	case ns >= 1e6:
		return plain(ns/1e6) + " ms"
	case ns >= 1e3:
		return plain(ns/1e3) + " µs"
	}
	return plain(ns) + " ns"
}

// size writes bytes in MiB or the like.
func size(bytes float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for bytes >= 1024 && i < len(units)-1 {
		bytes /= 1024
		i++
	}
	return plain(bytes) + " " + units[i]
}

// percent writes a share.
func percent(share float64) string { return plain(digits(100*share, 2)) + " %" }

// plural puts an s behind a noun.
func plural(n int, noun string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, noun)
	}
	return fmt.Sprintf("%s %ss", count(n), noun)
}
