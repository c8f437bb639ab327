package settle

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/text"
)

// clockArgs are a job that brings the clocks of the legal days in line with what is owed.
type clockArgs struct{}

// Kind implements jobs.Args.
func (clockArgs) Kind() string { return "settle.clocks" }

// clockEvery is how often that is done without an act that asks for it.
const clockEvery = time.Hour

func (s *Service) clocks(ctx context.Context, j jobs.Job, _ clockArgs) error {
	if j.City == 0 { // the installation itself owes nothing
		return nil
	}
	return s.SetClocks(ctx, j.City)
}

// tick has the clocks looked at in the next full minute, after what is done now and whatever else happens until then.
func (s *Service) tick(ctx context.Context, tx *db.Tx, city int) error {
	if s.o.Clocks == nil {
		return nil
	}
	at := civil.Instant((int64(tx.Now)/time.Minute.Milliseconds() + 1) * time.Minute.Milliseconds())
	return jobs.Add(ctx, tx, city, clockArgs{}, jobs.When{At: at, Unique: at.String()})
}

// SetClocks starts, holds and stops the clocks of the legal days by what is owed now. Steps of escalation are the clocks' own.
func (s *Service) SetClocks(ctx context.Context, city int) error {
	if s.o.Clocks == nil {
		return nil
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		rules, err := s.o.Rules(ctx, tx, city)
		if err != nil {
			return err
		}
		going, err := s.o.Clocks.Owing(ctx, tx, city)
		if err != nil {
			return err
		}
		seasons := map[string]bool{}
		for back := range 3 {
			seasons[citypack.SeasonLabel(tx.Now.Date().AddMonths(-12*back))] = true
		}
		for _, k := range going {
			if d, ok := dutyOf(k.Subject); ok {
				seasons[d.Season] = true
			}
		}
		owed := map[string]bool{}
		for season := range seasons {
			if err := s.setSeason(ctx, tx, rules, city, season, owed); err != nil {
				return err
			}
		}
		for _, k := range going { // nothing stands for this day any more: its claims have another one, or come to nothing
			if owed[k.Subject] {
				continue
			}
			of := clock.Subject{City: city, Matter: k.Subject}
			if err := s.o.Clocks.Void(ctx, tx, of, k.Org, "", text.Msg("settle.clock.gone")); err != nil {
				return err
			}
		}
		return nil
	})
}

// setSeason sets the clocks of one season and notes whose clock stands for something.
func (s *Service) setSeason(ctx context.Context, tx *db.Tx, rules *citypack.Rules, city int, season string, owed map[string]bool) error {
	t, err := s.termsIn(ctx, tx, city, season)
	if fault.Is(err, fault.Invalid) || err == nil && t.plan == nil {
		return nil
	}
	if err != nil {
		return err
	}
	duties, err := dutiesOf(ctx, tx, city, season)
	if err != nil {
		return err
	}
	for _, d := range duties {
		of := clock.Subject{City: city, Matter: d.subject()}
		owed[d.subject()] = true
		switch {
		case d.Open > 0:
			err = s.o.Clocks.Owe(ctx, tx, rules, of, d.term(t))
		case d.Held > 0:
			err = s.o.Clocks.Hold(ctx, tx, of, citypack.ClockRefund, text.Msg("settle.clock.held", "n", d.Held))
		default:
			err = s.o.Clocks.Met(ctx, tx, of, citypack.ClockRefund, met(d, tx.Now))
		}
		if err != nil {
			return fmt.Errorf("clock of %s: %w", d.subject(), err)
		}
	}
	return nil
}

// met is when the last household was paid.
func met(d Duty, now civil.Instant) civil.Instant {
	if d.Paid.IsZero() || d.Paid.After(now) {
		return now
	}
	return d.Paid
}

// Step takes a step of escalation towards or past a legal day: it is recorded, and the role that the pack names is told how
// many households wait for how much. Clocks of others are not ours: false.
func (s *Service) Step(ctx context.Context, tx *db.Tx, by actor.Actor, k clock.Clock, step citypack.Step) (bool, error) {
	d, ours := dutyOf(k.Subject)
	if !ours {
		return false, nil
	}
	duties, err := dutiesOf(ctx, tx, k.City, d.Season)
	if err != nil {
		return true, err
	}
	for _, x := range duties {
		if x.subject() == k.Subject {
			d = x
		}
	}
	if d.Open == 0 {
		return true, s.tick(ctx, tx, k.City) // it was paid a moment ago
	}
	body := map[string]any{"clock": k.Code, "due": k.Due, "stage": step.Stage, "role": step.Role, "org": k.Org, "households": d.Open, "owed_yuan": d.Owed.Yuan()}
	if step.Document != nil {
		body["document"] = step.Document.ZH
	}
	if err := audit.Record(ctx, tx, by, k.City, audit.Act{Subject: k.Subject, Act: "refund.clock", Body: body}); err != nil || s.o.Notices == nil {
		return true, err
	}
	return true, s.warn(ctx, tx, d, k, step)
}

