package stats

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/jobs"
)

// Service offers the figures.
type Service struct {
	// Owner tells which company and area serve a building. The service of territories sets it; without it homes are not
	// counted by area.
	Owner func(ctx context.Context, tx *db.Tx, city int, community, building string) (company, area string, err error)
	db    *db.DB
}

// New makes the service and, where there is a runner, registers the job that counts.
func New(d *db.DB, r *jobs.Runner) *Service {
	s := &Service{db: d}
	if r != nil {
		jobs.Handle(r, func(ctx context.Context, j jobs.Job, _ countJob) error {
			_, err := s.Count(ctx, j.City)
			return err
		})
		r.Every(countEvery, countJob{})
	}
	return s
}

// Board counts what is open now.
func (s *Service) Board(ctx context.Context, by actor.Actor, city int) (Board, error) {
	scope, err := mayRead(by, city)
	if err != nil {
		return Board{}, err
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) (Board, error) {
		tally, err := tallied(ctx, tx, city, scope)
		if err != nil {
			return Board{}, err
		}
		due, err := dueSoon(ctx, tx, city, scope)
		if err != nil {
			return Board{}, err
		}
		return board(tx.Now, tally, due), nil
	})
}

// mayRead gives what the actor's figures cover. The figures are kept by company and district, so that a right narrower
// than that counts nothing.
func mayRead(by actor.Actor, city int) (actor.Scope, error) {
	if !by.MayAny(actor.StatsRead, city) {
		return actor.Scope{}, by.May(actor.StatsRead, actor.On{City: city})
	}
	scope := by.ScopeOf(actor.StatsRead, city)
	scope.Parts = slices.DeleteFunc(slices.Clone(scope.Parts), func(p actor.Part) bool {
		return len(p.Areas) > 0 || len(p.Stations) > 0 || p.Worker != ""
	})
	return scope, nil
}

// board sums the counts up by state, company and district.
func board(now civil.Instant, tally []tallyRow, due []dueRow) Board {
	today := now.Date()
	b := Board{At: now}
	b.Received.Filter = cases.Filter{From: today, To: today}
	b.Open.Filter = cases.Filter{State: "open", Sort: "due"}
	b.Overdue.Filter = cases.Filter{State: "open", Late: "overdue", Sort: "due"}
	b.Near.Filter = cases.Filter{State: "open", Late: "near", Sort: "due"}
	states := rows{b: &b, narrow: func(f *cases.Filter, key string) { f.Status = []cases.Status{cases.Status(key)} }}
	companies := rows{b: &b, narrow: func(f *cases.Filter, key string) { f.Company = cmp.Or(key, "-") }}
	districts := rows{b: &b, narrow: func(f *cases.Filter, key string) { f.District = cmp.Or(key, "-") }}
	for _, t := range tally {
		var open int64
		if t.Status.IsOpen() {
			open = t.N
		}
		for _, r := range []*Row{states.of(string(t.Status)), companies.of(t.Company), districts.of(t.District)} {
			r.Received.N += t.Today
			r.Open.N += open
		}
		b.Received.N += t.Today
		b.Open.N += open
	}
	for _, d := range due {
		for _, r := range []*Row{states.of(string(d.Status)), companies.of(d.Company), districts.of(d.District)} {
			r.Overdue.N += d.Overdue
			r.Near.N += d.Near
		}
		b.Overdue.N += d.Overdue
		b.Near.N += d.Near
	}
	b.States, b.Companies, b.Districts = states.all(), companies.all(), districts.all()
	order := cases.Statuses()
	slices.SortFunc(b.States, func(x, y Row) int {
		return slices.Index(order, cases.Status(x.Key)) - slices.Index(order, cases.Status(y.Key))
	})
	return b
}

// rows are the rows of a board by their key, each with its filters.
type rows struct {
	b      *Board
	byKey  map[string]*Row
	narrow func(f *cases.Filter, key string)
}

func (r *rows) of(key string) *Row {
	if row, ok := r.byKey[key]; ok {
		return row
	}
	if r.byKey == nil {
		r.byKey = map[string]*Row{}
	}
	row := &Row{Key: key}
	for _, f := range []struct{ to, from *Figure }{
		{&row.Received, &r.b.Received}, {&row.Open, &r.b.Open}, {&row.Overdue, &r.b.Overdue}, {&row.Near, &r.b.Near},
	} {
		f.to.Filter = f.from.Filter
		r.narrow(&f.to.Filter, key)
	}
	r.byKey[key] = row
	return row
}

// all gives the rows in the order of their keys, without those that count nothing.
func (r *rows) all() []Row {
	out := []Row{}
	for _, row := range r.byKey {
		if row.Received.N != 0 || row.Open.N != 0 {
			out = append(out, *row)
		}
	}
	slices.SortFunc(out, func(x, y Row) int { return strings.Compare(x.Key, y.Key) })
	return out
}

// Rates counts how the cases of a period went.
func (s *Service) Rates(ctx context.Context, by actor.Actor, q Query) (Rates, error) {
	scope, err := mayRead(by, q.City)
	if err != nil {
		return Rates{}, err
	}
	if err := q.check(); err != nil {
		return Rates{}, err
	}
	return db.Read(ctx, s.db, func(tx *db.Tx) (Rates, error) {
		upto, err := countedUpto(ctx, tx, q.City)
		if err != nil {
			return Rates{}, err
		}
		out := Rates{From: q.From, To: q.To, AsOf: upto}
		g := newGroups(q)
		if err := eachCaseSum(ctx, tx, q, scope, g.addCases); err != nil {
			return Rates{}, err
		}
		if err := eachCategorySum(ctx, tx, q, scope, g.addCategory); err != nil {
			return Rates{}, err
		}
		if err := eachChannelSum(ctx, tx, q, scope, g.addChannel); err != nil {
			return Rates{}, err
		}
		if err := eachClockSum(ctx, tx, q, scope, g.addClocks); err != nil {
			return Rates{}, err
		}
		out.All, out.Companies, out.Districts = g.all.group(q.filter(), ""), g.list(byCompany), g.list(byDistrict)
		out.Categories, out.Channels, out.Days = g.list(byCategory), g.list(byChannel), g.days()
		return out, nil
	})
}

