package gameliftapi

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// faults are the constraints that an input breaks.
type faults []string

func (f faults) exception() *exception {
	return &exception{invalidRequest, strings.Join(f, "; ")}
}

func (f *faults) add(field, reason string) { *f = append(*f, field+" "+reason) }

// text is what the service demands of a member: 1 to max characters and, unless it
// is nil, a pattern.
type text struct {
	max     int
	pattern *regexp.Regexp
}

// The constraints of GameLift's model. A GameSessionId is any here: a game server
// names its game sessions as it likes.
var (
	label         = text{max: 1024}
	playerData    = text{max: 2048}
	gameData      = text{max: 262_144}
	expression    = text{max: 1024}
	fleetName     = text{512, regexp.MustCompile(`^[a-z]*fleet-[a-zA-Z0-9\-]+$|^arn:.*:[a-z]*fleet\/[a-z]*fleet-[a-zA-Z0-9\-]+$`)}
	aliasName     = text{512, regexp.MustCompile(`^alias-\S+$|^arn:.*:alias\/alias-\S+$`)}
	locationName  = text{64, regexp.MustCompile(`^[A-Za-z0-9\-]+$`)}
	requestID     = text{48, regexp.MustCompile(`^[a-zA-Z0-9-]+$`)}
	propertyKey   = text{max: 32}
	propertyValue = text{max: 96}
)

// require checks a member that must be there.
func (f *faults) require(field string, value *string, t text) {
	if value == nil {
		f.add(field, "is required")
		return
	}
	f.permit(field, value, t)
}

// permit checks a member if it is there.
func (f *faults) permit(field string, value *string, t text) {
	switch {
	case value == nil:
	case *value == "":
		f.add(field, "is empty")
	case utf8.RuneCountInString(*value) > t.max:
		f.add(field, "is longer than "+strconv.Itoa(t.max)+" characters")
	case t.pattern != nil && !t.pattern.MatchString(*value):
		f.add(field, "does not match "+t.pattern.String())
	}
}

// atLeast checks a number if it is there.
func (f *faults) atLeast(field string, value *int32, least int32) {
	if value != nil && *value < least {
		f.add(field, "is less than "+strconv.Itoa(int(least)))
	}
}

// oneOf checks a word if it is there.
func (f *faults) oneOf(field string, value *string, words ...string) {
	if value != nil && !slices.Contains(words, *value) {
		f.add(field, "is not one of "+strings.Join(words, ", "))
	}
}

// exactlyOne checks that of several members one is there.
func (f *faults) exactlyOne(fields string, values ...*string) {
	given := 0
	for _, v := range values {
		if v != nil {
			given++
		}
	}
	if given != 1 {
		f.add("exactly one of "+fields, "must be given")
	}
}

// textOf returns the text of a member, "" if it is not there.
func textOf(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}
