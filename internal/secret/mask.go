package secret

import (
	"strings"
	"unicode"
)

// MaskPhone shows a telephone number the way screens do: 138****6438, 0351-****456. What is masked already stays.
func MaskPhone(s string) string {
	if strings.Contains(s, "*") {
		return s
	}
	d := NormalPhone(s)
	n := len(d)
	switch area := areaCode(d); {
	case n == 0:
		return ""
	case IsMobile(d):
		return d[:3] + "****" + d[7:]
	case area > 0:
		return d[:area] + "-****" + d[area+4:]
	case n >= 7:
		return strings.Repeat("*", n-3) + d[n-3:]
	default:
		return strings.Repeat("*", n)
	}
}

// MaskName leaves the family name: 王**, 欧阳*. Of a name in Latin letters the first letter stays.
func MaskName(s string) string {
	s = strings.TrimSpace(s)
	r := []rune(s)
	switch {
	case len(r) == 0 || strings.Contains(s, "*"):
		return s
	case !unicode.Is(unicode.Han, r[0]):
		return string(r[0]) + "***"
	case len(r) == 1:
		return "*"
	}
	keep := 1
	if len(r) > 2 && doubleSurname(string(r[:2])) {
		keep = 2
	}
	hidden := min(len(r)-keep, 2) // no more stars than usual: the length of a minority name identifies
	return string(r[:keep]) + strings.Repeat("*", hidden)
}

func doubleSurname(s string) bool {
	switch s {
	case "欧阳", "司马", "上官", "诸葛", "夏侯", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "司徒", "司空", "宇文", "长孙",
		"端木", "轩辕", "南宫", "西门", "独孤", "呼延", "鲜于", "闾丘", "太史", "申屠", "公羊", "澹台", "赫连", "百里", "东郭", "完颜", "耶律", "纳兰", "拓跋", "钟离", "濮阳", "淳于", "单于", "第五", "万俟", "闻人", "欧陽":
		return true
	}
	return false
}

// MaskID leaves the first four and the last two characters of an ID number.
func MaskID(s string) string {
	s = strings.TrimSpace(s)
	r := []rune(s)
	if strings.Contains(s, "*") {
		return s
	}
	if len(r) <= 8 {
		return strings.Repeat("*", len(r))
	}
	return string(r[:4]) + strings.Repeat("*", len(r)-6) + string(r[len(r)-2:])
}

// MaskText hides the telephone numbers (mobiles, landlines with area code) and ID numbers inside free text, also when
// they are written with spaces, dashes, brackets or full-width digits. Every character keeps its place.
func MaskText(s string) string {
	if !mayHoldNumber(s) {
		return s
	}
	text := []rune(s)
	changed := false
	for start := 0; start < len(text); {
		if digit(text[start]) == 0 {
			start++
			continue
		}
		run, end := digitRun(text, start)
		changed = maskRun(text, run) || changed
		start = end
	}
	if !changed {
		return s
	}
	return string(text)
}

// mayHoldNumber is a cheap look whether there are enough digits at all.
func mayHoldNumber(s string) bool {
	n := 0
	for _, r := range s {
		if digit(r) != 0 {
			n++
		}
	}
	return n >= 10
}

// digit is the plain form of a digit or of the X that may end an ID number, 0 for anything else.
func digit(r rune) byte {
	switch {
	case r >= '0' && r <= '9':
		return byte(r)
	case r >= '０' && r <= '９':
		return byte(r-'０') + '0'
	}
	return 0
}

func checkX(r rune) bool { return r == 'x' || r == 'X' || r == 'ｘ' || r == 'Ｘ' }

func separator(r rune) bool {
	switch r {
	case ' ', '\t', '\u00a0', '\u3000', '\u200b', '-', '－', '–', '—', '‐', '‑', '−', '_', '(', ')', '（', '）', '.', '．', '·':
		return true
	}
	return false
}

