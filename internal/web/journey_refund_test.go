package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/bundle"
	"github.com/rehu-heat/rehu/internal/config"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/web/webtest"
)

// TestFromTheDoubtToTheMoney is the heart of the field in one journey, each step by the person whose step it is: the
// resident doubts, the company measures in a stairwell without a network and finds it cold, cures it, measures again; the
// days in between are paid back, and anybody can check how.
func TestFromTheDoubtToTheMoney(t *testing.T) {
	t.Parallel()
	k := newWinter(t, config.Config{})
	k.person("head", actor.RoleSectionHead)
	k.person("regulator", actor.RoleRegulator)
	m := k.asks()
	if k.resident == nil {
		return
	}
	company := k.browser("company")
	k.agree(company, m)

	k.until(1, 15)
	phone, stairs := k.phone("worker")
	phone.WaitText(m.Address)
	stairs.dead.Store(true)
	k.reads(phone, m, typed{bedroom: "16.2", living: "19.0"})
	phone.WaitText("不达标（最低 16.2 ℃）")
	phone.Open(testAt(m, "/read")) // the telephone was put away
	phone.WaitJS(`document.querySelector('[name="rooms.0.temp_c"]').value === '16.2' && document.getElementById('s-user').value !== ''`)
	k.waits(phone, m)
	if got := k.measured().State; got != measure.Requested {
		t.Fatalf("without a network the measurement became %s", got)
	}
	k.arrives(phone, stairs, 1)
	phone.Press("已收到 1 条")
	phone.WaitText("不达标（最低 16.2 ℃）")
	if got := k.measured().State; got != measure.Failed {
		t.Fatalf("after the form arrived the measurement is %s", got)
	}
	k.resident.Open(k.receipt)
	k.resident.WaitText("测温结果：不达标，最低 16.2 ℃")
	k.resident.WaitText("目前")
	k.resident.Axe("the progress of a home that is too cold")

	k.until(9, 10)
	k.cures(company, m)
	k.until(1, 14)
	k.retests(company, phone, stairs, m)
	k.owed(11, "66.00")
	k.resident.Open(k.receipt)
	k.resident.WaitText("11 天，66.00 元")
	k.resident.Press("怎么算的")
	k.resident.WaitText("2026-01-15至2026-01-25不达标，计11日")
	k.resident.WaitText("日热费＝2420元÷121日")
	k.resident.Shot("journey-refund-own")

	k.isSettled(company)
	k.isPaid(company)
	k.isProven()
}

// agree: the company offers a time, which does not suit, and another one, which the resident chooses.
func (k *winter) agree(company *webtest.Browser, m measure.Measurement) {
	k.t.Helper()
	company.Open(tests)
	company.WaitText(m.No)
	k.assigns(company, m)
	k.offers(company, m, 1, 9)
	k.answers("01-16 09:00", "不方便，请另约")
	company.Open(tests + "/" + m.ID)
	company.WaitText("居民不同意")
	k.offers(company, m, 1, 15)
	k.answers("01-16 15:00", "可以，就这个时间")
	k.resident.WaitText("已约定上门时间")
	company.Open(tests + "/" + m.ID)
	company.WaitText("已约定")
}

// cures: the company says that it is cured, the resident that it is still cold, and so it is cured a second time.
func (k *winter) cures(company *webtest.Browser, m measure.Measurement) {
	k.t.Helper()
	claim := func(words string) {
		company.Open(tests + "/" + m.ID)
		act(company, "称已整改", func() { company.Fill("text", words) })
	}
	claim("立管排气")
	k.answers("家里热了吗", "仍然不热")
	company.Open(tests + "/" + m.ID)
	company.WaitText("居民称仍不热")
	claim("更换入户阀门")
	k.offers(company, m, 1, 14)
	k.answers("01-26 14:00", "可以，就这个时间")
}

// retests: the worker measures again, without a network once more, and it is warm.
func (k *winter) retests(company, phone *webtest.Browser, stairs *stairwell, m measure.Measurement) {
	k.t.Helper()
	phone.Open("/f/990100")
	phone.WaitText(m.Address)
	phone.WaitText("页已存在手机上")
	stairs.dead.Store(true)
	k.reads(phone, m, typed{bedroom: "19.6", living: "20.4"})
	phone.WaitText("达标（最低 19.6 ℃）")
	k.waits(phone, m)
	k.arrives(phone, stairs, 2)
	if got := k.measured().State; got != measure.Conforming {
		k.t.Fatalf("after the re-test the measurement is %s", got)
	}
	company.Open(tests + "/" + m.ID)
	company.WaitText("复测")
	company.WaitText("记录完整")
}

