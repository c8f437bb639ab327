package citypack_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/packs"
)

// odd are characters as people and programs write them: plain, capital, full-width, letters whose small form has another
// length or another plane, marks that combine, signs beyond the first plane, and bytes that are no character.
var odd = []string{
	"暖", "气", "不", "热", "漏", "水", "a", "A", "b", "B", "\uff21", "\uff41", "K", "\u212a", "k", "\u0130", "i", "I", "\u0131", "\u017f", "S", "s", "\u00df", "\u1e9e",
	"\u023a", "\u2c65", "\u03a9", "\u2126", "\u00e9", "e\u0301", "\u0301", "\U00010400", "\U00010428", "\U0001f525", "\U0001f468\u200d\U0001f469", "\ufe0f", "１", "1", " ", "。",
	"\ufffd", "\xff", "\xe6", "\x00",
}

func phrase(most int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(odd), 0, most).Draw(t, "said"), "")
	})
}

// TestClassifyFindsWhatASearchForEveryWordFinds: that most keywords need not be looked for changes no guess.
func TestClassifyFindsWhatASearchForEveryWordFinds(t *testing.T) {
	t.Parallel()
	set, err := citypack.Load(packs.FS)
	if err != nil {
		t.Fatal(err)
	}
	p, err := set.City(990100)
	if err != nil {
		t.Fatal(err)
	}
	guessed := 0
	same := func(t interface{ Errorf(string, ...any) }, text string) {
		want, got := plainly(p, text), p.Classify(text)
		guessed += len(want)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%q:\n%s", text, diff)
		}
	}
	for _, c := range p.Leaves() { // the keywords as they are, alone, in capitals and in pairs
		for _, w := range c.Keywords {
			same(t, w)
			same(t, "我家"+strings.ToUpper(w)+"，"+p.Leaves()[0].Keywords[0])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		for _, c := range p.Leaves() {
			c.Keywords = rapid.SliceOfN(phrase(3), 0, 3).Draw(t, "keywords")
			if above := c.Parent(); above != nil {
				above.Keywords = rapid.SliceOfN(phrase(2), 0, 2).Draw(t, "keywords above")
			}
		}
		same(t, phrase(12).Draw(t, "text"))
	})
	if guessed < 1000 {
		t.Errorf("%d guesses prove nothing", guessed)
	}
}

// plainly looks for every keyword in the whole text.
func plainly(p *citypack.Pack, text string) []citypack.Guess {
	var out []citypack.Guess
	total := 0.0
	for _, c := range p.Leaves() {
		g := citypack.Guess{Code: c.Code}
		add := func(words []string, weight float64) {
			stands := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !strings.Contains(strings.ToLower(text), strings.ToLower(w)) })
			for _, w := range stands {
				if !slices.ContainsFunc(stands, func(v string) bool { return v != w && strings.Contains(v, w) }) {
					g.Why = append(g.Why, w)
					g.Score += float64(utf8.RuneCountInString(w)) * weight
				}
			}
		}
		add(c.Keywords, 1)
		if c.Parent() != nil {
			add(c.Parent().Keywords, 0.5)
		}
		if g.Score > 0 {
			out = append(out, g)
			total += g.Score
		}
	}
	for i := range out {
		out[i].Score /= total
	}
	slices.SortStableFunc(out, func(a, b citypack.Guess) int { return cmp.Compare(b.Score, a.Score) })
	return out
}
