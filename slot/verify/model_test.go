package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// The model is what one game session may do, one call at a time. Only time makes
// it more than a list of rules, since nobody outside sees the instant at which a
// call has judged a deadline, or the very deadline:
//
//   - A deadline lies in an interval. That of a reservation is known to the
//     millisecond, since CreationTime is told; that of a dropped player lies a
//     window after its Disconnect began, and before a window after it returned.
//   - Time-out is no call of its own. Before each call the model lets any of the
//     deadlines pass that may have passed when the call returned, in their order:
//     never one that lay behind its return (never early), and always those that
//     must have passed. If the call has read the clock these are all that lay
//     before it began; if it has not, those that lay 20 ms before it began, and as
//     much more as the machine is known to have stalled in the history, since the
//     promise is for a timer that gets CPU.
//   - What has passed for one call has passed for all that follow it: so no call
//     that returned before that deadline may follow.
//   - A seat whose player's time is over may be held for 100 ms more, unless
//     somebody needs it: a reservation is full, and a count counts, only without
//     the seats of those whose deadline lay before it began. The wheel has to know
//     that deadline: a reservation is entered in it last, and if the machine stalls
//     just before that, its time may be over meanwhile.
//   - A drain sets a mark and then waits. It is two calls: the mark, and that
//     somebody is, or nobody is there, at one instant until it returned.

// kind is what is called.
type kind string

const (
	reserve   kind = "reserve"
	accept    kind = "accept"
	takeOver  kind = "take over"
	drop      kind = "disconnect"
	release   kind = "release"
	extend    kind = "extend"
	lookup    kind = "lookup"
	count     kind = "count"
	update    kind = "update"
	terminate kind = "terminate"
	drainGame kind = "drain game session"
	drainAll  kind = "drain"
	emptied   kind = "(drain: nobody is there)"
	inhabited kind = "(drain: somebody is there)"
	shut      kind = "close"
)

// call is what was asked, and when: nanoseconds since the history began.
type call struct {
	Kind         kind
	Session      int   // by number, in the order in which they became known; -1: an unknown id
	Players      []int // who reserves
	Timeout      time.Duration
	Generation   uint32
	Maximum      int // -1: unchanged
	Policy       session.CreationPolicy
	Began, Ended int64
}

// result is what was answered. Reason is the error's word.
type result struct {
	Reason   string
	Sessions []seen
	Deadline int64
	Count    int
}

// seen is a player session as it was handed out. Times are nanoseconds since the
// history began, rounded down as the table does.
type seen struct {
	Session    int
	Status     session.Status
	Seat       int
	Generation uint32
	Made, Over int64
}

const (
	mostSessions = 64
	milli        = int64(time.Millisecond)
)

// gameModel is the state. It is compared with ==.
type gameModel struct {
	closed, draining bool
	status           session.GameSessionStatus
	policy           session.CreationPolicy
	maximum          int
	horizon          int64 // up to here deadlines have passed, at least
	players          [mostSessions]playerModel
}

type playerModel struct {
	status     session.Status // 0: not yet reserved
	player     int
	seat       int
	generation uint32
	dropped    bool
	lingers    bool  // time is over, but the seat may be held still
	entered    int64 // when the call returned that gave it a deadline
	from, to   int64 // the deadline or, in the end, the end lies between
	over       int64 // the end as it was told
	told       bool
}

func (p *playerModel) live() bool { return p.status != 0 && !p.status.Terminal() }

func (p *playerModel) waits() bool {
	return p.status == session.StatusReserved || p.status == session.StatusActive && p.dropped
}

// end ends p between two instants.
func (p *playerModel) end(from, to int64) {
	p.status, p.dropped, p.from, p.to = ended(p.status), false, from, to
}

// rules are what is the same throughout a history.
type rules struct {
	duplicates slot.DuplicatePolicy
	maximum    int
	window     time.Duration
	stall      time.Duration // the longest time for which the machine was seen to give no CPU
}

