package paper_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/paper"
)

func TestWrap(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text         string
		first, width float64
		want         []string
	}{
		"ideographs break anywhere":       {"供热企业应当入户测温", 4, 4, []string{"供热企业", "应当入户", "测温"}},
		"the first line is shorter":       {"供热企业应当入户测温", 2, 4, []string{"供热", "企业应当", "入户测温"}},
		"a comma starts no line":          {"供热企业，应当", 4, 4, []string{"供热企", "业，应当"}},
		"nor do two closing signs":        {"他说“很冷。”然后", 5, 5, []string{"他说“很", "冷。”然后"}},
		"an opening bracket ends no line": {"供热企（业）应当", 4, 4, []string{"供热企", "（业）应", "当"}},
		"words stay whole":                {"网址 example 见", 5, 5, []string{"网址", "example 见"}},
		"numbers keep their unit":         {"室温为17.5℃时", 4, 4, []string{"室温为", "17.5℃时"}},
		"what is wider than a line":       {"aaaaaaaaaaaa", 2, 2, []string{"aaaa", "aaaa", "aaaa"}},
		"line breaks stay":                {"一\n\n二", 4, 4, []string{"一", "", "二"}},
		"nothing is one empty line":       {"", 4, 4, []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, paper.Wrap(c.text, c.first, c.width)); diff != "" {
				t.Errorf("wrap %q (-want +got):\n%s", c.text, diff)
			}
		})
	}
}

// TestWrapLosesNothing: whatever the text, its characters stand in the lines in their order, no line is too wide, and the
// rules of punctuation hold where a line can hold them.
func TestWrapLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOfN(rapid.RuneFrom([]rune("供热企业测温退费，。、；：（）《》“”a b1 2.5%℃—…/\n𬭎")), 0, 80, -1).Draw(t, "text")
		width := float64(rapid.IntRange(6, 30).Draw(t, "width"))
		lines := paper.Wrap(s, width, width)
		squeeze := func(s string) string { return strings.NewReplacer(" ", "", "\n", "").Replace(s) }
		if got := squeeze(strings.Join(lines, "")); got != squeeze(paper.Clean(s)) {
			t.Fatalf("lines hold %q", got)
		}
		for i, l := range lines {
			w := 0.0
			for _, r := range l {
				if r >= 0x2E80 || strings.ContainsRune("—…“”", r) {
					w++
				} else {
					w += 0.5
				}
			}
			if w > width {
				t.Fatalf("line %q is %v wide, room %v", l, w, width)
			}
			// A sign at the start of a line is right only where the text put it there: after a line break, a blank, or in a
			// run of signs that fills a line by itself.
			r, _ := utf8.DecodeRuneInString(l)
			if i > 0 && strings.ContainsRune(paper.NoStart, r) && !strings.Contains(paper.Clean(s), "\n"+string(r)) &&
				!strings.Contains(s, " "+string(r)) && !signsOnly(lines[i-1]) {
				t.Fatalf("line %d starts with %q: %q", i, r, lines)
			}
		}
	})
}

// signsOnly reports whether the end of a line is a pile of signs that could not be kept together.
func signsOnly(l string) bool {
	n := 0
	for _, r := range l {
		if strings.ContainsRune(paper.NoStart+paper.NoEnd, r) {
			n++
		}
	}
	return n >= 3
}
