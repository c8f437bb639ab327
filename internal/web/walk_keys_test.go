package web_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/rehu-heat/rehu/internal/web/webtest"
)

// controls numbers what a keyboard must reach, in the order of the page, and gives how many there are. Of the buttons of one
// choice Tab reaches one, the arrows the others.
const controls = `(() => {
	const seen = new Set()
	let n = 0
	for (const el of document.querySelectorAll('a[href], button, input, select, textarea, summary')) {
		if (el.type === 'hidden' || el.disabled || !el.getClientRects().length) continue
		if (el.type === 'radio') {
			const group = (el.form ? [...document.forms].indexOf(el.form) : '') + el.name
			if (seen.has(group)) continue
			seen.add(group)
			const chosen = [...document.querySelectorAll('input[type=radio]')].find(r => r.name === el.name && r.form === el.form && r.checked)
			;(chosen || el).dataset.walk = n++
			continue
		}
		el.dataset.walk = n++
	}
	document.activeElement.blur()
	return n
})()`

// focused says of the control with the cursor which one it is, whether anybody sees that it has it, and whether it is in the window.
const focused = `(() => {
	const el = document.activeElement
	if (!el || el === document.body || el === document.documentElement) return JSON.stringify({no: -1})
	const lit = e => { const s = getComputedStyle(e); return s.opacity !== '0' && s.visibility !== 'hidden' && s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 }
	const shows = lit(el) || el.closest('label') && lit(el.closest('label'))
	const r = el.getBoundingClientRect()
	return JSON.stringify({no: el.dataset.walk === undefined ? -2 : Number(el.dataset.walk), shows: Boolean(shows), html: el.outerHTML.slice(0, 110),
		inside: r.bottom > 0 && r.top < innerHeight && r.right > 0 && r.left < innerWidth, top: Math.round(r.top + scrollY), bottom: Math.round(r.bottom + scrollY)})
})()`

type at struct {
	No          int
	Shows       bool
	Inside      bool
	HTML        string
	Top, Bottom int
}

