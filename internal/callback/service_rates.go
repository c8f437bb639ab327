package callback

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/page"
)

// Rates gives the figures of a period, in all and apart, with who left each denominator and what was appealed against.
func (s *Service) Rates(ctx context.Context, by actor.Actor, q Query) (Rates, error) {
	if err := q.check(); err != nil {
		return Rates{}, err
	}
	scopes, err := seeing(by, q.City)
	if err != nil {
		return Rates{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Rates, error) {
		out := Rates{From: q.From, To: q.To, By: q.By}
		if q.Period != "" {
			p, err := findPeriod(ctx, tx, q.City, q.Period)
			if err != nil {
				return out, err
			}
			out.Period, out.From, out.To = &p, p.From, p.To
		}
		counted, err := cells(ctx, tx, q, scopes)
		if err != nil {
			return out, err
		}
		appealed, err := appealCells(ctx, tx, q, scopes)
		if err != nil {
			return out, err
		}
		out.fold(counted, appealed)
		return out, nil
	})
}

func (r *Rates) fold(counted []cell, appealed []appealCell) {
	all, each := newCounter(""), map[string]*counter{}
	for _, x := range counted {
		if each[x.Key] == nil {
			each[x.Key] = newCounter(x.Key)
		}
		each[x.Key].add(x)
		all.add(x)
	}
	for _, a := range appealed {
		if c := each[a.Key]; c != nil {
			c.appeal(a)
			all.appeal(a)
		}
	}
	r.All = all.group()
	for _, c := range each {
		r.Groups = append(r.Groups, c.group())
	}
	slices.SortFunc(r.Groups, func(a, b Group) int { return cmp.Compare(a.Key, b.Key) })
}

// Outcomes lists the rows behind a number.
func (s *Service) Outcomes(ctx context.Context, by actor.Actor, q Query) (page.Of[Outcome], error) {
	if err := q.check(); err != nil {
		return page.Of[Outcome]{}, err
	}
	scopes, err := seeing(by, q.City)
	if err != nil {
		return page.Of[Outcome]{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Outcome], error) {
		rows, err := outcomes(ctx, tx, q, scopes, q.Limit()+1)
		for i := range rows {
			rows[i] = rows[i].shownTo(by)
		}
		return page.Cut(rows, q.Request, func(o Outcome) []any { return []any{o.ID} }), err
	})
}

// shownTo is an outcome as somebody may read it: what a resident says of a unit in their own words is not for that unit, whose
// people it may name.
func (o Outcome) shownTo(by actor.Actor) Outcome {
	if o.Company != "" && by.Org == o.Company {
		o.Word = ""
	}
	return o
}

// Export gives every row behind a number, without an end.
func (s *Service) Export(ctx context.Context, by actor.Actor, q Query, row func(Outcome) error) error {
	q.Size, q.After = page.MaxSize, ""
	for {
		p, err := s.Outcomes(ctx, by, q)
		if err != nil {
			return err
		}
		for _, o := range p.Items {
			if err := row(o); err != nil {
				return err
			}
		}
		if q.After = p.Next; q.After == "" {
			return nil
		}
	}
}

// Outcome shows one outcome with its appeals.
func (s *Service) Outcome(ctx context.Context, by actor.Actor, city int, id string) (Outcome, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Outcome, error) {
		o, err := findOutcome(ctx, tx, city, id)
		if err != nil {
			return o, err
		}
		return o.shownTo(by), actor.Hide(mayRead(by, o))
	})
}

func onOf(o Outcome) actor.On {
	return actor.On{City: o.City, District: o.District, Company: o.Company, Area: o.Area, Station: o.Station}
}

func mayRead(by actor.Actor, o Outcome) error {
	err := by.May(actor.StatsRead, onOf(o))
	for _, p := range []actor.Permission{actor.CaseAppeal, actor.CaseDecideAppeal} {
		if by.May(p, onOf(o)) == nil {
			return nil
		}
	}
	return err
}

// Appeal asks that an outcome be not counted in a rate (申诉), within the pack's working days after the resident's word.
func (s *Service) Appeal(ctx context.Context, by actor.Actor, in Appealing) (Appeal, error) {
	if err := in.check(); err != nil {
		return Appeal{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Appeal, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (Appeal, error) { return s.appealIn(ctx, tx, by, in) })
	})
}

