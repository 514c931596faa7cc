package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/validator"
)

const (
	wishSize   = 2  // bytes: how far to the right, how far down, from -127 to 127
	wishRate   = 60 // a second; a page sends 20 at most
	heartbeat  = 10 * time.Second
	codeEnded  = 4410 // as the gate's refusals: the session is over
	codeMoved  = 4409 // another connection has it
	codeClosed = 4503
)

// Why a connection is ended that has done nothing wrong.
var (
	errKicked  = errors.New("arena: kicked by the operator")
	errClosing = errors.New("arena: the server closes")
)

// peer is one player's connection.
type peer struct {
	player session.PlayerSession
	conn   *websocket.Conn
	arena  *arena
	end    context.CancelCauseFunc
	done   chan struct{} // closed when the connection is
}

// play goes on until the page leaves or ctx ends. The page sends two bytes when it
// wants to move elsewhere, and gets a greeting and then frames.
func (p *peer) play(ctx context.Context, greeting []byte) {
	var helpers sync.WaitGroup
	defer helpers.Wait()
	defer func() { _ = p.conn.CloseNow() }()
	outlet, unwatch := p.arena.watch()
	defer unwatch()
	helpers.Go(func() { p.end(p.listen()) })
	helpers.Go(func() { p.end(p.beat(ctx)) })

	p.send(greeting)
	for {
		select {
		case f := <-outlet.frames:
			p.send(f)
		case <-ctx.Done():
			p.farewell(context.Cause(ctx))
			return
		}
	}
}

// send gives up on a page that does not read.
func (p *peer) send(message []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.conn.Write(ctx, websocket.MessageText, message); err != nil {
		p.end(err)
	}
}

// listen passes on what the page wants, until it hangs up or wants too much.
func (p *peer) listen() error {
	p.conn.SetReadLimit(wishSize)
	pace := rate.NewLimiter(wishRate, wishRate)
	for {
		kind, wish, err := p.conn.Read(context.Background()) // ends when the connection does
		switch {
		case err != nil:
			return err
		case !pace.Allow():
			return errTooFast
		case kind != websocket.MessageBinary || len(wish) != wishSize:
			return session.ErrInvalidField
		}
		dx, dy := float64(int8(wish[0]))/127, float64(int8(wish[1]))/127
		p.arena.steer(p.player.PlayerSessionID, p.player.Generation, dx, dy)
	}
}

// beat finds out when the other side is gone without a word.
func (p *peer) beat(ctx context.Context) error {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		answer, cancel := context.WithTimeout(ctx, heartbeat)
		err := p.conn.Ping(answer)
		cancel()
		if err != nil {
			return err
		}
	}
}

// farewell says why, if there is somebody to hear it.
func (p *peer) farewell(why error) {
	var ended *validator.EndedError
	switch {
	case errors.Is(why, errKicked):
		_ = p.conn.Close(codeEnded, "kicked")
	case errors.Is(why, errClosing):
		_ = p.conn.Close(codeClosed, session.Reason(session.ErrClosed))
	case errors.Is(why, errTooFast):
		_ = p.conn.Close(websocket.StatusPolicyViolation, "too_fast")
	case errors.Is(why, session.ErrInvalidField):
		_ = p.conn.Close(websocket.StatusUnsupportedData, session.Reason(why))
	case errors.As(why, &ended) && ended.Cause == session.CauseReturned:
		_ = p.conn.Close(codeMoved, ended.Cause.String())
	case errors.As(why, &ended):
		_ = p.conn.Close(codeEnded, ended.Cause.String())
	}
}
