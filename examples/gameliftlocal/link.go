package main

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	// maxQueued bounds the frames that wait for a server process to read them.
	maxQueued = 256

	// writeTimeout bounds how long one may take to read a frame.
	writeTimeout = 10 * time.Second
)

// link is one WebSocket connection of a server process. A process that loses it
// comes back with another.
type link struct {
	identity
	conn   *websocket.Conn
	number uint64 // of the connection: a later one supersedes it
	out    chan outgoing
	turn   sync.Mutex      // held from when a request is carried out until its answer is queued
	gone   context.Context // done once the connection is, or is to be cut
	cut    context.CancelFunc
}

// outgoing is a frame, or without one the end of the connection.
type outgoing struct {
	frame []byte
	end   websocket.StatusCode
}

// identity is what the query of the WebSocket's URL says about who connects.
type identity struct {
	processID, compute, fleet string
	sdk                       string
	attempt                   string // the IdempotencyToken; Go and C++ keep it when they reconnect
	address                   string // of the machine that the process runs on
}

func identify(r *http.Request) (identity, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return identity{}, badRequest("the query cannot be read")
	}
	id := identity{
		processID: q.Get("pID"),
		compute:   q.Get("ComputeId"),
		fleet:     q.Get("FleetId"),
		sdk:       q.Get("sdkLanguage") + " " + q.Get("sdkVersion"),
		attempt:   q.Get("IdempotencyToken"),
	}
	if id.processID == "" {
		return id, badRequest("pID is required: a server SDK of version 5 sends it")
	}
	id.address, _, _ = net.SplitHostPort(r.RemoteAddr)
	return id, nil
}

func newLink(id identity, conn *websocket.Conn) *link {
	l := &link{identity: id, conn: conn, out: make(chan outgoing, maxQueued)}
	l.gone, l.cut = context.WithCancel(context.Background())
	return l
}

// reply queues an answer, and waits while the process does not read.
func (l *link) reply(a answer) { l.queue(outgoing{frame: encode(a)}) }

// hangUp ends the connection once what is queued has been sent. The SDKs do not
// reconnect after StatusNormalClosure and StatusGoingAway.
func (l *link) hangUp(status websocket.StatusCode) { l.queue(outgoing{end: status}) }

// retire is hangUp for those that a request may have told to.
func (l *link) retire() {
	l.turn.Lock()
	defer l.turn.Unlock()
	l.hangUp(websocket.StatusGoingAway)
}

func (l *link) queue(o outgoing) {
	select {
	case l.out <- o:
	case <-l.gone.Done():
	}
}

// push queues a message without waiting: a process that reads nothing is cut off.
func (l *link) push(frame []byte) {
	select {
	case l.out <- outgoing{frame: frame}:
	default:
		l.cut()
	}
}

// write sends what is queued, in order, until the link is gone.
func (l *link) write() {
	defer l.cut()
	for {
		select {
		case o := <-l.out:
			if l.send(o) != nil {
				return
			}
		case <-l.gone.Done():
			return
		}
	}
}

// send returns an error if the connection has ended, also if o has asked for it.
func (l *link) send(o outgoing) error {
	if o.frame == nil {
		_ = l.conn.Close(o.end, "")
		return net.ErrClosed
	}
	ctx, cancel := context.WithTimeout(l.gone, writeTimeout)
	defer cancel()
	return l.conn.Write(ctx, websocket.MessageText, o.frame)
}
