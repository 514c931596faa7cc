package slot

import "strings"

// texts are what the players of a stripe are called, some thirty on a page. A
// record says where its text stands and has no pointer: so the garbage collector
// does not look at records, nor at a text for each of them, and with a million
// players is done in an eighth of the time.
//
// What is written stays as it is, since strings of it have been handed out; whoever
// keeps one keeps its page. Once most of it is of players who have been forgotten,
// the stripe copies the rest to new pages.
type texts struct {
	pages []string
	open  strings.Builder // the last page that has room
	last  uint32          // its number

	kept, dropped int // bytes
}

// text is where one stands.
type text struct {
	page       uint32
	start, len uint16
}

const (
	smallestPage = 64 // in a small table a stripe has one player or two
	largestPage  = 512

	// A text that is longer has a page of its own, which is let go of at once. What
	// it leaves behind is the page's number.
	longText   = largestPage / 4
	pageNumber = 16
)

// takes is how many bytes of pages that are shared, or of their list.
func (t text) takes() int {
	if t.len > longText {
		return pageNumber
	}
	return int(t.len)
}

// add writes a text, which is in parts.
func (x *texts) add(parts ...string) text {
	n := 0
	for _, part := range parts {
		n += len(part)
	}
	if n > longText {
		var page strings.Builder
		page.Grow(n)
		write(&page, parts)
		return x.ownPage(page.String())
	}
	if x.open.Cap()-x.open.Len() < n {
		x.open.Reset()
		x.open.Grow(max(n, smallestPage, min(x.kept, largestPage)))
		x.last = uint32(len(x.pages))
		x.pages = append(x.pages, "")
	}
	t := text{x.last, uint16(x.open.Len()), uint16(n)}
	write(&x.open, parts)
	x.pages[t.page] = x.open.String()
	x.kept += t.takes()
	return t
}

func write(page *strings.Builder, parts []string) {
	for _, part := range parts {
		page.WriteString(part)
	}
}

func (x *texts) ownPage(page string) text {
	t := text{page: uint32(len(x.pages)), len: uint16(len(page))}
	x.pages = append(x.pages, page)
	x.kept += t.takes()
	return t
}

// move takes a text over from others.
func (x *texts) move(others *texts, t text) text {
	if t.len > longText {
		return x.ownPage(others.at(t))
	}
	return x.add(others.at(t))
}

// at returns a text, which needs no lock any more.
func (x *texts) at(t text) string { return x.pages[t.page][t.start:][:t.len] }

// drop forgets a text.
func (x *texts) drop(t text) {
	if t.len > longText {
		x.pages[t.page] = ""
	}
	x.kept -= t.takes()
	x.dropped += t.takes()
}

// untidy tells whether most of what is written has been dropped.
func (x *texts) untidy() bool { return x.dropped > x.kept+largestPage }
