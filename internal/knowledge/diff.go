package knowledge

import (
	"slices"
	"strings"
	"unicode"

	"github.com/rehu-heat/rehu/internal/actor"
)

// Mark is what became of a piece of text between two versions.
type Mark string

// The marks.
const (
	Kept    Mark = "kept"
	Added   Mark = "added"
	Removed Mark = "removed"
)

// Piece is a stretch of a text that was kept, added or removed.
type Piece struct {
	Mark Mark   `json:"mark"`
	Text string `json:"text"`
}

// Change is a field that differs between two versions, piece by piece.
type Change struct {
	Field  string  `json:"field"`
	Pieces []Piece `json:"pieces"`
}

// Changes lists the fields that differ between two versions, in the order of the form.
func Changes(from, to Texts) []Change {
	var out []Change
	for _, f := range []struct{ name, from, to string }{
		{"title_zh", from.TitleZH, to.TitleZH},
		{"title_en", from.TitleEN, to.TitleEN},
		{"answer_zh", from.AnswerZH, to.AnswerZH},
		{"answer_en", from.AnswerEN, to.AnswerEN},
		{"hint_zh", from.HintZH, to.HintZH},
		{"hint_en", from.HintEN, to.HintEN},
		{"source", from.Source, to.Source},
		{"words", from.Words, to.Words},
		{"categories", strings.Join(from.Categories, " "), strings.Join(to.Categories, " ")},
		{"must_read", joinRoles(from.MustRead), joinRoles(to.MustRead)},
	} {
		if f.from != f.to {
			out = append(out, Change{f.name, compare(words(f.from), words(f.to))})
		}
	}
	return out
}

func joinRoles(roles []actor.Role) string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = string(r)
	}
	return strings.Join(out, " ")
}

// words cuts a text into what a reader sees as one: a Chinese character, a run of letters or of digits, any other sign.
func words(s string) []string {
	var out []string
	last := 0
	for _, r := range s {
		kind := 0
		switch {
		case unicode.Is(unicode.Han, r):
		case unicode.IsLetter(r), r == '_':
			kind = 1
		case unicode.IsDigit(r):
			kind = 2
		}
		if kind != 0 && kind == last {
			out[len(out)-1] += string(r)
		} else {
			out = append(out, string(r))
		}
		last = kind
	}
	return out
}

// mostCells bounds the table of a comparison; longer texts are shown as removed and added between what both begin and
// end with.
const mostCells = 4_000_000

// compare finds the longest stretches that two texts have in common.
func compare(from, to []string) []Piece {
	var out []Piece
	head := 0
	for head < len(from) && head < len(to) && from[head] == to[head] {
		head++
	}
	tail := 0
	for tail < len(from)-head && tail < len(to)-head && from[len(from)-1-tail] == to[len(to)-1-tail] {
		tail++
	}
	out = put(out, Kept, from[:head]...)
	out = middle(out, from[head:len(from)-tail], to[head:len(to)-tail])
	return put(out, Kept, from[len(from)-tail:]...)
}

func middle(out []Piece, from, to []string) []Piece {
	if (len(from)+1)*(len(to)+1) > mostCells {
		return put(put(out, Removed, from...), Added, to...)
	}
	common := table(from, to)
	i, j := 0, 0
	for i < len(from) && j < len(to) {
		switch {
		case from[i] == to[j]:
			out = put(out, Kept, from[i])
			i, j = i+1, j+1
		case common[i+1][j] >= common[i][j+1]:
			out = put(out, Removed, from[i])
			i++
		default:
			out = put(out, Added, to[j])
			j++
		}
	}
	return put(put(out, Removed, from[i:]...), Added, to[j:]...)
}

// table holds the length of the longest common part of every two ends of the texts.
func table(from, to []string) [][]int32 {
	t := make([][]int32, len(from)+1)
	for i := range t {
		t[i] = make([]int32, len(to)+1)
	}
	for i := range slices.Backward(from) {
		for j := range slices.Backward(to) {
			if from[i] == to[j] {
				t[i][j] = t[i+1][j+1] + 1
			} else {
				t[i][j] = max(t[i+1][j], t[i][j+1])
			}
		}
	}
	return t
}

func put(out []Piece, m Mark, words ...string) []Piece {
	for _, w := range words {
		if n := len(out); n > 0 && out[n-1].Mark == m {
			out[n-1].Text += w
		} else {
			out = append(out, Piece{m, w})
		}
	}
	return out
}
