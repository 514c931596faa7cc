package validator_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// refusedWith is a gate whose Admit refuses with an error.
func refusedWith(t *testing.T, err error) *httptest.ResponseRecorder {
	t.Helper()
	table := newTable(t, slot.Config{})
	gate := validator.New(table, validator.Config{}).Handler(http.NotFoundHandler(), validator.HandlerConfig{
		Admit: func(*http.Request, session.PlayerSession) error { return err },
	})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+reserve(t, table, "alice").PlayerSessionID)
	w := httptest.NewRecorder()
	gate.ServeHTTP(w, r)
	return w
}

// Every word has its status. Most come from the table by themselves; Admit may
// return any.
func TestProblemStatus(t *testing.T) {
	t.Parallel()
	for word, c := range map[string]struct {
		err    error
		status int
	}{
		"not_found":      {session.ErrPlayerSessionNotFound, http.StatusUnauthorized},
		"already_active": {session.ErrAlreadyActive, http.StatusConflict},
		"duplicate":      {session.ErrDuplicatePlayer, http.StatusConflict},
		"exists":         {session.ErrPlayerSessionExists, http.StatusConflict},
		"full":           {session.ErrGameSessionFull, http.StatusConflict},
		"completed":      {session.ErrCompleted, http.StatusGone},
		"timed_out":      {session.ErrTimedOut, http.StatusGone},
		"overloaded":     {session.ErrOverloaded, http.StatusTooManyRequests},
		"draining":       {session.ErrDraining, http.StatusServiceUnavailable},
		"closed":         {session.ErrClosed, http.StatusServiceUnavailable},
		"denied":         {session.ErrCreationDenied, http.StatusForbidden},
		"invalid_field":  {&session.FieldError{Field: "Build"}, http.StatusForbidden},
		"other":          {errors.New("the ban list says: alice@example.com"), http.StatusForbidden},

		"game_session_not_active": {session.ErrGameSessionNotActive, http.StatusForbidden},
	} {
		w := refusedWith(t, c.err)
		require.Equal(t, c.status, w.Code, word)
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		later := c.status == http.StatusTooManyRequests || c.status == http.StatusServiceUnavailable
		require.Equal(t, later, w.Header().Get("Retry-After") != "", word)
		require.Equal(t, c.status == http.StatusUnauthorized, w.Header().Get("WWW-Authenticate") != "", word)

		require.NotContains(t, w.Body.String(), "psess-")
		require.NotContains(t, w.Body.String(), "alice")
		var problem map[string]any
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &problem))
		require.NotEmpty(t, problem["detail"])
		delete(problem, "detail")
		require.Equal(t, map[string]any{
			"type":   "https://pkg.go.dev/github.com/usher-go/usher/session#Reason",
			"title":  "Player refused",
			"status": float64(c.status),
			"reason": word,
		}, problem)
	}
}

// A stranger cannot tell an unknown id from a malformed one, nor from none.
func TestStrangersAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	everyVersion(t, func(t *testing.T, version int) {
		s := newSite(t, version, newTable(t, slot.Config{}), validator.HandlerConfig{}, visited)
		answer := func(authorization string) (int, http.Header, string) {
			r := s.request(t.Context(), "")
			r.Header.Set("Authorization", authorization)
			response := s.do(r)
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			response.Header.Del("Date")
			return response.StatusCode, response.Header, string(body)
		}
		status, header, body := answer("Bearer " + session.NewPlayerSessionID())
		require.Equal(t, http.StatusUnauthorized, status)
		require.Equal(t, `Bearer realm="player session"`, header.Get("WWW-Authenticate"))
		for _, authorization := range []string{
			"", "Bearer", "Bearer psess-", "Bearer guess", "Basic cHNlc3MtMTpwc2Vzcy0y", "Bearer psess-" + strings.Repeat("x", 200),
		} {
			gotStatus, gotHeader, gotBody := answer(authorization)
			require.Equal(t, status, gotStatus, authorization)
			require.Equal(t, header, gotHeader, authorization)
			require.Equal(t, body, gotBody, authorization)
		}
	})
}
