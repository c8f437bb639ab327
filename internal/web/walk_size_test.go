package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/web/webtest"
)

// cutWords finds words that a reader does not see because their box is too small for them: a box that hides what runs over, or one
// whose words run out of it over the edge of the window.
const cutWords = `(() => {
	const out = []
	const edge = document.documentElement.clientWidth
	for (const el of document.querySelectorAll('body *')) {
		const own = [...el.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
		const box = el.getBoundingClientRect()
		const style = getComputedStyle(el)
		if (el.closest('.away, .skip, [hidden]') || !box.width || style.visibility === 'hidden') continue
		const hides = style.overflowX !== 'visible' && style.overflowX !== 'auto' && style.overflowX !== 'scroll' || style.textOverflow === 'ellipsis'
		if (own && hides && (el.scrollWidth > el.clientWidth + 1 || el.scrollHeight > el.clientHeight + 1)) out.push('cut: ' + el.outerHTML.slice(0, 120))
		if (own && (box.right > edge + 1 || box.left < -1)) out.push('over the edge: ' + el.outerHTML.slice(0, 120))
		if (el.matches('input:not([type=hidden]):not([type=file]):not([type=radio]):not([type=checkbox])') && parseFloat(style.fontSize) * 1.2 > el.clientHeight) out.push('letters higher than their box: ' + el.outerHTML.slice(0, 120))
	}
	return out.slice(0, 6).join('\n    ')
})()`

// whole fails when the page scrolls sideways or cuts words.
func whole(t *testing.T, b *webtest.Browser, what string) {
	t.Helper()
	b.NoSideways(what)
	if got := b.Eval(cutWords); got != "" {
		t.Errorf("%s:\n    %s", what, got)
	}
}

// with adds a question to an address.
func withAsk(path, ask string) string {
	if strings.Contains(path, "?") {
		return path + "&" + ask
	}
	return path + "?" + ask
}

// Each page of residents can be read whole: in the three sizes of text; with the letters of the browser doubled; at 320 pixels, which is
// 1280 enlarged four times; in Chinese and in English; on a telephone and at a desk.
func TestResidentsPagesInEverySize(t *testing.T) {
	t.Parallel()
	k := newWalk(t)
	with := k.windows()
	if with == nil {
		return
	}
	for _, s := range k.screens() {
		b := with(s)
		name := "walk" + strings.NewReplacer("/c/{city}", "", "/", "-", "{", "", "}", "").Replace(s.pattern)
		for _, size := range []string{"24", "30", "18"} {
			b.Open(withAsk(s.path, "text="+size))
			whole(t, b, s.pattern+" in "+size)
			b.Axe(s.pattern + " in " + size)
			if size != "24" {
				b.Tall(name + "-" + size)
			}
			b.Size(320, 568)
			whole(t, b, s.pattern+" in "+size+" at 320")
			b.Size(390, 844)
		}
		b.Letters(32) // the browser's own letters at 200 %
		if got := b.Eval(`getComputedStyle(document.documentElement).fontSize`); got != "36px" {
			t.Errorf("%s: letters of %s when the browser's are doubled; want twice 18px", s.pattern, got)
		}
		whole(t, b, s.pattern+" with letters at 200 %")
		b.Letters(16)
		b.Open(withAsk(s.path, "lang=en"))
		b.Size(320, 568)
		whole(t, b, s.pattern+" in English at 320")
		b.Size(1440, 900)
		b.Open(withAsk(s.path, "lang=zh"))
		whole(t, b, s.pattern+" at a desk")
		b.Tall(name + "-1440")
		b.Size(390, 844)
	}
}

// The pages of the seats, the companies and the centre that stand in the navigation, enlarged four times at a desk: none of them scrolls sideways.
func TestStaffPagesEnlargedFourTimes(t *testing.T) {
	t.Parallel()
	k := newWalk(t)
	for _, role := range []actor.Role{actor.RoleSeat, actor.RoleCompany, actor.RoleSectionHead} {
		login := "large_" + string(role)
		k.person(login, role)
		b := k.browser(login)
		if b == nil {
			return
		}
		b.Size(320, 568)
		c, pages := k.as(login), 0
		for _, r := range k.pages.Routes() {
			if r.Method != http.MethodGet || !strings.HasPrefix(r.Pattern, "/c/{city}/") || strings.Count(r.Pattern, "{") != 1 || len(r.Access.Permissions) == 0 || strings.HasPrefix(r.Pattern, "/c/{city}/wall") {
				continue // the wall is a screen of its own, which is not enlarged
			}
			path := strings.Replace(r.Pattern, "{city}", "990100", 1)
			if status, body := c.knock(http.MethodGet, path); status != http.StatusOK || !strings.HasPrefix(strings.ToLower(body), "<!doctype") {
				continue
			}
			pages++
			b.Open(path)
			b.NoSideways(string(role) + " at " + path)
		}
		if pages < 10 {
			t.Errorf("only %d pages of %s", pages, role)
		}
	}
}