func (s *Service) warn(ctx context.Context, tx *db.Tx, d Duty, k clock.Clock, step citypack.Step) error {
	role, org := actor.Role(step.Role), ""
	if role.OfCompany() {
		org = d.Company
	}
	company := d.Company
	companies, err := place.CompaniesIn(ctx, tx, k.City)
	if err != nil {
		return err
	}
	for _, c := range companies {
		if c.Code == d.Company {
			company = c.Name
		}
	}
	document := text.Msg("settle.clock.no_document")
	if step.Document != nil {
		document = text.Msg("settle.clock.document", "document", *step.Document)
	}
	_, err = s.o.Notices.EnqueueIn(ctx, tx, actor.SystemFor("settle", actor.Job), notice.Message{
		City: k.City, Channel: notice.Console, Org: org, Role: role, Template: "settle.clock." + string(step.Stage), Lang: text.ZH,
		Params: map[string]any{
			"season": d.Season, "company": company, "n": d.Open, "amount": d.Owed.Yuan(), "day": d.PayBy.String(), "days": d.PayBy.DaysUntil(tx.Now.Date()),
			"document": document.In(text.ZH),
		},
		Subject: "season:" + d.Season, Matter: fmt.Sprintf("%s/clock/%s/%s/%s", k.Subject, k.ID, step.Stage, step.Role), QuietExempt: true,
	})
	if err != nil {
		return fmt.Errorf("tell of the legal day: %w", err)
	}
	return nil
}

// clocksOf are the clocks that a claim and its orders stand under, with what happened to them. Those that ended without
// counting, because nothing was owed for a while, are left out.
func (s *Service) clocksOf(ctx context.Context, tx *db.Tx, v View) ([]clock.Clock, []clock.Entry, error) {
	if s.o.Clocks == nil {
		return nil, nil, nil
	}
	days := map[civil.Date]bool{v.PayBy: true}
	for _, p := range v.Payouts {
		days[p.PayBy] = true
	}
	var matters []string
	for day := range days {
		if !day.IsZero() {
			matters = append(matters, Duty{Season: v.Season, Company: v.Company, PayBy: day}.subject())
		}
	}
	all, entries, err := s.o.Clocks.OfMatters(ctx, tx, v.City, matters)
	return slices.DeleteFunc(all, func(k clock.Clock) bool { return k.State == clock.Void }), entries, err // what never counted tells a reader nothing
}

// Escalated says which steps were taken about the clocks of a claim, in order, and who was told.
func (v View) Escalated() []text.Message {
	var out []text.Message
	for _, k := range v.Clocks {
		out = append(out, k.Told(v.ClockEntries)...)
	}
	return out
}

// ClockWords says in sentences why the claim must be paid by its day, and what happened since.
func (v View) ClockWords(rules *citypack.Rules) []calendar.Step {
	var out []calendar.Step
	for _, k := range v.Clocks {
		out = append(out, k.Explain(rules, v.ClockEntries)...)
	}
	return out
}

// stages sets how far the escalation about each company's overdue refunds has come.
func (s *Service) stages(ctx context.Context, tx *db.Tx, city int, season string, late []Overdue, days map[string][]civil.Date) error {
	if s.o.Clocks == nil {
		return nil
	}
	for i, o := range late {
		var matters []string
		for _, day := range days[o.Company] {
			matters = append(matters, Duty{Season: season, Company: o.Company, PayBy: day}.subject())
		}
		clocks, entries, err := s.o.Clocks.OfMatters(ctx, tx, city, matters)
		if err != nil {
			return err
		}
		for _, k := range clocks {
			if stage, at := k.Stage(entries); stage != "" && at >= late[i].StageAt {
				late[i].Stage, late[i].StageAt = stage, at
			}
		}
	}
	return nil
}
