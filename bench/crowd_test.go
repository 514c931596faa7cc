package bench_test

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/usher-go/usher/session"
)

// crowd is the players who come. Their strings stand one behind the other, each
// of the same length, so that holding them costs the garbage collector nothing.
type crowd struct{ text string }

// What a player brings: an id and data of ordinary length.
const (
	playerIDLen = len("player-10000000")
	dataLen     = len(`{"team":"red","skill":1000}`)
	playerLen   = playerIDLen + dataLen
)

func newCrowd(n int) crowd {
	text := make([]byte, 0, n*playerLen)
	for i := range n {
		text = append(text, "player-"...)
		text = strconv.AppendInt(text, int64(10_000_000+i), 10)
		text = append(text, `{"team":"red","skill":`...)
		text = strconv.AppendInt(text, int64(1000+i%9000), 10)
		text = append(text, '}')
	}
	return crowd{string(text)}
}

func (c crowd) playerID(i int) string { return c.text[i*playerLen:][:playerIDLen] }
func (c crowd) data(i int) string     { return c.text[i*playerLen+playerIDLen:][:dataLen] }

// ids are player session ids as they come out of sockets: each in memory that
// the table has never seen.
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

// idLen is the length of the ids that the table hands out.
const idLen = len("psess-00000000-0000-0000-0000-000000000000")

// strangers returns ids that nobody reserved.
func strangers(n int) ids {
	var text strings.Builder
	text.Grow(n * idLen)
	for range n {
		text.WriteString(session.NewPlayerSessionID())
	}
	return ids{text.String(), idLen}
}

// aliasLen is the length of an id that somebody else issued, in a form of his own.
const aliasLen = len("psess-ticket:00000000:eu-west-1")

// aliases returns n such ids, numbered from first on.
func aliases(first, n int) ids {
	var text strings.Builder
	text.Grow(n * aliasLen)
	for i := range n {
		fmt.Fprintf(&text, "psess-ticket:%08d:eu-west-1", first+i)
	}
	return ids{text.String(), aliasLen}
}
