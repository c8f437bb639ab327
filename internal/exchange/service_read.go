package exchange

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/page"
)

// Filter narrows a list of tickets; empty fields do not.
type Filter struct {
	Platform  string     `json:"platform" form:"platform"`
	Query     string     `json:"q" form:"q"` // either side's number, or the number of the case
	Status    Status     `json:"status" form:"status"`
	OpenedBy  Side       `json:"opened_by" form:"opened_by"`
	Case      string     `json:"case" form:"case"` // id
	Attention string     `json:"attention" form:"attention"`
	From      civil.Date `json:"from" form:"from"`
	To        civil.Date `json:"to" form:"to"` // that day included
	page.Request
}

// View is a ticket with everything that was said about it.
type View struct {
	Ticket
	Messages []Entry   `json:"messages"`
	Requests []Request `json:"requests"`
	Files    []File    `json:"files"` // of their messages, as far as they were fetched
	Allowed  []Event   `json:"allowed"`
}

// List shows the tickets that the actor may see, the newest first.
func (s *Service) List(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Ticket], error) {
	if !by.MayAny(actor.ExchangeRead, city) {
		return page.Of[Ticket]{}, by.May(actor.ExchangeRead, actor.On{City: city})
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Ticket], error) {
		rows, err := listTickets(ctx, tx, city, by.ScopeOf(actor.ExchangeRead, city), f)
		if err != nil {
			return page.Of[Ticket]{}, err
		}
		return page.Cut(rows, f.Request, func(t Ticket) []any { return []any{t.ID} }), nil
	})
}

// Export hands every ticket of a filter to fn.
func (s *Service) Export(ctx context.Context, by actor.Actor, city int, f Filter, fn func(Ticket) error) error {
	f.Request = page.Request{Size: page.MaxSize}
	for {
		list, err := s.List(ctx, by, city, f)
		if err != nil {
			return err
		}
		for _, t := range list.Items {
			if err := fn(t); err != nil {
				return err
			}
		}
		if f.After = list.Next; f.After == "" {
			return nil
		}
	}
}

// Get shows a ticket.
func (s *Service) Get(ctx context.Context, by actor.Actor, city int, id string) (View, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (View, error) {
		t, err := s.seen(ctx, tx, by, city, id, actor.ExchangeRead)
		if err != nil {
			return View{}, err
		}
		v := View{Ticket: t, Allowed: []Event{}}
		if v.Messages, err = entriesOf(ctx, tx, t); err != nil {
			return v, err
		}
		if v.Requests, err = requestsOf(ctx, tx, t); err != nil {
			return v, err
		}
		if v.Files, err = filesOf(ctx, tx, t); err != nil {
			return v, err
		}
		if by.May(actor.ExchangeSend, t.On()) == nil {
			v.Allowed = slices.DeleteFunc(t.Allowed(tx.Now), v.nothingAsked)
		}
		return v, nil
	})
}

// nothingAsked reports whether an event decides or answers something that the other side has not asked for.
func (v View) nothingAsked(e Event) bool {
	d, ok := decides[e]
	return ok && !slices.ContainsFunc(v.Requests, func(r Request) bool { return r.Way == In && r.Kind == d.kind && r.State == Asked })
}

// OfCase lists the tickets of a case that the actor may see.
func (s *Service) OfCase(ctx context.Context, by actor.Actor, city int, caseID string) ([]View, error) {
	list, err := s.List(ctx, by, city, Filter{Case: caseID})
	if err != nil {
		return nil, err
	}
	out := make([]View, len(list.Items))
	for i, t := range list.Items {
		if out[i], err = s.Get(ctx, by, city, t.ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Waiting is a message that has not arrived, with its ticket.
type Waiting struct {
	Entry
	No     string `db:"no" json:"ticket"`
	CaseNo string `db:"case_no" json:"case_no,omitempty"`
}

// Queue lists what waits: to go out, for staff to decide, or for a message before it; longest waiting first.
func (s *Service) Queue(ctx context.Context, by actor.Actor, city int, platform string, state MessageState) ([]Waiting, error) {
	if !by.MayAny(actor.ExchangeRead, city) {
		return nil, by.May(actor.ExchangeRead, actor.On{City: city})
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Waiting, error) {
		return listWaiting(ctx, tx, city, by.ScopeOf(actor.ExchangeRead, city), platform, state)
	})
}

// ReplayAll sends everything again that waits to go to a platform, at once: after it was away.
func (s *Service) ReplayAll(ctx context.Context, by actor.Actor, city int, platform string) (int64, error) {
	if err := by.May(actor.ExchangeManage, actor.On{City: city}); err != nil {
		return 0, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (int64, error) {
		if _, err := platformIn(ctx, tx, city, platform); err != nil {
			return 0, err
		}
		n, err := hurry(ctx, tx, city, platform)
		if err != nil {
			return n, err
		}
		ids, err := dueTickets(ctx, tx, city)
		if err != nil {
			return n, err
		}
		for _, id := range ids {
			if err := jobs.Add(ctx, tx, city, sending{id}, jobs.When{Unique: "exchange:" + id}); err != nil {
				return n, err
			}
		}
		return n, nil
	})
}

// wake has a ticket's messages sent now.
func (s *Service) wake(ctx context.Context, tx *db.Tx, t Ticket) error {
	return jobs.Add(ctx, tx, t.City, sending{t.ID}, jobs.When{})
}
