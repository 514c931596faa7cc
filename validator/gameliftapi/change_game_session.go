package gameliftapi

import (
	"context"
	"errors"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

type updateGameSessionInput struct {
	GameSessionID               *string             `json:"GameSessionId"`
	MaximumPlayerSessionCount   *int32              `json:"MaximumPlayerSessionCount"`
	Name                        *string             `json:"Name"`
	PlayerSessionCreationPolicy *string             `json:"PlayerSessionCreationPolicy"`
	ProtectionPolicy            *string             `json:"ProtectionPolicy"`
	GameProperties              []gamePropertyInput `json:"GameProperties"`
}

func (in *updateGameSessionInput) check(f *faults) {
	f.require("GameSessionId", in.GameSessionID, label)
	f.atLeast("MaximumPlayerSessionCount", in.MaximumPlayerSessionCount, 0)
	f.permit("Name", in.Name, label)
	f.oneOf("PlayerSessionCreationPolicy", in.PlayerSessionCreationPolicy, acceptAll, denyAll)
	f.oneOf("ProtectionPolicy", in.ProtectionPolicy, noProtection, fullProtection)
	f.checkProperties(in.GameProperties)
}

// forTable is the part of the update that the table takes.
func (in *updateGameSessionInput) forTable() slot.GameSessionUpdate {
	u := slot.GameSessionUpdate{Name: in.Name}
	if in.MaximumPlayerSessionCount != nil {
		maximum := int(*in.MaximumPlayerSessionCount)
		u.MaximumPlayerSessionCount = &maximum
	}
	if in.PlayerSessionCreationPolicy != nil {
		policy, _ := session.ParseCreationPolicy(*in.PlayerSessionCreationPolicy) // it has been checked
		u.PlayerSessionCreationPolicy = &policy
	}
	return u
}

// updateGameSession changes all that is asked or nothing. Properties are added and
// modified; there is no way to delete one, as in GameLift.
func updateGameSession(_ context.Context, h *handler, in *updateGameSessionInput) (gameSessionOutput, error) {
	if err := h.checkMaximum(in.MaximumPlayerSessionCount); err != nil {
		return gameSessionOutput{}, err
	}
	h.games.changing.Lock()
	defer h.games.changing.Unlock()
	whole, err := h.games.get(*in.GameSessionID)
	if err != nil {
		return gameSessionOutput{}, err
	}
	whole.GameProperties = merged(whole.GameProperties, in.GameProperties)
	if len(whole.GameProperties) > maxProperties {
		return gameSessionOutput{}, &exception{invalidRequest, "GameProperties would have more than 16 elements"}
	}
	if in.ProtectionPolicy != nil {
		whole.ProtectionPolicy = *in.ProtectionPolicy
	}
	if err := h.table.UpdateGameSession(*in.GameSessionID, in.forTable()); err != nil {
		return gameSessionOutput{}, err
	}
	whole, err = h.changed(whole)
	if err == nil && h.config.Placement != nil {
		h.config.Placement.Updated(whole)
	}
	return gameSessionOutput{newGameSession(whole)}, err
}

// changed keeps what has changed in whole, and returns it with the table's part as
// it is now.
func (h *handler) changed(whole GameSession) (GameSession, error) {
	gs, err := h.table.GameSession(whole.GameSessionID)
	if err != nil {
		return GameSession{}, err
	}
	input := h.games.of(gs).input
	whole.GameSession = gs
	h.games.keep(whole, input)
	return whole, nil
}

type terminateGameSessionInput struct {
	GameSessionID   *string `json:"GameSessionId"`
	TerminationMode *string `json:"TerminationMode"`
}

func (in *terminateGameSessionInput) check(f *faults) {
	f.require("GameSessionId", in.GameSessionID, label)
	if in.TerminationMode == nil {
		f.add("TerminationMode", "is required")
	}
	f.oneOf("TerminationMode", in.TerminationMode, string(TriggerOnProcessTerminate), string(ForceTerminate))
}

// terminateGameSession ends a game session: at once, or once its last player has
// left, until when nobody else gets in. Either is refused for one that is over.
func terminateGameSession(ctx context.Context, h *handler, in *terminateGameSessionInput) (gameSessionOutput, error) {
	h.games.changing.Lock()
	defer h.games.changing.Unlock()
	whole, err := h.games.get(*in.GameSessionID)
	if err != nil {
		return gameSessionOutput{}, err
	}
	if whole.Status == session.GameSessionTerminated {
		return gameSessionOutput{}, &exception{invalidGameSessionStatus, "the game session is TERMINATED already"}
	}
	mode := TerminationMode(*in.TerminationMode)
	if mode == ForceTerminate {
		whole.StatusReason, err = "FORCE_TERMINATED", h.table.TerminateGameSession(whole.GameSessionID)
	} else {
		whole.StatusReason, err = "TRIGGERED_ON_PROCESS_TERMINATE", h.beginDraining(ctx, whole.GameSessionID)
	}
	if err != nil {
		return gameSessionOutput{}, err
	}
	whole, err = h.changed(whole)
	if err == nil && h.config.Placement != nil {
		h.config.Placement.Terminating(whole, mode)
	}
	return gameSessionOutput{newGameSession(whole)}, err
}

// beginDraining does not wait for the game session to be empty.
func (h *handler) beginDraining(ctx context.Context, id string) error {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if err := h.table.DrainGameSession(ctx, id); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
