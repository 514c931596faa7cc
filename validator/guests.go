package validator

import (
	"fmt"
	"sync"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// EndedError tells why a gate closed a connection, or cancelled a request: the
// player session is not this connection's any more. It is what a [Conn] returns
// from Read and Write then, and the cause of a request's context.
type EndedError struct {
	// Cause is what happened to the player session: CauseReleased,
	// CauseTerminated, CauseReplaced, CauseWindowOver, CauseDropped (somebody
	// else called Disconnect), or CauseReturned (a later connection has it).
	Cause session.Cause
}

// Error returns the text of the error; it names no player.
func (e *EndedError) Error() string {
	return fmt.Sprintf("validator: the player session is not this connection's any more: %s", e.Cause)
}

// guests are the players that came in by one gate and are connected. One
// subscription to the table, which lasts from the first guest to close, tells it
// whose player session ended elsewhere.
type guests struct {
	table  *slot.Table
	accept func(playerSessionID string) (session.PlayerSession, error)

	mu     sync.Mutex        // held from the accept of a guest until it is in inside; protects the rest
	inside map[string]*guest // by player session id, the latest connection of each
	cancel func()            // ends the subscription; nil while there is none
	closed bool
}

// guest is one connection, or request, of a player.
type guest struct {
	playerSession session.PlayerSession
	end           func(error) // closes the connection, or cancels the request
}

func newGuests(t *slot.Table, takeOver bool) *guests {
	g := &guests{table: t, accept: t.Activate, inside: map[string]*guest{}}
	if takeOver {
		g.accept = t.TakeOver
	}
	return g
}

// admit accepts a player and takes note of it. look, if any, sees the player
// session before; its error refuses, and nothing has changed then. end is called,
// once at most and on a goroutine of its own, when the player session ends
// without dropped or left having been called; that may be before admit returns.
func (g *guests) admit(playerSessionID string, look func(session.PlayerSession) error, end func(error)) (*guest, error) {
	if err := g.show(playerSessionID, look); err != nil {
		return nil, err
	}
	g.mu.Lock() // an event of what is accepted here waits until the guest is inside
	defer g.mu.Unlock()
	g.subscribe()
	ps, err := g.accept(playerSessionID)
	if err != nil {
		return nil, err
	}
	g.evict(ps.PlayerSessionID, ps.Generation-1, session.CauseReturned)
	arrived := &guest{playerSession: ps, end: end}
	g.inside[ps.PlayerSessionID] = arrived
	return arrived, nil
}

// show lets look see a player session that could be accepted. One that could not
// is left to accept, which knows the reason.
func (g *guests) show(playerSessionID string, look func(session.PlayerSession) error) error {
	if look == nil {
		return nil
	}
	ps, err := g.table.Lookup(playerSessionID)
	if err != nil || ps.Status.Terminal() {
		return nil //nolint:nilerr // accept refuses it, and counts the refusal
	}
	return look(ps)
}

// heard is the gate's subscriber.
func (g *guests) heard(e session.Event) {
	ps := &e.PlayerSession
	latest := ps.Generation // of the connections that have lost the session
	switch {
	case e.To.Terminal(), e.Cause == session.CauseDropped:
	case e.Cause == session.CauseReturned:
		latest--
	default:
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.evict(ps.PlayerSessionID, latest, e.Cause)
	g.unsubscribe()
}

// evict ends the connection of a player session, if it is of generation or older.
// It requires g.mu held.
func (g *guests) evict(playerSessionID string, generation uint32, why session.Cause) {
	if guest := g.inside[playerSessionID]; guest != nil && guest.playerSession.Generation <= generation {
		delete(g.inside, playerSessionID)
		go guest.end(&EndedError{why}) // closing a connection may block
	}
}

// dropped says that the connection is gone: the seat waits for the player's
// return as long as the table lets it. Later calls do nothing.
func (g *guests) dropped(gone *guest) error {
	g.forget(gone)
	return g.table.Disconnect(gone.playerSession.PlayerSessionID, gone.playerSession.Generation)
}

// left says that the player has left for good.
func (g *guests) left(gone *guest) error {
	if !g.forget(gone) {
		return nil // the session is another connection's by now, or has ended
	}
	_, err := g.table.Release(gone.playerSession.PlayerSessionID)
	return err
}

// forget tells whether the player session was still this connection's.
func (g *guests) forget(gone *guest) bool {
	id := gone.playerSession.PlayerSessionID
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside[id] != gone {
		return false
	}
	delete(g.inside, id)
	g.unsubscribe()
	return true
}

func (g *guests) subscribe() { // requires g.mu held
	if g.cancel == nil {
		g.cancel = g.table.Subscribe(g.heard)
	}
}

// close ends the subscription as soon as nobody is inside.
func (g *guests) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.unsubscribe()
}

func (g *guests) unsubscribe() { // requires g.mu held
	if g.closed && len(g.inside) == 0 && g.cancel != nil {
		g.cancel()
		g.cancel = nil
	}
}
