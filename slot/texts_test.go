package slot

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// called is a player session of TestTexts: what it was written as, and the string
// of it that was handed out.
type called struct {
	key        key
	id, data   string
	handed, is string
}

// Texts of all lengths come, end and are forgotten in one stripe, until nearly all
// are gone, and again. Each reads as it was written, what was handed out does not
// change, and no more is held than a few times what is needed.
func TestTexts(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var s stripe
	s.live = noRecords()
	var live, past, gone []called
	take := func(from *[]called) called {
		i := random.IntN(len(*from))
		c := (*from)[i]
		*from = append((*from)[:i], (*from)[i+1:]...)
		return c
	}
	for step := range uint32(20_000) {
		filling := step/2_000%4 == 0
		switch n := random.IntN(8); {
		case n == 0 || filling && n < 6:
			c := called{
				key:  key{random.Uint64(), uint64(step)},
				id:   fmt.Sprint("player-", step),
				data: strings.Repeat(string('a'+rune(step%26)), max(0, random.IntN(4_000)-3_000)*random.IntN(3)),
			}
			r := s.add(c.key, c.id, c.data, "")
			r.place = step + 1
			r.become(session.StatusReserved, session.CauseReserved)
			c.handed = s.texts.at(r.text)
			c.is = strings.Clone(c.handed)
			live = append(live, c)
		case n > 3 && len(live) > 0:
			c := take(&live)
			r := s.live.find(c.key)
			e := *r
			e.end(session.CauseDeadline, 0)
			s.live.remove(r)
			s.past.add(&e)
			past = append(past, c)
		case len(past) > 0:
			c := take(&past)
			s.forget(c.key)
			gone = append(gone, c)
		}
		if step%100 > 0 {
			continue
		}
		needed, held := 0, 0
		for _, c := range append(append([]called(nil), live...), past...) {
			v := s.view(s.find(c.key))
			require.Equal(t, c.id, v.playerID())
			require.Equal(t, c.data, v.playerData())
			needed += len(v.text)
		}
		for _, page := range s.texts.pages {
			held += len(page)
		}
		require.LessOrEqual(t, held, 4*needed+4*largestPage)
	}
	require.Greater(t, len(gone), 4_000)
	for _, c := range append(append(gone, live...), past...) {
		require.Equal(t, c.is, c.handed)
	}
}

// Who is looked up reads the same while the texts of its stripe are moved because of
// others who come and go.
func TestLookupWhileTextsMove(t *testing.T) {
	t.Parallel()
	table := newTable(t, Config{Stripes: 1, MaxRetained: 1})
	require.NoError(t, table.CreateGameSession(session.GameSession{GameSessionID: "match", MaximumPlayerSessionCount: 2}))
	stays, err := table.Reserve(Reservation{GameSessionID: "match", PlayerID: "who stays"})
	require.NoError(t, err)
	gone := make(chan error, 1)
	go func() {
		for range 5_000 {
			ps, err := table.Reserve(Reservation{GameSessionID: "match", PlayerID: "who comes and goes"})
			if err == nil {
				_, err = table.Release(ps.PlayerSessionID)
			}
			if err != nil {
				gone <- err
				return
			}
		}
		gone <- nil
	}()
	for {
		ps, err := table.Lookup(stays.PlayerSessionID)
		require.NoError(t, err)
		require.Equal(t, "who stays", ps.PlayerID)
		select {
		case err := <-gone:
			require.NoError(t, err)
			return
		default:
		}
	}
}

// Of many players one in forty stays, each on a page that all others have left:
// they are moved together, those who are past as well, and read as before.
func TestTextsAreTidied(t *testing.T) {
	t.Parallel()
	var s stripe
	s.live = noRecords()
	const n = 4_000
	keys := make([]key, n)
	end := func(i int) {
		r := s.live.find(keys[i])
		e := *r
		e.end(session.CauseDeadline, 0)
		s.live.remove(r)
		s.past.add(&e)
	}
	for i := range keys {
		keys[i] = key{uint64(i+1) * 0x9E3779B97F4A7C15, uint64(i)}
		r := s.add(keys[i], fmt.Sprint("player-", i), "", "")
		r.place = uint32(i + 1)
		r.become(session.StatusReserved, session.CauseReserved)
	}
	for i := range keys {
		if i%80 != 0 { // of those who stay half have ended
			end(i)
		}
		if i%40 != 0 {
			s.forget(keys[i])
		}
	}
	require.LessOrEqual(t, s.texts.held, 4*s.texts.kept+2*largestPage)
	for i := 0; i < n; i += 40 {
		v := s.view(s.find(keys[i]))
		require.Equal(t, fmt.Sprint("player-", i), v.playerID())
	}
}

// What the caller passes is copied, long or short: it may be a part of something
// large, and is let go of.
func TestTextsAreCopies(t *testing.T) {
	t.Parallel()
	var s stripe
	s.live = noRecords()
	for place, id := range []string{"a", strings.Repeat("a", longText), strings.Repeat("a", longText+1)} {
		r := s.add(key{1, uint64(place)}, id, "", "")
		r.place = uint32(place + 1)
		text := s.texts.at(r.text)
		require.Equal(t, id, text)
		require.NotSame(t, unsafe.StringData(id), unsafe.StringData(text))
	}
}

// The garbage collector has nothing to follow in what there is one of for each
// player: a table of a million would cost it a hundred milliseconds a time.
func TestPlayersHaveNoPointers(t *testing.T) {
	t.Parallel()
	for _, of := range []any{record{}, entry{}, past{}, timed{}, index{}.words} {
		kind := reflect.TypeOf(of)
		if kind.Kind() == reflect.Slice {
			kind = kind.Elem()
		}
		requireNoPointers(t, kind)
	}
}

func requireNoPointers(t *testing.T, kind reflect.Type) {
	t.Helper()
	switch kind.Kind() {
	case reflect.Struct:
		for i := range kind.NumField() {
			requireNoPointers(t, kind.Field(i).Type)
		}
	case reflect.Array:
		requireNoPointers(t, kind.Elem())
	default:
		require.LessOrEqual(t, kind.Kind(), reflect.Complex128, "%v", kind)
	}
}
