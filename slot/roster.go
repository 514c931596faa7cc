package slot

import (
	"hash/maphash"
	"math/bits"
	"sync"
)

// roster lists all player sessions, live and retained, in order of reservation:
// by player, by game session, and the live ones of a player in a game session.
// It knows where a session stands in these orders and by which key to find it.
//
// Lock order: a game session's lock, then the roster's, never a stripe's first,
// so that an accept does not wait for it.
type roster struct {
	mu   sync.Mutex // protects all below
	seed maphash.Seed
	last uint64 // sequence number

	chunks  []*[chunkPlaces]entry // by place; chunks, since copying them all to grow would take long
	unused  []uint32              // places that were left
	players index
	lives   index

	// byLife is whether the live ones are listed by themselves. Under
	// DuplicatesAllow no reservation looks for them, and Live goes through all of
	// the player's: that spares Reserve and Release two cache lines each.
	byLife bool
}

const chunkPlaces = 1024

// place is a number for an entry, given again once it is left; 0 is none.
type place = uint32

// entry is a player session in the roster.
type entry struct {
	seq    uint64 // order of reservation, never given twice; 0: unused
	key    key
	links  [orders]links
	player uint32 // hash of the player id
	game   uint32 // number of the game session
}

// links are the neighbours in one order. The first one's prev is the last one.
type links struct{ prev, next place }

type order int

const (
	byPlayer order = iota
	byGame
	byLive // of one player in one game session
	orders
)

func newRoster(byLife bool) roster {
	return roster{
		byLife:  byLife,
		seed:    maphash.MakeSeed(),
		players: index{order: byPlayer},
		lives:   index{order: byLive},
	}
}

// hash of a player id, for the other methods.
func (ro *roster) hash(playerID string) uint32 {
	return uint32(maphash.String(ro.seed, playerID))
}

func (ro *roster) at(p place) *entry { return &ro.chunks[p/chunkPlaces][p%chunkPlaces] }

// add enters a live player session of g behind all others. g is locked: whoever
// finds it here before its record has appeared waits for that lock.
func (ro *roster) add(g *gameSession, k key, player uint32) timed {
	ro.mu.Lock()
	defer ro.mu.Unlock()
	p := ro.free()
	ro.last++
	*ro.at(p) = entry{seq: ro.last, key: k, player: player, game: g.number}
	ro.append(&g.first, byGame, p)
	ro.append(ro.players.of(ro, p), byPlayer, p)
	if ro.byLife {
		ro.append(ro.lives.of(ro, p), byLive, p)
	}
	return timed{p, uint32(ro.last)}
}

// free returns a place nobody has.
func (ro *roster) free() place {
	if n := len(ro.unused); n > 0 {
		p := ro.unused[n-1]
		ro.unused = ro.unused[:n-1]
		return p
	}
	ro.players.grow(ro)
	if ro.byLife {
		ro.lives.grow(ro)
	}
	p := place(len(ro.players.heads))
	if int(p/chunkPlaces) >= len(ro.chunks) {
		ro.chunks = append(ro.chunks, new([chunkPlaces]entry))
	}
	return p
}

// leave takes sessions that have ended out of the live ones, and fills in their
// sequence numbers.
func (ro *roster) leave(ended []past) {
	ro.mu.Lock()
	defer ro.mu.Unlock()
	for i := range ended {
		p := &ended[i]
		p.seq = ro.at(p.place).seq
		if ro.byLife {
			ro.unlink(ro.lives.of(ro, p.place), byLive, p.place)
		}
	}
}

// remove forgets sessions of g that are not among the live ones.
func (ro *roster) remove(g *gameSession, known []listed) {
	ro.mu.Lock()
	defer ro.mu.Unlock()
	for i := range known {
		p := known[i].place
		ro.unlink(&g.first, byGame, p)
		ro.unlink(ro.players.of(ro, p), byPlayer, p)
		*ro.at(p) = entry{}
		ro.unused = append(ro.unused, p)
	}
}

// key returns the key of a session that is in the roster.
func (ro *roster) key(p place) key {
	ro.mu.Lock()
	defer ro.mu.Unlock()
	return ro.at(p).key
}

// timed appends those entries of the wheel to known that still stand for someone.
func (ro *roster) timed(known []listed, es []timed) []listed {
	ro.mu.Lock()
	defer ro.mu.Unlock()
	for _, t := range es {
		if e := ro.at(t.place); uint32(e.seq) == t.seq && e.seq != 0 {
			known = append(known, listed{cursor{e.seq, t.place}, e.key, e.game})
		}
	}
	return known
}

// stamp returns what the wheel remembers of a session that is in the roster.
func (ro *roster) stamp(p place) timed {
	ro.mu.Lock()
	defer ro.mu.Unlock()
	return timed{p, uint32(ro.at(p).seq)}
}

// holds tells whether a player session is in the roster.
func (ro *roster) holds(c cursor) bool {
	ro.mu.Lock()
	defer ro.mu.Unlock()
	return ro.at(c.place).seq == c.seq
}

