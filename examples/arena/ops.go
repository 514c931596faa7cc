package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

const (
	watchers = 16                     // pages that watch at a time
	pace     = 100 * time.Millisecond // between two snapshots for a page
	refresh  = time.Second            // refusals make no event, so they are looked for
)

// ops is the operator's page: who sits where, live, and a way to end it.
type ops struct {
	table    *slot.Table
	peers    *peers
	board    *board
	watching chan struct{} // a token for each watcher
}

func newOps(t *slot.Table, p *peers, b *board) *ops {
	return &ops{table: t, peers: p, board: b, watching: make(chan struct{}, watchers)}
}

func (o *ops) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler("/ops", http.StatusFound))
	servePage(mux, "/ops", "ops.html")
	servePage(mux, "/ops.js", "ops.js")
	servePage(mux, "/style.css", "style.css")
	mux.HandleFunc("GET /ops/events", o.events)
	mux.HandleFunc("POST /ops/kick", o.kick)
	return secure(local(mux))
}

// local refuses a request that was made for another name: a page elsewhere, whose
// own name is made to point here, would pass for one of ours.
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if host != "localhost" && (err != nil || !ip.IsLoopback()) {
			http.Error(w, "only for this machine", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// events sends a snapshot whenever something has happened, and once a second, as
// server-sent events.
func (o *ops) events(w http.ResponseWriter, r *http.Request) {
	select {
	case o.watching <- struct{}{}:
		defer func() { <-o.watching }()
	default:
		http.Error(w, "too many are watching", http.StatusServiceUnavailable)
		return
	}
	if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil { // it would end the request
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	for {
		happens := o.board.happens()
		if err := o.send(w); err != nil {
			return
		}
		if !await(r, nil, pace) || !await(r, happens, refresh) {
			return
		}
	}
}

// await waits for a signal, or as long as patience; false: the request is over.
func await(r *http.Request, signal <-chan struct{}, patience time.Duration) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-signal:
	case <-timer.C:
	case <-r.Context().Done():
		return false
	}
	return true
}

func (o *ops) send(w http.ResponseWriter) error {
	view, err := o.board.view()
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(view)
	if err != nil {
		return err
	}
	c := http.NewResponseController(w)
	if err := c.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "data: %s\n\n", encoded); err != nil {
		return err
	}
	return c.Flush()
}

// kick ends the player session that is named as the page knows it: by its seat and
// its redacted id, so that nobody is hit who has taken the seat since.
func (o *ops) kick(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Seat int
		ID   string
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&request); err != nil {
		refuse(w, session.ErrInvalidField)
		return
	}
	id, err := o.board.find(request.Seat, request.ID)
	if err != nil {
		refuse(w, err)
		return
	}
	o.peers.dismiss(id, errKicked)
	if _, err := o.table.Release(id); err != nil {
		refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
