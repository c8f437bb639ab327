package territory

import (
	"strconv"
	"strings"
	"sync"
)

// Traditional characters that stand in addresses, with their simplified forms below them.
const (
	traditional = "號樓棟單門區陽園國際廣場莊東華麗灣龍馬濱鐵機廠學電氣熱暖戶層橋鄉鎮縣雲寶興慶豐長業書軍衛農鳳鳴綠藍錦銀鴻榮嶺雙萬億聖後眾嶽歲餘財貿建運車輛輕紡織礦務職員醫藥衚衕內頭數楊劉趙吳張陳溫調壓維修達遠進迎賓館體臺灘無線總經開發幣兩個與為們這裡裏時間現聯繫請問沒過來給壞漏實驗試點製藝術歐美亞環衝衝盤臨鄰舊顧鄭許"
	simplified  = "号楼栋单门区阳园国际广场庄东华丽湾龙马滨铁机厂学电气热暖户层桥乡镇县云宝兴庆丰长业书军卫农凤鸣绿蓝锦银鸿荣岭双万亿圣后众岳岁余财贸建运车辆轻纺织矿务职员医药胡同内头数杨刘赵吴张陈温调压维修达远进迎宾馆体台滩无线总经开发币两个与为们这里里时间现联系请问没过来给坏漏实验试点制艺术欧美亚环冲冲盘临邻旧顾郑许"
)

var folding = sync.OnceValue(func() map[rune]rune {
	m := map[rune]rune{'　': ' ', '\t': ' ', '\r': ' ', '\n': '，', '。': '，', '；': '，', ';': '，', ',': '，', '！': '，', '!': '，', '？': '，', '?': '，'}
	to := []rune(simplified)
	for i, r := range []rune(traditional) {
		m[r] = to[i]
	}
	for _, r := range "—–−‐‑―－_﹣" {
		m[r] = '-'
	}
	for _, r := range "·•・()（）[]［］【】「」“”\"'‘’《》<>〈〉\u200b\ufeff" {
		m[r] = -1
	}
	for _, r := range "＃♯﹟" {
		m[r] = '#'
	}
	m['〇'], m['○'], m['棟'] = '零', '零', '栋'
	return m
})

// fold brings what people type to one form: simplified, half-width, upper case, without brackets and without spaces
// except between digits and letters, where they separate.
func fold(s string) []rune {
	m := folding()
	out := make([]rune, 0, len(s)/2+8)
	gap := false
	for _, r := range s {
		if r >= 0xFF01 && r <= 0xFF5E && m[r] == 0 {
			r -= 0xFEE0
		}
		if r > 127 || !isASCIIWord(r) {
			if to, ok := m[r]; ok {
				r = to
			}
		}
		switch {
		case r < 0:
			continue
		case r == ' ':
			gap = true
			continue
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		}
		if gap && len(out) > 0 && isASCIIWord(r) && isASCIIWord(out[len(out)-1]) {
			out = append(out, ' ')
		}
		gap = false
		out = append(out, r)
	}
	return out
}

func isDigit(r rune) bool     { return r >= '0' && r <= '9' }
func isLetter(r rune) bool    { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' }
func isASCIIWord(r rune) bool { return isDigit(r) || isLetter(r) }
func isHan(r rune) bool       { return r >= 0x3400 && r <= 0x9fff || r >= 0x20000 && r <= 0x323af }

const numerals = "零一二三四五六七八九"

// hanDigit is the value of a Chinese digit, -1 for anything else.
func hanDigit(r rune) int {
	switch r {
	case '两':
		return 2
	case '幺':
		return 1
	}
	if i := strings.IndexRune(numerals, r); i >= 0 {
		return i / len("零")
	}
	return -1
}

func isHanNumeral(r rune) bool { return r == '十' || r == '百' || r == '廿' || hanDigit(r) >= 0 }

// A numeral of the text: its value in Arabic digits, where it ends, and whether it was written in Chinese.
type numeral struct {
	value string
	end   int
	han   bool
}

// numeralAt reads the numeral that starts at i; a run of more than five digits is a telephone or an account, not a
// numeral.
func numeralAt(t []rune, i int) (numeral, bool) {
	j := i
	for j < len(t) && isDigit(t[j]) {
		j++
	}
	if j > i {
		if j-i > 5 {
			return numeral{}, false
		}
		v := strings.TrimLeft(string(t[i:j]), "0")
		if v == "" {
			return numeral{}, false
		}
		return numeral{v, j, false}, true
	}
	for j < len(t) && j-i < 6 && isHanNumeral(t[j]) {
		j++
	}
	if j == i {
		return numeral{}, false
	}
	v, ok := hanValue(t[i:j])
	return numeral{v, j, true}, ok
}

// hanValue reads 十二, 二十, 一百零二 and, digit by digit, 六零一.
func hanValue(t []rune) (string, bool) {
	unit := false
	for _, r := range t {
		unit = unit || r == '十' || r == '百' || r == '廿'
	}
	if !unit {
		var b strings.Builder
		for _, r := range t {
			b.WriteByte(byte('0' + hanDigit(r)))
		}
		v := strings.TrimLeft(b.String(), "0")
		return v, v != ""
	}
	sum, digit := 0, -1
	for _, r := range t {
		switch r {
		case '百':
			sum, digit = sum+100*max(digit, 1), -1
		case '十':
			if digit < 1 {
				digit = 1
			}
			sum, digit = sum+10*digit, -1
		case '廿':
			sum, digit = sum+20, -1
		default:
			digit = hanDigit(r)
		}
	}
	if digit > 0 {
		sum += digit
	}
	return strconv.Itoa(sum), sum > 0
}

// inHan writes a number below 100 in Chinese.
func inHan(n int) string {
	d := []rune(numerals)
	switch {
	case n <= 0 || n > 99:
		return strconv.Itoa(n)
	case n < 10:
		return string(d[n])
	case n < 20:
		return strings.TrimSuffix("十"+string(d[n%10]), "零")
	}
	return strings.TrimSuffix(string(d[n/10])+"十"+string(d[n%10]), "零")
}

// hasAt reports whether one of the words stands at i, and which; longer words come first in the lists.
func hasAt(t []rune, i int, words ...string) (string, bool) {
	for _, w := range words {
		if standsAt(t, i, w) {
			return w, true
		}
	}
	return "", false
}

func standsAt(t []rune, i int, w string) bool {
	for _, r := range w {
		if i < 0 || i >= len(t) || t[i] != r {
			return false
		}
		i++
	}
	return true
}

// endsAt reports whether one of the words ends just before i.
func endsAt(t []rune, i int, words ...string) bool {
	for _, w := range words {
		n := 0
		for range w {
			n++
		}
		if i >= n && standsAt(t, i-n, w) {
			return true
		}
	}
	return false
}
