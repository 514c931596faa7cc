package bench_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/session"
)

// A full table, and as large a history as it keeps, refuse those who should not
// be let in.
func BenchmarkRefuse(b *testing.B) {
	const most = 10_000 // ids tried in a round
	eachSize(b, func(b *testing.B, slots int) {
		h := newHouse(b, slots, plain())
		left := h.depart(b, min(slots, retained))
		h.settle(b)
		for _, refusal := range []struct {
			kind string
			want error
			ids  func() measure.IDs
		}{
			{"unknown", session.ErrPlayerSessionNotFound, func() measure.IDs { return measure.Strangers(most) }},
			{"unknownalias", session.ErrPlayerSessionNotFound, func() measure.IDs { return measure.Aliases(0, most) }},
			{"malformed", session.ErrInvalidPlayerSessionID, func() measure.IDs { return malformed(most) }},
			{"replayed", session.ErrAlreadyActive, func() measure.IDs { return h.read(h.everyone()[:min(slots, most)]) }},
			{"left", session.ErrTimedOut, func() measure.IDs { return left }},
		} {
			b.Run("kind="+refusal.kind, func(b *testing.B) {
				eachProcs(b, func(b *testing.B, procs int) {
					var w work
					for b.Loop() {
						arrivals := refusal.ids()
						w.measure(arrivals.Len(), func() time.Duration {
							return h.refuse(b, procs, arrivals, refusal.want)
						})
					}
					w.report(b)
				})
			})
		}
	})
}

// depart lets n players reserve and give up, and returns their ids.
func (h *house) depart(b *testing.B, n int) measure.IDs {
	b.Helper()
	players := h.everyone()[:n]
	h.reserve(b, slices.Clone(players))
	left := h.read(players)
	h.release(b, left)
	return left
}

func (h *house) refuse(b *testing.B, procs int, arrivals measure.IDs, want error) time.Duration {
	b.Helper()
	var mu sync.Mutex // protects last
	var last error
	took := measure.Share(procs, arrivals.Len(), func(from, to int) {
		var err error
		for i := from; i < to; i++ {
			if _, err = h.door.AcceptPlayerSession(arrivals.At(i)); err == nil {
				b.Error("was let in")
				return
			}
		}
		mu.Lock()
		defer mu.Unlock()
		last = err
	})
	require.ErrorIs(b, last, want) // of a sample: the comparison takes as long as a refusal
	return took
}

// malformed returns texts of an id's length that are none: a space in the middle
// shows after most has been looked at, another beginning at once.
func malformed(n int) measure.IDs {
	var text strings.Builder
	for i := range n {
		id := []byte(session.NewPlayerSessionID())
		if i%2 == 0 {
			id[0] = 'q'
		} else {
			id[20] = ' '
		}
		text.Write(id)
	}
	return measure.IDs{Text: text.String(), Each: measure.IDLen}
}
