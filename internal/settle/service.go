package settle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Options set up a Service. Notices, Clocks, Jobs and Events may be left out.
type Options struct {
	DB      *db.DB
	Ring    *secret.Ring
	Places  *place.Service
	Fees    *fee.Service
	Notices *notice.Service // tells companies and the authority of the legal day, and residents of their money
	Clocks  *clock.Ledger   // of the legal days
	Jobs    *jobs.Runner
	Rules   func(ctx context.Context, tx *db.Tx, city int) (*citypack.Rules, error)
	// Events gives what was measured at a home, in the order in which it happened.
	Events func(ctx context.Context, tx *db.Tx, city int, account string) ([]refund.Event, error)

	Patience time.Duration // how long a settlement must stand still before another process takes it over; 3 seconds
	Batch    int           // claims of a transaction; 1000
}

// Service offers the use cases.
type Service struct{ o Options }

// New makes the service and, where there is a runner, registers its jobs.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Ring == nil || o.Places == nil || o.Fees == nil || o.Rules == nil {
		return nil, errors.New("settle: a database, a keyring, households, bills and the rules of the cities are needed")
	}
	if o.Patience == 0 {
		o.Patience = 3 * time.Second
	}
	if o.Batch == 0 {
		o.Batch = 1000
	}
	s := &Service{o: o}
	if o.Jobs != nil {
		jobs.Handle(o.Jobs, s.spread)
		jobs.Handle(o.Jobs, s.order)
		jobs.Handle(o.Jobs, s.run)
		jobs.Handle(o.Jobs, s.clocks)
		jobs.Handle(o.Jobs, s.recount)
		o.Jobs.Every(recountEvery, recountArgs{})
		o.Jobs.Every(clockEvery, clockArgs{})
	}
	return s, nil
}

// chainOf is the audit chain of a household, where everything about its money stands.
func chainOf(account string) string { return "household:" + account }

// terms are the rule of a season made ready, and the season.
type terms struct {
	plan   *refund.Plan // nil: no rule is known
	rule   string
	season refund.Season
	label  string
	mark   string // moves when the rule or the season does
}

// termsIn finds the rule of a season: the one that the authority chose, else the dated one in force when it starts.
func (s *Service) termsIn(ctx context.Context, tx *db.Tx, city int, label string) (terms, error) {
	rules, err := s.o.Rules(ctx, tx, city)
	if err != nil {
		return terms{}, err
	}
	out := terms{label: label}
	season, ok := rules.Pack.SeasonNamed(label, "", rules.Declared)
	if !ok {
		return out, fault.New(fault.Invalid, "settle.no_season", "season", label)
	}
	out.season = refund.Season{From: season.Start, To: season.End, Days: wholeDays(season)}
	rule, ok := rules.Pack.RefundRuleOn(season.Start.Date())
	chosen, has, err := choiceIn(ctx, tx, city, label)
	if err != nil {
		return out, err
	}
	if has {
		rule, ok = rules.Pack.RefundRule(chosen.Rule)
	}
	if !ok {
		return out, nil
	}
	provisional := rules.Pack.Provisional(rule.Origin)
	days := rules.Pack.Doc.Season.StatutDays.Or(season.Start.Date(), 0)
	out.plan, out.rule = refund.Compile(rule, refund.Options{Provisional: provisional, SeasonDays: days}), rule.ID
	out.mark = fmt.Sprint(rule.ID, provisional, days, int64(season.Start), int64(season.End))
	return out, nil
}

// wholeDays is how many days of 24 hours a season has, 0 when that leaves a rest.
func wholeDays(s citypack.Season) int {
	d := s.End.Sub(s.Start)
	if d <= 0 || d%(24*time.Hour) != 0 {
		return 0
	}
	return int(d / (24 * time.Hour))
}

// input is what the engine is asked; from is the instant from which a deadline of so many months runs, upto limits the days
// that count, absent for all.
func (t terms) input(events []refund.Event, b Basis, from civil.Instant, upto civil.Date) refund.Input {
	in := refund.Input{Season: t.season, AgreedC: b.AgreedC, Fee: b.Fee, Events: events}
	if events == nil {
		in.Events = []refund.Event{} // nothing happened, or nothing of it holds any more
	}
	if !from.IsZero() {
		in.Claimed = from.Date()
	}
	if !upto.IsZero() {
		in.Only = refund.Span{To: upto}
	}
	return in
}

