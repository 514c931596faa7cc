package slot

import (
	"math"
	"time"

	"github.com/usher-go/usher/session"
)

// record is a player session as the table holds it: one cache line on 64-bit
// platforms, so that an accept touches little other memory of the player's.
type record struct {
	key  key
	text text // player id, player data and, for an alias, the id and its length

	// made is the creation time in Unix milliseconds, shifted left by 16, and
	// the length of the player id in bytes (at most 4 × 1,024).
	made uint64

	seq uint64 // order of reservation, never given twice

	// until is, in nanoseconds on the table's clock, the deadline of a session
	// that is RESERVED or dropped, and the end of one that is terminal. While a
	// player is connected it is when the wheel looks next; 0: it does not.
	until int64

	game       uint32 // number of the game session
	place      uint32 // in the roster; 0 marks an empty slot
	generation uint32
	packed     uint32 // seat<<8 | cause<<3 | alias<<2 | status-1
}

const (
	aliasBit  = 1 << 2
	causeBits = 3 // where the cause begins
	seatBits  = 8 // where the seat begins
)

// maxSeats is what fits beside the state: the bound on MaximumPlayerSessionCount.
const maxSeats = 1<<24 - 1

func (r *record) status() session.Status { return session.Status(r.packed&3 + 1) }
func (r *record) cause() session.Cause   { return session.Cause(r.packed >> causeBits & 15) }
func (r *record) alias() bool            { return r.packed&aliasBit != 0 }
func (r *record) seat() uint32           { return r.packed >> seatBits }

// become sets the status and the cause, the last event's.
func (r *record) become(status session.Status, cause session.Cause) {
	r.packed = r.packed&^(15<<causeBits|3) | uint32(cause)<<causeBits | uint32(status-1)
}

// waiting tells whether the session has a deadline: it is RESERVED, or ACTIVE
// and dropped.
func (r *record) waiting() bool {
	return r.cause() == session.CauseReserved || r.cause() == session.CauseDropped
}

// returns tells whether a player who has been accepted may be so again.
func (r *record) returns(takeOver bool) bool {
	return r.status() == session.StatusActive && (takeOver || r.waiting())
}

// due tells whether the session has a deadline and it has passed by now.
func (r *record) due(now int64) bool { return r.waiting() && r.until <= now }

func (r *record) created() time.Time { return time.UnixMilli(r.milli()).UTC() }
func (r *record) milli() int64       { return int64(r.made >> 16) }

// playerID is a part of r's text, which the caller has from the stripe.
func (r *record) playerID(text string) string { return text[:r.made&0xffff] }

func (r *record) playerData(text string) string {
	return text[r.made&0xffff : len(text)-r.suffix(text)]
}

// suffixOf is what follows the player data if the session has an alias for its id.
func suffixOf(alias string) string { return alias + string([]byte{byte(len(alias))}) }

// suffix is its length.
func (r *record) suffix(text string) int {
	if !r.alias() {
		return 0
	}
	return int(text[len(text)-1]) + 1
}

// view is a player session as it read under its stripe's lock, to be looked at
// without.
type view struct {
	record
	text string
}

func (v *view) playerID() string   { return v.record.playerID(v.text) }
func (v *view) playerData() string { return v.record.playerData(v.text) }
func (v *view) aliasText() string  { return v.text[len(v.text)-v.suffix(v.text) : len(v.text)-1] }

// settled returns r as it reads when deadlines up to the horizon have passed
// and its game session ended at ended (or never): what is still to be reclaimed
// reads like what has been.
func (r record) settled(horizon, ended int64) record {
	switch {
	case r.status().Terminal():
	case r.waiting() && r.until <= min(horizon, ended):
		r.endByDeadline()
	case ended != never:
		r.end(session.CauseTerminated, ended)
	}
	return r
}

func (r *record) endByDeadline() {
	if r.status() == session.StatusReserved {
		r.end(session.CauseDeadline, r.until)
		return
	}
	r.end(session.CauseWindowOver, r.until)
}

// end makes r terminal: RESERVED → TIMEDOUT, ACTIVE → COMPLETED.
func (r *record) end(cause session.Cause, at int64) {
	status := session.StatusCompleted
	if r.status() == session.StatusReserved {
		status = session.StatusTimedOut
	}
	r.become(status, cause)
	r.until = at
}

// clock is the table's time: nanoseconds since the millisecond in which it was
// made, on the monotonic clock. Wall times are derived from it, so they never
// contradict each other, whatever is done to the system's clock.
type clock struct {
	start time.Time
	unix  int64 // nanoseconds
}

const (
	never = int64(math.MaxInt64)

	// farthest is the latest deadline, some 146 years ahead: it leaves room to
	// add it to a wall time.
	farthest = int64(1) << 62
)

func newClock() clock {
	now := time.Now()
	begun := now.UnixNano() % int64(time.Millisecond) // so that its milliseconds are the wall's
	return clock{start: now.Add(-time.Duration(begun)), unix: now.UnixNano() - begun}
}

func (c *clock) now() int64 { return int64(time.Since(c.start)) }

// wall returns what the caller is given: UTC, whole milliseconds.
func (c *clock) wall(at int64) time.Time {
	return time.UnixMilli(c.milli(at)).UTC()
}

// milli is wall in Unix milliseconds.
func (c *clock) milli(at int64) int64 { return (c.unix + at) / int64(time.Millisecond) }

// since is wall backwards.
func (c *clock) since(wall time.Time) int64 { return wall.UnixNano() - c.unix }

// after returns the instant d after at, or farthest where that is nearer.
func after(at int64, d time.Duration) int64 {
	if int64(d) > farthest-at {
		return farthest
	}
	return at + int64(d)
}