// newModel returns the model for porcupine.
func newModel(r rules) porcupine.Model {
	nm := porcupine.NondeterministicModel{
		Init: func() []any { return []any{gameModel{maximum: r.maximum}} },
		Step: func(state, input, output any) []any {
			var next []any
			for _, s := range r.step(state.(gameModel), input.(call), output.(result)) {
				if !slices.Contains(next, any(s)) {
					next = append(next, s)
				}
			}
			return next
		},
		DescribeOperation: func(input, output any) string {
			return fmt.Sprintf("%+v → %+v", input, output)
		},
	}
	return nm.ToModel()
}

// step returns the states that a call with that answer may lead to.
func (r rules) step(s gameModel, c call, out result) (next []gameModel) {
	if c.Ended < s.horizon {
		return nil
	}
	drains := c.Kind == drainGame || c.Kind == drainAll
	switch {
	case c.Kind == shut:
		s.closed = true
		return []gameModel{s}
	case s.closed && (c.Kind == emptied || c.Kind == inhabited):
		return []gameModel{s} // it waited, and may return either way
	case s.closed && out.Reason == "closed":
		return []gameModel{s}
	case drains && out.Reason == "closed":
		out.Reason = "" // closed while it waited: the mark was set
	case s.closed || out.Reason == "closed":
		return nil
	}
	for _, passed := range r.pass(s, c, out) {
		if r.apply(&passed, c, out) {
			if passed.status == session.GameSessionTerminating && passed.seats(0) == 0 {
				passed.status = session.GameSessionTerminated
			}
			next = append(next, passed)
		}
	}
	return next
}

// pass returns s with every set of deadlines passed that may have passed for c.
func (r rules) pass(s gameModel, c call, out result) []gameModel {
	must := c.Began - int64(lateness+r.stall)
	if readsClock(s, c, out) {
		must = c.Began
	}
	must = max(must, s.horizon)
	if readsClock(s, c, out) {
		s.horizon = must
	}
	states := []gameModel{s}
	for _, i := range s.waiting(c, must) {
		for _, t := range slices.Clone(states) {
			p := t.players[i]
			if !p.waits() || t.earlierWaits(i) {
				continue // it has passed with its party, or they pass in their order
			}
			if p.to <= must {
				states = slices.DeleteFunc(states, func(o gameModel) bool { return o == t })
			}
			t.horizon = max(t.horizon, p.from)
			for j := range t.players {
				if o := &t.players[j]; o.waits() && o.from == p.from && o.entered == p.entered { // one deadline
					o.end(o.from, o.to)
					o.lingers = true
				}
			}
			states = append(states, t)
		}
	}
	return slices.DeleteFunc(states, func(t gameModel) bool {
		return slices.ContainsFunc(t.players[:], func(p playerModel) bool { return p.waits() && p.to <= t.horizon })
	})
}

// waiting are those whose deadline may have passed for c, or must have, the
// earliest first. If c is about one player session, it is enough to look at that
// and at those who are before it: the others may pass later.
func (s *gameModel) waiting(c call, must int64) (found []int) {
	var one *playerModel
	switch c.Kind {
	case reserve, count, update, terminate, drainGame, emptied, inhabited:
	case drainAll:
		one = new(playerModel)
	default:
		one = &s.players[max(c.Session, 0)]
	}
	for i := range s.players {
		p := &s.players[i]
		concerned := one == nil || p == one || p.to <= one.from || p.to <= must
		if p.waits() && p.from <= c.Ended && concerned {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b int) int { return int(s.players[a].from - s.players[b].from) })
	return found
}

// earlierWaits tells whether somebody waits whose deadline lies before that of i
// for certain.
func (s *gameModel) earlierWaits(i int) bool {
	return slices.ContainsFunc(s.players[:], func(p playerModel) bool { return p.waits() && p.to <= s.players[i].from })
}

// readsClock tells whether a call has judged deadlines by a clock that it read
// itself.
func readsClock(s gameModel, c call, out result) bool {
	switch c.Kind {
	case reserve:
		return out.Reason != "game_session_not_active"
	case release, drop, extend:
		return c.Session >= 0
	case count:
		return true
	case terminate:
		return s.status != session.GameSessionTerminated
	default:
		return false
	}
}

