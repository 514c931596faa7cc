package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

type refusal struct{ Reason string }

func TestLobby(t *testing.T) {
	t.Parallel()
	s := running(t, patient(2))
	ann := s.reserves(t, " Ann ")
	require.NoError(t, session.ValidatePlayerSessionID(ann.ID))
	require.Equal(t, "Ann", ann.Name)
	require.Equal(t, session.StatusReserved, ann.Status)
	require.Equal(t, patient(2).timeout.Milliseconds(), ann.Of)
	require.Positive(t, ann.Left)
	require.LessOrEqual(t, ann.Left, ann.Of)
	bob := s.reserves(t, "")
	require.Equal(t, 1, bob.Seat)
	require.Equal(t, names[1], bob.Name)

	var refused refusal
	r := call(t, http.MethodPost, s.playURL()+"reserve", "", `{}`, &refused)
	require.Equal(t, http.StatusConflict, r.StatusCode)
	require.Equal(t, "full", refused.Reason)
	var held struct{ Seats, Held int }
	call(t, http.MethodGet, s.playURL()+"lobby", "", "", &held)
	require.Equal(t, 2, held.Seats)
	require.Equal(t, 2, held.Held)

	var again ticket
	call(t, http.MethodGet, s.playURL()+"seat", ann.ID, "", &again)
	require.LessOrEqual(t, again.Left, ann.Left)
	again.Left = ann.Left
	require.Equal(t, ann, again)

	for range 2 { // to leave twice is no error
		r = call(t, http.MethodDelete, s.playURL()+"seat", ann.ID, "", nil)
		require.Equal(t, http.StatusNoContent, r.StatusCode)
	}
	call(t, http.MethodGet, s.playURL()+"seat", ann.ID, "", &again)
	require.Equal(t, session.StatusTimedOut, again.Status, "given up")
	require.Zero(t, s.reserves(t, "Cem").Seat, "free at once")
}

func TestLobbyRefuses(t *testing.T) {
	t.Parallel()
	s := running(t, patient(2))
	for _, test := range []struct {
		method, path, bearer, body string
		status                     int
		reason                     string
	}{
		{http.MethodPost, "reserve", "", `{"name":"` + strings.Repeat("x", maxName+1) + `"}`, http.StatusBadRequest, "invalid_field"},
		{http.MethodPost, "reserve", "", `{"name":"a\u0000b"}`, http.StatusBadRequest, "invalid_field"},
		{http.MethodPost, "reserve", "", `{"name":"a\u202eb"}`, http.StatusBadRequest, "invalid_field"},
		{http.MethodPost, "reserve", "", `{"name":"a\u2003b"}`, http.StatusBadRequest, "invalid_field"},
		{http.MethodPost, "reserve", "", `{"name":1}`, http.StatusBadRequest, "invalid_field"},
		{http.MethodPost, "reserve", "", ``, http.StatusBadRequest, "invalid_field"},
		{http.MethodPost, "reserve", "", `{"name":"` + strings.Repeat(" ", maxRequest) + `"}`, http.StatusBadRequest, "invalid_field"},
		{http.MethodGet, "seat", "psess-invented", "", http.StatusNotFound, "not_found"},
		{http.MethodGet, "seat", "", "", http.StatusBadRequest, "invalid_id"},
		{http.MethodDelete, "seat", "psess-invented", "", http.StatusNotFound, "not_found"},
	} {
		var refused refusal
		r := call(t, test.method, s.playURL()+test.path, test.bearer, test.body, &refused)
		require.Equal(t, test.status, r.StatusCode, test)
		require.Equal(t, test.reason, refused.Reason, test)
	}
	require.Zero(t, s.table.Stats().Reserved)
}

func TestLobbyIsNotRushed(t *testing.T) {
	t.Parallel()
	s := running(t, patient(maxSeats))
	limited := false
	for range 10 * burst { // faster than 2 a second, on any machine
		var refused refusal
		r := call(t, http.MethodPost, s.playURL()+"reserve", "", `{}`, &refused)
		if r.StatusCode == http.StatusTooManyRequests {
			require.Equal(t, "too_fast", refused.Reason)
			require.Equal(t, "1", r.Header.Get("Retry-After"))
			limited = true
			break
		}
	}
	require.True(t, limited)
}

// Another site's page cannot reserve in the name of who looks at it.
func TestLobbyIsNotForOtherSites(t *testing.T) {
	t.Parallel()
	s := running(t, patient(2))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.playURL()+"reserve", strings.NewReader(`{}`))
	require.NoError(t, err)
	r.Header.Set("Origin", "https://elsewhere.example")
	require.Equal(t, http.StatusForbidden, do(t, r, nil).StatusCode)
	require.Zero(t, s.table.Stats().Reserved)
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := running(t, patient(2))
	for url, kind := range map[string]string{
		s.playURL():               "text/html",
		s.playURL() + "game.js":   "text/javascript",
		s.playURL() + "style.css": "text/css",
		s.opsURL():                "text/html",
		s.opsURL()[:len(s.opsURL())-3] + "ops.js": "text/javascript",
	} {
		r := call(t, http.MethodGet, url, "", "", nil)
		require.Equal(t, http.StatusOK, r.StatusCode, url)
		require.Contains(t, r.Header.Get("Content-Type"), kind)
		require.Contains(t, r.Header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'")
		require.NotContains(t, r.Header.Get("Content-Security-Policy"), "unsafe")
		require.Equal(t, "nosniff", r.Header.Get("X-Content-Type-Options"))
	}
	for _, path := range []string{"ops", "ops/events", "ops.html", "ops.js", "web/game.html", "nowhere"} {
		r := call(t, http.MethodGet, s.playURL()+path, "", "", nil)
		require.Equal(t, http.StatusNotFound, r.StatusCode, "players have no business at %s", path)
	}
}
