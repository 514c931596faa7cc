package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseFault(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]fault{
		"AcceptPlayerSession=10%,2s":      {share: 0.1, status: http.StatusInternalServerError, delay: 2 * time.Second},
		"AcceptPlayerSession=2s,10%":      {share: 0.1, status: http.StatusInternalServerError, delay: 2 * time.Second},
		"AcceptPlayerSession=100%,429":    {share: 1, status: http.StatusTooManyRequests},
		"AcceptPlayerSession=30ms":        {status: http.StatusInternalServerError, delay: 30 * time.Millisecond},
		"AcceptPlayerSession=0.5%":        {share: 0.005, status: http.StatusInternalServerError},
		"AcceptPlayerSession=0%,0s,0.25%": {share: 0.0025, status: http.StatusInternalServerError},
	} {
		action, f, err := parseFault(text)
		require.NoError(t, err, text)
		require.Equal(t, "AcceptPlayerSession", action)
		require.Equal(t, want, f, text)
	}
	for _, text := range []string{
		"", "=", "AcceptPlayerSession", "AcceptPlayerSession=", "Accept=10%", "AcceptPlayerSession=10", "AcceptPlayerSession=101%",
		"AcceptPlayerSession=-1%", "AcceptPlayerSession=NaN%", "AcceptPlayerSession=-2s", "AcceptPlayerSession=10%,,2s", "AcceptPlayerSession=200",
	} {
		_, _, err := parseFault(text)
		require.ErrorContains(t, err, "gameliftlocal: -fault", text)
	}
}

func TestShareOfFaultsIsExact(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		share float64
		want  int
	}{{0, 0}, {0.1, 100}, {0.005, 5}, {1.0 / 3, 333}, {0.5, 500}, {1, 1000}} {
		f := newFaults(map[string]fault{"AcceptPlayerSession": {share: test.share, status: 500}})
		failed := 0
		for range 1000 {
			_, err := f.strike("AcceptPlayerSession")
			if err != nil {
				failed++
			}
			_, err = f.strike("RemovePlayerSession")
			require.NoError(t, err, "the others are left alone")
		}
		require.InDelta(t, test.want, failed, 1, "%v", test.share)
	}
}
