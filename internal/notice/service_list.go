package notice

import (
	"context"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/page"
)

// List shows the messages of a city, newest first, to those who see every case of it.
func (s *Service) List(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[View], error) {
	if err := mayList(by, city); err != nil {
		return page.Of[View]{}, err
	}
	if err := f.Check(); err != nil {
		return page.Of[View]{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[View], error) { return s.list(ctx, tx, city, f) })
}

func (s *Service) list(ctx context.Context, tx *db.Tx, city int, f Filter) (page.Of[View], error) {
	rows, err := list(ctx, tx, city, f)
	if err != nil {
		return page.Of[View]{}, err
	}
	cut := page.Cut(rows, f.Request, func(n Notice) []any { return []any{n.ID} })
	views, err := s.mask(ctx, tx, city, cut.Items)
	if err == nil {
		err = addQuestions(ctx, tx, city, views)
	}
	return page.Of[View]{Items: views, Next: cut.Next}, err
}

func addQuestions(ctx context.Context, tx *db.Tx, city int, views []View) error {
	asked, err := questionsOf(ctx, tx, city, views)
	if err != nil {
		return err
	}
	for i, v := range views {
		if q, ok := asked[v.ID]; ok {
			views[i].Question = &q
		}
	}
	return nil
}

// Export gives every message of a filter to each, newest first; a page at a time, so that any number takes little memory.
func (s *Service) Export(ctx context.Context, by actor.Actor, city int, f Filter, each func(View) error) error {
	if err := by.May(actor.CaseExport, actor.On{City: city}); err != nil {
		return err
	}
	f.Request = page.Request{Size: page.MaxSize}
	for {
		some, err := s.List(ctx, by, city, f)
		if err != nil {
			return err
		}
		for _, v := range some.Items {
			if err := each(v); err != nil {
				return err
			}
		}
		if some.Next == "" {
			return nil
		}
		f.After = some.Next
	}
}

// Get shows one message to those who see every case of the city.
func (s *Service) Get(ctx context.Context, by actor.Actor, city int, id string) (View, error) {
	if err := mayList(by, city); err != nil {
		return View{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (View, error) {
		n, err := find(ctx, tx, city, id)
		if err != nil {
			return View{}, err
		}
		views, err := s.mask(ctx, tx, city, []Notice{n})
		if err == nil {
			err = addQuestions(ctx, tx, city, views)
		}
		if err != nil {
			return View{}, err
		}
		return views[0], nil
	})
}

// mostCounted bounds the counting of what waits.
const mostCounted = 1000

// Loads counts what waits for the gateway or for staff.
func (s *Service) Loads(ctx context.Context, by actor.Actor, city int) ([]Load, error) {
	if err := mayList(by, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Load, error) {
		var out []Load
		for _, state := range []State{Held, Failed, Queued} {
			n, err := count(ctx, tx, city, state, mostCounted+1)
			if err != nil {
				return nil, err
			}
			out = append(out, Load{state, min(n, mostCounted), n > mostCounted})
		}
		return out, nil
	})
}

// mayList asks for a sight of every case: a company's people see the messages of their cases on the case.
func mayList(by actor.Actor, city int) error {
	if err := by.May(actor.CaseRead, actor.On{City: city}); err != nil {
		return err
	}
	if !by.ScopeOf(actor.CaseRead, city).All {
		return fault.New(fault.Denied, "denied.scope")
	}
	return nil
}

// Tell notes that staff told a held or failed message themselves, by telephone or at the counter, and how.
func (s *Service) Tell(ctx context.Context, by actor.Actor, in ByHand) (Notice, error) {
	return s.byHand(ctx, by, in, TellSelf)
}

// Resend lets a held or failed message be sent after all, for instance once a gateway is set up.
func (s *Service) Resend(ctx context.Context, by actor.Actor, in ByHand) (Notice, error) {
	return s.byHand(ctx, by, in, Requeue)
}

func (s *Service) byHand(ctx context.Context, by actor.Actor, in ByHand, e Event) (Notice, error) {
	if err := by.May(actor.CaseUrge, actor.On{City: in.City}); err != nil {
		return Notice{}, err
	}
	if err := mayList(by, in.City); err != nil {
		return Notice{}, err
	}
	in.Reason = strings.TrimSpace(in.Reason)
	var c fault.Check
	c.That(in.Reason != "", "reason", "field.required")
	c.That(len([]rune(in.Reason)) <= 300, "reason", "field.too_long", "max", 300)
	if err := c.Err(); err != nil {
		return Notice{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Notice, error) {
		n, err := find(ctx, tx, in.City, in.ID)
		if err != nil {
			return n, err
		}
		if n.Recipient == "" && n.Channel != Console { // whose data were erased: there is nobody to tell
			return n, fault.New(fault.Conflict, "notice.reason.erased")
		}
		if hasHidden(n) {
			return n, fault.New(fault.Conflict, "notice.private_gone")
		}
		if e == TellSelf {
			n.SentKey = byVoice
		}
		if n, err = move(ctx, tx, n, in.Version, e, ""); err != nil {
			return n, err
		}
		if e == Requeue {
			err = jobs.Add(ctx, tx, in.City, sending{n.ID}, jobs.When{})
		}
		if err != nil {
			return n, err
		}
		subject := n.Subject
		if subject == "" {
			subject = "notice:" + n.ID
		}
		body := n.facts()
		body["reason"] = in.Reason
		return n, audit.Record(ctx, tx, by, in.City, audit.Act{Subject: subject, Act: "notice." + string(e), Body: body})
	})
}

// hasHidden tells a message with private parameters: staff can neither tell nor repeat it.
func hasHidden(n Notice) bool {
	for _, v := range n.Params {
		if v == Hidden {
			return true
		}
	}
	return false
}
