package slot_test

import (
	"context"
	"errors"
	"expvar"
	"fmt"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// newMatch returns a table with one game session, match-1, of so many seats.
func newMatch(seats int, c slot.Config) *slot.Table {
	table, err := slot.NewTable(c)
	if err != nil {
		panic(err)
	}
	err = table.CreateGameSession(session.GameSession{
		GameSessionID:             "match-1",
		IPAddress:                 "10.0.0.1",
		Port:                      7777,
		MaximumPlayerSessionCount: seats,
	})
	if err != nil {
		panic(err)
	}
	return table
}

// The life of a player session: a backend reserves, the player connects with the
// id it was given, and leaves.
func Example() {
	table, err := slot.NewTable(slot.Config{})
	if err != nil {
		panic(err)
	}
	defer table.Close()

	err = table.CreateGameSession(session.GameSession{GameSessionID: "match-1", MaximumPlayerSessionCount: 10})
	if err != nil {
		panic(err)
	}
	ps, err := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "alice", PlayerData: `{"team":"red"}`})
	if err != nil {
		panic(err)
	}
	fmt.Println(ps.PlayerID, ps.Status, "seat", ps.Slot)

	ps, err = table.Activate(ps.PlayerSessionID)
	if err != nil {
		panic(err)
	}
	fmt.Println(ps.PlayerID, ps.Status, ps.PlayerData)

	ps, err = table.Release(ps.PlayerSessionID)
	if err != nil {
		panic(err)
	}
	fmt.Println(ps.PlayerID, ps.Status)
	// Output:
	// alice RESERVED seat 0
	// alice ACTIVE {"team":"red"}
	// alice COMPLETED
}

func ExampleNewTable() {
	_, err := slot.NewTable(slot.Config{ReconnectWindow: -time.Second})
	fmt.Println(err)
	fmt.Println(errors.Is(err, session.ErrInvalidField))
	// Output:
	// session: ReconnectWindow must lie between 0 and 100 years
	// true
}

func ExampleTable_Reserve() {
	table := newMatch(1, slot.Config{})
	defer table.Close()

	ps, err := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "alice"})
	fmt.Println(ps.Status, ps.IPAddress, ps.Port, err) // what a client needs to connect, with ps.PlayerSessionID

	_, err = table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "bob"})
	fmt.Println(session.Reason(err))
	// Output:
	// RESERVED 10.0.0.1 7777 <nil>
	// full
}

// A party gets in whole or not at all.
func ExampleTable_ReserveAll() {
	table := newMatch(3, slot.Config{})
	defer table.Close()

	party := []slot.Reservation{
		{GameSessionID: "match-1", PlayerID: "alice"},
		{GameSessionID: "match-1", PlayerID: "bob"},
	}
	sessions, err := table.ReserveAll(party)
	for _, ps := range sessions {
		fmt.Println(ps.PlayerID, "seat", ps.Slot)
	}
	fmt.Println(err)

	party = []slot.Reservation{
		{GameSessionID: "match-1", PlayerID: "carol"},
		{GameSessionID: "match-1", PlayerID: "dave"},
	}
	_, err = table.ReserveAll(party)
	fmt.Println(session.Reason(err)) // one seat is free, and stays so

	party[1].PlayerID = "carol"
	_, err = table.ReserveAll(party)
	var member *slot.PartyError
	if errors.As(err, &member) {
		fmt.Println(member.Index, member.PlayerID, session.Reason(member.Err))
	}
	// Output:
	// alice seat 0
	// bob seat 1
	// <nil>
	// full
	// 1 carol duplicate
}

func ExampleTable_Activate() {
	table := newMatch(10, slot.Config{})
	defer table.Close()
	reserved, _ := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "alice"})

	ps, err := table.Activate(reserved.PlayerSessionID) // what the client sent
	fmt.Println(ps.PlayerID, ps.Status, err)

	_, err = table.Activate(reserved.PlayerSessionID)
	fmt.Println(err)
	fmt.Println(errors.Is(err, session.ErrAlreadyActive))
	// Output:
	// alice ACTIVE <nil>
	// session: player session has a status of ACTIVE instead of RESERVED
	// true
}

