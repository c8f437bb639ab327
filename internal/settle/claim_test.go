package settle_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/settle"
)

var january = civil.NewDate(2026, 1, 10)

// TestAClaimBeginsWithTheFirstColdDay: a test that conforms begins none; a failing one shows its sum and why at once.
func TestAClaimBeginsWithTheFirstColdDay(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.happens("H1", cold(january, 10, 185)...)
		if _, err := k.Claim(ctx, k.clerk, city, season, "H1"); !fault.Is(err, fault.NotFound) {
			t.Fatalf("a warm home has a claim: %v", err)
		}
		k.happens("H2", cold(january, 10, 170)...)
		v := k.claim("H2")
		got := []any{v.State, v.Status, v.Amount.Yuan(), v.Counted, v.Company, v.Station, v.PayBy.String(), v.Rule}
		if diff := cmp.Diff([]any{settle.Open, refund.Computed, "60.00", 10, "C1", "S1", "2026-05-15", "nuancheng-2025"}, got); diff != "" {
			t.Error(diff)
		}
		if v.Assessment.Refund == nil || *v.Assessment.Refund != v.Amount || len(v.Assessment.Explain) == 0 {
			t.Errorf("the claim does not explain itself: %+v", v.Assessment)
		}
		own, other := staffOf("c1", actor.RoleCompany, "C1"), staffOf("c2", actor.RoleCompany, "C2")
		if _, err := k.Claim(ctx, own, city, season, "H2"); err != nil {
			t.Errorf("the company does not see its claim: %v", err)
		}
		if _, err := k.Claim(ctx, other, city, season, "H2"); !fault.Is(err, fault.NotFound) {
			t.Errorf("another company sees the claim: %v", err)
		}
		l, err := k.Claims(ctx, other, city, settle.Filter{Season: season})
		if err != nil || len(l.Items) != 0 {
			t.Errorf("another company lists %d claims (%v)", len(l.Items), err)
		}
		for name, f := range map[string]settle.Filter{
			"account": {Account: "H2"}, "status": {Status: refund.Computed}, "day": {Day: k.d.Now().Date()},
			"another account": {Account: "H1"}, "another status": {Status: refund.NotComputable}, "another day": {Day: k.d.Now().Date().AddDays(1)},
		} {
			f.Season = season
			l, err := k.Claims(ctx, own, city, f)
			if want := map[bool]int{true: 0, false: 1}[strings.HasPrefix(name, "another")]; err != nil || len(l.Items) != want {
				t.Errorf("by %s: %d claims (%v), want %d", name, len(l.Items), err, want)
			}
		}
		e, err := k.Exposure(ctx, own, city, season)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]settle.Exposure{{Company: "C1", Station: "S1", Claims: 1, Counted: 10, Amount: yuan("60.00")}}, e); diff != "" {
			t.Error(diff)
		}
	})
}

// TestAClaimWithoutAreaSaysWhatIsMissing and cannot be confirmed.
func TestAClaimWithoutAreaSaysWhatIsMissing(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.happens("H6", cold(january, 10, 170)...)
		v := k.claim("H6")
		if v.Status != refund.NotComputable || v.Missing == "" || v.Amount != 0 {
			t.Errorf("%s, missing %q, %s", v.Status, v.Missing, v.Amount)
		}
		_, err := k.ConfirmClaim(ctx, k.clerk, settle.MoveInput{City: city, Season: season, Account: "H6", Version: v.Version})
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("confirmed what cannot be computed: %v", err)
		}
	})
}

