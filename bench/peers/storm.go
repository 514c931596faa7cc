package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/bench/internal/measure"
)

// pace is how often a guest comes while the others time out.
const pace = 10 * time.Microsecond

// storm lets the players of one game session time out at one instant, while
// guests of another one come. Everybody's storm begins at the deadline: how late a
// contender begins is part of its figure.
type storm struct {
	runner   *runner
	entrant  Entrant
	slots    int
	c        Contender
	deadline time.Time
	arrivals measure.IDs // of guests

	accepts, waits measure.Histogram
}

func (s *storm) run() error {
	guests := min(max(s.slots/5, 200), 200_000)
	// Everyone must have reserved before the deadline.
	for ahead := 200*time.Millisecond + time.Duration(s.slots)*4*time.Microsecond; ; ahead *= 2 {
		late, err := s.once(guests, ahead)
		if err != nil || !late {
			return err
		}
	}
}

// once reports whether the deadline came too soon.
func (s *storm) once(guests int, ahead time.Duration) (late bool, err error) {
	if s.c, err = s.entrant.Open(setup(timeout(s.slots), s.slots, guests)); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, s.c.Close()) }()
	if err := s.prepare(guests, ahead); err != nil {
		return false, err
	}
	if time.Until(s.deadline) < 20*time.Millisecond {
		return true, nil
	}
	took, err := s.pass()
	if err != nil {
		return false, err
	}
	name := s.entrant.Name
	s.runner.add(name, key{expiry, s.slots, 2}, float64(took)/float64(s.slots))
	s.runner.add(name, key{expiryAccept, s.slots, 2}, s.accepts.Quantile(0.999)/1e3)
	s.runner.add(name, key{expiryWait, s.slots, 2}, s.waits.Quantile(0.999)/1e3)
	return false, nil
}

// prepare reserves for the guests, and for those who never come.
func (s *storm) prepare(guests int, ahead time.Duration) error {
	given := make([]string, guests)
	for i, r := range crowd(guests) {
		r.Game = 1
		ps, err := s.c.Reserve(r)
		if err != nil {
			return err
		}
		given[i] = ps.PlayerSessionID
	}
	s.arrivals = shuffled(given)
	absent := crowd(s.slots)
	s.deadline = time.Now().Add(ahead)
	for _, r := range absent {
		r.Timeout = max(time.Until(s.deadline), 1)
		if _, err := s.c.Reserve(r); err != nil {
			return err
		}
	}
	return nil
}

// pass waits for the deadline, lets guests come until the last seat of the others
// is free, and returns how long that was.
func (s *storm) pass() (int64, error) {
	watch := measure.NewStopwatch()
	var over atomic.Int64
	drained := make(chan error, 1)
	go func() {
		err := s.c.AwaitEmpty(context.Background(), 0)
		over.Store(watch.Read())
		drained <- err
	}()
	began := int64(s.deadline.Sub(watch.Base))
	time.Sleep(time.Until(s.deadline) - 5*time.Millisecond)
	turn := began
	for i := 0; over.Load() == 0 && i < s.arrivals.Len(); i++ {
		start := watch.After(turn)
		if _, err := s.c.AcceptPlayerSession(s.arrivals.At(i)); err != nil {
			return 0, fmt.Errorf("accept a guest: %w", err)
		}
		end := watch.Read()
		s.accepts.Add(end - start - watch.Cost)
		s.waits.Add(end - turn - watch.Cost)
		turn += int64(pace)
	}
	err := <-drained
	return over.Load() - began, err
}

// grow lets players reserve on one processor and come on the other, as soon as
// they have reserved, in a contender that does not know how many there will be.
func (r *runner) grow(e Entrant, slots int) (err error) {
	c, err := e.Open(setup(timeout(slots), slots))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	var accepts measure.Histogram
	given := make([]string, slots)
	var reserved atomic.Int64 // how many of them can be read
	var stop atomic.Bool
	accepted := make(chan error, 1)
	go func() {
		watch := measure.NewStopwatch()
		for i := 0; i < slots && !stop.Load(); {
			for ; i < int(reserved.Load()); i++ {
				start := watch.Read()
				_, err := c.AcceptPlayerSession(given[i])
				accepts.Add(watch.Since(start))
				if err != nil {
					accepted <- err
					return
				}
			}
		}
		accepted <- nil
	}()
	for i, q := range crowd(slots) {
		ps, err := c.Reserve(q)
		if err != nil {
			stop.Store(true)
			return errors.Join(err, <-accepted)
		}
		given[i] = ps.PlayerSessionID
		reserved.Store(int64(i + 1))
	}
	err = <-accepted
	r.add(e.Name, key{growth, slots, 2}, accepts.Quantile(0.999)/1e3)
	r.add(e.Name, key{growthMax, slots, 2}, float64(accepts.Max())/1e3)
	return err
}
