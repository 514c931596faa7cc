package bench_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// house is a table with one game session, and the players who come to it.
type house struct {
	table *slot.Table
	door  *validator.Validator
	slots int
	crowd crowd
	rand  *rand.Rand
	ids   []byte // by player
	each  int    // length of an id
	given int    // aliases
}

const gameID = "arn:aws:gamelift:eu-west-1::gamesession/fleet-1/match"

// plain is the configuration that is measured unless a benchmark says otherwise.
func plain() slot.Config { return slot.Config{DuplicatePlayers: slot.DuplicatesAllow} }

func newHouse(b *testing.B, slots int, c slot.Config) *house {
	b.Helper()
	t := newTable(b, slots, c)
	return &house{
		table: t,
		door:  validator.New(t, validator.Config{}),
		slots: slots,
		crowd: newCrowd(slots),
		rand:  newRand(),
		ids:   make([]byte, slots*measure.IDLen),
		each:  measure.IDLen,
	}
}

// newRand returns the same numbers in every run, so that runs can be compared.
func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func newTable(b *testing.B, slots int, c slot.Config) *slot.Table {
	b.Helper()
	t, err := slot.NewTable(c)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, t.Close()) })
	openGame(b, t, gameID, slots)
	return t
}

func openGame(b *testing.B, t *slot.Table, id string, slots int) {
	b.Helper()
	require.NoError(b, t.CreateGameSession(gameSession(id, slots)))
}

func gameSession(id string, slots int) session.GameSession {
	return session.GameSession{
		GameSessionID:             id,
		FleetID:                   "fleet-1",
		DNSName:                   "ec2-198-51-100-7.compute-1.amazonaws.com",
		IPAddress:                 "198.51.100.7",
		Port:                      7777,
		MaximumPlayerSessionCount: slots,
	}
}

// everyone returns all players, in random order.
func (h *house) everyone() []int { return h.rand.Perm(h.slots) }

// some returns a quarter of the players, in random order, but of a million only
// as many as no cache holds.
func (h *house) some() []int { return h.everyone()[:min(h.slots/4, uncached)] }

// uncached is how many players' records no cache holds that one processor has
// for itself.
const uncached = 100_000

// settle lets everyone reserve and come, so that the table is full.
func (h *house) settle(b *testing.B) {
	b.Helper()
	h.reserve(b, h.everyone())
	h.accept(b, h.read(h.everyone()))
}

// askForPlayer lets players' lists be made, which are kept from then on.
func (h *house) askForPlayer(b *testing.B) {
	b.Helper()
	_, err := h.table.Describe(slot.Query{PlayerID: "anybody"})
	require.NoError(b, err)
}

// renew lets players leave and reserve anew, and returns their new ids, in the
// order in which they will come.
func (h *house) renew(b *testing.B, players []int) measure.IDs {
	b.Helper()
	h.release(b, h.read(players))
	h.reserve(b, slices.Clone(players))
	return h.read(players)
}

// tidy lets the collector finish with what a round prepared, if the table is so
// large that no cache holds it: of a small one it would cool the caches, which
// disturbs more than it helps.
func (h *house) tidy() {
	if h.slots > uncached {
		runtime.GC()
	}
}

// read returns the ids of players, as they send them.
func (h *house) read(players []int) measure.IDs {
	var text strings.Builder
	text.Grow(len(players) * h.each)
	for _, p := range players {
		text.Write(h.ids[p*h.each:][:h.each])
	}
	return measure.IDs{Text: text.String(), Each: h.each}
}

// reserve lets players reserve, in the order of their numbers, and returns how
// long that took.
func (h *house) reserve(b *testing.B, players []int) time.Duration {
	b.Helper()
	return h.reserveOn(b, 1, players)
}

// reserveOn is reserve on several processors.
func (h *house) reserveOn(b *testing.B, procs int, players []int) time.Duration {
	b.Helper()
	slices.Sort(players) // what a player sends is in the cache: it must not be fetched from all over the crowd
	var tickets measure.IDs
	if h.each == measure.AliasLen {
		tickets = measure.Aliases(h.given, len(players))
		h.given += len(players)
	}
	got := make([]string, len(players))
	took := measure.Share(procs, len(players), func(from, to int) {
		for i := from; i < to; i++ {
			r := h.reservation(players[i])
			if tickets.Each > 0 {
				r.PlayerSessionID = tickets.At(i)
			}
			ps, err := h.table.Reserve(r)
			if err != nil || ps.Status != session.StatusReserved {
				b.Errorf("reserve: %v, %v", ps, err)
				return
			}
			got[i] = ps.PlayerSessionID
		}
	})
	h.keep(players, got)
	return took
}

func (h *house) reservation(player int) slot.Reservation {
	return slot.Reservation{
		GameSessionID: gameID,
		PlayerID:      h.crowd.playerID(player),
		PlayerData:    h.crowd.data(player),
	}
}

// keep notes the ids that players were given.
func (h *house) keep(players []int, got []string) {
	for i, p := range players {
		copy(h.ids[p*h.each:][:h.each], got[i])
	}
}

// accept lets players in, and returns how long that took.
func (h *house) accept(b *testing.B, arrivals measure.IDs) time.Duration {
	b.Helper()
	return h.acceptOn(b, 1, arrivals)
}

// acceptOn is accept on several processors.
func (h *house) acceptOn(b *testing.B, procs int, arrivals measure.IDs) time.Duration {
	b.Helper()
	return measure.Share(procs, arrivals.Len(), func(from, to int) {
		for i := from; i < to; i++ {
			if ps, err := h.door.AcceptPlayerSession(arrivals.At(i)); err != nil || ps.Status != session.StatusActive {
				b.Errorf("accept: %v, %v", ps, err)
				return
			}
		}
	})
}

// release lets players leave for good, and returns how long that took.
func (h *house) release(b *testing.B, leaving measure.IDs) time.Duration {
	b.Helper()
	return h.releaseOn(b, 1, leaving)
}

// releaseOn is release on several processors.
func (h *house) releaseOn(b *testing.B, procs int, leaving measure.IDs) time.Duration {
	b.Helper()
	return measure.Share(procs, leaving.Len(), func(from, to int) {
		for i := from; i < to; i++ {
			if ps, err := h.table.Release(leaving.At(i)); err != nil || !ps.Status.Terminal() {
				b.Errorf("release: %v, %v", ps, err)
				return
			}
		}
	})
}
