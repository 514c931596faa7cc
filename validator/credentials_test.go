package validator_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/slot"
	"github.com/usher-go/usher/validator"
)

// through sends a request through a gate, and returns it as next, or Refuse, sees
// it.
func through(t testing.TB, table *slot.Table, r *http.Request) (seen *http.Request, playerID string) {
	t.Helper()
	next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ps, _ := validator.PlayerSessionFromContext(r.Context())
		seen, playerID = r, ps.PlayerID
	})
	validator.New(table, validator.Config{}).Handler(next, validator.HandlerConfig{
		Refuse:         func(_ http.ResponseWriter, r *http.Request, _ error) { seen = r },
		QueryParameter: "seat",
	}).ServeHTTP(httptest.NewRecorder(), r)
	require.NotNil(t, seen)
	return seen, playerID
}

// Where an id may stand, how, and what is left of the request. ID stands for an id
// that is reserved, NO for one that is not.
func TestCredentials(t *testing.T) {
	t.Parallel()
	const no = "psess-nobody"
	type parts struct {
		authorization, protocol []string
		target                  string
	}
	for name, c := range map[string]struct {
		from, left parts
		refused    bool
	}{
		"bearer":                {from: parts{authorization: []string{"Bearer ID"}}},
		"any case, more spaces": {from: parts{authorization: []string{"bEARER   ID "}}},
		"beside another scheme": {
			from: parts{authorization: []string{"Basic x", "Bearer ID"}},
			left: parts{authorization: []string{"Basic x"}},
		},
		"beside a token of something else": {
			from: parts{authorization: []string{"Bearer eyJ0"}, protocol: []string{"usher, ID"}},
			left: parts{authorization: []string{"Bearer eyJ0"}, protocol: []string{"usher"}},
		},
		"not a bearer": {
			from:    parts{authorization: []string{"Basic ID"}},
			left:    parts{authorization: []string{"Basic ID"}},
			refused: true,
		},
		"no space": {
			from:    parts{authorization: []string{"BearerID"}},
			left:    parts{authorization: []string{"BearerID"}},
			refused: true,
		},
		"subprotocol": {
			from: parts{protocol: []string{"usher, ID"}},
			left: parts{protocol: []string{"usher"}},
		},
		"subprotocol among others": {
			from: parts{protocol: []string{"chat ,usher,ID,\tv2"}},
			left: parts{protocol: []string{"chat, usher, v2"}},
		},
		"subprotocols on several lines": {
			from: parts{protocol: []string{"chat", "usher", "ID", "v2,"}},
			left: parts{protocol: []string{"chat", "usher", "v2"}},
		},
		"subprotocol alone": {from: parts{protocol: []string{"ID"}}},
		"query": {
			from: parts{target: "/room?seat=ID"},
			left: parts{target: "/room"},
		},
		"query among others": {
			from: parts{target: "/room?b=%20&seat=ID&a&seat=4"},
			left: parts{target: "/room?b=%20&a&seat=4"},
		},
		"query, escaped": {
			from: parts{target: "/room?se%61t=p%73ess-alice&a=%zz"},
			left: parts{target: "/room?a=%zz"},
		},
		"query of another name": {
			from:    parts{target: "/room?other=ID"},
			left:    parts{target: "/room?other=ID"},
			refused: true,
		},
		"the same everywhere": {
			from: parts{authorization: []string{"Bearer ID", "Bearer ID"}, protocol: []string{"usher, ID, ID"}, target: "/?seat=ID"},
			left: parts{protocol: []string{"usher"}, target: "/"},
		},
		"two bearers":        {from: parts{authorization: []string{"Bearer ID", "Bearer NO"}}, refused: true},
		"two subprotocols":   {from: parts{protocol: []string{"NO, ID"}}, refused: true},
		"two parameters":     {from: parts{target: "/?seat=ID&seat=NO"}, left: parts{target: "/"}, refused: true},
		"two places":         {from: parts{authorization: []string{"Bearer ID"}, target: "/?seat=NO"}, left: parts{target: "/"}, refused: true},
		"one, two, one":      {from: parts{protocol: []string{"ID, NO, ID"}}, refused: true},
		"nowhere":            {refused: true},
		"prefix in capitals": {from: parts{authorization: []string{"Bearer PSESS-x"}}, left: parts{authorization: []string{"Bearer PSESS-x"}}, refused: true},
	} {
		for _, id := range []string{session.NewPlayerSessionID(), "psess-alice"} {
			fill := func(texts ...string) []string {
				var filled []string
				for _, text := range texts {
					filled = append(filled, strings.NewReplacer("ID", id, "NO", no, "psess-alice", id, "p%73ess-alice", "p%73"+id[2:]).Replace(text))
				}
				return filled
			}
			target := func(text string) string {
				if text == "" {
					text = "/"
				}
				return fill(text)[0]
			}
			table := newTable(t, slot.Config{})
			_, err := table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerSessionID: id})
			require.NoError(t, err)
			r := httptest.NewRequest(http.MethodGet, target(c.from.target), nil)
			r.Header["Authorization"] = fill(c.from.authorization...)
			r.Header["Sec-Websocket-Protocol"] = fill(c.from.protocol...)
			_ = r.ParseForm() // as a handler before the gate may have done
			before := r.Clone(t.Context())

			seen, player := through(t, table, r)
			require.Equal(t, c.refused, player != "alice", name)
			require.Equal(t, fill(c.left.authorization...), seen.Header["Authorization"], name)
			require.Equal(t, fill(c.left.protocol...), seen.Header["Sec-Websocket-Protocol"], name)
			require.Equal(t, target(c.left.target), seen.URL.RequestURI(), name)
			require.Equal(t, target(c.left.target), seen.RequestURI, name)
			_ = seen.ParseForm()
			require.NotContains(t, seen.Form["seat"], id, name)
			require.Equal(t, before.Header, r.Header, "%s: the server's own request is as it was", name)
			require.Equal(t, before.URL, r.URL, name)
			require.Equal(t, before.Form, r.Form, name)
		}
	}
}

