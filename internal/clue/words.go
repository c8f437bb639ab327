package clue

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/rehu-heat/rehu/internal/celsius"
)

// The words by which a post is taken for one about heating, and what each weighs. A word of the trade says it by itself;
// that somebody is cold needs a home beside it.
var (
	tradeWords = []string{
		"暖气", "供暖", "供热", "采暖", "地暖", "取暖费", "热费", "换热站", "热力站", "热力公司", "热电", "停暖", "停热", "管网", "暖管", "散热器", "分水器",
		"开栓", "试水", "打压", "回水", "测温退费", "heating", "radiator",
	}
	plightWords = []string{"不热", "不暖", "冰凉", "冰冷", "太冷", "好冷", "冻死", "冻醒", "凉的", "没温度", "不达标", "温度低", "冻得", "穿羽绒服睡", "漏水", "跑水", "爆管", "喷水", "cold"}
	homeWords   = []string{"家里", "家中", "屋里", "屋内", "室内", "室温", "卧室", "客厅", "小区", "号楼", "单元", "我家", "楼上", "楼下", "业主", "物业"}
	// other things that are warm or cold.
	elseWords = []string{
		"空调", "暖宝宝", "热水器", "电影", "小说", "游戏", "演唱会", "股票", "股价", "涨停", "基金", "招聘", "冰箱", "奶茶", "外卖", "穿搭", "口红", "高铁", "旅游", "冷笑话",
		"高冷", "冷门", "供热股", "概念股", "车里", "车内", "办公室恋情", "综艺",
	}
	advertWords  = []string{"加盟", "代理", "优惠", "促销", "特价", "包邮", "下单", "咨询热线", "微信号", "加微信", "加v", "私聊价", "直播间", "厂家直销", "免费领", "点击链接", "扫码", "团购", "清洗地暖", "专业清洗", "上门清洗", "出售", "转让"}
	hearsayWords = []string{"听说", "据说", "网传", "有人说", "听人说", "传言", "小道消息", "是真的吗", "真的假的", "转发扩散", "扩散", "朋友圈都在"}
	oldWords     = []string{"老人", "老年", "奶奶", "爷爷", "姥姥", "姥爷", "老母", "老父", "父母年纪大", "八十", "九十", "七十多岁", "80岁", "90岁", "80多岁", "90多岁", "70多岁"}
	infantWords  = []string{"婴儿", "新生儿", "宝宝", "月子", "坐月子", "刚满月", "满月", "吃奶", "小孩发烧", "孩子发烧", "孕妇", "怀孕"}
	illWords     = []string{"病人", "重病", "瘫痪", "卧床", "化疗", "刚出院", "手术后", "残疾"}
	placeWords   = []string{"幼儿园", "养老院", "敬老院", "医院", "学校", "教室"}
)

// found lists the words that stand in a text, at most a few.
func found(in string, words []string) []string {
	const most = 4
	var out []string
	for _, w := range words {
		if strings.Contains(in, w) {
			if out = append(out, w); len(out) == most {
				break
			}
		}
	}
	return out
}

var (
	address = regexp.MustCompile(`https?://\S+|www\.\S+`)
	named   = regexp.MustCompile(`@[\p{Han}\w-]{1,30}`)
	passing = regexp.MustCompile(`^(?:转发微博|轉發微博|转发|repost|【转】)[:：]?\s*`)
	chain   = regexp.MustCompile(`//@[^:：]{1,30}[:：]`)
)

// plain is a text as classification reads it: one spelling for full- and half-width, no addresses, no names of accounts.
func plain(s string) string {
	s = strings.ToLower(norm.NFKC.String(s))
	s = address.ReplaceAllString(s, " ")
	s = chain.ReplaceAllString(s, " ")
	return named.ReplaceAllString(s, " ")
}

// bare is a text as copies are compared: letters and digits only.
func bare(s string) []rune {
	s = passing.ReplaceAllString(strings.TrimSpace(plain(s)), "")
	out := make([]rune, 0, len(s)/3)
	for _, r := range s {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			out = append(out, r)
		}
	}
	return out
}

var (
	degrees = regexp.MustCompile(`(零下|负|-)?\s*([0-9]{1,2}(?:\.[0-9])?|[一二三四五六七八九十两]{1,3})\s*(?:度|℃|°c|摄氏度)`)
	// what else has degrees: the weather, a fever, the water, a thermostat's wish.
	outdoor = []string{"室外", "外面", "户外", "气温", "最低", "最高", "天气", "零下", "降温", "发烧", "体温", "烧到", "水温", "回水", "进水", "供水", "出水", "设定", "调到", "标准", "应该", "达到", "不低于", "承诺", "规定", "18度以上", "以上"}
	indoor  = []string{"室温", "屋里", "屋内", "家里", "室内", "卧室", "客厅", "房间", "家中", "只有", "才", "温度计", "我家", "测了", "不到"}
)

const (
	around     = 12 // characters before a figure that say what it is of
	coldest    = celsius.Tenths(0)
	warmestYet = celsius.Tenths(350)
)

// temperatureIn is the temperature of a home that a text tells: the lowest, where it tells several rooms.
func temperatureIn(s string) (celsius.Tenths, string, bool) {
	var best celsius.Tenths
	said, ok := "", false
	for _, m := range degrees.FindAllStringSubmatchIndex(s, -1) {
		if m[2] >= 0 {
			continue // below zero is outside
		}
		t, fine := figure(s[m[4]:m[5]])
		if !fine || t < coldest || t > warmestYet || !ofAHome(s, m[0], m[1]) {
			continue
		}
		if !ok || t < best {
			best, said, ok = t, s[m[0]:m[1]], true
		}
	}
	return best, strings.TrimSpace(said), ok
}

// ofAHome reads the words around a figure.
func ofAHome(s string, from, to int) bool {
	before := lastRunes(s[:from], around)
	if i := strings.LastIndexAny(before, "，。,.;；!！?？\n"); i >= 0 && len(found(before[i:], outdoor)) == 0 && len(found(before, indoor)) > 0 {
		return true // the clause itself names no other thing; the home stands before it
	}
	after := firstRunes(s[to:], 3)
	if len(found(before, outdoor)) > 0 || strings.HasPrefix(after, "以上") {
		return false
	}
	return len(found(before, indoor)) > 0
}

func lastRunes(s string, n int) string {
	r := []rune(s)
	return string(r[max(0, len(r)-n):])
}

func firstRunes(s string, n int) string {
	r := []rune(s)
	return string(r[:min(n, len(r))])
}

// figure reads 16, 16.5, 十六, 二十一.
func figure(s string) (celsius.Tenths, bool) {
	if t, err := celsius.Parse(s); err == nil {
		return t, true
	}
	n, ok := numeral(s)
	return celsius.Tenths(n * 10), ok
}

func numeral(s string) (int, bool) {
	const digits = "零一二三四五六七八九"
	value := func(p string) (int, bool) {
		if p == "两" {
			return 2, true
		}
		i := strings.Index(digits, p)
		return i / 3, i >= 0 && len([]rune(p)) == 1
	}
	tens, ones, ten := strings.Cut(s, "十")
	if !ten {
		return value(s)
	}
	a, b := 1, 0
	var ok bool
	if tens != "" {
		if a, ok = value(tens); !ok {
			return 0, false
		}
	}
	if ones != "" {
		if b, ok = value(ones); !ok {
			return 0, false
		}
	}
	return a*10 + b, true
}

func joined(words []string) string { return strings.Join(words, "、") }

func oneDecimal(t celsius.Tenths) string { return t.String() }

func count(n int) string { return strconv.Itoa(n) }
