package main

import (
	"context"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/rs/zerolog"

	"github.com/usher-go/usher/session"
)

// door is where server processes connect.
type door struct {
	fleet  *fleet
	faults *faults
	token  string // "": any is taken
	log    zerolog.Logger
	ending context.Context // done once all connections are to end
	links  sync.WaitGroup
}

// ServeHTTP serves one connection until it is gone.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.links.Add(1)
	defer d.links.Done()
	id, err := identify(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if d.token != "" && subtle.ConstantTimeCompare([]byte(r.URL.Query().Get("Authorization")), []byte(d.token)) == 0 {
		d.log.Warn().Str("address", id.address).Msg("server process refused: its AuthToken is wrong")
		http.Error(w, "the AuthToken is wrong", http.StatusUnauthorized)
		return
	}
	if r.Header.Get("Origin") != "" { // a browser: any page in it could come here
		http.Error(w, "web pages are not let in", http.StatusForbidden)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxFrame)
	d.serve(newLink(id, conn))
}

func (d *door) serve(l *link) {
	var running sync.WaitGroup
	running.Go(l.write)
	stop := context.AfterFunc(d.ending, l.retire)
	d.fleet.connected(l)
	d.read(l, &running)
	stop()
	l.cut()
	running.Wait()
	d.fleet.disconnected(l) // last: each request says that the process is there
}

// read has all requests handled, in order but for those that a fault delays.
func (d *door) read(l *link, running *sync.WaitGroup) {
	for {
		kind, frame, err := l.conn.Read(l.gone)
		if err != nil {
			return
		}
		q, err := decode(frame)
		if kind != websocket.MessageText {
			err = badRequest("a request is a text frame")
		}
		if err != nil {
			d.answer(l, q, answer{}, err)
			continue
		}
		delay, fault := d.faults.strike(q.Action)
		if delay == 0 {
			d.handle(l, q, fault)
			continue
		}
		running.Go(func() {
			if sleep(l.gone, delay) {
				d.handle(l, q, fault)
			}
		})
	}
}

// sleep tells whether it has slept for d before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// handle carries out a request, unless fault says that it fails.
func (d *door) handle(l *link, q request, fault error) {
	act := actions[q.Action]
	if act == nil {
		d.answer(l, q, answer{}, badRequest("there is no action of this name"))
		return
	}
	if fault != nil {
		d.answer(l, q, answer{}, fault)
		return
	}
	l.turn.Lock()
	defer l.turn.Unlock()
	a, err := act(d.fleet, l, q)
	d.answer(l, q, a, err)
	switch {
	case err != nil:
	case q.Action == "ActivateServerProcess":
		d.fleet.settle(l)
	case q.Action == "TerminateServerProcess":
		l.hangUp(websocket.StatusNormalClosure)
	}
}

func (d *door) answer(l *link, q request, a answer, err error) {
	if err != nil && !logged(err) {
		reason := err.Error()
		e := d.log.Info().Str("process_id", l.processID).Str("action", known(q.Action)).Int("status", a.complete(q, err).StatusCode)
		if id := q.PlayerSessionID; id != "" {
			e.Str("player_session_id", session.Redact(id))
			reason = strings.ReplaceAll(reason, "("+id+")", "("+session.Redact(id)+")")
		}
		e.Str("reason", reason).Msg("server process refused")
	}
	l.reply(a.complete(q, err))
}

// known keeps what a stranger wrote out of the log.
func known(action string) string {
	if actions[action] == nil {
		return "unknown"
	}
	return action
}
