package measure

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// idBytes is the length of an id that the library gives.
const idBytes = len("psess-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")

// seat is a player as the load knows it. It holds no pointer: a million of them
// cost the garbage collector nothing, so what it spends is the table's.
type seat struct {
	id   [idBytes]byte
	game int32
}

// population is the part of a table's players that one worker cares for. As one
// leaves, another takes the seat, so their number stays. Not for concurrent use.
type population struct {
	hall    *hall
	random  *rand.Rand
	name    playerNames
	timeout time.Duration // of reservations

	active  []seat // ACTIVE, in no order
	waiting queue  // RESERVED, oldest first
	late    int    // accepted too late

	// What is under way.
	turn        turn
	left        int // the place of the player who leaves, in active
	game        int32
	id          string
	reservation slot.Reservation
	reserved    string
}

// newPopulation allocates all it will ever need for most players, so that a
// measurement of the heap sees none of it.
func newPopulation(h *hall, worker, workers, most int, timeout time.Duration) *population {
	return &population{
		hall:    h,
		random:  rand.New(rand.NewPCG(uint64(worker), 2)), //nolint:gosec // a load that is the same each time
		name:    playerNames{next: worker, step: workers},
		timeout: timeout,
		active:  make([]seat, 0, most),
		waiting: newQueue(most),
	}
}

// prepare chooses who leaves or comes. The strings are fresh, as if they had just
// been read from a connection.
func (p *population) prepare() turn {
	switch p.turn {
	case release:
		p.left = p.random.IntN(len(p.active))
		p.game = p.active[p.left].game
		p.id = string(p.active[p.left].id[:])
	case reserve:
		p.reservation = slot.Reservation{
			GameSessionID: p.hall.games[p.game],
			PlayerID:      p.name.take(),
			Timeout:       p.timeout,
		}
	default:
		p.id = string(p.waiting.first().id[:])
	}
	return p.turn
}

// perform is what is timed.
func (p *population) perform() error {
	switch p.turn {
	case release:
		_, err := p.hall.table.Release(p.id)
		return err
	case reserve:
		ps, err := p.hall.table.Reserve(p.reservation)
		p.reserved = ps.PlayerSessionID
		return err
	default:
		_, err := p.hall.door.AcceptPlayerSession(p.id)
		return err
	}
}

// conclude keeps the books. A player who came too late is counted, and another is
// let in; any other error is a mistake of ours, or of the library.
func (p *population) conclude(err error) error {
	done := p.turn
	p.turn = (p.turn + 1) % turns
	if done != accept {
		if err == nil && done == reserve {
			p.waiting.push(newSeat(p.reserved, p.game))
		}
		return wrap(done, err)
	}
	s := p.waiting.pop()
	if tooLate(err) {
		p.late++
		s, err = p.admit(s.game)
	}
	p.active[p.left] = s
	return wrap(done, err)
}

// step makes the next call, whatever the time.
func (p *population) step() error {
	p.prepare()
	return p.conclude(p.perform())
}

// join makes the three calls of one join.
func (p *population) join() error {
	for range turns {
		if err := p.step(); err != nil {
			return err
		}
	}
	return nil
}

// fill lets in the players that are to have the seats from, …, to-1.
func (p *population) fill(from, to int) error {
	for i := from; i < to; i++ {
		s, err := p.admit(p.hall.gameOf(i))
		if err != nil {
			return err
		}
		p.active = append(p.active, s)
	}
	return nil
}

// hold makes n of the players wait for their accept: each has reserved, others
// have left for it, or been accepted.
func (p *population) hold(n int) error {
	for p.turn != release { // a run ended in the middle of a join
		if err := p.step(); err != nil {
			return err
		}
	}
	for p.waiting.len() > n {
		s := p.waiting.pop()
		_, err := p.hall.door.AcceptPlayerSession(string(s.id[:]))
		if tooLate(err) {
			p.late++
			s, err = p.admit(s.game)
		}
		if err != nil {
			return wrap(accept, err)
		}
		p.active = append(p.active, s)
	}
	for p.waiting.len() < n {
		i, last := p.random.IntN(len(p.active)), len(p.active)-1
		leaving := p.active[i]
		p.active[i] = p.active[last]
		p.active = p.active[:last]
		if _, err := p.hall.table.Release(string(leaving.id[:])); err != nil {
			return wrap(release, err)
		}
		s, err := p.reserve(leaving.game, p.timeout)
		if err != nil {
			return err
		}
		p.waiting.push(s)
	}
	return nil
}

// admit reserves a seat and accepts the player at once. If the machine stood still
// meanwhile for as long as the timeout, it tries again.
func (p *population) admit(game int32) (seat, error) {
	for {
		s, err := p.reserve(game, p.timeout)
		if err != nil {
			return seat{}, err
		}
		_, err = p.hall.door.AcceptPlayerSession(string(s.id[:]))
		if !tooLate(err) {
			return s, wrap(accept, err)
		}
	}
}

// tooLate tells whether a player was not accepted because the reservation timed
// out, lately or so long ago that the table has forgotten it.
func tooLate(err error) bool {
	return errors.Is(err, session.ErrTimedOut) || errors.Is(err, session.ErrPlayerSessionNotFound)
}

func (p *population) reserve(game int32, timeout time.Duration) (seat, error) {
	ps, err := p.hall.table.Reserve(slot.Reservation{
		GameSessionID: p.hall.games[game],
		PlayerID:      p.name.take(),
		Timeout:       timeout,
	})
	if err != nil {
		return seat{}, wrap(reserve, err)
	}
	return newSeat(ps.PlayerSessionID, game), nil
}

func newSeat(id string, game int32) seat {
	s := seat{game: game}
	copy(s.id[:], id)
	return s
}

func wrap(t turn, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("measure: %s: %w", [turns]string{"release", "reserve", "accept"}[t], err)
}

// playerNames are names that no other worker gives.
type playerNames struct{ next, step int }

// PlayerBytes is the length of a player's name.
const PlayerBytes = len("player-") + 12

func (n *playerNames) take() string {
	const zeros = "player-000000000000"
	var number [12]byte
	text := strconv.AppendInt(number[:0], int64(n.next), 10)
	n.next += n.step
	return zeros[:PlayerBytes-len(text)] + string(text)
}
