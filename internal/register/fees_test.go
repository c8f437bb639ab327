package register_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/packs"
)

const (
	homes = "户号,小区,楼号,单元,房号,面积,价格类别\nH1,阳光花园,3,1,101,100,居民\nH2,阳光花园,3,1,102,50,低保\n"
	bills = "户号,采暖期,计费面积,价类,应收,实收,缴费时间\nH1,2025-2026,98.50,居民,2364.00,2364.00,2025-10-08 09:30\nH2,2025-2026,,,,600.00,2025-10-09\nH9,2025-2026,70,居民,,,\n"
)

func (k *desk) billing(t *testing.T) *fee.Service {
	t.Helper()
	set, err := citypack.Load(packs.FS)
	if err != nil {
		t.Fatal(err)
	}
	pack, err := set.City(city)
	if err != nil {
		t.Fatal(err)
	}
	rules := &citypack.Rules{Pack: pack}
	return fee.New(fee.Options{DB: k.d, Places: k.places, Rules: func(context.Context, *db.Tx, int) (*citypack.Rules, error) { return rules, nil }})
}

func (k *desk) bill(s *fee.Service, account string) fee.Bill {
	k.t.Helper()
	b, err := s.Bill(context.Background(), k.root, city, account, "2025-2026")
	if err != nil {
		k.t.Fatal(err)
	}
	return b
}

// TestBillsFromAList: amounts of the list win, the rest follows from the pack, and the same list twice changes nothing.
func TestBillsFromAList(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.load(place.Companies, companies)
		k.load(place.Areas, areas)
		k.load(place.Communities, communities)
		k.load(place.Households, homes)
		s := k.billing(t)
		r := k.load(place.Fees, bills)
		if diff := cmp.Diff([4]int{3, 3, 0, 0}, counts(r)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"4:account:fee.no_household"}, tell(r.Warnings)); diff != "" {
			t.Error(diff)
		}
		one, two := k.bill(s, "H1"), k.bill(s, "H2")
		got := []string{one.Amount.Yuan(), string(one.Origin), one.AreaM2, one.Paid.Yuan(), two.Amount.Yuan(), string(two.Origin), two.PriceClass, two.Paid.Yuan()}
		if diff := cmp.Diff([]string{"2364.00", "imported", "98.5", "2364.00", "900.00", "computed", "low_income", "600.00"}, got); diff != "" {
			t.Error(diff)
		}
		if full, known := one.PaidInFull(); !full || !known {
			t.Errorf("H1 paid in full: %v, %v", full, known)
		}
		if diff := cmp.Diff([4]int{3, 0, 0, 3}, counts(k.load(place.Fees, bills))); diff != "" {
			t.Errorf("the same list twice: %s", diff)
		}
		k.load(place.Fees, "户号,采暖期,实收\nH2,2025-2026,900.00\n")
		two = k.bill(s, "H2")
		if full, known := two.PaidInFull(); !full || !known || two.PaidAt.IsZero() {
			t.Errorf("a list of payments changes only payments: %+v", two)
		}
	})
}

func TestFaultsOfBills(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.refused(register.Request{Kind: place.Fees},
			"account,season,billed_area_m2,amount_yuan,paid_yuan,paid_at\nH1,2025-2027,0,-1,1.005,gestern\n,2025-2026,1,1,1,\nH2,2025-2026,1,1,1,\nH2,2025-2026,1,1,1,\n",
			"2:season:fee.bad_season", "2:billed_area_m2:fee.bad_area", "2:amount_yuan:fee.bad_sum", "2:paid_yuan:fee.bad_sum", "2:paid_at:register.bad_time",
			"3:account:field.required", "4::register.twice", "5::register.twice")
		n, err := db.Read(context.Background(), d, func(tx *db.Tx) (int, error) {
			return db.One[int](context.Background(), tx, `SELECT count(*) FROM fee WHERE city_id = $1`, city)
		})
		if err != nil || n != 0 {
			t.Errorf("%d bills of a refused list are kept (%v)", n, err)
		}
	})
}

// TestACompanyBillsItsOwnHouseholds and sees no others.
func TestACompanyBillsItsOwnHouseholds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.load(place.Companies, companies)
		k.load(place.Areas, areas)
		k.load(place.Communities, communities)
		k.load(place.Households, homes)
		s := k.billing(t)
		owner, err := db.Read(context.Background(), d, func(tx *db.Tx) (string, error) {
			h, err := k.places.HomesIn(context.Background(), tx, city, []string{"H1"})
			return h["H1"].Company, err
		})
		if err != nil || owner == "" {
			t.Fatalf("who serves H1: %q, %v", owner, err)
		}
		own := actor.Actor{ID: "p1", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{owner}}}}
		other := actor.Actor{ID: "p2", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{"C3"}}}}
		root := k.root
		k.root = other
		k.refused(register.Request{Kind: place.Fees}, "account,season,amount_yuan\nH1,2025-2026,1\n", "2:account:denied.scope")
		k.root = own
		k.load(place.Fees, "account,season,amount_yuan\nH1,2025-2026,100\n")
		k.root = root
		if _, err := s.Bill(context.Background(), other, city, "H1", "2025-2026"); !fault.Is(err, fault.NotFound) {
			t.Errorf("another company reads the bill: %v", err)
		}
		for who, want := range map[*actor.Actor]int{&own: 1, &other: 0} {
			l, err := s.List(context.Background(), *who, city, fee.Filter{Season: "2025-2026"})
			if err != nil || len(l.Items) != want {
				t.Errorf("%s sees %d bills (%v), want %d", who.ID, len(l.Items), err, want)
			}
		}
	})
}