func (s *Service) appealIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Appealing) (Appeal, error) {
	o, err := findOutcome(ctx, tx, in.City, in.Outcome)
	if err != nil {
		return Appeal{}, err
	}
	if err := by.May(actor.CaseAppeal, onOf(o)); err != nil {
		return Appeal{}, actor.Hide(err)
	}
	against := Miss
	if in.Rate == Mismatch {
		against = Hit
	}
	if o.Place(in.Rate) != against {
		return Appeal{}, fault.New(fault.Conflict, "callback.nothing_to_appeal")
	}
	if err := s.inTime(ctx, tx, o); err != nil {
		return Appeal{}, err
	}
	a := Appeal{
		City: o.City, ID: tx.NewID(), Outcome: o.ID, Day: o.Day, Rate: in.Rate, Company: o.Company, Reason: in.Reason, Words: in.Words, Proof: in.Proof,
		State: Asked, AskedAt: tx.Now, AskedBy: by.ID, Version: 1,
	}
	if err := insertAppeal(ctx, tx, a); db.IsUnique(err) {
		return a, fault.New(fault.Conflict, "callback.appealed")
	} else if err != nil {
		return a, err
	}
	act := audit.Act{Subject: subject(o), Act: "callback.appeal", Body: map[string]any{"rate": a.Rate, "reason": a.Reason}}
	return a, audit.Record(ctx, tx, by, o.City, act)
}

// inTime refuses an appeal after the pack's working days.
func (s *Service) inTime(ctx context.Context, tx *db.Tx, o Outcome) error {
	r, err := s.o.Rules(ctx, tx, o.City)
	if err != nil {
		return err
	}
	until, err := appealUntil(r, tx.Now, max(o.At, o.SaidAt))
	if err != nil || until.IsZero() || tx.Now.Before(until) {
		return err
	}
	return fault.New(fault.Conflict, "dispatch.appeal_late", "until", calendar.When(until))
}

// appealUntil is when the time to appeal ends; zero when the pack has none, or the calendar of that year is not known yet.
func appealUntil(r *citypack.Rules, now, from civil.Instant) (civil.Instant, error) {
	days := r.Pack.Options(now).AppealWorkingDays
	if days == 0 {
		return 0, nil
	}
	end, err := r.Calendar.Due(calendar.Input{Limit: calendar.Of(days, calendar.WorkingDays), From: from})
	return end.Due, err
}

// Decide decides an appeal (申诉审定). Not for who dispatched, handled or asked the resident, nor for the company.
func (s *Service) Decide(ctx context.Context, by actor.Actor, in Deciding) (Appeal, error) {
	var check fault.Check
	in.Note = strings.TrimSpace(in.Note)
	words(&check, "note", in.Note, true)
	if err := check.Err(); err != nil {
		return Appeal{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Appeal, error) {
		a, err := findAppeal(ctx, tx, in.City, in.ID)
		if err != nil {
			return a, err
		}
		o, err := findOutcome(ctx, tx, in.City, a.Outcome)
		if err != nil {
			return a, err
		}
		event := Refuse
		if in.Uphold {
			event = Uphold
		}
		step, err := AppealLifecycle.Next(a.State, event)
		if err != nil {
			return a, err
		}
		if err := by.May(actor.Permission(step.By), onOf(o)); err != nil {
			return a, err
		}
		if err := s.impartial(ctx, tx, by, a, o); err != nil {
			return a, err
		}
		a.State, a.DecidedAt, a.DecidedBy, a.Note, a.Version = step.To, tx.Now, by.ID, in.Note, in.Version
		if err := decideAppeal(ctx, tx, a); err != nil {
			return a, err
		}
		a.Version++
		if in.Uphold {
			was := o
			o.excuse(a.Rate, a.Reason)
			if _, err := saveOutcome(ctx, tx, was, o); err != nil {
				return a, err
			}
		}
		act := audit.Act{Subject: subject(o), Act: "callback.appeal_" + string(a.State), Body: map[string]any{"rate": a.Rate, "note": a.Note}}
		return a, audit.Record(ctx, tx, by, o.City, act)
	})
}

