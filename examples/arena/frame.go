package main

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"time"
)

// frame is what a page draws: the whole arena, so that one that was missed is
// missed and no more. It names seats, never player sessions.
type frame struct {
	Tick    uint64       `json:"tick"`
	Players []playerView `json:"players"` // by seat
	Sparks  []sparkView  `json:"sparks"`
	Closing int64        `json:"closing_ms,omitempty"` // until everybody is sent home
}

type playerView struct {
	Seat  int     `json:"seat"`
	Name  string  `json:"name"`
	Hue   float64 `json:"hue"`
	X     float64 `json:"x"`
	Y     float64 `json:"y"`
	Score int     `json:"score"`
	Away  int64   `json:"away_ms,omitempty"` // since the connection was lost
}

type sparkView struct {
	Number int     `json:"n"`
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Worth  int     `json:"worth"`
}

// frame requires a.mu held.
func (a *arena) frame() []byte {
	f := frame{Tick: a.ticks, Players: []playerView{}, Sparks: []sparkView{}}
	for _, p := range a.players {
		v := playerView{Seat: p.seat, Name: p.name, Hue: hueOf(p.seat), X: tenth(p.x), Y: tenth(p.y), Score: p.score}
		if !p.awaySince.IsZero() {
			v.Away = max(time.Since(p.awaySince).Milliseconds(), 1)
		}
		f.Players = append(f.Players, v)
	}
	slices.SortFunc(f.Players, func(a, b playerView) int { return cmp.Compare(a.Seat, b.Seat) })
	for _, s := range a.sparks {
		f.Sparks = append(f.Sparks, sparkView{Number: s.number, X: tenth(s.x), Y: tenth(s.y), Worth: s.worth})
	}
	if !a.closing.IsZero() {
		f.Closing = max(time.Until(a.closing).Milliseconds(), 1)
	}
	encoded, err := json.Marshal(f)
	if err != nil {
		panic(err) // numbers and strings
	}
	return encoded
}

// tenth is all a page can show, and saves half of the digits.
func tenth(v float64) float64 { return math.Round(v*10) / 10 }
