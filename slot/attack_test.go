package slot

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// flood is how many ids an attacker chooses.
const flood = 10_000

// farFromHome is how far a record may stand from its home. About e^(-k/2) of those
// that are spread evenly stand more than k slots away: one in 10^12.
const farFromHome = 56

// Ids that fall together in a table whose seeds are known are spread like any
// others in one whose seeds are not.
func TestFloodOfIDsThatCollideElsewhere(t *testing.T) {
	t.Parallel()
	known := newKeys()
	for name, ids := range map[string][]string{
		"canonical": canonicalCollisions(&known),
		"aliases":   aliasCollisions(&known),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Len(t, ids, flood)
			require.Greater(t, displacement(t, &known, ids[:1000]), 500, "they do collide where the seeds are known")
			for range 3 {
				unknown := newKeys()
				require.LessOrEqual(t, displacement(t, &unknown, ids), farFromHome)
			}
			requireSpread(t, ids)
		})
	}
}

// canonicalCollisions undoes the mixing of keys that have one home.
func canonicalCollisions(ks *keys) []string {
	ids := make([]string, flood)
	for i := range ids {
		ids[i] = formatCanonical(ks.unmix(key{hi: 1 << 32, lo: uint64(i)}))
	}
	return ids
}

// aliasCollisions tries texts until enough have a home in one 64th of the table.
func aliasCollisions(ks *keys) []string {
	var ids []string
	for i := 0; len(ids) < flood; i++ {
		id := fmt.Sprint("psess-", i)
		if maphash.String(ks.alias[0], id)>>58 == 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// Nor does it help to choose ids that differ in little, as long as the first halves
// of them do: those are mixed twice.
func TestFloodOfSimilarIDs(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(4, 1))
	hi, lo := random.Uint64(), random.Uint64()
	gray := func(i uint64) uint64 { return i ^ i>>1 } // each differs from the one before in a bit
	for name, choose := range map[string]func(i uint64) (hi, lo uint64){
		"counting":                 func(i uint64) (uint64, uint64) { return i, 0 },
		"counting in the low half": func(i uint64) (uint64, uint64) { return 0, i },
		"counting from the top":    func(i uint64) (uint64, uint64) { return i << 50, 0 },
		"counting in both halves":  func(i uint64) (uint64, uint64) { return i, i },
		"halves that might cancel": func(i uint64) (uint64, uint64) { return hi ^ i, lo ^ i },
		"one bit after the other":  func(i uint64) (uint64, uint64) { return hi ^ gray(i)<<25, lo },
		"nearly all bits set":      func(i uint64) (uint64, uint64) { return ^(i << 20), ^uint64(0) },
	} {
		for as, format := range map[string]func(hi, lo uint64) string{"as a number": uuid, "as it is held": formatCanonical} {
			t.Run(name+" "+as, func(t *testing.T) {
				t.Parallel()
				ids := make([]string, flood)
				for i := range ids {
					ids[i] = format(choose(uint64(i)))
				}
				for range 3 {
					ks := newKeys()
					require.LessOrEqual(t, displacement(t, &ks, ids), farFromHome)
				}
			})
		}
	}
}

// uuid is the id of a number of 128 bits.
func uuid(hi, lo uint64) string {
	return fmt.Sprintf("psess-%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&(1<<48-1))
}

// displacement puts the ids in, each under a key of its own, and returns how far
// the farthest stands from its home, which is how far a search goes.
func displacement(t *testing.T, ks *keys, ids []string) int {
	t.Helper()
	rs := noRecords()
	for _, id := range ids {
		k, _, ok := ks.of(id)
		if !ok || rs.find(k) != nil {
			t.Fatal("no id, or no key of its own", id)
		}
		rs.add(k).place = 1
	}
	most := 0
	for i := range rs.slots {
		if r := &rs.slots[i]; r.place != 0 {
			most = max(most, i-rs.home(r.key))
		}
	}
	return most
}

// requireSpread reserves under the ids in a table of many stripes, and asks that
// neither one of them nor what has been released is crowded.
func requireSpread(t *testing.T, ids []string) {
	t.Helper()
	table, err := NewTable(Config{Stripes: 64, DuplicatePlayers: DuplicatesAllow})
	require.NoError(t, err)
	defer table.Close()
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: len(ids)}))
	for _, id := range ids {
		if _, err := table.Reserve(Reservation{GameSessionID: "match", PlayerID: "mallory", PlayerSessionID: id}); err != nil {
			t.Fatal(err)
		}
	}
	fair := len(ids) / len(table.stripes)
	for i := range table.stripes {
		require.InDelta(t, fair, table.stripes[i].live.count, 100, "stripe %d: 8 standard deviations", i)
	}
	for _, id := range ids {
		if _, err := table.Release(id); err != nil {
			t.Fatal(err)
		}
	}
	for i := range table.stripes {
		x := &table.stripes[i].past.found
		for at, word := range x.words {
			if word != 0 && at-x.home(uint32(word>>32)) > farFromHome {
				t.Fatal("what is past is crowded in stripe", i)
			}
		}
	}
	require.NoError(t, table.CheckAtRest())
}

