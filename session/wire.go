package session

import (
	"encoding/json"
	"time"
)

// MarshalJSON returns the wire form of p: an object with GameLift's field names, in
// which unset fields are absent, so that the zero PlayerSession is {}. Slot and
// Generation are not on the wire. The player session id and the player data are,
// whole: send it to whom they concern, and log p itself instead.
//
// Timestamps are numbers of epoch seconds with a millisecond fraction, as GameLift
// writes them; what is finer is cut off. A timestamp outside the years 1 to 9999
// and a Status that has no name are a [*FieldError], which matches
// [ErrInvalidField]. Bytes that are not UTF-8 become U+FFFD, as encoding/json has
// it; Validate reports them.
func (p PlayerSession) MarshalJSON() ([]byte, error) {
	object := make(map[string]any)
	for _, field := range p.wireFields() {
		if err := field.encode(object); err != nil {
			return nil, err
		}
	}
	return json.Marshal(object)
}

// UnmarshalJSON sets the fields of p that stand in data, what MarshalJSON or an AWS
// tool wrote, and leaves the others as they are. A null, or the empty Status that
// the SDK for Go writes, unsets its field; fields of other names are ignored, names
// being compared in just GameLift's spelling.
//
// A timestamp is a number of epoch seconds, with any fraction and exponent, or an
// RFC 3339 string, as version 2 of the AWS CLI prints it. It is rounded to the
// nearest millisecond and kept in UTC.
//
// A field of another type, a Status that is none and a timestamp outside the years
// 1 to 9999 are a [*FieldError], which matches [ErrInvalidField]; p is as it was
// then. GameLift's constraints are not checked here: see [PlayerSession.Validate].
func (p *PlayerSession) UnmarshalJSON(data []byte) error {
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) != nil {
		return &FieldError{Field: "PlayerSession", Reason: "is not a JSON object"}
	}
	next := *p
	for _, field := range next.wireFields() {
		value, ok := object[field.name]
		if !ok {
			continue
		}
		if err := field.decode(value); err != nil {
			return err
		}
	}
	*p = next
	return nil
}

// wireField is a field under its name on the wire.
type wireField struct {
	name string
	at   any // *string, *int, *Status or *time.Time
}

func (p *PlayerSession) wireFields() [12]wireField {
	return [...]wireField{
		{"CreationTime", &p.CreationTime},
		{"TerminationTime", &p.TerminationTime},
		{"DnsName", &p.DNSName},
		{"FleetArn", &p.FleetARN},
		{"FleetId", &p.FleetID},
		{"GameSessionId", &p.GameSessionID},
		{"IpAddress", &p.IPAddress},
		{"PlayerData", &p.PlayerData},
		{"PlayerId", &p.PlayerID},
		{"PlayerSessionId", &p.PlayerSessionID},
		{"Port", &p.Port},
		{"Status", &p.Status},
	}
}

// encode puts the field into object unless it is unset.
func (f wireField) encode(object map[string]any) error {
	switch at := f.at.(type) {
	case *string:
		if *at != "" {
			object[f.name] = *at
		}
	case *int:
		if *at != 0 {
			object[f.name] = *at
		}
	case *Status:
		if *at != 0 {
			word, err := at.MarshalText()
			object[f.name] = string(word)
			return err
		}
	case *time.Time:
		if !at.IsZero() {
			number, ok := formatTimestamp(*at)
			object[f.name] = number
			return f.errorUnless(ok, "is outside the years 1 to 9999")
		}
	}
	return nil
}

// decode unsets the field first, since encoding/json leaves a variable as it is at
// a null.
func (f wireField) decode(value json.RawMessage) error {
	switch at := f.at.(type) {
	case *string:
		*at = ""
		return f.errorUnless(json.Unmarshal(value, at) == nil, "is not a string")
	case *int:
		*at = 0
		return f.errorUnless(json.Unmarshal(value, at) == nil, "is not a plain whole number")
	case *Status:
		*at = 0
		if string(value) != `""` && json.Unmarshal(value, at) != nil {
			return statuses.unknown()
		}
	case *time.Time:
		t, ok := parseTimestamp(value)
		*at = t
		return f.errorUnless(ok, "is neither epoch seconds nor an RFC 3339 time, of the years 1 to 9999")
	}
	return nil
}

func (f wireField) errorUnless(ok bool, reason string) error {
	if ok {
		return nil
	}
	return &FieldError{Field: f.name, Reason: reason}
}
