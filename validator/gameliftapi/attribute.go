package gameliftapi

import (
	"errors"
	"strings"

	"github.com/usher-go/usher/session"
)

// attribute is what a filter or a sort expression can ask of a game session: a
// string, an int64 or a bool; nil if the game session has none.
type attribute func(*GameSession) any

const propertyPrefix = "gameSessionProperties."

// attributeOf returns the attribute of a name, and a value of its type.
func attributeOf(name string) (of attribute, kind any, err error) {
	if key, ok := strings.CutPrefix(name, propertyPrefix); ok && key != "" {
		return property(key), "", nil
	}
	switch name {
	case "gameSessionId":
		return func(gs *GameSession) any { return gs.GameSessionID }, "", nil
	case "gameSessionName":
		return func(gs *GameSession) any { return gs.Name }, "", nil
	case "maximumSessions":
		return func(gs *GameSession) any { return int64(gs.MaximumPlayerSessionCount) }, int64(0), nil
	case "playerSessionCount":
		return func(gs *GameSession) any { return int64(gs.CurrentPlayerSessionCount) }, int64(0), nil
	case "creationTimeMillis":
		return func(gs *GameSession) any { return gs.CreationTime.UnixMilli() }, int64(0), nil
	case "hasAvailablePlayerSessions":
		return func(gs *GameSession) any { return available(gs) }, false, nil
	}
	return nil, nil, errors.New("has an operand that is none of gameSessionId, gameSessionName, gameSessionProperties.<key>, " +
		"maximumSessions, playerSessionCount, creationTimeMillis and hasAvailablePlayerSessions")
}

func property(key string) attribute {
	return func(gs *GameSession) any {
		for _, p := range gs.GameProperties {
			if p.Key == key {
				return p.Value
			}
		}
		return nil
	}
}

// available tells whether a player who asks for a seat now would get one. It heeds
// the policy: a game session that lets nobody in is not one that players can join.
func available(gs *GameSession) bool {
	return gs.PlayerSessionCreationPolicy == session.AcceptAll && gs.CurrentPlayerSessionCount < gs.MaximumPlayerSessionCount
}
