package web_test

import (
	"strconv"
	"strings"
	"testing"
)

// budget is what the first visit of a residents' page may bring over the wire: the answer with its head, the style sheet,
// icons and scripts, packed as they are sent, without photographs.
const budget = 15 << 10

// loaded3G is what Chromium itself says of a first load: the bytes with their heads as received, photographs left out; how many
// of the files hold up the first paint; and when the first words stood on the screen.
const loaded3G = `(() => {
	const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].filter(e => e.initiatorType !== 'img')
	const first = performance.getEntriesByName('first-contentful-paint')[0]
	return [all.reduce((n, e) => n + e.transferSize, 0), all.filter(e => e.renderBlockingStatus === 'blocking').map(e => e.name.split('/').pop()).join('+'),
		Math.round(first.startTime), document.body.innerText.trim().length].join(' ')
})()`

// Over slow 3G each page of residents comes in at most 15 KB and waits for at most one file, its style sheet, before the first words stand there;
// how long that took is printed, since a test that measures time fails on a busy machine.
func TestResidentsPagesOnASlowLine(t *testing.T) {
	t.Parallel()
	k := newWalk(t)
	with := k.windows()
	if with == nil {
		return
	}
	slow := map[bool]bool{}
	for _, s := range k.screens() {
		b := with(s)
		if !slow[s.inside] {
			b.Slow3G()
			slow[s.inside] = true
		}
		b.Open(s.path)
		b.WaitJS(`performance.getEntriesByName('first-contentful-paint').length > 0`)
		got := strings.Split(b.Eval(loaded3G), " ")
		bytes, err := strconv.Atoi(got[0])
		if err != nil || bytes == 0 || bytes > budget {
			t.Errorf("%s: %s bytes over the wire, %v; want at most %d", s.pattern, got[0], err, budget)
		}
		if got[1] != "m.css" {
			t.Errorf("%s waits for %q before its first words; want the style sheet alone", s.pattern, got[1])
		}
		if n, err := strconv.Atoi(got[3]); err != nil || n < 20 {
			t.Errorf("%s has %s characters to read, %v", s.pattern, got[3], err)
		}
		t.Logf("%-46s %6d bytes, blocked by %s, first words after %s ms", s.pattern, bytes, got[1], got[2])
	}
}
