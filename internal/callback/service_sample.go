package callback

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/page"
)

// Samples lists the sample calls that the reader may make: never of what they or their unit handled, or asked before.
func (s *Service) Samples(ctx context.Context, by actor.Actor, city int, f SampleFilter) (page.Of[SampleView], error) {
	var c fault.Check
	oneOf(&c, "state", f.State, Drawn, Answered, NoAnswer)
	if err := c.Err(); err != nil {
		return page.Of[SampleView]{}, err
	}
	if f.State == "" {
		f.State = Drawn
	}
	if err := by.May(actor.CaseCallBack, actor.On{City: city}); err != nil {
		return page.Of[SampleView]{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[SampleView], error) {
		rows, err := listSamples(ctx, tx, city, by, f)
		if err != nil {
			return page.Of[SampleView]{}, err
		}
		out := page.Of[SampleView]{Next: rows.Next}
		for _, x := range rows.Items {
			v, err := viewSample(ctx, tx, x)
			if err != nil {
				return out, err
			}
			out.Items = append(out.Items, v)
		}
		return out, nil
	})
}

// Draws lists the draws of the last days.
func (s *Service) Draws(ctx context.Context, by actor.Actor, city int) ([]Draw, error) {
	if err := by.May(actor.CaseCallBack, actor.On{City: city}); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Draw, error) { return draws(ctx, tx, city) })
}

func viewSample(ctx context.Context, tx *db.Tx, x Sample) (v SampleView, err error) {
	v.Sample = x
	if v.About, err = findOutcome(ctx, tx, x.City, x.Outcome); err != nil {
		return v, err
	}
	if v.Draw, _, err = findDraw(ctx, tx, x.City, x.Day); err != nil {
		return v, err
	}
	v.Tries, err = triesOf(ctx, tx, x.City, x.ID)
	return v, err
}

// Sample shows one sample call to somebody who may make it.
func (s *Service) Sample(ctx context.Context, by actor.Actor, city int, id string) (SampleView, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (SampleView, error) {
		v, _, err := s.mine(ctx, tx, by, city, id)
		return v, err
	})
}

// mine gives a sample call with its case to somebody who may make it. For whoever handled or asked, it does not exist.
func (s *Service) mine(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string) (SampleView, cases.Case, error) {
	if err := by.May(actor.CaseCallBack, actor.On{City: city}); err != nil {
		return SampleView{}, cases.Case{}, err
	}
	x, err := findSample(ctx, tx, city, id)
	if err != nil {
		return SampleView{}, cases.Case{}, err
	}
	v, err := viewSample(ctx, tx, x)
	if err != nil {
		return v, cases.Case{}, err
	}
	c, err := s.o.Cases.GetIn(ctx, tx, by, city, v.About.Case)
	if err != nil {
		return v, c, err
	}
	if v.About.CalledBy == by.ID {
		return v, c, fault.New(fault.NotFound, "not_found")
	}
	if err := s.o.Cases.NotHandlerIn(ctx, tx, by, c); fault.Is(err, fault.Denied) {
		return v, c, fault.New(fault.NotFound, "not_found")
	} else if err != nil {
		return v, c, err
	}
	return v, c, nil
}

// Call keeps one try at a sample call. Reached: the resident's word counts from now on, and "not solved" reopens the case once.
// Not reached after the pack's tries in its half-days: 未接通.
func (s *Service) Call(ctx context.Context, by actor.Actor, in Calling) (SampleView, error) {
	if err := in.check(); err != nil {
		return SampleView{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (SampleView, error) {
		r := once.Request{City: in.City, By: by, Key: in.Key, Body: in}
		_, err := once.Do(ctx, tx, r, func() (string, error) { return in.ID, s.callIn(ctx, tx, by, in) })
		if err != nil {
			return SampleView{}, err
		}
		x, err := findSample(ctx, tx, in.City, in.ID)
		if err != nil {
			return SampleView{}, err
		}
		return viewSample(ctx, tx, x)
	})
}

func (s *Service) callIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Calling) error {
	v, c, err := s.mine(ctx, tx, by, in.City, in.ID)
	if err != nil {
		return err
	}
	if v.Version != in.Version {
		return fault.New(fault.Conflict, "conflict.version")
	}
	r, err := s.o.Rules(ctx, tx, in.City)
	if err != nil {
		return err
	}
	o, event, result := r.Pack.Options(tx.Now), Again, unreached
	switch {
	case in.Reached:
		event, result = Reach, in.Solved
	case enough(v.Tries, tx.Now, o.CallbackTries, o.CallbackHalfDays):
		event = GiveUp
	}
	step, err := SampleLifecycle.Next(v.State, event)
	if err != nil {
		return err
	}
	t := Try{City: in.City, ID: tx.NewID(), Sample: in.ID, At: tx.Now, By: by.ID, ByName: by.Name, Channel: in.Channel, Result: result, Note: in.Word}
	if err := insertTry(ctx, tx, t); err != nil {
		return err
	}
	x := v.Sample
	if x.State = step.To; event != Again {
		x.Solved, x.Satisfied, x.Word, x.DoneAt, x.DoneBy = in.Solved, in.Satisfied, in.Word, tx.Now, by.ID
	}
	if err := saveSample(ctx, tx, x); err != nil {
		return err
	}
	act := audit.Act{Subject: subject(v.About), Act: "callback.sample", Body: map[string]any{"result": result, "try": len(v.Tries) + 1}}
	if err := audit.Record(ctx, tx, by, in.City, act); err != nil || event != Reach {
		return err
	}
	return s.heard(ctx, tx, by, v.About, c, in)
}

// heard lets the sample's answer count and follow.
func (s *Service) heard(ctx context.Context, tx *db.Tx, by actor.Actor, was Outcome, c cases.Case, in Calling) error {
	o := was
	o.hear(in.Solved, in.Satisfied, "sample", in.Word, tx.Now)
	if _, err := saveOutcome(ctx, tx, was, o); err != nil {
		return err
	}
	last, _, err := lastOutcome(ctx, tx, c.City, c.ID)
	if err != nil || in.Solved != no || last.ID != o.ID || !o.ReopenedAt.IsZero() {
		return err
	}
	_, err = s.reopen(ctx, tx, resident(by, c.City), c, cases.Phone, in.Word, Rated{})
	return err
}
