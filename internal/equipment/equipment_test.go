package equipment_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/fault"
)

const city = 990100

var ctx = context.Background()

func person(role actor.Role, org string) actor.Actor {
	return actor.Actor{ID: string(role) + org, Kind: actor.Person, Org: org, Grants: []actor.Grant{{Role: role, City: city}}}
}

var (
	c1     = person(actor.RoleCompany, "C1")
	c2     = person(actor.RoleCompany, "C2")
	worker = person(actor.RoleWorker, "C1")
	bureau = person(actor.RoleRegulator, "bureau")
)

func TestFitness(t *testing.T) {
	t.Parallel()
	ok := equipment.Instrument{ID: "1", State: equipment.InUse, VerifiedOn: civil.NewDate(2025, 10, 1), ValidUntil: civil.NewDate(2026, 3, 31)}
	with := func(edit func(*equipment.Instrument)) equipment.Instrument {
		i := ok
		edit(&i)
		return i
	}
	for name, c := range map[string]struct {
		i    equipment.Instrument
		day  civil.Date
		want equipment.Fitness
	}{
		"first day":   {ok, civil.NewDate(2025, 10, 1), equipment.Valid},
		"last day":    {ok, civil.NewDate(2026, 3, 31), equipment.Valid},
		"day after":   {ok, civil.NewDate(2026, 4, 1), equipment.Expired},
		"day before":  {ok, civil.NewDate(2025, 9, 30), equipment.Early},
		"no dates":    {with(func(i *equipment.Instrument) { i.ValidUntil = civil.Date{} }), civil.NewDate(2026, 1, 1), equipment.Unverified},
		"sent away":   {with(func(i *equipment.Instrument) { i.State = equipment.Sent }), civil.NewDate(2026, 1, 1), equipment.OutOfUse},
		"not in list": {equipment.Instrument{}, civil.NewDate(2026, 1, 1), equipment.Unknown},
	} {
		if got := c.i.Fitness(c.day); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestSave(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := equipment.New(d)
		in := equipment.Entry{City: city, Number: "T-1", VerifiedOn: civil.NewDate(2025, 10, 1), ValidUntil: civil.NewDate(2026, 9, 30), Key: "k"}
		i, err := s.Save(ctx, c1, in)
		if err != nil || i.Owner != "C1" || i.Kind != equipment.Thermometer {
			t.Fatal(i, err)
		}
		if again, err := s.Save(ctx, c1, in); err != nil || again.ID != i.ID {
			t.Errorf("the same key made %s, %v", again.ID, err)
		}
		for name, c := range map[string]struct {
			by   actor.Actor
			edit func(*equipment.Entry)
			kind fault.Kind
		}{
			"another company's": {c2, func(e *equipment.Entry) { e.Owner = "C1" }, fault.Denied},
			"a worker":          {worker, func(*equipment.Entry) {}, fault.Denied},
			"taken":             {c1, func(*equipment.Entry) {}, fault.Conflict},
			"no number":         {c1, func(e *equipment.Entry) { e.Number = " " }, fault.Invalid},
			"ends first":        {c1, func(e *equipment.Entry) { e.Number, e.ValidUntil = "T-2", civil.NewDate(2025, 1, 1) }, fault.Invalid},
			"half a date":       {c1, func(e *equipment.Entry) { e.Number, e.ValidUntil = "T-2", civil.Date{} }, fault.Invalid},
			"stale":             {c1, func(e *equipment.Entry) { e.ID, e.Version = i.ID, 9 }, fault.Conflict},
		} {
			e := in
			e.Key = ""
			c.edit(&e)
			if _, err := s.Save(ctx, c.by, e); !fault.Is(err, c.kind) {
				t.Errorf("%s: %v, want %s", name, err, c.kind)
			}
		}
		if _, err := s.Get(ctx, c2, city, i.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another company sees it: %v", err)
		}
		for by, want := range map[string]int{"C1": 1, "C2": 0} {
			page, err := s.List(ctx, person(actor.RoleCompany, by), city, equipment.Filter{})
			if err != nil || len(page.Items) != want {
				t.Errorf("%s sees %d instruments, want %d, %v", by, len(page.Items), want, err)
			}
		}
		if page, err := s.List(ctx, bureau, city, equipment.Filter{Before: civil.NewDate(2026, 10, 1)}); err != nil || len(page.Items) != 1 {
			t.Errorf("what ends before October: %d, %v", len(page.Items), err)
		}
	})
}

func TestOneVersionIsChangedOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := equipment.New(d)
		i, err := s.Save(ctx, c1, equipment.Entry{City: city, Number: "T-1"})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		won := make(chan bool, 8)
		for range 8 {
			wg.Go(func() {
				_, err := s.Save(ctx, c1, equipment.Entry{City: city, ID: i.ID, Number: "T-1", State: equipment.Sent, Version: i.Version})
				if err != nil && !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
				won <- err == nil
			})
		}
		wg.Wait()
		close(won)
		n := 0
		for w := range won {
			if w {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d of 8 changed one version", n)
		}
	})
}

func TestImport(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := equipment.New(d)
		take := func(by actor.Actor, csv string, dry bool) (equipment.Imported, error) {
			return s.Import(ctx, by, equipment.Sheet{City: city, Name: "list.csv", Reader: strings.NewReader(csv), DryRun: dry})
		}
		const list = "仪器编号,所属单位,类型,检定日期,有效期至\nT-1,C1,测温仪,2025-10-01,2026-09-30\nT-2,C1,温度记录仪,2025/10/1,2026/9/30\n"
		for i, want := range []equipment.Imported{{DryRun: true, Rows: 2, Added: 2}, {Rows: 2, Added: 2}, {Rows: 2, Unchanged: 2}} {
			got, err := take(c1, list, want.DryRun)
			if err != nil || got.Added != want.Added || got.Unchanged != want.Unchanged || got.Rows != want.Rows {
				t.Errorf("import %d: %+v, %v", i, got, err)
			}
		}
		got, err := take(c1, "number,state\nT-1,送检\n", false)
		if err != nil || got.Changed != 1 {
			t.Errorf("one column: %+v, %v", got, err)
		}
		page, err := s.List(ctx, c1, city, equipment.Filter{State: equipment.Sent})
		if err != nil || len(page.Items) != 1 || page.Items[0].ValidUntil != civil.NewDate(2026, 9, 30) {
			t.Errorf("a column that the table lacks was changed: %+v, %v", page.Items, err)
		}
		bad, err := take(c1, "number,owner,kind,verified_on\nT-3,C1,锤子,\n,C1,,\nT-4,C2,,\nT-5,C1,,明天\nT-5,C1,,\n", false)
		if !fault.Is(err, fault.Invalid) || len(bad.Faults) != 5 {
			t.Errorf("bad rows: %v %+v", err, bad.Faults)
		}
		if page, err := s.List(ctx, bureau, city, equipment.Filter{}); err != nil || len(page.Items) != 2 {
			t.Errorf("a faulty list left %d instruments, %v", len(page.Items), err)
		}
		if _, err := take(worker, list, false); !fault.Is(err, fault.Denied) {
			t.Errorf("a worker imports: %v", err)
		}
	})
}
