package clue_test

import (
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clue"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
	"github.com/rehu-heat/rehu/packs"
)

func pack(t testing.TB) *citypack.Pack {
	t.Helper()
	set, err := citypack.Load(packs.FS)
	if err != nil {
		t.Fatal(err)
	}
	p, err := set.City(990100)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// town knows two communities.
func town() *territory.Index {
	return territory.Build(territory.Snapshot{
		City: 990100, CityName: "暖城", Districts: []territory.District{{Code: "990102", Name: "东城区"}}, Companies: []territory.Company{{Code: "C1", Name: "城北热力"}},
		Communities: []territory.Community{
			{ID: "m1", Name: "向阳花园", District: "990102", Company: "C1", Connected: true, Management: territory.Direct},
			{ID: "m2", Name: "滨河家园", District: "990102", Company: "C1", Connected: true, Management: territory.Direct},
		},
	})
}

func TestClassify(t *testing.T) {
	t.Parallel()
	p, x := pack(t), town()
	for _, c := range []struct {
		said    string
		guess   clue.Guess
		urgency citypack.Urgency
		temp    string
		care    string
		place   string
	}{
		{"@暖城供热 向阳花园3号楼2单元601暖气不热，家里只有15.5度", clue.Heating, citypack.Normal, "15.5", "", "m1"},
		{"家里有刚满月的婴儿，屋里才十四度，向阳花园", clue.Heating, citypack.Urgent, "14.0", "infant", "m1"},
		{"向阳花园5号楼爆管了，楼道里全是水，暖气管喷水", clue.Heating, citypack.Critical, "", "", "m1"},
		{"八十多岁的奶奶一个人在家，滨河家园2号楼暖气冰凉", clue.Heating, citypack.Urgent, "", "old", "m2"},
		{"屋里只有9度，冻死了，滨河家园没人管", clue.Heating, citypack.Urgent, "9.0", "", "m2"},
		{"室外零下12度，家里暖气不热，室内16度", clue.Heating, citypack.Normal, "16.0", "", ""},
		{"今天最低气温零下8度，注意保暖", clue.OtherTopic, citypack.Normal, "", "", ""},
		{"发烧39度，好冷", clue.OtherTopic, citypack.Normal, "", "", ""},
		{"空调太冷了，办公室冻死，想喝奶茶", clue.OtherTopic, citypack.Normal, "", "", ""},
		{"这部电影太冷门了", clue.OtherTopic, citypack.Normal, "", "", ""},
		{"供热股今天涨停，热电板块走强", clue.OtherTopic, citypack.Normal, "", "", ""},
		{"专业清洗地暖，特价优惠，加微信 nuan123", clue.Advert, citypack.Normal, "", "", ""},
		{"听说全市要停暖三天，是真的吗？扩散", clue.Hearsay, citypack.Normal, "", "", ""},
		{"ＶＡ暖氣不熱", clue.OtherTopic, citypack.Normal, "", "", ""}, // traditional characters are nobody's here
		{"", clue.OtherTopic, citypack.Normal, "", "", ""},
	} {
		where := x.Attribute(territory.Query{Text: c.said})
		got := clue.Classify(p, clue.Said{Text: c.said, Where: where})
		temp, at := "", ""
		if got.Temperature != nil {
			temp = got.Temperature.String()
		}
		if got.Where.Community != nil {
			at = got.Where.Community.ID
		}
		if got.Guess != c.guess || got.Urgency != c.urgency || temp != c.temp || got.Care != c.care || at != c.place {
			t.Errorf("%q:\n got %s %s %q %q %q\nwant %s %s %q %q %q\n%s", c.said, got.Guess, got.Urgency, temp, got.Care, at, c.guess, c.urgency, c.temp, c.care, c.place, spoken(got))
		}
		if len(got.Why) == 0 {
			t.Errorf("%q: no reason is given", c.said)
		}
		for _, m := range got.Why {
			if say := m.In(text.ZH); strings.Contains(say, "{") || say == m.Key {
				t.Errorf("%q: a reason reads %q", c.said, say)
			}
		}
	}
}

func spoken(r clue.Reading) string {
	var b strings.Builder
	for _, m := range r.Why {
		b.WriteString("  " + m.In(text.ZH) + "\n")
	}
	return b.String()
}

// BenchmarkClassify reads a post against a city of 20,000 communities, attribution included.
func BenchmarkClassify(b *testing.B) {
	p := pack(b)
	s := territory.BenchSnapshot(20000, 2000, 1)
	x := territory.Build(s)
	said := "@暖城供热 " + territory.BenchComplaint(s.Communities[777]) + " 家里有老人，室温只有15.5度，求帮助"
	for b.Loop() {
		clue.Classify(p, clue.Said{Text: said, Where: x.Attribute(territory.Query{Text: said})})
	}
}
