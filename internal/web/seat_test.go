package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/outage"
)

const seatPath = "/c/990100/seat"

// call is the form of a complete call about a cold home, with other answers in the pairs.
func call(pairs ...string) url.Values {
	v := url.Values{
		"_key": {"k1"}, "channel": {"phone"}, "caller.phone": {"13903510001"}, "address": {"向阳花园3号楼2单元603"}, "building": {"3"}, "unit": {"2"}, "room": {"603"},
		"text": {"家里暖气不热，只有15度"}, "category": {"cold_home"}, "nature": {"repair"}, "scope": {"home"}, "details.since": {"昨晚"},
		"details.neighbours": {"no"}, "details.leak": {"no"}, "test_request": {"yes"}, "secret": {"no"},
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// taken is the case that an answer of the seat's form leads to.
func (k *town) taken(a answer) cases.Case {
	k.t.Helper()
	u, err := url.Parse(a.want(http.StatusSeeOther).location())
	if err != nil {
		k.t.Fatal(err)
	}
	c, err := k.app.Cases.Get(bg, seatOf, city, u.Query().Get("done"))
	if err != nil {
		k.t.Fatal(err)
	}
	return c
}

func TestACallWithoutScripts(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		k.person("seat", actor.RoleSeat)
		k.person("company", actor.RoleCompany)
		c := k.as("seat")
		k.as("company").get(seatPath).want(http.StatusForbidden)
		c.get(seatPath).want(http.StatusOK, "来件登记", "保存并派遣", "测温申请", "请念：")
		c.post(seatPath, call("details.since", "", "scope", "")).want(http.StatusUnprocessableEntity, "还有 2 处没有填好", "从何时起：请填写此项", "13903510001", "还缺 2 项")
		c.post(seatPath, call("details.temperature", "热")).want(http.StatusUnprocessableEntity, "自述室温")
		sent := c.post(seatPath, call())
		one := k.taken(sent)
		if one.Status != cases.Dispatched || one.Company != "C1" || one.TestAt != k.clock.Now() || one.Channel != cases.Phone {
			t.Errorf("taken in as %s with %q, test at %s by %s", one.Status, one.Company, one.TestAt, one.Channel)
		}
		if again := c.post(seatPath, call()).location(); again != sent.location() {
			t.Errorf("the same form twice leads to %q and %q", sent.location(), again)
		}
		c.get(sent.location()).want(http.StatusOK, "已登记", one.No, "由一热供热有限公司负责", "2小时内上门，即1月15日10:00前", "24小时内上门测温", "下一个来电")
		c.post(seatPath, call("_act", "check", "_q", "测温")).want(http.StatusOK, "一热供热有限公司", "怎样申请入户测温", "同一来电人", one.No, "录入标准 8 项已齐")
		c.post(seatPath, call("_house", "A1002", "_key", "h")).want(http.StatusOK, `value="A1002"`, `value="602"`)
	})
}

// Reminder, reopening and link are three different keys, and none of them makes a second case.
func TestThreeKeysForEarlierCases(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		k.person("seat", actor.RoleSeat)
		c := k.as("seat")
		one := k.taken(c.post(seatPath, call()))
		c.post(seatPath+"/live", call("_key", "l"), "HX-Request", "true").want(http.StatusOK, "催办来电", one.No, `data-letter="u"`, "!data-letter=\"r\"", "!<html")
		c.post(seatPath+"/remind", call("_key", "r", "_case", one.ID)).to(seatPath + "?done=" + one.ID + "&how=reminded")
		c.get(seatPath+"?done="+one.ID+"&how=reminded").want(http.StatusOK, "已记催办来电", "已转告处置单位")
		c.post(seatPath+"/reopen", call("_key", "o", "_case", one.ID)).want(http.StatusConflict, "家里暖气不热")
		two := k.taken(c.post(seatPath, call("_key", "n", "caller.phone", "13903510044", "room", "604", "address", "向阳花园3号楼2单元604", "link", one.ID)))
		again, err := k.app.Cases.Get(bg, seatOf, city, one.ID)
		if err != nil || again.Urges != 1 || !again.Linked || !two.Linked || two.ID == one.ID {
			t.Errorf("%d reminders, linked %t and %t, %v", again.Urges, again.Linked, two.Linked, err)
		}
		d := posted(actor.RoleDispatcher, "d1", "centre")
		q := k.taken(c.post(seatPath, call("_key", "q", "category", "inquiry", "caller.phone", "13903510055", "text", "请问几号供暖")))
		if q, err = k.app.Cases.AnswerDirect(bg, d, cases.Answering{Act: actOn(q, ""), Answer: "11月15日"}); err != nil {
			t.Fatal(err)
		}
		c.post(seatPath+"/live", call("_key", "m", "caller.phone", "13903510055"), "HX-Request", "true").want(http.StatusOK, `data-letter="r"`)
		c.post(seatPath+"/reopen", call("_key", "p", "_case", q.ID)).to(seatPath + "?done=" + q.ID + "&how=reopened")
	})
}

