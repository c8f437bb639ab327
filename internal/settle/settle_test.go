package settle_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/settle"
	"github.com/rehu-heat/rehu/internal/sheet"
)

// inJanuary are four cold homes: two confirmed, one open, one that the authority refused.
func (k *desk) inJanuary() {
	k.t.Helper()
	k.happens("H1", cold(january, 10, 170)...) // 60.00
	k.happens("H2", cold(january, 5, 150)...)  // 60.00
	k.happens("H4", cold(january, 10, 130)...) // 200.00
	k.happens("H5", cold(january, 2, 170)...)  // 11.90
	k.confirm("H1")
	k.confirm("H2")
	_, err := k.RefuseClaim(ctx, k.clerk, settle.MoveInput{City: city, Season: season, Account: "H5", Note: "radiators covered", Version: k.claim("H5").Version})
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *desk) total() settle.Total {
	k.t.Helper()
	c, err := k.Console(ctx, k.clerk, city, season)
	if err != nil {
		k.t.Fatal(err)
	}
	return c.Total
}

func sums(t settle.Total) string {
	return fmt.Sprintf("%d/%d: %s = %s refused + %s before + %s payable + %s open", t.Confirmed, t.Claims, t.Amount, t.Refused, t.Prior, t.Payable, t.Open)
}

// TestASeasonIsSettled: only what is confirmed is payable, the same run twice is one settlement, two people are needed, and
// the next settlement pays the difference.
func TestASeasonIsSettled(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.inJanuary()
		x := k.settle("")
		if diff := cmp.Diff("2/4: 331.90 = 11.90 refused + 0.00 before + 120.00 payable + 200.00 open", sums(k.total())); diff != "" {
			t.Error(diff)
		}
		if again := k.settle(""); again.ID != x.ID {
			t.Errorf("the second run is settlement %d, not %d", again.No, x.No)
		}
		if _, err := k.ApproveSettlement(ctx, k.clerk, settle.ApproveInput{City: city, ID: x.ID, Version: x.Version}); !fault.Is(err, fault.Denied) {
			t.Errorf("one person settled and approved: %v", err)
		}
		if _, err := k.Settle(ctx, k.company, settle.RunInput{City: city, Season: season}); !fault.Is(err, fault.Denied) {
			t.Errorf("a company settles: %v", err)
		}
		k.balanced()
		k.approve(x)
		if got := k.orders(); len(got) != 2 || got["H1"].State != settle.Unclaimed || got["H1"].Amount != yuan("60.00") {
			t.Errorf("orders: %+v", got)
		}
		if b := k.balanced(); b.Approved != yuan("120.00") || b.Owed != yuan("120.00") {
			t.Errorf("books %+v", b)
		}
		k.confirm("H4")
		k.happens("H1", cold(january.AddDays(20), 10, 170)...)
		k.confirm("H1")
		y := k.settle("")
		if diff := cmp.Diff("3/4: 391.90 = 11.90 refused + 120.00 before + 260.00 payable + 0.00 open", sums(k.total())); diff != "" {
			t.Error(diff)
		}
		k.approve(y)
		if b := k.balanced(); b.Approved != yuan("380.00") || b.Open != 0 {
			t.Errorf("books %+v", b)
		}
		if p, err := k.PublicList(ctx, city, season); err != nil || len(p) != 2 || p[0].Approved+p[1].Approved != yuan("380.00") {
			t.Errorf("public list %+v (%v)", p, err)
		}
	})
}

// TestMonthsMakeTheSeason: settled month by month, a spell over the turn of the month is paid once and to the fen.
func TestMonthsMakeTheSeason(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.happens("H3", cold(civil.NewDate(2026, 1, 28), 10, 170)...) // 10 days of 2400/121 at 30 %
		k.confirm("H3")
		first := k.settle("2026-01")
		if got := k.total(); got.Payable != yuan("23.80") || got.Counted != 4 {
			t.Errorf("January: %s", sums(got))
		}
		k.approve(first)
		k.approve(k.settle("2026-02"))
		if got := k.balanced(); got.Approved != yuan("59.50") {
			t.Errorf("both months: %+v", got)
		}
		last := k.settle("")
		if got := k.total(); got.Payable != 0 || last.State != settle.Assessed {
			t.Errorf("the season pays again: %s", sums(got))
		}
	})
}

