package main

import (
	"time"

	"github.com/usher-go/usher/validator/gameliftapi"
)

// What is sent to a server process unasked. None has a RequestId: the SDKs take
// one as a reply, which would need a status.

type createGameSession struct {
	Action                    string
	GameSessionID             string `json:"GameSessionId"`
	GameSessionName           string `json:",omitempty"`
	GameSessionData           string `json:",omitempty"`
	MatchmakerData            string `json:",omitempty"`
	GameProperties            map[string]string
	MaximumPlayerSessionCount int
	IPAddress                 string `json:"IpAddress,omitempty"`
	Port                      int    `json:",omitempty"`
	DNSName                   string `json:"DnsName,omitempty"`
}

func newCreateGameSession(gs gameliftapi.GameSession) createGameSession {
	return createGameSession{
		Action:                    "CreateGameSession",
		GameSessionID:             gs.GameSessionID,
		GameSessionName:           gs.Name,
		GameSessionData:           gs.GameSessionData,
		MatchmakerData:            gs.MatchmakerData,
		GameProperties:            properties(gs),
		MaximumPlayerSessionCount: gs.MaximumPlayerSessionCount,
		IPAddress:                 gs.IPAddress,
		Port:                      gs.Port,
		DNSName:                   gs.DNSName,
	}
}

// properties are a map to the SDKs, and never null.
func properties(gs gameliftapi.GameSession) map[string]string {
	m := make(map[string]string, len(gs.GameProperties))
	for _, p := range gs.GameProperties {
		m[p.Key] = p.Value
	}
	return m
}

type updateGameSession struct {
	Action           string
	GameSession      updatedGameSession
	UpdateReason     updateReason
	BackfillTicketID string `json:"BackfillTicketId,omitempty"`
}

// updatedGameSession calls Name what createGameSession calls GameSessionName.
type updatedGameSession struct {
	GameSessionID             string `json:"GameSessionId"`
	Name                      string `json:",omitempty"`
	GameSessionData           string `json:",omitempty"`
	MatchmakerData            string `json:",omitempty"`
	GameProperties            map[string]string
	MaximumPlayerSessionCount int
	FleetID                   string `json:"FleetId,omitempty"`
	Location                  string `json:",omitempty"`
	IPAddress                 string `json:"IpAddress,omitempty"`
	Port                      int    `json:",omitempty"`
	DNSName                   string `json:"DnsName,omitempty"`
	Status                    string `json:",omitempty"`
}

func newUpdateGameSession(gs gameliftapi.GameSession, why updateReason, ticket string) updateGameSession {
	return updateGameSession{
		Action:           "UpdateGameSession",
		UpdateReason:     why,
		BackfillTicketID: ticket,
		GameSession: updatedGameSession{
			GameSessionID:             gs.GameSessionID,
			Name:                      gs.Name,
			GameSessionData:           gs.GameSessionData,
			MatchmakerData:            gs.MatchmakerData,
			GameProperties:            properties(gs),
			MaximumPlayerSessionCount: gs.MaximumPlayerSessionCount,
			FleetID:                   gs.FleetID,
			Location:                  gs.Location,
			IPAddress:                 gs.IPAddress,
			Port:                      gs.Port,
			DNSName:                   gs.DNSName,
			Status:                    gs.Status.String(),
		},
	}
}

type updateReason string

// The SDKs know no reason of its own for the call UpdateGameSession.
const (
	reasonUnknown           updateReason = "UNKNOWN"
	reasonBackfillCancelled updateReason = "BACKFILL_CANCELLED"
)

type terminateProcess struct {
	Action          string
	TerminationTime int64 // milliseconds since 1970
}

func newTerminateProcess(at time.Time) terminateProcess {
	return terminateProcess{Action: "TerminateProcess", TerminationTime: at.UnixMilli()}
}