func TestWhatTheSeatIsToldWhileTyping(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("seat", actor.RoleSeat)
	c := k.as("seat")
	live := func(pairs ...string) answer { return c.post(seatPath+"/live", call(pairs...), "HX-Request", "true") }
	c.post(seatPath+"/live", url.Values{}, "HX-Request", "true").want(http.StatusOK, "写下地址", "!还缺")
	live("category", "inquiry", "nature", "", "text", "请问几号供暖").want(http.StatusOK, "录入标准 5 项已齐")
	live("details.temperature", "1x", "received_at", "soon").want(http.StatusOK, "一热供热有限公司", "可信度")
	asked := live("address", "幸福里5号楼301", "building", "", "unit", "", "room", "").want(http.StatusOK, "责任单位待定", "叫幸福里的小区不止一个", "东城区，还是西城区", "一热供热有限公司", "二热供热有限公司")
	west := found(t, asked, `data-pick="([^"]+\|C2)"`)
	c.post(seatPath, call("_pick", west, "address", "幸福里")).want(http.StatusOK, `name="company" value="C2"`, "二热供热有限公司")
	live("address", "天上人间").want(http.StatusOK, "您家在哪个小区")
	live("address", "向阳花园3号楼2单元602", "caller.phone", "13803510002").want(http.StatusOK, "待开栓", "A1002", "!赵大有", "F1")
	live("account", "A1002", "address", "向阳花园3号楼2单元602").want(http.StatusOK, "待开栓")
	live("text", "楼道暖气管爆了，正在喷水", "category", "").want(http.StatusOK, "特急", "1小时内上门")
	sun, err := k.app.Territory.Suggest(bg, seatOf, city, "xyhy", 1)
	if err != nil || len(sun) != 1 {
		t.Fatal(sun, err)
	}
	_, err = k.app.Outages.Report(bg, companyOf, outage.Report{
		City: city, Company: "C1", Kind: outage.Sudden, Reason: "一次网爆管", Until: k.clock.Now().Add(6 * time.Hour), Scope: []outage.Scope{{Community: sun[0].CommunityID}},
	})
	if err != nil {
		t.Fatal(err)
	}
	live().want(http.StatusOK, "此处停热", "您家那里正在停热：一次网爆管，预计 1月15日14:00 恢复")
}

func TestSuggestions(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		k.person("seat", actor.RoleSeat)
		c := k.as("seat")
		for _, q := range []string{"向阳", "xyhy"} {
			var got []struct {
				Value, Hint string
				Set         map[string]string
			}
			if err := json.Unmarshal([]byte(c.get(seatPath+"/suggest?q="+url.QueryEscape(q)).want(http.StatusOK).body), &got); err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 || got[0].Value != "向阳花园" || got[0].Set["community"] == "" || !strings.Contains(got[0].Hint, "一热供热") {
				t.Errorf("%s: %+v", q, got)
			}
		}
		c.get(seatPath+"/categories?q="+url.QueryEscape("忽冷")).want(http.StatusOK, `"category":"cold_unsteady"`)
		c.get(seatPath+"/categories").want(http.StatusOK, "[]")
	})
}

