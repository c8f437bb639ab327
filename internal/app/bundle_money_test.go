package app_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/bundle"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/settle"
)

const winter = "2025-2026"

// file is what the household takes away, and what a checker without the installation says of it.
func (d *disputed) file() (string, bundle.Report, error) {
	d.t.Helper()
	var b bytes.Buffer
	err := d.Bundles.ExportHousehold(ctx, actor.SystemFor("export", actor.Command), bundle.HouseholdRequest{City: city, Season: winter, Account: "H1"}, &b)
	if err != nil {
		d.t.Fatal(err)
	}
	r, err := bundle.Verify(strings.NewReader(b.String()), bundle.Verification{})
	return b.String(), r, err
}

// sound asks that the household's file verifies with this sum.
func (d *disputed) sound(when, yuan string) string {
	d.t.Helper()
	f, r, err := d.file()
	if err != nil || r.Claims != 1 || r.Refunds.Yuan() != yuan {
		d.t.Fatalf("%s: %v: %d claims over %s, want %s\n%+v", when, err, r.Claims, r.Refunds, yuan, r.Problems)
	}
	return f
}

func (d *disputed) fatal(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// TestAFileAfterAFindingVerifies: the test that a finding put aside stands in the chain and pays nothing; who pretends that it
// still counts is found.
func TestAFileAfterAFindingVerifies(t *testing.T) {
	t.Parallel()
	d := newDisputed(t, 150)
	v, err := d.Settle.Claim(ctx, person(actor.RoleSectionHead, "centre"), city, winter, "H1")
	d.fatal(err)
	before := d.sound("before the finding", v.Amount.Yuan())
	d.objected(actor.Actor{ID: "c1", Kind: actor.Person, Org: "C1", Grants: []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{"C1"}}}})
	d.decided(200)
	after := d.sound("after the finding", "0.00")
	if strings.Count(after, `"put_aside\"`) != 1 {
		t.Error("the chain does not name the record that was put aside")
	}
	claim := func(file string) (string, int) {
		lines := strings.SplitAfter(file, "\n")
		i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, `{"claim":`) })
		return lines[i], i
	}
	lines := strings.SplitAfter(after, "\n")
	was, _ := claim(before)
	_, i := claim(after)
	lines[i] = was
	r, err := bundle.Verify(strings.NewReader(strings.Join(lines, "")), bundle.Verification{})
	if err == nil || !slices.ContainsFunc(r.Problems, func(p bundle.Problem) bool { return p.Field == "amount_yuan" && p.Seq > 0 }) {
		t.Errorf("the claim as it was before the finding: %v, %+v", err, r.Problems)
	}
}

// TestAFileOfASettledAndPaidRefundVerifies day by day: while the home stays cold, settled, ordered, paid late; and a payment
// that was changed is found with its field.
func TestAFileOfASettledAndPaidRefundVerifies(t *testing.T) {
	t.Parallel()
	d := newDisputed(t, 150)
	head, chief := person(actor.RoleSectionHead, "centre"), person(actor.RoleRegulator, "D1")
	chief.ID = "chief"
	sum := func() string {
		v, err := d.Settle.Claim(ctx, head, city, winter, "H1")
		d.fatal(err)
		return v.Claim.Amount.Yuan()
	}
	first := sum()
	d.clock.Advance(5 * 24 * time.Hour)
	d.sound("before the days were counted on", first)
	if n, err := d.Settle.Recount(ctx, city); err != nil || n != 1 || sum() == first {
		t.Fatalf("%d claims counted on, %v: %s", n, err, sum())
	}
	d.sound("counted on", sum())
	d.clock.Set(civil.On(civil.NewDate(2026, 4, 1), 9, 0))
	_, err := d.Settle.Recount(ctx, city)
	d.fatal(err)
	v, err := d.Settle.Claim(ctx, head, city, winter, "H1")
	d.fatal(err)
	_, err = d.Settle.ConfirmClaim(ctx, head, settle.MoveInput{City: city, Season: winter, Account: "H1", Version: v.Version})
	d.fatal(err)
	_, err = d.Settle.SetPayee(ctx, actor.SystemFor("test", actor.Command), settle.PayeeInput{City: city, Account: "H1", Kind: settle.Holder, Name: "张喆", BankNo: "12345678", Choice: settle.ByBank})
	d.fatal(err)
	company := actor.Actor{ID: "c1", Kind: actor.Person, Org: "C1", Grants: []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{"C1"}}}}
	_, err = d.Settle.AgreeSetOff(ctx, company, settle.SetOffInput{
		City: city, Season: winter, Account: "H1", Ground: settle.ByConsent, Amount: 10000, On: civil.NewDate(2026, 3, 30), Who: "张喆", Proof: "同意书 7",
	})
	d.fatal(err)
	_, err = d.Settle.SetLateRate(ctx, head, settle.RateInput{City: city, Company: "C1", LateRate: "0.0005"})
	d.fatal(err)
	d.clock.Advance(time.Hour)
	x, err := d.Settle.Settle(ctx, head, settle.RunInput{City: city, Season: winter})
	d.fatal(err)
	d.sound("settled", sum())
	_, err = d.Settle.ApproveSettlement(ctx, chief, settle.ApproveInput{City: city, ID: x.ID, Version: x.Version})
	d.fatal(err)
	d.fatal(d.Settle.OrderPayouts(ctx, city, x.ID))
	d.sound("ordered", sum())
	d.clock.Set(civil.On(civil.NewDate(2026, 8, 1), 9, 0)) // past the legal day
	late, err := d.Settle.Overdue(ctx, head, city, winter)
	if err != nil || len(late) != 1 {
		t.Fatalf("overdue: %+v, %v", late, err)
	}
	by := actor.SystemFor("bank", actor.Command)
	b, err := d.Settle.MakeBatch(ctx, by, settle.BatchInput{City: city, Season: winter, Company: "C1"})
	d.fatal(err)
	d.clock.Set(civil.On(civil.NewDate(2026, 8, 2), 12, 0))
	answer := fmt.Sprintf("业务编号,处理结果,银行流水号,支付时间\n%d-H1,成功,B1,2026-08-02 10:00\n", x.No)
	_, err = d.Settle.ReadResult(ctx, by, city, b.ID, "result.csv", strings.NewReader(answer))
	d.fatal(err)
	file := d.sound("paid late", sum())
	d.changedPayout(file)
	d.changedCosts(file)
}

