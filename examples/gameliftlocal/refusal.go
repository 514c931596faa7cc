package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/usher-go/usher/session"
)

// refusal is an error that a server process is told: the SDKs make their own
// exception types of the status.
type refusal struct {
	status  int
	message string
	logged  bool // the table has said it in the log
}

func (r *refusal) Error() string { return r.message }

var errLeaving = &refusal{status: http.StatusServiceUnavailable, message: "gameliftlocal is shutting down"}

func badRequest(message string) error {
	return &refusal{status: http.StatusBadRequest, message: message}
}

func notFound(message string) error { return &refusal{status: http.StatusNotFound, message: message} }

func conflict(message string) error { return &refusal{status: http.StatusConflict, message: message} }

func logged(err error) bool {
	r := (*refusal)(nil)
	return errors.As(err, &r) && r.logged
}

// refusePlayer says why a player session cannot be accepted or removed, as
// GameLift words it. The whole id stands in it: whoever gets it has sent it.
func refusePlayer(id string, err error) error {
	status := (*session.StatusError)(nil)
	switch {
	case errors.As(err, &status):
		message := fmt.Sprintf("PlayerSession (%s) has a status of %s instead of %s", id, status.Have, status.Want)
		return &refusal{status: http.StatusBadRequest, message: message, logged: true}
	case errors.Is(err, session.ErrInvalidPlayerSessionID):
		return badRequest("PlayerSessionId is not psess- and what follows it")
	case errors.Is(err, session.ErrPlayerSessionNotFound):
		return notFound(fmt.Sprintf("PlayerSession (%s) was not found in this game session", id))
	}
	return refuseAny(err)
}

// refuseAny says why the table refused anything else.
func refuseAny(err error) error {
	switch session.Reason(err) {
	case "":
		return nil
	case "invalid_field":
		return badRequest(err.Error())
	case "game_session_not_found", "not_found":
		return notFound(err.Error())
	case "game_session_not_active":
		return conflict(err.Error())
	case "closed":
		return errLeaving
	}
	return &refusal{status: http.StatusInternalServerError, message: err.Error()}
}
