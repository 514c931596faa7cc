package bench_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/bench/internal/measure"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// What is asked of a table costs: the three steps of a life under each option by
// itself, and ns/op their sum.
func BenchmarkOption(b *testing.B) {
	const slots = 10_000
	for _, o := range []struct {
		name   string
		change func(*slot.Config)
		open   func(b *testing.B, h *house)
	}{
		{name: "none"},
		{name: "duplicates", change: func(c *slot.Config) { c.DuplicatePlayers = slot.DuplicatesReturn }},
		{name: "reconnect", change: func(c *slot.Config) { c.ReconnectWindow = time.Minute }},
		{name: "subscriber", open: func(_ *testing.B, h *house) { h.table.Subscribe(func(session.Event) {}) }},
		{name: "alias", open: func(_ *testing.B, h *house) { h.ids, h.each = make([]byte, slots*measure.AliasLen), measure.AliasLen }},
		{name: "players", open: func(b *testing.B, h *house) { h.askForPlayer(b) }},
		{name: "capacity", change: func(c *slot.Config) { c.Capacity = slots }},
	} {
		b.Run("option="+o.name, func(b *testing.B) {
			c := plain()
			if o.change != nil {
				o.change(&c)
			}
			h := newHouse(b, slots, c)
			if o.open != nil {
				o.open(b, h)
			}
			h.compare(b, c.ReconnectWindow > 0)
		})
	}
}

func (h *house) compare(b *testing.B, drops bool) {
	b.Helper()
	var reserve, accept, release, drop, back work
	for b.Loop() {
		players := h.everyone()
		reserve.measure(h.slots, func() time.Duration { return h.reserve(b, players) })
		h.rest(b)
		arrivals := h.read(h.everyone())
		accept.measure(h.slots, func() time.Duration { return h.accept(b, arrivals) })
		h.rest(b)
		if drops {
			drop.measure(h.slots, func() time.Duration { return h.drop(b, arrivals) })
			back.measure(h.slots, func() time.Duration { return h.accept(b, arrivals) })
		}
		leaving := h.read(h.everyone())
		release.measure(h.slots, func() time.Duration { return h.release(b, leaving) })
		h.rest(b)
	}
	b.ReportMetric(reserve.perOp()+accept.perOp()+release.perOp(), "ns/op")
	b.ReportMetric(reserve.perOp(), "reserve-ns")
	b.ReportMetric(accept.perOp(), "accept-ns")
	b.ReportMetric(release.perOp(), "release-ns")
	if drops {
		b.ReportMetric(drop.perOp(), "drop-ns")
		b.ReportMetric(back.perOp(), "return-ns")
	}
}

// rest waits until subscribers have handled their events.
func (h *house) rest(b *testing.B) {
	b.Helper()
	require.Eventually(b, func() bool { return h.table.Stats().EventBacklog == 0 }, time.Minute, time.Millisecond)
}

func (h *house) drop(b *testing.B, arrivals measure.IDs) time.Duration {
	b.Helper()
	return measure.Share(1, arrivals.Len(), func(from, to int) {
		for i := from; i < to; i++ {
			if err := h.table.Disconnect(arrivals.At(i), 1); err != nil {
				b.Errorf("drop: %v", err)
				return
			}
		}
	})
}