// seats are those held for certain, and by those of whose end a call that began at
// since need not know: the deadline lay behind that, or was not in the wheel yet.
func (s *gameModel) seats(since int64) (n int) {
	for i := range s.players {
		if p := &s.players[i]; p.live() || p.lingers && max(p.to, p.entered) > since {
			n++
		}
	}
	return n
}

// apply does what c does, and tells whether it may answer so.
func (r rules) apply(s *gameModel, c call, out result) bool {
	const always = int64(1<<63 - 1)
	switch c.Kind {
	case reserve:
		return r.reserve(s, c, out)
	case count:
		return s.seats(always) <= out.Count && out.Count <= s.seats(c.Began)
	case update:
		over := s.status == session.GameSessionTerminated
		if s.status == session.GameSessionTerminating && s.seats(always) == 0 && out.Reason != "" {
			s.status, over = session.GameSessionTerminated, true
		}
		if over {
			return out.Reason == "game_session_not_active"
		}
		if c.Maximum >= 0 {
			s.maximum = c.Maximum
		}
		s.policy = c.Policy
		return out.Reason == ""
	case terminate:
		if s.status != session.GameSessionTerminated {
			s.status = session.GameSessionTerminated
			for i := range s.players {
				p := &s.players[i]
				if p.lingers = false; p.live() {
					p.end(c.Began, c.Ended)
				}
			}
		}
		return out.Reason == ""
	case drainGame:
		if s.status != session.GameSessionTerminated {
			s.status = session.GameSessionTerminating
		}
		return out.Reason == "" || s.seats(0) > 0
	case drainAll:
		s.draining = true
		return true
	case emptied:
		return s.seats(always) == 0
	case inhabited:
		return s.seats(0) > 0
	default:
		return r.one(s, c, out)
	}
}

// one is what concerns one player session.
func (r rules) one(s *gameModel, c call, out result) bool {
	if c.Session < 0 {
		return out.Reason == "not_found"
	}
	p := &s.players[c.Session]
	if p.status == 0 {
		return false // nobody can know it yet
	}
	refusal := ""
	switch {
	case p.status == session.StatusTimedOut:
		refusal = "timed_out"
	case p.status == session.StatusCompleted:
		refusal = "completed"
	case p.status == session.StatusActive && (c.Kind == extend || c.Kind == accept && !p.dropped):
		refusal = "already_active"
	}
	switch c.Kind {
	case accept, takeOver:
		if refusal != "" {
			return out.Reason == refusal
		}
		p.status, p.dropped = session.StatusActive, false
		p.generation++
		return out.Reason == "" && s.shows(c.Session, out)
	case extend:
		if refusal != "" {
			return out.Reason == refusal
		}
		later := c.Began+int64(c.Timeout)-milli <= out.Deadline
		right := later && p.from <= out.Deadline && (out.Deadline == p.from || out.Deadline <= c.Ended+int64(c.Timeout))
		p.from, p.to = out.Deadline, out.Deadline+milli
		return out.Reason == "" && right
	case lookup:
		return out.Reason == "" && s.shows(c.Session, out)
	case release:
		if p.lingers = false; p.live() {
			p.end(c.Began, c.Ended)
		}
		return out.Reason == "" && s.shows(c.Session, out)
	case drop:
		p.lingers = false
		switch window := int64(r.window); {
		case p.status != session.StatusActive || p.dropped || p.generation != c.Generation:
		case window == 0:
			p.end(c.Began, c.Ended)
		default:
			p.dropped, p.from, p.to, p.entered = true, c.Began+window, c.Ended+window, c.Ended
		}
		return out.Reason == ""
	default: // concerns the game session
		return false
	}
}

// shows compares a player session with the one handed out, and learns when it
// ended.
func (s *gameModel) shows(i int, out result) bool {
	if len(out.Sessions) != 1 {
		return false
	}
	return s.is(i, out.Sessions[0])
}

