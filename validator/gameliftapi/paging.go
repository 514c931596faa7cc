package gameliftapi

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"hash/maphash"
	"slices"
)

// pager cuts lists of game sessions into pages. Its tokens are opaque, and bound
// to the query and to this handler.
type pager struct{ seed maphash.Seed }

// paged is what is done and what is asked for, but for the limit: that may change
// from page to page.
type paged [5]string

// mark is where a page ended.
type mark struct{ first, second uint64 }

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// oldestFirst returns a page, and the token of the next one. No game session is
// returned twice, and none that was there throughout is skipped: a page begins
// behind the last one's time of creation, and among those of one millisecond
// behind its hash.
func (p pager) oldestFirst(found []GameSession, query paged, limit *int32, token *string) ([]GameSession, string, error) {
	after, err := p.read(token, query)
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(found, func(a, b GameSession) int { return compareMarks(p.markOf(a), p.markOf(b)) })
	found = slices.DeleteFunc(found, func(gs GameSession) bool { return compareMarks(p.markOf(gs), after) <= 0 })
	size := limitOf(limit, defaultLimit, maxLimit)
	if len(found) <= size {
		return found, "", nil
	}
	return found[:size], p.token(query, p.markOf(found[size-1])), nil
}

// fromOffset returns a page of what is in an order that may change from page to
// page, as game sessions that are sorted by their players are.
func (p pager) fromOffset(found []GameSession, query paged, size int, token *string) ([]GameSession, string, error) {
	at, err := p.read(token, query)
	if err != nil {
		return nil, "", err
	}
	begin := min(at.first, uint64(len(found)))
	found = found[begin:]
	if len(found) <= size {
		return found, "", nil
	}
	return found[:size], p.token(query, mark{first: begin + uint64(size)}), nil
}

func limitOf(limit *int32, byDefault, most int) int {
	if limit == nil {
		return byDefault
	}
	return min(int(*limit), most)
}

func (p pager) markOf(gs GameSession) mark {
	return mark{uint64(gs.CreationTime.UnixMilli()), maphash.String(p.seed, gs.GameSessionID)}
}

func compareMarks(a, b mark) int {
	return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.second, b.second))
}

// token makes m opaque: a seeded hash of m and the query is behind it.
func (p pager) token(query paged, m mark) string {
	raw := make([]byte, 0, 24)
	raw = binary.BigEndian.AppendUint64(raw, m.first)
	raw = binary.BigEndian.AppendUint64(raw, m.second)
	raw = binary.BigEndian.AppendUint64(raw, maphash.Comparable(p.seed, struct {
		paged
		mark
	}{query, m}))
	return base64.RawURLEncoding.EncodeToString(raw)
}

// read returns the mark in a token, the zero mark if there is none.
func (p pager) read(token *string, query paged) (mark, error) {
	if token == nil {
		return mark{}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(*token)
	if err == nil && len(raw) == 24 {
		m := mark{binary.BigEndian.Uint64(raw), binary.BigEndian.Uint64(raw[8:])}
		if p.token(query, m) == *token {
			return m, nil
		}
	}
	return mark{}, &exception{invalidRequest, "NextToken is not one that this query returned; begin without one"}
}
