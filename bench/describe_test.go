package bench_test

import (
	"testing"
	"time"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// A page of a hundred players of a game session, a player's sessions, and one
// session, in a full table.
func BenchmarkDescribe(b *testing.B) {
	const queries = 100 // in a round
	eachSize(b, func(b *testing.B, slots int) {
		h := newHouse(b, slots, plain())
		h.settle(b)
		h.askForPlayer(b)
		for _, by := range []struct {
			name     string
			describe func(players []int, asked measure.IDs, from, to int) error
		}{
			{"page", func(_ []int, _ measure.IDs, from, to int) error { return h.describePages(from, to) }},
			{"player", func(players []int, _ measure.IDs, from, to int) error { return h.describePlayers(players, from, to) }},
			{"id", func(_ []int, asked measure.IDs, from, to int) error { return h.describeIDs(asked, from, to) }},
		} {
			b.Run("by="+by.name, func(b *testing.B) {
				eachProcs(b, func(b *testing.B, procs int) {
					var w work
					for b.Loop() {
						players := h.everyone()[:queries]
						asked := h.read(players)
						w.measure(queries, func() time.Duration {
							return measure.Share(procs, queries, func(from, to int) {
								if err := by.describe(players, asked, from, to); err != nil {
									b.Error(err)
								}
							})
						})
					}
					w.report(b)
				})
			})
		}
	})
}

// describePages reads page after page, and begins again behind the last.
func (h *house) describePages(from, to int) error {
	token := ""
	for range to - from {
		page, err := h.table.Describe(slot.Query{GameSessionID: gameID, Limit: 100, NextToken: token})
		if err != nil {
			return err
		}
		token = page.NextToken
	}
	return nil
}

func (h *house) describePlayers(players []int, from, to int) error {
	for i := from; i < to; i++ {
		page, err := h.table.Describe(slot.Query{PlayerID: h.crowd.playerID(players[i])})
		if err != nil || len(page.PlayerSessions) == 0 {
			return missing(err)
		}
	}
	return nil
}

func (h *house) describeIDs(asked measure.IDs, from, to int) error {
	for i := from; i < to; i++ {
		page, err := h.table.Describe(slot.Query{PlayerSessionID: asked.At(i)})
		if err != nil || len(page.PlayerSessions) != 1 {
			return missing(err)
		}
	}
	return nil
}

func missing(err error) error {
	if err == nil {
		return session.ErrPlayerSessionNotFound
	}
	return err
}
