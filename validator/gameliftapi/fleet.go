package gameliftapi

import (
	"strings"

	"github.com/usher-go/usher/session"
)

// checkFleet demands a fleet or an alias, as all operations on fleets do.
func (f *faults) checkFleet(fleetID, aliasID *string) {
	f.exactlyOne("FleetId and AliasId", fleetID, aliasID)
	f.permit("FleetId", fleetID, fleetName)
	f.permit("AliasId", aliasID, aliasName)
}

// checkOwnFleet refuses any fleet but the handler's.
func (h *handler) checkOwnFleet(fleetID, aliasID *string) error {
	switch {
	case aliasID != nil:
		return errNoAlias
	case fleetOf(*fleetID) != h.config.Fleet:
		return errNoFleet
	}
	return nil
}

var (
	errNoAlias = &exception{notFound, "there are no aliases here; name the fleet"}
	errNoFleet = &exception{notFound, "there is no such fleet here"}
)

// fleetOf returns the id in what may be an ARN.
func fleetOf(idOrARN string) string { return idOrARN[strings.LastIndex(idOrARN, "/")+1:] }

// inFleet returns the game sessions of a fleet that are in a location and have a
// status, if those are given. A fleet is known if it is the handler's or has a game
// session.
func (h *handler) inFleet(fleetID, aliasID, location, status *string) ([]GameSession, error) {
	if aliasID != nil {
		return nil, errNoAlias
	}
	fleet := fleetOf(*fleetID)
	known := fleet == h.config.Fleet
	var found []GameSession
	for gs := range h.table.GameSessions() {
		if h.fleetOf(gs) != fleet {
			continue
		}
		known = true
		if status != nil && gs.Status.String() != *status {
			continue
		}
		if whole := h.games.complete(gs); location == nil || whole.Location == *location {
			found = append(found, whole)
		}
	}
	if !known {
		return nil, errNoFleet
	}
	return found, nil
}

// fleetOf returns the fleet that a game session counts as of.
func (h *handler) fleetOf(gs session.GameSession) string {
	if gs.FleetID == "" {
		return h.config.Fleet
	}
	return gs.FleetID
}
