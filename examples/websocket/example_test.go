package main

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/coder/websocket"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// What a browser's new WebSocket(url, ["usher", id]) gets.
func Example() {
	table, err := slot.NewTable(slot.Config{})
	if err != nil {
		panic(err)
	}
	defer table.Close()
	_ = table.CreateGameSession(session.GameSession{GameSessionID: gameSession, MaximumPlayerSessionCount: seats})
	ps, err := table.Reserve(slot.Reservation{GameSessionID: gameSession, PlayerID: "alice"})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(routes(table))
	defer server.Close()

	join := func() *websocket.Conn {
		ws, _, err := websocket.Dial(context.Background(), server.URL+"/coder",
			&websocket.DialOptions{Subprotocols: []string{"usher", ps.PlayerSessionID}})
		if err != nil {
			panic(err)
		}
		return ws
	}
	tab := join()
	defer tab.CloseNow()
	_ = tab.Write(context.Background(), websocket.MessageText, []byte("hello"))
	_, line, _ := tab.Read(context.Background())
	fmt.Println(string(line))

	_, _, err = join().Read(context.Background()) // another tab
	fmt.Println(err)
	// Output:
	// alice: hello
	// failed to get reader: received close frame: status = StatusCode(4409) and reason = "already_active"
}
