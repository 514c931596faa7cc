package main

import (
	"sync"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

const remembered = 40 // events

// board is what the operator sees. The seats are asked of the table when somebody
// looks; what the board keeps is the latest events, and who waits for the next.
type board struct {
	table *slot.Table
	joins *latency
	o     options

	mu     sync.Mutex // protects all below
	events []eventView
	count  uint64        // of events, ever
	next   chan struct{} // closed at the next event
}

func newBoard(t *slot.Table, joins *latency, o options) *board {
	return &board{table: t, joins: joins, o: o, next: make(chan struct{})}
}

// boardView is the board in JSON. Player session ids are redacted.
type boardView struct {
	Seats     []seatView        `json:"seats"`
	Held      counts            `json:"held"`
	Totals    totals            `json:"totals"`
	Refused   map[string]uint64 `json:"refused"`
	Joins     joinsView         `json:"joins"`
	ExpiryLag int64             `json:"expiry_lag_us"`
	Health    string            `json:"health"` // empty if all is well
	Events    []eventView       `json:"events"` // the latest first
}

// seatView is a seat; a free one has no id.
type seatView struct {
	Seat       int            `json:"seat"`
	ID         string         `json:"id,omitempty"`
	Name       string         `json:"name,omitempty"`
	Hue        float64        `json:"hue"`
	Status     session.Status `json:"status,omitempty"`
	Generation uint32         `json:"generation,omitempty"`
	Left       int64          `json:"left_ms,omitempty"` // of the reservation, or of the reconnect window
	Of         int64          `json:"of_ms,omitempty"`
}

type counts struct {
	Free     int `json:"free"`
	Reserved int `json:"reserved"`
	Active   int `json:"active"`
	Waiting  int `json:"waiting"` // ACTIVE, but dropped
}

type totals struct {
	Reserved  uint64 `json:"reserved"`
	Accepted  uint64 `json:"accepted"`
	Returned  uint64 `json:"returned"`
	Completed uint64 `json:"completed"`
	TimedOut  uint64 `json:"timed_out"`
}

type joinsView struct {
	Count uint64 `json:"count"`
	P50   int64  `json:"p50_us"`
	P99   int64  `json:"p99_us"`
}

type eventView struct {
	Number uint64         `json:"n"`
	At     time.Time      `json:"at"`
	Cause  string         `json:"cause"`
	Status session.Status `json:"status"`
	Seat   int            `json:"seat"`
	ID     string         `json:"id"`
	Name   string         `json:"name"`
}

// follow is the table's subscriber.
func (b *board) follow(e session.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count++
	b.events = append(b.events, eventView{
		Number: b.count, At: e.At, Cause: e.Cause.String(), Status: e.To,
		Seat: e.PlayerSession.Slot, ID: session.Redact(e.PlayerSession.PlayerSessionID), Name: nameOf(e.PlayerSession),
	})
	if len(b.events) > remembered {
		b.events = b.events[1:]
	}
	close(b.next)
	b.next = make(chan struct{})
}

// happens is closed at the next event.
func (b *board) happens() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.next
}

func (b *board) view() (boardView, error) {
	held, err := b.held()
	if err != nil {
		return boardView{}, err
	}
	v := boardView{Seats: make([]seatView, b.o.seats), Events: b.latest()}
	for i := range v.Seats {
		v.Seats[i].Seat = i
	}
	for _, ps := range held {
		if s, ok := b.seat(ps); ok {
			v.Seats[ps.Slot] = s
		}
	}
	for _, s := range v.Seats {
		v.Held.add(s)
	}
	b.figures(&v)
	return v, nil
}

// held are the player sessions that hold a seat. One that is accepted between the
// two questions is in both answers, the ACTIVE one last.
func (b *board) held() ([]session.PlayerSession, error) {
	var held []session.PlayerSession
	for _, status := range []session.Status{session.StatusReserved, session.StatusActive} {
		page, err := b.table.Describe(slot.Query{GameSessionID: gameSession, Status: status, Limit: maxSeats})
		if err != nil {
			return nil, err
		}
		held = append(held, page.PlayerSessions...)
	}
	return held, nil
}

// seat is false for a player session that has ended since.
func (b *board) seat(ps session.PlayerSession) (s seatView, ok bool) {
	deadline, err := b.table.Deadline(ps.PlayerSessionID)
	if err != nil {
		return seatView{}, false
	}
	s = seatView{
		Seat: ps.Slot, ID: session.Redact(ps.PlayerSessionID), Name: nameOf(ps), Hue: hueOf(ps.Slot),
		Status: ps.Status, Generation: ps.Generation,
	}
	if !deadline.IsZero() {
		s.Left = max(time.Until(deadline).Milliseconds(), 0)
		s.Of = b.o.patience(ps.Status).Milliseconds()
	}
	return s, true
}

func (c *counts) add(s seatView) {
	switch {
	case s.ID == "":
		c.Free++
	case s.Status == session.StatusReserved:
		c.Reserved++
	case s.Of > 0:
		c.Waiting++
	default:
		c.Active++
	}
}

func (b *board) figures(v *boardView) {
	stats := b.table.Stats()
	v.Totals = totals{
		Reserved: stats.ReservedTotal, Accepted: stats.AcceptedTotal, Returned: stats.ReturnedTotal,
		Completed: stats.CompletedTotal, TimedOut: stats.TimedOutTotal,
	}
	v.Refused = stats.Refused
	v.ExpiryLag = stats.ExpiryLag.Microseconds()
	p50, p99, count := b.joins.quantiles()
	v.Joins = joinsView{Count: count, P50: p50.Microseconds(), P99: p99.Microseconds()}
	if err := b.table.Health(); err != nil {
		v.Health = err.Error()
	}
}

func (b *board) latest() []eventView {
	b.mu.Lock()
	defer b.mu.Unlock()
	latest := make([]eventView, 0, len(b.events))
	for i := range b.events {
		latest = append(latest, b.events[len(b.events)-1-i])
	}
	return latest
}

// find returns the player session in a seat, if it is the one that is meant.
func (b *board) find(seat int, redacted string) (playerSessionID string, err error) {
	held, err := b.held()
	if err != nil {
		return "", err
	}
	for _, ps := range held {
		if ps.Slot == seat && session.Redact(ps.PlayerSessionID) == redacted {
			return ps.PlayerSessionID, nil
		}
	}
	return "", session.ErrPlayerSessionNotFound
}
