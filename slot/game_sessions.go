package slot

import (
	"slices"
	"sync"

	"go.uber.org/atomic"

	"github.com/usher-go/usher/session"
)

// gameSessions are the game sessions, live and retained, by id and by number.
type gameSessions struct {
	mu     sync.RWMutex // protects all below; no other lock is taken under it
	byID   map[string]*gameSession
	oldest []*gameSession // in order of creation
	unused []uint32       // numbers

	// numbered is read without the lock by whoever holds the lock of a stripe
	// with a record of that number: such a game session is not forgotten.
	numbered atomic.Pointer[[]*gameSession]

	// newest is the one that was created last, or nil if it is forgotten. Most
	// processes have one at a time, which is found here without lock or hash.
	newest atomic.Pointer[gameSession]
}

// get returns the game session of an id, or nil.
func (gs *gameSessions) get(id string) *gameSession {
	if g := gs.newest.Load(); g != nil && g.GameSessionID == id {
		return g
	}
	gs.mu.RLock()
	defer gs.mu.RUnlock()
	return gs.byID[id]
}

// at returns the game session of a record whose stripe's lock is held.
func (gs *gameSessions) at(number uint32) *gameSession { return (*gs.numbered.Load())[number] }

// lookup returns the game session of a number, or nil. Who holds no stripe's
// lock must make sure afterwards that the number has not been given again.
func (gs *gameSessions) lookup(number uint32) *gameSession {
	gs.mu.RLock()
	defer gs.mu.RUnlock()
	return gs.at(number)
}

func (gs *gameSessions) all() []*gameSession {
	gs.mu.RLock()
	defer gs.mu.RUnlock()
	return slices.Clone(gs.oldest)
}

func (gs *gameSessions) len() int {
	gs.mu.RLock()
	defer gs.mu.RUnlock()
	return len(gs.oldest)
}

func newGameSessions() *gameSessions {
	gs := &gameSessions{byID: make(map[string]*gameSession)}
	gs.numbered.Store(new([]*gameSession))
	return gs
}

// add enters g under a number of its own.
func (gs *gameSessions) add(g *gameSession, closed func() bool) error {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if closed() {
		return session.ErrClosed
	}
	if gs.byID[g.GameSessionID] != nil {
		return session.ErrGameSessionExists
	}
	gs.number(g)
	gs.byID[g.GameSessionID] = g
	gs.newest.Store(g)
	gs.oldest = append(gs.oldest, g)
	return nil
}

// number gives g a number. gs.mu is held.
func (gs *gameSessions) number(g *gameSession) {
	if n := len(gs.unused); n > 0 {
		g.number, gs.unused = gs.unused[n-1], gs.unused[:n-1]
		(*gs.numbered.Load())[g.number] = g
		return
	}
	// Readers hold on to the slice they loaded: append may write behind its end only.
	numbered := append(*gs.numbered.Load(), g)
	g.number = uint32(len(numbered) - 1)
	gs.numbered.Store(&numbered)
}

func (gs *gameSessions) remove(g *gameSession) {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	delete(gs.byID, g.GameSessionID)
	gs.newest.CompareAndSwap(g, nil)
	if i := slices.Index(gs.oldest, g); i >= 0 {
		gs.oldest = slices.Delete(gs.oldest, i, i+1)
	}
	(*gs.numbered.Load())[g.number] = nil
	gs.unused = append(gs.unused, g.number)
}
