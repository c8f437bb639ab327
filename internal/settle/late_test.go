package settle_test

import (
	"sync"
	"testing"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/settle"
)

// TestNoteLatePayment: an order that was paid late stays in the overdue list until its late charge is paid as well, and that
// is noted only to the sum of the charge, once the order itself is paid.
func TestNoteLatePayment(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.inJanuary()
		if _, err := k.SetLateRate(ctx, k.clerk, settle.RateInput{City: city, Company: "C1", LateRate: "0.0005"}); err != nil {
			t.Fatal(err)
		}
		k.payee("H1", card)
		k.approve(k.settle(""))
		k.clock.Set(civil.On(civil.NewDate(2026, 5, 25), 9, 0)) // ten days late
		note := func(account, amount string, change func(*settle.LateInput)) error {
			p := k.orders()[account]
			in := settle.LateInput{
				City: city, Settlement: p.Settlement, Account: account, Amount: yuan(amount), On: civil.NewDate(2026, 5, 25), Proof: "transfer 7", Version: p.Version,
			}
			if change != nil {
				change(&in)
			}
			_, err := k.NoteLatePayment(ctx, k.company, in)
			return err
		}
		if err := note("H1", "0.30", nil); !fault.Is(err, fault.Conflict) {
			t.Errorf("noted before the refund was paid: %v", err)
		}
		k.payee("H2", settle.PayeeInput{Kind: settle.Payer, Choice: settle.ByCredit, Consent: true}) // paid today
		if err := note("H2", "0.29", nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("another sum: %v", err)
		}
		early := func(in *settle.LateInput) { in.On = civil.NewDate(2026, 5, 15) }
		if err := note("H2", "0.30", early); !fault.Is(err, fault.Invalid) {
			t.Errorf("paid before there was a charge: %v", err)
		}
		if err := note("H2", "0.30", func(in *settle.LateInput) { in.Proof = "" }); !fault.Is(err, fault.Invalid) {
			t.Errorf("without a proof: %v", err)
		}
		owing := func() settle.Overdue {
			l, err := k.Overdue(ctx, k.clerk, city, season)
			if err != nil || len(l) == 0 {
				t.Fatalf("overdue %+v (%v)", l, err)
			}
			return l[0]
		}
		if o := owing(); o.Orders != 1 || o.PaidLate != 1 || *o.LateCharge != yuan("0.60") {
			t.Errorf("before: %+v, charge %s", o, o.LateCharge.Yuan())
		}
		var wg sync.WaitGroup
		stale := k.orders()["H2"].Version
		errs := make([]error, 4)
		for i := range errs {
			wg.Go(func() { errs[i] = note("H2", "0.30", func(in *settle.LateInput) { in.Version = stale }) })
		}
		wg.Wait()
		taken := 0
		for _, err := range errs {
			if err == nil {
				taken++
			} else if !fault.Is(err, fault.Conflict) {
				t.Errorf("one of four at once: %v", err)
			}
		}
		if taken != 1 {
			t.Errorf("%d of 4 were taken", taken)
		}
		if o := owing(); o.Orders != 1 || o.PaidLate != 0 || *o.LateCharge != yuan("0.30") {
			t.Errorf("after: %+v, charge %s", o, o.LateCharge.Yuan())
		}
		l := k.claim("H2").Lates
		if len(l) != 1 || l[0].Paid != yuan("0.30") || l[0].Owed() != 0 || l[0].PaidOn != civil.NewDate(2026, 5, 25) {
			t.Errorf("the claim says %+v", l)
		}
		if err := note("H2", "0.30", func(in *settle.LateInput) { in.Proof = "transfer 8" }); err != nil { // a wrong number, put right
			t.Error(err)
		}
		if p := k.orders()["H2"]; p.LateProof != "transfer 8" || p.LatePaid != yuan("0.30") {
			t.Errorf("kept %+v", p)
		}
	})
}
