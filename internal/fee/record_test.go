package fee_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/register"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/packs"
)

const (
	city   = 990100
	winter = "2025-2026"
)

var ctx = context.Background()

// counter is a city with two companies and their bills, on one database; told notes whose bills changed.
type counter struct {
	*fee.Service
	t     *testing.T
	d     *db.DB
	lists *register.Service

	mu   sync.Mutex
	told []string

	clerk, other, root actor.Actor
}

func each(t *testing.T, fn func(t *testing.T, k *counter)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		d.SetClock(func() civil.Instant { return civil.On(civil.NewDate(2026, 4, 1), 9, 0) })
		fn(t, newCounter(t, d))
	})
}

func newCounter(t *testing.T, d *db.DB) *counter {
	t.Helper()
	ring, err := secret.ParseRing("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	if err != nil {
		t.Fatal(err)
	}
	set, err := citypack.Load(packs.FS)
	if err != nil {
		t.Fatal(err)
	}
	pack, err := set.City(city)
	if err != nil {
		t.Fatal(err)
	}
	places := place.New(d, ring)
	k := &counter{t: t, d: d, root: actor.SystemFor("import", actor.Command)}
	k.lists = register.New(register.Options{DB: d, Ring: ring, Places: places, Territories: territory.NewService(d, places, time.Now)})
	k.Service = fee.New(fee.Options{
		DB: d, Places: places, Ring: ring,
		Rules: func(context.Context, *db.Tx, int) (*citypack.Rules, error) { return &citypack.Rules{Pack: pack}, nil },
		Changed: func(_ context.Context, _ *db.Tx, _ actor.Actor, _ int, season string, accounts []string) error {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.told = append(k.told, season+" "+strings.Join(accounts, ","))
			return nil
		},
		Credits: func(_ context.Context, _ *db.Tx, _ int, accounts []string) ([]fee.Credit, error) {
			var out []fee.Credit
			for _, a := range accounts {
				if a == "H2" {
					out = append(out, fee.Credit{Account: a, Settlement: "s", Ref: "1-H2", Season: "2024-2025", Amount: *yuan("20.00")})
				}
			}
			return out, nil
		},
	})
	k.load(place.Companies, "企业代码,企业名称\nC1,暖城热力\nC2,南湖热电\n")
	k.load(place.Communities, "小区,区县,企业,热力站\n阳光花园,南湖区,C1,S1\n翡翠名邸,北山区,C2,S2\n")
	k.load(place.Households, "户号,小区,楼号,单元,房号,户主,电话,面积,价格类别\n"+
		"H1,阳光花园,1,1,101,王小明,13812345678,100,居民\nH2,阳光花园,1,1,102,李四,13812345679,100,居民\nH3,阳光花园,2,1,101,,,100,计量\nH4,翡翠名邸,1,1,101,赵五,13812345670,100,居民\n")
	k.load(place.Fees, "户号,采暖期,应收,实收\nH1,2025-2026,2420.00,2000.00\nH2,2025-2026,2420.00,2400.00\nH3,2025-2026,,\nH4,2025-2026,2420.00,2500.00\n")
	k.clerk = clerkOf("C1")
	k.other = clerkOf("C2")
	return k
}

func clerkOf(company string) actor.Actor {
	return actor.Actor{ID: "clerk " + company, Name: company, Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{company}}}}
}

func (k *counter) load(kind place.Kind, csv string) {
	k.t.Helper()
	in := register.Request{City: city, Kind: kind, From: civil.NewDate(2025, 9, 1), Source: "test"}
	if kind == place.Communities {
		in.Version = "2025"
	}
	if r, err := k.lists.Import(ctx, k.root, in, strings.NewReader(csv)); err != nil {
		k.t.Fatalf("%s: %v: %+v", kind, err, r.Faults)
	}
}

func (k *counter) bill(account string) fee.Bill {
	k.t.Helper()
	b, err := k.Bill(ctx, k.root, city, account, winter)
	if err != nil {
		k.t.Fatal(err)
	}
	return b
}

