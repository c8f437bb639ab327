package bench

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/stats"
)

// perDay is how many cases the newest day has: they are opened through the use case, and earlier days are made of them.
const perDay = 1000

// looks is how often each question is asked.
const looks = 20

// lists measures what pages ask for among n cases: every list with its filters and its order, near its beginning and far
// down, searches, counts, the seat's earlier cases, the board, and an export of everything.
func lists(ctx context.Context, o Options, out func(Line) error) error {
	n := o.N
	if n == 0 {
		n = 100_000
	}
	o.Fast = true // it is filled and then only read
	p, err := open(ctx, o, nil)
	if err != nil {
		return err
	}
	defer p.close()
	h, err := newHouse(p.db, 500)
	if err != nil {
		return err
	}
	if err := h.fill(ctx, o, p.db, n); err != nil {
		return err
	}
	m := meter{h: h, db: p.db, n: n, out: out}
	if m.first, err = h.cases.List(ctx, leader, city, cases.Filter{Request: page.Request{Size: 1}}); err != nil {
		return err
	}
	for _, measure := range []func(context.Context) error{m.lists, m.desks, m.beside, m.exports} {
		if err := measure(ctx); err != nil {
			return err
		}
	}
	return nil
}

var leader = actor.Actor{
	ID: "bench", Kind: actor.Person, Org: "centre", Door: actor.Page,
	Grants: []actor.Grant{{Role: actor.RoleLeader, City: city}, {Role: actor.RoleSeat, City: city}, {Role: actor.RoleRegulator, City: city}},
}

// fill brings a city to n cases of as many days as it takes, most of them closed, as after years of work. What is there
// already is kept, so that an end in between costs one day.
func (h house) fill(ctx context.Context, o Options, d *db.DB, n int) error {
	have, err := h.cases.Count(ctx, leader, city, cases.Filter{})
	if err != nil {
		return err
	}
	if have.N >= int64(n) {
		return h.cases.Index(ctx, city) // where the last run ended before that
	}
	for i := range min(perDay, n) - int(min(have.N, perDay)) {
		if _, err := h.cases.Open(ctx, leader, h.opening(int(have.N)+i)); err != nil {
			return err
		}
	}
	if err := h.cases.Fold(ctx, city); err != nil {
		return err
	}
	last, err := db.Read(ctx, d, func(tx *db.Tx) (civil.Date, error) { return newest(ctx, tx) })
	if err != nil {
		return err
	}
	for k := 1; k < n/perDay; k++ {
		o.tell(k*perDay, n+n/5)
		if err := db.Do(ctx, d, func(tx *db.Tx) error { return copyDay(ctx, tx, last, k) }); err != nil {
			return fmt.Errorf("day %d: %w", k, err)
		}
	}
	if err := h.cases.Index(ctx, city); err != nil {
		return err
	}
	if err := db.Do(ctx, d, func(tx *db.Tx) error { return sumDays(ctx, tx) }); err != nil {
		return err
	}
	return analyze(ctx, d)
}

// meter asks the questions.
type meter struct {
	h     house
	db    *db.DB
	n     int
	first page.Of[cases.Case]
	out   func(Line) error
}

func (m meter) time(name string, ask func() error) error {
	mean, p99, err := timed(looks, func(int) error { return ask() })
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return m.out(line(name, m.db, m.n, mean, 0, p99))
}

// ask measures a page, a page far down, and the count of a filter.
func (m meter) ask(ctx context.Context, name string, by actor.Actor, f cases.Filter) error {
	f.Size = 50
	var got page.Of[cases.Case]
	err := m.time("list_"+name, func() (err error) { got, err = m.h.cases.List(ctx, by, city, f); return err })
	if err != nil {
		return err
	}
	if got.Next != "" {
		deep := f
		for range 20 {
			if deep.After = got.Next; deep.After == "" {
				break
			}
			if got, err = m.h.cases.List(ctx, by, city, deep); err != nil {
				return err
			}
		}
		if err := m.time("deep_"+name, func() error { _, err := m.h.cases.List(ctx, by, city, deep); return err }); err != nil {
			return err
		}
	}
	return m.time("count_"+name, func() error { _, err := m.h.cases.Count(ctx, by, city, f); return err })
}

type question struct {
	name string
	by   actor.Actor
	f    cases.Filter
}

