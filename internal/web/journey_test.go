package web_test

import (
	"net/url"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/web/webtest"
)

// TestFromTheCallToTheWarmFlat is the product in one journey, each step by the person whose step it is, in a window of
// their own: the seat takes the call, the case is dispatched at once, the company signs, calls, comes and feeds back,
// somebody else verifies, the resident is called back, the case is closed, and the resident reads so on the telephone.
func TestFromTheCallToTheWarmFlat(t *testing.T) {
	t.Parallel()
	k := newTown(t)
	for login, role := range map[string]actor.Role{
		"seat": actor.RoleSeat, "company": actor.RoleCompany, "verifier": actor.RoleVerifier, "dispatcher": actor.RoleDispatcher,
	} {
		k.person(login, role)
	}
	worker := k.person("worker", actor.RoleWorker)
	seat := k.browser("seat")
	if seat == nil {
		return
	}
	seat.Open(seatPath)
	seat.Fill("caller.phone", "13903510001")
	seat.Fill("address", "向阳花园3号楼2单元603")
	seat.Fill("text", "家里暖气不热，室温只有15度")
	seat.WaitText("一热供热有限公司")
	seat.WaitJS(`document.querySelector('[name=category]').value === 'cold_home'`)
	seat.Choose("scope", "home")
	seat.Choose("details.leak", "no")
	seat.Choose("test_request", "yes")
	seat.Choose("details.neighbours", "no")
	seat.Fill("details.since", "昨晚")
	seat.Key(kb.F2)
	seat.WaitText("已登记")
	u, err := url.Parse(seat.Path())
	if err != nil {
		t.Fatal(err)
	}
	get := func() cases.Case {
		t.Helper()
		c, err := k.app.Cases.Get(bg, seatOf, city, u.Query().Get("done"))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := get()
	if c.Status != cases.Dispatched || c.Company != "C1" {
		t.Fatalf("taken in as %s for %q", c.Status, c.Company)
	}

	company := k.browser("company")
	company.WaitText(c.No)
	company.Open(casePath(c, ""))
	act := func(who *webtest.Browser, words string, fill func()) {
		t.Helper()
		was := get().Version
		who.WaitJS(`document.documentElement.dataset.ready`)
		who.Press(words)
		who.WaitJS(`document.querySelector('dialog[open] form')`)
		if fill != nil {
			fill()
		}
		who.Eval(`document.documentElement.dataset.before = 'yes'`)
		who.Press(words)
		who.WaitJS(`!document.documentElement.dataset.before && document.documentElement.dataset.ready`)
		who.WaitText("已完成")
		if get().Version == was {
			t.Fatalf("%s changed nothing", words)
		}
	}
	act(company, "签收", nil)
	act(company, "二次派单", func() { company.Choose("worker", worker.ID) })
	act(company, "联系用户", func() { company.Choose("result", "connected") })
	act(company, "到场", func() {
		company.Choose("result", "met")
		company.Fill("temperature", "15.2")
	})
	act(company, "反馈", func() {
		company.Fill("form.contact", "用户在家")
		company.WaitJS(`document.querySelector('[name="form.temp_before"]').value === '15.2'`)
		company.Choose("form.truth", "true")
		company.Fill("form.temp_after", "19.1")
		company.Fill("form.rooms", "客厅、卧室")
		company.Choose("form.cause", "air")
		company.Choose("form.segment", "company")
		company.Fill("form.measures", "立管排气")
		company.Choose("form.solved", "yes")
		company.Fill("form.answer", "已排气，室温回升。")
		company.Shot("journey-feedback")
	})
	if c = get(); c.Status != cases.FedBack {
		t.Fatalf("after the feedback: %s", c.Status)
	}

	verifier := k.browser("verifier")
	verifier.WaitText("核查结果")
	verifier.Choose("passed", "yes")
	verifier.Choose("mode", "evidence")
	verifier.Press("保存，下一件")
	verifier.WaitText("现在没有待核查的工单")
	verifier.Open("/c/990100/callbacks")
	verifier.Choose("reached", "yes")
	verifier.Choose("solved", "yes")
	verifier.Choose("satisfied", "yes")
	verifier.Press("保存，下一件")
	verifier.WaitText("现在没有待回访的工单")

	dispatcher := k.browser("dispatcher")
	dispatcher.Open(casePath(c, ""))
	act(dispatcher, "结案", nil)
	if c = get(); c.Status != cases.Closed {
		t.Fatalf("in the end: %s", c.Status)
	}

	resident := k.browser("")
	resident.Size(390, 844)
	resident.Open(residents + "/follow")
	resident.Fill("no", c.No)
	resident.Fill("phone", "13903510001")
	resident.Press("查看")
	resident.WaitText("已排气，室温回升。")
	resident.WaitText("结案")
	resident.Axe("the progress of a closed case")
	resident.Shot("journey-progress")
}