// Without a query parameter configured none is looked at.
func TestCredentialsNotInTheQuery(t *testing.T) {
	t.Parallel()
	table := newTable(t, slot.Config{})
	id := reserve(t, table, "alice").PlayerSessionID
	gate := validator.New(table, validator.Config{}).Handler(http.HandlerFunc(visited), validator.HandlerConfig{})
	for _, query := range []string{"?=", "?", "?id=", "?seat="} {
		w := httptest.NewRecorder()
		gate.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+query+id, nil))
		require.Equal(t, http.StatusUnauthorized, w.Code)
	}
}

// The id that a player is known by from now on is a copy: the rest of what came with
// it, a megabyte if the client likes, is the collector's.
func TestCredentialsPinNothing(t *testing.T) {
	t.Parallel()
	for place, show := range map[string]func(r *http.Request, id string) (within string){
		"bearer": func(r *http.Request, id string) string {
			r.Header.Set("Authorization", "Bearer "+strings.Repeat(" ", 1000)+id)
			return r.Header.Get("Authorization")
		},
		"subprotocol": func(r *http.Request, id string) string {
			r.Header.Set("Sec-WebSocket-Protocol", strings.Repeat(",", 1000)+id)
			return r.Header.Get("Sec-WebSocket-Protocol")
		},
		"query": func(r *http.Request, id string) string {
			r.URL.RawQuery = strings.Repeat("&", 1000) + "seat=" + id
			return r.URL.RawQuery
		},
	} {
		table := newTable(t, slot.Config{})
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		within := show(r, reserve(t, table, "alice").PlayerSessionID)
		seen, player := through(t, table, r)
		require.Equal(t, "alice", player, place)
		ps, _ := validator.PlayerSessionFromContext(seen.Context())
		offset := uintptr(unsafe.Pointer(unsafe.StringData(ps.PlayerSessionID))) - uintptr(unsafe.Pointer(unsafe.StringData(within)))
		require.GreaterOrEqual(t, offset, uintptr(len(within)), place)
	}
}

// Whatever a client sends: no id is left where one is looked for, all else is, and
// who gets in has shown one id, the right one.
func FuzzCredentials(f *testing.F) {
	const id = "psess-alice"
	f.Add("Bearer "+id, "", "")
	f.Add("", "usher, "+id, "")
	f.Add("bearer psess-bob", "chat,usher,"+id, "seat="+id+"&a=b")
	f.Add("Basic "+id, ", ,\t"+id+",,", "seat=%70sess-alice&seat=&;&seat=%zz")
	f.Fuzz(func(t *testing.T, authorization, protocol, query string) {
		table := newTable(t, slot.Config{})
		_, err := table.Reserve(slot.Reservation{GameSessionID: match, PlayerID: "alice", PlayerSessionID: id})
		require.NoError(t, err)
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", authorization)
		r.Header.Set("Sec-WebSocket-Protocol", protocol)
		r.URL.RawQuery, r.RequestURI = query, "/?"+query

		shown, others := shownIn(r)
		seen, player := through(t, table, r)
		slices.Sort(shown)
		shown = slices.Compact(shown)
		require.Equal(t, slices.Equal(shown, []string{id}), player == "alice", "%q", shown)
		left, same := shownIn(seen)
		require.Empty(t, left)
		require.Equal(t, others, same)
	})
}

// shownIn lists the ids in a request, and what else stands in the same places.
func shownIn(r *http.Request) (ids, others []string) {
	sort := func(text, whole string) {
		switch {
		case strings.HasPrefix(text, "psess-"):
			ids = append(ids, text)
		case whole != "":
			others = append(others, whole)
		}
	}
	for _, line := range r.Header.Values("Authorization") {
		token := ""
		if len(line) > 7 && strings.EqualFold(line[:7], "Bearer ") {
			token = strings.TrimSpace(line[7:])
		}
		sort(token, line)
	}
	for e := range strings.SplitSeq(strings.Join(r.Header.Values("Sec-WebSocket-Protocol"), ","), ",") {
		sort(strings.TrimSpace(e), strings.TrimSpace(e))
	}
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		k, v, _ := strings.Cut(pair, "=")
		key, keyErr := url.QueryUnescape(k)
		value, valueErr := url.QueryUnescape(v)
		if keyErr != nil || valueErr != nil || key != "seat" {
			value = ""
		}
		sort(value, pair)
	}
	return ids, others
}
