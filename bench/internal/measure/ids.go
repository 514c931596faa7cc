package measure

import (
	"fmt"
	"strings"

	"github.com/usher-go/usher/session"
)

// IDs are player session ids as they come out of sockets: each in memory that no
// table has seen. They stand one behind the other, all of the same length, so that
// holding them costs the garbage collector nothing.
type IDs struct {
	Text string
	Each int // length of one
}

// Len is how many there are.
func (d IDs) Len() int { return len(d.Text) / d.Each }

// At returns the i-th.
func (d IDs) At(i int) string { return d.Text[i*d.Each:][:d.Each] }

// Cut returns the first n ids, and the others.
func (d IDs) Cut(n int) (head, tail IDs) {
	return IDs{d.Text[:n*d.Each], d.Each}, IDs{d.Text[n*d.Each:], d.Each}
}

// First returns n ids, or all if there are fewer.
func (d IDs) First(n int) IDs { return IDs{d.Text[:min(n*d.Each, len(d.Text))], d.Each} }

const (
	// IDLen is the length of the ids that a table hands out.
	IDLen = len("psess-00000000-0000-0000-0000-000000000000")

	// AliasLen is the length of an id that somebody else issued, in a form of his
	// own.
	AliasLen = len("psess-ticket:00000000:eu-west-1")
)

// Strangers returns ids that nobody reserved.
func Strangers(n int) IDs {
	var text strings.Builder
	text.Grow(n * IDLen)
	for range n {
		text.WriteString(session.NewPlayerSessionID())
	}
	return IDs{text.String(), IDLen}
}

// Aliases returns n ids that somebody else issued, numbered from first on.
func Aliases(first, n int) IDs {
	var text strings.Builder
	text.Grow(n * AliasLen)
	for i := range n {
		fmt.Fprintf(&text, "psess-ticket:%08d:eu-west-1", first+i)
	}
	return IDs{text.String(), AliasLen}
}
