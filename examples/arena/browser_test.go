package main

import (
	"context"
	"fmt"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/usher-go/usher/session"
)

// longest bounds a wait for what a page shows: it ends a test that has gone wrong.
const longest = 90 * time.Second

// browser is a headless Chromium.
type browser struct{ ctx context.Context }

func newBrowser(t *testing.T) *browser {
	t.Helper()
	allocator, closeAllocator := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(1280, 800),
		chromedp.NoSandbox, // it does not run as root, and all it is shown is ours
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
	)...)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		closeBrowser()
		closeAllocator()
	})
	require.NoError(t, chromedp.Do(ctx))
	return &browser{ctx}
}

// chromium is where the browser is, by any of its names.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require.FailNow(t, "no chromium", "these tests drive a real browser; on Debian: apt-get install chromium")
	return ""
}

// tab is a page, and what goes with it: a player, if it has a seat.
type tab struct {
	*testing.T
	ctx   context.Context
	close func()
}

func (b *browser) open(t *testing.T, url string) *tab {
	t.Helper()
	var thrown exceptions
	ctx, closeTab := chromedp.NewContext(b.ctx, chromedp.WithListener(thrown.note))
	t.Cleanup(closeTab)
	t.Cleanup(func() { require.Empty(t, thrown.texts()) })
	p := &tab{t, ctx, closeTab}
	require.NoError(t, chromedp.Do(ctx)) // a tab lives as long as the context of its first action
	_, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	require.NoError(t, err) // all are drawn, not only the one in front
	p.run(chromedp.Navigate(url))
	return p
}

// exceptions are those that no script of a page caught.
type exceptions struct {
	mu  sync.Mutex
	all []string
}

func (x *exceptions) note(event any) {
	e, ok := event.(*runtime.EventExceptionThrown)
	if !ok {
		return
	}
	text := e.ExceptionDetails.Text
	if thrown := e.ExceptionDetails.Exception; thrown != nil {
		text += " " + thrown.Description
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.all = append(x.all, text)
}

func (x *exceptions) texts() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.all
}

func (p *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, longest)
	defer cancel()
	require.NoError(p, chromedp.Do(ctx, actions...))
}

// value returns what a script's expression is.
func value[T any](p *tab, expression string) T {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, longest)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	require.NoError(p, err, expression)
	return v
}

