package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	of := func(k kind, body int) []byte {
		return packet{kind: k, key: newToken(), body: bytes.Repeat([]byte{'x'}, body)}.encode()
	}
	for _, c := range []struct {
		name string
		b    []byte
		ok   bool
	}{
		{"nothing", nil, false},
		{"a kind alone", []byte{'J'}, false},
		{"half a key", of(data, 0)[:header-1], false},
		{"an unknown kind", of('?', 0), false},
		{"a join without an id", of(join, 0), false},
		{"the shortest id", of(join, 1), true},
		{"the longest id", of(join, maxID), true},
		{"an id too long", of(join, maxID+1), false},
		{"a challenge", of(challenge, 0), true},
		{"a challenge with a body", of(challenge, 1), false},
		{"half a welcome", of(welcome, 23), false},
		{"a welcome", of(welcome, 24), true},
		{"a refusal", of(refused, maxWord), true},
		{"a refusal that never ends", of(refused, maxWord+1), false},
		{"empty data", of(data, 0), true},
		{"the most data", of(data, maxPacket-header), true},
		{"too much data", of(data, maxPacket-header+1), false},
		{"a leave", of(leave, 0), true},
		{"a leave with a body", of(leave, 1), false},
		{"an end without a cause", of(ended, 0), true},
	} {
		p, ok := decode(c.b)
		require.Equal(t, c.ok, ok, c.name)
		if ok {
			require.Equal(t, c.b, p.encode(), c.name)
		}
	}
}

// The longest id and the longest words there are fit.
func TestLimits(t *testing.T) {
	t.Parallel()
	id := "psess-" + string(bytes.Repeat([]byte{'x'}, maxID-len("psess-")))
	require.NoError(t, session.ValidatePlayerSessionID(id))
	require.Error(t, session.ValidatePlayerSessionID(id+"x"))
	for c := session.CauseReserved; c <= session.CauseWindowOver; c++ {
		require.LessOrEqual(t, len(c.String()), maxWord)
	}
}

func TestWelcomed(t *testing.T) {
	t.Parallel()
	cookie, token := newToken(), newToken()
	p, ok := decode(welcoming(cookie, token, session.PlayerSession{Slot: 1 << 20, Generation: 7}).encode())
	require.True(t, ok)
	require.Equal(t, cookie, p.key)
	got, seat, generation := p.welcomed()
	require.Equal(t, token, got)
	require.Equal(t, 1<<20, seat)
	require.Equal(t, uint32(7), generation)
}

// What the decoder takes is what the encoder writes, and stays within its bounds,
// whatever becomes of the buffer.
func FuzzDecode(f *testing.F) {
	for _, k := range []kind{join, challenge, welcome, refused, data, leave, ended, 0} {
		for _, n := range []int{0, 1, 24, maxID} {
			f.Add(packet{kind: k, body: make([]byte, n)}.encode())
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		p, ok := decode(b)
		clear(b)
		if !ok {
			require.Zero(t, p)
			return
		}
		require.Equal(t, before, p.encode())
		require.LessOrEqual(t, len(before), maxPacket)
		if p.kind == welcome {
			p.welcomed()
		}
	})
}