// TestAnAcceptedObjectionTakesItsDaysOut; a rejected one changes nothing, and new facts open what was confirmed.
func TestAnAcceptedObjectionTakesItsDaysOut(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.happens("H1", cold(january, 10, 170)...)
		object := func(from, to int) settle.Objection {
			o, err := k.ObjectTo(ctx, k.company, settle.ObjectInput{
				City: city, Season: season, Account: "H1", Reason: "covered", From: january.AddDays(from), To: january.AddDays(to), Proof: "photo 7", Version: k.claim("H1").Version,
			})
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		decide := func(o settle.Objection, accept bool) settle.View {
			v, err := k.DecideObjection(ctx, k.clerk, settle.DecideInput{City: city, ID: o.ID, Accept: accept, Decision: "seen on the spot", Version: o.Version})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		o := object(0, 3)
		if v := k.claim("H1"); v.State != settle.Objected {
			t.Errorf("the claim is %s", v.State)
		}
		if _, err := k.DecideObjection(ctx, k.company, settle.DecideInput{City: city, ID: o.ID, Accept: true, Decision: "x", Version: 1}); !fault.Is(err, fault.Denied) {
			t.Errorf("the company decides its own objection: %v", err)
		}
		if v := decide(o, true); v.Amount != yuan("36.00") || v.State != settle.Open {
			t.Errorf("%s, %s; want 36.00 open", v.Amount, v.State)
		}
		if v := decide(object(5, 6), false); v.Amount != yuan("36.00") {
			t.Errorf("a rejected objection changed the sum to %s", v.Amount)
		}
		if v := k.confirm("H1"); v.State != settle.Confirmed || *v.Confirmed != yuan("36.00") {
			t.Errorf("%s %v", v.State, v.Confirmed)
		}
		k.happens("H1", cold(january.AddDays(20), 5, 150)...)
		if v := k.claim("H1"); v.State != settle.Open || v.Amount != yuan("96.00") {
			t.Errorf("after new facts: %s %s; want 96.00 open", v.State, v.Amount)
		}
	})
}

// TestTwoDecideOneClaim: the second of two who saw the same claim decides again.
func TestTwoDecideOneClaim(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.happens("H1", cold(january, 10, 170)...)
		in := settle.MoveInput{City: city, Season: season, Account: "H1", Note: "no cause", Version: k.claim("H1").Version}
		results := make(chan error)
		go func() { _, err := k.ConfirmClaim(ctx, k.clerk, in); results <- err }()
		go func() { _, err := k.RefuseClaim(ctx, k.chief, in); results <- err }()
		a, b := <-results, <-results
		if (a == nil) == (b == nil) {
			t.Errorf("%v and %v; want one to win", a, b)
		}
	})
}

// TestAStopReachesEveryHousehold of its station, without a request; a home's own cold day counts once, at the higher rate.
func TestAStopReachesEveryHousehold(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.happens("H1", cold(january, 10, 170)...)
		from := civil.On(january.AddDays(2), 0, 0)
		in := settle.AreaInput{City: city, Season: season, Kind: settle.AreaStop, Station: "S1", From: from, To: civil.On(january.AddDays(3), 0, 0)}
		if _, err := k.ProposeArea(ctx, k.clerk, in); !fault.Is(err, fault.Invalid) {
			t.Fatalf("a stop without evidence: %v", err)
		}
		in.Evidence = []settle.Evidence{{Source: settle.CompanyLog, At: from, Note: "泵停"}, {Source: settle.FirstCall, At: from}}
		a, err := k.ProposeArea(ctx, k.clerk, in)
		if err != nil {
			t.Fatal(err)
		}
		determine := func(in settle.DetermineInput) {
			in.City, in.ID, in.Version = city, a.ID, a.Version
			if a, err = k.Determine(ctx, k.chief, in); err != nil {
				t.Fatal(err)
			}
			if err := k.SpreadArea(ctx, city, a.ID); err != nil {
				t.Fatal(err)
			}
			all, err := k.Areas(ctx, k.chief, city, season)
			if err != nil {
				t.Fatal(err)
			}
			a = all[0]
		}
		determine(settle.DetermineInput{From: from, To: civil.On(january.AddDays(4), 0, 0)}) // 48 h, not the 24 that were proposed
		if !a.Spread || a.Reached != 3 {
			t.Errorf("reached %d households, done %v", a.Reached, a.Spread)
		}
		if v := k.claim("H2"); len(v.Areas) != 1 || v.Areas[0].ID != a.ID {
			t.Errorf("a claim shows the determinations %+v", v.Areas)
		}
		longer := settle.Claim{City: city, Season: season, Facts: settle.PackEvents([]refund.Event{{Type: refund.Stopped, At: from, Level: refund.LevelArea, Record: "area:" + a.ID + "0"}})}
		if got, err := db.Read(ctx, k.d, func(tx *db.Tx) ([]settle.Area, error) { return k.AreasIn(ctx, tx, longer) }); err != nil || len(got) != 0 {
			t.Errorf("the event of another determination, whose name begins with this one's, gives %+v, %v", got, err)
		}
		got := map[string]string{}
		for _, account := range []string{"H1", "H2", "H3"} {
			v := k.claim(account)
			got[account] = v.Amount.Yuan() + " " + string(v.State)
		}
		want := map[string]string{"H1": "88.00 open", "H2": "40.00 confirmed", "H3": "39.67 confirmed"} // H1: 8 days at 30 %, 2 at 100 %
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if _, err := k.Claim(ctx, k.clerk, city, season, "H4"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a household of another station has a claim: %v", err)
		}
		determine(settle.DetermineInput{Void: true})
		if v := k.claim("H1"); v.Amount != yuan("60.00") {
			t.Errorf("H1 after the stop was voided: %s", v.Amount)
		}
		if v := k.claim("H2"); v.Amount != 0 {
			t.Errorf("H2 after the stop was voided: %s", v.Amount)
		}
	})
}

