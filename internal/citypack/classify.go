package citypack

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Guess is a category that a text may belong to, with the words that speak for it.
type Guess struct {
	Code  string   `json:"code"`
	Score float64  `json:"score"`
	Why   []string `json:"why"`
}

// Classify guesses the category of a complaint from its words, best first; nothing when no word fits. It is for the doors
// where nobody chooses a category; a person may always change it.
func (p *Pack) Classify(said string) []Guess {
	folded := strings.ToLower(said)
	var runes runeSet
	runes.add(folded)
	parents := map[*Category][]string{} // several categories have one
	var out []Guess
	total := 0.0
	for _, c := range p.Leaves() {
		g := Guess{Code: c.Code}
		for _, w := range longest(c.Keywords, folded, &runes) {
			g.Why = append(g.Why, w)
			g.Score += float64(utf8.RuneCountInString(w))
		}
		if c.parent != nil {
			words, known := parents[c.parent]
			if !known {
				words = longest(c.parent.Keywords, folded, &runes)
				parents[c.parent] = words
			}
			for _, w := range words {
				g.Why = append(g.Why, w)
				g.Score += float64(utf8.RuneCountInString(w)) / 2
			}
		}
		if g.Score > 0 {
			out = append(out, g)
			total += g.Score
		}
	}
	for i := range out {
		out[i].Score /= total
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Score > out[j].Score })
	return out
}

// longest keeps the words that stand in the text and are not part of a longer one that does.
func longest(words []string, in string, runes *runeSet) []string {
	var found []string
	for _, w := range words {
		if runes.mayHold(w) && strings.Contains(in, strings.ToLower(w)) {
			found = append(found, w)
		}
	}
	var out []string
	for _, w := range found {
		inside := false
		for _, v := range found {
			inside = inside || v != w && strings.Contains(v, w)
		}
		if !inside {
			out = append(out, w)
		}
	}
	return out
}

// runeSet holds the characters of a text, one bit each. Most keywords begin or end with a character that a text does not
// have, and need not be looked for: Chinese characters share their first bytes, which makes looking for them slow.
type runeSet [1 << 16 / 64]uint64

func (s *runeSet) add(text string) {
	for _, r := range text {
		if r < 1<<16 {
			s[r/64] |= 1 << (r % 64)
		}
	}
}

func (s *runeSet) has(r rune) bool { return r >= 1<<16 || s[r/64]&(1<<(r%64)) != 0 }

// mayHold is false for a word that cannot stand in the lower-case text.
func (s *runeSet) mayHold(word string) bool {
	first, n := utf8.DecodeRuneInString(word)
	last, _ := utf8.DecodeLastRuneInString(word)
	return n == 0 || s.has(unicode.ToLower(first)) && s.has(unicode.ToLower(last))
}

// UrgencyOf gives the urgency of a case from its category, its words and the household's care mark, with the rules that
// raised it.
func (p *Pack) UrgencyOf(cat *Category, said, mark string) (Urgency, []UrgentRule) {
	u := Normal
	if cat != nil {
		u = cat.Urgency
	}
	var why []UrgentRule
	for _, r := range p.Doc.UrgentWords {
		hit := r.Mark != "" && r.Mark == mark
		for _, w := range r.Words {
			hit = hit || strings.Contains(said, w)
		}
		if !hit {
			continue
		}
		why = append(why, r)
		if r.Urgency.rank() > u.rank() {
			u = r.Urgency
		}
	}
	return u, why
}

func (u Urgency) rank() int {
	switch u {
	case Critical:
		return 2
	case Urgent:
		return 1
	case Normal:
		return 0
	}
	return 0
}
