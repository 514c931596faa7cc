package gameliftapi

import (
	"errors"
	"strconv"
	"strings"
)

// token is a word, a sign or a quoted string of a filter expression.
type token struct {
	text   string
	quoted bool
}

// String quotes what a stranger wrote.
func (t token) String() string { return strconv.Quote(t.text) }

const (
	signs  = "()=<>"
	quotes = `'"`
)

// tokenize splits a filter expression. A word is what lies between spaces, signs
// and quotes; in a string a backslash stands before a special character.
func tokenize(expression string) ([]token, error) {
	var tokens []token
	for rest := strings.TrimSpace(expression); rest != ""; rest = strings.TrimSpace(rest) {
		var t token
		var err error
		if t, rest, err = cutToken(rest); err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
	}
	return tokens, nil
}

func cutToken(rest string) (token, string, error) {
	if strings.ContainsRune(quotes, rune(rest[0])) {
		return cutString(rest)
	}
	n := strings.IndexAny(rest, signs+quotes+" \t\r\n")
	switch {
	case strings.HasPrefix(rest, "<>"), strings.HasPrefix(rest, "<="), strings.HasPrefix(rest, ">="):
		n = 2
	case n == 0:
		n = 1
	case n < 0:
		n = len(rest)
	}
	return token{text: rest[:n]}, rest[n:], nil
}

// cutString cuts a string off, in quotes of either kind.
func cutString(rest string) (token, string, error) {
	var text strings.Builder
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == rest[0]:
			return token{text.String(), true}, rest[i+1:], nil
		case c == '\\' && i+1 < len(rest):
			i++
			text.WriteByte(rest[i])
		default:
			text.WriteByte(c)
		}
	}
	return token{}, "", errors.New("has a quote that is not closed")
}