// TestTwoKeepOneBill: the second of two people who saw the same bill decides again.
func TestTwoKeepOneBill(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.load(place.Companies, companies)
		k.load(place.Areas, areas)
		k.load(place.Communities, communities)
		k.load(place.Households, homes)
		s := k.billing(t)
		first, err := s.Save(context.Background(), k.root, fee.SaveInput{City: city, Account: "H1", Season: "2025-2026", AmountYuan: "10.00"})
		if err != nil {
			t.Fatal(err)
		}
		results := make(chan error)
		for _, paid := range []string{"1.00", "2.00"} {
			go func() {
				_, err := s.Save(context.Background(), k.root, fee.SaveInput{City: city, Account: "H1", Season: "2025-2026", AmountYuan: "10.00", PaidYuan: paid, Rev: first.Rev})
				results <- err
			}()
		}
		a, b := <-results, <-results
		if (a == nil) == (b == nil) || !fault.Is(a, fault.Conflict) && !fault.Is(b, fault.Conflict) {
			t.Errorf("%v and %v; want one Conflict", a, b)
		}
	})
}

// TestMeterReadingsFromATable: every fault names its row and column, nothing is taken over with one, the same table twice
// changes nothing, and the two-part bill follows to the fen.
func TestMeterReadingsFromATable(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := newDesk(t, d)
		k.load(place.Companies, companies)
		k.load(place.Areas, areas)
		k.load(place.Communities, communities)
		k.load(place.Households, strings.ReplaceAll(homes, "100,居民", "100,计量"))
		s := k.billing(t)
		clock := dbtest.NewClock()
		clock.Set(civil.On(civil.NewDate(2026, 3, 20), 9, 0))
		d.SetClock(clock.Now)
		read := func(rows string) fee.Readings {
			t.Helper()
			r, err := s.ImportMeters(context.Background(), k.root, fee.MeterSheet{City: city, Name: "m.csv", Reader: strings.NewReader("户号,表号,抄表日期,读数类型,读数\n" + rows)})
			if err != nil && len(r.Faults) == 0 {
				t.Fatal(err)
			}
			return r
		}
		bad := read("H1,M1,2025-11-15,期初,100\nH1,M1,2025-12-15,月度,90\nH1,M2,2026-01-10,月度,5\nH1,M1,2026-12-01,月度,200\nH7,M9,2025-11-15,期初,0\nH2,M3,2025-11-15,开始,-1\n")
		var got []string
		for _, f := range bad.Faults {
			got = append(got, strconv.Itoa(f.Row)+" "+f.Column+" "+f.Message.Key)
		}
		want := []string{"3 value meter.falls", "4 kind meter.no_opening", "5 on meter.future", "6 account place.no_account", "7 kind meter.bad_kind", "7 value meter.bad_value"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if list, err := s.Readings(context.Background(), k.root, city, "H1"); err != nil || len(list) != 0 {
			t.Errorf("a faulty table left %d readings (%v)", len(list), err)
		}
		good := "H1,M1,2025-11-15,期初,100\nH1,M1,2026-01-10,期末,2100.5\nH1,M2,2026-01-10,期初,0\nH1,M2,2026-02-10,月度,500\n"
		if r := read(good); r.Added != 4 || k.bill(s, "H1").Amount != nil {
			t.Errorf("%+v", r)
		}
		if r := read(good + "H1,M2,2026-03-15,期末,1000\n"); r.Added != 1 || r.Unchanged != 4 {
			t.Errorf("%+v", r)
		}
		if b := k.bill(s, "H1"); b.Amount == nil || b.Amount.Yuan() != "1260.09" { // 720.00 + 3000.5 × 0.180
			t.Errorf("the bill %+v", b)
		}
		if r := read("H1,M2,2026-03-15,期末,400\n"); len(r.Faults) != 1 || r.Faults[0].Message.Key != "meter.falls" {
			t.Errorf("a correction below the month before: %+v", r)
		}
		if r := read("H1,M2,2026-03-15,期末,1100\n"); r.Changed != 1 || k.bill(s, "H1").Amount.Yuan() != "1278.09" {
			t.Errorf("corrected: %+v", r)
		}
		stranger := actor.Anonymous(actor.Page)
		if _, err := s.KeepReadings(context.Background(), stranger, fee.ReadingsInput{City: city, Readings: []fee.Reading{{Account: "H1"}}}); !fault.Is(err, fault.Denied) {
			t.Errorf("anybody keeps readings: %v", err)
		}
	})
}
