package bench

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/packs"
)

// city is the fictional city whose rules the benchmarks use.
const city = 990100

// house is the services that a call goes through.
type house struct {
	cases *cases.Service
	names []territory.Community
}

func newHouse(d *db.DB, communities int) (house, error) {
	set, err := citypack.Load(packs.FS)
	if err != nil {
		return house{}, err
	}
	pack, err := set.City(city)
	if err != nil {
		return house{}, err
	}
	r := &citypack.Rules{Pack: pack, Calendar: calendar.Embedded()}
	rules := func(context.Context, *db.Tx, int) (*citypack.Rules, error) { return r, nil }
	runner := jobs.NewRunner(d, jobs.RunnerOptions{Name: "bench", Log: slog.New(slog.DiscardHandler), Machine: time.Now, Cities: func() []int { return []int{city} }})
	clocks, err := clock.New(clock.Options{DB: d, Rules: rules, Jobs: runner})
	if err != nil {
		return house{}, err
	}
	ring, err := secret.ParseRing("1:" + strings.Repeat("A", 43) + "=")
	if err != nil {
		return house{}, err
	}
	s := territory.BenchSnapshot(communities, max(communities/10, 10), 1)
	x := territory.Build(s)
	blobs := blob.New(d, nil)
	h := house{}
	for _, c := range s.Communities { // a call that needs a dispatcher is another matter
		if x.Attribute(territory.Query{Text: c.Name + "3号楼2单元601 " + territory.BenchComplaint(c)}).MayAutoDispatch() {
			h.names = append(h.names, c)
		}
	}
	h.cases = cases.New(cases.Options{
		DB: d, Ring: ring, Blobs: blobs, Clocks: clocks, Rules: rules,
		Attribute: func(_ context.Context, _ *db.Tx, _ int, q territory.Query) (territory.Answer, error) {
			return x.Attribute(q), nil
		},
	})
	dispatch.New(dispatch.Options{
		DB: d, Cases: h.cases, Clocks: clocks, Blobs: blobs,
		IsCompany: func(context.Context, *db.Tx, int, string) (bool, error) { return true, nil },
	})
	return h, nil
}

var callers = []string{"王桂兰", "李秀英", "张建国", "刘洋", "陈静", "杨志强", "赵敏", "黄丽", "周涛", "吴桂芳", "徐明", "孙玉兰", "马超", "朱红", "胡军", "林芳", "郭伟", "何萍", "高翔", "罗燕"}

// opening is a call as a seat takes it.
func (h house) opening(i int) cases.Opening {
	c := h.names[i%len(h.names)]
	return cases.Opening{
		City: city, Door: citypack.DoorSeat, Channel: cases.Phone, Category: "cold_home", Nature: citypack.Repair, Scope: cases.Home,
		Text: territory.BenchComplaint(c), Caller: cases.Party{Name: callers[i%len(callers)], Phone: fmt.Sprintf("1380%07d", i)},
		Address: c.Name + "3号楼2单元601", Room: "601", TestRequest: "yes",
		Details: cases.Details{Since: "昨晚", Neighbours: "no", Leak: "no"},
	}
}

// statement is one that ours issued.
type statement struct {
	query string
	args  []any
}

// intake measures a call from the seat's key to the company's list, durable: ours, and the statements that write the same
// rows issued by hand on an equal database.
func intake(ctx context.Context, o Options, out func(Line) error) error {
	n := o.N
	if n == 0 {
		n = 2000
	}
	var all [][]statement
	var one []statement
	record := false
	p, err := open(ctx, o, func(q string, args []any) {
		if !record {
			return
		}
		if q == "COMMIT" {
			all, one = append(all, one), nil
			return
		}
		if writes(q) {
			one = append(one, statement{q, args})
		}
	})
	if err != nil {
		return err
	}
	defer p.close()
	h, err := newHouse(p.db, 2000)
	if err != nil {
		return err
	}
	by := actor.Actor{ID: "bench", Kind: actor.Person, Org: "centre", Door: actor.Page, Grants: []actor.Grant{{Role: actor.RoleSeat, City: city}}}
	for i := range 50 { // the first ones prepare statements
		if _, err := h.cases.Open(ctx, by, h.opening(1_000_000+i)); err != nil {
			return err
		}
	}
	record = true
	ours, p99, err := timed(n, func(i int) error {
		o.tell(i, 2*n)
		c, err := h.cases.Open(ctx, by, h.opening(i))
		if err == nil && !c.Dispatched {
			err = fmt.Errorf("case %s was not dispatched", c.Case.No)
		}
		return err
	})
	if err != nil {
		return err
	}
	record = false
	raw, err := replay(ctx, o, p.db, all, n)
	if err != nil {
		return err
	}
	return out(line("intake", p.db, n, ours, raw, p99))
}

func writes(q string) bool {
	q = strings.TrimSpace(q)
	return strings.HasPrefix(q, "INSERT") || strings.HasPrefix(q, "UPDATE") || strings.HasPrefix(q, "DELETE")
}

// replay writes the same rows by hand. The rows of ours are taken away first, so that both sides start from the same state.
func replay(ctx context.Context, o Options, d *db.DB, all [][]statement, n int) (int64, error) {
	tables, err := db.Tables()
	if err != nil {
		return 0, err
	}
	err = db.Do(ctx, d, func(tx *db.Tx) error {
		for _, table := range slices.Backward(tables) {
			if _, err := db.Exec(ctx, tx, "DELETE FROM "+table.Name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	raw, _, err := timed(len(all), func(i int) error {
		o.tell(n+i, 2*n)
		return db.Do(ctx, d, func(tx *db.Tx) error {
			for _, s := range all[i] {
				if _, err := db.Exec(ctx, tx, s.query, s.args...); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return raw, err
}

// attribute measures how fast a complaint finds its company, and how much memory the index takes.
func attribute(_ context.Context, o Options, out func(Line) error) error {
	n := o.N
	if n == 0 {
		n = 20000
	}
	s := territory.BenchSnapshot(20000, 2000, 1)
	start := time.Now()
	x := territory.Build(s)
	build := time.Since(start).Nanoseconds()
	texts := make([]string, 1000)
	for i := range texts {
		texts[i] = territory.BenchComplaint(s.Communities[i*17%len(s.Communities)])
	}
	ours, p99, err := timed(n, func(i int) error {
		o.tell(i, n)
		if a := x.Attribute(territory.Query{Text: texts[i%len(texts)]}); a.Decision == territory.Unknown {
			return fmt.Errorf("%q found nothing", texts[i%len(texts)])
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := out(line("attribute", nil, n, ours, 0, p99)); err != nil {
		return err
	}
	return out(line("attribute_rebuild", nil, len(s.Communities), build, 0, float64(build)/1e6))
}
