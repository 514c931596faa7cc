package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/session"
)

// timeout is how long a reservation waits, if nothing is to expire: a minute, but
// as long as a slow machine needs to seat a million.
func timeout(slots int) time.Duration {
	return max(time.Minute, time.Duration(slots)*200*time.Microsecond)
}

// What is done with a contender, and so what a figure is of.
const (
	accept        = "accept"
	refuse        = "refuse an unknown id"
	reserve       = "reserve"
	release       = "release"
	acceptAllocs  = "accept: allocations"
	refuseAllocs  = "refuse: allocations"
	reserveAllocs = "reserve: allocations"
	memory        = "memory"
	gc            = "full garbage collection"
	expiry        = "expiry at one instant"
	expiryAccept  = "expiry: accept"
	expiryWait    = "expiry: accept, from when it was due"
	growth        = "growth: accept"
	growthMax     = "growth: longest accept"
)

// lap is what is done with one contender at one size: players fill it, come on
// each number of processors, strangers are refused, and everybody leaves.
type lap struct {
	runner  *runner
	entrant Entrant
	slots   int
	c       Contender
	door    Door
	aliased bool
	calls   *atomic.Int64 // of a subscriber, who is waited for; nil: none
	events  int64
	issued  int // aliases
}

func (l *lap) run() (err error) {
	if l.c, err = l.entrant.Open(setup(timeout(l.slots), l.slots)); err != nil {
		return err
	}
	l.door = door(l.c)
	defer func() { err = errors.Join(err, l.c.Close()) }()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	fills := l.runner.enough / l.slots
	if l.entrant.Sample > 0 {
		fills = 1 // it takes long
	}
	if fills <= 1 {
		fills = 1
	} else if err := l.warmUp(fills * 3 / 2); err != nil {
		return err
	}
	var sums, shared sums
	for i := range fills {
		procs, to := l.runner.procs, &sums
		switch {
		case fills > 1: // to change their number within a fill would cool the caches
			procs = procs[(fills-1-i)*len(procs)/fills:][:1]
		case l.entrant.Sample == 0: // of a large table nothing is in the caches anyway
			procs = slices.Repeat(procs, max(1, l.slots/turn))
		}
		if procs[0] > 1 { // what one does then finds half of the table in the other's caches
			to = &shared
		}
		if err := l.fill(to, procs); err != nil {
			return err
		}
	}
	for k, sum := range shared.times {
		if k.procs > 1 {
			sums.times[k] = sum
		}
	}
	sums.record(l.runner, l.entrant)
	return nil
}

// warmUp is what a server has behind it that has been up for a while: usher's history
// is full, and nobody's memory grows any more. A page of memory that is new takes
// as long as many accepts.
func (l *lap) warmUp(fills int) error {
	var ignored sums
	for range fills {
		if err := l.fill(&ignored, l.runner.procs[:1]); err != nil {
			return err
		}
	}
	return nil
}

// weigh fills a table and leaves it at that. Of usher's indexes it has those as well
// that only who asks for a player needs.
func (l *lap) weigh() (err error) {
	if l.c, err = l.entrant.Open(setup(timeout(l.slots), l.slots)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.c.Close()) }()
	before, idle := measure.LiveHeap(), collection() // of what others have left behind
	arrivals, err := l.reserve(new(sums))
	if err != nil {
		return err
	}
	if p, ok := l.c.(*usherPeer); ok {
		if err := p.askForPlayer(); err != nil {
			return err
		}
	}
	bytes := float64(measure.LiveHeap()-before-int64(len(arrivals.Text)))/float64(l.slots) - float64(ownBytes)
	l.runner.add(l.entrant.Name, key{memory, l.slots, 1}, bytes)
	took := max(collection()-idle, 0) // of a small table it is less than the difference between two
	l.runner.add(l.entrant.Name, key{gc, l.slots, 1}, took.Seconds()*1e3)
	runtime.KeepAlive(arrivals)
	return nil
}

// turn is how many players of a large table come before all numbers of processors have
// had a share of them, and it is the first one's turn again: so what a busy machine does
// meanwhile, it does to all.
const turn = 100_000

// fill lets all players come, a share of them on each of the numbers of processors, in
// that order.
func (l *lap) fill(sums *sums, procs []int) error {
	arrivals, err := l.reserve(sums)
	if err != nil {
		return err
	}
	if l.slots >= 100_000 {
		runtime.GC() // of a small table it would cool the caches
	}
	rest := arrivals
	for i, n := range procs {
		var coming measure.IDs
		coming, rest = rest.Cut(rest.Len() / (len(procs) - i))
		if l.entrant.Sample > 0 {
			coming = coming.First(l.entrant.Sample)
		}
		setProcs(n)
		if err := l.accept(sums, n, coming); err != nil {
			return err
		}
	}
	setProcs(1)
	if floor, ok := l.c.(*floor); ok {
		floor.Clear()
		return nil
	}
	if err := l.refuse(sums); err != nil {
		return err
	}
	return l.release(sums, arrivals)
}

