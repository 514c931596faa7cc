package validator

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// EndedError tells why a gate closed a connection, or cancelled a request: the
// player session is not this connection's any more. It is what a [Conn] returns
// from Read and Write then, and the cause of a request's context.
type EndedError struct {
	// Cause is what happened to the player session: CauseReleased,
	// CauseTerminated, CauseReplaced, CauseWindowOver, CauseReturned (a later
	// connection has it), or CauseDropped (somebody called Disconnect, or the
	// connection had failed for good and was not closed).
	Cause session.Cause
}

// Error returns the text of the error; it names no player.
func (e *EndedError) Error() string {
	return fmt.Sprintf("validator: the player session is not this connection's any more: %s", e.Cause)
}

// Is reports whether target is [net.ErrClosed], which is what a loop that reads
// ends quietly for.
func (e *EndedError) Is(target error) bool { return target == net.ErrClosed }

// guests are the players that came in by one gate and are connected. One
// subscription to the table, which lasts from the first guest to close, tells it
// whose player session ended elsewhere.
type guests struct {
	table  *slot.Table
	log    zerolog.Logger
	accept func(playerSessionID string) (session.PlayerSession, error)

	mu       sync.Mutex          // protects the rest; not held while accepting, which may log
	arriving map[string]*arrival // by player session id, those whose accept is under way
	inside   map[string]*guest   // likewise, the latest connection of each player
	cancel   func()              // ends the subscription; nil while there is none
	closed   bool
}

// arrival are the connections that are being accepted for one player session, and
// what was heard of it meanwhile: those of generation lost and older have lost it.
type arrival struct {
	connections int
	lost        uint32
	why         session.Cause
}

// guest is one connection, or request, of a player.
type guest struct {
	playerSession session.PlayerSession
	end           func(error) // closes the connection, or cancels the request
}

func newGuests(v *Validator, takeOver bool) *guests {
	g := &guests{
		table: v.table, log: v.log, accept: v.table.Activate,
		arriving: map[string]*arrival{}, inside: map[string]*guest{},
	}
	if takeOver {
		g.accept = v.table.TakeOver
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
	a := g.expect(playerSessionID)
	ps, err := g.accept(playerSessionID)
	return g.enter(playerSessionID, a, ps, err, end)
}

// expect is called before an accept, so that no event is missed.
func (g *guests) expect(playerSessionID string) *arrival {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cancel == nil {
		g.cancel = g.table.Subscribe(g.heard)
	}
	a := g.arriving[playerSessionID]
	if a == nil {
		a = new(arrival)
		g.arriving[playerSessionID] = a
	}
	a.connections++
	return a
}

// enter is called after it, and returns its error.
func (g *guests) enter(playerSessionID string, a *arrival, ps session.PlayerSession, err error, end func(error)) (*guest, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer g.unsubscribe() // if nobody came in
	if a.connections--; a.connections == 0 {
		delete(g.arriving, playerSessionID)
	}
	if err != nil {
		return nil, err
	}
	arrived := &guest{playerSession: ps, end: end}
	other := g.inside[playerSessionID]
	switch {
	case a.lost >= ps.Generation:
		go end(&EndedError{a.why})
	case other != nil && other.playerSession.Generation > ps.Generation:
		go end(&EndedError{session.CauseReturned})
	default:
		g.evict(playerSessionID, ps.Generation-1, session.CauseReturned)
		g.inside[playerSessionID] = arrived
	}
	return arrived, nil
}

// show lets look see a player session that could be accepted. One that could not
// is left to accept, which knows the reason, counts it and logs it.
func (g *guests) show(playerSessionID string, look func(session.PlayerSession) error) error {
	if look == nil {
		return nil
	}
	ps, err := g.table.Lookup(playerSessionID)
	if err == nil && !ps.Status.Terminal() {
		err = survive(g.log, "Admit", func() error { return look(ps) })
		if err != nil && !errors.Is(err, errHungUp) {
			g.log.Info().Str("player_session_id", session.Redact(playerSessionID)).
				Str("player_id", session.RedactPlayerID(ps.PlayerID)).
				Str("reason", session.Reason(err)).Msg("player refused by Admit")
		}
		return err
	}
	if ps, err = g.accept(playerSessionID); err != nil {
		return err
	}
	// It was reserved this very instant, under an id from elsewhere, and nobody
	// has looked at it.
	_ = g.table.Disconnect(playerSessionID, ps.Generation)
	return session.ErrPlayerSessionNotFound
}

// errPanicked refuses whom a hook that panics could not judge.
var errPanicked = errors.New("validator: a hook panicked; see the log")

// survive calls a hook. If it panics, the log names the type of the panic's value,
// and its text only if it is an error of the runtime: any other may hold what must
// not be logged.
func survive(log zerolog.Logger, name string, hook func() error) (err error) {
	defer func() {
		recovered := recover()
		if recovered == nil {
			return
		}
		err = errPanicked
		e := log.Error().Str("hook", name).Str("panic", fmt.Sprintf("%T", recovered))
		if fault, ok := recovered.(runtime.Error); ok {
			e.Str("error", fault.Error())
		}
		e.Bytes("stack", debug.Stack()).Msg("a hook panicked: its connection is refused")
	}()
	return hook()
}

// publicReason is the word for a refusal that its client is told. A stranger
// learns nothing of ids by guessing: a malformed one is answered as one that
// nobody reserved.
func publicReason(err error) string {
	if errors.Is(err, session.ErrInvalidPlayerSessionID) {
		err = session.ErrPlayerSessionNotFound
	}
	return session.Reason(err)
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
	if a := g.arriving[ps.PlayerSessionID]; a != nil && a.lost < latest {
		a.lost, a.why = latest, e.Cause
	}
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

// left says that the player has left for good, be the connection still there or
// dropped. It does nothing if a later connection has the player session.
func (g *guests) left(gone *guest) error {
	g.forget(gone)
	id := gone.playerSession.PlayerSessionID
	ps, err := g.table.Lookup(id)
	if err != nil || ps.Generation != gone.playerSession.Generation {
		return err
	}
	_, err = g.table.Release(id)
	return err
}

// forget leaves a later connection of the same player session alone.
func (g *guests) forget(gone *guest) {
	id := gone.playerSession.PlayerSessionID
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside[id] == gone {
		delete(g.inside, id)
		g.unsubscribe()
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
	if g.closed && len(g.arriving)+len(g.inside) == 0 && g.cancel != nil {
		g.cancel()
		g.cancel = nil
	}
}