// numeral is one digit of a run: its place in the text, and whether a number may start or end there.
type numeral struct {
	at           int
	d            byte
	starts, ends bool
}

// digitRun collects digits with at most three separators between them; it ends at anything else.
func digitRun(text []rune, start int) ([]numeral, int) {
	var run []numeral
	gap := 0
	i := start
	for ; i < len(text) && gap <= 3; i++ {
		d := digit(text[i])
		if d == 0 && len(run) >= 17 && checkX(text[i]) {
			d = 'X'
		}
		if d == 0 {
			if !separator(text[i]) {
				break
			}
			gap++
			continue
		}
		starts := len(run) == 0 || gap > 0
		if starts && len(run) > 0 {
			run[len(run)-1].ends = true
		}
		run = append(run, numeral{at: i, d: d, starts: starts})
		gap = 0
	}
	run[len(run)-1].ends = true
	return run, i
}

// maskRun hides every number it recognises in a run, left to right.
func maskRun(text []rune, run []numeral) bool {
	digits := make([]byte, len(run))
	for i, n := range run {
		digits[i] = n.d
	}
	changed := false
	for i := 0; i < len(run); {
		n, from, to := 0, 0, 0
		if run[i].starts {
			plus := run[i].at > 0 && (text[run[i].at-1] == '+' || text[run[i].at-1] == '＋')
			n, from, to = recognise(run[i:], string(digits[i:]), plus)
		}
		if n == 0 {
			i++
			continue
		}
		for _, x := range run[i+from : i+to] {
			text[x.at] = '*'
		}
		changed = true
		i += n
	}
	return changed
}

// recognise looks for a number at the start of a run, after a plus sign or not: its length in digits and which to hide.
func recognise(run []numeral, d string, plus bool) (n, from, to int) {
	whole := func(n int) bool { return n <= len(run) && run[n-1].ends }
	switch {
	case whole(18) && idNumber(d[:18]):
		return 18, 4, 16
	case whole(15) && oldIDNumber(d[:15]):
		return 15, 4, 13
	}
	if whole(11) && IsMobile(d[:11]) {
		return 11, 3, 7
	}
	for _, m := range []int{12, 11} {
		if whole(m) && areaCode(d[:m]) > 0 {
			return m, areaCode(d[:m]), areaCode(d[:m]) + 4
		}
	}
	return recogniseAbroad(run, d, plus)
}

// recogniseAbroad is recognise for numbers with the country code; without a plus sign 86 counts before mobiles only.
func recogniseAbroad(run []numeral, d string, plus bool) (n, from, to int) {
	k := 2
	switch {
	case strings.HasPrefix(d, "0086"):
		k, plus = 4, true
	case !strings.HasPrefix(d, "86"):
		return 0, 0, 0
	}
	whole := func(n int) bool { return n <= len(run) && run[n-1].ends }
	if whole(k+11) && IsMobile(d[k:k+11]) {
		return k + 11, k + 3, k + 7
	}
	for _, m := range []int{11, 10} { // +86 351 4123456: the area code without its 0
		if plus && whole(k+m) && areaCode("0"+d[k:k+m]) > 0 {
			a := k + areaCode("0"+d[k:k+m]) - 1
			return k + m, a, a + 4
		}
	}
	return 0, 0, 0
}

// idNumber tells 18 characters that are built like a resident's ID number; its check digit may be mistyped.
func idNumber(d string) bool {
	if d[0] < '1' || d[0] > '8' || strings.IndexByte(d[:17], 'X') >= 0 {
		return false
	}
	century := d[6:8]
	return (century == "18" || century == "19" || century == "20") && monthDay(d[10:14])
}

func oldIDNumber(d string) bool {
	return d[0] >= '1' && d[0] <= '8' && strings.IndexByte(d, 'X') < 0 && monthDay(d[8:12])
}

func monthDay(d string) bool {
	month, day := d[:2], d[2:]
	return month >= "01" && month <= "12" && day >= "01" && day <= "31"
}
