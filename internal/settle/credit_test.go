package settle_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/settle"
)

const (
	nextSeason  = "2026-2027"
	afterSeason = "2027-2028"
)

// bill shows what a household's bill takes of credits, what stays of them and what is due.
func (k *desk) bill(account, label string) string {
	k.t.Helper()
	b, err := k.fees.Bill(ctx, k.company, city, account, label)
	if err != nil {
		k.t.Fatal(err)
	}
	due := "-"
	if b.Due != nil {
		due = b.Due.Yuan()
	}
	return b.Credited.Yuan() + " taken, " + b.CreditLeft.Yuan() + " left, " + due + " due"
}

func (k *desk) bills(rows string) {
	k.t.Helper()
	r, err := k.lists.Import(ctx, actor.SystemFor("import", actor.Command), register.Request{City: city, Kind: place.Fees}, strings.NewReader("户号,采暖期,应收,实收\n"+rows))
	if err != nil {
		k.t.Fatalf("%v %v", err, r.Faults)
	}
}

// TestACreditStandsOnNextSeasonsBill with its number, once, whatever is imported or settled again; what a bill cannot take
// stays for the one after it.
func TestACreditStandsOnNextSeasonsBill(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.inJanuary()
		k.payee("H1", settle.PayeeInput{Kind: settle.Payer, Choice: settle.ByCredit, Consent: true})
		say := func(name, label, want string) {
			t.Helper()
			if diff := cmp.Diff(want, k.bill("H1", label)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		say("nothing is credited before the order", nextSeason, "0.00 taken, 0.00 left, 2400.00 due")
		x := k.settle("")
		k.approve(x)
		k.settle("")
		say("the refund's own season", season, "0.00 taken, 0.00 left, 0.00 due")
		say("before the list", nextSeason, "60.00 taken, 0.00 left, 2340.00 due")
		k.bills("H1,2026-2027,2500.00,\n")
		say("after the list", nextSeason, "60.00 taken, 0.00 left, 2440.00 due")
		k.bills("H1,2026-2027,2500.00,2440.00\n")
		say("the rest is paid", nextSeason, "60.00 taken, 0.00 left, 0.00 due")
		say("nothing is left over", afterSeason, "0.00 taken, 0.00 left, 2400.00 due")
		if b, err := k.fees.Bill(ctx, k.company, city, "H1", nextSeason); err != nil || len(b.Credits) != 1 || b.Credits[0].Ref != "1-H1" || b.Credits[0].Season != season {
			t.Errorf("lines %+v (%v)", b.Credits, err)
		} else if full, known := b.PaidInFull(); !full || !known {
			t.Error("a bill met by payment and credit counts as unpaid")
		}
		k.bills("H1,2026-2027,50.00,\n")
		say("more than the bill", nextSeason, "50.00 taken, 10.00 left, 0.00 due")
		say("the rest goes on", afterSeason, "10.00 taken, 0.00 left, 2390.00 due")
		k.bills("H1,2026-2027,2500.00,2500.00\n")
		say("paid in full all the same", nextSeason, "0.00 taken, 60.00 left, 0.00 due")
		say("all of it goes on", afterSeason, "60.00 taken, 0.00 left, 2340.00 due")

		k.happens("H1", cold(january.AddDays(20), 10, 170)...)
		k.confirm("H1")
		k.approve(k.settle(""))
		k.settle("")
		say("a second order of the season adds its own sum only", afterSeason, "120.00 taken, 0.00 left, 2280.00 due")
		states, err := k.fees.Credits(ctx, k.company, city, "H1")
		if err != nil || len(states) != 2 || states[0].Ref == states[1].Ref || states[0].Left != yuan("60.00") || states[0].Why != "paid" {
			t.Errorf("where they stand: %+v (%v)", states, err)
		}
		if _, err := k.fees.Credits(ctx, staffOf("c2", actor.RoleCompany, "C2"), city, "H1"); err == nil {
			t.Error("another company sees the credit")
		}
	})
}

// later shows what the open claim of next season rests on, as the claim keeps it.
func (k *desk) later(account string) settle.Basis {
	k.t.Helper()
	c, err := k.Claim(ctx, k.clerk, city, nextSeason, account)
	if err != nil {
		k.t.Fatal(err)
	}
	b, err := settle.UnpackBasis(c.Basis)
	if err != nil {
		k.t.Fatal(err)
	}
	return b
}