// last is the season's last day.
func (t terms) last() civil.Date { return t.season.To.Add(-time.Millisecond).Date() }

// runs reports whether what was reckoned up to a day comes to something else by the end of the season, though nothing
// further is recorded. A longer spell never pays less, so that what is the same then is the same on every day between.
func (t terms) runs(in refund.Input, was refund.Result, scratch *refund.Scratch) bool {
	if !in.Only.To.Before(t.last()) {
		return false
	}
	in.Only.To = t.last()
	then, _ := t.assess(&in, scratch)
	return then.Refund != was.Refund || then.Counted != was.Counted || then.Status != was.Status || then.PayBy != was.PayBy
}

// upto is the last day that can count now: today, or the season's last.
func (t terms) upto(now civil.Instant) civil.Date {
	last, today := t.last(), now.Date()
	if today.After(last) {
		return last
	}
	return today
}

// assess gives what a claim comes to. Without a rule, or with facts that the engine refuses, it is not computable.
func (t terms) assess(in *refund.Input, scratch *refund.Scratch) (refund.Result, string) {
	if t.plan == nil {
		return refund.Result{Status: refund.NotComputable}, "rule"
	}
	r, err := t.plan.Assess(in, scratch)
	if err != nil {
		f := fault.Of(err)
		key := f.Key
		if len(f.Fields) > 0 {
			key = f.Fields[0].Name
		}
		return refund.Result{Status: refund.NotComputable}, key
	}
	if r.Status == refund.NotComputable {
		r.Refund = 0
		return r, "see"
	}
	return r, ""
}

// missing names what a claim that cannot be computed lacks; the engine says it only with words.
func (t terms) missing(in *refund.Input, said string) string {
	if said != "see" {
		return said
	}
	a, err := t.plan.Explain(in)
	if err != nil {
		return said
	}
	return strings.Join(a.Missing, " ")
}

// within limits rows with the columns company, district, area and station to what a scope covers.
func within(scope actor.Scope, alias string, args []any) (string, []any) {
	if scope.All {
		return "1 = 1", args
	}
	var parts []string
	for _, p := range scope.Parts {
		var both []string
		for _, c := range []struct {
			column string
			values []string
		}{{"district", p.Districts}, {"company", p.Companies}, {"area", p.Areas}, {"station", p.Stations}} {
			if len(c.values) == 0 {
				continue
			}
			marks := make([]string, len(c.values))
			for i, v := range c.values {
				args = append(args, v)
				marks[i] = "$" + strconv.Itoa(len(args))
			}
			both = append(both, alias+c.column+" IN ("+strings.Join(marks, ", ")+")")
		}
		if len(both) == 0 {
			both = []string{"1 = 1"}
		}
		parts = append(parts, "("+strings.Join(both, " AND ")+")")
	}
	if len(parts) == 0 {
		return "1 = 0", args
	}
	return "(" + strings.Join(parts, " OR ") + ")", args
}

// on is what an act about a claim touches.
func (c Claim) on() actor.On {
	return actor.On{City: c.City, District: c.District, Company: c.Company, Area: c.Area, Station: c.Station}
}

// may asks for a permission on a claim; whoever may not even read it learns nothing of it.
func may(by actor.Actor, p actor.Permission, c Claim) error {
	if err := by.May(actor.RefundRead, c.on()); err != nil {
		return actor.Hide(err)
	}
	if p == actor.RefundRead {
		return nil
	}
	return by.May(p, c.on())
}

// mayCompany asks for a permission on everything of a company.
func mayCompany(by actor.Actor, p actor.Permission, city int, company string) error {
	return by.May(p, actor.On{City: city, Company: company})
}

// allowed are the events that the actor may cause from a claim's state.
func allowed(by actor.Actor, c Claim) []Event {
	var out []Event
	for _, step := range Lifecycle.From(c.State) {
		if step.By != "" && by.May(actor.Permission(step.By), c.on()) == nil && !slices.Contains(out, step.Event) {
			out = append(out, step.Event)
		}
	}
	return out
}
