package territory

import (
	"slices"
	"strconv"
	"strings"
)

// kind is what a name of the text may mean.
type kind uint8

const (
	isName          kind = iota // a community's own name
	isAlias                     // one of its registered aliases
	isDerived                   // a short form made here: 阳光花园 of 阳光花园小区, 2期 of 二期
	isDistrict                  // 南湖区
	isDistrictShort             // 南湖
	isStreet                    // 建国街道
	isStreetShort               // 建国
	isRoad                      // 建设路, from the communities' addresses
)

// sense is one meaning of a name; ref is the number of the community, district, street or road.
type sense struct {
	kind kind
	ref  int32
}

// Words that are part of thousands of names and mean nothing by themselves.
var generic = []string{
	"小区", "新村", "花园", "家园", "国际广场", "广场", "公寓", "宿舍", "家属院", "家属楼", "家属区", "大院", "新区", "东区", "西区", "南区", "北区", "中区",
	"中心", "大厦", "国际", "社区", "安置房", "回迁房", "安置小区", "回迁小区", "老区", "小镇", "新城", "新苑", "嘉园", "花苑", "佳苑", "小院", "生活区", "住宅小区",
	"商业广场", "商务中心", "购物中心", "市场", "学校", "医院", "工业园", "产业园", "经济适用房", "廉租房", "公租房", "棚改房", "教师公寓", "人才公寓", "单身公寓",
	"老年公寓", "学府", "物业", "热力", "供热", "换热站", "居委会", "村委会", "一期", "二期", "三期", "四期", "1期", "2期", "3期", "4期", "一区", "二区", "别墅", "宿舍楼", "城市广场", "中央广场", "时代广场", "世纪广场", "机关宿舍", "单位宿舍", "教师新村",
}

// Words after a name that say what kind of place it is without changing which.
var plainSuffix = []string{"住宅小区", "家属小区", "小区", "社区"}

// Words after a name that make it another name: a road, a school, a company.
var otherPlace = []string{
	"大街", "大道", "胡同", "派出所", "医院", "卫生院", "小学", "中学", "学校", "幼儿园", "超市", "市场", "商场", "银行", "酒店", "宾馆", "饭店", "公园", "地铁", "公交",
	"热力", "热电", "供热", "供暖公司", "能源", "换热站", "路", "街", "巷", "桥", "村委会",
}

// Words after a name that make it a longer one.
var longerName = []string{
	"花园", "家园", "广场", "大厦", "公寓", "嘉园", "名邸", "新城", "新村", "新苑", "华府", "国际", "花苑", "佳苑", "小镇", "公馆", "豪庭", "名苑", "雅苑", "家属院", "家属楼", "宿舍", "别墅", "商城", "水岸", "首府", "御园", "华庭",
}

// Words before a name that make it a longer one.
var brandBefore = []string{
	"万达", "恒大", "碧桂园", "万科", "保利", "绿地", "中海", "龙湖", "融创", "华润", "金地", "招商", "世茂", "绿城", "富力", "雅居乐", "新城", "金色", "银色", "蓝色", "绿色", "红色", "新", "老", "小", "大",
	"东方", "西部", "南部", "北部", "东", "西", "南", "北", "上", "下", "中央", "城市", "世纪", "时代", "国际", "皇家", "御", "金", "银", "水岸", "滨河", "滨江", "湖畔",
}

// Words that say that a place is near, not here.
var nearby = []string{"对面", "对过", "旁边", "附近", "隔壁", "斜对面", "后面", "前面", "东边", "西边", "南边", "北边", "东侧", "西侧", "南侧", "北侧", "马路对面", "往东", "往西", "往南", "往北", "后边", "前边", "跟前", "边上", "的对面", "的旁边", "的隔壁", "的附近"}

// Words that take a place back.
var notHere = []string{"不是", "不在", "并非", "不住", "以前住", "之前住", "原来住", "原先住", "曾住", "以前住在", "之前住在", "原来住在", "原先住在", "不住在", "搬离", "离开", "以前在", "原来在"}

// Words before a name that say that it is where somebody lives.
var livesAt = []string{"住在", "家住", "家在", "位于", "地址是", "地址", "我是", "这里是", "我们是", "我家是", "在", "住", "是", "址:", "到", "，", ":"}

// shortName strips the kind of a district or street: 南湖 of 南湖区. Empty when too little is left.
func shortName(name string, endings ...string) string {
	for _, e := range endings {
		if s, ok := strings.CutSuffix(name, e); ok {
			if len([]rune(s)) >= 2 {
				return s
			}
			return ""
		}
	}
	return ""
}

// variants are the other ways people write a community's name: without 小区, with 2期 for 二期.
func variants(name string) []string {
	var out []string
	for _, suffix := range plainSuffix {
		if s, ok := strings.CutSuffix(name, suffix); ok && len([]rune(s)) >= 3 {
			out = append(out, s)
			break
		}
	}
	for _, n := range append([]string{name}, out...) {
		if v := otherNumerals(n); v != n {
			out = append(out, v)
		}
	}
	return out
}

// otherNumerals writes 二期 as 2期 and 12号院 as 十二号院.
func otherNumerals(name string) string {
	t := []rune(name)
	var out []rune
	for i := 0; i < len(t); {
		n, ok := numeralAt(t, i)
		if !ok || n.end >= len(t) || !strings.ContainsRune("期区号院街里组", t[n.end]) || len(n.value) > 2 {
			out = append(out, t[i])
			i++
			continue
		}
		if n.han {
			out = append(out, []rune(n.value)...)
		} else {
			v, _ := strconv.Atoi(n.value)
			out = append(out, []rune(inHan(v))...)
		}
		i = n.end
	}
	return string(out)
}

// dictionary gathers names with their senses while the index is made.
type dictionary struct {
	number map[string]int32
	names  []string
	senses [][]sense
}

func (d *dictionary) add(name string, s sense) {
	if len([]rune(name)) < 2 {
		return
	}
	n, ok := d.number[name]
	if !ok {
		n = int32(len(d.names)) //nolint:gosec // names fit
		d.number[name] = n
		d.names = append(d.names, name)
		d.senses = append(d.senses, nil)
	}
	for _, have := range d.senses[n] {
		if have.ref == s.ref && (have.kind == s.kind || have.kind <= isDerived && s.kind <= isDerived) {
			return
		}
	}
	d.senses[n] = append(d.senses[n], s)
}

// mention is a name that stands in the text.
type mention struct {
	from, to int
	name     int32
	senses   []sense
}

// mentions finds the names of a text: the longest at every place, longer before shorter, earlier before later, none
// overlapping.
func (x *Index) mentions(t []rune) []mention {
	var all []mention
	for i := range t {
		if end, v := x.names.longest(t, i); v >= 0 {
			all = append(all, mention{i, end, v, x.senses[v]})
		}
	}
	slices.SortStableFunc(all, func(a, b mention) int { return (b.to - b.from) - (a.to - a.from) })
	taken := make([]bool, len(t))
	kept := all[:0]
	for _, m := range all {
		if taken[m.from] || taken[m.to-1] {
			continue
		}
		for i := m.from; i < m.to; i++ {
			taken[i] = true
		}
		kept = append(kept, m)
	}
	slices.SortFunc(kept, func(a, b mention) int { return a.from - b.from })
	return kept
}

func (m mention) has(k kind) bool {
	return slices.ContainsFunc(m.senses, func(s sense) bool { return s.kind == k })
}

func (m mention) community() bool {
	return slices.ContainsFunc(m.senses, func(s sense) bool { return s.kind <= isDerived })
}
