package handover

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/page"
)

// Options are what the service stands on.
type Options struct {
	DB       *db.DB
	Cases    *cases.Service
	Dispatch *dispatch.Service
	Outages  *outage.Service
	Rules    func(ctx context.Context, tx *db.Tx, city int) (*citypack.Rules, error)
}

// Service offers the use cases.
type Service struct{ o Options }

// New makes the service.
func New(o Options) *Service { return &Service{o: o} }

// shown is how many items a part lists; its total counts all, and the page links to the list.
const shown = 50

// Draft shows what the sheet would hold now.
func (s *Service) Draft(ctx context.Context, by actor.Actor, city int) ([]Part, error) {
	if err := by.May(actor.HandoverWrite, actor.On{City: city}); err != nil {
		return nil, err
	}
	var parts []Part
	for _, p := range Lists() {
		part, err := s.listed(ctx, by, city, p)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	for _, k := range []dispatch.RequestKind{dispatch.AskReturn, dispatch.AskDispute, dispatch.Supervision} {
		part, err := s.requested(ctx, by, city, k)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	stops, err := s.stops(ctx, by, city)
	return append(parts, stops), err
}

// Listing is a part that is a list of cases: the filter behind it is the link on the page.
type Listing struct {
	Name   string
	Filter cases.Filter
}

// Lists are the parts that are lists of cases.
func Lists() []Listing {
	return []Listing{
		{"unsigned", cases.Filter{State: "open", Status: []cases.Status{cases.Dispatched}, Sort: "due"}},
		{"undispatched", cases.Filter{State: "open", Status: []cases.Status{cases.Reported, cases.Accepted, cases.Filed}, Sort: "due"}},
		{"overdue", cases.Filter{State: "open", Late: "overdue", Sort: "due"}},
		{"near", cases.Filter{State: "open", Late: "near", Sort: "due"}},
		{"leaders", cases.Filter{State: "open", Channel: cases.Leader, Sort: "due"}},
	}
}

func (s *Service) listed(ctx context.Context, by actor.Actor, city int, l Listing) (Part, error) {
	f := l.Filter
	f.Request = page.Request{Size: shown}
	rows, err := s.o.Cases.List(ctx, by, city, f)
	if err != nil {
		return Part{}, err
	}
	n, err := s.o.Cases.Count(ctx, by, city, l.Filter)
	if err != nil {
		return Part{}, err
	}
	p := Part{Name: l.Name, Total: n.N, More: rows.Next != ""}
	for _, c := range rows.Items {
		p.Items = append(p.Items, item(c, ""))
	}
	return p, nil
}

func item(c cases.Case, why string) Item {
	return Item{Case: c.ID, No: c.No, Status: c.Status, Address: c.Address, Company: c.Company, Due: c.DueAt, Clock: c.DueClock, Why: why}
}

func (s *Service) requested(ctx context.Context, by actor.Actor, city int, k dispatch.RequestKind) (Part, error) {
	rows, err := s.o.Dispatch.Waiting(ctx, by, city, k)
	p := Part{Name: string(k), Total: int64(len(rows))}
	for i, w := range rows {
		if i == shown {
			p.More = true
			break
		}
		p.Items = append(p.Items, item(w.File, w.Reason))
	}
	return p, err
}

func (s *Service) stops(ctx context.Context, by actor.Actor, city int) (Part, error) {
	rows, err := s.o.Outages.List(ctx, by, city, outage.Filter{Open: true, Request: page.Request{Size: page.MaxSize}})
	p := Part{Name: "stops", Total: int64(len(rows.Items)), More: rows.Next != ""}
	for _, o := range rows.Items {
		p.Items = append(p.Items, Item{No: o.No, Company: o.Company, Until: o.Until, Why: o.Reason})
	}
	return p, err
}

// Writing is the input of Write.
type Writing struct {
	City int    `json:"-" form:"-"`
	Note string `json:"note" form:"note"`
}

// Write keeps the sheet of this moment for the next shift.
func (s *Service) Write(ctx context.Context, by actor.Actor, in Writing) (Sheet, error) {
	var check fault.Check
	check.That(utf8.RuneCountInString(in.Note) <= 2000, "note", "field.too_long", "max", 2000)
	if err := check.Err(); err != nil {
		return Sheet{}, err
	}
	parts, err := s.Draft(ctx, by, in.City)
	if err != nil {
		return Sheet{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Sheet, error) {
		if _, waits, err := waiting(ctx, tx, in.City); err != nil || waits {
			return Sheet{}, orWaits(err)
		}
		r, err := s.o.Rules(ctx, tx, in.City)
		if err != nil {
			return Sheet{}, err
		}
		day := tx.Now.Date()
		n, err := db.Next(ctx, tx, in.City, "handover:"+day.String())
		if err != nil {
			return Sheet{}, err
		}
		sheet := Sheet{
			City: in.City, ID: tx.NewID(), No: r.Pack.Number("handover", day, n, fmt.Sprintf("%s-%02d", day, n)), State: Written,
			Parts: parts, Note: strings.TrimSpace(in.Note), WrittenAt: tx.Now, WrittenBy: by.ID, Writer: by.Name, Version: 1,
		}
		if err := insert(ctx, tx, sheet); err != nil {
			return Sheet{}, err
		}
		return sheet, audit.Record(ctx, tx, by, in.City, audit.Act{Subject: "handover:" + sheet.ID, Act: "handover.write", Body: totals(parts)})
	})
}

func orWaits(err error) error {
	if err != nil {
		return err
	}
	return fault.New(fault.Conflict, "handover.waits")
}

func totals(parts []Part) map[string]any {
	body := map[string]any{}
	for _, p := range parts {
		body[p.Name] = p.Total
	}
	return body
}

// Taking is the input of Take.
type Taking struct {
	City    int    `json:"-" form:"-"`
	ID      string `json:"-" form:"-"`
	Version int64  `json:"version" form:"version"`
	Reply   string `json:"reply" form:"reply"`
}

// Take takes the shift over.
func (s *Service) Take(ctx context.Context, by actor.Actor, in Taking) (Sheet, error) {
	var check fault.Check
	check.That(utf8.RuneCountInString(in.Reply) <= 2000, "reply", "field.too_long", "max", 2000)
	if err := check.Err(); err != nil {
		return Sheet{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Sheet, error) {
		sheet, err := find(ctx, tx, in.City, in.ID)
		if err != nil {
			return Sheet{}, err
		}
		step, err := Lifecycle.Next(sheet.State, Take)
		if err != nil {
			return Sheet{}, err
		}
		if err := by.May(actor.Permission(step.By), actor.On{City: in.City}); err != nil {
			return Sheet{}, err
		}
		if sheet.WrittenBy == by.ID {
			return Sheet{}, fault.New(fault.Denied, "handover.own")
		}
		sheet.State, sheet.TakenAt, sheet.TakenBy, sheet.Taker, sheet.Reply = step.To, tx.Now, by.ID, by.Name, strings.TrimSpace(in.Reply)
		if err := take(ctx, tx, sheet, in.Version); err != nil {
			return Sheet{}, err
		}
		sheet.Version++
		return sheet, audit.Record(ctx, tx, by, in.City, audit.Act{Subject: "handover:" + sheet.ID, Act: "handover.take"})
	})
}

// Get gives one sheet.
func (s *Service) Get(ctx context.Context, by actor.Actor, city int, id string) (Sheet, error) {
	if err := by.May(actor.HandoverWrite, actor.On{City: city}); err != nil {
		return Sheet{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Sheet, error) { return find(ctx, tx, city, id) })
}

// List shows the sheets of a city, newest first.
func (s *Service) List(ctx context.Context, by actor.Actor, city int, r page.Request) (page.Of[Sheet], error) {
	if err := by.May(actor.HandoverWrite, actor.On{City: city}); err != nil {
		return page.Of[Sheet]{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Sheet], error) { return list(ctx, tx, city, r) })
}
