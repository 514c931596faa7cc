package gameliftapi

import "context"

type describeGameSessionsInput struct {
	FleetID       *string `json:"FleetId"`
	AliasID       *string `json:"AliasId"`
	GameSessionID *string `json:"GameSessionId"`
	Location      *string `json:"Location"`
	StatusFilter  *string `json:"StatusFilter"`
	Limit         *int32  `json:"Limit"`
	NextToken     *string `json:"NextToken"`
}

func (in *describeGameSessionsInput) check(f *faults) {
	f.exactlyOne("FleetId, AliasId and GameSessionId", in.FleetID, in.AliasID, in.GameSessionID)
	f.permit("FleetId", in.FleetID, fleetName)
	f.permit("AliasId", in.AliasID, aliasName)
	f.permit("GameSessionId", in.GameSessionID, label)
	f.permit("Location", in.Location, locationName)
	f.oneOf("StatusFilter", in.StatusFilter, "ACTIVE", "ACTIVATING", "TERMINATED", "TERMINATING", "ERROR")
	f.atLeast("Limit", in.Limit, 1)
	f.permit("NextToken", in.NextToken, label)
}

type describeGameSessionsOutput struct {
	GameSessions []gameSession `json:"GameSessions"`
	NextToken    string        `json:"NextToken,omitempty"`
}

func describeGameSessions(_ context.Context, h *handler, in *describeGameSessionsInput) (describeGameSessionsOutput, error) {
	page, token, err := h.describe(in)
	return describeGameSessionsOutput{newGameSessions(page), token}, err
}

// gameSessionDetail is a GameSessionDetail on the wire.
type gameSessionDetail struct {
	GameSession      gameSession `json:"GameSession"`
	ProtectionPolicy string      `json:"ProtectionPolicy"`
}

type describeGameSessionDetailsOutput struct {
	GameSessionDetails []gameSessionDetail `json:"GameSessionDetails"`
	NextToken          string              `json:"NextToken,omitempty"`
}

func describeGameSessionDetails(_ context.Context, h *handler, in *describeGameSessionsInput) (describeGameSessionDetailsOutput, error) {
	page, token, err := h.describe(in)
	out := describeGameSessionDetailsOutput{make([]gameSessionDetail, len(page)), token}
	for i, gs := range page {
		out.GameSessionDetails[i] = gameSessionDetail{newGameSession(gs), gs.ProtectionPolicy}
	}
	return out, err
}

// describe returns a page of what is asked for, oldest first, and the token of the
// next one. With a GameSessionId the rest has no effect.
func (h *handler) describe(in *describeGameSessionsInput) ([]GameSession, string, error) {
	if in.GameSessionID != nil {
		gs, err := h.games.get(*in.GameSessionID)
		return []GameSession{gs}, "", err
	}
	found, err := h.inFleet(in.FleetID, in.AliasID, in.Location, in.StatusFilter)
	if err != nil {
		return nil, "", err
	}
	query := paged{"describe", textOf(in.FleetID), textOf(in.Location), textOf(in.StatusFilter)}
	return h.pager.oldestFirst(found, query, in.Limit, in.NextToken)
}
