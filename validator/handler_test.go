package validator_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

func TestHandlerBearer(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	v := validator.New(table, validator.Config{})
	id := reserve(t, table, "alice").PlayerSessionID
	server := httptest.NewServer(v.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ps, ok := validator.PlayerSessionFromContext(r.Context())
		require.True(t, ok)
		require.Equal(t, session.StatusActive, ps.Status)
		require.Empty(t, r.Header.Get("Authorization"))
		io.WriteString(w, ps.PlayerID)
	}), validator.HandlerConfig{}))
	defer server.Close()

	get := func() (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "bearer "+id)
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(body)
	}
	status, body := get()
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "alice", body)
	status, body = get()
	require.Equal(t, http.StatusGone, status)
	require.Contains(t, body, `"reason":"completed"`)
	ps, err := table.Lookup(id)
	require.NoError(t, err)
	require.Equal(t, session.StatusCompleted, ps.Status)
}
