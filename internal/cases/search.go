package cases

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// searchText is everything a case is found by, in one spelling: small letters, half-width, no spaces. Telephones and ID
// numbers in it are masked, like in the text that is shown.
func searchText(c Case) string {
	doc := c.DocNo
	if plain := plainNumber(doc); plain != doc {
		doc += "|" + plain
	}
	if doc != "" {
		doc += "|" // cases without one are found by the same words as before
	}
	return searchable(c.No + "|" + c.TicketNo + "|" + doc + c.CallerName + "|" + c.Address + "|" + c.CommunityName + "|" + c.Account + "|" + c.Text)
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

// words cuts a query at its spaces; every word must be found. A bar parts the fields of a case and is never part of a word.
func words(query string) []string {
	var out []string
	for w := range strings.FieldsSeq(strings.ReplaceAll(norm.NFKC.String(query), "|", " ")) {
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

// mostPieces bounds how many pieces of a query are looked up; the text decides in the end.
const mostPieces = 16

// piecesOf lists the pieces that the cases of a query must hold: the pairs of each word, or the word itself when it is
// one character.
func piecesOf(words []string) []string {
	var out []string
	for _, w := range words {
		runes := []rune(w)
		if len(runes) == 1 {
			out = append(out, w)
		}
		for i := 0; i+1 < len(runes); i++ {
			out = append(out, string(runes[i:i+2]))
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out[:min(len(out), mostPieces)]
}

// daysOfPart is how many numbers of cases one row of the packed index covers: ten days of a month.
const daysOfPart = 10_000_000

func partOf(seq int64) int64 { return seq / daysOfPart }

// pack writes rising numbers as their differences.
func pack(seqs []int64) []byte {
	out := make([]byte, 0, 2*len(seqs)+8)
	var last int64
	for _, n := range seqs {
		out = binary.AppendUvarint(out, uint64(n-last))
		last = n
	}
	return out
}

// unpack reads what pack wrote.
func unpack(b []byte) []int64 {
	out := make([]int64, 0, len(b))
	var last int64
	for len(b) > 0 {
		d, n := binary.Uvarint(b)
		if n <= 0 {
			return out
		}
		last += int64(d)
		out, b = append(out, last), b[n:]
	}
	return out
}

// both keeps the numbers that stand in two rising lists.
func both(a, b []int64) []int64 {
	out := a[:0]
	j := 0
	for _, n := range a {
		for j < len(b) && b[j] < n {
			j++
		}
		if j < len(b) && b[j] == n {
			out = append(out, n)
		}
	}
	return out
}

// union joins two rising lists into one without doubles.
func union(a, b []int64) []int64 {
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return slices.Compact(out)
}
