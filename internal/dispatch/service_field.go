package dispatch

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// GiveBack returns an order from a worker's telephone to the station, which gives it to somebody else. The case stays with
// the company and its clocks go on.
func (s *Service) GiveBack(ctx context.Context, by actor.Actor, in cases.Act) (cases.Case, error) {
	if err := in.Why(); err != nil {
		return cases.Case{}, err
	}
	act := audit.Act{Act: "case.give_back", Body: map[string]any{"reason": in.Reason}}
	return s.edit(ctx, by, in, map[string]any{"act": in, "event": "give_back"}, actor.CaseTake, act, func(ctx context.Context, tx *db.Tx, c *cases.Case) error {
		if c.Worker != by.ID {
			return fault.New(fault.Conflict, "dispatch.not_yours")
		}
		if !c.Status.WithUnit() {
			return fault.New(fault.Conflict, "dispatch.not_with_unit")
		}
		d, err := find(ctx, tx, c.City, c.DispatchID)
		if err != nil {
			return err
		}
		was := d
		d.Worker, d.TakenAt, c.Worker = "", 0, ""
		return save(ctx, tx, was, d)
	})
}

// unseen refuses a step that somebody decided on without knowing what others did meanwhile.
func (s *Service) unseen(ctx context.Context, tx *db.Tx, by actor.Actor, a cases.Act) error {
	if a.Seen == 0 {
		return nil
	}
	c := cases.Case{ID: a.ID, City: a.City}
	later, err := audit.History(ctx, tx, a.City, c.Subject(), a.Seen)
	if err != nil || len(Others(by, a.Seen, later)) == 0 {
		return err
	}
	return fault.New(fault.Conflict, "dispatch.changed")
}

// late keeps what a unit did before it said that it was done, and that reaches us only now, since a telephone was without
// a network: the deed and its photographs are added, what is empty is filled, and nothing else of the case changes.
func (s *Service) late(ctx context.Context, tx *db.Tx, by actor.Actor, ch change) (cases.Case, error) {
	r, err := s.o.Cases.Rules(ctx, tx, ch.act.City)
	if err != nil {
		return cases.Case{}, err
	}
	ch.body["event"] = string(ch.event)
	act := audit.Act{Act: "case.late", Body: ch.body}
	return s.o.Cases.EditIn(ctx, tx, by, ch.act.City, ch.act.ID, act, func(c *cases.Case) error {
		if err := by.May(actor.CaseHandle, c.On()); err != nil {
			return err
		}
		d, err := find(ctx, tx, c.City, c.DispatchID)
		if err != nil {
			return err
		}
		if end := d.FedBackAt; ch.event != cases.Take && !end.IsZero() && (ch.at.IsZero() || ch.at.After(end)) {
			return fault.New(fault.Conflict, "dispatch.after_feedback", "at", end.Minute())
		}
		copied, was := *c, d
		if err := ch.apply(ctx, tx, r, &copied, &d, &cases.Plan{}); err != nil {
			return err
		}
		if !was.ArrivedAt.IsZero() {
			d.ArrivedAt = was.ArrivedAt
		}
		c.ArrivedAt = d.ArrivedAt
		if was == d {
			return nil
		}
		return save(ctx, tx, was, d)
	})
}

// beside keeps a second feedback next to the one that was first: both can be read, the first one counts.
func (s *Service) beside(ctx context.Context, by actor.Actor, in Feedback) (cases.Case, error) {
	act := audit.Act{Act: "case.late", Body: in.Device.into(map[string]any{"event": string(cases.FeedBack), "solved": in.Form["solved"]})}
	return s.edit(ctx, by, in.Act, in, actor.CaseFeedBack, act, func(ctx context.Context, tx *db.Tx, c *cases.Case) error {
		if !isLate(c.Status) {
			return fault.New(fault.Conflict, "dispatch.no_first")
		}
		r, err := s.o.Cases.Rules(ctx, tx, c.City)
		if err != nil {
			return err
		}
		d, err := find(ctx, tx, c.City, c.DispatchID)
		if err != nil {
			return err
		}
		cat, _ := r.Pack.Category(c.Category)
		if err := CheckForm(r.Pack.FeedbackForm(cat), in.Form, len(in.Photos)); err != nil {
			return err
		}
		if err := s.photos(ctx, tx, by, *c, in.Photos); err != nil {
			return err
		}
		_, err = cases.AddDeed(ctx, tx, deed(*c, d, by, cases.DeedFeedback, "beside", tx.Now), in)
		return err
	})
}

// Appointments are the windows agreed with the residents of open cases that the actor may see, by case: the last one of
// each, and whether the resident confirmed it.
func (s *Service) Appointments(ctx context.Context, by actor.Actor, city int, ids []string) (map[string]Agreed, error) {
	out := map[string]Agreed{}
	_, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (struct{}, error) {
		for _, id := range ids {
			c, err := s.o.Cases.GetIn(ctx, tx, by, city, id)
			if fault.Is(err, fault.NotFound) {
				continue
			}
			if err != nil {
				return struct{}{}, err
			}
			deeds, err := cases.Deeds(ctx, tx, city, c.ID, "")
			if err != nil {
				return struct{}{}, err
			}
			if a, ok := AgreedOf(deeds); ok {
				out[id] = a
			}
		}
		return struct{}{}, nil
	})
	return out, err
}

// Agreed is when a unit comes.
type Agreed struct {
	Appointment
	Confirmed bool
}

// AgreedOf finds the last appointment among what was done about a case; none when a visit came after it.
func AgreedOf(deeds []cases.Deed) (Agreed, bool) {
	var out Agreed
	found, id := false, ""
	for _, d := range deeds {
		switch d.Kind {
		case cases.DeedAppointment:
			out = Agreed{Confirmed: d.Result == "confirmed"}
			found, id = d.Into(&out.Appointment) == nil, d.ID
		case cases.DeedAnswer:
			out.Confirmed = out.Confirmed || d.Result == "yes" && answerTo(d) == id
		case cases.DeedVisit, cases.DeedFeedback:
			found = false
		case cases.DeedContact, cases.DeedVerification, cases.DeedCallBack:
		}
	}
	return out, found
}
