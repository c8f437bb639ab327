package web_test

import (
	"net/http"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/settle"
)

// TestArrearsAndLateChargeInABrowser: a household that owes agrees that part of its refund goes against that; the rest is paid
// late, so the company stays in the overdue list until it paid the late charge as well.
func TestArrearsAndLateChargeInABrowser(t *testing.T) {
	t.Parallel()
	k := newTreasury(t)
	x := k.settled()
	k.person("section_head", actor.RoleSectionHead)
	k.rival("c2")
	boss := actor.Actor{ID: "boss", Name: "boss", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleRegulator, City: city}}}
	if _, err := k.settle.ApproveSettlement(bg, boss, settle.ApproveInput{City: city, ID: x.ID, Version: x.Version}); err != nil {
		t.Fatal(err)
	}
	if err := k.settle.OrderPayouts(bg, city, x.ID); err != nil {
		t.Fatal(err)
	}
	b := k.browser("c2")
	if b == nil {
		return
	}
	b.Expect("422")
	b.Open(claimPath + "B2001")
	b.Press("登记抵欠费")
	b.WaitText("何人同意")
	b.Fill("amount_yuan", "2000")
	b.Eval("document.querySelector('[name=on]').value = '2026-01-14'")
	b.Fill("who", "孙志强")
	b.Fill("proof", "同意书 3")
	b.Both("arrears-form")
	b.Click("form[action$='/setoff'] button")
	b.WaitText("抵扣不能超过欠费") // more than the household owes
	b.Fill("amount_yuan", "40")
	b.Click("form[action$='/setoff'] button")
	b.WaitText("抵欠费已登记")
	b.WaitText("56.00") // 96.00 less 40.00
	b.Both("arrears-kept")

	k.clock.Set(civil.On(civil.NewDate(2026, 5, 25), 9, 0)) // ten days late
	head := k.as("section_head")
	head.post(settlePage+"/overdue", fields("_key", "rate", "season", heatSeason, "company", "C2", "late_rate", "0.0005", "version", "0")).want(http.StatusSeeOther)
	b = k.browser("c2")
	b.Open(claimPath + "B2001?act=payee")
	b.Choose("kind", "payer")
	b.Choose("choice", "credit")
	b.Choose("consent", "yes")
	b.Click("form[action$='/payee'] button")
	b.WaitText("0.28 元（56.00 元 × 每日 0.0005 × 10 天）")
	head.get(settlePage+"/overdue?season="+heatSeason).want(http.StatusOK, "已付欠滞退金", "0.28")
	b.Press("登记滞退金支付")
	b.WaitText("付款凭证")
	b.Eval("document.querySelector('form[action$=\"/late\"] [name=on]').value = '2026-05-25'")
	b.Fill("proof", "转账 77")
	b.Both("late-form")
	b.Click("form[action$='/late'] button")
	b.WaitText("滞退金已登记为已付")
	b.WaitText("0.28 元，2026-05-25")
	b.Both("late-paid")
	head.get(settlePage+"/overdue?season="+heatSeason).want(http.StatusOK, "!二热供热有限公司</a>")
}
