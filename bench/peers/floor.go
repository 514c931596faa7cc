package main

import (
	"context"
	"errors"
	"time"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/session"
)

// floor is no contender: it accepts, and that is all. Who times out is found by his id
// and flipped under his stripe's lock, as if he were accepted: no expiry can do with less.
type floor struct {
	accepter

	absent   []byte    // ids of those who reserved with a timeout of their own
	deadline time.Time // of the last of them
}

type accepter interface {
	Reserve(id, playerID, playerData string)
	AcceptPlayerSession(id string) (session.PlayerSession, error)
	Clear()
}

func openFloor(s Setup) (Contender, error) {
	return &floor{accepter: measure.NewFloor(floorGame(s))}, nil
}

// openCheckedFloor is what an accept takes at least that lets nobody in by accident.
func openCheckedFloor(s Setup) (Contender, error) {
	return &floor{accepter: measure.NewCheckedFloor(floorGame(s))}, nil
}

// floorGame has the seats of all.
func floorGame(s Setup) session.GameSession {
	g := s.Games[0]
	for _, other := range s.Games[1:] {
		g.MaximumPlayerSessionCount += other.MaximumPlayerSessionCount
	}
	return g
}

func (f *floor) Reserve(r Request) (session.PlayerSession, error) {
	id := session.NewPlayerSessionID()
	f.accepter.Reserve(id, r.PlayerID, r.PlayerData)
	if r.Timeout > 0 {
		f.absent = append(f.absent, id...)
		f.deadline = time.Now().Add(r.Timeout)
	}
	return session.PlayerSession{PlayerSessionID: id, Status: session.StatusReserved}, nil
}

// AwaitEmpty waits for the deadline and lets all time out.
func (f *floor) AwaitEmpty(context.Context, int) error {
	absent := measure.IDs{Text: string(f.absent), Each: measure.IDLen}
	time.Sleep(time.Until(f.deadline))
	for i := range absent.Len() {
		if _, err := f.AcceptPlayerSession(absent.At(i)); err != nil {
			return err
		}
	}
	return nil
}

func (f *floor) Release(string) error { return errors.New("the floor frees no seats") }
func (f *floor) Close() error         { return nil }
