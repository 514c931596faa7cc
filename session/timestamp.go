package session

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// formatTimestamp writes t as epoch seconds with a millisecond fraction, in digits:
// no float64 is 1469498468.057. ok is false if the year cannot be written.
func formatTimestamp(t time.Time) (number json.Number, ok bool) {
	ms := t.UnixMilli()
	var b []byte
	if ms < 0 {
		b = append(b, '-')
		ms = -ms
	}
	b = strconv.AppendInt(b, ms/1000, 10)
	if fraction := ms % 1000; fraction != 0 {
		b = append(b, '.')
		b = append(b, strconv.Itoa(1000 + int(fraction))[1:]...)
	}
	return json.Number(b), expressible(t)
}

// parseTimestamp reads a JSON value: null as the zero time, a number as epoch
// seconds, a string as RFC 3339. ok is false for all else.
func parseTimestamp(value json.RawMessage) (t time.Time, ok bool) {
	switch c := value[0]; {
	case c == '"':
		if t.UnmarshalJSON(value) != nil {
			return time.Time{}, false
		}
		t = t.Round(time.Millisecond)
	case c == '-' || '0' <= c && c <= '9':
		ms, ok := parseEpoch(string(value))
		if !ok {
			return time.Time{}, false
		}
		t = time.UnixMilli(ms)
	default:
		return time.Time{}, string(value) == "null"
	}
	t = t.UTC()
	return t, expressible(t)
}

// parseEpoch turns a JSON number of seconds into milliseconds, the nearest. It
// works on the digits: a float64 would misjudge fractions near half a millisecond.
func parseEpoch(number string) (ms int64, ok bool) {
	unsigned, negative := strings.CutPrefix(number, "-")
	mantissa, exponent, found := strings.Cut(strings.ToLower(unsigned), "e")
	if !found {
		exponent = "0"
	}
	shift, err := strconv.ParseInt(exponent, 10, 16) // 16 bits, so that no sum below overflows
	if err != nil {
		return 0, false
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")

	// In milliseconds the number is 0.digits times ten to the power of point.
	digits := strings.TrimLeft(whole+fraction, "0")
	point := int(shift) + 3 + len(digits) - len(fraction)
	const most = len("253402300799999") // the last millisecond of the year 9999
	switch {
	case digits == "" || point < 0:
		return 0, true
	case point > most:
		return 0, false
	}
	digits += strings.Repeat("0", most+1)
	ms, _ = strconv.ParseInt("0"+digits[:point], 10, 64) // at most 15 digits
	if digits[point] >= '5' {
		ms++
	}
	if negative {
		ms = -ms
	}
	return ms, true
}

// expressible reports whether t has a year that RFC 3339 and this package's JSON
// can carry. The year 0 is left out, for the zero time begins the year 1 and
// stands for no time.
func expressible(t time.Time) bool {
	year := t.UTC().Year()
	return 1 <= year && year <= 9999
}