// TestACreditReachesTheOpenClaimOfNextSeason at once, in the transaction that gives it: from the order, and from the payee
// who is named after the order.
func TestACreditReachesTheOpenClaimOfNextSeason(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.inJanuary()
		winter := civil.NewDate(2026, 12, 1)
		k.clock.Set(civil.On(winter.AddDays(12), 9, 0))
		k.bills("H1,2026-2027,2420.00,2360.00\nH2,2026-2027,2420.00,2360.00\n")
		k.happens("H1", cold(winter, 5, 170)...)
		k.happens("H2", cold(winter, 5, 170)...)
		k.payee("H1", settle.PayeeInput{Kind: settle.Payer, Choice: settle.ByCredit, Consent: true})
		for _, account := range []string{"H1", "H2"} {
			if b := k.later(account); !b.Unpaid || b.Arrears != yuan("60.00") {
				t.Fatalf("%s before the credit: %+v", account, b)
			}
		}
		k.approve(k.settle(""))
		if b := k.later("H1"); b.Unpaid || b.Arrears != 0 {
			t.Errorf("the order's credit is not in the claim: %+v", b)
		}
		if b := k.later("H2"); !b.Unpaid {
			t.Errorf("a household without a credit: %+v", b)
		}
		k.payee("H2", settle.PayeeInput{Kind: settle.Payer, Choice: settle.ByCredit, Consent: true})
		want := k.orders()["H2"].Net()
		if want <= 0 {
			t.Fatalf("nothing was credited to H2: %+v", k.orders()["H2"])
		}
		if b := k.later("H2"); b.Arrears != max(0, yuan("60.00")-want) {
			t.Errorf("the credit of a payee named later is not in the claim: %+v, credit %s", b, want.Yuan())
		}
	})
}

// TestBillsAreReadAtOnce counts what reading bills costs: as many statements for very many homes with credits as for a few.
func TestBillsAreReadAtOnce(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		asked := 0
		fees := fee.New(fee.Options{
			DB: k.d, Places: place.New(k.d, nil),
			Rules: func(context.Context, *db.Tx, int) (*citypack.Rules, error) { asked++; return k.rules, nil },
			Credits: func(_ context.Context, _ *db.Tx, _ int, accounts []string) ([]fee.Credit, error) {
				var out []fee.Credit
				for _, a := range accounts {
					out = append(out, fee.Credit{Account: a, Ref: "1-" + a, Season: season, Amount: yuan("10.00")})
				}
				return out, nil
			},
		})
		accounts := []string{"H1", "H2", "H3", "H4", "H5"}
		got, err := db.Read(ctx, k.d, func(tx *db.Tx) (map[string]fee.Bill, error) {
			return fees.BillsIn(ctx, tx, city, afterSeason, accounts)
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range accounts {
			if b := got[a]; len(b.Credits) != 0 || b.CreditLeft != 0 || b.Account != a {
				t.Errorf("%s: the bill before it took the credit: %+v", a, b)
			}
		}
		if asked != 2 {
			t.Errorf("%d rounds for the bills of two seasons", asked)
		}
	})
}

// TestFoldLosesNothing: what bills take and what is left is what was credited, and another company's bill takes nothing.
func TestFoldLosesNothing(t *testing.T) {
	t.Parallel()
	bill := func(label, company, amount string) fee.Bill {
		b := fee.Bill{Season: label, Company: company}
		if amount != "" {
			f := yuan(amount)
			b.Amount = &f
		}
		return b
	}
	credits := []fee.Credit{
		{Ref: "2-A", Season: "2025-2026", Company: "C1", Amount: yuan("30.00"), At: civil.Instant(2)},
		{Ref: "1-A", Season: "2024-2025", Company: "C1", Amount: yuan("100.00"), At: civil.Instant(1)},
		{Ref: "3-A", Season: "2024-2025", Company: "C2", Amount: yuan("7.00"), At: civil.Instant(3)},
	}
	bills := []fee.Bill{bill("2025-2026", "C1", "60.00"), bill("2026-2027", "C1", ""), bill("2027-2028", "C1", "55.50")}
	var got []string
	for _, s := range fee.Fold(credits, bills) {
		line := s.Ref + " " + s.Left.Yuan() + " " + s.Why
		for _, u := range s.Uses {
			line += " " + u.Season + "=" + u.Taken.Yuan()
		}
		got = append(got, line)
	}
	want := []string{"1-A 0.00  2025-2026=60.00 2027-2028=40.00", "3-A 7.00 company", "2-A 14.50  2027-2028=15.50"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if bills[1].Credits[0].Why != "unknown" || bills[1].Due != nil || *bills[2].Due != 0 {
		t.Errorf("%+v", bills)
	}
}
