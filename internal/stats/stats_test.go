package stats_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/db/dbtest"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/stats"
)

const city = 990100

var (
	ctx       = context.Background()
	today     = dbtest.Start.Date()
	regulator = actor.Actor{ID: "r", Kind: actor.Person, Grants: []actor.Grant{{Role: actor.RoleRegulator, City: city}}}
)

// row is a case as the table holds it.
type row struct {
	cases.Case
	Search string `db:"search"`
}

type tally struct {
	City     int          `db:"city_id"`
	ID       string       `db:"id"`
	Day      string       `db:"day"`
	Status   cases.Status `db:"status"`
	Company  string       `db:"company"`
	District string       `db:"district"`
	Category string       `db:"category"`
	N        int64        `db:"n"`
	Folded   bool         `db:"folded"`
}

type clockRow struct {
	City     int           `db:"city_id"`
	ID       string        `db:"id"`
	Subject  string        `db:"subject"`
	Code     string        `db:"code"`
	Party    string        `db:"party"`
	Org      string        `db:"org"`
	Ref      string        `db:"ref"`
	Amount   int           `db:"amount"`
	Unit     string        `db:"unit"`
	Phase    string        `db:"phase"`
	Path     string        `db:"path"`
	Source   string        `db:"source"`
	Prov     bool          `db:"provisional"`
	Started  civil.Instant `db:"started_at"`
	From     civil.Instant `db:"from_at"`
	Left     int64         `db:"left_ms"`
	Due      civil.Instant `db:"due_at"`
	Missing  string        `db:"missing"`
	Stepped  civil.Instant `db:"stepped_at"`
	State    string        `db:"state"`
	Stopped  civil.Instant `db:"stopped_at"`
	Breached civil.Instant `db:"breached_at"`
	Version  int64         `db:"version"`
}