// lists are the dispatchers' console and its searches.
func (m meter) lists(ctx context.Context) error {
	c := m.first.Items[0]
	today := c.ReceivedAt.Date()
	month := cases.Filter{From: today.AddDays(-430), To: today.AddDays(-400)}
	inMonth := month
	inMonth.Company = c.Company
	for _, q := range []question{
		{"newest", leader, cases.Filter{}},
		{"open_by_deadline", leader, cases.Filter{State: "open", Sort: "due"}},
		{"open_newest", leader, cases.Filter{State: "open"}},
		{"closed", leader, cases.Filter{State: "closed"}},
		{"by_received", leader, cases.Filter{Sort: "received"}},
		{"overdue", leader, cases.Filter{State: "open", Late: "overdue", Sort: "due"}},
		{"near", leader, cases.Filter{State: "open", Late: "near", Sort: "due"}},
		{"ever_late", leader, cases.Filter{Late: "broken"}},
		{"company", leader, cases.Filter{Company: c.Company}},
		{"company_open", leader, cases.Filter{Company: c.Company, State: "open", Sort: "due"}},
		{"company_none", leader, cases.Filter{Company: "-"}},
		{"district", leader, cases.Filter{District: c.District}},
		{"company_district", leader, cases.Filter{Company: c.Company, District: c.District, State: "closed"}},
		{"category", leader, cases.Filter{Category: c.Category}},
		{"status", leader, cases.Filter{Status: []cases.Status{cases.Archived}}},
		{"urgency_none", leader, cases.Filter{Urgency: "critical"}},
		{"channel_rare", leader, cases.Filter{Channel: cases.Weibo}},
		{"nature_none", leader, cases.Filter{Nature: "praise"}},
		{"supervised", leader, cases.Filter{Flag: "supervised"}},
		{"flag_none", leader, cases.Filter{Flag: "peak"}},
		{"care_none", leader, cases.Filter{Flag: "care"}},
		{"month", leader, month},
		{"month_company", leader, inMonth},
		{"community", leader, cases.Filter{Community: c.Community}},
		{"search_1_character", leader, cases.Filter{Query: "暖"}},
		{"search_2_common", leader, cases.Filter{Query: "暖气"}},
		{"search_2_rare", leader, cases.Filter{Query: "忽热"}},
		{"search_none", leader, cases.Filter{Query: "锅炉爆炸"}},
		{"search_long", leader, cases.Filter{Query: "室温只有15度，家里有坐月子的产妇"}},
		{"search_words", leader, cases.Filter{Query: c.CommunityName + " 12号楼 微博"}},
		{"search_address", leader, cases.Filter{Query: c.CommunityName + "17号楼2单元"}},
		{"search_common_pieces_rare_whole", leader, cases.Filter{Query: "热冷热"}},
		{"search_common_pieces_by_deadline", leader, cases.Filter{Query: "热冷热", State: "open", Sort: "due"}},
		{"search_open_by_deadline", leader, cases.Filter{Query: "暖气", State: "open", Sort: "due"}},
		{"search_company", leader, cases.Filter{Query: "物业说", Company: c.Company}},
		{"search_number", leader, cases.Filter{Query: c.No}},
		{"search_phone", leader, cases.Filter{Query: "13800000007"}},
		{"search_name", leader, cases.Filter{Query: "王桂兰"}},
	} {
		if err := m.ask(ctx, q.name, q.by, q.f); err != nil {
			return err
		}
	}
	return nil
}

// desks are the lists of companies, districts and workers, who see their own cases alone, and the queues of the centre.
func (m meter) desks(ctx context.Context) error {
	c := m.first.Items[0]
	company, district, worker := leader, leader, leader
	company.Org = c.Company
	company.Grants = []actor.Grant{{Role: actor.RoleCompany, City: city, Companies: []string{c.Company}}}
	district.Grants = []actor.Grant{{Role: actor.RoleDistrict, City: city, Districts: []string{c.District}}}
	worker.ID, worker.Org, worker.Grants = "worker-3", c.Company, []actor.Grant{{Role: actor.RoleWorker, City: city, Companies: []string{c.Company}}}
	for _, q := range []question{
		{"desk_company", company, cases.Filter{State: "open", Sort: "due"}},
		{"desk_company_all", company, cases.Filter{}},
		{"desk_company_search", company, cases.Filter{Query: "暖气"}},
		{"desk_district", district, cases.Filter{State: "open", Sort: "due"}},
		{"desk_worker", worker, cases.Filter{State: "open", Sort: "due"}},
		{"queue_verify", leader, cases.Filter{State: "open", Status: []cases.Status{cases.FedBack, cases.ToClose}, Sort: "due"}},
		{"queue_handling", leader, cases.Filter{State: "open", Status: []cases.Status{cases.Handling}, Sort: "due"}},
		{"queue_missing", leader, cases.Filter{State: "open", Flag: "missing", Sort: "due"}},
	} {
		if err := m.ask(ctx, q.name, q.by, q.f); err != nil {
			return err
		}
	}
	return nil
}

// beside is what stands beside a list: earlier cases, loads, the board, live changes.
func (m meter) beside(ctx context.Context) error {
	c := m.first.Items[0]
	figures := stats.New(m.db, nil)
	since := m.db.Now().Add(-time.Minute)
	for name, ask := range map[string]func() error{
		"earlier_of_caller": func() error {
			_, err := m.h.cases.Nearby(ctx, leader, city, cases.Near{Phone: "13800000007", Account: c.Account, Community: c.Community, Building: c.Building})
			return err
		},
		"loads":   func() error { _, err := m.h.cases.Loads(ctx, leader, city); return err },
		"board":   func() error { _, err := figures.Board(ctx, leader, city); return err },
		"changes": func() error { _, err := m.h.cases.Changes(ctx, leader, city, since); return err },
		"case":    func() error { _, err := m.h.cases.View(ctx, leader, city, c.ID); return err },
	} {
		if err := m.time(name, ask); err != nil {
			return err
		}
	}
	return nil
}

// exports writes every case as a table, and tells what memory that took at its highest.
func (m meter) exports(ctx context.Context) error {
	for _, format := range []sheet.Format{sheet.CSV, sheet.XLSX} {
		rows, top := 0, 0.0
		mean, _, err := timed(1, func(int) error {
			w, err := sheet.NewWriter(io.Discard, format, "no", "status", "category", "received", "address", "company", "district", "text")
			if err != nil {
				return err
			}
			err = m.h.cases.Export(ctx, leader, city, cases.Filter{}, func(c cases.Case) error {
				if rows++; rows%10_000 == 0 {
					top = max(top, rss())
				}
				return w.Row(c.No, string(c.Status), c.Category, c.ReceivedAt.Minute(), c.Address, c.Company, c.District, c.Text)
			})
			if err != nil {
				return err
			}
			return w.Close()
		})
		if err != nil {
			return fmt.Errorf("export as %s: %w", format, err)
		}
		l := line("export_"+string(format), m.db, rows, mean, 0, 0)
		l.RSSMB = max(top, l.RSSMB)
		if err := m.out(l); err != nil {
			return err
		}
	}
	return nil
}
