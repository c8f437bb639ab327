package territory

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/mozillazg/go-pinyin"

	"github.com/rehu-heat/rehu/internal/civil"
)

// Suggestion is one community offered while a seat types.
type Suggestion struct {
	CommunityID string `json:"community_id"`
	Name        string `json:"name"`
	District    string `json:"district"` // name
	Company     string `json:"company"`  // code
	Area        string `json:"area"`
	Why         string `json:"why"` // the name or alias that fits
}

// searcher finds communities by any part of a name: each list is every tail of every name, sorted, so that the names
// that contain what was typed lie together.
type searcher struct {
	names    []searchName
	han      []tail
	initials []tail
	full     []tail
}

type searchName struct {
	text      string
	community int32
	length    int32
}

type tail struct {
	text  string
	name  int32
	start int32 // 0: the name begins with it
}

func newSearcher(communities []Community) searcher {
	var s searcher
	spell := speller{syllables: map[rune][]string{}}
	for i := range communities {
		c := &communities[i]
		for _, name := range append([]string{c.Name}, c.Aliases...) {
			s.add(string(fold(name)), int32(i), &spell) //nolint:gosec // thousands
		}
	}
	for _, list := range []*[]tail{&s.han, &s.initials, &s.full} {
		sortTails(*list)
		*list = slices.Clip(*list)
	}
	return s
}

func sortTails(list []tail) {
	slices.SortFunc(list, func(a, b tail) int {
		return cmp.Or(strings.Compare(a.text, b.text), cmp.Compare(a.name, b.name))
	})
}

func (s *searcher) add(name string, community int32, spell *speller) {
	n := int32(len(s.names)) //nolint:gosec // names fit
	runes := []rune(name)
	s.names = append(s.names, searchName{name, community, int32(len(runes))}) //nolint:gosec // short
	at := int32(0)
	for i := range name {
		s.han = append(s.han, tail{name[i:], n, at})
		at++
	}
	for _, reading := range spell.readings(runes) {
		initials, full := make([]byte, 0, len(reading)), strings.Join(reading, "")
		for _, syllable := range reading {
			initials = append(initials, syllable[0])
		}
		short, offset := string(initials), 0
		for i, syllable := range reading {
			s.initials = append(s.initials, tail{short[i:], n, int32(i)}) //nolint:gosec // short
			s.full = append(s.full, tail{full[offset:], n, int32(i)})     //nolint:gosec // short
			offset += len(syllable)
		}
	}
}

// Suggest offers communities for what a seat has typed so far: characters from anywhere in a name or alias, the initials
// of its pinyin, or its full pinyin. Names that begin with it come first, shorter before longer.
func (x *Index) Suggest(prefix string, limit int) []Suggestion {
	key := string(fold(prefix))
	if key == "" || limit <= 0 {
		return nil
	}
	best := picker{limit: limit, s: &x.search}
	if strings.ContainsFunc(key, isHan) {
		best.take(x.search.han, key)
	} else if latin := strings.ToLower(strings.NewReplacer(" ", "", "'", "").Replace(key)); latin != "" {
		best.take(x.search.initials, latin)
		best.take(x.search.full, latin)
		best.take(x.search.han, key)
	}
	out := make([]Suggestion, len(best.kept))
	for i, k := range best.kept {
		n := x.search.names[k.name]
		c := &x.s.Communities[n.community]
		o := x.ownerOf(n.community, civil.Date{})
		out[i] = Suggestion{c.ID, c.Name, x.districtName(n.community), o.company, o.area, n.text}
	}
	return out
}

// picker keeps the best few of many.
type picker struct {
	limit int
	s     *searcher
	kept  []picked
}

type picked struct {
	rank uint64
	name int32
}

func (p *picker) take(list []tail, key string) {
	i := sort.Search(len(list), func(i int) bool { return list[i].text >= key })
	for ; i < len(list) && strings.HasPrefix(list[i].text, key); i++ {
		n := &p.s.names[list[i].name]
		rank := uint64(min(list[i].start, 1))<<62 | uint64(min(n.length, math.MaxInt16))<<40 | uint64(n.community) //nolint:gosec // small and positive
		if len(p.kept) == p.limit && rank >= p.kept[len(p.kept)-1].rank {
			continue
		}
		p.keep(picked{rank, list[i].name}, n.community)
	}
}