// paying is a payment that is right; change makes it another.
func (k *counter) paying(account string, change func(*fee.PaymentInput)) fee.PaymentInput {
	k.t.Helper()
	in := fee.PaymentInput{
		City: city, Account: account, Season: winter, AmountYuan: "20.00", On: civil.NewDate(2026, 1, 10), Channel: fee.AtCounter, Payer: fee.Holder,
		Name: "王小明", Receipt: "NO.7", Rev: k.bill(account).Rev,
	}
	if change != nil {
		change(&in)
	}
	return in
}

// refusedFields are the fields of a refusal with their keys; another error stands by itself.
func refusedFields(err error) []string {
	var out []string
	if f, ok := errors.AsType[*fault.Error](err); ok {
		for _, x := range f.Fields {
			out = append(out, x.Name+" "+x.Key)
		}
	}
	if len(out) == 0 {
		out = append(out, fmt.Sprint(fault.KindOf(err)))
	}
	return out
}

// TestAPaymentIsEnteredOnce and can be taken back with a reason; what rests on the bill is told each time.
func TestAPaymentIsEnteredOnce(t *testing.T) {
	each(t, func(t *testing.T, k *counter) {
		in := k.paying("H1", func(in *fee.PaymentInput) { in.AmountYuan, in.Key = "300.00", "p1" })
		first, err := k.RecordPayment(ctx, k.clerk, in)
		if err != nil {
			t.Fatal(err)
		}
		again, err := k.RecordPayment(ctx, k.clerk, in)
		if err != nil || again.ID != first.ID {
			t.Fatalf("the same payment twice: %+v (%v)", again, err)
		}
		if b := k.bill("H1"); b.Paid.Yuan() != "2300.00" || b.Due.Yuan() != "120.00" || b.PaidAt.Date() != in.On {
			t.Fatalf("after the payment: %+v", b)
		}
		if first.Name == in.Name || first.Name == "" {
			t.Errorf("the payer's name is %q", first.Name)
		}
		in.Key = "p2" // on the bill as it was before
		if _, err := k.RecordPayment(ctx, k.clerk, in); !fault.Is(err, fault.Conflict) {
			t.Errorf("a payment on a bill that changed meanwhile: %v", err)
		}
		a, err := k.Account(ctx, k.clerk, city, "H1")
		if err != nil || len(a.Payments) != 1 || a.Payments[0].Receipt != "NO.7" || a.Payments[0].Name != first.Name {
			t.Fatalf("the account: %+v (%v)", a.Payments, err)
		}
		void := fee.VoidInput{City: city, Account: "H1", ID: first.ID, Reason: "记错户", Key: "v1"}
		for range 2 {
			if p, err := k.VoidPayment(ctx, k.clerk, void); err != nil || p.Voided.IsZero() || p.Reason != void.Reason {
				t.Fatalf("void: %+v (%v)", p, err)
			}
		}
		void.Key = "v2"
		if _, err := k.VoidPayment(ctx, k.clerk, void); !fault.Is(err, fault.Conflict) {
			t.Errorf("voided twice: %v", err)
		}
		if b := k.bill("H1"); b.Paid.Yuan() != "2000.00" {
			t.Errorf("after the void %s are paid", b.Paid.Yuan())
		}
		if diff := cmp.Diff([]string{"2025-2026 H1", "2025-2026 H1"}, k.told); diff != "" {
			t.Error(diff)
		}
	})
}

// TestAListSpeaksForAllPayments: what a company's list says after a payment was entered stands, and the payment stays in the
// record.
func TestAListSpeaksForAllPayments(t *testing.T) {
	each(t, func(t *testing.T, k *counter) {
		if _, err := k.RecordPayment(ctx, k.clerk, k.paying("H1", nil)); err != nil {
			t.Fatal(err)
		}
		k.load(place.Fees, "户号,采暖期,应收\nH1,2025-2026,2430.00\n")
		if b := k.bill("H1"); b.Paid.Yuan() != "2020.00" {
			t.Errorf("a list without payments makes it %s", b.Paid.Yuan())
		}
		k.load(place.Fees, "户号,采暖期,应收,实收\nH1,2025-2026,2430.00,2430.00\n")
		if b := k.bill("H1"); b.Paid.Yuan() != "2430.00" {
			t.Errorf("a list with payments makes it %s", b.Paid.Yuan())
		}
		if a, err := k.Account(ctx, k.clerk, city, "H1"); err != nil || len(a.Payments) != 1 {
			t.Errorf("the record: %+v (%v)", a.Payments, err)
		}
	})
}

