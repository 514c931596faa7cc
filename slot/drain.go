package slot

import (
	"context"

	"github.com/usher-go/usher/session"
)

// Drain refuses new reservations from now on, with ErrDraining, and waits until
// nobody is RESERVED or ACTIVE: then it returns nil. Whoever holds a reservation
// may still be accepted, extend it, and return. If ctx ends first, its error is
// returned, and the table goes on draining; ErrClosed if the table is closed
// meanwhile.
func (t *Table) Drain(ctx context.Context) error {
	defer t.checked()
	if t.closed.Load() {
		return session.ErrClosed
	}
	if !t.draining.Swap(true) {
		t.base.draining(int(t.held.Load()))
	}
	for _, g := range t.games.all() {
		g.mu.Lock() // a reservation that is under way has been made, after this
		empty := g.whenEmpty()
		t.unlock(g)
		if err := t.await(ctx, empty); err != nil {
			return err
		}
	}
	return nil
}

// DrainGameSession refuses new reservations in a game session, which is
// TERMINATING, and waits until nobody is RESERVED or ACTIVE in it; then it is
// TERMINATED, also if nobody waits any more. It returns as Drain does; nil for
// one that is TERMINATED.
//
// Errors besides: ErrGameSessionNotFound.
func (t *Table) DrainGameSession(ctx context.Context, id string) error {
	defer t.checked()
	g, err := t.lockGame(id)
	if err != nil {
		return err
	}
	if g.Status != session.GameSessionTerminated {
		g.Status = session.GameSessionTerminating
		if g.held == 0 {
			t.emptied(g)
		}
	}
	empty := g.whenEmpty()
	t.unlock(g)
	return t.await(ctx, empty)
}

// whenEmpty returns a channel that is closed once nobody holds a seat, or nil if
// nobody does. g is locked.
func (g *gameSession) whenEmpty() <-chan struct{} {
	if g.held == 0 {
		return nil
	}
	if g.empty == nil {
		g.empty = make(chan struct{})
	}
	return g.empty
}

func (t *Table) await(ctx context.Context, empty <-chan struct{}) error {
	if empty == nil {
		return nil
	}
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-t.done:
		return session.ErrClosed
	}
}
