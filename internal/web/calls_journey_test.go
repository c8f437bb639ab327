package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/rehu-heat/rehu/internal/actor"
	calls "github.com/rehu-heat/rehu/internal/call"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
)

// A call from its ringing to its recording: who that is and what they told before, the open case first; a case, a three-way
// call and being put through to the company, all on the case; the recording only for whoever may hear it and says why.
func TestACallFromRingingToItsRecording(t *testing.T) {
	t.Parallel()
	k, fake := exchange(t)
	k.person("seat", actor.RoleSeat)
	k.person("leader", actor.RoleLeader)
	desk := register.Request{City: city, Kind: place.Companies, Version: "2026", From: civil.NewDate(2026, 1, 1), Name: "list.csv"}
	_, err := k.app.Register.Import(bg, k.root, desk, strings.NewReader("code,name,phone\nC1,一热供热有限公司,0351-4001234\nC2,二热供热有限公司,0351-4005678\n"))
	must(t, err)
	told := func(said string) cases.Case {
		o, err := k.app.Cases.Open(bg, k.root, cases.Opening{
			City: city, Door: citypack.DoorImport, Channel: cases.Phone, Text: said, Caller: cases.Party{Phone: "13803510001"}, Address: "向阳花园3号楼2单元601",
		})
		must(t, err)
		return o.Case
	}
	over := told("暖气费票据怎么开")
	_, err = k.app.Cases.Withdraw(bg, k.root, cases.Act{City: city, ID: over.ID, Version: over.Version, Reason: "已自行解决"})
	must(t, err)
	k.clock.Advance(time.Hour)
	open := told("楼道暖气漏水")
	k.clock.Advance(time.Hour)

	b := k.browser("seat")
	b.Open(seatPath)
	b.Fill("seat", "8001")
	b.Press("签入")
	b.WaitText("签出")
	ref, err := fake.Dial(bg, "13803510001", "8001")
	must(t, err)
	b.WaitText("138****0001")
	b.WaitText("A1001")
	b.WaitText("历史来件 2 件")
	b.WaitText("最近在办案件 " + open.No)
	b.Axe("a caller with a history rings")
	b.Both("phone-history")
	press := func(letter string) {
		b.Eval(`document.dispatchEvent(new KeyboardEvent('keydown', {key: '` + letter + `', altKey: true, bubbles: true, cancelable: true})), ''`)
	}
	press("a")
	b.WaitJS(`document.querySelector('#phone [value=hold]') !== null`)
	b.Fill("text", "家里暖气不热，只有15度")
	b.Choose("category", "cold_home")
	b.WaitText("一热供热有限公司")
	b.Key(kb.F4)
	b.WaitText("已登记")
	b.Ready()
	b.WaitJS(`document.querySelector('#phone [value=conference]') !== null`)
	press("j")
	b.WaitText("三方通话")
	b.Both("phone-three")
	press("t")
	b.WaitText("话后处理")
	must(t, fake.Happen(bg, ref, calls.Ended, ""))
	must(t, fake.Happen(bg, ref, calls.Recorded, "https://rec.example.cn/7"))
	list, err := k.app.Calls.List(bg, k.root, city, calls.Filter{})
	must(t, err)
	one := list.Items[0]
	if one.State != calls.Over || one.Case == "" || one.Case == open.ID || one.Company != "C1" {
		t.Errorf("the call: %+v", one)
	}
	b.Open("/c/990100/cases/" + one.Case)
	for _, words := range []string{"来电关联本案", "与企业三方通话", "来电转接企业值班电话", "通话录音就绪"} {
		b.WaitText(words)
	}
	b.Axe("a case with its call")
	b.Both("case-call")
	b.Open("/c/990100/calls/" + one.ID + "?lang=en")
	b.WaitText("Put through")
	b.Axe("one call, in English")
	b.Both("calls-one-en")
	listen := "/c/990100/calls/" + one.ID + "/listen"
	k.as("seat").post(listen, url.Values{"reason": {"好奇"}}).want(http.StatusForbidden, "!rec.example.cn")
	k.as("leader").post(listen, url.Values{"reason": {""}}).want(http.StatusUnprocessableEntity, "!rec.example.cn")
	k.as("leader").post(listen, url.Values{"reason": {"质检"}}).want(http.StatusOK, "https://rec.example.cn/7")
	k.as("leader").get("/c/990100/cases/"+one.Case).want(http.StatusOK, "听取通话录音", "!rec.example.cn")
}
