package session

import (
	"encoding"
	"errors"
	"regexp"
	"strconv"
	"unicode/utf8"
)

// GameLift's limits. Those of a text are in characters.
const (
	maxFleetARN      = 512
	maxFleetID       = 128
	maxGameSessionID = 1024
	maxIPAddress     = 128
	maxName          = 1024
	maxPlayerData    = 2048
	maxPlayerID      = 1024
	maxPort          = 60000
)

// unlimited is the limit of what GameLift sets none for.
const unlimited = 0

// GameLift's patterns, as its newer model has them: anchored at both ends.
var (
	fleetARN  = regexp.MustCompile(`^arn:.*:[a-z]*fleet\/[a-z]*fleet-[a-zA-Z0-9\-]+$`)
	fleetID   = regexp.MustCompile(`^[a-z]*fleet-[a-zA-Z0-9\-]+$`)
	ipAddress = regexp.MustCompile(`^[0-9A-Fa-f\:\.]+$`)
)

// Validate returns nil, or every constraint of GameLift's documentation that p
// breaks, joined, each a [*FieldError] under the field's name on the wire. Unset
// fields pass. Lengths count characters, and a text must be valid UTF-8. The rule
// for PlayerSessionID is that of [ValidatePlayerSessionID].
func (p PlayerSession) Validate() error {
	var v violations
	v.checkText("DnsName", p.DNSName, unlimited)
	v.checkPattern("FleetArn", p.FleetARN, maxFleetARN, fleetARN)
	v.checkPattern("FleetId", p.FleetID, maxFleetID, fleetID)
	v.checkText("GameSessionId", p.GameSessionID, maxGameSessionID)
	v.checkPattern("IpAddress", p.IPAddress, maxIPAddress, ipAddress)
	v.checkText("PlayerData", p.PlayerData, maxPlayerData)
	v.checkText("PlayerId", p.PlayerID, maxPlayerID)
	if p.PlayerSessionID != "" && ValidatePlayerSessionID(p.PlayerSessionID) != nil {
		v.add("PlayerSessionId", "is not a valid player session id")
	}
	v.checkRange("Port", p.Port, maxPort)
	if p.Status != 0 {
		v.checkKnown(p.Status)
	}
	return errors.Join(v...)
}

// Validate returns nil, or every constraint of GameLift's documentation that g
// breaks, joined, each a [*FieldError] under the field's name on the wire. Unset
// fields pass. Lengths count characters, and a text must be valid UTF-8.
func (g GameSession) Validate() error {
	var v violations
	v.checkText("DnsName", g.DNSName, unlimited)
	v.checkPattern("FleetArn", g.FleetARN, maxFleetARN, fleetARN)
	v.checkPattern("FleetId", g.FleetID, maxFleetID, fleetID)
	v.checkText("GameSessionId", g.GameSessionID, maxGameSessionID)
	v.checkPattern("IpAddress", g.IPAddress, maxIPAddress, ipAddress)
	v.checkText("Name", g.Name, maxName)
	v.checkRange("Port", g.Port, maxPort)
	v.checkRange("MaximumPlayerSessionCount", g.MaximumPlayerSessionCount, unlimited)
	v.checkRange("CurrentPlayerSessionCount", g.CurrentPlayerSessionCount, unlimited)
	v.checkKnown(g.PlayerSessionCreationPolicy)
	v.checkKnown(g.Status)
	return errors.Join(v...)
}

// violations are the broken constraints, each a *FieldError.
type violations []error

func (v *violations) add(field, reason string) {
	*v = append(*v, &FieldError{Field: field, Reason: reason})
}

func (v *violations) checkText(field, text string, limit int) {
	if !utf8.ValidString(text) {
		v.add(field, "is not valid UTF-8")
	}
	if limit != unlimited && utf8.RuneCountInString(text) > limit {
		v.add(field, "is longer than "+strconv.Itoa(limit)+" characters")
	}
}

func (v *violations) checkPattern(field, text string, limit int, pattern *regexp.Regexp) {
	v.checkText(field, text, limit)
	if text != "" && !pattern.MatchString(text) {
		v.add(field, "does not match "+pattern.String())
	}
}

func (v *violations) checkRange(field string, n, limit int) {
	if n < 0 {
		v.add(field, "is negative")
	}
	if limit != unlimited && n > limit {
		v.add(field, "is greater than "+strconv.Itoa(limit))
	}
}

// checkKnown takes the values whose MarshalText fails with a *FieldError if they
// have no name.
func (v *violations) checkKnown(value encoding.TextMarshaler) {
	if _, err := value.MarshalText(); err != nil {
		*v = append(*v, err)
	}
}
