package gameliftapi

import (
	"context"
	"strconv"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// playerSession is a PlayerSession on the wire.
type playerSession struct {
	CreationTime    timestamp `json:"CreationTime,omitzero"`
	TerminationTime timestamp `json:"TerminationTime,omitzero"`
	DNSName         string    `json:"DnsName,omitempty"`
	FleetARN        string    `json:"FleetArn,omitempty"`
	FleetID         string    `json:"FleetId,omitempty"`
	GameSessionID   string    `json:"GameSessionId,omitempty"`
	IPAddress       string    `json:"IpAddress,omitempty"`
	PlayerData      string    `json:"PlayerData,omitempty"`
	PlayerID        string    `json:"PlayerId,omitempty"`
	PlayerSessionID string    `json:"PlayerSessionId,omitempty"`
	Port            int       `json:"Port,omitempty"`
	Status          string    `json:"Status,omitempty"`
}

func newPlayerSession(ps session.PlayerSession) playerSession {
	return playerSession{
		CreationTime:    timestamp(ps.CreationTime),
		TerminationTime: timestamp(ps.TerminationTime),
		DNSName:         ps.DNSName,
		FleetARN:        ps.FleetARN,
		FleetID:         ps.FleetID,
		GameSessionID:   ps.GameSessionID,
		IPAddress:       ps.IPAddress,
		PlayerData:      ps.PlayerData,
		PlayerID:        ps.PlayerID,
		PlayerSessionID: ps.PlayerSessionID,
		Port:            ps.Port,
		Status:          ps.Status.String(),
	}
}

func newPlayerSessions(from []session.PlayerSession) []playerSession {
	sessions := make([]playerSession, len(from)) // never nil: null is no list
	for i, ps := range from {
		sessions[i] = newPlayerSession(ps)
	}
	return sessions
}

type createPlayerSessionInput struct {
	GameSessionID *string `json:"GameSessionId"`
	PlayerID      *string `json:"PlayerId"`
	PlayerData    *string `json:"PlayerData"`
}

func (in *createPlayerSessionInput) check(f *faults) {
	f.require("GameSessionId", in.GameSessionID, label)
	f.require("PlayerId", in.PlayerID, label)
	f.permit("PlayerData", in.PlayerData, playerData)
}

type createPlayerSessionOutput struct {
	PlayerSession playerSession `json:"PlayerSession"`
}

func createPlayerSession(_ context.Context, h *handler, in *createPlayerSessionInput) (createPlayerSessionOutput, error) {
	ps, err := h.table.Reserve(slot.Reservation{
		GameSessionID: *in.GameSessionID,
		PlayerID:      *in.PlayerID,
		PlayerData:    textOf(in.PlayerData),
	})
	return createPlayerSessionOutput{newPlayerSession(ps)}, err
}

// maxPlayers is how many CreatePlayerSessions takes.
const maxPlayers = 25

type createPlayerSessionsInput struct {
	GameSessionID *string           `json:"GameSessionId"`
	PlayerIDs     []string          `json:"PlayerIds"`
	PlayerDataMap map[string]string `json:"PlayerDataMap"`
}

func (in *createPlayerSessionsInput) check(f *faults) {
	f.require("GameSessionId", in.GameSessionID, label)
	if n := len(in.PlayerIDs); n < 1 || n > maxPlayers {
		f.add("PlayerIds", "must name 1 to "+strconv.Itoa(maxPlayers)+" players")
		return
	}
	seen := make(map[string]bool)
	for i, id := range in.PlayerIDs {
		field := "PlayerIds[" + strconv.Itoa(i) + "]"
		f.require(field, &id, label)
		if seen[id] {
			f.add(field, "is named twice")
		}
		seen[id] = true
		if data, ok := in.PlayerDataMap[id]; ok {
			f.permit("PlayerDataMap of "+field, &data, playerData)
		}
	}
}

type createPlayerSessionsOutput struct {
	PlayerSessions []playerSession `json:"PlayerSessions"`
}

// createPlayerSessions admits all or none. Data of players who are not named has
// no effect.
func createPlayerSessions(_ context.Context, h *handler, in *createPlayerSessionsInput) (createPlayerSessionsOutput, error) {
	party := make([]slot.Reservation, len(in.PlayerIDs))
	for i, id := range in.PlayerIDs {
		party[i] = slot.Reservation{GameSessionID: *in.GameSessionID, PlayerID: id, PlayerData: in.PlayerDataMap[id]}
	}
	sessions, err := h.table.ReserveAll(party)
	return createPlayerSessionsOutput{newPlayerSessions(sessions)}, err
}

type describePlayerSessionsInput struct {
	GameSessionID             *string `json:"GameSessionId"`
	PlayerID                  *string `json:"PlayerId"`
	PlayerSessionID           *string `json:"PlayerSessionId"`
	PlayerSessionStatusFilter *string `json:"PlayerSessionStatusFilter"`
	Limit                     *int32  `json:"Limit"`
	NextToken                 *string `json:"NextToken"`
}

func (in *describePlayerSessionsInput) check(f *faults) {
	f.exactlyOne("GameSessionId, PlayerId and PlayerSessionId", in.GameSessionID, in.PlayerID, in.PlayerSessionID)
	f.permit("GameSessionId", in.GameSessionID, label)
	f.permit("PlayerId", in.PlayerID, label)
	if in.PlayerSessionID != nil && session.ValidatePlayerSessionID(*in.PlayerSessionID) != nil {
		f.add("PlayerSessionId", "is not a player session id")
	}
	if in.GameSessionID != nil { // it has no effect otherwise
		f.oneOf("PlayerSessionStatusFilter", in.PlayerSessionStatusFilter, "RESERVED", "ACTIVE", "COMPLETED", "TIMEDOUT")
	}
	f.atLeast("Limit", in.Limit, 1)
	f.permit("NextToken", in.NextToken, label)
}

type describePlayerSessionsOutput struct {
	PlayerSessions []playerSession `json:"PlayerSessions"`
	NextToken      string          `json:"NextToken,omitempty"`
}

func describePlayerSessions(_ context.Context, h *handler, in *describePlayerSessionsInput) (describePlayerSessionsOutput, error) {
	q := slot.Query{
		GameSessionID:   textOf(in.GameSessionID),
		PlayerID:        textOf(in.PlayerID),
		PlayerSessionID: textOf(in.PlayerSessionID),
		NextToken:       textOf(in.NextToken),
	}
	if in.Limit != nil {
		q.Limit = int(*in.Limit)
	}
	if in.GameSessionID != nil && in.PlayerSessionStatusFilter != nil {
		q.Status, _ = session.ParseStatus(*in.PlayerSessionStatusFilter) // it has been checked
	}
	page, err := h.table.Describe(q)
	return describePlayerSessionsOutput{newPlayerSessions(page.PlayerSessions), page.NextToken}, err
}
