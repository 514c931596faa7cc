package slot

import (
	"cmp"
	"hash/maphash"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/usher-go/usher/slot/internal/prefetch"
)

// roster lists all player sessions, live and retained, in order of reservation:
// by player, by game session, and the live ones of a player in a game session.
// It knows where a session stands in these orders and by which key to find it.
//
// Lock order: a game session's lock, then the roster's, never a stripe's first,
// so that an accept does not wait for it.
type roster struct {
	seed maphash.Seed

	// byLife is whether the live ones are listed by themselves. Under
	// DuplicatesAllow no reservation looks for them, and Live goes through all of
	// the player's: that spares Reserve and Release two cache lines each.
	byLife bool

	// Players' lists are made when somebody first asks for one, and kept from then on:
	// most servers never ask, and that spares Reserve and Release the cache lines of
	// others who are listed.
	listing sync.Mutex  // held while they are made; taken before mu
	whole   atomic.Bool // all are listed

	mu   sync.Mutex // protects all below
	last uint64     // sequence number

	chunks  []*[chunkPlaces]entry // by place; chunks, since copying them all to grow would take long
	places  place                 // how many there are, with the place 0 that nobody gets
	left    []leftPlaces          // of each chunk
	anyLeft []uint32              // numbers of the chunks that have some
	players heads
	lives   heads
	kept    bool // who comes is entered in its player's list
}

const chunkPlaces = 256

// place is a number for an entry, given again once it is left; 0 is none.
type place = uint32

// leftPlaces are those of a chunk that were left: a bit for each. They are given again
// chunk by chunk, in order, so that the entries of who come together stand together.
type leftPlaces [chunkPlaces / 64]uint64

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
		players: heads{order: byPlayer},
		lives:   heads{order: byLive},
	}
}

// hash of a player id, for the other methods.
func (ro *roster) hash(playerID string) uint32 {
	return uint32(maphash.String(ro.seed, playerID))
}

func (ro *roster) at(p place) *entry { return &ro.chunks[p/chunkPlaces][p%chunkPlaces] }

// addLocked enters a live player session of g behind all others. g is locked, and so
// is the roster until its record has appeared.
func (ro *roster) addLocked(g *gameSession, k key, player uint32) cursor {
	p := ro.free()
	ro.last++
	*ro.at(p) = entry{seq: ro.last, key: k, player: player, game: g.number}
	g.first = ro.append(g.first, byGame, p)
	if ro.byLife {
		ro.lives.append(ro, p)
	}
	if ro.kept {
		ro.players.append(ro, p)
	}
	return cursor{ro.last, p}
}

// listPlayers makes players' lists, unless there are any. It looks at everybody, once,
// but lets others have the lock again and again, a chunk of places at a time. Who asks
// meanwhile waits. No lock is held.
func (ro *roster) listPlayers() {
	if ro.whole.Load() {
		return
	}
	ro.listing.Lock()
	defer ro.listing.Unlock()
	if ro.whole.Load() {
		return
	}
	there := ro.upTo(ro.keepPlayers())
	slices.SortFunc(there, func(a, b cursor) int { return cmp.Compare(b.seq, a.seq) })
	for some := range slices.Chunk(there, chunkPlaces) {
		ro.listBefore(some)
		runtime.Gosched() // or nobody who waits gets the lock
	}
	ro.whole.Store(true)
}

// keepPlayers lets whoever comes from now on be listed, and returns the sequence number
// of the last one who is not.
func (ro *roster) keepPlayers() (newest uint64) {
	ro.mu.Lock()
	defer ro.mu.Unlock()
	ro.kept = true
	return ro.last
}

// upTo returns who is there of those up to a sequence number.
func (ro *roster) upTo(newest uint64) []cursor {
	var there []cursor
	var room [chunkPlaces]cursor
	for i, more := 0, true; more; i++ {
		var some []cursor
		some, more = ro.inChunk(i, newest, room[:0])
		there = append(there, some...)
		runtime.Gosched()
	}
	return there
}

// inChunk is upTo for a chunk. It appends to some, and reports whether there is another.
func (ro *roster) inChunk(i int, newest uint64, some []cursor) (_ []cursor, more bool) {
	ro.mu.Lock()
	defer ro.mu.Unlock()
	if i == len(ro.chunks) {
		return some, false
	}
	for j := range ro.chunks[i] {
		if seq := ro.chunks[i][j].seq; seq != 0 && seq <= newest {
			some = append(some, cursor{seq, place(i*chunkPlaces + j)})
		}
	}
	return some, true
}

// listBefore enters those who are still there in their players' lists, before all who
// are listed.
func (ro *roster) listBefore(some []cursor) {
	ro.mu.Lock()
	defer ro.mu.Unlock()
	for _, c := range some {
		if ro.at(c.place).seq == c.seq {
			ro.players.prepend(ro, c.place)
		}
	}
}

// free returns a place nobody has.
func (ro *roster) free() place {
	if n := len(ro.anyLeft); n > 0 {
		chunk := ro.anyLeft[n-1]
		p, more := ro.left[chunk].take()
		if !more {
			ro.anyLeft = ro.anyLeft[:n-1]
		}
		return chunk*chunkPlaces + p
	}
	if ro.places%chunkPlaces == 0 {
		ro.chunks = append(ro.chunks, new([chunkPlaces]entry))
		ro.left = append(ro.left, leftPlaces{})
	}
	p := max(ro.places, 1)
	ro.places = p + 1
	return p
}

// prefetchNext asks for the entry whose place free will return, if it was left.
func (ro *roster) prefetchNext() {
	if n := len(ro.anyLeft); n > 0 {
		chunk := ro.anyLeft[n-1]
		e := &ro.chunks[chunk][ro.left[chunk].lowest()]
		prefetch.Lines(unsafe.Pointer(e), unsafe.Pointer(&e.game)) // its first field and its last
	}
}