type dimension int

const (
	byCompany dimension = iota
	byDistrict
	byDay
	byCategory
	byChannel
)

// groups sum the counted rows in all and by each dimension.
type groups struct {
	q    Query
	all  *sums
	keys [5]map[string]*sums
}

// sums are the numbers of one group.
type sums struct {
	cases  counts
	clocks map[string]clockSum
}

func newGroups(q Query) *groups {
	g := &groups{q: q, all: &sums{clocks: map[string]clockSum{}}}
	for i := range g.keys {
		g.keys[i] = map[string]*sums{}
	}
	return g
}

// each adds to every group that a row belongs to, by its keys in the order of the dimensions.
func (g *groups) each(add func(*sums), keys ...string) {
	add(g.all)
	for i, key := range keys {
		add(g.of(dimension(i), key))
	}
}

func (g *groups) of(d dimension, key string) *sums {
	s, ok := g.keys[d][key]
	if !ok {
		s = &sums{clocks: map[string]clockSum{}}
		g.keys[d][key] = s
	}
	return s
}

func (g *groups) addCases(r caseSum) error {
	g.each(func(s *sums) { s.cases.add(r.counts) }, r.Company, r.District, r.Day)
	return nil
}

func (g *groups) addCategory(r caseSum) error {
	g.of(byCategory, r.Category).cases.add(r.counts)
	return nil
}

func (g *groups) addChannel(r channelSum) error {
	g.of(byChannel, r.Channel).cases.add(r.counts)
	return nil
}

func (g *groups) addClocks(r clockSum) error {
	g.each(func(s *sums) {
		c := s.clocks[r.Code]
		c.Decided, c.Kept = c.Decided+r.Decided, c.Kept+r.Kept
		s.clocks[r.Code] = c
	}, r.Company, r.District, r.Day)
	return nil
}

func (g *groups) list(d dimension) []Group {
	out := []Group{}
	for key, s := range g.keys[d] {
		f := g.q.filter()
		switch d {
		case byCompany:
			f.Company = cmp.Or(key, "-")
		case byDistrict:
			f.District = cmp.Or(key, "-")
		case byCategory:
			f.Category = cmp.Or(key, "-")
		case byChannel:
			f.Channel = cases.Channel(key)
		case byDay:
		}
		out = append(out, s.group(f, key))
	}
	slices.SortFunc(out, func(x, y Group) int { return strings.Compare(x.Key, y.Key) })
	return out
}

// days gives every day of the period, so that a chart has no gaps.
func (g *groups) days() []Group {
	out := []Group{}
	for day := g.q.From; !day.After(g.q.To); day = day.AddDays(1) {
		s, ok := g.keys[byDay][day.String()]
		if !ok {
			s = &sums{}
		}
		f := g.q.filter()
		f.From, f.To = day, day
		out = append(out, s.group(f, day.String()))
	}
	return out
}

// group turns sums into figures and rates.
func (s *sums) group(f cases.Filter, key string) Group {
	c := s.cases
	with := func(change func(*cases.Filter)) cases.Filter {
		g := f
		change(&g)
		return g
	}
	late := with(func(f *cases.Filter) { f.Late = "broken" })
	answered := with(func(f *cases.Filter) { // an answered case that was archived never had a company
		f.Status = []cases.Status{cases.Answered, cases.Archived}
		f.Company = cmp.Or(f.Company, "-")
	})
	overdue := with(func(f *cases.Filter) { f.State, f.Late = "open", "broken" })
	open := with(func(f *cases.Filter) { f.State = "open" })
	reworked := with(func(f *cases.Filter) { f.Flag = "reworked" })
	g := Group{
		Key: key, Received: Figure{N: c.Received, Filter: f}, Answered: Figure{N: c.Answered, Filter: answered},
		Late: Figure{N: c.Late, Filter: late},
		Indicators: []Rate{
			{Code: "disposal", Numerator: c.Disposed, Denominator: c.Due, Filter: open},
			{Code: "overdue_open", Numerator: c.LateOpen, Denominator: c.Due, Filter: overdue},
			{Code: "closing", Numerator: c.Closed, Denominator: c.Due, Filter: open},
			{Code: "rework", Numerator: c.Reworked, Denominator: c.Due, Filter: reworked},
			{Code: "extension", Numerator: c.Extended, Denominator: c.Due, Filter: f},
			{Code: "right_dispatch", Numerator: c.Dispatches - c.Misdirected, Denominator: c.Dispatches, Filter: f},
			{Code: "solved", Numerator: c.Solved, Denominator: c.Called, Filter: f},
			{Code: "satisfied", Numerator: c.Satisfied, Denominator: c.Called, Filter: f},
		},
		Clocks: []Rate{},
	}
	for _, code := range citypack.ClockNames() {
		if k := s.clocks[code]; k.Decided > 0 {
			g.Clocks = append(g.Clocks, Rate{Code: code, Numerator: k.Kept, Denominator: k.Decided, Filter: late})
		}
	}
	return g
}
