package main

import (
	"context"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// longest bounds a wait for what a page shows: it ends a test that has gone wrong.
const longest = 90 * time.Second

// browser is a headless Chromium.
type browser struct{ ctx context.Context }

func newBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	require.NoError(t, err, "these tests drive a real browser; on Debian: apt-get install chromium")
	allocator, closeAllocator := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WSURLReadTimeout(longest),
		chromedp.WindowSize(1280, 760),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-background-timer-throttling", true),
		chromedp.Flag("disable-renderer-backgrounding", true),
	)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		closeBrowser()
		closeAllocator()
	})
	require.NoError(t, chromedp.Do(ctx))
	return &browser{ctx}
}

// tab is a page, and what goes with it: a player, if it has a seat.
type tab struct {
	*testing.T
	ctx   context.Context
	close func()
}

func (b *browser) open(t *testing.T, url string) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx)
	t.Cleanup(closeTab)
	p := &tab{t, ctx, closeTab}
	require.NoError(t, chromedp.Do(ctx)) // a tab lives as long as the context of its first action
	_, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	require.NoError(t, err) // all are drawn, not only the one in front
	p.run(chromedp.Navigate(url))
	return p
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
	p.run(chromedp.Click(chromedp.CSS("#"+id)))
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