// isSettled: the company confirms the claim, one person has the season settled from the console, another one approves it.
func (k *winter) isSettled(company *webtest.Browser) {
	k.t.Helper()
	company.Open(claimPath + "A1001")
	company.WaitText("共 11 天，66.00 元")
	sends(company, "确认退费")
	submits(company, "/confirm")
	company.WaitText("已出具退费确认单")
	head := k.browser("head")
	head.Open(settlePage)
	sends(head, "开始结算")
	head.WaitText("结算就要开始")
	k.background()
	head.WaitText("须由另一位有审批权的人审批")
	head.Shot("journey-refund-console")
	regulator := k.browser("regulator")
	regulator.Open(settlePage)
	regulator.WaitText("本次应付 66.00 元")
	sends(regulator, "审批通过")
	regulator.WaitText("已审批")
	k.background()
}

// isPaid: the company keeps the payee, makes the file for the bank and takes its answer over; the resident sees the money.
func (k *winter) isPaid(company *webtest.Browser) {
	k.t.Helper()
	company.Open(claimPath + "A1001?act=payee")
	company.Choose("kind", "holder")
	company.Choose("choice", "bank")
	company.Fill("name", "王桂兰")
	company.Fill("bank", "暖城银行")
	company.Fill("bank_account", "12345678901")
	submits(company, "/payee")
	company.WaitText("收款人已登记")
	company.Open(settlePage + "/banks")
	sends(company, "生成银行文件")
	company.WaitText("1 笔，66.00 元")
	link := company.Eval(`document.querySelector('a[href$="/file?format=csv"]').getAttribute('href')`)
	order := strings.Split(strings.TrimPrefix(k.file("company", link), "\ufeff"), "\n")[1]
	ref, rest, _ := strings.Cut(order, ",")
	if !strings.Contains(rest, "王桂兰") || !strings.Contains(rest, "12345678901") || !strings.Contains(rest, "66.00") {
		k.t.Fatalf("the order to the bank is %q", order)
	}
	hands(company, "file", "result.csv", fmt.Sprintf("业务编号,处理结果,银行流水号,支付时间,金额,失败原因\n%s,成功,2026012700001,%s,66.00,\n", ref, k.clock.Now().Minute()))
	sends(company, "登记银行结果")
	company.WaitText("支付成功 1 笔")
	company.WaitText("已全部答复")
	company.Axe("a file that the bank answered")
	k.resident.Open(k.receipt)
	k.resident.WaitText("已付")
	k.resident.WaitText("66.00 元")
	k.resident.NoSideways("the progress of a refund that was paid")
	k.resident.Shot("journey-refund-paid")
	if pdf := k.file("", k.receipt+"/refund"); !strings.HasPrefix(pdf, "%PDF-") {
		k.t.Errorf("the resident's statement begins with %.20q", pdf)
	}
}

// isProven: the file that the claim's page gives away computes to the same money without the installation, and a sum that
// was changed in it is found.
func (k *winter) isProven() {
	k.t.Helper()
	file := k.file("head", claimPath+"A1001/bundle")
	r, err := bundle.Verify(strings.NewReader(file), bundle.Verification{})
	if err != nil || !r.Valid() || r.Claims != 1 || r.Refunds.Yuan() != "66.00" {
		k.t.Errorf("the file proves %d claims over %s: %v %+v", r.Claims, r.Refunds.Yuan(), err, r.Problems)
	}
	at := strings.LastIndex(file, `"66.00"`)
	if at < 0 {
		k.t.Fatal("no sum in the file")
	}
	if r, err := bundle.Verify(strings.NewReader(file[:at]+`"67.00"`+file[at+len(`"66.00"`):]), bundle.Verification{}); !fault.Is(err, fault.Invalid) || r.Valid() {
		k.t.Errorf("a sum that was changed is not found: %v", err)
	}
	if got := k.anyone().get(claimPath + "A1001/bundle"); got.status != http.StatusUnauthorized && got.status != http.StatusSeeOther {
		k.t.Errorf("the file of a household is given to anybody: %d", got.status)
	}
}