// TestNothingIsPaidUnderARuleThatWaits for the city's approval; its sums are shown.
func TestNothingIsPaidUnderARuleThatWaits(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		doc := *k.rules.Pack
		rules := append([]citypack.RefundRule(nil), doc.Doc.RefundRules...)
		for i := range rules {
			rules[i].Confidence = citypack.Confidence("secondary")
		}
		doc.Doc.RefundRules = rules
		k.rules = &citypack.Rules{Pack: &doc}
		k.happens("H1", cold(january, 10, 170)...)
		if v := k.confirm("H1"); v.Amount != yuan("60.00") || v.Status != "needs_approval" {
			t.Errorf("%s %s", v.Status, v.Amount)
		}
		x := k.settle("")
		if got := k.total(); got.Payable != 0 || got.Open != yuan("60.00") {
			t.Error(sums(got))
		}
		_, err := k.ApproveSettlement(ctx, k.chief, settle.ApproveInput{City: city, ID: x.ID, Version: x.Version})
		if !fault.Is(err, fault.Conflict) || fault.Of(err).Key != "settle.rule_not_approved" {
			t.Errorf("approved: %v", err)
		}
	})
}

// TestTwoSettlersAtOnce: one settles, the other is told; every claim has one line.
func TestTwoSettlersAtOnce(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.inJanuary()
		const settlers = 4
		results := make(chan error)
		for i := range settlers {
			go func() {
				_, err := k.Settle(ctx, staffOf(fmt.Sprint("clerk", i), actor.RoleSectionHead, ""), settle.RunInput{City: city, Season: season})
				results <- err
			}()
		}
		won := 0
		for range settlers {
			switch err := <-results; {
			case err == nil:
				won++
			case !fault.Is(err, fault.Conflict):
				t.Error(err)
			}
		}
		if won == 0 {
			t.Error("nobody settled")
		}
		c, err := k.Console(ctx, k.clerk, city, season)
		if err != nil || c.Current == nil || c.Running != nil {
			t.Fatalf("console %+v (%v)", c, err)
		}
		if diff := cmp.Diff("2/4: 331.90 = 11.90 refused + 0.00 before + 120.00 payable + 200.00 open", sums(c.Total)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestASettlementThatWasCutShortGoesOn and comes to the same, wherever it was cut.
func TestASettlementThatWasCutShortGoesOn(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.inJanuary()
		cut, stop := context.WithCancel(ctx)
		_, err := k.Settle(cut, k.clerk, settle.RunInput{City: city, Season: season, Progress: func(done, _ int64) {
			if done == 2 {
				stop()
			}
		}})
		if err == nil {
			t.Fatal("the settlement was not cut short")
		}
		c, err := k.Console(ctx, k.clerk, city, season)
		if err != nil || c.Current != nil || c.Running == nil || c.Running.Claims < 2 {
			t.Fatalf("half a settlement is seen: %+v (%v)", c, err)
		}
		half := c.Running.ID
		if x := k.settle(""); x.ID != half {
			t.Errorf("a new settlement %s instead of going on with %s", x.ID, half)
		}
		if diff := cmp.Diff("2/4: 331.90 = 11.90 refused + 0.00 before + 120.00 payable + 200.00 open", sums(k.total())); diff != "" {
			t.Error(diff)
		}
	})
}

var card = settle.PayeeInput{Kind: settle.Holder, Name: "王小明", Bank: "暖城银行", BankNo: "4563510100892", Choice: settle.ByBank}

