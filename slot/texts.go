package slot

import "unsafe"

// texts are what the players of a stripe are called, many on a page. A record says
// where its text stands and has no pointer: so the garbage collector does not look
// at records, nor at a text for each of them, and with a million players is done in
// an eighth of the time.
//
// What is written stays as it is, since strings of it have been handed out; whoever
// keeps one keeps its page. The table lets go of a page when all on it have been
// forgotten, which players mostly are in the order in which they came. Those who
// stay on pages that are nearly empty are moved.
type texts struct {
	pages  []string // an accept reads one: so they are by themselves, and stay near
	usage  []usage  // of each
	unused []uint32 // numbers
	open   []byte   // the page that is being written
	last   uint32   // its number

	held, kept int // bytes: of pages, and of the texts on them that are not forgotten
}

// usage is of a page, in bytes.
type usage struct{ size, kept uint16 }

// text is where one stands.
type text struct {
	page       uint32
	start, len uint16
}

const (
	smallestPage = 64 // in a small table a stripe has one player or two

	// The larger the pages are, the fewer there are to look up: with a million
	// players an accept takes a seventh less than with pages of 1 KB.
	largestPage = 4096

	// A text that is longer has a page of its own.
	longText = largestPage / 8
)

// at returns a text, which needs no lock any more.
func (x *texts) at(t text) string { return x.pages[t.page][t.start:][:t.len] }

// add writes a text: what belongs to a player and, for an alias, the suffix.
func (x *texts) add(playerID, playerData, suffix string) text {
	n := len(playerID) + len(playerData) + len(suffix)
	if n > longText {
		number, page := x.newPage(n)
		_ = append(append(append(page, playerID...), playerData...), suffix...)
		return x.keep(text{page: number, len: uint16(n)})
	}
	if cap(x.open)-len(x.open) < n {
		x.turn(max(n, smallestPage, min(x.kept/2, largestPage)))
	}
	t := text{x.last, uint16(len(x.open)), uint16(n)}
	x.open = append(append(append(x.open, playerID...), playerData...), suffix...)
	return x.keep(t)
}

// keep notes that t has been written.
func (x *texts) keep(t text) text {
	x.usage[t.page].kept += t.len
	x.kept += int(t.len)
	return t
}

// turn opens another page.
func (x *texts) turn(size int) {
	was := x.last
	x.last, x.open = x.newPage(size)
	x.letGo(was)
}

// newPage returns an empty page. It is a string from now on, of what is still to be
// written as well, of which nobody has a part: to make one of it after each text took a
// tenth of a reservation.
func (x *texts) newPage(size int) (number uint32, page []byte) {
	if n := len(x.unused); n > 0 {
		number, x.unused = x.unused[n-1], x.unused[:n-1]
	} else {
		number = uint32(len(x.pages))
		x.pages = append(x.pages, "")
		x.usage = append(x.usage, usage{})
	}
	page = make([]byte, 0, size)
	x.pages[number] = unsafe.String(unsafe.SliceData(page), size)
	x.usage[number].size = uint16(size)
	x.held += size
	return number, page
}

// drop forgets a text.
func (x *texts) drop(t text) {
	x.usage[t.page].kept -= t.len
	x.kept -= int(t.len)
	x.letGo(t.page)
}

// letGo gives up a page that is written and on which nobody is left.
func (x *texts) letGo(number uint32) {
	u := &x.usage[number]
	if u.kept > 0 || number == x.last {
		return
	}
	x.held -= int(u.size)
	x.pages[number], *u = "", usage{}
	x.unused = append(x.unused, number)
}

// untidy tells whether three quarters of the pages are of those who have left.
func (x *texts) untidy() bool { return x.held > 4*x.kept+2*largestPage }

// tidied returns t, or where it stands now if it was nearly alone on its page.
func (x *texts) tidied(t text) text {
	if u := x.usage[t.page]; t.page == x.last || 4*int(u.kept) > int(u.size) {
		return t
	}
	moved := x.add(x.at(t), "", "")
	x.drop(t)
	return moved
}
