package gameliftapi

import (
	"context"
	"crypto/rand"
	"reflect"
	"strconv"
	"strings"

	"github.com/usher-go/usher/session"
)

type createGameSessionInput struct {
	MaximumPlayerSessionCount *int32              `json:"MaximumPlayerSessionCount"`
	FleetID                   *string             `json:"FleetId"`
	AliasID                   *string             `json:"AliasId"`
	Name                      *string             `json:"Name"`
	GameProperties            []gamePropertyInput `json:"GameProperties"`
	CreatorID                 *string             `json:"CreatorId"`
	GameSessionID             *string             `json:"GameSessionId"`
	IdempotencyToken          *string             `json:"IdempotencyToken"`
	GameSessionData           *string             `json:"GameSessionData"`
	Location                  *string             `json:"Location"`
}

func (in *createGameSessionInput) check(f *faults) {
	if in.MaximumPlayerSessionCount == nil {
		f.add("MaximumPlayerSessionCount", "is required")
	}
	f.atLeast("MaximumPlayerSessionCount", in.MaximumPlayerSessionCount, 0)
	f.checkFleet(in.FleetID, in.AliasID)
	f.permit("Name", in.Name, label)
	f.checkProperties(in.GameProperties)
	f.permit("CreatorId", in.CreatorID, label)
	f.permit("GameSessionId", in.GameSessionID, requestID)
	f.permit("IdempotencyToken", in.IdempotencyToken, requestID)
	if in.GameSessionID != nil && in.IdempotencyToken != nil {
		f.add("GameSessionId", "cannot be given together with IdempotencyToken, which takes its place")
	}
	f.permit("GameSessionData", in.GameSessionData, gameData)
	f.permit("Location", in.Location, locationName)
}

// createGameSession answers an IdempotencyToken that was used before with the game
// session it made. A GameSessionId that is taken is a conflict.
func createGameSession(ctx context.Context, h *handler, in *createGameSessionInput) (gameSessionOutput, error) {
	if err := h.checkOwnFleet(in.FleetID, in.AliasID); err != nil {
		return gameSessionOutput{}, err
	}
	if err := h.checkMaximum(in.MaximumPlayerSessionCount); err != nil {
		return gameSessionOutput{}, err
	}
	h.games.changing.Lock()
	defer h.games.changing.Unlock()
	whole := h.proposed(in)
	if in.IdempotencyToken != nil {
		earlier, err := h.table.GameSession(whole.GameSessionID)
		if err == nil {
			return h.repeated(earlier, in)
		}
	}
	if err := h.place(ctx, &whole); err != nil {
		return gameSessionOutput{}, err
	}
	gs, err := h.table.GameSession(whole.GameSessionID)
	if err != nil {
		return gameSessionOutput{}, err
	}
	whole.GameSession = gs
	h.games.keep(whole, in)
	return gameSessionOutput{newGameSession(h.games.complete(gs))}, nil
}

// checkMaximum refuses more seats than a game session may have here.
func (h *handler) checkMaximum(seats *int32) error {
	if most := h.config.MaxPlayers; most > 0 && seats != nil && int(*seats) > most {
		return &exception{invalidRequest, "MaximumPlayerSessionCount is greater than " + strconv.Itoa(most)}
	}
	return nil
}

// proposed is the game session that in asks for.
func (h *handler) proposed(in *createGameSessionInput) GameSession {
	name := textOf(in.IdempotencyToken) + textOf(in.GameSessionID) // one of them at most
	if name == "" {
		name = "gsess-" + strings.ToLower(rand.Text())
	}
	arn := "arn:aws:gamelift:" + h.config.Region + ":"
	return GameSession{
		GameSession: session.GameSession{
			GameSessionID:             arn + ":gamesession/" + h.config.Fleet + "/" + name,
			Name:                      textOf(in.Name),
			FleetID:                   h.config.Fleet,
			FleetARN:                  arn + ":fleet/" + h.config.Fleet,
			MaximumPlayerSessionCount: int(*in.MaximumPlayerSessionCount),
		},
		GameProperties:   merged(nil, in.GameProperties),
		GameSessionData:  textOf(in.GameSessionData),
		CreatorID:        textOf(in.CreatorID),
		Location:         textOf(in.Location),
		IdempotencyToken: textOf(in.IdempotencyToken),
	}
}

// repeated answers a token that was used before.
func (h *handler) repeated(earlier session.GameSession, in *createGameSessionInput) (gameSessionOutput, error) {
	if !reflect.DeepEqual(h.games.of(earlier).input, in) {
		return gameSessionOutput{}, &exception{
			idempotentParameterMismatch,
			"the IdempotencyToken was used before, for another request",
		}
	}
	return gameSessionOutput{newGameSession(h.games.complete(earlier))}, nil
}

// place creates a game session on the table.
func (h *handler) place(ctx context.Context, whole *GameSession) error {
	if h.config.Placement == nil {
		return h.table.CreateGameSession(whole.GameSession)
	}
	whole.Status = session.GameSessionActivating
	return h.config.Placement.Place(ctx, whole)
}