// A question is answered from the knowledge and closed at once; a call that broke off is held with what was said.
func TestDirectAnswerAndHold(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		k.person("seat", actor.RoleSeat)
		c := k.as("seat")
		page := c.post(seatPath, url.Values{"_act": {"check"}, "_q": {"测温"}, "channel": {"phone"}}).want(http.StatusOK, "直接答复并办结")
		article := found(t, page, `name="_answer" value="([^"]+)"`)
		one := k.taken(c.post(seatPath, url.Values{"_key": {"a"}, "_answer": {article}, "channel": {"phone"}, "caller.phone": {"13903510001"}}))
		if one.Status != cases.Answered || one.Article != article || one.Answer == "" || one.Open || len(one.Missing) != 0 {
			t.Errorf("answered: %s with %q, %q, missing %v", one.Status, one.Article, one.Answer, one.Missing)
		}
		held := k.taken(c.post(seatPath, url.Values{"_key": {"b"}, "_act": {"hold"}, "channel": {"phone"}, "caller.phone": {"13903510001"}, "text": {"家里不热，电话断了"}}))
		if held.Status != cases.Reported || len(held.Missing) == 0 {
			t.Errorf("held: %s, missing %v", held.Status, held.Missing)
		}
		c.post(seatPath, url.Values{"_key": {"c"}, "_act": {"hold"}, "channel": {"phone"}}).want(http.StatusUnprocessableEntity, "诉求内容")
		c.post(seatPath, url.Values{"_key": {"d"}, "_answer": {"nothing/1"}, "channel": {"phone"}}).want(http.StatusNotFound)
	})
}

func TestCounterPaperAndPeak(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, on config.Config) {
		k := newTownWith(t, on)
		k.person("seat", actor.RoleSeat)
		c := k.as("seat")
		c.post(seatPath, call("channel", "counter")).want(http.StatusUnprocessableEntity, "诉求人：请填写此项")
		visit := k.taken(c.post(seatPath, call("channel", "counter", "caller.name", "王桂兰")))
		if visit.Door != citypack.DoorCounter || visit.Channel != cases.Counter {
			t.Errorf("a visit came in by %s, %s", visit.Door, visit.Channel)
		}
		c.post(seatPath, call("_key", "p", "received_at", "2026-01-14T23:00")).want(http.StatusUnprocessableEntity, "请写明原因", "核对人")
		paper := k.taken(c.post(seatPath, call("_key", "p2", "received_at", "2026-01-14T23:00", "paper_reason", "断网", "checked_by", "孙值班")))
		if !paper.Paper || paper.ReceivedAt.Minute() != "2026-01-14 23:00" || paper.TestAt != paper.ReceivedAt {
			t.Errorf("from paper: %t, %s, test %s", paper.Paper, paper.ReceivedAt, paper.TestAt)
		}
		leader := posted(actor.RoleLeader, "leader1", "centre")
		if _, err := k.app.Rules.SetPeak(bg, leader, citypack.PeakInput{City: city, On: true, Reason: "降温"}); err != nil {
			t.Fatal(err)
		}
		c.get(seatPath).want(http.StatusOK, "高峰快录已由值班长开启", "其余各项（回访时补录）")
		short := url.Values{"_key": {"s"}, "channel": {"phone"}, "caller.phone": {"13903510066"}, "address": {"向阳花园3号楼2单元605"}, "category": {"cold_home"}, "nature": {"repair"}}
		c.post(seatPath, short).want(http.StatusUnprocessableEntity, "还有 3 处没有填好")
		short.Set("scope", "home")
		short.Set("details.leak", "no")
		short.Set("test_request", "no")
		if one := k.taken(c.post(seatPath, short)); !one.Peak || one.Company != "C1" {
			t.Errorf("in the peak: %t, with %q", one.Peak, one.Company)
		}
	})
}

