package main

import "sync"

// room passes on what a player says to everybody in it.
type room struct {
	mu      sync.Mutex
	players map[chan string]bool
}

func newRoom() *room { return &room{players: map[chan string]bool{}} }

// join returns what is said from now on; it is closed by leave.
func (r *room) join() (lines chan string, leave func()) {
	lines = make(chan string, 16)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.players[lines] = true
	return lines, sync.OnceFunc(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.players, lines)
		close(lines)
	})
}

func (r *room) say(player, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for lines := range r.players {
		select {
		case lines <- player + ": " + text:
		default: // who does not keep up misses a line
		}
	}
}