// A player whose old connection hangs connects again, and has the seat at once.
func ExampleTable_TakeOver() {
	table := newMatch(10, slot.Config{})
	defer table.Close()
	reserved, _ := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "alice"})
	first, _ := table.Activate(reserved.PlayerSessionID)

	second, err := table.TakeOver(reserved.PlayerSessionID)
	fmt.Println("connection", second.Generation, err)

	// The old connection's end comes late and ends nobody's session.
	err = table.Disconnect(first.PlayerSessionID, first.Generation)
	ps, _ := table.Lookup(reserved.PlayerSessionID)
	fmt.Println(ps.Status, err)
	// Output:
	// connection 2 <nil>
	// ACTIVE <nil>
}

// With a ReconnectWindow, the seat of a dropped player waits.
func ExampleTable_Disconnect() {
	table := newMatch(1, slot.Config{ReconnectWindow: 30 * time.Second})
	defer table.Close()
	reserved, _ := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "alice"})
	ps, _ := table.Activate(reserved.PlayerSessionID)

	if err := table.Disconnect(ps.PlayerSessionID, ps.Generation); err != nil {
		panic(err)
	}
	_, err := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "bob"})
	fmt.Println("bob:", session.Reason(err))

	ps, err = table.Activate(ps.PlayerSessionID) // the same id again
	fmt.Println("alice:", ps.Status, "connection", ps.Generation, err)
	// Output:
	// bob: full
	// alice: ACTIVE connection 2 <nil>
}

func ExampleTable_Release() {
	table := newMatch(10, slot.Config{})
	defer table.Close()
	alice, _ := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "alice"})
	bob, _ := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "bob"})
	_, _ = table.Activate(alice.PlayerSessionID)

	left, err := table.Release(alice.PlayerSessionID)
	fmt.Println(left.PlayerID, left.Status, err)
	gaveUp, err := table.Release(bob.PlayerSessionID)
	fmt.Println(gaveUp.PlayerID, gaveUp.Status, err)

	again, err := table.Release(alice.PlayerSessionID) // no harm
	fmt.Println(again == left, err)
	// Output:
	// alice COMPLETED <nil>
	// bob TIMEDOUT <nil>
	// true <nil>
}

// Players who load a large map are given the time.
func ExampleTable_Extend() {
	table := newMatch(10, slot.Config{MaxReservation: 5 * time.Minute})
	defer table.Close()
	ps, _ := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "alice"})

	deadline, _ := table.Deadline(ps.PlayerSessionID)
	fmt.Println(deadline.Sub(ps.CreationTime))
	deadline, err := table.Extend(ps.PlayerSessionID, 2*time.Minute)
	fmt.Println(deadline.Sub(ps.CreationTime).Round(time.Second), err)
	deadline, err = table.Extend(ps.PlayerSessionID, time.Hour)
	fmt.Println(deadline.Sub(ps.CreationTime), err) // no longer than MaxReservation
	// Output:
	// 1m0s
	// 2m0s <nil>
	// 5m0s <nil>
}

func ExampleTable_Lookup() {
	table := newMatch(10, slot.Config{})
	defer table.Close()
	ps, _ := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "alice"})
	_, _ = table.Release(ps.PlayerSessionID)

	ps, err := table.Lookup(ps.PlayerSessionID) // those that ended are retained
	fmt.Println(ps.PlayerID, ps.Status, err)
	_, err = table.Lookup("psess-unknown")
	fmt.Println(session.Reason(err))
	// Output:
	// alice TIMEDOUT <nil>
	// not_found
}

// The session that a player holds, found by the player.
func ExampleTable_Live() {
	table := newMatch(10, slot.Config{})
	defer table.Close()
	_, _ = table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "alice"})

	ps, err := table.Live("match-1", "alice")
	fmt.Println(ps.Status, err)
	_, err = table.Live("match-1", "bob")
	fmt.Println(session.Reason(err))
	// Output:
	// RESERVED <nil>
	// not_found
}