// TestPayOut: a bank file with control sums, the bank's answer once and again, what came back, arrears and credit.
func TestPayOut(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.inJanuary()
		k.confirm("H4")
		k.payee("H1", card)
		k.payee("H2", settle.PayeeInput{Kind: settle.Payer, Choice: settle.ByCredit, Consent: true})
		k.agrees("H2", "60.00")
		k.approve(k.settle(""))
		o := k.orders()
		got := []any{o["H1"].State, o["H1"].Method, o["H1"].Name, o["H1"].BankNo, o["H2"].State, o["H2"].Method, o["H2"].SetOff.Yuan(), o["H4"].State}
		want := []any{settle.Due, settle.ByBank, "王**", "****0892", settle.Paid, settle.BySetOff, "60.00", settle.Unclaimed}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		input := settle.BatchInput{City: city, Season: season, Company: "C1", Key: "one"}
		b, err := k.MakeBatch(ctx, k.company, input)
		if err != nil || b.Rows != 1 || b.Total != yuan("60.00") || b.State != settle.BatchReady {
			t.Fatalf("bank file %+v (%v)", b, err)
		}
		if again, err := k.MakeBatch(ctx, k.company, input); err != nil || cmp.Diff(b, again) != "" {
			t.Errorf("asked again after the answer was lost: %+v (%v)", again, err)
		}
		if _, err := k.MakeBatch(ctx, k.company, settle.BatchInput{City: city, Season: season, Company: "C1"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("an order went into a second file: %v", err)
		}
		rows := k.file(b)
		if len(rows) != 3 || rows[1][1] != "王小明" || rows[1][3] != "4563510100892" || rows[1][4] != "60.00" || rows[2][0] != "TOTAL" || len(rows[2][3]) != 64 {
			t.Errorf("bank file %q", rows)
		}
		if diff := cmp.Diff(rows, k.file(b)); diff != "" {
			t.Errorf("the file written again: %s", diff)
		}
		answer := func(body string) (settle.ResultReport, error) {
			return k.ReadResult(ctx, k.company, city, b.ID, "result.csv", strings.NewReader("业务编号,处理结果,银行流水号,支付时间,金额,失败原因\n"+body))
		}
		ref := rows[1][0]
		if _, err := answer(ref + ",成功,B1,2026-03-30 10:00,61.00,\nX-1,成功,,,,\n"); !fault.Is(err, fault.Invalid) || len(fault.Of(err).Fields) != 2 {
			t.Errorf("a wrong answer: %v", err)
		}
		if r, err := answer(ref + ",失败,,,60.00,账号不存在\n"); err != nil || r.Failed != 1 {
			t.Errorf("sent back: %+v (%v)", r, err)
		}
		k.payee("H1", settle.PayeeInput{Kind: settle.Holder, Name: "王小明", BankNo: "12345678", Choice: settle.ByBank, Version: 1})
		b, err = k.MakeBatch(ctx, k.company, settle.BatchInput{City: city, Season: season, Company: "C1"})
		if err != nil || b.Rows != 1 {
			t.Fatalf("the second file %+v (%v)", b, err)
		}
		if r, err := answer(ref + ",成功,B1,2026-03-30 10:00,60.00,\n"); err != nil || r.Paid != 1 || r.Left != 0 {
			t.Errorf("paid: %+v (%v)", r, err)
		}
		if r, err := answer(ref + ",失败,,,60.00,late\n"); err != nil || r.Unchanged != 1 {
			t.Errorf("what is paid stays paid: %+v (%v)", r, err)
		}
		if r, err := answer(ref + ",退票,,2026-03-29 10:00,60.00,before it was paid\n"); err != nil || r.Unchanged != 1 {
			t.Errorf("a return from before the payment: %+v (%v)", r, err)
		}
		if _, err := answer(ref + ",成功,B2,2036-04-02 10:00,60.00,\n"); !fault.Is(err, fault.Invalid) {
			t.Errorf("paid in ten years: %v", err)
		}
		p := k.orders()["H1"]
		if p.State != settle.Paid || p.BankRef != "B1" || p.Done() {
			t.Errorf("%+v", p)
		}
		p, err = k.MarkPayout(ctx, k.company, settle.MarkInput{
			City: city, Settlement: p.Settlement, Account: "H1", Invoice: settle.InvoiceCredit, InvoiceNo: "R-1", ToldBy: "letter", ToldAt: k.d.Now(), Proof: "EMS 7", Version: p.Version,
		})
		if err != nil || !p.Done() {
			t.Errorf("with its invoice: %+v (%v)", p, err)
		}
		if books := k.balanced(); books.Paid != yuan("60.00") || books.SetOff != yuan("60.00") || books.Owed != yuan("200.00") {
			t.Errorf("books %+v", books)
		}
	})
}

func (k *desk) file(b settle.Batch) [][]string {
	k.t.Helper()
	var out bytes.Buffer
	if err := k.WriteBatch(ctx, k.company, city, b.ID, sheet.CSV, &out); err != nil {
		k.t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(out.String(), "\ufeff"))).ReadAll()
	if err != nil {
		k.t.Fatal(err)
	}
	return rows
}

