// Package webtest drives the pages in a browser, as people do: type, press keys, click, read. One Chromium serves a test
// process; every Browser is a fresh profile in it.
//
// A test of pages asks three things beside its own: that axe finds nothing serious, that the content security policy is
// never broken, and that no script throws. The last two are checked at the end of every test by themselves. Without
// Chromium the full run fails; REHU_TEST_QUICK=1 leaves these tests out.
package webtest

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

//go:embed testdata/axe-4.14.1.min.js
var axe string

// patience is how long a step may take on a busy machine.
const patience = 60 * time.Second

// Browser is a window of its own, with its own cookies.
type Browser struct {
	t    testing.TB
	base string
	ctx  context.Context

	mu       sync.Mutex
	problems []string
	expected []string
}

// engine is the one browser of the process; it dies with it.
var engine = sync.OnceValues(func() (context.Context, error) {
	path := os.Getenv("REHU_TEST_CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); path == "" && err == nil {
			path = found
		}
	}
	if path == "" {
		return nil, fmt.Errorf("no chromium on this machine: install it, name it in REHU_TEST_CHROMIUM, or set REHU_TEST_QUICK=1")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-gpu", true), chromedp.Flag("lang", "zh-CN"), chromedp.Flag("accept-lang", "zh-CN,zh"),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("no-pings", true), chromedp.Flag("disable-field-trial-config", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("mute-audio", true))
	at, _ := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(at)
	if err := chromedp.Do(ctx); err != nil { // the first call starts it; a time limit here would end it
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return ctx, nil
})

// Quick reports whether browser tests are left out.
func Quick() bool { return os.Getenv("REHU_TEST_QUICK") == "1" }

// New opens a window on a site. It gives nil, and the test should return, when browser tests are left out.
func New(t testing.TB, base string) *Browser {
	t.Helper()
	if Quick() {
		return nil
	}
	parent, err := engine()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &Browser{t: t, base: strings.TrimRight(base, "/"), ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a window: %v", err)
	}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.IsException() || m.Type == "error" || strings.Contains(m.Text, "Content Security Policy") {
				b.mu.Lock()
				b.problems = append(b.problems, m.String())
				b.mu.Unlock()
			}
		}
	}()
	t.Cleanup(b.report)
	b.Size(1440, 900)
	return b
}

// Expect names a part of a message that this test causes on purpose, such as the "status of 422" of a wrong form.
func (b *Browser) Expect(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = append(b.expected, part)
}

func (b *Browser) report() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		known := false
		for _, e := range b.expected {
			known = known || strings.Contains(p, e)
		}
		if !known {
			b.t.Errorf("the browser says: %s", p)
		}
	}
}

// Do runs steps of chromedp's own, for what has no method here.
func (b *Browser) Do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.state())
	}
}