func (p *picker) keep(one picked, community int32) {
	for i, have := range p.kept {
		if p.s.names[have.name].community == community {
			if have.rank <= one.rank {
				return
			}
			p.kept = slices.Delete(p.kept, i, i+1)
			break
		}
	}
	at, _ := slices.BinarySearchFunc(p.kept, one, func(a, b picked) int { return cmp.Compare(a.rank, b.rank) })
	p.kept = slices.Insert(p.kept, at, one)
	p.kept = p.kept[:min(len(p.kept), p.limit)]
}

// Characters of place names with two readings that people both type.
var twoReadings = map[rune][]string{
	'长': {"chang", "zhang"}, '行': {"xing", "hang"}, '乐': {"le", "yue"}, '厦': {"sha", "xia"}, '重': {"chong", "zhong"}, '单': {"dan", "shan"},
	'朝': {"chao", "zhao"}, '盛': {"sheng", "cheng"}, '曾': {"zeng", "ceng"}, '都': {"du", "dou"}, '车': {"che", "ju"}, '蔚': {"wei", "yu"},
	'六': {"liu", "lu"}, '绿': {"lv", "lu"}, '泊': {"bo", "po"}, '藏': {"zang", "cang"}, '调': {"diao", "tiao"}, '传': {"chuan", "zhuan"},
	'解': {"jie", "xie"}, '仇': {"qiu", "chou"}, '贾': {"jia", "gu"}, '尉': {"wei", "yu"}, '大': {"da", "dai"}, '石': {"shi", "dan"}, '堡': {"bao", "pu", "bu"},
	'圩': {"wei", "xu"}, '埔': {"pu", "bu"}, '荥': {"xing", "ying"}, '莘': {"shen", "xin"}, '任': {"ren"}, '洞': {"dong", "tong"}, '女': {"nv", "nu"}, '旅': {"lv", "lu"}, '吕': {"lv", "lu"},
}

// Words that fix the reading of their characters.
var spoken = map[string][]string{
	"重庆": {"chong", "qing"}, "银行": {"yin", "hang"}, "音乐": {"yin", "yue"}, "大厦": {"da", "sha"}, "厦门": {"xia", "men"}, "长安": {"chang", "an"}, "长江": {"chang", "jiang"},
	"长城": {"chang", "cheng"}, "长春": {"chang", "chun"}, "朝阳": {"chao", "yang"}, "行政": {"xing", "zheng"}, "快乐": {"kuai", "le"}, "首都": {"shou", "du"}, "都市": {"du", "shi"},
	"单位": {"dan", "wei"}, "车站": {"che", "zhan"}, "大学": {"da", "xue"}, "石油": {"shi", "you"}, "盛世": {"sheng", "shi"}, "解放": {"jie", "fang"}, "石化": {"shi", "hua"},
	"大院": {"da", "yuan"}, "大街": {"da", "jie"}, "大道": {"da", "dao"}, "成都": {"cheng", "du"}, "重阳": {"chong", "yang"}, "汽车": {"qi", "che"}, "火车": {"huo", "che"}, "机车": {"ji", "che"}, "调度": {"diao", "du"},
}

// speller reads names aloud.
type speller struct {
	syllables map[rune][]string
}

const mostReadings = 4

func (s *speller) readings(name []rune) [][]string {
	all := [][]string{nil}
	for i := 0; i < len(name); {
		if i+1 < len(name) {
			if fixed, ok := spoken[string(name[i:i+2])]; ok {
				for j := range all {
					all[j] = append(all[j], fixed...)
				}
				i += 2
				continue
			}
		}
		options := s.of(name[i])
		i++
		if len(options) == 0 {
			continue
		}
		if len(all)*len(options) > mostReadings {
			options = options[:1]
		}
		next := make([][]string, 0, len(all)*len(options))
		for _, o := range options {
			for _, have := range all {
				next = append(next, append(slices.Clone(have), o))
			}
		}
		all = next
	}
	return all
}

func (s *speller) of(r rune) []string {
	if have, ok := s.syllables[r]; ok {
		return have
	}
	var out []string
	if two, ok := twoReadings[r]; ok {
		out = two
	} else if isASCIIWord(r) {
		out = []string{strings.ToLower(string(r))}
	} else if py := pinyin.SinglePinyin(r, pinyin.NewArgs()); len(py) > 0 && py[0] != "" {
		out = py[:1]
	}
	s.syllables[r] = out
	return out
}
