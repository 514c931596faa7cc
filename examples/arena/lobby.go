package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

const (
	maxRequest = 1 << 10 // bytes
	maxName    = 16      // characters
)

// lobby is the backend: it hands out seats. In real life it is a process of its
// own that knows who a player is; here everybody may have a seat, but not fast.
type lobby struct {
	table     *slot.Table
	o         options
	turnstile *turnstile
}

func newLobby(t *slot.Table, o options) *lobby {
	return &lobby{table: t, o: o, turnstile: newTurnstile()}
}

func (l *lobby) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /lobby", l.look)
	mux.HandleFunc("POST /reserve", l.reserve)
	mux.HandleFunc("GET /seat", l.seat)
	mux.HandleFunc("DELETE /seat", l.leave)
}

// ticket is what the owner of a player session is told of it.
type ticket struct {
	ID         string         `json:"id"` // whoever has it gets in
	Seat       int            `json:"seat"`
	Name       string         `json:"name"`
	Hue        float64        `json:"hue"`
	Status     session.Status `json:"status"`
	Generation uint32         `json:"generation"` // of its latest connection

	// If it is RESERVED, or dropped: how long it waits still, of how long in all. No
	// clock is asked but the server's.
	Left int64 `json:"left_ms,omitempty"`
	Of   int64 `json:"of_ms,omitempty"`
}

// look tells how full it is.
func (l *lobby) look(w http.ResponseWriter, _ *http.Request) {
	gs, err := l.table.GameSession(gameSession)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, map[string]int{"seats": l.o.seats, "held": gs.CurrentPlayerSessionCount})
}

// reserve takes {"name": "Ann"}, and answers with a ticket.
func (l *lobby) reserve(w http.ResponseWriter, r *http.Request) {
	if !l.turnstile.pass(r.RemoteAddr) {
		refuse(w, errTooFast)
		return
	}
	var request struct{ Name string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&request); err != nil {
		refuse(w, session.ErrInvalidField)
		return
	}
	name, err := checkName(request.Name)
	if err != nil {
		refuse(w, err)
		return
	}
	ps, err := l.table.Reserve(slot.Reservation{
		GameSessionID: gameSession,
		PlayerID:      "guest-" + rand.Text(),
		PlayerData:    name,
	})
	if err != nil {
		refuse(w, err)
		return
	}
	l.hand(w, ps)
}

// checkName takes what can be shown; an empty one is the page's to fill in.
func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	shown := func(r rune) bool { return r == ' ' || unicode.IsGraphic(r) && !unicode.IsSpace(r) }
	if utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, func(r rune) bool { return !shown(r) }) {
		return "", &session.FieldError{Field: "name", Reason: "is too long, or cannot be shown"}
	}
	return name, nil
}

// seat tells a tab that was reloaded what has become of its seat.
func (l *lobby) seat(w http.ResponseWriter, r *http.Request) {
	ps, err := l.table.Lookup(bearer(r))
	if err != nil {
		refuse(w, err)
		return
	}
	l.hand(w, ps)
}

// leave gives up a seat for good, taken or only reserved: it is free at once.
func (l *lobby) leave(w http.ResponseWriter, r *http.Request) {
	if _, err := l.table.Release(bearer(r)); err != nil {
		refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (l *lobby) hand(w http.ResponseWriter, ps session.PlayerSession) {
	t := ticket{
		ID: ps.PlayerSessionID, Seat: ps.Slot, Name: nameOf(ps), Hue: hueOf(ps.Slot),
		Status: ps.Status, Generation: ps.Generation,
	}
	// No deadline: it is connected, or has ended since.
	if deadline, err := l.table.Deadline(ps.PlayerSessionID); err == nil && !deadline.IsZero() {
		t.Left = max(time.Until(deadline).Milliseconds(), 0)
		t.Of = l.o.patience(ps.Status).Milliseconds()
	}
	answer(w, t)
}

// bearer is the id that a request shows: not in the URL, which ends up in logs.
func bearer(r *http.Request) string {
	id, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return id
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v)
}

// errTooFast is ours, not the table's.
var errTooFast = errors.New("arena: too many requests, try again in a second")

// refuse answers with the reason's word, and with a status that says what helps.
func refuse(w http.ResponseWriter, err error) {
	word, status := session.Reason(err), http.StatusConflict
	switch {
	case errors.Is(err, errTooFast):
		word, status = "too_fast", http.StatusTooManyRequests
		w.Header().Set("Retry-After", "1")
	case errors.Is(err, session.ErrInvalidField), errors.Is(err, session.ErrInvalidPlayerSessionID):
		status = http.StatusBadRequest
	case errors.Is(err, session.ErrPlayerSessionNotFound):
		status = http.StatusNotFound
	case errors.Is(err, session.ErrDraining), errors.Is(err, session.ErrGameSessionNotActive),
		errors.Is(err, session.ErrOverloaded), errors.Is(err, session.ErrClosed):
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"reason": word})
}
