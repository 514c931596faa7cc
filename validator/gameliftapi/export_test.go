package gameliftapi

import "net/http"

// Kept returns a function that counts the game sessions of which something is kept
// beside the table.
func Kept(h http.Handler) func() int {
	games := h.(*handler).games
	return func() int {
		games.mu.RLock()
		defer games.mu.RUnlock()
		return len(games.byID)
	}
}
