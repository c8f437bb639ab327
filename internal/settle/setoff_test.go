package settle_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/settle"
)

func consent(account, amount string) settle.SetOffInput {
	return settle.SetOffInput{
		City: city, Season: season, Account: account, Ground: settle.ByConsent, Amount: yuan(amount), On: civil.NewDate(2026, 3, 30), Who: "李四", Proof: "同意书 7",
	}
}

func (k *desk) agrees(account, amount string) settle.SetOff {
	k.t.Helper()
	x, err := k.AgreeSetOff(ctx, k.company, consent(account, amount))
	if err != nil {
		k.t.Fatal(err)
	}
	return x
}

// fieldOf is the field that an error names, else its key.
func fieldOf(err error) string {
	f := fault.Of(err)
	if len(f.Fields) > 0 {
		return f.Fields[0].Name + " " + f.Fields[0].Key
	}
	return f.Key
}

// TestARefundIsPaidInFullWithoutAnAgreement though the household owes, and an agreement takes its sum and no more; the books
// balance with it.
func TestARefundIsPaidInFullWithoutAnAgreement(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.inJanuary() // H2: 60.00 to come, 420.00 owed
		k.payee("H2", card)
		k.approve(k.settle(""))
		if p := k.orders()["H2"]; p.SetOff != 0 || p.Net() != yuan("60.00") {
			t.Fatalf("without an agreement %s of %s are set off", p.SetOff, p.Amount)
		}
		x := k.agrees("H2", "25.50")
		p := k.orders()["H2"]
		if p.SetOff != yuan("25.50") || p.Net() != yuan("34.50") || p.State != settle.Due {
			t.Errorf("with an agreement of 25.50: %+v", p)
		}
		if x.Who != "李*" || x.On != civil.NewDate(2026, 3, 30) || x.Proof != "同意书 7" {
			t.Errorf("kept as %+v", x)
		}
		if b := k.balanced(); b.SetOff != yuan("25.50") || b.Paid != 0 || b.Owed != yuan("94.50") {
			t.Errorf("books %+v", b)
		}
		b, err := k.fees.Bill(ctx, k.company, city, "H2", season)
		if err != nil || b.SetOff != yuan("25.50") || *b.Due != yuan("394.50") || b.Standing() != fee.Partly {
			t.Errorf("the bill after a set-off of 25.50: %s set off, %v due, %s (%v)", b.SetOff, b.Due, b.Standing(), err)
		}
		sums, err := k.fees.Sum(ctx, k.company, city, fee.Filter{Season: season})
		if err != nil || len(sums) != 1 || sums[0].SetOff != yuan("25.50") || !sums[0].Balanced() {
			t.Errorf("the books of the bills: %+v (%v)", sums, err)
		}
		if v := k.claim("H2"); len(v.SetOffs) != 1 || v.SetOffs[0].Amount != yuan("25.50") {
			t.Errorf("the claim shows %+v", v.SetOffs)
		}
		k.agrees("H2", "34.50")
		if p := k.orders()["H2"]; p.State != settle.Paid || p.Method != settle.BySetOff || p.Net() != 0 {
			t.Errorf("wholly against arrears: %+v", p)
		}
		if b := k.balanced(); b.SetOff != yuan("60.00") || b.Owed != yuan("60.00") {
			t.Errorf("books %+v", b)
		}
		if _, err := k.WithdrawSetOff(ctx, k.company, settle.WithdrawInput{City: city, ID: x.ID, Reason: "typed twice", Version: x.Version}); !fault.Is(err, fault.Conflict) {
			t.Errorf("what was settled is withdrawn: %v", err)
		}
	})
}

// TestWhatMayBeSetOff: never more than the arrears or the refund, never without day, person and paper, and by law only where
// the rule has the article.
func TestWhatMayBeSetOff(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.inJanuary()
		k.happens("H3", cold(january, 10, 130)...) // no bill is known, so nothing is owed
		k.happens("H2", cold(january.AddDays(8), 20, 130)...)
		with := func(account, amount string, change func(*settle.SetOffInput)) settle.SetOffInput {
			in := consent(account, amount)
			if change != nil {
				change(&in)
			}
			return in
		}
		for name, x := range map[string]struct {
			in   settle.SetOffInput
			want string
		}{
			"more than is owed":          {with("H2", "420.01", nil), "amount_yuan settle.set_off_over_arrears"},
			"nobody knows of arrears":    {with("H3", "1.00", nil), "amount_yuan settle.set_off_over_arrears"},
			"paid in full":               {with("H1", "1.00", nil), "amount_yuan settle.set_off_over_arrears"},
			"nothing":                    {with("H2", "0.00", nil), "amount_yuan settle.set_off_nothing"},
			"nobody agreed":              {with("H2", "10.00", func(in *settle.SetOffInput) { in.Who = "" }), "who field.required"},
			"no paper":                   {with("H2", "10.00", func(in *settle.SetOffInput) { in.Proof = "" }), "proof settle.proof_needed"},
			"no day":                     {with("H2", "10.00", func(in *settle.SetOffInput) { in.On = civil.Date{} }), "on field.required"},
			"a day ahead":                {with("H2", "10.00", func(in *settle.SetOffInput) { in.On = civil.NewDate(2026, 4, 2) }), "on settle.set_off_ahead"},
			"no ground":                  {with("H2", "10.00", func(in *settle.SetOffInput) { in.Ground = "" }), "ground field.required"},
			"of before":                  {with("H2", "10.00", func(in *settle.SetOffInput) { in.Ground = settle.Earlier }), "ground field.required"},
			"a right that is not there":  {with("H2", "10.00", func(in *settle.SetOffInput) { in.Ground = settle.ByLaw }), "settle.set_off_no_right"},
			"a claim that is not there":  {with("H6", "10.00", nil), "settle.no_claim"},
			"exactly what is owed, fine": {with("H2", "420.00", nil), ""},
		} {
			_, err := k.AgreeSetOff(ctx, k.company, x.in)
			if got := fieldOf(err); x.want == "" && err != nil || x.want != "" && got != x.want {
				t.Errorf("%s: %v (%s), want %q", name, err, got, x.want)
			}
			if x.want == "" { // make room again
				v := k.claim("H2").SetOffs
				if _, err := k.WithdrawSetOff(ctx, k.company, settle.WithdrawInput{City: city, ID: v[len(v)-1].ID, Reason: "test", Version: 1}); err != nil {
					t.Error(err)
				}
			}
		}
		if _, err := k.AgreeSetOff(ctx, k.company, consent("H4", "1.00")); !fault.Is(err, fault.NotFound) {
			t.Errorf("a company sets off at another's household: %v", err)
		}
	})
}