// put keeps cases and their tally as the service of the cases would.
func put(t testing.TB, d *db.DB, list ...cases.Case) []cases.Case {
	t.Helper()
	counts := putCases(t, d, list)
	err := db.Do(ctx, d, func(tx *db.Tx) error {
		for i := range counts {
			counts[i].ID = tx.NewID()
		}
		return db.InsertAll(ctx, tx, "case_tally", counts)
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// putCases keeps cases and gives the changes that their tally needs.
func putCases(t testing.TB, d *db.DB, list []cases.Case) []tally {
	t.Helper()
	rows, counts := make([]row, len(list)), make([]tally, len(list))
	err := db.Do(ctx, d, func(tx *db.Tx) error {
		for i := range list {
			c := &list[i]
			c.City, c.ID, c.Open, c.Version = city, tx.NewID(), c.Status.IsOpen(), 1
			if c.DueSort == 0 {
				c.DueSort = 1 << 60
			}
			if c.Seq == 0 {
				c.Seq = int64(c.ReceivedAt)*1000 + int64(i)
			}
			c.No = fmt.Sprint(c.Seq)
			c.UpdatedAt, c.RecordedAt = tx.Now, tx.Now
			c.Urgency = "normal"
			rows[i] = row{Case: *c}
			counts[i] = tally{City: city, Day: c.ReceivedAt.Date().String(), Status: c.Status, Company: c.Company, District: c.District, Category: c.Category, N: 1}
		}
		return db.InsertAll(ctx, tx, "case_file", rows)
	})
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

func putClocks(t testing.TB, d *db.DB, c cases.Case, list ...clockRow) {
	t.Helper()
	err := db.Do(ctx, d, func(tx *db.Tx) error {
		for i := range list {
			k := &list[i]
			k.City, k.ID, k.Subject, k.Party, k.Version = city, tx.NewID(), "case:"+c.ID, "unit", 1
			if k.Unit == "" && k.Code != "instruction" {
				k.Unit, k.Amount = "hour", 1
			}
			k.Started, k.From, k.Stepped = c.ReceivedAt, c.ReceivedAt, c.ReceivedAt
		}
		return db.InsertAll(ctx, tx, "clock", list)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// invent makes a few hundred cases of three weeks, the same for each seed.
func invent(seed uint64, n int) []cases.Case {
	r := rand.New(rand.NewPCG(seed, 1))
	now := dbtest.Start
	statuses := cases.Statuses()
	out := make([]cases.Case, n)
	for i := range out {
		c := cases.Case{
			Status: statuses[r.IntN(len(statuses))], District: []string{"迎泽区", "小店区", ""}[r.IntN(3)],
			Category: []string{"cold", "leak", ""}[r.IntN(3)], ReceivedAt: now.Add(-time.Duration(r.IntN(21*24*60)) * time.Minute),
		}
		c.Channel = []cases.Channel{cases.Phone, cases.Letter, cases.Leader, cases.Counter, cases.Media}[i%5]
		c.Seq = int64(i + 1)
		if c.Status.WithUnit() || c.Status == cases.FedBack || c.Status == cases.Closed {
			c.Company, c.DispatchedAt = []string{"C1", "C2"}[r.IntN(2)], c.ReceivedAt
		}
		c.Late = r.IntN(5) == 0
		c.Reworks = r.IntN(2)
		if r.IntN(3) > 0 {
			c.DueAt = now.Add(time.Duration(r.IntN(10*60)-5*60) * time.Minute)
			c.DueSort = int64(c.DueAt)
		}
		out[i] = c
	}
	return out
}

// TestEveryFigureIsItsList: the number on the board and in the rates is the number of rows that its filter finds.
func TestEveryFigureIsItsList(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		put(t, d, invent(7, 400)...)
		s, list := stats.New(d, nil), cases.New(cases.Options{DB: d})
		check := func(name string, f stats.Figure) {
			t.Helper()
			got, err := list.Count(ctx, regulator, city, f.Filter)
			if err != nil || got.N != f.N {
				t.Errorf("%s: the figure says %d, its list has %d, %v: %+v", name, f.N, got.N, err, f.Filter)
			}
		}
		b, err := s.Board(ctx, regulator, city)
		if err != nil {
			t.Fatal(err)
		}
		if b.Open.N == 0 || b.Overdue.N == 0 || b.Near.N == 0 || b.Received.N == 0 || len(b.Companies) != 3 || len(b.Districts) != 3 {
			t.Fatalf("the invented cases show nothing: %+v", b)
		}
		for i, rows := range [][]stats.Row{{{Received: b.Received, Open: b.Open, Overdue: b.Overdue, Near: b.Near}}, b.States, b.Companies, b.Districts} {
			for _, r := range rows {
				name := fmt.Sprintf("board %d %s", i, r.Key)
				check(name+" received", r.Received)
				check(name+" open", r.Open)
				check(name+" overdue", r.Overdue)
				check(name+" near", r.Near)
			}
		}
		if _, err := s.Count(ctx, city); err != nil {
			t.Fatal(err)
		}
		rates, err := s.Rates(ctx, regulator, stats.Query{City: city, From: today.AddDays(-14), To: today})
		if err != nil {
			t.Fatal(err)
		}
		if len(rates.Days) != 15 || rates.All.Late.N == 0 || rates.All.Answered.N == 0 {
			t.Fatalf("the invented cases show nothing: %+v", rates.All)
		}
		for i, groups := range [][]stats.Group{{rates.All}, rates.Companies, rates.Districts, rates.Categories, rates.Channels, rates.Days} {
			var received int64
			for _, g := range groups {
				name := fmt.Sprintf("rates %d %s", i, g.Key)
				check(name+" received", g.Received)
				check(name+" answered", g.Answered)
				check(name+" late", g.Late)
				received += g.Received.N
			}
			if received != rates.All.Received.N {
				t.Errorf("groups %d sum up to %d; want %d", i, received, rates.All.Received.N)
			}
		}
	})
}

// TestRates counts a handful of cases whose rates are known.
func TestRates(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		at := dbtest.Start.Add(-time.Hour)
		with := func(status cases.Status, change func(*cases.Case)) cases.Case {
			c := cases.Case{Status: status, Company: "C1", District: "迎泽区", Category: "cold", ReceivedAt: at, DispatchedAt: at}
			change(&c)
			return c
		}
		list := []cases.Case{
			with(cases.Closed, func(c *cases.Case) { c.Solved, c.Satisfied = "yes", "yes" }),
			with(cases.Closed, func(c *cases.Case) { c.Solved, c.Satisfied, c.Reworks, c.Late = "no", "no", 1, true }),
			with(cases.Closed, func(c *cases.Case) { c.Solved = "unreached" }),
			with(cases.Handling, func(c *cases.Case) { c.Extensions, c.Late = 1, true }),
			with(cases.Void, func(*cases.Case) {}),
			with(cases.Answered, func(c *cases.Case) { c.Company, c.DispatchedAt = "", 0 }),
		}
		for i := range list {
			list[i].Seq = int64(i + 1)
		}
		list = put(t, d, list...)
		due := at.Add(time.Hour)
		putClocks(t, d, list[0],
			clockRow{Code: "arrive", Org: "C1", Due: due, State: "stopped", Stopped: at},
			clockRow{Code: "arrive", Org: "C1", Due: due, State: "stopped", Stopped: due, Breached: due},
			clockRow{Code: "arrive", Org: "C1", Due: due, State: "running", Breached: due},
			clockRow{Code: "arrive", Org: "C1", Due: due, State: "running"},
			clockRow{Code: "arrive", Org: "C1", Due: due, State: "void"},
			clockRow{Code: "instruction", Org: "C1", Due: due, State: "stopped", Stopped: at}, // a day that a paper sets, not a limit
			clockRow{Code: "sign", Org: "C1", State: "stopped", Missing: "holidays 2027"},
			clockRow{Code: "return_window", Org: "C1", Due: due, State: "stopped", Stopped: at})
		s := stats.New(d, nil)
		if _, err := s.Count(ctx, city); err != nil {
			t.Fatal(err)
		}
		rates, err := s.Rates(ctx, regulator, stats.Query{City: city, From: today, To: today, Company: "C1"})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, r := range append(rates.All.Indicators, rates.All.Clocks...) {
			got[r.Code] = fmt.Sprintf("%d/%d %s", r.Numerator, r.Denominator, r.Percent())
		}
		want := map[string]string{
			"disposal": "3/4 75.0%", "overdue_open": "1/4 25.0%", "closing": "3/4 75.0%", "rework": "1/4 25.0%", "extension": "1/4 25.0%",
			"right_dispatch": "0/0 ", "solved": "1/2 50.0%", "satisfied": "1/2 50.0%", "arrive": "1/3 33.3%", "instruction": "1/1 100.0%",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rates (-want +got):\n%s", diff)
		}
	})
}

// TestCountFollowsChanges: only days with changes are counted again, and what changed shows.
func TestCountFollowsChanges(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		clock := dbtest.NewClock()
		d.SetClock(clock.Now)
		s := stats.New(d, nil)
		day := func(n int) civil.Instant { return today.AddDays(-n).Start().Add(9 * time.Hour) }
		list := put(t, d, cases.Case{Seq: 1, Status: cases.Filed, ReceivedAt: day(5)}, cases.Case{Seq: 2, Status: cases.Filed, ReceivedAt: day(3)})
		count := func(want int) {
			t.Helper()
			if n, err := s.Count(ctx, city); err != nil || n != want {
				t.Errorf("%d days were counted, %v; want %d", n, err, want)
			}
		}
		count(3) // everything between the first and the last day
		clock.Advance(time.Hour)
		count(2) // what changed shortly before is looked at twice, since a transaction takes time
		clock.Advance(time.Hour)
		count(0)
		err := db.Do(ctx, d, func(tx *db.Tx) error {
			_, err := db.Exec(ctx, tx, `UPDATE case_file SET late = TRUE, updated_at = $3 WHERE city_id = $1 AND id = $2`, city, list[1].ID, int64(tx.Now))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Minute)
		count(1)
		clock.Advance(time.Hour)
		due := clock.Now()
		putClocks(t, d, list[0], clockRow{Code: "sign", Org: "C1", Due: due, State: "running", Breached: due})
		count(2) // this one, and the change before once more
		rates, err := s.Rates(ctx, regulator, stats.Query{City: city, From: today.AddDays(-5), To: today})
		if err != nil || rates.All.Late.N != 1 || rates.All.Received.N != 2 || len(rates.All.Clocks) != 1 || rates.AsOf != clock.Now() {
			t.Errorf("%+v as of %s, %v; want one late case of two and a broken clock", rates.All, rates.AsOf, err)
		}
	})
}

// TestScope: a district sees its own figures, a narrower right none, and nobody else any.
func TestScope(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		put(t, d, invent(9, 200)...)
		s := stats.New(d, nil)
		if _, err := s.Count(ctx, city); err != nil {
			t.Fatal(err)
		}
		person := func(g actor.Grant) actor.Actor {
			g.City = city
			return actor.Actor{ID: "p", Kind: actor.Person, Grants: []actor.Grant{g}}
		}
		all, err := s.Board(ctx, regulator, city)
		if err != nil {
			t.Fatal(err)
		}
		district := person(actor.Grant{Role: actor.RoleDistrict, Districts: []string{"迎泽区"}})
		own, err := s.Board(ctx, district, city)
		if err != nil || len(own.Districts) != 1 || own.Open.N == 0 || own.Open.N >= all.Open.N {
			t.Errorf("a district sees %+v, %v; want its own part of %d", own.Districts, err, all.Open.N)
		}
		rates, err := s.Rates(ctx, district, stats.Query{City: city, From: today.AddDays(-30), To: today})
		if err != nil || len(rates.Districts) != 1 || rates.Districts[0].Key != "迎泽区" {
			t.Errorf("a district's rates: %+v, %v; want its own", rates.Districts, err)
		}
		narrow := person(actor.Grant{Role: actor.RoleDistrict, Areas: []string{"A1"}})
		if b, err := s.Board(ctx, narrow, city); err != nil || b.Open.N != 0 {
			t.Errorf("a right for an area sees %d, %v; want nothing", b.Open.N, err)
		}
		for _, role := range []actor.Role{actor.RoleSeat, actor.RoleCompany, actor.RoleWorker} {
			g := actor.Grant{Role: role, Companies: []string{"C1"}}
			if _, err := s.Board(ctx, person(g), city); !fault.Is(err, fault.Denied) {
				t.Errorf("%s: %v; want Denied", role, err)
			}
			if _, err := s.Rates(ctx, person(g), stats.Query{City: city, From: today, To: today}); !fault.Is(err, fault.Denied) {
				t.Errorf("%s: %v; want Denied", role, err)
			}
		}
	})
}

func TestQueryIsChecked(t *testing.T) {
	t.Parallel()
	s := stats.New(dbtest.SQLite(t), nil)
	for name, q := range map[string]stats.Query{
		"nothing":   {},
		"backwards": {From: today, To: today.AddDays(-1)},
		"too long":  {From: today.AddDays(-400), To: today},
	} {
		q.City = city
		if _, err := s.Rates(ctx, regulator, q); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v; want Invalid", name, err)
		}
	}
}
