package slot

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/maphash"

	"github.com/usher-go/usher/session"
)

// Query says which player sessions to describe: exactly one of the three ids.
type Query struct {
	PlayerSessionID, PlayerID, GameSessionID string

	Status session.Status // only those; 0: any. Has effect with GameSessionID alone, as in GameLift

	// Limit bounds the player sessions of a page. 0: 100; more than 1,000 counts
	// as 1,000; a negative one is an ErrInvalidField.
	Limit int

	// NextToken is the last page's, to go on behind it. It is opaque. Limit and
	// NextToken have no effect with PlayerSessionID.
	NextToken string
}

// String describes q without its secret: the id is redacted.
func (q Query) String() string {
	id := ""
	if q.PlayerSessionID != "" {
		id = session.Redact(q.PlayerSessionID)
	}
	return fmt.Sprintf("{PlayerSessionID:%s PlayerID:%q GameSessionID:%q Status:%v Limit:%d}",
		id, brief(session.RedactPlayerID(q.PlayerID)), brief(q.GameSessionID), q.Status, q.Limit)
}

// GoString is String, so that %#v keeps the secret too.
func (q Query) GoString() string { return "slot.Query" + q.String() }

// Page is a part of an answer.
type Page struct {
	PlayerSessions []session.PlayerSession // in order of reservation
	NextToken      string                  // for the next page; "" on the last one
}

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// Describe lists player sessions, live and retained, in order of reservation. No
// session appears twice in the pages of a query, and none is missing that was
// there throughout. A page of a game session costs what it returns and what the
// Status filter passes over, whatever else the table holds; so does a player's, but
// for the first that is asked for: it makes players' lists, which are kept from then
// on. That takes a fraction of a microsecond for each player session there is; who
// asks for a player meanwhile waits for it, and who reserves for a small part of it.
//
// Errors: ErrClosed; ErrInvalidField unless exactly one id is given, for a
// negative limit, an unknown status, and a token that cannot be read or is
// another query's; ErrInvalidPlayerSessionID; ErrPlayerSessionNotFound and
// ErrGameSessionNotFound for those ids. A player who is unknown has no sessions.
func (t *Table) Describe(q Query) (Page, error) {
	defer t.checked()
	if t.closed.Load() {
		return Page{}, session.ErrClosed
	}
	limit, err := q.check()
	if err != nil {
		return Page{}, err
	}
	if q.PlayerSessionID != "" {
		ps, err := t.Lookup(q.PlayerSessionID)
		if err != nil {
			return Page{}, err
		}
		return Page{PlayerSessions: []session.PlayerSession{ps}}, nil
	}
	if q.PlayerID != "" {
		q.Status = 0 // it has no effect, on a token neither
	}
	cursor, err := t.cursor(q)
	if err != nil {
		return Page{}, err
	}
	t.now() // deadlines are judged by the clock
	if q.PlayerID != "" {
		t.roster.listPlayers()
		l := list{order: byPlayer, player: t.roster.hash(q.PlayerID)}
		return t.page(l, q, cursor, limit)
	}
	g, err := t.lockGame(q.GameSessionID)
	if err != nil {
		return Page{}, err
	}
	t.unlock(g)
	return t.page(list{order: byGame, game: g}, q, cursor, limit)
}

// check returns the limit.
func (q *Query) check() (int, error) {
	given := 0
	for _, id := range []string{q.PlayerSessionID, q.PlayerID, q.GameSessionID} {
		if id != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return 0, &session.FieldError{Field: "Query", Reason: "must name exactly one of PlayerSessionId, PlayerId and GameSessionId"}
	case q.Limit < 0:
		return 0, &session.FieldError{Field: "Limit", Reason: "must not be negative"}
	case q.Status > session.StatusTimedOut:
		return 0, &session.FieldError{Field: "PlayerSessionStatusFilter", Reason: "is no known status"}
	case q.Limit == 0:
		return defaultLimit, nil
	}
	return min(q.Limit, maxLimit), nil
}