// TestTheSmallerOfBothIsTheLimit: a refund of 60.00 against arrears of 420.00, in parts.
func TestTheSmallerOfBothIsTheLimit(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.inJanuary()
		if _, err := k.AgreeSetOff(ctx, k.company, consent("H2", "60.01")); fieldOf(err) != "amount_yuan settle.set_off_over_refund" {
			t.Errorf("more than the refund: %v", err)
		}
		x := k.agrees("H2", "40.00")
		if _, err := k.AgreeSetOff(ctx, k.company, consent("H2", "20.01")); fieldOf(err) != "amount_yuan settle.set_off_over_refund" {
			t.Errorf("more than the rest: %v", err)
		}
		k.payee("H2", card)
		k.approve(k.settle(""))
		if p := k.orders()["H2"]; p.SetOff != yuan("40.00") {
			t.Errorf("the order takes %s", p.SetOff)
		}
		if _, err := k.WithdrawSetOff(ctx, k.company, settle.WithdrawInput{City: city, ID: x.ID, Reason: "paid the arrears", Version: x.Version}); err != nil {
			t.Fatal(err)
		}
		if p := k.orders()["H2"]; p.SetOff != 0 || p.State != settle.Due {
			t.Errorf("after it was withdrawn: %+v", p)
		}
		k.balanced()
	})
}

// TestALawMayGiveTheRight: with the article of the pack, and nobody's consent.
func TestALawMayGiveTheRight(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		pack := *k.rules.Pack
		rules := slices.Clone(pack.Doc.RefundRules)
		for i := range rules {
			rules[i].SetOff = &citypack.SetOffRight{Article: "38"}
		}
		pack.Doc.RefundRules = rules
		k.rules = &citypack.Rules{Pack: &pack}
		k.inJanuary()
		in := consent("H2", "60.00")
		in.Ground, in.Who, in.Proof = settle.ByLaw, "", ""
		x, err := k.AgreeSetOff(ctx, k.company, in)
		if err != nil || x.Article != "38" {
			t.Fatalf("%+v (%v)", x, err)
		}
		k.approve(k.settle(""))
		if p := k.orders()["H2"]; p.Method != settle.BySetOff {
			t.Errorf("%+v", p)
		}
	})
}

// TestTwoWhoAgreeAtOnce cannot set off more than there is.
func TestTwoWhoAgreeAtOnce(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.inJanuary()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { _, _ = k.AgreeSetOff(ctx, k.company, consent("H2", "25.00")) })
		}
		wg.Wait()
		var kept []string
		for _, x := range k.claim("H2").SetOffs {
			kept = append(kept, x.Amount.Yuan())
		}
		if diff := cmp.Diff([]string{"25.00", "25.00"}, kept); diff != "" {
			t.Error(diff)
		}
	})
}

// TestWhatLatenessCosts: an order that was paid late, one that waits, one whose user is the cause, and a claim in no order.
func TestWhatLatenessCosts(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.inJanuary()
		if _, err := k.SetLateRate(ctx, k.clerk, settle.RateInput{City: city, Company: "C1", LateRate: "0.0005"}); err != nil {
			t.Fatal(err)
		}
		k.payee("H1", card)
		k.approve(k.settle(""))
		k.clock.Set(civil.On(civil.NewDate(2026, 5, 25), 9, 0)) // ten days late
		late := func(account string) string {
			t.Helper()
			v := k.claim(account)
			if len(v.Lates) != 1 {
				return ""
			}
			return v.Lates[0].Charge.Yuan()
		}
		if got := []string{late("H1"), late("H2")}; !slices.Equal(got, []string{"0.30", "0.30"}) { // 60.00 × 0.0005 × 10
			t.Errorf("late charges %v", got)
		}
		k.payee("H2", settle.PayeeInput{Kind: settle.Payer, Choice: settle.ByCredit, Consent: true})
		k.clock.Set(civil.On(civil.NewDate(2026, 6, 14), 9, 0))
		if got := []string{late("H1"), late("H2")}; !slices.Equal(got, []string{"0.90", "0.30"}) { // what is paid costs no more
			t.Errorf("late charges %v", got)
		}
		p := k.orders()["H1"]
		if _, err := k.MarkPayout(ctx, k.company, settle.MarkInput{City: city, Settlement: p.Settlement, Account: "H1", Excused: "did not come", Version: p.Version}); err != nil {
			t.Fatal(err)
		}
		if v := k.claim("H1"); len(v.Lates) != 1 || !v.Lates[0].Excused || v.Lates[0].Charge != 0 {
			t.Errorf("the user's own lateness costs %+v", v.Lates)
		}
	})
}
