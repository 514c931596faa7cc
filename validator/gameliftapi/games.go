package gameliftapi

import (
	"errors"
	"sync"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// games is what the table does not hold of its game sessions.
type games struct {
	// changing is held while a game session is created, updated or terminated, so
	// that what is here and what is on the table change together.
	changing sync.Mutex

	table *slot.Table

	mu   sync.RWMutex // protects all below; only the table's locks are taken under it
	byID map[string]particulars
	room int // how many there may be before those that the table has forgotten go
}

// particulars are one game session's. They are replaced, never changed.
type particulars struct {
	created time.Time               // the game session's: an id may be given again
	input   *createGameSessionInput // nil: it was not created here
	rest    GameSession             // but the table's part
}

// minRoom keeps a small map from being swept again and again.
const minRoom = 64

func newGames(table *slot.Table) *games {
	return &games{table: table, byID: make(map[string]particulars), room: minRoom}
}

// of returns what is kept of gs.
func (g *games) of(gs session.GameSession) particulars {
	g.mu.RLock()
	defer g.mu.RUnlock()
	p := g.byID[gs.GameSessionID]
	if !p.created.Equal(gs.CreationTime) { // another of the same id, forgotten since
		return particulars{}
	}
	return p
}

// complete returns all there is of gs.
func (g *games) complete(gs session.GameSession) GameSession {
	whole := g.of(gs).rest
	whole.GameSession = gs
	if whole.ProtectionPolicy == "" {
		whole.ProtectionPolicy = noProtection
	}
	return whole
}

// get returns the game session of an id.
func (g *games) get(id string) (GameSession, error) {
	gs, err := g.table.GameSession(id)
	if err != nil {
		return GameSession{}, err
	}
	return g.complete(gs), nil
}

// keep keeps what the table does not hold of whole.
func (g *games) keep(whole GameSession, input *createGameSessionInput) {
	p := particulars{whole.CreationTime, input, whole}
	p.rest.GameSession = session.GameSession{}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.byID[whole.GameSessionID] = p
	if len(g.byID) > g.room {
		g.forget()
	}
}

// forget drops those that the table has forgotten. It is done whenever there are
// twice as many as were left the last time. g.mu is held.
func (g *games) forget() {
	for id, p := range g.byID {
		gs, err := g.table.GameSession(id)
		if err == nil && !gs.CreationTime.Equal(p.created) || errors.Is(err, session.ErrGameSessionNotFound) {
			delete(g.byID, id)
		}
	}
	g.room = max(minRoom, 2*len(g.byID))
}