// Equal texts are equal keys; no two texts are ever one session; and nothing but a
// lower-case uuid is read as one.
func FuzzKeys(f *testing.F) {
	const id = "psess-01234567-89ab-cdef-fedc-ba9876543210"
	for _, other := range []string{
		"", "psess-", "psess-x", strings.ToUpper(id), "psess-" + strings.ToUpper(id[6:]), id + "0", id[:41], id[:41] + "g",
		id[:14] + "_" + id[15:], id[:6] + "/" + id[7:], id[:6] + ":" + id[7:], id[:6] + "`" + id[7:], id[:40] + "é", id + "\x00",
	} {
		f.Add(id, other)
	}
	canonical := regexp.MustCompile(`^psess-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\z`)
	ks := newKeys()
	f.Fuzz(func(t *testing.T, a, b string) {
		var kept [2]record
		var stripes [2]*stripe
		var aliases [2]bool
		for i, id := range []string{a, b} {
			k, alias, ok := ks.of(id)
			require.Equal(t, session.ValidatePlayerSessionID(id) == nil, ok, "%q", id)
			if !ok {
				return
			}
			require.Equal(t, canonical.MatchString(id), !alias, "%q", id)
			again, _, _ := ks.of(strings.Clone(id))
			require.Equal(t, k, again)
			aliases[i] = alias
			stripes[i], kept[i] = keep(k, id, alias)
			v := stripes[i].view(&kept[i])
			require.Equal(t, id, ks.id(&v))
		}
		named := stripes[0].named(&kept[0], b, aliases[1])
		require.Equal(t, a == b, kept[0].key == kept[1].key && named, "%q, %q", a, b)
		require.Equal(t, a == b || !aliases[0] && !aliases[1], named, "as if the two texts shared a key")
	})
}

// Of two bytes side by side, whatever they are, neither makes the other one good: eight
// are read at a time, and what one borrows is the next one's.
func TestCanonicalInEveryTwoBytes(t *testing.T) {
	t.Parallel()
	const id = "psess-01234567-89ab-cdef-fedc-ba9876543210"
	canonical := func(at, b int) bool {
		if at < len(prefix) || id[at] == '-' {
			return b == int(id[at])
		}
		return '0' <= b && b <= '9' || 'a' <= b && b <= 'f'
	}
	for i := range len(id) - 1 {
		text := []byte(id)
		for a := range 256 {
			for b := range 256 {
				text[i], text[i+1] = byte(a), byte(b)
				hi, lo, ok := parseCanonical(string(text))
				if ok != (canonical(i, a) && canonical(i+1, b)) {
					t.Fatalf("%q: %t", text, ok)
				}
				if ok && formatCanonical(hi, lo) != string(text) {
					t.Fatalf("%q is written as %q", text, formatCanonical(hi, lo))
				}
			}
		}
	}
}

// keep reserves under an id of that key, in a stripe of its own.
func keep(k key, id string, alias bool) (*stripe, record) {
	s, suffix := new(stripe), ""
	s.live = noRecords()
	if alias {
		suffix = suffixOf(id)
	}
	s.add(k, "player", "data", suffix).place = 1
	return s, *s.live.find(k)
}

// What a player chose forges no line and fills no log, wherever it is printed.
func TestHostileText(t *testing.T) {
	t.Parallel()
	const forged = "a\nERROR forged\x1b[31m"
	for _, text := range []string{
		(&PartyError{PlayerID: forged, Err: session.ErrGameSessionFull}).Error(),
		Reservation{PlayerID: forged, GameSessionID: forged}.String(),
		Query{PlayerID: forged, GameSessionID: forged}.String(),
	} {
		require.NotContains(t, text, "\n")
		require.NotContains(t, text, "\x1b")
		require.Contains(t, text, "ERROR forged")
	}

	var out strings.Builder
	table, err := NewTable(Config{Logger: zerolog.New(&out)})
	require.NoError(t, err)
	defer table.Close()
	giant := strings.Repeat("é", 1<<20)
	_, err = table.ReserveAll([]Reservation{{GameSessionID: giant, PlayerID: giant}, {GameSessionID: giant, PlayerID: "bob"}})
	require.ErrorIs(t, err, session.ErrInvalidField)
	require.Less(t, len(err.Error()), 10_000)
	_, err = table.Describe(Query{GameSessionID: "match", NextToken: giant})
	require.ErrorIs(t, err, session.ErrInvalidField)
	require.NotEmpty(t, out.String())
	require.Less(t, out.Len(), 20_000)
	require.True(t, utf8.ValidString(out.String()))
	longest := strings.Repeat("😀", maxPlayerID)
	require.Equal(t, longest, brief(longest), "what is valid is whole")
}
