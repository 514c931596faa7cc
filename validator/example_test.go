package validator_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"

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

func ExampleValidator_AcceptPlayerSession() {
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

// Who has another build of the game is refused, and may come back with the right
// one: the reservation is not burnt.
func ExampleListenerConfig_admit() {
	table, id := newMatch("alice")
	defer table.Close()
	v := validator.New(table, validator.Config{})
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	gate := v.NewListener(inner, validator.ListenerConfig{
		Admit: func(conn net.Conn, _ session.PlayerSession) error {
			var build [3]byte
			if _, err := io.ReadFull(conn, build[:]); err != nil {
				return err
			}
			if string(build[:]) != "1.2" {
				return errors.New("another build")
			}
			return nil
		},
		Handshake: func(conn net.Conn) (playerSessionID string, err error) {
			_, err = fmt.Fscanln(conn, &playerSessionID) // reads no further than the line's end
			return playerSessionID, err
		},
		Refuse: func(conn net.Conn, err error) { fmt.Fprintln(conn, "sorry:", err) },
	})
	defer gate.Close()

	connect := func(build string) net.Conn {
		conn, err := net.Dial("tcp", gate.Addr().String())
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(conn, "%s\n%s", id, build)
		return conn
	}
	told, _ := io.ReadAll(connect("1.1"))
	fmt.Print(string(told))
	defer connect("1.2").Close()
	conn, err := gate.AcceptPlayer()
	fmt.Println(conn.PlayerSession().PlayerID, err)
	fmt.Println(conn.End()) // the seat is free
	// Output:
	// sorry: another build
	// alice <nil>
	// <nil>
}