// state is where the browser stands, for a test that failed.
func (b *Browser) state() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + '\n' + (document.body ? document.body.innerText.slice(0, 3000) : '')`))
	if err != nil {
		return err.Error()
	}
	return s
}

func eval[T any](b *Browser, what, js string, o ...chromedp.EvaluateOption) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, o...))
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.state())
	}
	return v
}

// Eval reads a text that a script computes.
func (b *Browser) Eval(js string) string {
	b.t.Helper()
	return eval[string](b, "evaluate", "String("+js+")")
}

// Open goes to an address of the site.
func (b *Browser) Open(path string) {
	b.t.Helper()
	b.Do("open "+path, chromedp.Navigate(b.base+path))
	b.Ready()
}

// Ready waits until the page's scripts listen, which on a page without scripts they do at once.
func (b *Browser) Ready() {
	b.t.Helper()
	b.WaitJS(`document.readyState === 'complete' && (!document.querySelector('script[src*="boot.js"]') || document.documentElement.dataset.ready)`)
}

// Path is the present address without the site.
func (b *Browser) Path() string {
	b.t.Helper()
	return strings.TrimPrefix(b.Eval("location.href"), b.base)
}

// Fill types a text into the field of a name, in place of what is there.
func (b *Browser) Fill(name, value string) {
	b.t.Helper()
	sel := chromedp.CSS(fmt.Sprintf(`[name=%q]:not([type=hidden])`, name))
	b.Do("find "+name, chromedp.WaitVisible(sel))
	b.Eval(fmt.Sprintf(`(() => { const el = document.querySelector(%q); el.focus(); el.value = ''; return '' })()`, string(sel)))
	b.Do("fill "+name, chromedp.SendKeys(sel, value))
}

// Choose picks a value in the list, the radio buttons or the boxes of a name.
func (b *Browser) Choose(name, value string) {
	b.t.Helper()
	js := fmt.Sprintf(`(() => {
		const all = [...document.querySelectorAll('[name=' + CSS.escape(%q) + ']:not([type=hidden])')]
		for (const el of all) {
			if (el.tagName === 'SELECT') { el.value = %q; if (el.value !== %[2]q) continue; el.dispatchEvent(new Event('change', {bubbles: true})); return 'ok' }
			if (el.value === %[2]q) { el.click(); return 'ok' }
		}
		return 'no such choice'
	})()`, name, value)
	if got := eval[string](b, "choose", js); got != "ok" {
		b.t.Fatalf("choose %s in %s: %s\n%s", value, name, got, b.state())
	}
}

// Click clicks the first visible thing of a CSS selector.
func (b *Browser) Click(css string) {
	b.t.Helper()
	b.Do("click "+css, chromedp.Click(chromedp.CSS(css), chromedp.NodeVisible))
}

// Press clicks the visible button or link with these words.
func (b *Browser) Press(words string) {
	b.t.Helper()
	js := fmt.Sprintf(`(() => {
		const list = css => [...document.querySelectorAll(css)]
		const all = [...list('dialog[open] button, dialog[open] a'), ...list('button, a, summary')]
		const el = all.find(e => e.innerText.trim().replace(/\s+/g, ' ').startsWith(%q) && e.offsetParent !== null)
		if (!el) return 'none'
		el.click()
		return 'ok'
	})()`, words)
	for end := time.Now().Add(patience / 2); ; time.Sleep(50 * time.Millisecond) {
		if eval[string](b, "press "+words, js) == "ok" {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("no button or link %q\n%s", words, b.state())
		}
	}
}

// Key presses keys wherever the cursor is; kb of chromedp names those that are no letters. A key is sent as a keyboard
// does it, so that a page which takes the key also keeps it from being typed.
func (b *Browser) Key(keys string) {
	b.t.Helper()
	b.Do("press a key", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, r := range keys {
			for _, k := range pressed(r) {
				if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, *k); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// pressed are the events of one key: down with its text, and up.
func pressed(r rune) []*input.DispatchKeyEventParams {
	all := kb.Encode(r)
	down, up := all[0], all[len(all)-1]
	if len(all) == 2 {
		down.Type = kb.KeyRawDown
	} else {
		down.Text, down.UnmodifiedText = all[1].Text, all[1].UnmodifiedText
	}
	return []*input.DispatchKeyEventParams{down, up}
}

// WaitText waits until the page shows a text.
func (b *Browser) WaitText(words string) {
	b.t.Helper()
	b.wait(fmt.Sprintf(`document.body && document.body.innerText.includes(%q)`, words), "the text "+words)
}

// WaitGone waits until the page no longer shows a text.
func (b *Browser) WaitGone(words string) {
	b.t.Helper()
	b.wait(fmt.Sprintf(`document.body && !document.body.innerText.includes(%q)`, words), "the text to go: "+words)
}

// WaitJS waits until a script's condition holds.
func (b *Browser) WaitJS(condition string) {
	b.t.Helper()
	b.wait(condition, condition)
}

func (b *Browser) wait(condition, what string) {
	b.t.Helper()
	for end := time.Now().Add(patience / 2); ; time.Sleep(50 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+condition+")"))
		cancel()
		if err == nil && ok { // an error: the page is just being replaced
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("waited for %s in vain (%v)\n%s", what, err, b.state())
		}
	}
}

// Size sets the window: 1440×900 for a desk, 390×844 for a telephone.
func (b *Browser) Size(width, height int64) {
	b.t.Helper()
	b.Do("set the size", chromedp.EmulateViewport(width, height))
}

// Cookie gives the window a cookie of the site, so that a test need not log in page by page.
func (b *Browser) Cookie(name, value string) {
	b.t.Helper()
	call(b, "set the cookie "+name, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: b.base + "/"})
}

// NoScripts lets no script of a page run from here on, as with a browser in which they are switched off.
func (b *Browser) NoScripts() {
	b.t.Helper()
	call(b, "switch scripts off", emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// Slow3G is the line of Chromium's slow 3G: 400 ms to the first byte and 400 kbit/s, with nothing in the cache.
func (b *Browser) Slow3G() {
	b.t.Helper()
	const perSecond = 400_000 / 8
	call(b, "switch the network on", network.Enable, network.EnableParams{})
	call(b, "empty the cache", network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	call(b, "slow the line down", emulateNetwork, map[string]any{"offline": false, "latency": 400, "downloadThroughput": perSecond, "uploadThroughput": perSecond})
}

// emulateNetwork is the command that the generated package leaves out.
var emulateNetwork = cdp.Command[map[string]any, cdp.Empty]{Method: "Network.emulateNetworkConditions"}

// call gives Chromium one command.
func call[P, R any](b *Browser, what string, c cdp.Command[P, R], p P) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, c, p); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

// Axe asks axe about WCAG 2.2 AA and fails with everything serious that it finds.
func (b *Browser) Axe(what string) {
	b.t.Helper()
	eval[bool](b, "load axe", axe+"\n;true")
	found := eval[string](b, "run axe", `axe.run(document, {preload: false, runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then(r =>
		r.violations.map(v => v.impact + ' ' + v.id + ': ' + v.help + '\n' + v.nodes.slice(0, 4).map(n => '    ' + n.html.slice(0, 200) + '\n      ' + (n.failureSummary || '').replace(/\n/g, ' ')).join('\n')).join('\n'))`, chromedp.EvalAwaitPromise)
	if found != "" {
		b.t.Errorf("axe on %s:\n%s", what, found)
	}
	twice := eval[string](b, "look for doubled ids", `(() => { const all = [...document.querySelectorAll('[id]')].map(e => e.id);
		return [...new Set(all.filter((id, i) => all.indexOf(id) !== i))].join(' ') })()`)
	if twice != "" { // a label would lead to the first of them
		b.t.Errorf("ids that stand twice on %s: %s", what, twice)
	}
}

// NoSideways fails when the page is wider than its window.
func (b *Browser) NoSideways(what string) {
	b.t.Helper()
	b.WaitJS(`document.readyState === 'complete' && document.body !== null`) // a page that is being left has none
	if got := b.Eval(`document.documentElement.scrollWidth - document.documentElement.clientWidth`); got != "0" && got != "-0" {
		b.t.Errorf("%s scrolls sideways by %s pixels", what, got)
	}
}

// Shots is the folder that pictures go to: REHU_TEST_SHOTS, or nowhere when it is not set.
func Shots() string { return os.Getenv("REHU_TEST_SHOTS") }

// Shot takes a picture of the window into Shots, when it is set; people look at them.
func (b *Browser) Shot(name string) {
	b.t.Helper()
	dir := Shots()
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	b.save(dir, name+".png", png, err)
}

// Tall takes a picture of the whole page, as far down as it goes.
func (b *Browser) Tall(name string) {
	b.t.Helper()
	dir := Shots()
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(90))
	b.save(dir, name+".jpg", png, err)
}

// Letters sets the size of the browser's own letters, 16 at first, as people do who need them larger.
func (b *Browser) Letters(size int64) {
	b.t.Helper()
	call(b, "set the size of letters", page.SetFontSizes, page.SetFontSizesParams{FontSizes: &page.FontSizes{Standard: size}})
}

// Both takes pictures of the present page at the two sizes that people use, checks that neither scrolls sideways and asks
// axe in both, and comes back to the desk.
func (b *Browser) Both(name string) {
	b.t.Helper()
	b.Axe(name + " at a desk")
	b.Shot(name + "-1440")
	b.Size(390, 844)
	b.NoSideways(name + " on a telephone")
	b.Axe(name + " on a telephone")
	b.Shot(name + "-390")
	b.Size(1440, 900)
}

// PDF prints the page. A window that is not in front is now and then refused, so it comes to the front and tries again.
func (b *Browser) PDF(name string) []byte {
	b.t.Helper()
	var pdf []byte
	var err error
	for range 5 {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		_, _ = chromedp.Call(ctx, page.BringToFront, cdp.Empty{}) // what counts is whether it prints
		pdf, err = chromedp.Run(ctx, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize(), chromedp.PDFPrintBackground()))
		cancel()
		if err == nil {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	if dir := Shots(); dir != "" {
		b.save(dir, name+".pdf", pdf, err)
	} else if err != nil {
		b.t.Fatalf("print: %v", err)
	}
	return pdf
}

func (b *Browser) save(dir, name string, data []byte, err error) {
	b.t.Helper()
	if err == nil {
		if err = os.MkdirAll(dir, 0o755); err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o644)
		}
	}
	if err != nil {
		b.t.Fatalf("keep %s: %v", name, err)
	}
}