func cursor(t *testing.T, b *webtest.Browser) at {
	t.Helper()
	var a at
	if err := json.Unmarshal([]byte(b.Eval(focused)), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// tabs walks a page with the Tab key alone: every control once, in the order in which it is read, each with a mark that can be seen,
// and out of the page at its end.
func tabs(t *testing.T, b *webtest.Browser, what string) {
	t.Helper()
	n := 0
	if err := json.Unmarshal([]byte(b.Eval(controls)), &n); err != nil || n < 4 {
		t.Errorf("%s: %d controls, %v", what, n, err)
	}
	last := 0
	for i := range n {
		b.Key(kb.Tab)
		a := cursor(t, b)
		switch {
		case a.No != i:
			t.Errorf("%s: key %d leads to %d: %s", what, i, a.No, a.HTML)
			return
		case !a.Shows:
			t.Errorf("%s: nobody sees that the cursor is in %s", what, a.HTML)
		case !a.Inside:
			t.Errorf("%s: the cursor is out of sight in %s", what, a.HTML)
		case i > 1 && a.Bottom < last: // the first is the link that skips to the content
			t.Errorf("%s: the cursor goes back up to %s", what, a.HTML)
		}
		last = a.Top
	}
	b.Key(kb.Tab)
	if a := cursor(t, b); a.No > 0 {
		t.Errorf("%s: behind the last control the cursor is in %s", what, a.HTML)
	}
}

// frame says what is wrong with what a screen reader reads first: the language, the title with the name of the page, the
// landmarks, one heading of the first rank, and a link to the content that works.
const frame = `(() => {
	const out = [], say = (ok, what) => ok || out.push(what), many = css => document.querySelectorAll(css).length
	say(/^(zh-CN|en)$/.test(document.documentElement.lang), 'language ' + document.documentElement.lang)
	say(document.title.split(' · ')[0].trim().length > 1, 'title ' + document.title)
	say(many('h1') === 1, many('h1') + ' headings of the first rank')
	say(many('main') === 1 && many('body > header') === 1 && many('body > footer') === 1, 'landmarks')
	const skip = document.querySelector('a')
	say(skip && skip.classList.contains('skip') && document.querySelector(skip.getAttribute('href')) === document.querySelector('main'), 'link to the content')
	for (const el of document.querySelectorAll('[aria-describedby], [aria-labelledby]'))
		for (const id of [el.getAttribute('aria-describedby'), el.getAttribute('aria-labelledby')].join(' ').trim().split(/\s+/))
			say(!id || document.getElementById(id), 'nothing has the id ' + id)
	for (const f of document.querySelectorAll('form[method=post]')) say(f.querySelector('[name=_key]'), 'a form without a key: ' + f.getAttribute('action'))
	return out.join('; ')
})()`

// Each page of residents is walked with the keyboard alone and has the frame that a screen reader goes by.
func TestResidentsPagesByKeyboard(t *testing.T) {
	t.Parallel()
	k := newWalk(t)
	with := k.windows()
	if with == nil {
		return
	}
	titles := map[string]string{}
	for _, s := range k.screens() {
		b := with(s)
		b.Open(s.path)
		if wrong := b.Eval(frame); wrong != "" {
			t.Errorf("%s: %s", s.pattern, wrong)
		}
		title := b.Eval(`document.title`)
		if other := titles[title]; other != "" {
			t.Errorf("%s and %s are both called %q", other, s.pattern, title)
		}
		titles[title] = s.pattern
		tabs(t, b, s.pattern)
		b.Open(s.path)
		b.Key(kb.Tab)
		b.Key(kb.Enter)
		b.WaitJS(`document.activeElement && document.activeElement.id === 'main'`)
	}
}

// emptied sends the nth form of a page with nothing in it and says whether it has anything to fill in.
const emptied = `(n => {
	const form = [...document.querySelectorAll('main form[method=post]')][n]
	const fields = [...form.querySelectorAll('input, select, textarea')].filter(e => e.type !== 'hidden' && e.type !== 'file')
	if (!fields.length) return 'nothing to fill in'
	for (const e of fields) { if (e.type === 'radio' || e.type === 'checkbox') e.checked = false; else e.value = '' }
	const button = form.querySelector('button:not([type=button])')
	for (let d = form.closest('details'); d; d = d.parentElement.closest('details')) d.open = true
	document.documentElement.dataset.sent = 'yes'
	form.requestSubmit(button)
	return 'sent'
})`

// complaint says what is wrong with how a page says that a form was not filled in: the cursor must be in the summary, each of whose lines
// leads to its field; each wrong field is marked and described by its message.
const complaint = `(() => {
	const out = [], say = (ok, what) => ok || out.push(what)
	const box = document.querySelector('[data-summary]')
	say(box && box.getAttribute('role') === 'alert', 'no summary')
	if (!box) return 'no summary'
	say(document.activeElement === box, 'the cursor is not in the summary but in ' + document.activeElement.outerHTML.slice(0, 80))
	for (const a of box.querySelectorAll('a')) say(document.querySelector(a.getAttribute('href')), 'nothing at ' + a.getAttribute('href'))
	for (const p of document.querySelectorAll('.wrong')) {
		const by = document.querySelector('[aria-describedby~="' + p.id + '"]')
		say(by && (by.getAttribute('aria-invalid') === 'true' || by.tagName === 'FIELDSET'), 'no field is described by "' + p.textContent + '"')
	}
	say(box.querySelectorAll('a').length === document.querySelectorAll('.wrong').length, box.querySelectorAll('a').length + ' lines for ' + document.querySelectorAll('.wrong').length + ' messages')
	return out.join('; ')
})()`

// Each form of residents that is sent with nothing in it comes back with a summary that has the cursor, and with a message at each field.
func TestResidentsFormsSentEmpty(t *testing.T) {
	t.Parallel()
	k := newWalk(t)
	with := k.windows()
	if with == nil {
		return
	}
	forms := 0
	for _, s := range k.screens() {
		b := with(s)
		b.Expect("status of 422")
		b.Open(s.path)
		n := 0
		if err := json.Unmarshal([]byte(b.Eval(`document.querySelectorAll('main form[method=post]').length`)), &n); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			b.Open(s.path)
			if i > 0 && b.Eval(`document.querySelectorAll('main form[method=post]').length > `+strings.TrimSpace(string(rune('0'+i)))) != "true" {
				continue
			}
			action := b.Eval(`document.querySelectorAll('main form[method=post]')[` + string(rune('0'+i)) + `].getAttribute('action')`)
			if b.Eval(emptied+`(`+string(rune('0'+i))+`)`) != "sent" {
				continue
			}
			b.WaitJS(`!document.documentElement.dataset.sent && document.readyState === 'complete'`)
			if b.Eval(`document.querySelector('[data-summary]') !== null`) != "true" {
				t.Logf("%s: form %d to %s asks for nothing", s.pattern, i, action)
				continue
			}
			forms++
			if wrong := b.Eval(complaint); wrong != "" {
				t.Errorf("%s: form %d to %s: %s", s.pattern, i, action, wrong)
			}
			what := s.pattern + " sent empty"
			b.Axe(what)
			whole(t, b, what)
		}
	}
	if forms < 8 {
		t.Errorf("only %d forms complained", forms)
	}
}
