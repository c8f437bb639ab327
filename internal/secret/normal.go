package secret

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Normal brings an identity of a kind into the one spelling that the blind index uses.
func Normal(kind, s string) string {
	switch kind {
	case Phone:
		return NormalPhone(s)
	case Name:
		return NormalName(s)
	default:
		return strings.ToUpper(strings.Join(strings.Fields(norm.NFKC.String(s)), ""))
	}
}

// NormalPhone is a telephone number as digits only: full-width digits made plain, country code, spaces, dashes and
// brackets taken away, an extension cut off. Landlines keep their area code with its 0.
func NormalPhone(s string) string {
	s = norm.NFKC.String(s)
	if i := strings.IndexAny(s, "转轉#xX,;"); i >= 0 {
		s = s[:i]
	}
	var b strings.Builder
	for _, r := range s {
		if r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	digits := b.String()
	rest, abroad := strings.CutPrefix(digits, "0086")
	if !abroad && strings.Contains(s, "+") {
		rest, abroad = strings.CutPrefix(digits, "86")
	}
	if !abroad && len(digits) == 13 && IsMobile(digits[2:]) {
		rest, abroad = strings.CutPrefix(digits, "86")
	}
	if !abroad {
		return digits
	}
	if !IsMobile(rest) && rest != "" && rest[0] != '0' {
		return "0" + rest // +86 351 … is dialled 0351 … at home
	}
	return rest
}

// IsMobile tells a mobile number among normalised ones.
func IsMobile(digits string) bool {
	return len(digits) == 11 && digits[0] == '1' && digits[1] >= '3' && digits[1] <= '9'
}

// areaCode is the length of the area code that a normalised landline number starts with, 0 if it has none.
func areaCode(digits string) int {
	if len(digits) < 10 || digits[0] != '0' {
		return 0
	}
	switch {
	case digits[1] == '1' && digits[2] == '0', digits[1] == '2':
		if len(digits) == 11 {
			return 3
		}
	case digits[1] >= '3':
		if len(digits) == 11 || len(digits) == 12 {
			return 4
		}
	}
	return 0
}

// IsLandline tells a landline number with area code among normalised ones.
func IsLandline(digits string) bool { return areaCode(digits) > 0 }

// NormalName is a name without spaces around Chinese characters, with one kind of middle dot and small Latin letters.
func NormalName(s string) string {
	s = strings.ToLower(norm.NFKC.String(s))
	s = strings.NewReplacer("•", "·", "‧", "·", "・", "·", "∙", "·", "．", "·").Replace(s)
	words := strings.Fields(s)
	var b strings.Builder
	var last rune
	for _, w := range words {
		first := []rune(w)[0]
		if b.Len() > 0 && !unicode.Is(unicode.Han, last) && !unicode.Is(unicode.Han, first) {
			b.WriteByte(' ')
		}
		for _, r := range w {
			b.WriteRune(r)
			last = r
		}
	}
	return b.String()
}
