package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/rehu-heat/rehu/internal/actor"
	calls "github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/call/ctifake"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/staffing"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/web/webtest"
)

// exchange is a town with a switch that plays telephone.
func exchange(t *testing.T) (*town, *ctifake.Switch) {
	t.Helper()
	signer := notice.Signer{Account: "rehu", Secret: "s3cret", Machine: time.Now}
	var k *town
	fake := ctifake.New(ctifake.Options{Signer: signer, Now: func() civil.Instant { return k.clock.Now() }})
	s := httptest.NewServer(fake)
	t.Cleanup(s.Close)
	k = newTownWith(t, config.Config{CTI: config.CTI{URL: s.URL, Account: "rehu", Secret: "s3cret"}})
	fake.Aim(k.url+"/c/990100/hooks/cti", k.url+"/c/990100/hooks/ivr")
	return k, fake
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// stopAt reports a stop of heat at the estate of the household that rings.
func (k *town) stopAt(t *testing.T) outage.View {
	t.Helper()
	found, err := k.app.Territory.Suggest(bg, seatOf, city, "向阳花园", 1)
	must(t, err)
	o, err := k.app.Outages.Report(bg, k.root, outage.Report{
		City: city, Company: "C1", Kind: outage.Sudden, Reason: "一次网爆管", Until: k.clock.Now().Add(6 * time.Hour), Scope: []outage.Scope{{Community: found[0].CommunityID}},
	})
	must(t, err)
	return o
}

// Forged, garbled and repeated reports are refused or change nothing; the menu answers from the stop at the caller's home.
func TestTheSwitchIsChecked(t *testing.T) {
	t.Parallel()
	k, fake := exchange(t)
	k.person("seat", actor.RoleSeat)
	if a := k.anyone().post("/c/990100/hooks/cti", url.Values{"call": {"x"}}); a.status != http.StatusForbidden {
		t.Errorf("an unsigned report: %d", a.status)
	}
	forger := ctifake.New(ctifake.Options{Signer: notice.Signer{Account: "rehu", Secret: "guess", Machine: time.Now}, Now: k.clock.Now})
	forger.Aim(k.url+"/c/990100/hooks/cti", k.url+"/c/990100/hooks/ivr")
	if _, err := forger.Dial(bg, "13803510001", ""); err == nil {
		t.Error("a forged report is taken")
	}
	if _, _, err := forger.Enter(bg, calls.Inquiry{Caller: "13803510001"}, true); err == nil {
		t.Error("a forged question is answered")
	}
	_, reply, err := fake.Enter(bg, calls.Inquiry{Caller: "13803510001"}, false)
	must(t, err)
	if reply.Kind != calls.SaysSeat {
		t.Errorf("nothing is known: %+v", reply)
	}
	k.stopAt(t)
	_, reply, err = fake.Enter(bg, calls.Inquiry{Caller: "13803510001"}, true)
	must(t, err)
	if want := "您登记的住址正在停热，原因是一次网爆管，预计今天14点恢复供热。如果仍需人工服务，请继续等待。"; reply.Say != want {
		t.Errorf("the menu says %q, want %q", reply.Say, want)
	}
	_, reply, err = fake.Enter(bg, calls.Inquiry{Caller: "13900000000", Speech: "向阳花园3号楼", Lang: "en"}, true)
	must(t, err)
	if reply.Kind != calls.SaysStop || !strings.Contains(reply.Say, "today at 14 o'clock") {
		t.Errorf("by what was said: %+v", reply)
	}
	k.as("seat").get("/c/990100/calls").want(http.StatusOK, "语音播报分流", "及时接通率")
	f, err := k.app.Calls.Figures(bg, k.root, city, k.clock.Now().Date())
	must(t, err)
	if f.Menu != 2 || f.Absorbed != 2 || f.Day.Offered != 1 {
		t.Errorf("absorbed %d of %d, %d offered; want 2 of 2, 1", f.Absorbed, f.Menu, f.Day.Offered)
	}
}

// Whose number is not known keys the area's number in; a planned stop is told once it was announced; nothing is said of a
// household, and what comes unsigned gets nothing.
func TestTheMenuAsksForTheArea(t *testing.T) {
	t.Parallel()
	k, fake := exchange(t)
	stranger := "13900000000"
	ask := func(q calls.Inquiry) calls.Reply {
		t.Helper()
		_, reply, err := fake.Enter(bg, q, true)
		must(t, err)
		for _, own := range []string{"王", "A1001", "向阳", "601", "138"} {
			if strings.Contains(reply.Say, own) {
				t.Errorf("the menu says %q of a household: %q", own, reply.Say)
			}
		}
		return reply
	}
	if got := ask(calls.Inquiry{Caller: stranger}); got.Kind != calls.SaysSeat {
		t.Errorf("no stop anywhere: %+v", got)
	}
	in := register.Request{City: city, Kind: place.Communities, Version: "2026", From: civil.NewDate(2026, 1, 1), Name: "list.csv"}
	_, err := k.app.Register.Import(bg, k.root, in, strings.NewReader("name,district,company,area\n向阳花园,东城区,C1,PQ-014\n明月里,西城区,C1,PQ-140\n清泉里,西城区,C2,XQ-140\n"))
	must(t, err)
	found, err := k.app.Territory.Served(bg, k.root, city, territory.ServedFilter{})
	must(t, err)
	var sun territory.Served
	var scope []outage.Scope
	for _, c := range found.Items {
		if c.Name == "向阳花园" {
			sun = c
		}
		if c.Name == "向阳花园" || c.Name == "明月里" {
			scope = append(scope, outage.Scope{Community: c.ID})
		}
	}
	start := k.clock.Now().Add(50 * time.Hour)
	planned, err := k.app.Outages.Report(bg, k.root, outage.Report{
		City: city, Company: "C1", Kind: outage.Planned, Reason: "阀门检修", Start: start, Until: start.Add(6 * time.Hour), Scope: scope,
	})
	must(t, err)
	if got := ask(calls.Inquiry{Caller: "13803510001"}); got.Kind != calls.SaysSeat {
		t.Errorf("a planned stop that was not announced: %+v", got)
	}
	_, err = k.app.Outages.Change(bg, k.root, outage.Change{City: city, ID: planned.ID, Version: planned.Version, Event: outage.Announce})
	must(t, err)
	if got := ask(calls.Inquiry{Caller: "13803510001"}); got.Kind != calls.SaysPlanned || got.Then != "offer" ||
		got.Say != "您登记的住址计划1月17日10点起停热，原因是阀门检修，预计1月17日16点恢复供热。如果仍需人工服务，请继续等待。" {
		t.Errorf("at the caller's home: %+v", got)
	}
	if got := ask(calls.Inquiry{Caller: stranger}); got.Kind != calls.SaysAsk || got.Then != "digits" || !strings.Contains(got.Say, "片区编号") {
		t.Errorf("nobody knows the number: %+v", got)
	}
	if got := ask(calls.Inquiry{Lang: "en"}); got.Kind != calls.SaysAsk || !strings.Contains(got.Say, "service area") {
		t.Errorf("the number is withheld: %+v", got)
	}
	if got := ask(calls.Inquiry{Caller: stranger, Digits: "14"}); got.Kind != calls.SaysPlanned || !strings.HasPrefix(got.Say, "您所按片区内有小区计划") {
		t.Errorf("by the area %q: %+v", sun.Area, got)
	}
	for _, digits := range []string{"0", "77777", "*", "140"} { // two areas have the last
		if got := ask(calls.Inquiry{Caller: stranger, Digits: digits}); got.Kind != calls.SaysSeat {
			t.Errorf("keyed in %s: %+v", digits, got)
		}
	}
	k.stopAt(t) // a burst goes before what is planned
	if got := ask(calls.Inquiry{Caller: "13803510001"}); got.Kind != calls.SaysStop {
		t.Errorf("during a burst: %+v", got)
	}
	if a := k.anyone().post("/c/990100/hooks/ivr", url.Values{"call": {"x"}, "caller": {"13803510001"}}); a.status != http.StatusForbidden || strings.Contains(a.body, "停热") {
		t.Errorf("an unsigned question: %d %s", a.status, a.body)
	}
}

// A call rings at a seat: who that is stands on the screen within a second; answered by a key, written down, put through.
func TestACallRingsAtASeat(t *testing.T) {
	t.Parallel()
	k, fake := exchange(t)
	k.person("seat", actor.RoleSeat)
	k.stopAt(t)
	b := k.browser("seat")
	b.Open(seatPath)
	b.Fill("seat", "8001")
	b.Press("签入")
	b.WaitText("签出")
	ref, err := fake.Dial(bg, "13803510001", "8001")
	must(t, err)
	b.WaitText("138****0001")
	b.WaitText("一次网爆管")
	b.WaitJS(`document.querySelector('[name="caller.phone"]').value === '138****0001' && document.querySelector('[name="account"]').value === 'A1001'`)
	b.Axe("a call rings")
	b.Both("phone-ringing")
	press := func(letter string) { // a key of the telephone, as onKey hears it
		b.Eval(`document.dispatchEvent(new KeyboardEvent('keydown', {key: '` + letter + `', altKey: true, bubbles: true, cancelable: true})), ''`)
	}
	press("a")
	b.WaitJS(`document.querySelector('#phone [value=hold]') !== null`)
	b.Fill("text", "家里暖气不热，只有15度")
	b.Choose("category", "cold_home")
	b.WaitText("一热供热有限公司")
	b.Axe("a call is talked to")
	b.Both("phone-talking")
	b.Expect("422")
	press("t")
	b.WaitText("没有值班电话") // the company gave no number: said in the box, nothing lost
	b.WaitJS(`document.querySelector('[name="text"]').value.includes('15度')`)
	b.Key(kb.F4)
	b.WaitText("已登记")
	must(t, fake.Happen(bg, ref, calls.Ended, ""))
	b.WaitText("话后处理")
	list, err := k.app.Calls.List(bg, k.root, city, calls.Filter{})
	must(t, err)
	if c := list.Items[0]; c.Case == "" || c.State != calls.Over || c.Outcome != calls.ToCase {
		t.Errorf("the call is not bound: %+v", c)
	}
	file, err := k.app.Cases.Get(bg, k.root, city, list.Items[0].Case)
	must(t, err)
	if file.CallerPhone != "138****0001" || file.Account != "A1001" {
		t.Errorf("the case: %+v", file)
	}
	b.Open("/c/990100/cases/" + file.ID)
	b.WaitText("来电关联本案")
	b.Open("/c/990100/calls")
	b.Axe("the queue")
	b.Both("calls-figures")
	b.Open("/c/990100/calls/list")
	b.Axe("calls")
	b.Both("calls-list")
	b.Open("/c/990100/calls/" + list.Items[0].ID)
	b.Axe("one call")
	b.Both("calls-one")
}

// How the queue stands is on the wall, on the leader's screen and on every seat's, and changes there by itself.
func TestTheQueueIsLive(t *testing.T) {
	t.Parallel()
	k, fake := exchange(t)
	k.person("seat", actor.RoleSeat)
	k.person("leader", actor.RoleLeader)
	k.person("regulator", actor.RoleRegulator)
	seat, leader := k.browser("seat"), k.browser("leader")
	seat.Open(seatPath)
	seat.Fill("seat", "8001")
	seat.Press("签入")
	leader.Open("/c/990100/calls")
	figure := func(name, value string) string {
		return `[...document.querySelectorAll('.fig, .stat')].some(e => e.textContent.replace(/\s+/g, '').includes('` + name + value + `') || e.textContent.replace(/\s+/g, '').includes('` + value + name + `'))`
	}
	seat.WaitJS(figure("就绪坐席", "1"))
	leader.WaitJS(figure("就绪坐席", "1"))
	ref, err := fake.Dial(bg, "13803510001", "8001")
	must(t, err)
	lost, err := fake.Dial(bg, "13803510002", "")
	must(t, err)
	for _, b := range []*webtest.Browser{seat, leader} {
		b.WaitJS(figure("正在排队", "2"))
	}
	k.clock.Advance(20 * time.Second)
	must(t, fake.Happen(bg, ref, calls.Answered, "8001"))
	must(t, fake.Happen(bg, lost, calls.Abandoned, ""))
	for _, b := range []*webtest.Browser{seat, leader} {
		b.WaitJS(figure("正在排队", "0"))
		b.WaitJS(figure("通话坐席", "1"))
		b.WaitJS(figure("接通", "1"))
		b.WaitJS(figure("放弃", "1"))
		b.WaitJS(figure("及时接通率", "0.0%"))
	}
	leader.Axe("the queue changes")
	leader.Both("calls-figures")
	got := k.as("regulator").get("/c/990100/wall").want(http.StatusOK, "通话坐席", "及时接通率", "目标：15 秒内 95.0%", "每 10 秒刷新")
	if every := got.header.Get("Refresh"); every != "10" {
		t.Errorf("the wall loads itself again after %q s", every)
	}
	wall := k.browser("regulator")
	wall.Open("/c/990100/wall")
	wall.WaitJS(figure("放弃", "1"))
	wall.Axe("the wall with its queue")
	wall.Both("wall-queue")
	k.as("regulator").get("/c/990100/calls").want(http.StatusOK, "目标 95.0%（依据：暖城市供热条例（虚构） 6）")
}

// A missed call becomes a call-back; taken, dialled and reached it is gone.
func TestAMissedCallIsCalledBack(t *testing.T) {
	t.Parallel()
	k, fake := exchange(t)
	k.person("seat", actor.RoleSeat)
	k.person("leader", actor.RoleLeader)
	for range 2 {
		ref, err := fake.Dial(bg, "13803510002", "")
		must(t, err)
		k.clock.Advance(time.Minute)
		must(t, fake.Happen(bg, ref, calls.Abandoned, ""))
	}
	b := k.browser("seat")
	b.Open("/c/990100/call-backs")
	b.WaitText("138****0002")
	b.Axe("missed calls")
	b.Both("call-backs")
	b.Press("领取回拨")
	b.WaitText("回拨中")
	b.Press("显示号码")
	b.WaitText("13803510002")
	b.Press("已接通")
	b.WaitText("没有需要回拨的未接来电")
	b.Open("/c/990100/call-backs?all=yes")
	b.WaitText("已回拨")
	k.as("leader").get("/c/990100/calls/list?direction=in").want(http.StatusOK, "未接")
	k.as("leader").get("/c/990100/calls/export").want(http.StatusOK, "138****0002")
}

// Without a switch the seat's screen is as it always was.
func TestNoSwitchNoTelephone(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("seat", actor.RoleSeat)
	a := k.as("seat").get(seatPath).want(http.StatusOK)
	if strings.Contains(a.body, `id="phone"`) {
		t.Error("there is a telephone without a switch")
	}
	k.as("seat").get(seatPath + "/phone").want(http.StatusNotFound)
}

// The section head's day: forecast, range, error, what is missing; a shift added on the page closes a gap.
func TestStaffingPage(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	k.person("leader", actor.RoleLeader)
	k.person("seat", actor.RoleSeat)
	k.as("seat").get("/c/990100/staffing").want(http.StatusForbidden)
	k.as("leader").get("/c/990100/staffing").want(http.StatusOK, "至少要 14 天")
	in := staffing.Handing{City: city, Source: "旧电话系统报表"}
	for n := range 40 {
		d := k.clock.Now().Date().AddDays(n - 40)
		for s := range staffing.Slots {
			in.Past = append(in.Past, staffing.Past{At: d.Start().Add(time.Duration(s) * 30 * time.Minute), Calls: max(0, 30-(s-20)*(s-20)/4) + n%3})
		}
	}
	_, err := k.app.Staffing.HandOver(bg, k.root, in)
	must(t, err)
	b := k.browser("leader")
	b.Open("/c/990100/staffing")
	b.WaitText("缺员半小时")
	b.WaitText("预测由来：平常日")
	shift := url.Values{"_key": {"s1"}, "team": {"白班"}, "from": {"2026-01-16T08:00"}, "to": {"2026-01-16T20:00"}, "seats": {"14"}}
	k.as("leader").post("/c/990100/staffing/shift", shift).want(http.StatusSeeOther)
	shift.Set("to", "2026-01-16T07:00")
	k.as("leader").post("/c/990100/staffing/shift", shift).want(http.StatusUnprocessableEntity, "结束应晚于开始", "白班")
	b.Open("/c/990100/staffing")
	b.WaitText("白班")
	b.WaitText("缺 ")
	b.Axe("staffing")
	b.Both("staffing")
	k.as("leader").get("/c/990100/staffing?warmer=-5&bursts=1").want(http.StatusOK, "假如", "爆管 ")
	k.as("leader").get("/c/990100/staffing?warmer=-500").want(http.StatusUnprocessableEntity)
	k.as("leader").get("/c/990100/staffing/export").want(http.StatusOK, "需排班")
}