// TestADayMoreOfCold: a home that stays cold has more to get every day, though nobody records anything; whoever looks at the
// list sees it, and what was decided stays decided.
func TestADayMoreOfCold(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.clock.Set(civil.On(january.AddDays(2), 9, 0))
		k.happens("H1", cold(january, 10, 170)[:2]...) // no end yet
		listed := func() settle.Claim {
			l, err := k.Claims(ctx, k.clerk, city, settle.Filter{Season: season})
			if err != nil || len(l.Items) != 1 {
				t.Fatal(l.Items, err)
			}
			return l.Items[0]
		}
		v := k.confirm("H1")
		before := listed()
		k.clock.Advance(3 * 24 * time.Hour)
		for _, want := range []int{1, 0} { // the second time nothing is left to count
			if n, err := k.Recount(ctx, city); err != nil || n != want {
				t.Fatalf("%d claims counted on, %v", n, err)
			}
		}
		if now := listed(); now.Counted != before.Counted+3 || now.Amount <= before.Amount || now.State != settle.Confirmed || now.Version != v.Version {
			t.Errorf("three days later %d days and %s, %s; before %d and %s", now.Counted, now.Amount, now.State, before.Counted, before.Amount)
		}
	})
}

// TestOnlyWhatRunsIsCountedOn: the daily count reads a claim that comes to more with another day, leaves one alone that
// nothing happened to, and takes it up again when something does; a new rule or season is a reason to count all once.
func TestOnlyWhatRunsIsCountedOn(t *testing.T) {
	each(t, func(t *testing.T, k *desk) {
		k.clock.Set(civil.On(january.AddDays(12), 9, 0))
		k.happens("H1", cold(january.AddDays(8), 10, 170)[:2]...) // no end yet
		k.happens("H2", cold(january, 10, 150)...)
		count := func(want int) {
			t.Helper()
			if n, err := k.Recount(ctx, city); err != nil || n != want {
				t.Errorf("%d claims counted on (%v); want %d", n, err, want)
			}
		}
		count(1) // all are read once, and one runs
		k.clock.Advance(24 * time.Hour)
		right := k.claim("H2").Amount
		const wrong = money.Fen(1)
		spoil := func() {
			t.Helper()
			err := db.Do(ctx, k.d, func(tx *db.Tx) error {
				_, err := db.Exec(ctx, tx, `UPDATE refund_claim SET amount_fen = $3 WHERE city_id = $1 AND account = $2`, city, "H2", wrong)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		spoil() // whoever reads it again sees that it comes to something else
		ran := k.claim("H1").Counted
		count(1)
		if h1, h2 := k.claim("H1"), k.claim("H2"); h1.Counted != ran+1 || h2.Amount != wrong {
			t.Errorf("a day later the one that runs has %d days after %d, the other %s", h1.Counted, ran, h2.Amount)
		}
		count(0)
		k.happens("H2", cold(january.AddDays(11), 5, 150)[:2]...) // cold once more
		if v := k.claim("H2"); v.Amount <= right {
			t.Errorf("cold once more: %s after %s", v.Amount, right)
		}
		k.clock.Advance(24 * time.Hour)
		count(2)
		k.happens("H1", cold(january.AddDays(8), 5, 170)[2:]...) // warm again
		k.happens("H2", cold(january.AddDays(11), 2, 150)[2:]...)
		k.clock.Advance(24 * time.Hour)
		count(0)
		spoil()
		rules := *k.rules
		rules.Declared = append(rules.Declared, citypack.Declared{Season: season, End: civil.On(civil.NewDate(2026, 3, 20), 0, 0)})
		k.rules = &rules
		count(2) // both are due on another day
		if v := k.claim("H2"); v.Amount == wrong {
			t.Error("a longer season did not count all claims anew")
		}
	})
}
