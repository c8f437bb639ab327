package web_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/web/webtest"
)

// TestTheFindingMovesTheMoney: the company finds the home warm, the resident does not believe it and objects; a laboratory
// finds it cold, the authority names the laboratory's result in a numbered finding, and the refund follows that result.
func TestTheFindingMovesTheMoney(t *testing.T) {
	t.Parallel()
	k := newWinter(t, config.Config{})
	k.clerk("east", "东城区")
	if _, err := k.staff.SaveOrganisation(bg, k.root, staff.OrgInput{City: city, Code: "lab1", Kind: staff.Other, NameZH: "暖城检测院", NameEN: "Nuancheng Laboratory"}); err != nil {
		t.Fatal(err)
	}
	m := k.asks()
	if k.resident == nil {
		return
	}
	company := k.browser("company")
	k.assigns(company, m)
	k.until(0, 15)
	phone, stairs := k.phone("worker")
	stairs.dead.Store(true)
	k.reads(phone, m, typed{bedroom: "18.6", living: "19.2"})
	k.waits(phone, m)
	k.arrives(phone, stairs, 1)
	if got := k.measured().State; got != measure.Conforming {
		t.Fatalf("measured warm it is %s", got)
	}
	if _, err := k.app.Settle.Claim(bg, k.root, city, heatSeason, "A1001"); err == nil && k.claim().Amount > 0 || err != nil && !fault.Is(err, fault.NotFound) {
		t.Errorf("a refund of a home that was measured warm: %v", err)
	}

	b := k.resident
	b.Open(k.receipt + "/objections")
	b.Choose("ground", "result")
	b.Choose("way", "laboratory")
	b.Fill("text", "测温时窗外有太阳，平时只有十五六度")
	b.Fill("applicant", "王桂兰")
	sends(b, "提出异议")
	b.WaitText("异议已提出")
	clerk := k.browser("east")
	clerk.Open(findings)
	clerk.WaitText("已提出")
	path := clerk.Eval(fmt.Sprintf(`document.querySelector('a[href^=%q]:not([href*="/new"]):not([href*="/export"])').getAttribute('href')`, findings+"/"))
	clerk.Open(path)
	sends(clerk, "受理")
	clerk.WaitText("已受理，已通知企业")
	company.Open(path)
	company.Fill("reason", "检测时用户在场并签字")
	submits(company, "/answer")
	company.WaitText("意见已提交")
	k.laboratory(clerk, m)

	clerk.Open(path)
	clerk.WaitText("已检测待出具")
	clerk.WaitText("客厅 15.7 ℃")
	clerk.WaitText("检测时用户在场并签字")
	clerk.Eval(`(() => { [...document.querySelectorAll('[name=prevails]')].filter(e => e.closest('label').innerText.includes('15.7')).pop().click(); return '' })()`)
	clerk.Fill("opinion", "检测机构检测合规，以检测机构结果为准。")
	clerk.Choose("cost", "company")
	submits(clerk, "/decide")
	clerk.WaitText("文书已出具")
	clerk.WaitText("复2026-0001")
	clerk.Axe("a finding that was issued")
	k.owed(4, "48.00")
	b.Open(k.receipt)
	b.WaitText("目前 4 天，48.00 元")
	b.Open(k.receipt + "/objections")
	b.WaitText("以检测机构结果为准")
	b.WaitText("复2026-0001")
	b.Shot("journey-finding-own")
	if pdf := k.file("", b.Eval(`document.querySelector('a[href$="/paper"]').getAttribute('href')`)); !strings.HasPrefix(pdf, "%PDF-") {
		t.Errorf("the resident's copy begins with %.20q", pdf)
	}
}

// laboratory: the authority invites the company in writing and enters what the laboratory measured.
func (k *winter) laboratory(clerk *webtest.Browser, m measure.Measurement) {
	k.t.Helper()
	at := k.clock.Now().Date().AddDays(2).String() + "T10:00"
	clerk.Open(tests + "/" + m.ID)
	act(clerk, "通知企业参检", func() {
		clerk.Choose("laboratory", "lab1")
		put(clerk, "at", at)
	})
	clerk.WaitText("委托检测参检通知书")
	k.until(3, 9)
	clerk.Open(tests + "/" + m.ID)
	act(clerk, "登记检测报告", func() {
		clerk.Choose("laboratory", "lab1")
		clerk.Fill("report_no", "检2026-7")
		put(clerk, "at", at)
		clerk.Eval(`(() => { const el = document.querySelector('dialog[open] [name=invitation]'); el.selectedIndex = el.options.length - 1; return '' })()`)
		clerk.Choose("company_came", "false")
		clerk.Fill("readings.0.room", "客厅")
		clerk.Choose("readings.0.type", "living_room")
		clerk.Fill("readings.0.temp_c", "15.7")
	})
	clerk.WaitText("检2026-7")
}