// changedCosts changes one digit or word about the late charge and the set-off of a file after the other; each is found.
func (d *disputed) changedCosts(file string) {
	d.t.Helper()
	v, err := d.Settle.Claim(ctx, person(actor.RoleSectionHead, "centre"), city, winter, "H1")
	d.fatal(err)
	if len(v.Lates) != 1 || v.Lates[0].Charge == 0 || v.Lates[0].Days != 79 { // 15 May to 2 August
		d.t.Fatalf("late charges %+v", v.Lates)
	}
	charge := v.Lates[0].Charge.Yuan()
	other := charge[:len(charge)-1] + string('0'+('9'-charge[len(charge)-1]))
	for name, c := range map[string]struct{ was, is, field string }{
		"another charge":               {`"charge_yuan":"` + charge, `"charge_yuan":"` + other, "late_charges.0.charge_yuan"},
		"another rate":                 {`"rate":"0.0005"`, `"rate":"0.0004"`, "late_charges.0.rate"},
		"another rate of the company":  {`"C1":"0.0005"`, `"C1":"0.0006"`, "late_charges.0.charge_yuan"},
		"fewer days":                   {`"days":79`, `"days":78`, "late_charges.0.days"},
		"paid a day earlier":           {`"upto":"2026-08-02"`, `"upto":"2026-08-01"`, "late_charges.0.upto"},
		"an exception that is not one": {`"excused":false`, `"excused":true`, "late_charges.0.excused"},
		"another ground":               {`"ground":"consent"`, `"ground":"law"`, "set_offs.0.article"},
		"less agreed to":               {`"set_offs":[{"amount_yuan":"100.00"`, `"set_offs":[{"amount_yuan":"99.99"`, "set_offs"},
		"an agreement that is none":    {`"state":"agreed"`, `"state":"withdrawn"`, "set_offs"},
	} {
		bad := strings.Replace(file, c.was, c.is, 1)
		if bad == file {
			d.t.Errorf("%s: the file has no %s", name, c.was)
			continue
		}
		r, err := bundle.Verify(strings.NewReader(bad), bundle.Verification{})
		if err == nil || !slices.ContainsFunc(r.Problems, func(p bundle.Problem) bool { return p.Field == c.field }) {
			d.t.Errorf("%s: %v, %+v; want %s", name, err, r.Problems, c.field)
		}
	}
}

// changedPayout changes one thing about the payment of a file after the other; each is found.
func (d *disputed) changedPayout(file string) {
	d.t.Helper()
	lines := strings.SplitAfter(file, "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, `{"claim":`) })
	head, tail, ok := strings.Cut(lines[i], `"payouts":[`)
	if !ok || !strings.Contains(tail, `"state":"paid"`) {
		d.t.Fatalf("no payment in %s", lines[i])
	}
	one, rest, _ := strings.Cut(tail, "]")
	amount := one[strings.Index(one, `"amount_yuan":"`)+len(`"amount_yuan":"`):]
	amount, _, _ = strings.Cut(amount, `"`)
	for name, c := range map[string]struct{ payouts, field string }{
		"less paid":                             {strings.Replace(one, `"amount_yuan":"`+amount, `"amount_yuan":"0.01`, 1), "payouts.0.amount_yuan"},
		"paid twice":                            {one + "," + one, "payouts.1.amount_yuan"},
		"never paid":                            {"", "payouts"},
		"more taken for arrears than there was": {strings.Replace(one, `"set_off_yuan":"100.00"`, `"set_off_yuan":"99999.00"`, 1), "payouts.0.set_off_yuan"},
		"of another settlement":                 {strings.Replace(one, `"settlement":1`, `"settlement":7`, 1), "payouts.0.amount_yuan"},
	} {
		bad := slices.Clone(lines)
		bad[i] = head + `"payouts":[` + c.payouts + "]" + rest
		r, err := bundle.Verify(strings.NewReader(strings.Join(bad, "")), bundle.Verification{})
		if err == nil || !slices.ContainsFunc(r.Problems, func(p bundle.Problem) bool { return p.Field == c.field && p.Line == int64(i+1) }) {
			d.t.Errorf("%s: %v, %+v; want %s of line %d", name, err, r.Problems, c.field, i+1)
		}
	}
}
