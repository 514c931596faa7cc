package main

import (
	"context"
	"errors"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/session"
)

// floor is no contender: it accepts, and that is all.
type floor struct{ *measure.Floor }

func openFloor(s Setup) (Contender, error) { return &floor{measure.NewFloor(s.Games[0])}, nil }

func (f *floor) Reserve(r Request) (session.PlayerSession, error) {
	id := session.NewPlayerSessionID()
	f.Floor.Reserve(id, r.PlayerID, r.PlayerData)
	return session.PlayerSession{PlayerSessionID: id, Status: session.StatusReserved}, nil
}

var errNoSeats = errors.New("the floor frees no seats")

func (f *floor) Release(string) error                  { return errNoSeats }
func (f *floor) AwaitEmpty(context.Context, int) error { return errNoSeats }
func (f *floor) Close() error                          { return nil }
