package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// Whoever is timed does the whole job.
func TestContenders(t *testing.T) {
	t.Parallel()
	for _, e := range entrants(Entrant{Floor: true}) {
		if e.Floor {
			continue
		}
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				require.NoError(t, Conform(e.Open))
			})
		})
	}
}

// What usher's options cost is measured of tables that do the whole job, too.
func TestVariants(t *testing.T) {
	t.Parallel()
	for _, v := range variants() {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				require.NoError(t, Conform(v.Open))
			})
		})
	}
}

// The SDK speaks over a socket, so its time is the machine's.
func TestSDK(t *testing.T) {
	t.Parallel()
	sdk, err := connect()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sdk.close()) })
	require.NoError(t, Conform(sdk.open))
}

// The checks find what a contender leaves out.
func TestConform(t *testing.T) {
	t.Parallel()
	for _, broken := range []struct {
		name string
		lazy lazy
	}{
		{"hands back no player data", lazy{noData: true}},
		{"does not check the capacity", lazy{noCapacity: true}},
		{"accepts again", lazy{again: true}},
		{"accepts strangers", lazy{strangers: true}},
		{"lets nobody time out", lazy{noTimeout: true}},
		{"times everybody out, the accepted too", lazy{endless: true}},
		{"frees no seat on release", lazy{noRelease: true}},
	} {
		t.Run(broken.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				require.Error(t, Conform(func(s Setup) (Contender, error) {
					l := broken.lazy
					if l.noTimeout {
						s.Timeout = time.Hour
					}
					if l.noCapacity {
						s.Games[0].MaximumPlayerSessionCount++
					}
					l.mapPeer = newMapPeer(s)
					return &l, nil
				}))
			})
		})
	}
}

// lazy is a peer that leaves out a part of the job.
type lazy struct {
	*mapPeer
	noData, noCapacity, again, strangers, noTimeout, endless, noRelease bool
}

func (l *lazy) AcceptPlayerSession(id string) (session.PlayerSession, error) {
	ps, err := l.mapPeer.AcceptPlayerSession(id)
	if l.noData {
		ps.PlayerData = ""
	}
	if l.endless && err == nil {
		time.AfterFunc(patience/2, func() { _ = l.Release(id) })
	}
	s, known := l.find(id)
	if l.again && known || l.strangers && !known {
		err = nil
	}
	if l.again && known {
		ps = s.present(session.StatusActive)
	}
	return ps, err
}

func (l *lazy) Release(id string) error {
	if l.noRelease {
		return nil
	}
	return l.mapPeer.Release(id)
}

func (l *lazy) AwaitEmpty(ctx context.Context, game int) error {
	if l.noRelease || l.noTimeout {
		return nil // found before, and not waited for
	}
	return l.mapPeer.AwaitEmpty(ctx, game)
}

// Over the rounds, each contender follows each other one.
func TestEachFollowsEachOther(t *testing.T) {
	t.Parallel()
	all := []Entrant{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	dice := newDice()
	follows := make(map[string]bool)
	for range 20 {
		before := ""
		for _, e := range inTurn(dice, all) {
			follows[before+e.Name] = true
			before = e.Name
		}
	}
	require.Len(t, follows, 9, "each begins, and follows two others")
	require.Equal(t, "a", all[0].Name, "who asks keeps his own order")
}

// What a storm's process writes is what the one that started it reads.
func TestStormApart(t *testing.T) {
	t.Parallel()
	r := &runner{sizes: []int{1000}, procs: []int{1, 2}, log: io.Discard}
	var out bytes.Buffer
	require.NoError(t, r.storm("usher", &out))
	var figures []figure
	require.NoError(t, json.Unmarshal(out.Bytes(), &figures))
	of := make(map[string]int)
	for _, f := range figures {
		require.Equal(t, 1000, f.Slots)
		of[f.Work]++
	}
	require.Equal(t, map[string]int{expiry: 1, expiryAccept: 1, expiryWait: 1, growth: 1, growthMax: 1}, of)
	require.NoError(t, r.storm("floor", &out))
	require.Len(t, r.samples["floor"], 3, "nothing of it grows")
	require.Error(t, r.storm("GameLift SDK", &out))
	require.Error(t, r.storm("nobody", &out))
}

// A floor is compared with the best peer as well, but is none.
func TestBestTo(t *testing.T) {
	t.Parallel()
	all := []Entrant{{Name: "usher"}, {Name: "floor", Floor: true}, {Name: "a"}, {Name: "b"}, {Name: "c"}}
	k := key{accept, 200, 1}
	r := &runner{samples: make(map[string]map[key][]float64)}
	for name, ns := range map[string]float64{"usher": 60, "floor": 40, "a": 90, "b": 80} {
		r.add(name, k, ns)
	}
	w, ok := r.bestTo(all, k)
	require.True(t, ok)
	for name, times := range map[string]float64{"usher": 80. / 60, "floor": 2, "a": 80. / 90, "b": 1} {
		require.InDelta(t, times, w.Values[name].Median, 1e-9, name)
	}
	require.NotContains(t, w.Values, "c")
}