// TestReturnedPayment: what the receiving bank sends back days later is owed again, in the books and in the next file, and
// the first answer read once more does not pay it.
func TestReturnedPayment(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.inJanuary()
		k.payee("H1", card)
		k.approve(k.settle(""))
		file := func() settle.Batch {
			b, err := k.MakeBatch(ctx, k.company, settle.BatchInput{City: city, Season: season, Company: "C1"})
			if err != nil || b.Rows != 1 {
				t.Fatalf("bank file %+v (%v)", b, err)
			}
			return b
		}
		answer := func(b settle.Batch, row string) settle.ResultReport {
			r, err := k.ReadResult(ctx, k.company, city, b.ID, "result.csv", strings.NewReader("业务编号,处理结果,银行流水号,支付时间,失败原因\n"+row))
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		first := file()
		ref := k.file(first)[1][0]
		paid := ref + ",成功,B1,2026-03-30 10:00,\n"
		if r := answer(first, paid); r.Paid != 1 {
			t.Fatalf("paid: %+v", r)
		}
		before := k.balanced()
		back := ref + ",退票,,2026-03-31 09:00,户名不符\n"
		if r := answer(first, back); r.Returned != 1 || r.Left != 0 {
			t.Errorf("returned: %+v", r)
		}
		if r := answer(first, back); r.Unchanged != 1 {
			t.Errorf("returned, read again: %+v", r)
		}
		if r := answer(first, paid); r.Unchanged != 1 {
			t.Errorf("the first answer read again: %+v", r)
		}
		p := k.orders()["H1"]
		if p.State != settle.Failed || p.BankRef != "" || !p.Paid.IsZero() || p.Reason != "户名不符" {
			t.Errorf("the returned order: %+v", p)
		}
		after := k.balanced()
		if after.Paid != before.Paid-p.Net() || after.Owed != before.Owed+p.Net() {
			t.Errorf("books %+v after %+v", after, before)
		}
		k.payee("H1", settle.PayeeInput{Kind: settle.Holder, Name: "王小明", BankNo: "12345678", Choice: settle.ByBank, Version: 1})
		if r := answer(file(), ref+",成功,B2,2026-03-31 10:00,\n"); r.Paid != 1 {
			t.Errorf("paid again: %+v", r)
		}
		if got := k.balanced(); got.Paid != before.Paid {
			t.Errorf("books at the end %+v, want as paid the first time %+v", got, before)
		}
	})
}

// TestTwoMakeTheBankFileAtOnce: an order stands in one file.
func TestTwoMakeTheBankFileAtOnce(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.inJanuary()
		k.payee("H1", card)
		k.payee("H2", card)
		k.approve(k.settle(""))
		type made struct {
			b   settle.Batch
			err error
		}
		results := make(chan made)
		for range 2 {
			go func() {
				b, err := k.MakeBatch(ctx, k.company, settle.BatchInput{City: city, Season: season, Company: "C1"})
				results <- made{b, err}
			}()
		}
		paid := map[string]money.Fen{}
		for range 2 {
			if m := <-results; m.err == nil {
				paid[m.b.ID] = m.b.Total
			} else if !fault.Is(m.err, fault.Conflict) {
				t.Error(m.err)
			}
		}
		var total money.Fen
		for _, f := range paid {
			total += f
		}
		if total != yuan("120.00") {
			t.Errorf("files over %s: %v", total, paid)
		}
	})
}

