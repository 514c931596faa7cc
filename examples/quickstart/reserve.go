package main

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

const (
	gameSession = "quickstart" // the only one there is
	maxParty    = 64 << 10     // bytes: 25 players with 2 KB of data each
)

// backend answers the matchmaker, a process of its own in real life: POST /reserve.
func (s *server) backend() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /reserve", s.reserve)
	return mux
}

// reserve holds seats for a party, for all of it or for none. The request is an
// array of slot.Reservation, such as [{"PlayerID":"ann"}], the answer one of player
// sessions in GameLift's wire form. It is safe to send a request again when its
// answer was lost: the seats are the same.
func (s *server) reserve(w http.ResponseWriter, r *http.Request) {
	shown := []byte(r.Header.Get("Authorization"))
	if subtle.ConstantTimeCompare(shown, []byte("Bearer "+s.secret)) == 0 {
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "unauthorized", http.StatusUnauthorized)
		return
	}
	var party []slot.Reservation
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxParty)).Decode(&party); err != nil {
		refuse(w, errors.Join(session.ErrInvalidField, err))
		return
	}
	for i := range party {
		party[i].GameSessionID = gameSession
	}
	held, err := s.table.ReserveAll(party)
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(held)
}

// refuse answers with the reason's word, and with a status that says what helps:
// another request, another server, or another time.
func refuse(w http.ResponseWriter, err error) {
	word, status := session.Reason(err), http.StatusConflict
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		status = http.StatusRequestEntityTooLarge
	case word == "invalid_field" || word == "invalid_id":
		status = http.StatusBadRequest
	case word == "draining" || word == "overloaded" || word == "closed":
		status = http.StatusServiceUnavailable
	}
	http.Error(w, word, status)
}
