package settle_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/settle"
)

func tenths(n int) celsius.Tenths { return celsius.Tenths(n) }

// TestEventsComeBackAsTheyWere packs any events and reads them again.
func TestEventsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	maybe := func(r *rapid.T, label string) *bool {
		return rapid.SampledFrom([]*bool{nil, new(bool), func() *bool { v := true; return &v }()}).Draw(r, label)
	}
	words := rapid.SampledFrom([]string{"", "客厅", "a\tb", "x\ny", "100%;a=b", "%09"})
	rapid.Check(t, func(r *rapid.T) {
		var want []refund.Event
		for range rapid.IntRange(0, 5).Draw(r, "events") {
			e := refund.Event{
				Type: rapid.SampledFrom(refund.EventTypes()).Draw(r, "type"), At: civil.Instant(rapid.Int64Range(1, 1<<45).Draw(r, "at")),
				Level: rapid.SampledFrom(append(refund.Levels(), "")).Draw(r, "level"), By: rapid.SampledFrom(append(refund.Makers(), "")).Draw(r, "by"),
				Until: civil.Instant(rapid.Int64Range(0, 1<<45).Draw(r, "until")), Code: words.Draw(r, "code"), Record: words.Draw(r, "record"),
				SignedUser: maybe(r, "u"), SignedCompany: maybe(r, "c"), Accepted: maybe(r, "a"), Unauthorised: maybe(r, "n"), Certificate: maybe(r, "e"), CopyLeft: maybe(r, "l"),
			}
			for range rapid.IntRange(0, 3).Draw(r, "readings") {
				e.Readings = append(e.Readings, refund.Reading{Room: words.Draw(r, "room"), TempC: celsius.Tenths(rapid.IntRange(-300, 600).Draw(r, "temp"))})
			}
			want = append(want, e)
		}
		got, err := settle.UnpackEvents(settle.PackEvents(want))
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			r.Fatal(diff)
		}
	})
}

// TestABasisComesBackAsItWas for every sort of bill.
func TestABasisComesBackAsItWas(t *testing.T) {
	t.Parallel()
	sum, part, agreed := money.Fen(242000), money.Fen(72000), celsius.Tenths(200)
	for name, b := range map[string]fee.Bill{
		"season":  {AreaM2: "98.5", Price: "24.00", Per: citypack.PriceUnit("m2_season"), Amount: &sum, Paid: &sum},
		"month":   {AreaM2: "100", Price: "3.6", Per: "m2_month", Amount: &sum, Paid: &part, Term: fee.Term{AgreedC: &agreed}},
		"day":     {AreaM2: "100", Price: "0.19", Per: "m2_day"},
		"metered": {AreaM2: "100", Price: "7.20", Per: "m2_season", Metered: true, Basic: &part},
		"nothing": {},
	} {
		want, err := settle.BasisOf(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := settle.UnpackBasis(want.Pack())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if _, err := settle.UnpackBasis("a|b"); err == nil {
		t.Error("a broken basis was read")
	}
	if _, err := settle.UnpackEvents("99\tx"); err == nil {
		t.Error("a broken event was read")
	}
}

func TestBankAccounts(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"6222021234567890128": true, "6222020000000000004": false, "4563510100892": true, "1234567": false, "12345678901234567890123456789012345": false,
		"62220 20000": true, "abc45678": false, "": false,
	} {
		if got := settle.IsBankAccount(s); got != want {
			t.Errorf("IsBankAccount(%q) = %v", s, got)
		}
	}
}
