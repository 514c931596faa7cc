package session

import (
	"slices"
	"strconv"
	"strings"
)

// vocabulary gives the values of one enumeration their words.
type vocabulary struct {
	typ   string   // the Go type, for a value that has no word
	field string   // the wire name of the field such a word stands in, for errors
	words []string // by value; "" where there is no such value
}

func (v *vocabulary) known(value uint8) bool {
	return int(value) < len(v.words) && v.words[value] != ""
}

func (v *vocabulary) name(value uint8) string {
	if v.known(value) {
		return v.words[value]
	}
	return v.typ + "(" + strconv.Itoa(int(value)) + ")"
}

func (v *vocabulary) marshal(value uint8) ([]byte, error) {
	if !v.known(value) {
		return nil, v.unknown()
	}
	return []byte(v.words[value]), nil
}

func (v *vocabulary) parse(word string) (uint8, error) {
	i := slices.Index(v.words, word)
	if word == "" || i < 0 {
		return 0, v.unknown()
	}
	return uint8(i), nil
}

// unknown names the words there are, never the one that was given: that is a
// stranger's text.
func (v *vocabulary) unknown() error {
	words := slices.DeleteFunc(slices.Clone(v.words), func(word string) bool { return word == "" })
	return &FieldError{Field: v.field, Reason: "is not one of " + strings.Join(words, ", ")}
}
