package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// watches reads an operator's stream until a snapshot is as wanted.
func (s *server) watches(t *testing.T) func(is func(boardView) bool) (boardView, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.opsURL()+"/events", nil)
	require.NoError(t, err)
	response, err := reaching(t, s.operator).Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { response.Body.Close() })
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	return func(is func(boardView) bool) (v boardView, text string) {
		t.Helper()
		for lines.Scan() {
			text, found := strings.CutPrefix(lines.Text(), "data: ")
			if !found {
				continue
			}
			v = boardView{}
			require.NoError(t, json.Unmarshal([]byte(text), &v))
			if is(v) {
				return v, text
			}
		}
		require.Fail(t, "the stream ends", "%v", lines.Err())
		return boardView{}, ""
	}
}

func TestBoard(t *testing.T) {
	t.Parallel()
	s := running(t, patient(4))
	next := s.watches(t)
	v, _ := next(func(boardView) bool { return true })
	require.Equal(t, counts{Free: 4}, v.Held)
	require.Len(t, v.Seats, 4)
	require.Empty(t, v.Events)
	require.Empty(t, v.Health)

	ann, bob := s.reserves(t, "Ann"), s.reserves(t, "")
	conn := s.connects(t, ann.ID)
	v, text := next(func(v boardView) bool { return v.Held == counts{Free: 2, Reserved: 1, Active: 1} && len(v.Events) == 3 })
	require.NotContains(t, text, ann.ID)
	require.NotContains(t, text, bob.ID)
	require.Equal(t, session.Redact(ann.ID), v.Seats[0].ID)
	require.Equal(t, "Ann", v.Seats[0].Name)
	require.Zero(t, v.Seats[0].Of)
	require.Equal(t, session.StatusReserved, v.Seats[1].Status)
	require.Positive(t, v.Seats[1].Left)
	require.Equal(t, uint64(1), v.Joins.Count)
	require.Equal(t, "accepted", v.Events[0].Cause, "the latest first")

	conn.CloseNow()
	v, _ = next(func(v boardView) bool { return v.Held == counts{Free: 2, Reserved: 1, Waiting: 1} })
	require.Positive(t, v.Seats[0].Left)
	conn = s.connects(t, ann.ID)
	v, _ = next(func(v boardView) bool { return v.Held.Active == 1 })
	require.Equal(t, uint32(2), v.Seats[0].Generation)
	require.Equal(t, uint64(1), v.Totals.Returned)
	conn.CloseNow()

	closed(t, s.connects(t, "psess-invented"))
	v, _ = next(func(v boardView) bool { return v.Refused["not_found"] == 1 }) // no event: it is looked for
	require.Equal(t, uint64(2), v.Totals.Reserved)
}

func TestBoardRemembersTheLatest(t *testing.T) {
	t.Parallel()
	b := newBoard(nil, nil, options{})
	for range 10 * remembered {
		next := b.happens()
		b.follow(session.Event{})
		<-next
	}
	latest := b.latest()
	require.Len(t, latest, remembered)
	require.Equal(t, uint64(10*remembered), latest[0].Number)
	require.LessOrEqual(t, cap(b.events), 4*remembered)
}

func (s *server) kicks(t *testing.T, seat, id string, headers ...string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.opsURL()+"/kick", strings.NewReader(`{"seat":`+seat+`,"id":"`+id+`"}`))
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return do(t, r, nil).StatusCode
}

func TestKick(t *testing.T) {
	t.Parallel()
	s := running(t, patient(2))
	ann, bob := s.reserves(t, "Ann"), s.reserves(t, "Bob")
	conn := s.connects(t, ann.ID)
	hears[greeting](t, conn)

	// Not by another site's page, not by seat alone, and not whoever sits there by now.
	require.Equal(t, http.StatusForbidden, s.kicks(t, "0", session.Redact(ann.ID), "Origin", "https://elsewhere.example"))
	require.Equal(t, http.StatusForbidden, s.kicks(t, "0", session.Redact(ann.ID), "Sec-Fetch-Site", "cross-site"))
	require.Equal(t, http.StatusNotFound, s.kicks(t, "0", ""))
	require.Equal(t, http.StatusNotFound, s.kicks(t, "0", session.Redact(bob.ID)))
	require.Equal(t, http.StatusNotFound, s.kicks(t, "7", session.Redact(ann.ID)))
	require.Equal(t, http.StatusBadRequest, s.kicks(t, `"`, ""))
	hears[frame](t, conn)

	told := make(chan error)
	go func() {
		for {
			if _, _, err := conn.Read(t.Context()); err != nil {
				told <- err
				return
			}
		}
	}()
	require.Equal(t, http.StatusNoContent, s.kicks(t, "0", session.Redact(ann.ID)))
	var why websocket.CloseError
	require.ErrorAs(t, <-told, &why)
	require.Equal(t, websocket.CloseError{Code: codeEnded, Reason: "kicked"}, why)
	ps, err := s.table.Lookup(ann.ID)
	require.NoError(t, err)
	require.Equal(t, session.StatusCompleted, ps.Status)
	require.Equal(t, 4410, int(closed(t, s.connects(t, ann.ID)).Code), "and stays out")

	require.Equal(t, http.StatusNoContent, s.kicks(t, "1", session.Redact(bob.ID)), "who has not come yet, too")
	ps, err = s.table.Lookup(bob.ID)
	require.NoError(t, err)
	require.Equal(t, session.StatusTimedOut, ps.Status)
	require.Equal(t, http.StatusNotFound, s.kicks(t, "1", session.Redact(bob.ID)))
}

// The page of another site, whose name is made to point here, is told nothing.
func TestOpsIsForThisMachine(t *testing.T) {
	t.Parallel()
	s := running(t, patient(2))
	for host, status := range map[string]int{
		"elsewhere.example":      http.StatusForbidden,
		"elsewhere.example:80":   http.StatusForbidden,
		"127.0.0.1.evil.example": http.StatusForbidden,
		"192.0.2.1":              http.StatusForbidden,
		"localhost":              http.StatusOK,
		"localhost:1234":         http.StatusOK,
		"127.0.0.1:1234":         http.StatusOK,
		"[::1]:1234":             http.StatusOK,
		"[::1]":                  http.StatusOK,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.opsURL(), nil)
		require.NoError(t, err)
		r.Host = host
		require.Equal(t, status, do(t, r, nil).StatusCode, host)
	}
}

// A stream goes on when nothing happens, and for longer than a request may take.
func TestStreamGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := inBubble(t, patient(2))
		next, began, n := s.watches(t), time.Now(), 0
		next(func(boardView) bool {
			n++
			return time.Since(began) > time.Minute
		})
		require.InDelta(t, time.Minute/(pace+refresh), n, 2, "once a second or so")
	})
}

func TestWatchersAreBounded(t *testing.T) {
	t.Parallel()
	s := running(t, patient(2))
	for range watchers {
		s.watches(t)
	}
	require.Equal(t, http.StatusServiceUnavailable, call(t, http.MethodGet, s.opsURL()+"/events", "", "", nil).StatusCode)
}
