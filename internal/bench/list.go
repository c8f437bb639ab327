package bench

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
)

// seeds is how many cases are opened through the use case; the rest are copies of them with other numbers.
const seeds = 1000

// fill brings a city to n cases, most of them closed, as after years of work.
func fill(ctx context.Context, o Options, d *db.DB, h house, by actor.Actor, n int) error {
	for i := range min(seeds, n) {
		if _, err := h.cases.Open(ctx, by, h.opening(i)); err != nil {
			return err
		}
	}
	for k := 1; k < n/seeds; k++ {
		o.tell(k*seeds, n)
		if err := db.Do(ctx, d, func(tx *db.Tx) error { return copyCases(ctx, tx, k) }); err != nil {
			return fmt.Errorf("copy %d: %w", k, err)
		}
	}
	return h.cases.Fold(ctx, city)
}

// lists measures what pages ask for among n cases: the open ones by deadline, a company's, a page far down, a search, a
// count, and an export of everything.
func lists(ctx context.Context, o Options, out func(Line) error) error {
	n := o.N
	if n == 0 {
		n = 100_000
	}
	p, err := open(ctx, o, nil)
	if err != nil {
		return err
	}
	defer p.close()
	h, err := newHouse(p.db, 500)
	if err != nil {
		return err
	}
	by := actor.Actor{ID: "bench", Kind: actor.Person, Org: "centre", Door: actor.Page, Grants: []actor.Grant{{Role: actor.RoleLeader, City: city}, {Role: actor.RoleSeat, City: city}}}
	if err := fill(ctx, o, p.db, h, by, n); err != nil {
		return err
	}
	if err := analyze(ctx, p.db); err != nil {
		return err
	}
	return h.measure(ctx, p.db, by, n, out)
}

func (h house) measure(ctx context.Context, d *db.DB, by actor.Actor, n int, out func(Line) error) error {
	first, err := h.cases.List(ctx, by, city, cases.Filter{})
	if err != nil {
		return err
	}
	company := first.Items[0].Company
	day := civil.Date{Year: 2020, Month: 1, Day: 1}
	asks := []struct {
		name string
		f    cases.Filter
	}{
		{"list_open_by_deadline", cases.Filter{State: "open", Sort: "due"}},
		{"list_newest", cases.Filter{}},
		{"list_company", cases.Filter{Company: company}},
		{"list_overdue", cases.Filter{State: "open", Late: "overdue", Sort: "due"}},
		{"search_common", cases.Filter{Query: "暖气"}},
		{"search_address", cases.Filter{Query: first.Items[0].CommunityName + "3号楼"}},
		{"search_rare", cases.Filter{Query: first.Items[0].No}},
		{"list_days", cases.Filter{From: day, State: "closed"}},
	}
	for _, a := range asks {
		a.f.Request = page.Request{Size: 50}
		mean, p99, err := timed(20, func(int) error { _, err := h.cases.List(ctx, by, city, a.f); return err })
		if err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		if err := out(line(a.name, d, n, mean, 0, p99)); err != nil {
			return err
		}
		mean, p99, err = timed(20, func(int) error { _, err := h.cases.Count(ctx, by, city, a.f); return err })
		if err != nil {
			return fmt.Errorf("count of %s: %w", a.name, err)
		}
		if err := out(line("count_of_"+a.name, d, n, mean, 0, p99)); err != nil {
			return err
		}
	}
	rows := 0
	mean, _, err := timed(1, func(int) error {
		return h.cases.Export(ctx, by, city, cases.Filter{}, func(cases.Case) error { rows++; return nil })
	})
	if err != nil {
		return err
	}
	return out(line("export_all", d, rows, mean, 0, 0))
}
