package slot

import "github.com/usher-go/usher/session"

// Lookup returns a player session, live or retained. Its PlayerSessionID is the
// string passed in.
//
// Errors: ErrClosed, ErrInvalidPlayerSessionID, ErrPlayerSessionNotFound.
func (t *Table) Lookup(playerSessionID string) (session.PlayerSession, error) {
	s, r, err := t.lockStripe(playerSessionID)
	if err != nil {
		return session.PlayerSession{}, err
	}
	g := t.games.at(r.game)
	found := s.settled(r, t.horizon.Load(), g.ended.Load())
	s.mu.Unlock()
	return g.present(&found, playerSessionID), nil
}

// Live returns the RESERVED or ACTIVE session of a player in a game session, the
// oldest if there are several. It costs the same however many the table holds, but
// under DuplicatesAllow it looks at those of the player that are retained, too, and
// makes players' lists if it is the first to ask for one, as [Table.Describe] does.
//
// Errors: ErrClosed, ErrGameSessionNotFound, ErrPlayerSessionNotFound.
func (t *Table) Live(gameSessionID, playerID string) (session.PlayerSession, error) {
	defer t.checked()
	if !t.roster.byLife && !t.closed.Load() && t.games.get(gameSessionID) != nil {
		t.roster.listPlayers()
	}
	g, err := t.lockGame(gameSessionID)
	if err != nil {
		return session.PlayerSession{}, err
	}
	t.now() // deadlines are judged by the clock
	r, ok := t.liveOf(g, playerID, t.roster.hash(playerID))
	t.unlock(g)
	t.forgetSurplus(all) // on the way, one may have ended
	if !ok {
		return session.PlayerSession{}, session.ErrPlayerSessionNotFound
	}
	return g.present(&r, t.keys.id(&r)), nil
}
