package paper

import (
	"strings"
	"unicode"
)

// Signs that may not start a line, and signs that may not end one (CY/T 154, GB/T 15834).
const (
	noStart = "，。、；：？！）》」』】〕〉”’…—·％‰℃°,.;:?!)]}%~～／/㎡"
	noEnd   = "（《「『【〔〈“‘([{￥¥$№"
)

// slack forgives the rounding of sums of widths.
const slack = 0.001

// clean makes text that can be set: line breaks kept, tabs to blanks, marks without a shape of their own left out.
func clean(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029' || r == '\u00a0' || r == '\u3000':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r):
			return -1
		}
		return r
	}, s)
}

// wraps reports whether a line may break on both sides of a rune: ideographs, kana, and signs of their width.
func wraps(r rune) bool {
	return r >= 0x2E80 || r == '—' || r == '…' || r == '“' || r == '”' || r == '‘' || r == '’'
}

// units cuts text into the pieces that may not be torn: a word, a number, an ideograph with the signs that cling to it, a blank.
func units(s string) []string {
	var out []string
	runes := []rune(s)
	for i := 0; i < len(runes); {
		from := i
		if runes[i] == ' ' {
			for i < len(runes) && runes[i] == ' ' {
				i++
			}
			out = append(out, string(runes[from:i]))
			continue
		}
		for i < len(runes) && strings.ContainsRune(noEnd, runes[i]) {
			i++
		}
		if i < len(runes) && runes[i] != ' ' {
			word := !wraps(runes[i])
			i++
			for word && i < len(runes) && runes[i] != ' ' && !wraps(runes[i]) && !strings.ContainsRune(noEnd, runes[i]) {
				i++
			}
		}
		for i < len(runes) && strings.ContainsRune(noStart, runes[i]) {
			i++
		}
		out = append(out, string(runes[from:i]))
	}
	return out
}

// wrap sets text in lines of a width; the first may be shorter. What is wider than a line by itself is torn between runes.
func wrap(s string, first, width float64, measure func(string) float64) []string {
	var out []string
	room := first
	for para := range strings.SplitSeq(clean(s), "\n") {
		line, used := "", 0.0
		flush := func() {
			out = append(out, strings.TrimRight(line, " "))
			line, used, room = "", 0, width
		}
		for _, u := range units(para) {
			w := measure(u)
			if used+w <= room+slack {
				line, used = line+u, used+w
				continue
			}
			if strings.TrimSpace(u) == "" {
				line += u // a blank at the end of a line hangs
				used = room
				continue
			}
			if line != "" {
				flush()
			}
			for _, piece := range tear(u, room, width, measure) {
				if line != "" {
					flush()
				}
				line, used = piece, measure(piece)
			}
		}
		flush()
	}
	return out
}

// tear cuts a piece that is wider than a line between its runes.
func tear(u string, first, width float64, measure func(string) float64) []string {
	if measure(u) <= first+slack {
		return []string{u}
	}
	var out []string
	room, part, used := first, "", 0.0
	for _, r := range u {
		w := measure(string(r))
		if part != "" && used+w > room+slack {
			out = append(out, part)
			part, used, room = "", 0, width
		}
		part, used = part+string(r), used+w
	}
	return append(out, part)
}
