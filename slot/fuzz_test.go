package slot_test

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
)

// Two texts are one session if they are equal, and never else.
func FuzzIDs(f *testing.F) {
	const id = "psess-0f5c2a7e-1b3d-4e9f-8a6b-7c8d9e0f1a2b"
	for _, other := range []string{
		id, "", "psess-", "psess-x", "psess-" + strings.ToUpper(id[6:]), id + "0", id[:41], id[:14] + "_" + id[15:], id + "\xff", id + "\n",
	} {
		f.Add(id, other)
		f.Add(other, id)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		f := newFixture(t, slot.Config{Stripes: 1}, 2)
		for i, id := range []string{a, b} {
			if id == "" { // asks for a new one
				_, err := f.Activate(id)
				requireOnly(t, session.ErrInvalidPlayerSessionID, err)
				return
			}
			ps, err := f.Reserve(slot.Reservation{GameSessionID: match, PlayerID: player(i), PlayerSessionID: id})
			switch {
			case session.ValidatePlayerSessionID(id) != nil:
				requireOnly(t, session.ErrInvalidPlayerSessionID, err)
				_, err = f.Activate(id)
				requireOnly(t, session.ErrInvalidPlayerSessionID, err)
				return
			case i == 1 && a == b:
				requireOnly(t, session.ErrPlayerSessionExists, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, id, ps.PlayerSessionID)
		}
		require.Equal(t, player(0), f.accept(a).PlayerID)
		require.Equal(t, session.StatusReserved, f.lookup(b).Status)
		require.Equal(t, player(1), f.accept(b).PlayerID)
		f.release(a)
		require.Equal(t, session.StatusActive, f.lookup(b).Status)
		listed := f.describe(slot.Query{GameSessionID: match})
		require.Equal(t, []string{a, b}, []string{listed[0].PlayerSessionID, listed[1].PlayerSessionID}, "as they were spelled")
		f.soundAtRest()
	})
}

// A token is the query's own, or refused, whatever bytes it is made of. The fuzzer
// either writes one itself or alters one that was given.
func FuzzNextToken(f *testing.F) {
	f.Add(byte(0), byte(0), []byte{})
	f.Add(byte(0), byte(0), []byte("AAAAAAAAAAEAAAABAAAAAAAAAAA"))
	f.Add(byte(0), byte(3), []byte("AAAAAAAAAAEAAAABAAAAAAAAAAA=\r\n"))
	f.Add(byte(1), byte(1), []byte{})
	f.Add(byte(2), byte(1), []byte{0, 0, 0, 0, 0, 0, 0, 1})
	f.Add(byte(3), byte(4), []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff})

	table := newFixture(f, slot.Config{DuplicatePlayers: slot.DuplicatesAllow}, 20)
	table.create("other", 20)
	for i := range 12 {
		ps := table.reserved(slot.Reservation{GameSessionID: []string{match, "other"}[i%2], PlayerID: player(i / 2 % 2), PlayerData: player(i)})
		if i < 6 {
			table.release(ps.PlayerSessionID)
		} else {
			table.accept(ps.PlayerSessionID)
		}
	}
	queries := []slot.Query{
		{GameSessionID: match, Limit: 2},
		{GameSessionID: "other", Limit: 2},
		{GameSessionID: match, Status: session.StatusTimedOut, Limit: 1},
		{GameSessionID: match, Status: session.StatusActive, Limit: 1},
		{PlayerID: player(0), Limit: 1},
		{PlayerID: player(1), Limit: 1},
	}
	var all [][]session.PlayerSession
	var tokens []string
	for _, q := range queries {
		page, err := table.Describe(q)
		require.NoError(f, err)
		require.NotEmpty(f, page.NextToken)
		all, tokens = append(all, table.describe(q)), append(tokens, page.NextToken)
	}

	f.Fuzz(func(t *testing.T, asked, given byte, text []byte) {
		i, j := int(asked)%len(queries), int(given)%(len(queries)+1)
		token := string(text)
		if j < len(queries) {
			raw, err := base64.RawURLEncoding.DecodeString(tokens[j])
			require.NoError(t, err)
			for at, b := range text[:min(len(text), len(raw))] {
				raw[at] ^= b
			}
			token = base64.RawURLEncoding.EncodeToString(append(raw, text[min(len(text), len(raw)):]...))
		}
		own := token == tokens[i]
		q := queries[i]
		q.NextToken = token
		page, err := table.Describe(q)
		if token != "" && !own {
			requireField(t, "NextToken", err)
			require.Zero(t, page)
			return
		}
		require.NoError(t, err)
		behind := 0
		if own {
			behind = q.Limit
		}
		require.Equal(t, all[i][behind:behind+q.Limit], page.PlayerSessions)
	})
}

// FuzzOperations is TestDifferential with a fuzzer in the place of chance: each
// byte is a choice, of a command or of what it is given, and all the table answers
// is compared with the reference.
func FuzzOperations(f *testing.F) {
	random := rand.New(rand.NewPCG(4, 2))
	for seed := range uint64(4) { // all duplicate policies
		choices := make([]byte, 300)
		for i := range choices {
			choices[i] = byte(random.Uint32())
		}
		f.Add(seed, choices)
	}
	f.Add(uint64(0), []byte{})
	f.Fuzz(func(t *testing.T, seed uint64, choices []byte) {
		choices = choices[:min(len(choices), 600)] // some 80 commands
		synctest.Test(t, func(t *testing.T) {
			p := newPair(t, seed)
			source := &choosing{choices: choices, rest: rand.NewPCG(seed, 1)}
			p.rng = rand.New(source)
			p.say("FuzzOperations: seed %d, choices %q", seed, choices)
			for len(source.choices) > 0 {
				for range 1 + p.rng.IntN(4) {
					p.command()
				}
				p.compare()
				p.jump()
			}
			p.close()
		})
	})
}

// choosing is a source of chance whose numbers are bytes of the fuzzer's, as long
// as there are any.
type choosing struct {
	choices []byte
	rest    rand.Source
}

// Uint64 spreads a byte so that each of 256 parts of a range can be chosen by it,
// be it taken from the high bits, as package rand does, or, of a power of two, from
// the low ones.
func (c *choosing) Uint64() uint64 {
	if len(c.choices) == 0 {
		return c.rest.Uint64()
	}
	b := uint64(c.choices[0])
	c.choices = c.choices[1:]
	return b<<56 | 0x101<<32 | b
}
