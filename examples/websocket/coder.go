package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/coder/websocket"

	"github.com/usher-go/usher/validator"
)

// sessionEnded is how a player is told that the player session ended elsewhere:
// somebody was kicked, or plays in another tab now.
const sessionEnded = 4410

// withCoder plays a visit with github.com/coder/websocket. The handler stays until
// the player leaves.
func (r *room) withCoder(w http.ResponseWriter, request *http.Request) {
	ws, err := websocket.Accept(w, request, &websocket.AcceptOptions{Subprotocols: []string{"usher"}})
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = ws.CloseNow() }()
	ctx := request.Context()
	defer context.AfterFunc(ctx, func() { _ = ws.Close(sessionEnded, why(ctx)) })()

	lines, leave := r.join()
	defer leave()
	go func() {
		for line := range lines {
			_ = ws.Write(context.WithoutCancel(ctx), websocket.MessageText, []byte(line))
		}
	}()
	ps, _ := validator.PlayerSessionFromContext(ctx)
	for {
		// Not ctx: coder/websocket hangs up, without a goodbye, once that is done.
		_, text, err := ws.Read(context.WithoutCancel(ctx))
		if err != nil {
			return // the gate sees the connection close, and drops the player
		}
		r.say(ps.PlayerID, string(text))
	}
}

// why is the word for what ended the player session.
func why(ctx context.Context) string {
	var ended *validator.EndedError
	if errors.As(context.Cause(ctx), &ended) {
		return ended.Cause.String()
	}
	return ""
}
