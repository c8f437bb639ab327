package web_test

import (
	"maps"
	"net/http"
	"net/url"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fee"
)

const billPage = "/c/990100/bills"

// paid enters a payment of C2's household, and one that is void again.
func (k *treasury) paid() {
	k.t.Helper()
	enter := func(key, yuan string) fee.Payment {
		b, err := k.app.Fees.Bill(bg, k.root, city, "B2001", heatSeason)
		if err != nil {
			k.t.Fatal(err)
		}
		in := fee.PaymentInput{City: city, Account: "B2001", Season: heatSeason, AmountYuan: yuan, On: k.clock.Now().Date(), Channel: fee.AtCounter, Payer: fee.Occupant, Name: "孙志强", Receipt: "R-" + key, Rev: b.Rev, Key: key}
		p, err := k.app.Fees.RecordPayment(bg, k.root, in)
		if err != nil {
			k.t.Fatal(err)
		}
		return p
	}
	enter("k1", "300.00")
	p := enter("k2", "55.50")
	if _, err := k.app.Fees.VoidPayment(bg, k.root, fee.VoidInput{City: city, Account: "B2001", ID: p.ID, Reason: "重复登记", Key: "v2"}); err != nil {
		k.t.Fatal(err)
	}
}

// metered reads the meter of C2's household, once wrongly.
func (k *treasury) metered() {
	k.t.Helper()
	_, err := k.app.Fees.KeepReadings(bg, k.root, fee.ReadingsInput{City: city, Readings: []fee.Reading{
		{Account: "B2001", Meter: "M-7", Season: heatSeason, On: civil.NewDate(2025, 11, 2), Kind: fee.Opening, Value: "100", Unit: "kwh"},
		{Account: "B2001", Meter: "M-7", Season: heatSeason, On: civil.NewDate(2025, 11, 12), Kind: fee.Monthly, Value: "450.5", Unit: "kwh"},
	}})
	if err != nil {
		k.t.Fatal(err)
	}
	_, err = k.app.Fees.KeepReadings(bg, k.root, fee.ReadingsInput{City: city, Readings: []fee.Reading{
		{Account: "B2001", Meter: "M-7", Season: heatSeason, On: civil.NewDate(2025, 11, 12), Kind: fee.Monthly, Value: "405.5", Unit: "kwh"},
	}})
	if err != nil {
		k.t.Fatal(err)
	}
}

// TestBillsOfASeason: the list narrows, its sums balance and its file is whole; a company sees its own households alone.
func TestBillsOfASeason(t *testing.T) {
	t.Parallel()
	k := newTreasury(t)
	k.person("section_head", actor.RoleSectionHead)
	k.person("company", actor.RoleCompany)
	k.person("worker", actor.RoleWorker)
	s, c := k.as("section_head"), k.as("company")
	q := "?season=" + heatSeason
	s.get(billPage+q).want(http.StatusOK, "<!doctype html>", "A1001", "B2001", "904.00", "部分缴纳", "bills/sums?", "export?")
	s.get(billPage+q+"&standing=paid").want(http.StatusOK, "A1001", "!B2001", "standing=paid")
	s.get(billPage+q+"&company=C2").want(http.StatusOK, "B2001", "!A1001")
	s.get(billPage+q+"&station=S1").want(http.StatusOK, "A1001", "!B2001", "station=S1")
	s.get(billPage+q+"&standing=over").want(http.StatusOK, "没有符合条件的账单")
	s.get(billPage + "?season=last-year").want(http.StatusUnprocessableEntity)
	s.get(billPage + q + "&standing=perhaps").want(http.StatusUnprocessableEntity)
	s.get(billPage+"/sums"+q, "HX-Request", "true").want(http.StatusOK, "5324.00", "4420.00", "904.00", "平：", "!<html")
	s.get(billPage+"/export"+q+"&size=1&format=csv").want(http.StatusOK, "户号", "A1001", "B2001", "904.00")
	if got := s.get(billPage + "/export" + q + "&format=xlsx").want(http.StatusOK); len(got.body) < 2 || got.body[:2] != "PK" {
		t.Errorf("the table begins with %.20q", got.body)
	}
	c.get(billPage+q).want(http.StatusOK, "A1001", "!B2001", "!name=\"company\"")
	c.get(billPage+"/sums"+q).want(http.StatusOK, "2420.00", "!二热供热有限公司")
	c.get(billPage+"/export"+q+"&format=csv").want(http.StatusOK, "A1001", "!B2001")
	k.as("worker").get(billPage + q).want(http.StatusForbidden)
}

// TestBillsOfAHousehold: payments with who paid masked, void ones and corrected readings struck through; links from the claim.
func TestBillsOfAHousehold(t *testing.T) {
	t.Parallel()
	k := newTreasury(t)
	k.january()
	k.paid()
	k.metered()
	k.person("section_head", actor.RoleSectionHead)
	k.person("company", actor.RoleCompany)
	s, c := k.as("section_head"), k.as("company")
	s.get(billPage+"/B2001").want(http.StatusOK, "2904.00", "300.00", "柜台", "R-k1", "<s>55.50</s>", "重复登记", "604.00", "!孙志强", "M-7", "<s>450.5", "405.5", "已更正", "meter-chart")
	s.get(billPage+"/B2001?lang=en").want(http.StatusOK, "Heat bills of B2001", "occupant", "corrected")
	s.get(claimPath+"B2001").want(http.StatusOK, billPage+"/B2001")
	s.get(billPage + "/A9999").want(http.StatusNotFound)
	c.get(billPage+"/A1001").want(http.StatusOK, "2420.00", "没有热量表读数")
	c.get(billPage+"/B2001").want(http.StatusNotFound, "!2904.00")
}