// find appends those of ps that are still in the roster to known.
func (ro *roster) find(known []listed, ps []past) []listed {
	ro.mu.Lock()
	defer ro.mu.Unlock()
	for _, p := range ps {
		if e := ro.at(p.place); e.seq == p.seq {
			known = append(known, listed{cursor{e.seq, p.place}, e.key, e.game})
		}
	}
	return known
}

// nextLive returns the first session of a player in g behind p (0: of all) that
// may be live, or 0. Players whose hashes are alike count as one: the caller
// compares. g is locked, so it stays where it is.
func (ro *roster) nextLive(g *gameSession, player uint32, p place) (place, key) {
	ro.mu.Lock()
	defer ro.mu.Unlock()
	x, hash := &ro.lives, liveHash(player, g.number)
	if !ro.byLife {
		x, hash = &ro.players, player
	}
	switch {
	case len(x.heads) == 0:
		return 0, key{}
	case p == 0:
		p = *x.head(hash)
	default:
		p = ro.at(p).links[x.order].next
	}
	for ; p != 0; p = ro.at(p).links[x.order].next {
		if e := ro.at(p); e.player == player && e.game == g.number {
			return p, e.key
		}
	}
	return 0, key{}
}

// list is one of the roster's: a game session's or a player's. A player's may
// hold others, whose hashes are alike: the reader compares.
type list struct {
	order  order
	game   *gameSession
	player uint32
}

// listed is an entry of a list.
type listed struct {
	cursor
	key  key
	game uint32
}

// behind appends the next entries of l behind a cursor, in order of reservation,
// to found, until that is full.
func (ro *roster) behind(found []listed, l list, c cursor) []listed {
	ro.mu.Lock()
	defer ro.mu.Unlock()
	p := ro.headOf(l)
	if c.seq != 0 {
		p = ro.resume(p, l.order, c)
	}
	for ; p != 0 && len(found) < cap(found); p = ro.at(p).links[l.order].next {
		e := ro.at(p)
		if l.order == byGame || e.player == l.player {
			found = append(found, listed{cursor{e.seq, p}, e.key, e.game})
		}
	}
	return found
}

func (ro *roster) headOf(l list) place {
	switch {
	case l.order == byGame:
		return l.game.first
	case len(ro.players.heads) == 0:
		return 0
	}
	return *ro.players.head(l.player)
}

// resume returns the first place behind a cursor. If the session it stood at has
// been forgotten meanwhile, the list is gone through from its beginning.
func (ro *roster) resume(head place, o order, c cursor) place {
	if int(c.place/chunkPlaces) < len(ro.chunks) && ro.at(c.place).seq == c.seq {
		return ro.at(c.place).links[o].next
	}
	p := head
	for p != 0 && ro.at(p).seq <= c.seq {
		p = ro.at(p).links[o].next
	}
	return p
}

func (ro *roster) append(head *place, o order, p place) {
	if *head == 0 {
		*head = p
		ro.at(p).links[o] = links{prev: p}
		return
	}
	first := ro.at(*head)
	last := first.links[o].prev
	ro.at(p).links[o] = links{prev: last}
	ro.at(last).links[o].next = p
	first.links[o].prev = p
}

func (ro *roster) unlink(head *place, o order, p place) {
	l := ro.at(p).links[o]
	if l.next != 0 {
		ro.at(l.next).links[o].prev = l.prev
	} else if *head != p {
		ro.at(*head).links[o].prev = l.prev
	}
	if *head == p {
		*head = l.next
	} else {
		ro.at(l.prev).links[o].next = l.next
	}
	ro.at(p).links[o] = links{}
}

// index finds the head of a list by a hash. It is a linear hash table: it grows
// by one list at a time, so that no reservation waits for a large table to be
// hashed anew. Lists whose hashes share a head are one, in order; who reads it
// compares.
type index struct {
	order order
	heads []place
}

func (x *index) of(ro *roster, p place) *place { return x.head(x.hash(ro.at(p))) }

func (x *index) hash(e *entry) uint32 {
	if x.order == byLive {
		return liveHash(e.player, e.game)
	}
	return e.player
}

// liveHash is the hash of a player in a game session.
func liveHash(player, game uint32) uint32 {
	const odd = 0x9E3779B97F4A7C15 // 2^64 over the golden ratio spreads numbers that follow each other
	return uint32(uint64(game)*odd>>32) ^ player
}

func (x *index) head(hash uint32) *place {
	mask := uint32(1)<<bits.Len(uint(len(x.heads)-1)) - 1
	i := hash & mask
	if int(i) >= len(x.heads) {
		i &= mask >> 1
	}
	return &x.heads[i]
}

// grow adds one head and moves there what now belongs to it, in order.
func (x *index) grow(ro *roster) {
	x.heads = append(x.heads, 0)
	added := len(x.heads) - 1
	if added == 0 {
		return
	}
	from := added - 1<<(bits.Len(uint(added))-1)
	p := x.heads[from]
	x.heads[from] = 0
	for p != 0 {
		next := ro.at(p).links[x.order].next
		ro.append(x.of(ro, p), x.order, p)
		p = next
	}
}
