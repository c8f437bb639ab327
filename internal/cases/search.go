package cases

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// searchText is everything a case is found by, in one spelling: small letters, half-width, no spaces. Telephones and ID
// numbers in it are masked, like in the text that is shown.
func searchText(c Case) string {
	return searchable(c.No + "|" + c.TicketNo + "|" + c.CallerName + "|" + c.Address + "|" + c.CommunityName + "|" + c.Account + "|" + c.Text)
}

// searchable brings a text into the one spelling of searches.
func searchable(s string) string {
	s = norm.NFKC.String(s)
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// words cuts a query at its spaces; every word must be found.
func words(query string) []string {
	var out []string
	for w := range strings.FieldsSeq(norm.NFKC.String(query)) {
		if w = searchable(w); w != "" && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// grams lists the different 1- and 2-character pieces of a searchable text.
func grams(s string) []string {
	runes := []rune(s)
	seen := make(map[string]bool, 2*len(runes))
	out := make([]string, 0, 2*len(runes))
	add := func(g string) {
		if !seen[g] {
			seen[g] = true
			out = append(out, g)
		}
	}
	for i, r := range runes {
		if r == '|' {
			continue
		}
		add(string(r))
		if i+1 < len(runes) && runes[i+1] != '|' {
			add(string(runes[i : i+2]))
		}
	}
	return out
}

// gramsOf lists the pieces that narrow a word down: itself when it is short, else up to four of its pairs.
func gramsOf(word string) []string {
	runes := []rune(strings.ReplaceAll(word, "|", ""))
	if len(runes) <= 2 {
		return []string{string(runes)}
	}
	pairs := make([]string, 0, 4)
	step := max(1, (len(runes)-1)/4)
	for i := 0; i+1 < len(runes) && len(pairs) < 4; i += step {
		if p := string(runes[i : i+2]); !slices.Contains(pairs, p) {
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// pairsOf lists every pair of a word, or the word itself when it is short.
func pairsOf(word string) []string {
	runes := []rune(strings.ReplaceAll(word, "|", ""))
	if len(runes) <= 2 {
		return []string{string(runes)}
	}
	pairs := make([]string, 0, len(runes))
	for i := 0; i+1 < len(runes) && len(pairs) < 12; i++ {
		if p := string(runes[i : i+2]); !slices.Contains(pairs, p) {
			pairs = append(pairs, p)
		}
	}
	return pairs
}
