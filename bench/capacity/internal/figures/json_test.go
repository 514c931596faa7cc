package figures_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/bench/capacity/internal/figures"
)

// Every field survives, whatever is added.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	r := new(figures.Report)
	next := 0
	fill(t, reflect.ValueOf(r).Elem(), &next)
	encoded, err := figures.Encode(r)
	require.NoError(t, err)
	decoded, err := figures.Decode(encoded)
	require.NoError(t, err)
	require.Equal(t, r, decoded)

	_, err = figures.Decode([]byte("{"))
	require.ErrorContains(t, err, "figures: ")
}

// It stands in a page, between two tags.
func TestEncodeIsSafeInAPage(t *testing.T) {
	t.Parallel()
	encoded, err := figures.Encode(&figures.Report{Answer: "</script><b>&"})
	require.NoError(t, err)
	require.NotContains(t, string(encoded), "<")
	require.False(t, strings.ContainsAny(string(encoded), "<>&"))
}

func TestSustainedAndRest(t *testing.T) {
	t.Parallel()
	s := figures.Size{Loads: []figures.Load{
		{Rate: 1, Sustained: true},
		{Rate: 2, Rest: true},
		{Rate: 3, Sustained: true},
		{Rate: 4},
	}}
	require.Same(t, &s.Loads[2], s.Sustained())
	require.Same(t, &s.Loads[1], s.Rest())
	require.Nil(t, new(figures.Size).Sustained())
	require.Nil(t, new(figures.Size).Rest())
}

// fill gives every field a value of its own.
func fill(t *testing.T, v reflect.Value, next *int) {
	t.Helper()
	*next++
	if at, ok := v.Addr().Interface().(*time.Time); ok {
		*at = time.Unix(int64(*next), 0).UTC()
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), next)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i), next)
		}
	case reflect.String:
		v.SetString(strings.Repeat("x", *next%7+1))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*next))
	case reflect.Uint64:
		v.SetUint(uint64(*next))
	case reflect.Float64:
		v.SetFloat(float64(*next) + 0.5)
	default:
		t.Fatalf("%s is not foreseen", v.Type())
	}
}
