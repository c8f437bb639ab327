package cases_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/packs"
)

// What a paper must say depends on what it is, and on the door that it comes in by.
func TestWhatAnOriginMustSay(t *testing.T) {
	t.Parallel()
	set, err := citypack.Load(packs.FS)
	if err != nil {
		t.Fatal(err)
	}
	pack, err := set.City(990100)
	if err != nil {
		t.Fatal(err)
	}
	now := civil.On(civil.NewDate(2026, 1, 15), 8, 0)
	leader := cases.Origin{No: "暖政批〔2026〕3号", Dated: civil.NewDate(2026, 1, 14), From: "分管副市长", Office: "市政府督查室", Text: "请尽快解决", Due: now.Add(72 * 3600e9)}
	edit := func(g cases.Origin, f func(*cases.Origin)) cases.Origin { f(&g); return g }
	for name, c := range map[string]struct {
		channel cases.Channel
		door    citypack.Door
		origin  cases.Origin
		want    []string
	}{
		"a visit without a word":          {cases.Counter, citypack.DoorCounter, cases.Origin{}, nil},
		"a visit with its ticket":         {cases.Counter, citypack.DoorCounter, cases.Origin{No: "A012", Brought: "合同"}, nil},
		"a letter without a number":       {cases.Letter, citypack.DoorSeat, cases.Origin{Dated: civil.NewDate(2026, 1, 10)}, []string{"origin.no"}},
		"a letter by an old client":       {cases.Letter, citypack.DoorAPI, cases.Origin{}, nil},
		"a letter by the API":             {cases.Letter, citypack.DoorAPI, cases.Origin{From: "某单位"}, []string{"origin.no"}},
		"a letter dated after receipt":    {cases.Letter, citypack.DoorSeat, cases.Origin{No: "1", Dated: civil.NewDate(2026, 1, 16)}, []string{"origin.dated"}},
		"an instruction":                  {cases.Leader, citypack.DoorSeat, leader, nil},
		"an instruction without anything": {cases.Leader, citypack.DoorSeat, cases.Origin{}, []string{"origin.dated", "origin.from", "origin.no", "origin.office", "origin.text"}},
		"an instruction due before": {
			cases.Leader, citypack.DoorSeat, edit(leader, func(g *cases.Origin) { g.Due = now.Add(-3600e9) }), []string{"origin.due_at"},
		},
		"an instruction without a deadline": {cases.Leader, citypack.DoorSeat, edit(leader, func(g *cases.Origin) { g.Due = 0 }), nil},
		"the press":                         {cases.Media, citypack.DoorSeat, cases.Origin{From: "暖城晚报", Answerer: "新闻科", Link: "https://example.org/a"}, nil},
		"the press without who answers":     {cases.Media, citypack.DoorSeat, cases.Origin{From: "暖城晚报"}, []string{"origin.answerer"}},
		"a link that is none":               {cases.Media, citypack.DoorSeat, cases.Origin{From: "暖城晚报", Answerer: "新闻科", Link: "javascript:alert(1)"}, []string{"origin.link"}},
		"a journalist without a telephone": {
			cases.Media, citypack.DoorSeat, cases.Origin{From: "暖城晚报", Answerer: "新闻科", Contact: cases.Party{Phone: "12"}}, []string{"origin.contact.phone"},
		},
		"a call with an origin": {cases.Phone, citypack.DoorSeat, cases.Origin{No: "1"}, []string{"origin"}},
	} {
		err := cases.Opening{City: 990100, Door: c.door, Channel: c.channel, Text: "不热", Origin: c.origin}.Check(pack, now)
		var got []string
		if err != nil {
			for _, f := range fault.Of(err).Fields {
				got = append(got, f.Name)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s (%v)", name, diff, err)
		}
	}
	direct := cases.Opening{City: 990100, Door: citypack.DoorSeat, Channel: cases.Leader, Text: "不热", Origin: leader, Answer: "已处理"}
	if err := direct.Check(pack, now); !fault.Is(err, fault.Invalid) {
		t.Errorf("an instruction that is answered at once: %v", err)
	}
}