// All player sessions of a game session that are RESERVED, page by page.
func ExampleTable_Describe() {
	table := newMatch(10, slot.Config{})
	defer table.Close()
	for _, player := range []string{"alice", "bob", "carol", "dave"} {
		ps, _ := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: player})
		if player == "bob" {
			_, _ = table.Activate(ps.PlayerSessionID)
		}
	}

	q := slot.Query{GameSessionID: "match-1", Status: session.StatusReserved, Limit: 2}
	for {
		page, err := table.Describe(q)
		if err != nil {
			panic(err)
		}
		for _, ps := range page.PlayerSessions {
			fmt.Print(ps.PlayerID, " ")
		}
		fmt.Println("|")
		if page.NextToken == "" {
			break
		}
		q.NextToken = page.NextToken
	}
	// Output:
	// alice carol |
	// dave |
}

// Events tell a lobby, or a match's own bookkeeping, of every change.
func ExampleTable_Subscribe() {
	table := newMatch(10, slot.Config{})
	cancel := table.Subscribe(func(e session.Event) {
		fmt.Printf("%s: %s, %s\n", e.PlayerSession.PlayerID, e.Cause, e.To)
	})
	defer cancel()

	ps, _ := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "alice"})
	_, _ = table.Activate(ps.PlayerSessionID)
	_, _ = table.Release(ps.PlayerSessionID)
	_ = table.Close() // delivers what is queued
	// Output:
	// alice: reserved, RESERVED
	// alice: accepted, ACTIVE
	// alice: released, COMPLETED
}

// A process that is to end lets those who are in, or about to be, play on.
func ExampleTable_Drain() {
	table := newMatch(10, slot.Config{})
	defer table.Close()
	alice, _ := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "alice"})

	ctx, cancel := context.WithCancel(context.Background())
	cancel() // no time at all
	fmt.Println(table.Drain(ctx))

	_, err := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "bob"})
	fmt.Println("bob:", session.Reason(err)) // it goes on draining
	ps, err := table.Activate(alice.PlayerSessionID)
	fmt.Println("alice:", ps.Status, err)

	go func() { _, _ = table.Release(alice.PlayerSessionID) }()
	fmt.Println(table.Drain(context.Background()))
	// Output:
	// context canceled
	// bob: draining
	// alice: ACTIVE <nil>
	// <nil>
}

// A match is over when the last player has left.
func ExampleTable_DrainGameSession() {
	table := newMatch(10, slot.Config{})
	defer table.Close()
	alice, _ := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "alice"})
	go func() { _, _ = table.Release(alice.PlayerSessionID) }()

	err := table.DrainGameSession(context.Background(), "match-1")
	gs, _ := table.GameSession("match-1")
	fmt.Println(gs.Status, err)
	// Output: TERMINATED <nil>
}

func ExampleTable_TerminateGameSession() {
	table := newMatch(10, slot.Config{})
	defer table.Close()
	alice, _ := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "alice"})
	bob, _ := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "bob"})
	_, _ = table.Activate(alice.PlayerSessionID)

	fmt.Println(table.TerminateGameSession("match-1"))
	page, _ := table.Describe(slot.Query{GameSessionID: "match-1"})
	for _, ps := range page.PlayerSessions {
		fmt.Println(ps.PlayerID, ps.Status)
	}
	_, err := table.Activate(bob.PlayerSessionID)
	fmt.Println(session.Reason(err))
	// Output:
	// <nil>
	// alice COMPLETED
	// bob TIMEDOUT
	// timed_out
}

// A game session opens once its map is loaded.
func ExampleTable_ActivateGameSession() {
	table := newMatch(10, slot.Config{})
	defer table.Close()
	_ = table.CreateGameSession(session.GameSession{
		GameSessionID:             "match-2",
		MaximumPlayerSessionCount: 10,
		Status:                    session.GameSessionActivating,
	})
	_, err := table.Reserve(slot.Reservation{GameSessionID: "match-2", PlayerID: "alice"})
	fmt.Println(session.Reason(err))

	fmt.Println(table.ActivateGameSession("match-2"))
	ps, err := table.Reserve(slot.Reservation{GameSessionID: "match-2", PlayerID: "alice"})
	fmt.Println(ps.Status, err)
	// Output:
	// game_session_not_active
	// <nil>
	// RESERVED <nil>
}

