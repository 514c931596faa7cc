package validator_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// newMatch returns a table with one game session, match-1, and a reservation in it.
func newMatch(playerID string) (table *slot.Table, playerSessionID string) {
	table, err := slot.NewTable(slot.Config{})
	if err != nil {
		panic(err)
	}
	err = table.CreateGameSession(session.GameSession{GameSessionID: "match-1", MaximumPlayerSessionCount: 10})
	if err != nil {
		panic(err)
	}
	ps, err := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: playerID, PlayerData: `{"team":"red"}`})
	if err != nil {
		panic(err)
	}
	return table, ps.PlayerSessionID
}

// What a game server does with the id that a client sends.
func Example() {
	table, id := newMatch("alice")
	defer table.Close()
	v := validator.New(table, validator.Config{})

	connect := func(id string) {
		ps, err := v.AcceptPlayerSession(id)
		if err != nil {
			fmt.Println("refused:", session.Reason(err))
			return
		}
		fmt.Println("playing:", ps.PlayerID, "in seat", ps.Slot)
	}
	connect(id)
	connect(id)
	connect("psess-guessed")
	connect("hello")
	// Output:
	// playing: alice in seat 0
	// refused: already_active
	// refused: not_found
	// refused: invalid_id
}

func ExampleValidator_acceptPlayerSession() {
	table, id := newMatch("alice")
	defer table.Close()
	v := validator.New(table, validator.Config{})

	ps, err := v.AcceptPlayerSession(id)
	fmt.Println(ps.PlayerID, ps.Status, ps.PlayerData, err)

	_, err = v.AcceptPlayerSession(id)
	fmt.Println(errors.Is(err, session.ErrAlreadyActive))
	// Output:
	// alice ACTIVE {"team":"red"} <nil>
	// true
}

func ExampleValidator_RemovePlayerSession() {
	table, id := newMatch("alice")
	defer table.Close()
	v := validator.New(table, validator.Config{})
	_, _ = v.AcceptPlayerSession(id)

	fmt.Println(v.RemovePlayerSession(id))
	fmt.Println(v.RemovePlayerSession(id)) // safe to call twice
	_, err := v.AcceptPlayerSession(id)
	fmt.Println(err)
	// Output:
	// <nil>
	// <nil>
	// session: player session has a status of COMPLETED instead of RESERVED
}

func ExampleValidator_DescribePlayerSessions() {
	table, _ := newMatch("alice")
	defer table.Close()
	v := validator.New(table, validator.Config{})

	page, err := v.DescribePlayerSessions(slot.Query{GameSessionID: "match-1"})
	for _, ps := range page.PlayerSessions {
		fmt.Println(ps.PlayerID, ps.Status)
	}
	fmt.Println(page.NextToken == "", err)
	// Output:
	// alice RESERVED
	// true <nil>
}

// The match has begun: no newcomers, but whoever holds a reservation gets in.
func ExampleValidator_UpdatePlayerSessionCreationPolicy() {
	table, id := newMatch("alice")
	defer table.Close()
	v := validator.New(table, validator.Config{})

	fmt.Println(v.UpdatePlayerSessionCreationPolicy("match-1", session.DenyAll))
	_, err := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "bob"})
	fmt.Println("bob:", session.Reason(err))
	ps, err := v.AcceptPlayerSession(id)
	fmt.Println("alice:", ps.Status, err)
	// Output:
	// <nil>
	// bob: denied
	// alice: ACTIVE <nil>
}

// A game server in ten lines: whoever comes out of the listener is validated, and
// the seat is looked after when it goes.
func ExampleValidator_NewListener() {
	table, id := newMatch("alice")
	defer table.Close()
	v := validator.New(table, validator.Config{})
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	gate := v.NewListener(inner, validator.ListenerConfig{})
	defer gate.Close()
	go func() {
		for {
			conn, err := gate.AcceptPlayer()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				fmt.Fprintln(conn, "welcome,", conn.PlayerSession().PlayerID)
				_, _ = io.Copy(conn, conn) // here goes your game
			}()
		}
	}()

	connect := func(id string) (net.Conn, string) {
		conn, err := net.Dial("tcp", gate.Addr().String())
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(conn, id)
		line, _ := bufio.NewReader(conn).ReadString('\n')
		return conn, line
	}
	for _, id := range []string{id, id, "psess-guessed", "hello"} {
		conn, line := connect(id)
		defer conn.Close()
		fmt.Print(line)
	}
	// Output:
	// welcome, alice
	// refused already_active
	// refused not_found
	// refused not_found
}

// Who is banned is refused, and may come back with the same id when that is over:
// the reservation is not burnt.
func ExampleListenerConfig_admit() {
	table, id := newMatch("alice")
	defer table.Close()
	v := validator.New(table, validator.Config{})
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	var banned sync.Map
	banned.Store("alice", true)
	gate := v.NewListener(inner, validator.ListenerConfig{
		Admit: func(_ net.Conn, ps session.PlayerSession) error {
			if _, is := banned.Load(ps.PlayerID); is {
				return errors.New("you are banned")
			}
			return nil
		},
		Refuse: func(conn net.Conn, err error) { fmt.Fprintln(conn, "sorry:", err) },
	})
	defer gate.Close()

	connect := func() net.Conn {
		conn, err := net.Dial("tcp", gate.Addr().String())
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(conn, id)
		return conn
	}
	told, _ := io.ReadAll(connect())
	fmt.Print(string(told))
	banned.Clear()
	defer connect().Close()
	conn, err := gate.AcceptPlayer()
	fmt.Println(conn.PlayerSession().PlayerID, err)
	fmt.Println(conn.End()) // the seat is free
	// Output:
	// sorry: you are banned
	// alice <nil>
	// <nil>
}
