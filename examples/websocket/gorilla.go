package main

import (
	"net/http"

	"github.com/gorilla/websocket"

	"github.com/usher-go/usher/validator"
)

var upgrader = websocket.Upgrader{Subprotocols: []string{"usher"}}

// withGorilla plays a visit with github.com/gorilla/websocket, as its own examples
// do: a goroutine reads, another one writes, and the handler returns. The player
// stays until the connection is closed.
func (r *room) withGorilla(w http.ResponseWriter, request *http.Request) {
	ws, err := upgrader.Upgrade(w, request, nil)
	if err != nil {
		return // Upgrade has answered
	}
	ps, _ := validator.PlayerSessionFromContext(request.Context())
	lines, leave := r.join()
	go r.readPump(ws, ps.PlayerID, leave)
	go writePump(ws, lines)
}

func (r *room) readPump(ws *websocket.Conn, player string, leave func()) {
	defer leave()
	for {
		_, text, err := ws.ReadMessage()
		if err != nil {
			return // the peer has gone, or the gate has closed the connection
		}
		r.say(player, string(text))
	}
}

func writePump(ws *websocket.Conn, lines <-chan string) {
	defer ws.Close()
	for line := range lines {
		_ = ws.WriteMessage(websocket.TextMessage, []byte(line))
	}
}
