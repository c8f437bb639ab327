package web_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/dispatch"
)

// TestFromDispatchToClosedInABrowser is a case's way through the centre: the dispatcher sends it out, the company acts, the
// verifier checks it, the resident is called back, and it is closed.
func TestFromDispatchToClosedInABrowser(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	k.person("dispatcher", actor.RoleDispatcher)
	k.person("verifier", actor.RoleVerifier)
	b := k.browser("dispatcher")
	if b == nil {
		return
	}
	b.Expect("status of 422")
	b.Expect("status of 409")
	b.Expect("[object Event]") // the stream of a page that is left
	for range 8 {
		k.open("向阳花园")
	}
	c := k.open("幸福里", func(o *cases.Opening) { o.Urgency = "urgent" })
	k.open("明月里")
	b.Open("/c/990100/cases")
	b.WaitText("实时连接正常")
	b.Both("console")
	b.Open("/c/990100/cases?status=filed")
	b.WaitText("实时连接正常")
	b.Key(kb.ArrowDown)
	b.Key(kb.Enter)
	b.WaitText("办理过程")
	b.Both("console-open")
	b.Key("p")
	b.WaitJS(`document.querySelector('dialog[open] [name=company]')`)
	b.Axe("dispatch dialog")
	b.Shot("dispatch-dialog")
	b.Press("派遣")
	b.WaitText("还有 1 处没有填好")
	b.Choose("company", "C1")
	b.Press("派遣")
	b.WaitText("已完成")
	b.WaitJS(`document.querySelector('#side .chip').innerText.includes('待签收')`)
	b.Shot("dispatched")
	k.clock.Advance(time.Minute)
	k.open("幸福里")
	b.WaitText("有 1 件新工单")
	k.must(k.cases.Remind(bg, seatOf, cases.Reminder{Act: cases.Act{City: city, ID: c.ID}, Channel: cases.Phone}))
	b.WaitJS(`document.getElementById('c-` + c.ID + `').innerText.includes('催 1')`)
	b.WaitJS(`document.getElementById('c-` + c.ID + `').getAttribute('aria-selected') === 'true'`)
	b.Key(kb.Escape)
	c = k.handled(k.must(k.cases.Get(bg, seatOf, city, c.ID)))
	b.Open(casePath(c, ""))
	b.WaitText("立管排气")
	b.Both("case")
	b.Open(casePath(c, "/print"))
	b.WaitText("供热服务工单记录")
	b.Axe("record")
	b.Shot("record")

	v := k.browser("verifier")
	v.WaitText("核查结果")
	v.Both("verify")
	v.Choose("passed", "yes")
	v.Choose("mode", "evidence")
	v.Press("保存，下一件")
	v.WaitText("现在没有待核查的工单")
	v.Open("/c/990100/callbacks")
	v.WaitText("居民说")
	v.Both("callbacks")
	v.Choose("reached", "yes")
	v.Choose("solved", "yes")
	v.Press("保存，下一件")
	v.WaitText("现在没有待回访的工单")

	b.Open("/c/990100/cases?status=to_close&open=" + c.ID)
	b.WaitText("办理过程")
	b.Press("结案")
	b.WaitText("居民仍可在规定天数内")
	b.Press("结案")
	b.WaitText("已完成")
	if got := k.must(k.cases.Get(bg, seatOf, city, c.ID)); got.Status != cases.Closed {
		t.Errorf("in the end: %s", got.Status)
	}
}

// TestTwoPeopleOneCaseInABrowser: whoever is late reads who was first and keeps what they wrote.
func TestTwoPeopleOneCaseInABrowser(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	k.person("leader", actor.RoleLeader)
	b := k.browser("leader")
	if b == nil {
		return
	}
	b.Expect("status of 409")
	b.Expect("[object Event]") // the stream of a page that is left
	c := k.open("幸福里")
	ask := k.open("向阳花园")
	ask = k.must(k.sends.Sign(bg, companyOf, dispatch.Signing{Act: actOn(ask, "")}))
	k.must(k.sends.AskMore(bg, companyOf, dispatch.Asking{Act: actOn(ask, "等配件到货"), Kind: dispatch.AskExtension, Until: k.clock.Now().Add(30 * time.Hour)}))
	b.Open("/c/990100/cases?status=filed&open=" + c.ID)
	b.WaitText("办理过程")
	b.Key("p")
	b.WaitJS(`document.querySelector('dialog[open] [name=company]')`)
	k.must(k.sends.Dispatch(bg, posted(actor.RoleDispatcher, "other", "centre"), dispatch.Sending{Act: actOn(c, ""), Company: "C2"}))
	b.Choose("company", "C1")
	b.Eval(`document.querySelector('dialog [name=reason]').value = '用户说是一热的'`)
	b.Press("派遣")
	b.WaitText("赵敏")
	b.WaitJS(`document.querySelector('dialog [name=reason]').value === '用户说是一热的'`)
	b.Axe("conflict")
	b.Shot("conflict")
	b.Open("/c/990100/requests")
	b.WaitText("等配件到货")
	b.Both("requests")
	b.Press("决定")
	b.WaitJS(`document.querySelector('[name=grant]')`)
	b.Choose("grant", "yes")
	b.Press("决定")
	b.WaitText("现在没有等待决定的申请")
	b.Size(720, 450) // 200 % at 1440
	b.Open("/c/990100/cases?open=" + c.ID)
	b.NoSideways("console at 200 %")
	b.Shot("console-200")
}

// An address of a new district at its longest stands in the list whole, and the list stays inside the window.
func TestLongAddressesAreNotCutInABrowser(t *testing.T) {
	t.Parallel()
	k := newDesk(t, dbtest.SQLite(t))
	k.person("dispatcher", actor.RoleDispatcher)
	k.open("向阳花园")
	k.open("滨河新区经济技术开发产业园配套人才公寓二期（原供热公司家属院）西苑甲区十八号楼乙座")
	b := k.browser("dispatcher")
	if b == nil {
		return
	}
	b.Size(1440, 900)
	b.Open("/c/990100/cases?state=all")
	b.WaitText("人才公寓")
	if cut := b.Eval(`String([...document.querySelectorAll('td[data-l="地址"] > div')].filter(d => d.scrollHeight > d.clientHeight + 1 || d.scrollWidth > d.clientWidth + 1).map(d => d.textContent))`); cut != "" {
		t.Errorf("cut at 1440: %s", cut)
	}
	b.NoSideways("the list at 1440")
	b.Both("long-address")
}
