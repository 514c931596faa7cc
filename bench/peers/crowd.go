package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/usher-go/usher/bench/internal/measure"
)

// shuffled returns copies of the ids, in the order in which players come: any.
func shuffled(given []string) measure.IDs {
	var text strings.Builder
	each := len(given[0])
	text.Grow(len(given) * each)
	for _, i := range rand.Perm(len(given)) { //nolint:gosec // an order, not a secret
		text.WriteString(given[i])
	}
	return measure.IDs{Text: text.String(), Each: each}
}

// ownBytes is how long a player's id and data are together.
const ownBytes = len("player-00000000") + len(`{"team":"red","skill":0000}`)

// crowd returns the requests of n players. Each string is in memory of its own,
// as if it had been read from a message, and a contender may keep it.
func crowd(n int) []Request {
	requests := make([]Request, n)
	for i := range requests {
		requests[i] = Request{
			PlayerID:   fmt.Sprintf("player-%08d", i),
			PlayerData: fmt.Sprintf(`{"team":"red","skill":%04d}`, i%10_000),
		}
	}
	return requests
}