// revOf is the mark of C2's bill as it stands.
func (k *treasury) revOf(account string) string {
	k.t.Helper()
	b, err := k.app.Fees.Bill(bg, k.root, city, account, heatSeason)
	if err != nil {
		k.t.Fatal(err)
	}
	return b.Rev
}

// TestPaymentsThroughThePage: a payment sent twice counts once, one against a bill that moved is refused, a void one says why
// and gives its sum back, and a company enters for its own households alone.
func TestPaymentsThroughThePage(t *testing.T) {
	t.Parallel()
	k := newTreasury(t)
	k.person("section_head", actor.RoleSectionHead)
	k.person("company", actor.RoleCompany)
	s, c := k.as("section_head"), k.as("company")
	one := billPage + "/B2001"
	s.get(one+"?act=pay&subject="+heatSeason).want(http.StatusOK, `id="act"`, `name="amount_yuan"`, k.revOf("B2001"))
	in := url.Values{"_key": {"p1"}, "_subject": {heatSeason}, "season": {heatSeason}, "rev": {k.revOf("B2001")}, "amount_yuan": {"904.00"}, "on": {k.clock.Now().Date().String()}, "channel": {"bank"}, "payer": {"employer"}, "receipt": {"R-9"}}
	with := func(key, name, value string) url.Values {
		out := maps.Clone(in)
		out.Set("_key", key)
		out.Set(name, value)
		return out
	}
	s.post(one+"/pay", with("p0", "amount_yuan", "1.234")).want(http.StatusUnprocessableEntity, "1.234", `#f-amount_yuan`)
	s.post(one+"/pay", with("p0", "on", "2099-01-01")).want(http.StatusUnprocessableEntity, `#f-on`)
	s.post(one+"/pay", in).to(one)
	s.post(one+"/pay", in).to(one)
	s.get(one).want(http.StatusOK, "R-9", "单位", "银行代收", "已缴清")
	s.post(one+"/pay", with("p2", "receipt", "R-10")).want(http.StatusConflict, "R-10")
	a, err := k.app.Fees.Account(bg, k.root, city, "B2001")
	if err != nil || len(a.Payments) != 1 {
		t.Fatalf("%d payments and %v, want one", len(a.Payments), err)
	}
	id := a.Payments[0].ID
	s.get(one+"?act=void&subject="+id).want(http.StatusOK, `id="act"`, "904.00")
	s.post(one+"/void", url.Values{"_key": {"v0"}, "_subject": {id}}).want(http.StatusUnprocessableEntity, `#f-reason`)
	s.post(one+"/void", url.Values{"_key": {"v1"}, "_subject": {id}, "reason": {"登记到别户"}}).to(one)
	s.get(one).want(http.StatusOK, "<s>904.00</s>", "登记到别户", "部分缴纳", "!已缴清")
	s.get(one+"?act=void&subject="+id).want(http.StatusOK, `!id="act"`)
	c.post(one+"/pay", with("p3", "rev", k.revOf("B2001"))).want(http.StatusNotFound)
	c.get(billPage+"/A1001").want(http.StatusOK, "act=pay")
}

// TestReadingsThroughThePage: a reading is kept once, a falling one names its field, and a correction stands beside what it
// was before.
func TestReadingsThroughThePage(t *testing.T) {
	t.Parallel()
	k := newTreasury(t)
	k.metered()
	k.person("section_head", actor.RoleSectionHead)
	s := k.as("section_head")
	one := billPage + "/B2001"
	in := url.Values{"_key": {"r1"}, "meter": {"M-7"}, "on": {"2025-11-13"}, "kind": {"monthly"}, "value": {"300"}, "unit": {"kwh"}}
	s.get(one+"?act=read").want(http.StatusOK, `id="act"`, `value="M-7"`)
	s.post(one+"/read", in).want(http.StatusUnprocessableEntity, "#f-value", "405.5")
	in.Set("value", "512.5")
	s.post(one+"/read", in).to(one)
	s.post(one+"/read", in).to(one)
	a, err := k.app.Fees.Account(bg, k.root, city, "B2001")
	if err != nil || len(a.Readings) != 4 {
		t.Fatalf("%d readings and %v, want four", len(a.Readings), err)
	}
	var id string
	for _, r := range a.Readings {
		if r.Value == "512.5" {
			id = r.ID
		}
	}
	s.get(one+"?act=correct&subject="+id).want(http.StatusOK, `id="act"`, "512.5")
	fix := url.Values{"_key": {"c1"}, "_subject": {id}, "on": {"2025-11-13"}, "kind": {"monthly"}, "value": {"521.5"}, "unit": {"kwh"}}
	s.post(one+"/correct", fix).want(http.StatusUnprocessableEntity, "#f-reason")
	fix.Set("reason", "抄错数字")
	s.post(one+"/correct", fix).to(one)
	s.get(one).want(http.StatusOK, "<s>512.5", "521.5", "已更正", "抄错数字")
	fix.Set("_key", "c2")
	s.post(one+"/correct", fix).want(http.StatusConflict)
}

// TestBillsInABrowser looks at both pages, wide and on a telephone, and asks axe about each.
func TestBillsInABrowser(t *testing.T) {
	t.Parallel()
	k := newTreasury(t)
	k.paid()
	k.metered()
	k.person("section_head", actor.RoleSectionHead)
	b := k.browser("section_head")
	if b == nil {
		return
	}
	b.Open(billPage + "?season=" + heatSeason)
	b.WaitText("平：")
	b.Both("bills")
	b.Open(billPage + "/B2001")
	b.WaitText("M-7")
	b.Both("bills-home")
	b.Open(billPage + "/B2001?act=pay&subject=" + heatSeason)
	b.WaitText("R-k1")
	b.Both("bills-pay")
}