// pageEntries is how many entries are read under one hold of the roster's lock.
const pageEntries = 128

// maxHold is after how many entries that a filter passes over others may have the
// game session's lock. It is more than a page, which is thus of one instant.
const maxHold = maxLimit + pageEntries

// page collects the player sessions of l behind a cursor.
func (t *Table) page(l list, q Query, cursor cursor, limit int) (Page, error) {
	var page Page
	var g *gameSession // locked
	defer func() {
		if g != nil {
			t.unlock(g)
		}
	}()
	horizon := t.horizon.Load()
	last, passed := cursor, 0
	var room [pageEntries]listed
	for {
		entries := t.roster.behind(room[:0], l, cursor)
		for _, e := range entries {
			cursor = e.cursor
			v, game, ok := t.read(e, &g)
			if !ok {
				continue
			}
			v.record = v.settled(horizon, game.ended.Load())
			if q.PlayerID != "" && v.playerID() != q.PlayerID || q.GameSessionID != "" && q.Status != 0 && v.status() != q.Status {
				continue
			}
			if len(page.PlayerSessions) == limit {
				page.NextToken = t.token(q, last)
				return page, nil
			}
			page.PlayerSessions = append(page.PlayerSessions, game.present(&v, t.keys.id(&v)))
			last = cursor
		}
		if len(entries) == 0 {
			return page, nil
		}
		if passed += len(entries); passed >= maxHold && g != nil {
			t.unlock(g)
			g, passed = nil, 0
		}
	}
}

// read returns the record of an entry, if it is still there. It leaves the game
// session locked in g, so that what it does, such as entering a party, is seen
// whole; the next entry's is mostly the same.
func (t *Table) read(e listed, g **gameSession) (view, *gameSession, bool) {
	if *g == nil || (*g).number != e.game {
		if *g != nil {
			t.unlock(*g)
		}
		if *g = t.games.lookup(e.game); *g == nil {
			return view{}, nil, false
		}
		(*g).mu.Lock()
	}
	s := t.stripe(e.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(e.key)
	if r == nil || r.seq != e.seq || t.games.at(r.game) != *g {
		return view{}, nil, false
	}
	return s.view(r), *g, true
}

// cursor is the last player session of a page.
type cursor struct {
	seq   uint64
	place place
}

const tokenLen = 8 + 4 + 8

// token makes a cursor opaque, and bound to the query.
func (t *Table) token(q Query, c cursor) string {
	raw := make([]byte, 0, tokenLen)
	raw = binary.BigEndian.AppendUint64(raw, c.seq)
	raw = binary.BigEndian.AppendUint32(raw, c.place)
	raw = binary.BigEndian.AppendUint64(raw, t.tokenSum(q, c))
	return base64.RawURLEncoding.EncodeToString(raw)
}

func (t *Table) cursor(q Query) (cursor, error) {
	if q.NextToken == "" {
		return cursor{}, nil
	}
	if len(q.NextToken) == base64.RawURLEncoding.EncodedLen(tokenLen) {
		raw, err := base64.RawURLEncoding.DecodeString(q.NextToken)
		if err == nil && len(raw) == tokenLen {
			c := cursor{binary.BigEndian.Uint64(raw), binary.BigEndian.Uint32(raw[8:])}
			if t.token(q, c) == q.NextToken { // to the letter: decoding overlooks line breaks
				return c, nil
			}
		}
	}
	return cursor{}, &session.FieldError{Field: "NextToken", Reason: "is not one that this query returned; begin without one"}
}

// tokenSum is a seeded hash of what a token is good for. The limit may change
// from page to page.
func (t *Table) tokenSum(q Query, c cursor) uint64 {
	type good struct {
		cursor         cursor
		player, gameID string
		status         session.Status
	}
	return maphash.Comparable(t.roster.seed, good{c, q.PlayerID, q.GameSessionID, q.Status})
}
