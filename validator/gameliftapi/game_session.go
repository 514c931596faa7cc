package gameliftapi

import (
	"github.com/usher-go/usher/session"
)

// gameSession is a GameSession on the wire.
type gameSession struct {
	ComputeName                 string         `json:"ComputeName,omitempty"`
	CreationTime                timestamp      `json:"CreationTime,omitzero"`
	CreatorID                   string         `json:"CreatorId,omitempty"`
	CurrentPlayerSessionCount   int            `json:"CurrentPlayerSessionCount"`
	DNSName                     string         `json:"DnsName,omitempty"`
	FleetARN                    string         `json:"FleetArn,omitempty"`
	FleetID                     string         `json:"FleetId,omitempty"`
	GameProperties              []GameProperty `json:"GameProperties,omitempty"`
	GameSessionData             string         `json:"GameSessionData,omitempty"`
	GameSessionID               string         `json:"GameSessionId,omitempty"`
	IPAddress                   string         `json:"IpAddress,omitempty"`
	Location                    string         `json:"Location,omitempty"`
	MatchmakerData              string         `json:"MatchmakerData,omitempty"`
	MaximumPlayerSessionCount   int            `json:"MaximumPlayerSessionCount"`
	Name                        string         `json:"Name,omitempty"`
	PlayerSessionCreationPolicy string         `json:"PlayerSessionCreationPolicy,omitempty"`
	Port                        int            `json:"Port,omitempty"`
	Status                      string         `json:"Status,omitempty"`
	StatusReason                string         `json:"StatusReason,omitempty"`
	TerminationTime             timestamp      `json:"TerminationTime,omitzero"`
}

func newGameSession(gs GameSession) gameSession {
	return gameSession{
		ComputeName:                 gs.ComputeName,
		CreationTime:                timestamp(gs.CreationTime),
		CreatorID:                   gs.CreatorID,
		CurrentPlayerSessionCount:   gs.CurrentPlayerSessionCount,
		DNSName:                     gs.DNSName,
		FleetARN:                    gs.FleetARN,
		FleetID:                     gs.FleetID,
		GameProperties:              gs.GameProperties,
		GameSessionData:             gs.GameSessionData,
		GameSessionID:               gs.GameSessionID,
		IPAddress:                   gs.IPAddress,
		Location:                    gs.Location,
		MatchmakerData:              gs.MatchmakerData,
		MaximumPlayerSessionCount:   gs.MaximumPlayerSessionCount,
		Name:                        gs.Name,
		PlayerSessionCreationPolicy: gs.PlayerSessionCreationPolicy.String(),
		Port:                        gs.Port,
		Status:                      gs.Status.String(),
		StatusReason:                gs.StatusReason,
		TerminationTime:             timestamp(gs.TerminationTime),
	}
}

func newGameSessions(from []GameSession) []gameSession {
	sessions := make([]gameSession, len(from)) // never nil: null is no list
	for i, gs := range from {
		sessions[i] = newGameSession(gs)
	}
	return sessions
}

// gameSessionOutput is what creating, updating and terminating answer.
type gameSessionOutput struct {
	GameSession gameSession `json:"GameSession"`
}

// The protection policies, which nothing here acts on: there is no scaling down.
const (
	noProtection   = "NoProtection"
	fullProtection = "FullProtection"
)

// The words of the table's values.
var (
	acceptAll = session.AcceptAll.String()
	denyAll   = session.DenyAll.String()
)

// maxProperties is how many GameProperties a game session may have.
const maxProperties = 16

type gamePropertyInput struct {
	Key   *string `json:"Key"`
	Value *string `json:"Value"`
}

// checkProperties refuses a key that is given twice: which would count?
func (f *faults) checkProperties(properties []gamePropertyInput) {
	if len(properties) > maxProperties {
		f.add("GameProperties", "has more than 16 elements")
		return
	}
	seen := make(map[string]bool)
	for _, p := range properties {
		f.require("Key of GameProperties", p.Key, propertyKey)
		if p.Value == nil {
			f.add("Value of GameProperties", "is required")
		} else if *p.Value != "" {
			f.permit("Value of GameProperties", p.Value, propertyValue)
		}
		if seen[textOf(p.Key)] {
			f.add("Key of GameProperties", "is given twice")
		}
		seen[textOf(p.Key)] = true
	}
}

// merged returns properties as changed by an input, which may add and modify.
func merged(properties []GameProperty, input []gamePropertyInput) []GameProperty {
	next := append([]GameProperty(nil), properties...)
	for _, p := range input {
		next = put(next, GameProperty{*p.Key, *p.Value})
	}
	return next
}

func put(properties []GameProperty, p GameProperty) []GameProperty {
	for i := range properties {
		if properties[i].Key == p.Key {
			properties[i] = p
			return properties
		}
	}
	return append(properties, p)
}