// TestWrongEntriesNameTheirField: payments, bills and readings.
func TestWrongEntriesNameTheirField(t *testing.T) {
	each(t, func(t *testing.T, k *counter) {
		pay := func(change func(*fee.PaymentInput)) error {
			_, err := k.RecordPayment(ctx, k.clerk, k.paying("H1", change))
			return err
		}
		save := func(change func(*fee.SaveInput)) error {
			in := fee.SaveInput{City: city, Account: "H1", Season: winter, AreaM2: "100", Rev: k.bill("H1").Rev}
			change(&in)
			_, err := k.Save(ctx, k.clerk, in)
			return err
		}
		meter := func(change func(*fee.ReadingInput)) error {
			in := fee.ReadingInput{City: city, Account: "H3", Meter: "M1", On: civil.NewDate(2025, 12, 31), Kind: fee.Monthly, Value: "150"}
			change(&in)
			_, err := k.ReadMeter(ctx, k.clerk, in)
			return err
		}
		for _, day := range []struct {
			on    civil.Date
			kind  fee.ReadingKind
			value string
		}{{civil.NewDate(2025, 11, 15), fee.Opening, "100"}, {civil.NewDate(2026, 1, 31), fee.Monthly, "200"}} {
			if err := meter(func(in *fee.ReadingInput) { in.On, in.Kind, in.Value = day.on, day.kind, day.value }); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			name string
			err  error
			want []string
		}{
			{"nothing paid", pay(func(in *fee.PaymentInput) { in.AmountYuan = "0" }), []string{"amount_yuan payment.nothing"}},
			{"less than nothing", pay(func(in *fee.PaymentInput) { in.AmountYuan = "-5" }), []string{"amount_yuan fee.bad_sum"}},
			{"a tenth of a fen", pay(func(in *fee.PaymentInput) { in.AmountYuan = "5.001" }), []string{"amount_yuan fee.bad_sum"}},
			{"no sum", pay(func(in *fee.PaymentInput) { in.AmountYuan = "" }), []string{"amount_yuan field.required"}},
			{"tomorrow", pay(func(in *fee.PaymentInput) { in.On = civil.NewDate(2026, 4, 2) }), []string{"on payment.future"}},
			{"in the season before", pay(func(in *fee.PaymentInput) { in.On = civil.NewDate(2025, 3, 1) }), []string{"on payment.too_early"}},
			{"no way, nobody", pay(func(in *fee.PaymentInput) { in.Channel, in.Payer = "cash", "" }), []string{"channel field.required", "payer field.required"}},
			{"no season", pay(func(in *fee.PaymentInput) { in.Season = "2025" }), []string{"season fee.bad_season"}},
			{"a bill below zero", save(func(in *fee.SaveInput) { in.AmountYuan = "-1" }), []string{"amount_yuan fee.bad_sum"}},
			{"a bill with a tenth of a fen", save(func(in *fee.SaveInput) { in.AmountYuan = "1.005" }), []string{"amount_yuan fee.bad_sum"}},
			{"no area", save(func(in *fee.SaveInput) { in.AreaM2 = "0" }), []string{"billed_area_m2 fee.bad_area"}},
			{"a reading below the one before", meter(func(in *fee.ReadingInput) { in.Value = "99" }), []string{"value meter.falls"}},
			{"a reading above the next", meter(func(in *fee.ReadingInput) { in.Value = "201" }), []string{"value meter.falls"}},
			{"two at one instant", meter(func(in *fee.ReadingInput) { in.On = civil.NewDate(2026, 1, 31); in.Value = "200" }), []string{"on meter.same_day"}},
			{"two kinds at one instant", meter(func(in *fee.ReadingInput) {
				in.On, in.Kind, in.Value = civil.NewDate(2026, 1, 31), fee.Closing, "210"
			}), []string{"on meter.same_day"}},
			{"outside the season", meter(func(in *fee.ReadingInput) { in.Season = "2024-2025" }), []string{"on meter.outside_season"}},
			{"tomorrow's reading", meter(func(in *fee.ReadingInput) { in.On, in.Value = civil.NewDate(2026, 4, 2), "300" }), []string{"on meter.future"}},
			{"minus", meter(func(in *fee.ReadingInput) { in.Value = "-1" }), []string{"value meter.bad_value"}},
			{"another unit", meter(func(in *fee.ReadingInput) { in.Unit = citypack.PriceUnit("gj") }), []string{"unit meter.other_unit"}},
		} {
			if diff := cmp.Diff(c.want, refusedFields(c.err)); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
		}
		if _, err := k.RecordPayment(ctx, k.other, k.paying("H1", nil)); !fault.Is(err, fault.NotFound) {
			t.Errorf("another company enters a payment: %v", err)
		}
	})
}

