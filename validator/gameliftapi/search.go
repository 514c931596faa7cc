package gameliftapi

import (
	"context"
	"slices"

	"github.com/usher-go/usher/session"
)

type searchGameSessionsInput struct {
	FleetID          *string `json:"FleetId"`
	AliasID          *string `json:"AliasId"`
	Location         *string `json:"Location"`
	FilterExpression *string `json:"FilterExpression"`
	SortExpression   *string `json:"SortExpression"`
	Limit            *int32  `json:"Limit"`
	NextToken        *string `json:"NextToken"`
}

func (in *searchGameSessionsInput) check(f *faults) {
	f.checkFleet(in.FleetID, in.AliasID)
	f.permit("Location", in.Location, locationName)
	f.permit("FilterExpression", in.FilterExpression, expression)
	f.permit("SortExpression", in.SortExpression, expression)
	f.atLeast("Limit", in.Limit, 1)
	f.permit("NextToken", in.NextToken, label)
}

// maxFound is how many game sessions a page of a search has, as in GameLift.
const maxFound = 20

// searchGameSessions finds those that are ACTIVE. Without a sort expression the
// oldest come first.
func searchGameSessions(_ context.Context, h *handler, in *searchGameSessionsInput) (describeGameSessionsOutput, error) {
	matches, err := parseFilter(textOf(in.FilterExpression))
	if err != nil {
		return describeGameSessionsOutput{}, err
	}
	compare, err := parseSort(textOf(in.SortExpression))
	if err != nil {
		return describeGameSessionsOutput{}, err
	}
	active := session.GameSessionActive.String()
	found, err := h.inFleet(in.FleetID, in.AliasID, in.Location, &active)
	if err != nil {
		return describeGameSessionsOutput{}, err
	}
	found = slices.DeleteFunc(found, func(gs GameSession) bool { return !matches(&gs) })
	slices.SortStableFunc(found, func(a, b GameSession) int { return compare(&a, &b) })
	query := paged{"search", textOf(in.FleetID), textOf(in.Location), textOf(in.FilterExpression), textOf(in.SortExpression)}
	page, token, err := h.pager.fromOffset(found, query, limitOf(in.Limit, maxFound, maxFound), in.NextToken)
	return describeGameSessionsOutput{newGameSessions(page), token}, err
}