// impartial refuses whoever had a hand in what is appealed against.
func (s *Service) impartial(ctx context.Context, tx *db.Tx, by actor.Actor, a Appeal, o Outcome) error {
	c, err := s.o.Cases.GetIn(ctx, tx, by, o.City, o.Case)
	if err != nil {
		return err
	}
	if err := s.o.Cases.NotHandlerIn(ctx, tx, by, c); err != nil {
		return err
	}
	sent, err := dispatched(ctx, tx, o.City, o.Case, by.ID)
	if err != nil {
		return err
	}
	if sent || by.ID == a.AskedBy || by.ID == o.CalledBy || by.ID == o.HandledBy || by.Org == o.Company {
		return fault.New(fault.Denied, "callback.own_part")
	}
	return nil
}

// Appeals lists appeals, the newest first.
func (s *Service) Appeals(ctx context.Context, by actor.Actor, city int, f AppealFilter) (page.Of[AppealView], error) {
	if err := f.check(); err != nil {
		return page.Of[AppealView]{}, err
	}
	scopes, err := seeing(by, city)
	if err != nil {
		return page.Of[AppealView]{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[AppealView], error) {
		rows, err := listAppeals(ctx, tx, city, scopes, f)
		out := page.Of[AppealView]{Next: rows.Next}
		for _, a := range rows.Items {
			o, err := findOutcome(ctx, tx, city, a.Outcome)
			if err != nil {
				return out, err
			}
			out.Items = append(out.Items, AppealView{Appeal: a, About: o})
		}
		return out, err
	})
}

// Freeze fixes the figures of past days once their appeals are decided and none may come any more; once fixed, it makes a
// correction (更正), which needs its reason.
func (s *Service) Freeze(ctx context.Context, by actor.Actor, in Freezing) (Period, error) {
	var check fault.Check
	in.Reason = strings.TrimSpace(in.Reason)
	checkDays(&check, in.From, in.To)
	words(&check, "reason", in.Reason, false)
	if err := check.Err(); err != nil {
		return Period{}, err
	}
	if err := by.May(actor.CaseDecideAppeal, actor.On{City: in.City}); err != nil {
		return Period{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Period, error) {
		p := Period{City: in.City, ID: tx.NewID(), From: in.From, To: in.To, Edition: 1, Reason: in.Reason, FrozenAt: tx.Now, FrozenBy: by.ID}
		last, again, err := lastEdition(ctx, tx, in.City, in.From, in.To)
		if err != nil {
			return p, err
		}
		if again {
			if p.Edition = last.Edition + 1; in.Reason == "" {
				check.Add("reason", "callback.correction_reason")
				return p, check.Err()
			}
		}
		if err := s.decided(ctx, tx, in); err != nil {
			return p, err
		}
		if err := insertPeriod(ctx, tx, p); db.IsUnique(err) {
			return p, fault.New(fault.Conflict, "callback.frozen")
		} else if err != nil {
			return p, err
		}
		act := audit.Act{Subject: "callback_period:" + in.From.String() + "/" + in.To.String(), Act: "callback.freeze", Body: map[string]any{"edition": p.Edition, "reason": p.Reason}}
		return p, audit.Record(ctx, tx, by, in.City, act)
	})
}

// decided refuses days that may still be appealed against.
func (s *Service) decided(ctx context.Context, tx *db.Tx, in Freezing) error {
	r, err := s.o.Rules(ctx, tx, in.City)
	if err != nil {
		return err
	}
	until, err := appealUntil(r, tx.Now, in.To.End().Add(-1))
	if err != nil {
		return err
	}
	if until = max(until, in.To.End()); tx.Now.Before(until) {
		return fault.New(fault.Conflict, "callback.appeals_open", "until", calendar.When(until))
	}
	n, err := openAppeals(ctx, tx, in.City, in.From, in.To)
	if err == nil && n > 0 {
		err = fault.New(fault.Conflict, "callback.appeals_undecided", "n", n)
	}
	return err
}

// Periods lists the editions of fixed figures, newest first.
func (s *Service) Periods(ctx context.Context, by actor.Actor, city int) ([]Period, error) {
	if _, err := seeing(by, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Period, error) { return periods(ctx, tx, city) })
}