// TestAReadingIsNeverEdited: a correction supersedes, a void says why, both stay in the record, and neither breaks the order.
func TestAReadingIsNeverEdited(t *testing.T) {
	each(t, func(t *testing.T, k *counter) {
		read := func(on civil.Date, kind fee.ReadingKind, value, key string) fee.Reading {
			t.Helper()
			r, err := k.ReadMeter(ctx, k.clerk, fee.ReadingInput{City: city, Account: "H3", Meter: "M1", On: on, Kind: kind, Value: value, Key: key})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		opening := read(civil.NewDate(2025, 11, 15), fee.Opening, "100", "r1")
		if again := read(civil.NewDate(2025, 11, 15), fee.Opening, "100", "r1"); again.ID != opening.ID {
			t.Error("the same reading under one key is kept twice")
		}
		closing := read(civil.NewDate(2026, 3, 16), fee.Closing, "1100", "r2")
		fix := fee.ReadingInput{City: city, Account: "H3", Replaces: closing.ID, On: closing.On, Kind: fee.Closing, Value: "90", Unit: closing.Unit, Reason: "抄错", Key: "c1"}
		if diff := cmp.Diff([]string{"value meter.falls"}, refusedFields(func() error { _, err := k.CorrectReading(ctx, k.clerk, fix); return err }())); diff != "" {
			t.Error(diff)
		}
		fix.Value, fix.Reason = "2100", ""
		if _, err := k.CorrectReading(ctx, k.clerk, fix); !fault.Is(err, fault.Invalid) {
			t.Errorf("a correction without a reason: %v", err)
		}
		fix.Reason = "抄错"
		right, err := k.CorrectReading(ctx, k.clerk, fix)
		if err != nil || right.Supersedes != closing.ID || right.Version != 2 || right.Meter != "M1" {
			t.Fatalf("correction: %+v (%v)", right, err)
		}
		fix.Key, fix.Value = "c2", "2200"
		if _, err := k.CorrectReading(ctx, k.clerk, fix); !fault.Is(err, fault.Conflict) {
			t.Errorf("a record that no longer stands is corrected: %v", err)
		}
		if b := k.bill("H3"); b.Amount == nil || b.Meters[0].Used != "2000" {
			t.Errorf("the bill after the correction: %+v", b)
		}
		void := fee.VoidInput{City: city, Account: "H3", ID: opening.ID, Reason: "不是这一户"}
		if diff := cmp.Diff([]string{"reason meter.no_opening"}, refusedFields(func() error { _, err := k.VoidReading(ctx, k.clerk, void); return err }())); diff != "" {
			t.Error(diff)
		}
		void.ID = right.ID
		if r, err := k.VoidReading(ctx, k.clerk, void); err != nil || r.Ended != fee.Voided {
			t.Fatalf("void: %+v (%v)", r, err)
		}
		if b := k.bill("H3"); b.Amount != nil {
			t.Errorf("the bill without a closing: %+v", b)
		}
		a, err := k.Account(ctx, k.clerk, city, "H3")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range a.Readings {
			got = append(got, r.Value+" "+string(r.Ended)+" "+r.Reason)
		}
		if diff := cmp.Diff([]string{"100  ", "1100 superseded 抄错", "2100 voided 不是这一户"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestOnlyOneOfTwoClerks enters the payment, and keeps the reading, that both have before them.
func TestOnlyOneOfTwoClerks(t *testing.T) {
	each(t, func(t *testing.T, k *counter) {
		race := func(name string, act func(n int) error) {
			t.Helper()
			var wait sync.WaitGroup
			out := make([]error, 6)
			for n := range out {
				wait.Go(func() { out[n] = act(n) })
			}
			wait.Wait()
			won := 0
			for _, err := range out {
				if err == nil {
					won++
				} else if !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Invalid) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if won != 1 {
				t.Errorf("%s: %d won", name, won)
			}
		}
		in := k.paying("H1", nil)
		race("payment", func(int) error { _, err := k.RecordPayment(ctx, k.clerk, in); return err })
		race("reading", func(n int) error {
			_, err := k.ReadMeter(ctx, k.clerk, fee.ReadingInput{City: city, Account: "H3", Meter: "M1", On: civil.NewDate(2025, 11, 15), Kind: fee.Opening, Value: fmt.Sprint(n)})
			return err
		})
		if b := k.bill("H1"); b.Paid.Yuan() != "2020.00" {
			t.Errorf("%s are paid", b.Paid.Yuan())
		}
	})
}

// TestTheListBalances: whatever it is narrowed to, its sums are those of its bills, and a company sees its own only.
func TestTheListBalances(t *testing.T) {
	each(t, func(t *testing.T, k *counter) {
		list := func(by actor.Actor, change func(*fee.Filter)) string {
			t.Helper()
			f := fee.Filter{Season: winter, Request: page.Request{Size: 1}}
			if change != nil {
				change(&f)
			}
			var got []string
			for {
				part, err := k.List(ctx, by, city, f)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range part.Items {
					got = append(got, e.Account+":"+string(e.Standing))
				}
				if f.After = part.Next; f.After == "" {
					break
				}
			}
			sums, err := k.Sum(ctx, by, city, f)
			if err != nil {
				t.Fatal(err)
			}
			var all fee.Sums
			for _, s := range sums {
				if !s.Balanced() {
					t.Errorf("%+v does not balance", s)
				}
				all.Join(s)
			}
			if int(all.Bills+all.Unknown) != len(got) || !all.Balanced() {
				t.Errorf("%d bills in the list, sums of %d and %d", len(got), all.Bills, all.Unknown)
			}
			return strings.Join(got, " ") + " = " + all.Billed.Yuan() + " " + all.Paid.Yuan() + " " + all.Credited.Yuan() + " " + all.Owed.Yuan() + " " + all.Overpaid.Yuan()
		}
		for _, c := range []struct {
			name string
			by   actor.Actor
			f    func(*fee.Filter)
			want string
		}{
			{"all", k.root, nil, "H1:part H2:paid H3:unknown H4:over = 7260.00 6900.00 20.00 420.00 80.00"},
			{"own", k.clerk, nil, "H1:part H2:paid H3:unknown = 4840.00 4400.00 20.00 420.00 0.00"},
			{"company", k.root, func(f *fee.Filter) { f.Company = "C2" }, "H4:over = 2420.00 2500.00 0.00 0.00 80.00"},
			{"community", k.root, func(f *fee.Filter) { f.Community = "翡翠" }, "H4:over = 2420.00 2500.00 0.00 0.00 80.00"},
			{"part", k.root, func(f *fee.Filter) { f.Standing = fee.Partly }, "H1:part = 2420.00 2000.00 0.00 420.00 0.00"},
			{"two parts", k.root, func(f *fee.Filter) { f.TwoPart = "yes" }, "H3:unknown = 0.00 0.00 0.00 0.00 0.00"},
			{"class", k.root, func(f *fee.Filter) { f.Class, f.Unpaid = "resident", true }, "H1:part = 2420.00 2000.00 0.00 420.00 0.00"},
			{"account", k.root, func(f *fee.Filter) { f.Account = "H2" }, "H2:paid = 2420.00 2400.00 20.00 0.00 0.00"},
		} {
			if diff := cmp.Diff(c.want, list(c.by, c.f)); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
		}
		if _, err := k.List(ctx, k.root, city, fee.Filter{Season: winter, Standing: "late"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a standing that is none: %v", err)
		}
	})
}