func (s *gameModel) is(i int, o seen) bool {
	p := &s.players[i]
	if o.Session != i || o.Status != p.status || o.Seat != p.seat || o.Generation != p.generation {
		return false
	}
	if !p.status.Terminal() {
		return true
	}
	if p.told {
		return o.Over == p.over
	}
	p.told, p.over = true, o.Over
	return p.from-milli <= o.Over && o.Over <= p.to
}

func (r rules) reserve(s *gameModel, c call, out result) bool {
	if s.status != session.GameSessionActive {
		return out.Reason == "game_session_not_active"
	}
	held := make([]int, len(c.Players)) // what a member holds, or -1
	repeats, wanted, duplicate := 0, 0, false
	for i, player := range c.Players {
		held[i] = -1
		if r.duplicates != slot.DuplicatesAllow {
			held[i] = s.liveOf(player)
		}
		switch {
		case held[i] < 0:
			wanted++
		case r.repeats(s, held[i]):
			repeats++
		case r.duplicates != slot.DuplicatesReplace:
			duplicate = true
		}
	}
	live := s.seats(1<<63 - 1)
	switch {
	case repeats == len(c.Players):
	case s.draining:
		return out.Reason == "draining"
	case s.policy == session.DenyAll:
		return out.Reason == "denied"
	case duplicate:
		return out.Reason == "duplicate"
	case out.Reason == "full":
		return wanted > 0 && s.seats(c.Began)+wanted > s.maximum
	case wanted > 0 && live+wanted > s.maximum:
		return false
	}
	if out.Reason != "" || len(out.Sessions) != len(c.Players) {
		return false
	}
	lower := 0 // seats that were not given, though nobody is there for certain
	for i, o := range out.Sessions {
		switch {
		case held[i] >= 0 && r.repeats(s, held[i]):
			if !s.is(held[i], o) {
				return false
			}
			continue
		case held[i] >= 0:
			if p := &s.players[held[i]]; p.seat != o.Seat {
				return false
			}
			s.players[held[i]].end(c.Began, c.Ended)
		default:
			n, ok := r.free(s, o.Seat, c)
			if !ok {
				return false
			}
			lower = max(lower, n)
		}
		p := &s.players[o.Session]
		if p.status != 0 || o.Status != session.StatusReserved || o.Generation != 0 || o.Made < c.Began-milli || o.Made > c.Ended {
			return false
		}
		deadline := o.Made + int64(c.Timeout)
		*p = playerModel{
			status: session.StatusReserved, player: c.Players[i], seat: o.Seat,
			from: deadline, to: deadline + milli, entered: c.Ended,
		}
	}
	return wanted == 0 || live+lower+wanted <= s.maximum
}

// repeats tells whether a player session answers its player's next reservation.
func (r rules) repeats(s *gameModel, i int) bool {
	return r.duplicates == slot.DuplicatesReturn && s.players[i].waits()
}

// liveOf returns the live player session of a player, or -1. If there is none, the
// table has looked and given up those whose time is over.
func (s *gameModel) liveOf(player int) int {
	if i := slices.IndexFunc(s.players[:], func(p playerModel) bool { return p.live() && p.player == player }); i >= 0 {
		return i
	}
	for i := range s.players {
		if p := &s.players[i]; p.player == player {
			p.lingers = false
		}
	}
	return -1
}

// free takes a seat from those who linger, if it may be the lowest free one. It
// returns how many seats below must be held by others who linger.
func (r rules) free(s *gameModel, seat int, c call) (lower int, ok bool) {
	held := make(map[int]bool)    // for certain
	lingers := make(map[int]bool) // perhaps
	for i := range s.players {
		p := &s.players[i]
		switch {
		case p.live():
			held[p.seat] = true
		case p.lingers && p.seat == seat:
			p.lingers = false
		case p.lingers && p.to+int64(100*time.Millisecond+r.stall) > c.Began:
			lingers[p.seat] = true
		}
	}
	for below := range seat {
		if !held[below] && !lingers[below] {
			return 0, false
		}
		if !held[below] {
			lower++
		}
	}
	return lower, !held[seat]
}
