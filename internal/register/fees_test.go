package register_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
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