// reserve fills all seats, and returns the ids in the order in which players come.
func (l *lap) reserve(sums *sums) (measure.IDs, error) {
	requests := crowd(l.slots)
	if l.aliased {
		issued := measure.Aliases(l.issued, l.slots)
		l.issued += l.slots
		for i := range requests {
			requests[i].ID = issued.At(i)
		}
	}
	given := make([]string, l.slots)
	setProcs(1)
	objects := measure.Allocated().Objects
	var err error
	sums.add(key{reserve, l.slots, 1}, l.slots, measure.Share(1, l.slots, func(from, to int) {
		for i := from; i < to; i++ {
			ps, e := l.c.Reserve(requests[i])
			if e != nil || ps.Status != session.StatusReserved {
				err = fmt.Errorf("reserve: %v, %w", ps, e)
				return
			}
			given[i] = ps.PlayerSessionID
		}
		l.await(l.slots)
	}))
	if err != nil {
		return measure.IDs{}, err
	}
	sums.count(key{reserveAllocs, l.slots, 1}, l.slots, measure.Allocated().Objects-objects)
	return shuffled(given), nil
}

func (l *lap) accept(sums *sums, procs int, coming measure.IDs) error {
	var failed atomic.Pointer[error]
	objects := measure.Allocated().Objects
	took := measure.Share(procs, coming.Len(), func(from, to int) {
		for i := from; i < to; i++ {
			if ps, err := l.door.AcceptPlayerSession(coming.At(i)); err != nil || ps.Status != session.StatusActive {
				failure := fmt.Errorf("accept: %v, %w", ps, err)
				failed.Store(&failure)
				return
			}
		}
	})
	if err := failed.Load(); err != nil {
		return *err
	}
	if l.calls != nil {
		start := time.Now()
		l.await(coming.Len())
		took += time.Since(start)
	}
	sums.add(key{accept, l.slots, procs}, coming.Len(), took)
	if procs == 1 {
		sums.count(key{acceptAllocs, l.slots, 1}, coming.Len(), measure.Allocated().Objects-objects)
	}
	return nil
}

func (l *lap) refuse(sums *sums) error {
	unknown := measure.Strangers(min(l.slots, 10_000))
	if l.entrant.Sample > 0 {
		unknown = unknown.First(l.entrant.Sample)
	}
	var err error
	objects := measure.Allocated().Objects
	sums.add(key{refuse, l.slots, 1}, unknown.Len(), measure.Share(1, unknown.Len(), func(from, to int) {
		for i := from; i < to; i++ {
			if ps, e := l.door.AcceptPlayerSession(unknown.At(i)); e == nil {
				err = fmt.Errorf("a stranger was accepted: %v", ps)
				return
			}
		}
	}))
	sums.count(key{refuseAllocs, l.slots, 1}, unknown.Len(), measure.Allocated().Objects-objects)
	return err
}

func (l *lap) release(sums *sums, leaving measure.IDs) error {
	var err error
	sums.add(key{release, l.slots, 1}, leaving.Len(), measure.Share(1, leaving.Len(), func(from, to int) {
		for i := from; i < to; i++ {
			if err = l.c.Release(leaving.At(i)); err != nil {
				return
			}
		}
		l.await(leaving.Len())
	}))
	return err
}

// setProcs spares what GOMAXPROCS does, stopping the world, if it changes nothing.
func setProcs(n int) {
	if runtime.GOMAXPROCS(0) != n {
		runtime.GOMAXPROCS(n)
	}
}

// await waits until a subscriber has been told of n changes more. Its work
// belongs to what it is told of.
func (l *lap) await(n int) {
	if l.calls == nil {
		return
	}
	for l.events += int64(n); l.calls.Load() < l.events; {
		runtime.Gosched()
	}
}

// sums are the times and the allocations of a lap.
type sums struct {
	times, counts map[key]sum
}

type sum struct {
	total float64
	ops   int
}

func (s *sums) add(k key, ops int, took time.Duration) {
	if s.times == nil {
		s.times, s.counts = make(map[key]sum), make(map[key]sum)
	}
	was := s.times[k]
	s.times[k] = sum{was.total + float64(took.Nanoseconds()), was.ops + ops}
}

func (s *sums) count(k key, ops int, objects uint64) {
	was := s.counts[k]
	s.counts[k] = sum{was.total + float64(objects), was.ops + ops}
}

// record hands over the averages of what is the entrant's own doing; allocations
// are rounded down, as package testing does.
func (s *sums) record(r *runner, e Entrant) {
	for k, sum := range s.times {
		if e.does(k.work) {
			r.add(e.Name, k, sum.total/float64(sum.ops))
		}
	}
	for k, sum := range s.counts {
		if e.does(k.work) {
			r.add(e.Name, k, float64(int(sum.total)/sum.ops))
		}
	}
}

// collection is how long a full garbage collection takes: the median of five.
func collection() time.Duration {
	var took [5]time.Duration
	for i := range took {
		start := time.Now()
		runtime.GC()
		took[i] = time.Since(start)
	}
	slices.Sort(took[:])
	return took[len(took)/2]
}
