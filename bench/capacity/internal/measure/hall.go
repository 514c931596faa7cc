package measure

import (
	"fmt"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// hall is a table with game sessions of a few seats each, as game servers have.
type hall struct {
	table *slot.Table
	door  *validator.Validator
	games []string // ids
}

// gameIDs returns as many ids as it takes to seat players. They are as long as
// GameLift's.
func gameIDs(players, seats int) []string {
	ids := make([]string, (players+seats-1)/seats)
	for i := range ids {
		ids[i] = fmt.Sprintf("arn:aws:gamelift:us-west-2::gamesession/fleet-2222bbbb-33cc-44dd-55ee-6666ffff77aa/gsess-%08d", i)
	}
	return ids
}

// open makes a table for the current GOMAXPROCS, all its settings the library's
// own but for those of the plan.
func (p *Plan) open(games []string, seats int) (*hall, error) {
	table, err := slot.NewTable(slot.Config{MaxRetained: p.Retained})
	if err != nil {
		return nil, err
	}
	h := &hall{table: table, door: validator.New(table, validator.Config{}), games: games}
	for _, id := range games {
		err := table.CreateGameSession(session.GameSession{
			GameSessionID:             id,
			MaximumPlayerSessionCount: seats,
		})
		if err != nil {
			return nil, fmt.Errorf("measure: %w", err)
		}
	}
	return h, nil
}

// gameOf spreads players over the game sessions: neighbours in time are not
// neighbours in a game.
func (h *hall) gameOf(player int) int32 { return int32(player % len(h.games)) }

func (h *hall) close() {
	_ = h.table.Close() // returns nil always
}
