package callback

import (
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
	if !in.Rate.against(o.Place(in.Rate)) {
		return Appeal{}, fault.New(fault.Conflict, "callback.nothing_to_appeal")
	}
	if err := notFixed(ctx, tx, o, in.Rate); err != nil {
		return Appeal{}, err
	}
	if err := s.inTime(ctx, tx, o); err != nil {
		return Appeal{}, err
	}
	if err := newGrounds(ctx, tx, in, o); err != nil {
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

// newGrounds lets a refused appeal be made once more, for another reason than the one that was refused.
func newGrounds(ctx context.Context, tx *db.Tx, in Appealing, o Outcome) error {
	refused, err := refusedReasons(ctx, tx, o, in.Rate)
	switch {
	case err != nil:
		return err
	case len(refused) > 1:
		return fault.New(fault.Conflict, "callback.appealed_twice")
	case slices.Contains(refused, in.Reason):
		return fault.New(fault.Conflict, "callback.same_grounds")
	}
	return nil
}

// notFixed refuses an appeal against a figure that is fixed already. What a resident said after the freeze stands only in the
// present figures; the next edition takes it in, so that an appeal against it may come before that.
func notFixed(ctx context.Context, tx *db.Tx, o Outcome, r Rate) error {
	f, found, err := fixedPlace(ctx, tx, o)
	if err != nil || !found || !r.against(f.place(r)) {
		return err
	}
	return fault.New(fault.Conflict, "callback.figure_fixed", "from", f.From, "to", f.To, "edition", f.Edition)
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
			o.excuse(Excuse{Rate: a.Rate, Reason: a.Reason, Appeal: a.ID, At: tx.Now})
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

// decided refuses days that may still be appealed against: by their own end, or by what a resident said of them later.
func (s *Service) decided(ctx context.Context, tx *db.Tx, in Freezing) error {
	r, err := s.o.Rules(ctx, tx, in.City)
	if err != nil {
		return err
	}
	word, err := lastWord(ctx, tx, in.City, in.From, in.To)
	if err != nil {
		return err
	}
	until, err := appealUntil(r, tx.Now, max(word, in.To.End().Add(-1)))
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