// Nobody is put out by a smaller maximum, and nobody let in.
func ExampleTable_UpdateGameSession() {
	table := newMatch(10, slot.Config{})
	defer table.Close()
	for _, player := range []string{"alice", "bob", "carol"} {
		_, _ = table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: player})
	}

	maximum := 2
	err := table.UpdateGameSession("match-1", slot.GameSessionUpdate{MaximumPlayerSessionCount: &maximum})
	gs, _ := table.GameSession("match-1")
	fmt.Println(gs.CurrentPlayerSessionCount, "of", gs.MaximumPlayerSessionCount, err)

	_, err = table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "dave"})
	fmt.Println(session.Reason(err))
	// Output:
	// 3 of 2 <nil>
	// full
}

func ExampleTable_GameSessions() {
	table := newMatch(10, slot.Config{})
	defer table.Close()
	_ = table.CreateGameSession(session.GameSession{GameSessionID: "match-2", MaximumPlayerSessionCount: 4})
	_ = table.TerminateGameSession("match-1")

	for gs := range table.GameSessions() {
		fmt.Println(gs.GameSessionID, gs.Status, gs.MaximumPlayerSessionCount)
	}
	// Output:
	// match-1 TERMINATED 10
	// match-2 ACTIVE 4
}

// The figures for expvar, or for any other collector.
func ExampleTable_Stats() {
	table := newMatch(1, slot.Config{})
	defer table.Close()
	_, _ = table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "alice"})
	_, _ = table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "bob"})

	figures := expvar.Func(func() any { return table.Stats() })
	// expvar.Publish("usher", figures) serves them at /debug/vars.
	fmt.Println(figures)
	// Output: {"GameSessions":1,"Reserved":1,"Active":0,"Completed":0,"TimedOut":0,"ReservedTotal":1,"AcceptedTotal":0,"ReturnedTotal":0,"CompletedTotal":0,"TimedOutTotal":0,"Refused":{"full":1},"ExpiryLag":0,"EventBacklog":0}
}

// For a probe that is asked whether the process is well.
func ExampleTable_Health() {
	table := newMatch(10, slot.Config{})
	fmt.Println(table.Health())
	_ = table.Close()
	fmt.Println(table.Health())
	// Output:
	// <nil>
	// session: closed; nothing can be asked of it any more
}

// The reply to a reservation was lost, so the backend asks again: it gets the
// same session, not a second seat.
func Example_retry() {
	table := newMatch(10, slot.Config{DuplicatePlayers: slot.DuplicatesReturn}) // the default
	defer table.Close()
	request := slot.Reservation{GameSessionID: "match-1", PlayerID: "alice", PlayerData: `{"team":"red"}`}

	first, _ := table.Reserve(request)
	second, err := table.Reserve(request)
	fmt.Println(first == second, err)

	request.PlayerData = `{"team":"blue"}` // not the same request
	_, err = table.Reserve(request)
	fmt.Println(session.Reason(err))
	// Output:
	// true <nil>
	// duplicate
}

// The ids come from a matchmaker, or from GameLift itself: reserve under them.
func Example_issuedElsewhere() {
	table := newMatch(10, slot.Config{})
	defer table.Close()
	const issued = "psess-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1a2b"

	ps, err := table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "alice", PlayerSessionID: issued})
	fmt.Println(ps.PlayerSessionID == issued, err)
	_, err = table.Reserve(slot.Reservation{GameSessionID: "match-1", PlayerID: "bob", PlayerSessionID: issued})
	fmt.Println(session.Reason(err)) // nobody else gets it, as long as it is retained

	ps, err = table.Activate(issued)
	fmt.Println(ps.PlayerID, ps.Status, err)
	// Output:
	// true <nil>
	// exists
	// alice ACTIVE <nil>
}