// reuse lets free return p again.
func (ro *roster) reuse(p place) {
	left := &ro.left[p/chunkPlaces]
	if *left == (leftPlaces{}) {
		ro.anyLeft = append(ro.anyLeft, p/chunkPlaces)
	}
	left.add(p % chunkPlaces)
}

func (l *leftPlaces) add(i place) { l[i/64] |= 1 << (i % 64) }

// take takes out the lowest, and reports whether there are more.
func (l *leftPlaces) take() (lowest place, more bool) {
	lowest = l.lowest()
	l[lowest/64] &^= 1 << (lowest % 64)
	return lowest, *l != leftPlaces{}
}

// lowest of those that there are.
func (l *leftPlaces) lowest() place {
	word := 0
	for l[word] == 0 {
		word++
	}
	return place(word*64 + bits.TrailingZeros64(l[word]))
}

// leave takes sessions that have ended out of the live ones, which are listed.
func (ro *roster) leave(ended []past) {
	ro.mu.Lock()
	defer ro.mu.Unlock()
	for i := range ended {
		ro.lives.unlink(ro, ended[i].place)
	}
}

// remove forgets sessions of g that are not among the live ones.
func (ro *roster) remove(g *gameSession, known []listed) {
	ro.mu.Lock()
	defer ro.mu.Unlock()
	for i := range known {
		p := known[i].place
		g.first = ro.unlink(g.first, byGame, p)
		if ro.at(p).links[byPlayer].prev != 0 { // it is listed
			ro.players.unlink(ro, p)
		}
		*ro.at(p) = entry{}
		ro.reuse(p)
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
// compares. g is locked, so it stays where it is. Unless the live ones are listed,
// listPlayers goes before.
func (ro *roster) nextLive(g *gameSession, player uint32, p place) (place, key) {
	ro.mu.Lock()
	defer ro.mu.Unlock()
	x, hash := &ro.lives, liveHash(player, g.number)
	if !ro.byLife {
		x, hash = &ro.players, player
	}
	if p == 0 {
		p = x.first(hash)
	} else {
		p = ro.at(p).links[x.order].next
	}
	for ; p != 0; p = ro.at(p).links[x.order].next {
		if e := ro.at(p); e.player == player && e.game == g.number {
			return p, e.key
		}
	}
	return 0, key{}
}

// list is one of the roster's: a game session's or, after listPlayers, a player's. A
// player's may hold others, whose hashes are alike: the reader compares.
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
	if l.order == byGame {
		return l.game.first
	}
	return ro.players.first(l.player)
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

// append puts p behind the others of a list, and returns the list's first.
func (ro *roster) append(head place, o order, p place) place {
	if head == 0 {
		ro.at(p).links[o] = links{prev: p}
		return p
	}
	first := ro.at(head)
	last := first.links[o].prev
	ro.at(p).links[o] = links{prev: last}
	ro.at(last).links[o].next = p
	first.links[o].prev = p
	return head
}

// prepend puts p before the others of a list, and is the list's first then.
func (ro *roster) prepend(head place, o order, p place) {
	if head == 0 {
		ro.at(p).links[o] = links{prev: p}
		return
	}
	first := &ro.at(head).links[o]
	ro.at(p).links[o] = links{prev: first.prev, next: head}
	first.prev = p
}

// unlink takes p out of a list, and returns the list's first.
func (ro *roster) unlink(head place, o order, p place) place {
	l := ro.at(p).links[o]
	ro.at(p).links[o] = links{}
	if l.next != 0 {
		ro.at(l.next).links[o].prev = l.prev
	} else if head != p {
		ro.at(head).links[o].prev = l.prev
	}
	if head == p {
		return l.next
	}
	ro.at(l.prev).links[o].next = l.next
	return head
}

// heads are the first entries of the lists of an order, by a hash. Lists whose
// hashes are the same are one, in order; who reads it compares. They are in parts,
// so that no reservation waits for more than a part to grow.
type heads struct {
	order order
	parts [64]index
}

func (h *heads) part(hash uint32) *index { return &h.parts[hash%uint32(len(h.parts))] }

func (h *heads) hash(e *entry) uint32 {
	if h.order == byLive {
		return liveHash(e.player, e.game)
	}
	return e.player
}

// liveHash is the hash of a player in a game session.
func liveHash(player, game uint32) uint32 {
	const odd = 0x9E3779B97F4A7C15 // 2^64 over the golden ratio spreads numbers that follow each other
	return uint32(uint64(game)*odd>>32) ^ player
}

func (h *heads) first(hash uint32) place {
	x := h.part(hash)
	return x.at(x.find(hash), hash)
}

func (h *heads) append(ro *roster, p place) {
	hash := h.hash(ro.at(p))
	x := h.part(hash)
	head := x.at(x.find(hash), hash)
	if ro.append(head, h.order, p); head == 0 {
		x.add(hash, p)
	}
}

func (h *heads) prepend(ro *roster, p place) {
	hash := h.hash(ro.at(p))
	x := h.part(hash)
	i := x.find(hash)
	head := x.at(i, hash)
	if ro.prepend(head, h.order, p); head == 0 {
		x.add(hash, p)
	} else {
		x.put(i, p)
	}
}

func (h *heads) unlink(ro *roster, p place) {
	hash := h.hash(ro.at(p))
	x := h.part(hash)
	i := x.find(hash)
	if head := ro.unlink(x.at(i, hash), h.order, p); head == 0 {
		x.remove(i)
	} else {
		x.put(i, head)
	}
}