// TestOverdue: past the legal day a company stands in the list, with the late charge once its contracts' rate is known, and
// without it where the user is the cause.
func TestOverdue(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.inJanuary()
		k.payee("H1", card)
		k.approve(k.settle(""))
		k.clock.Set(civil.On(civil.NewDate(2026, 5, 25), 9, 0)) // ten days late
		list := func() settle.Overdue {
			l, err := k.Overdue(ctx, k.chief, city, season)
			if err != nil || len(l) != 2 {
				t.Fatalf("overdue %+v (%v)", l, err)
			}
			return l[0]
		}
		if o := list(); o.Company != "C1" || o.Orders != 2 || o.Unsettled != 0 || o.Amount != yuan("120.00") || o.Days != 10 || o.LateCharge != nil || o.Missing != "contract.late_rate" {
			t.Errorf("%+v", o)
		}
		l, err := k.Overdue(ctx, k.chief, city, season)
		if err != nil || len(l) != 2 || l[1].Company != "C2" || l[1].Orders != 0 || l[1].Unsettled != 1 || l[1].Amount != yuan("200.00") || l[1].Days != 10 {
			t.Errorf("a claim that was never settled: %+v (%v)", l, err)
		}
		if _, err := k.SetLateRate(ctx, k.chief, settle.RateInput{City: city, Company: "C1", LateRate: "0.001"}); err != nil {
			t.Fatal(err)
		}
		if o := list(); o.LateCharge == nil || *o.LateCharge != yuan("1.20") {
			t.Errorf("%+v", o)
		}
		if r, err := k.LateRates(ctx, k.chief, city); err != nil || len(r) != 1 || r[0].LateRate != "0.001" || r[0].Version != 1 {
			t.Errorf("kept %+v (%v)", r, err)
		}
		for account, days := range map[string]int{"H1": 10, "H4": 10, "H5": 0} { // ordered; never settled; refused
			v, err := k.Claim(ctx, k.clerk, city, season, account)
			if err != nil || v.LateDays(k.clock.Now().Date()) != days {
				t.Errorf("%s is %d days late, not %d (%v)", account, v.LateDays(k.clock.Now().Date()), days, err)
			}
		}
		p := k.orders()["H2"]
		if _, err := k.MarkPayout(ctx, k.company, settle.MarkInput{City: city, Settlement: p.Settlement, Account: "H2", Excused: "did not come", Version: p.Version}); err != nil {
			t.Fatal(err)
		}
		if o := list(); *o.LateCharge != yuan("0.60") {
			t.Errorf("%+v", o)
		}
	})
}

// TestTheBooksAlwaysBalance whatever happens in which order.
func TestTheBooksAlwaysBalance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		d := dbtest.SQLite(t)
		clock := dbtest.NewClock()
		clock.Set(civil.On(civil.NewDate(2026, 4, 1), 9, 0))
		d.SetClock(clock.Now)
		k := newDesk(t, d, clock)
		accounts := []string{"H1", "H2", "H3", "H4"}
		tested := map[string]bool{}
		for range rapid.IntRange(3, 10).Draw(r, "acts") {
			account := rapid.SampledFrom(accounts).Draw(r, "account")
			switch rapid.IntRange(0, 4).Draw(r, "act") {
			case 0:
				day, days := rapid.IntRange(0, 40).Draw(r, "day"), rapid.IntRange(1, 15).Draw(r, "days")
				temp := rapid.IntRange(120, 179).Draw(r, "temp")
				first, last := fmt.Sprint(account, day), fmt.Sprint(account, day+days)
				if !tested[first] && !tested[last] { // two readings of a moment contradict each other and are refused where they are made
					tested[first], tested[last] = true, true
					k.happens(account, cold(january.AddDays(day), days, temp)...)
				}
			case 1:
				if v, err := k.Claim(ctx, k.clerk, city, season, account); err == nil && v.State == settle.Open {
					k.confirm(account)
				}
			case 2:
				v, err := k.Claim(ctx, k.clerk, city, season, account)
				if err == nil && v.State == settle.Open {
					_, err = k.RefuseClaim(ctx, k.clerk, settle.MoveInput{City: city, Season: season, Account: account, Note: "x", Version: v.Version})
				}
				if err != nil && !fault.Is(err, fault.NotFound) {
					r.Fatal(err)
				}
			case 3:
				k.settle(rapid.SampledFrom([]string{"", "2026-01", "2026-02"}).Draw(r, "period"))
			case 4:
				if x := k.settle(""); x.State == settle.Assessed {
					k.approve(x)
				}
			}
			b, err := k.Books(ctx, k.clerk, city, season)
			if err != nil || !b.Balanced() {
				r.Fatalf("%+v (%v)", b, err)
			}
		}
		var paid money.Fen
		err := db.Do(ctx, d, func(tx *db.Tx) error {
			n, err := db.One[int64](ctx, tx, `SELECT CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT) FROM payout WHERE city_id = $1`, city)
			paid = money.Fen(n)
			return err
		})
		if b := k.balanced(); err != nil || b.Approved != paid {
			r.Fatalf("ordered %s of %+v (%v)", paid, b, err)
		}
	})
}
