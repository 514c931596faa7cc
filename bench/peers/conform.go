package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/session"
)

// patience is the timeout of reservations in the checks, and awhile how long
// something that should happen may take after it: otter looks once a second.
const (
	patience = 200 * time.Millisecond
	awhile   = 10 * time.Second
)

// Conform tests whether what open returns does the whole job, and returns what it
// does not do, joined. Nobody's time is taken before.
func Conform(open func(Setup) (Contender, error)) error {
	var failures []error
	for _, c := range []struct {
		does  string
		check func(Contender) error
		seats int
	}{
		{"hands back the whole player session", handsBack, 1},
		{"reserves as many seats as there are", keepsCapacity, 3},
		{"reserves as many seats as there are, in a race", keepsCapacityInARace, 10},
		{"refuses whom it does not know", refusesStrangers, 1},
		{"accepts each player once", acceptsOnce, 1},
		{"accepts each player once, in a race", acceptsOnceInARace, 100},
		{"frees the seat of whoever does not come in time", timesOut, 2},
		{"leaks no seat when players come, leave and time out at once", leaksNone, 50},
	} {
		if err := run(open, c.seats, c.check); err != nil {
			failures = append(failures, fmt.Errorf("it should be a contender that %s: %w", c.does, err))
		}
	}
	return errors.Join(failures...)
}

func run(open func(Setup) (Contender, error), seats int, check func(Contender) error) error {
	c, err := open(setup(patience, seats))
	if err != nil {
		return err
	}
	return errors.Join(check(c), c.Close())
}

func handsBack(c Contender) error {
	before := time.Now().Truncate(time.Millisecond)
	reserved, err := c.Reserve(Request{PlayerID: "alice", PlayerData: "red"})
	if err != nil {
		return err
	}
	g := setup(patience, 1).Games[0]
	want := session.PlayerSession{
		CreationTime:    reserved.CreationTime,
		DNSName:         g.DNSName,
		FleetARN:        g.FleetARN,
		FleetID:         g.FleetID,
		GameSessionID:   g.GameSessionID,
		IPAddress:       g.IPAddress,
		PlayerData:      "red",
		PlayerID:        "alice",
		PlayerSessionID: reserved.PlayerSessionID,
		Port:            g.Port,
		Status:          session.StatusReserved,
	}
	if reserved != want || session.ValidatePlayerSessionID(reserved.PlayerSessionID) != nil ||
		reserved.CreationTime.Before(before) || reserved.CreationTime.Location() != time.UTC {
		return fmt.Errorf("reserved %v, not %v", reserved, want)
	}
	accepted, err := c.AcceptPlayerSession(reserved.PlayerSessionID)
	want.Status = session.StatusActive
	accepted.Generation = 0 // the peers do not count connections
	if err != nil || accepted != want {
		return fmt.Errorf("accepted %v (%w), not %v", accepted, err, want)
	}
	return nil
}

func keepsCapacity(c Contender) error {
	var ids []string
	for i := range 3 {
		ps, err := c.Reserve(Request{PlayerID: strconv.Itoa(i)})
		if err != nil {
			return err
		}
		ids = append(ids, ps.PlayerSessionID)
	}
	if err := full(c, "one too many"); err != nil {
		return err
	}
	if _, err := c.AcceptPlayerSession(ids[0]); err != nil {
		return err
	}
	for _, id := range ids[:2] { // one who has come, and one who has not
		if err := c.Release(id); err != nil {
			return err
		}
		if _, err := c.AcceptPlayerSession(id); err == nil {
			return errors.New("who has left was accepted")
		}
		if _, err := c.Reserve(Request{PlayerID: "after " + id}); err != nil {
			return fmt.Errorf("a seat was left: %w", err)
		}
		if err := full(c, "one too many"); err != nil {
			return err
		}
	}
	return nil
}

// full returns nil if a player is refused because all seats are held.
func full(c Contender, player string) error {
	if _, err := c.Reserve(Request{PlayerID: player}); !errors.Is(err, session.ErrGameSessionFull) {
		return fmt.Errorf("one more than there are seats: %w", err)
	}
	return nil
}

