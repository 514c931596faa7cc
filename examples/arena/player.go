package main

import (
	"math"
	"time"

	"github.com/usher-go/usher/session"
)

const (
	radius = 22.0
	speed  = 460.0 // units a second, at full tilt
	grip   = 9.0   // how fast a player takes up the direction asked for, per second
)

// player is an avatar: there from the first accept of a player session to its end.
type player struct {
	seat       int
	name       string
	generation uint32 // whose connection may steer
	x, y       float64
	vx, vy     float64
	dx, dy     float64 // where to, as the player asks: at most 1 long
	score      int
	awaySince  time.Time // zero while connected
}

func newPlayer(ps session.PlayerSession, x, y float64) *player {
	return &player{seat: ps.Slot, name: nameOf(ps), generation: ps.Generation, x: x, y: y}
}

// returned is a player's new connection, the first one included.
func (p *player) returned(generation uint32) {
	p.generation, p.awaySince = generation, time.Time{}
	p.dx, p.dy = 0, 0
}

func (p *player) dropped(at time.Time) {
	p.awaySince = at
	p.dx, p.dy, p.vx, p.vy = 0, 0, 0, 0
}

// steer asks for a direction. What is longer than 1 is cut to it.
func (p *player) steer(dx, dy float64) {
	if length := math.Hypot(dx, dy); length > 1 {
		dx, dy = dx/length, dy/length
	}
	p.dx, p.dy = dx, dy
}

// move passes a tick. Walls stop.
func (p *player) move() {
	take := 1 - math.Exp(-grip*tick.Seconds())
	p.vx += (p.dx*speed - p.vx) * take
	p.vy += (p.dy*speed - p.vy) * take
	p.x = min(max(p.x+p.vx*tick.Seconds(), radius), width-radius)
	p.y = min(max(p.y+p.vy*tick.Seconds(), radius), height-radius)
}

func (p *player) reaches(s *spark) bool {
	return p.awaySince.IsZero() && math.Hypot(p.x-s.x, p.y-s.y) < radius+sparkRadius
}
