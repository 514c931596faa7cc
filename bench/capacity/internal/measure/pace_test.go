package measure

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// server is a caller in a time of its own, where reading the clock takes 10 ns and
// doing nothing 400.
type server struct {
	at    time.Duration
	calls int
	turn  turn
	takes func(call int) time.Duration
	fails error
}

func (s *server) now() time.Duration {
	s.at += 10
	return s.at
}

func (s *server) idle() { s.at += 400 }

func (s *server) prepare() turn { return s.turn }

func (s *server) perform() error {
	s.at += s.takes(s.calls)
	return s.fails
}

func (s *server) conclude(err error) error {
	s.calls++
	s.turn = (s.turn + 1) % turns
	return err
}

func paceOf(s *server, perSecond float64, until time.Duration) *pace {
	return &pace{
		clock:  s.now,
		idle:   s.idle,
		ended:  func() bool { return false },
		random: rand.New(rand.NewPCG(3, 3)),
		rate:   perSecond,
		until:  until,
	}
}

func always(d time.Duration) func(int) time.Duration {
	return func(int) time.Duration { return d }
}

// As many calls come as were ordered, all are recorded, and each kind in its turn.
func TestPaceKeepsTheRate(t *testing.T) {
	t.Parallel()
	s := &server{takes: always(100)}
	tally := newTally()
	require.NoError(t, paceOf(s, 100_000, time.Second).drive(s, tally))
	require.InEpsilon(t, 100_000, s.calls, 0.02)
	require.False(t, tally.behind)
	total := int64(0)
	for _, of := range tally.of {
		n := of.due.summary().Count
		require.InDelta(t, s.calls/int(turns), n, 1)
		require.Equal(t, n, of.call.summary().Count)
		total += n
	}
	require.EqualValues(t, s.calls, total)
}

// Independent arrivals at a server that takes a constant time: queueing theory
// knows the mean wait (M/D/1).
func TestPaceIsAPoissonProcess(t *testing.T) {
	t.Parallel()
	const call, load = 10 * time.Microsecond, 0.8
	s := &server{takes: always(call - 10)}
	tally := newTally()
	require.NoError(t, paceOf(s, load/call.Seconds(), 20*time.Second).drive(s, tally))
	waited, calls := time.Duration(0), int64(0)
	for _, of := range tally.of {
		waited += of.due.sum - of.call.sum
		calls += of.due.summary().Count
	}
	want := call.Seconds() * load / (2 * (1 - load))
	require.InEpsilon(t, want, waited.Seconds()/float64(calls), 0.05)
}

// A server that stands still makes all those wait that are due meanwhile, not only
// the one it stood still with: what coordinated omission would hide.
func TestPaceHidesNoOmission(t *testing.T) {
	t.Parallel()
	const pause, perSecond = 100 * time.Millisecond, 10_000
	s := &server{takes: func(call int) time.Duration {
		if call == 5_000 {
			return pause
		}
		return 100
	}}
	tally := newTally()
	require.NoError(t, paceOf(s, perSecond, time.Second).drive(s, tally))
	all, calls := newLatencies().histogram, newLatencies().histogram
	for _, of := range tally.of {
		all.Merge(of.due.histogram)
		calls.Merge(of.call.histogram)
	}
	// A tenth of a second is a tenth of all, and they waited half of it on average.
	require.InDelta(t, float64(pause), float64(all.Max()), float64(5*time.Millisecond))
	require.InDelta(t, float64(pause)/2, float64(all.ValueAtQuantile(95)), float64(10*time.Millisecond))
	require.Less(t, calls.ValueAtQuantile(99.9), int64(time.Microsecond), "the calls alone do not tell")
}

// An overload is given up, and those who wait in vain count as well.
func TestPaceGivesUp(t *testing.T) {
	t.Parallel()
	const perSecond = 100_000
	s := &server{takes: always(2 * time.Second / perSecond)}
	tally := newTally()
	require.NoError(t, paceOf(s, perSecond, 10*time.Second).drive(s, tally))
	require.True(t, tally.behind)
	require.Less(t, s.at, time.Second, "it is not waited for what is lost")
	require.InEpsilon(t, patience.Seconds()*perSecond, tally.left, 0.05)
	recorded := int64(0)
	for _, of := range tally.of {
		recorded += of.due.summary().Count
	}
	require.EqualValues(t, s.calls+tally.left, recorded)
}

// What is due before it is to be recorded is served and not recorded.
func TestPaceLeadIn(t *testing.T) {
	t.Parallel()
	s := &server{takes: always(100)}
	tally := newTally()
	p := paceOf(s, 30_000, 2*time.Second)
	p.from = time.Second
	require.NoError(t, p.drive(s, tally))
	require.InEpsilon(t, 60_000, s.calls, 0.05)
	require.InEpsilon(t, 10_000, tally.of[accept].due.summary().Count, 0.05)
}

func TestPaceEnds(t *testing.T) {
	t.Parallel()
	s := &server{takes: always(100)}
	p := paceOf(s, 0.001, time.Hour) // nothing is due for a quarter of an hour
	p.ended = func() bool { return s.at > time.Millisecond }
	require.ErrorIs(t, p.drive(s, newTally()), errEnded)
	require.Zero(t, s.calls)

	mistake := errors.New("a mistake")
	s = &server{takes: always(100), fails: mistake}
	require.ErrorIs(t, paceOf(s, 1000, time.Second).drive(s, newTally()), mistake)
}
