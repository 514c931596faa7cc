package gameliftapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// decodeJSON is as strict as the decoder of CBOR: encoding/json alone would take a
// name twice and put U+FFFD in place of what is no character, so that two players
// would be one.
func decodeJSON(body []byte, input any) error {
	switch {
	case !utf8.Valid(body):
		return errors.New("it is not UTF-8")
	case halvesPair(body):
		return errors.New("half of a surrogate pair stands in it")
	}
	if err := checkJSON(body); err != nil {
		return err
	}
	return json.Unmarshal(body, input)
}

// halvesPair tells whether an escape is half of a surrogate pair whose other half
// is not beside it.
func halvesPair(body []byte) bool {
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		if r := escaped(body[i:]); utf16.IsSurrogate(r) {
			if utf16.DecodeRune(r, escaped(body[i+6:])) == unicode.ReplacementChar {
				return true
			}
			i += 6
		}
		i++ // what is escaped may be a backslash
	}
	return false
}

// escaped returns what an escape such as \u0041 at the front stands for; 0: there
// is none.
func escaped(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	unit, _ := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(unit)
}

// checkJSON refuses names twice, and what is too deep or too long.
func checkJSON(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	first, err := d.Token()
	if err != nil {
		return err
	}
	if first != json.Delim('{') {
		return errors.New("it is not an object")
	}
	if err := checkObject(d, 1); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something is behind the object")
	}
	return nil
}

var (
	errTooDeep = errors.New("it is nested too deeply")
	errTooLong = errors.New("a list or map has too many elements")
)

// mapDepth is where the keys of PlayerDataMap are, which are player ids. The other
// objects' are names of members.
const mapDepth = 2

// checkObject reads to the end of an object whose brace has been read.
func checkObject(d *json.Decoder, depth int) error {
	seen := make(map[string]bool)
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := name.(string)
		if depth != mapDepth {
			key = strings.ToLower(strings.ToUpper(key)) // encoding/json takes a member in any case, and ſ for s
		}
		if seen[key] {
			return errors.New("a name stands in it twice")
		}
		if seen[key] = true; len(seen) > maxElements {
			return errTooLong
		}
		if err := checkValue(d, depth); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func checkArray(d *json.Decoder, depth int) error {
	for n := 0; d.More(); n++ {
		if n == maxElements {
			return errTooLong
		}
		if err := checkValue(d, depth); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func checkValue(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if _, opens := t.(json.Delim); opens && depth == maxDepth {
		return errTooDeep
	}
	switch t {
	case json.Delim('{'):
		return checkObject(d, depth+1)
	case json.Delim('['):
		return checkArray(d, depth+1)
	}
	return nil
}

func encodeJSON(output any) ([]byte, error) { return json.Marshal(output) }
