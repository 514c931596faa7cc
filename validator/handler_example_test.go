package validator_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/validator"
)

// A stream of server-sent events to a player. The seat is the player's as long as
// the stream goes on. For WebSockets see examples/websocket.
func ExampleValidator_Handler() {
	table, id := newMatch("alice")
	defer table.Close()
	v := validator.New(table, validator.Config{})

	stream := func(w http.ResponseWriter, r *http.Request) {
		ps, _ := validator.PlayerSessionFromContext(r.Context())
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: welcome %s, seat %d\n\n", ps.PlayerID, ps.Slot)
		_ = http.NewResponseController(w).Flush()

		<-r.Context().Done() // the player has gone, or the session has ended elsewhere
		var ended *validator.EndedError
		if errors.As(context.Cause(r.Context()), &ended) {
			fmt.Fprintf(w, "data: goodbye: %s\n\n", ended.Cause)
		}
	}
	server := httptest.NewServer(v.Handler(http.HandlerFunc(stream), validator.HandlerConfig{}))
	defer server.Close()

	request, _ := http.NewRequest(http.MethodGet, server.URL, nil)
	request.Header.Set("Authorization", "Bearer "+id)
	response, err := server.Client().Do(request)
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if lines.Text() != "" {
			fmt.Println(lines.Text())
		}
		if lines.Text() == "data: welcome alice, seat 0" {
			_ = v.RemovePlayerSession(id) // an operator's kick
		}
	}
	// Output:
	// data: welcome alice, seat 0
	// data: goodbye: released
}

// Who is banned, or has an old build, is refused, and its reservation stays good.
func ExampleHandlerConfig_admit() {
	table, id := newMatch("alice")
	defer table.Close()
	v := validator.New(table, validator.Config{})

	play := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "playing") })
	gate := v.Handler(play, validator.HandlerConfig{
		Admit: func(r *http.Request, _ session.PlayerSession) error {
			if r.Header.Get("X-Build") != "1.4" {
				return errors.New("wrong build")
			}
			return nil
		},
	})
	join := func(build string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "Bearer "+id)
		r.Header.Set("X-Build", build)
		w := httptest.NewRecorder()
		gate.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	join("1.3")
	join("1.4")
	// Output:
	// 403 {"type":"https://pkg.go.dev/github.com/usher-go/usher/session#Reason","title":"Player refused","status":403,"detail":"The server does not let this player in.","reason":"other"}
	//
	// 200 playing
}
