package validator

import (
	"encoding/json"
	"errors"
	"net/http"
)

// problemType says where the member "reason" of a problem document is explained.
const problemType = "https://pkg.go.dev/github.com/usher-go/usher/session#Reason"

// retryAfter is, in seconds, when a client may ask again for what is not possible
// just now. Chosen here.
const retryAfter = "5"

// problem is the body of a refusal, by RFC 9457. It holds no id.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Reason string `json:"reason"`
}

// refuseHTTP answers a request that is refused with a problem document.
func refuseHTTP(w http.ResponseWriter, _ *http.Request, err error) {
	status := statusOf(err)
	switch status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="player session"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(problem{ // a client that has gone needs no answer
		Type:   problemType,
		Title:  "Player refused",
		Status: status,
		Detail: details[status],
		Reason: publicReason(err),
	})
}

// statusOf is the HTTP status that a refusal answers with. What is not known
// here is an error of Admit's.
func statusOf(err error) int {
	if errors.Is(err, errPanicked) {
		return http.StatusInternalServerError
	}
	switch publicReason(err) {
	case "not_found":
		return http.StatusUnauthorized
	case "already_active", "duplicate", "exists", "full":
		return http.StatusConflict
	case "completed", "timed_out":
		return http.StatusGone
	case "overloaded":
		return http.StatusTooManyRequests
	case "draining", "closed":
		return http.StatusServiceUnavailable
	default:
		return http.StatusForbidden
	}
}

var details = map[int]string{
	http.StatusUnauthorized:        "Show the player session id of a reservation on this server, unchanged.",
	http.StatusForbidden:           "The server does not let this player in.",
	http.StatusConflict:            "The player session is connected already, or its place is taken.",
	http.StatusGone:                "The player session has ended; reserve a new one.",
	http.StatusTooManyRequests:     "The server is overloaded; try again later.",
	http.StatusInternalServerError: "The server could not judge the player.",
	http.StatusServiceUnavailable:  "The server is shutting down; reserve on another one.",
}