// await waits until a script's expression is true.
func (p *tab) await(expression string) {
	p.Helper()
	deadline := time.Now().Add(longest)
	for {
		if value[bool](p, "Boolean("+expression+")") {
			return
		}
		if time.Now().After(deadline) {
			require.Fail(p, "the page never shows it", "%s\n%s", expression, value[string](p, `document.body.innerText`))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// view waits for a view of the player's page.
func (p *tab) view(name string) {
	p.Helper()
	p.await(fmt.Sprintf(`document.body.dataset.view === %q`, name))
}

func (p *tab) says(text string) {
	p.Helper()
	p.await(fmt.Sprintf(`document.body.innerText.includes(%q)`, text))
}

func (p *tab) click(id string) {
	p.Helper()
	p.await(fmt.Sprintf(`document.getElementById(%[1]q).checkVisibility() && !document.getElementById(%[1]q).disabled`, id))
	p.run(chromedp.Click(chromedp.CSS("#" + id)))
}

// reserve fills in the lobby's form.
func (p *tab) reserve(name string) {
	p.Helper()
	p.view("door")
	p.run(chromedp.SendKeys(chromedp.CSS("#name"), name), chromedp.Click(chromedp.CSS("#reserve button")))
}

// join is the way in, from the lobby into the game.
func (p *tab) join(name string) {
	p.Helper()
	p.reserve(name)
	p.view("ticket")
	p.click("enter")
	p.view("game")
}

// player is an expression: somebody of whom the page has heard, for whom another
// expression, of p, is true.
func (p *tab) player(name, expression string) string {
	return fmt.Sprintf(`arena.stage.frames.at(-1)?.players.find((p) => p.name === %q && (%s))`, name, expression)
}

// TestBrowser drives real pages. Its parts run one after the other: each needs the
// processors for itself.
func TestBrowser(t *testing.T) {
	b := newBrowser(t)
	for _, part := range []struct {
		name string
		play func(*testing.T, *browser)
	}{
		{"two players see each other move, a third is told that it is full", twoAndAThird},
		{"a reload keeps the seat", reload},
		{"a lost connection is found again", lost},
		{"a dropped tab's seat waits, and frees", dropped},
		{"another tab takes the seat over", takenOver},
		{"a kicked player is told", kicked},
		{"who leaves frees the seat at once", left},
		{"a reservation that is left alone times out", leftAlone},
		{"who plays when the server closes is told", closing},
		{"a crowd", crowd},
	} {
		t.Run(part.name, func(t *testing.T) { part.play(t, b) })
	}
}

func twoAndAThird(t *testing.T, b *browser) {
	s := running(t, patient(2))
	ann, bob := b.open(t, s.playURL()), b.open(t, s.playURL())
	ann.join("Ann")
	bob.join("Bob")
	for _, walk := range []struct {
		who, sees   *tab
		name        string
		key, arrive string
	}{
		{ann, bob, "Ann", "KeyD", "p.x > 1500"},
		{bob, ann, "Bob", "ArrowLeft", "p.x < 100"},
		{ann, bob, "Ann", "KeyW", "p.y < 100"},
	} {
		walk.who.key("keydown", walk.key)
		walk.sees.await(walk.sees.player(walk.name, walk.arrive))
		walk.who.key("keyup", walk.key)
	}
	bob.await(`[...arena.stage.drawn.values()].some((p) => p.name === "Ann" && p.x > 1500)`)
	bob.await(`document.getElementById("leaders").children.length === 2`)

	third := b.open(t, s.playURL())
	third.reserve("Cem")
	third.view("full")
	third.says("All 2 seats are taken.")
	ann.click("leave")
	third.says("One is free again!")
	third.click("again")
	third.view("ticket")
}

func (p *tab) key(event, code string) {
	p.Helper()
	value[bool](p, fmt.Sprintf(`dispatchEvent(new KeyboardEvent(%q, { code: %q }))`, event, code))
}

func reload(t *testing.T, b *browser) {
	s := running(t, patient(2))
	ann := b.open(t, s.playURL())
	ann.reserve("Ann")
	ann.view("ticket")
	id := value[string](ann, `sessionStorage.getItem("psess")`)
	ann.run(chromedp.Reload())
	ann.view("ticket")
	ann.click("enter")
	ann.view("game")
	ann.run(chromedp.Reload())
	ann.view("game")
	ann.await(`arena.link.generation === 2`)
	require.Equal(t, id, value[string](ann, `sessionStorage.getItem("psess")`))
	ps, err := s.table.Lookup(id)
	require.NoError(t, err)
	require.Equal(t, session.StatusActive, ps.Status)
	gs, err := s.table.GameSession(gameSession)
	require.NoError(t, err)
	require.Equal(t, 1, gs.CurrentPlayerSessionCount)
}

func lost(t *testing.T, b *browser) {
	s := running(t, patient(2))
	ann := b.open(t, s.playURL())
	ann.join("Ann")
	for generation := 2; generation < 4; generation++ {
		value[bool](ann, `arena.link.socket.close() || true`)
		ann.await(fmt.Sprintf(`arena.link.generation === %d`, generation))
		ann.view("game")
	}
	value[bool](ann, `Boolean(globalThis.fetch = () => new Promise(() => {}))`) // the network is gone
	value[bool](ann, `arena.link.socket.close() || true`)
	ann.view("lost")
	ann.says("Your seat waits for you.")
	ann.click("lost-leave")
}

func dropped(t *testing.T, b *browser) {
	o := patient(2)
	o.window = 4 * time.Second
	s := running(t, o)
	ann, bob := b.open(t, s.playURL()), b.open(t, s.playURL())
	ann.join("Ann")
	bob.join("Bob")
	value[bool](bob, `Boolean(arena.take = arena.stage.take)`)
	value[bool](bob, `Boolean(arena.stage.take = function (frame) { // sees what this test may be too slow for
		arena.take.call(this, frame);
		arena.saw ||= frame.players.some((p) => p.name === "Ann" && p.away_ms > 0) && document.body.innerText.includes("Ann (away)");
	})`)
	ann.close()
	bob.await(`arena.saw && arena.stage.frames.at(-1).players.length === 1`)
	gs, err := s.table.GameSession(gameSession)
	require.NoError(t, err)
	require.Equal(t, 1, gs.CurrentPlayerSessionCount)
}

// A tab that is duplicated has the id, too.
func takenOver(t *testing.T, b *browser) {
	s := running(t, patient(2))
	ann := b.open(t, s.playURL())
	ann.join("Ann")
	id := value[string](ann, `sessionStorage.getItem("psess")`)
	again := b.open(t, s.playURL())
	again.view("door")
	value[bool](again, fmt.Sprintf(`sessionStorage.setItem("psess", %q) || true`, id))
	again.run(chromedp.Reload())
	again.view("game")
	ann.view("over")
	ann.says("You play elsewhere")
	ann.click("over-again")
	ann.view("game")
	again.view("over")
}

func kicked(t *testing.T, b *browser) {
	s := running(t, patient(2))
	ann, ops := b.open(t, s.playURL()), b.open(t, s.opsURL())
	ann.join("Ann")
	id := value[string](ann, `sessionStorage.getItem("psess")`)
	ops.says(session.Redact(id))
	require.NotContains(t, value[string](ops, `document.documentElement.outerHTML`), id)
	ops.await(`document.querySelector('[data-seat="0"].active')`)
	ops.run(chromedp.Click(chromedp.CSS(`[data-seat="0"] button`)))
	ann.view("over")
	ann.says("You were kicked")
	ops.await(`document.querySelector('[data-seat="0"].free')`)
	ps, err := s.table.Lookup(id)
	require.NoError(t, err)
	require.Equal(t, session.StatusCompleted, ps.Status)
}

func left(t *testing.T, b *browser) {
	s := running(t, patient(1))
	ann := b.open(t, s.playURL())
	ann.join("Ann")
	ann.click("leave")
	ann.view("door")
	ann.says("1 of 1 seat free")
	ann.join("Ann")
}

func leftAlone(t *testing.T, b *browser) {
	o := patient(2)
	o.timeout = 5 * time.Second
	s := running(t, o)
	ann, ops := b.open(t, s.playURL()), b.open(t, s.opsURL())
	ann.reserve("Ann")
	ops.says("TIMEDOUT")
	ops.says("did not come in time")
	ops.await(`document.querySelector('[data-seat="0"].free')`)
	ann.view("over")
	ann.says("Your reservation timed out")
}

func closing(t *testing.T, b *browser) {
	s, err := start(patient(2), zerolog.Logger{})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- s.serve(ctx) }()
	ann := b.open(t, s.playURL())
	ann.join("Ann")
	stop()
	require.NoError(t, <-stopped)
	ann.view("over")
	ann.says("The arena has closed")
}