// A call is taken in by the keyboard alone, from the telephone's number to the number that is read out.
func TestACallByKeyboardAlone(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("seat", actor.RoleSeat)
	b := k.browser("seat")
	if b == nil {
		return
	}
	b.Expect("status of 422")
	b.Open(seatPath)
	b.Both("seat-empty")
	at := func(name string) { t.Helper(); b.WaitJS(`document.activeElement.name === '` + name + `'`) }
	tab := func(name string) { t.Helper(); b.Key(kb.Tab); at(name) }
	at("caller.phone")
	b.Key("13803510001")
	b.WaitText("A1001")
	b.Key(kb.F1)
	b.WaitText("一热供热有限公司")
	at("text")
	b.Key("家里暖气不热，室温只有15度")
	b.WaitJS(`document.querySelector('[name=category]').value === 'cold_home'`)
	b.WaitText("还缺 5 项")
	b.Both("seat-call")
	b.Key(kb.F2)
	b.WaitText("没有填好")
	b.Both("seat-wrong")
	b.Key(kb.F6)
	at("_q")
	b.Key("测温")
	b.WaitText("怎样申请入户测温")
	b.Key(kb.Enter)
	b.WaitJS(`document.activeElement.hasAttribute('data-article')`)
	b.Key(kb.Escape)
	b.Do("stand in the scope", focus(`[name=scope]`))
	b.Key("1")
	b.Key(kb.Enter)
	at("details.leak")
	b.Key("n")
	b.Key(kb.Enter)
	at("test_request")
	b.Key("y")
	b.Key(kb.Enter)
	at("details.neighbours")
	b.Key("u")
	tab("details.since")
	b.Key("昨晚")
	b.WaitText("录入标准 8 项已齐")
	b.Key(kb.F2)
	b.WaitText("已登记")
	b.WaitText("由一热供热有限公司负责")
	b.Both("seat-receipt")
	b.Key(kb.F9)
	b.WaitJS(`!location.search && document.documentElement.dataset.ready`)
	at("caller.phone")
	b.Key("13803510001")
	b.WaitText("催办来电")
	b.Both("seat-again")
	b.Key(kb.F3)
	b.WaitJS(`document.activeElement.hasAttribute('data-case')`)
	b.Key("u")
	b.WaitText("已记催办来电")
}

func TestTheSeatInTheOtherState(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("seat", actor.RoleSeat)
	b := k.browser("seat")
	if b == nil {
		return
	}
	b.Open(seatPath + "?lang=en")
	b.WaitText("Intake")
	b.Both("seat-en")
	b.Open(seatPath + "?lang=zh")
	at := `document.querySelector('[name=address]')`
	b.Do("stand in the address", focus("[name=address]"))
	b.Key("幸福")
	b.WaitJS(`document.querySelectorAll('#f-address-list [role=option]').length === 2`)
	b.Shot("seat-suggest")
	b.Key(kb.ArrowDown)
	b.Key(kb.Enter)
	b.WaitJS(at + `.value === '幸福里' && document.querySelector('[name=community]').value !== ''`)
	b.WaitJS(`document.activeElement.name === 'building'`) // and on to the building
	b.Do("stand in the address", focus("[name=address]"))
	b.Key("5号楼")
	b.WaitText("叫幸福里的小区不止一个")
	b.Both("seat-doubt")
	leader := posted(actor.RoleLeader, "leader1", "centre")
	if _, err := k.app.Rules.SetPeak(bg, leader, citypack.PeakInput{City: city, On: true, Reason: "降温"}); err != nil {
		t.Fatal(err)
	}
	b.Open(seatPath)
	b.WaitText("高峰快录")
	b.Both("seat-peak")
	b.Key(kb.F8)
	b.WaitJS(`document.activeElement.id === 'seat-peak'`)
	b.Size(720, 450) // a desk's window at 200 %
	b.NoSideways("the seat at 200 %")
	b.Shot("seat-200")
}
