package main

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// latency is how long the latest joins took at the gate: from a request whose
// headers have been read to its player, validated. What the network and the
// WebSocket handshake take is not in it; who was refused is not counted.
type latency struct {
	mu     sync.Mutex
	latest [1024]time.Duration
	count  uint64 // of all there were
}

type arrivalKey struct{}

// arriving stands before the gate.
func (l *latency) arriving(gate http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gate.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), arrivalKey{}, time.Now())))
	})
}

// arrived is called behind the gate.
func (l *latency) arrived(ctx context.Context) {
	if began, ok := ctx.Value(arrivalKey{}).(time.Time); ok {
		l.add(time.Since(began))
	}
}

func (l *latency) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latest[l.count%uint64(len(l.latest))] = d
	l.count++
}

// quantiles are of the latest joins, and 0 before the first; count is of all.
func (l *latency) quantiles() (p50, p99 time.Duration, count uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := int(min(l.count, uint64(len(l.latest))))
	if n == 0 {
		return 0, 0, 0
	}
	sorted := slices.Sorted(slices.Values(l.latest[:n]))
	return sorted[(n-1)*50/100], sorted[(n-1)*99/100], l.count
}
