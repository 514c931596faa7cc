package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/usher-go/usher/session"
)

// ids are player session ids as they come out of sockets: each in memory that no
// contender has seen.
type ids struct {
	text string
	each int
}

func (d ids) len() int        { return len(d.text) / d.each }
func (d ids) at(i int) string { return d.text[i*d.each:][:d.each] }

// cut returns the first n ids, and the others.
func (d ids) cut(n int) (head, tail ids) {
	return ids{d.text[:n*d.each], d.each}, ids{d.text[n*d.each:], d.each}
}

// first returns n ids, or all if there are fewer.
func (d ids) first(n int) ids { return ids{d.text[:min(n*d.each, len(d.text))], d.each} }

const (
	idLen    = len("psess-00000000-0000-0000-0000-000000000000")
	aliasLen = len("psess-ticket:00000000:eu-west-1")
)

// strangers returns ids that nobody reserved.
func strangers(n int) ids {
	var text strings.Builder
	text.Grow(n * idLen)
	for range n {
		text.WriteString(session.NewPlayerSessionID())
	}
	return ids{text.String(), idLen}
}

// aliases returns n ids that somebody else issued, numbered from first on.
func aliases(first, n int) ids {
	var text strings.Builder
	text.Grow(n * aliasLen)
	for i := range n {
		fmt.Fprintf(&text, "psess-ticket:%08d:eu-west-1", first+i)
	}
	return ids{text.String(), aliasLen}
}

// shuffled returns copies of the ids, in the order in which players come: any.
func shuffled(given []string) ids {
	var text strings.Builder
	each := len(given[0])
	text.Grow(len(given) * each)
	for _, i := range rand.Perm(len(given)) { //nolint:gosec // an order, not a secret
		text.WriteString(given[i])
	}
	return ids{text.String(), each}
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
