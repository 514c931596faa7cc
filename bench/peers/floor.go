package main

import (
	"context"
	"errors"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/session"
)

// floor is no contender: it accepts, and that is all.
type floor struct{ accepter }

type accepter interface {
	Reserve(id, playerID, playerData string)
	AcceptPlayerSession(id string) (session.PlayerSession, error)
	Clear()
}

func openFloor(s Setup) (Contender, error) { return &floor{measure.NewFloor(s.Games[0])}, nil }

// openCheckedFloor is what an accept takes at least that lets nobody in by accident.
func openCheckedFloor(s Setup) (Contender, error) {
	return &floor{measure.NewCheckedFloor(s.Games[0])}, nil
}

func (f *floor) Reserve(r Request) (session.PlayerSession, error) {
	id := session.NewPlayerSessionID()
	f.accepter.Reserve(id, r.PlayerID, r.PlayerData)
	return session.PlayerSession{PlayerSessionID: id, Status: session.StatusReserved}, nil
}

var errNoSeats = errors.New("the floor frees no seats")

func (f *floor) Release(string) error                  { return errNoSeats }
func (f *floor) AwaitEmpty(context.Context, int) error { return errNoSeats }
func (f *floor) Close() error                          { return nil }
