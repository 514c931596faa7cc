package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLatency(t *testing.T) {
	t.Parallel()
	var l latency
	p50, p99, n := l.quantiles()
	require.Zero(t, p50+p99)
	require.Zero(t, n)

	l.add(7)
	p50, p99, n = l.quantiles()
	require.Equal(t, []time.Duration{7, 7}, []time.Duration{p50, p99})
	require.Equal(t, uint64(1), n)

	for range 2000 { // those above are forgotten
		l.add(time.Hour)
	}
	for i := range 1024 {
		l.add(time.Duration(1024 - i))
	}
	p50, p99, n = l.quantiles()
	require.Equal(t, []time.Duration{512, 1013}, []time.Duration{p50, p99})
	require.Equal(t, uint64(3025), n)
}

// What is measured is the way through the gate; a refusal does not count.
func TestLatencyIsOfTheGate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l latency
		gate := func(admits bool) http.Handler {
			return l.arriving(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				time.Sleep(3 * time.Millisecond)
				if admits {
					l.arrived(r.Context())
				}
				time.Sleep(time.Hour) // the game
			}))
		}
		gate(false).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		gate(true).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		p50, _, n := l.quantiles()
		require.Equal(t, 3*time.Millisecond, p50)
		require.Equal(t, uint64(1), n)
	})
}