func keepsCapacityInARace(c Contender) error {
	var admitted atomic.Int32
	race(8, func(racer int) {
		for i := range 20 {
			if _, err := c.Reserve(Request{PlayerID: fmt.Sprint(racer, i)}); err == nil {
				admitted.Add(1)
			}
		}
	})
	if n := admitted.Load(); n != 10 {
		return fmt.Errorf("%d seats of 10 were reserved", n)
	}
	return nil
}

func refusesStrangers(c Contender) error {
	for _, id := range []string{"", "psess-", "nonsense", session.NewPlayerSessionID()} {
		if _, err := c.AcceptPlayerSession(id); err == nil {
			return fmt.Errorf("%q was accepted", id)
		}
	}
	return nil
}

func acceptsOnce(c Contender) error {
	ps, err := c.Reserve(Request{PlayerID: "alice"})
	if err != nil {
		return err
	}
	if _, err := c.AcceptPlayerSession(ps.PlayerSessionID); err != nil {
		return err
	}
	if _, err := c.AcceptPlayerSession(ps.PlayerSessionID); err == nil {
		return errors.New("accepted twice")
	}
	return nil
}

func acceptsOnceInARace(c Contender) error {
	var failed atomic.Pointer[error]
	for i := range 100 {
		ps, err := c.Reserve(Request{PlayerID: strconv.Itoa(i)})
		if err != nil {
			return err
		}
		var accepted atomic.Int32
		race(4, func(int) {
			got, err := c.AcceptPlayerSession(ps.PlayerSessionID)
			if err != nil {
				return
			}
			accepted.Add(1)
			if got.Status != session.StatusActive || got.PlayerID != ps.PlayerID {
				err = fmt.Errorf("accepted %v", got)
				failed.Store(&err)
			}
		})
		if n := accepted.Load(); n != 1 {
			return fmt.Errorf("accepted %d times", n)
		}
	}
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

func timesOut(c Contender) error {
	comes, err := c.Reserve(Request{PlayerID: "comes"})
	if err != nil {
		return err
	}
	if _, err := c.AcceptPlayerSession(comes.PlayerSessionID); err != nil {
		return err
	}
	began := time.Now()
	absent, err := c.Reserve(Request{PlayerID: "never comes"})
	if err != nil {
		return err
	}
	for err = full(c, "waits"); err == nil && time.Since(began) < awhile; err = full(c, "waits") {
		time.Sleep(patience / 100)
	}
	if took := time.Since(began); err == nil || took < patience {
		return fmt.Errorf("the seat was free again after %v, with a timeout of %v", took, patience)
	}
	// The loop ended because the one who waited has the seat now.
	if _, err := c.AcceptPlayerSession(absent.PlayerSessionID); err == nil {
		return errors.New("accepted when it was too late")
	}
	if err := full(c, "one too many"); err != nil {
		return fmt.Errorf("who has come keeps the seat: %w", err)
	}
	return nil
}

// leaksNone lets each player be accepted, released and timed out at about the
// same time, and then there must be as many seats as before.
func leaksNone(c Contender) error {
	race(4, func(racer int) {
		for i := range 200 {
			ps, err := c.Reserve(Request{PlayerID: fmt.Sprint(racer, i), Timeout: time.Duration(i%4) * time.Millisecond})
			if err != nil {
				continue
			}
			if (i+racer)%2 == 0 {
				time.Sleep(time.Duration(i%4) * time.Millisecond)
			}
			race(2, func(n int) {
				if n == 0 {
					_, _ = c.AcceptPlayerSession(ps.PlayerSessionID)
				} else {
					_ = c.Release(ps.PlayerSessionID)
				}
			})
			_ = c.Release(ps.PlayerSessionID)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), awhile)
	defer cancel()
	if err := c.AwaitEmpty(ctx, 0); err != nil {
		return fmt.Errorf("seats are held after everyone has left: %w", err)
	}
	return nil
}

// race runs f on n goroutines that begin together.
func race(n int, f func(racer int)) {
	var done sync.WaitGroup
	begin := make(chan struct{})
	for racer := range n {
		done.Go(func() {
			<-begin
			f(racer)
		})
	}
	close(begin)
	done.Wait()
}
