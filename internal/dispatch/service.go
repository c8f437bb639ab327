package dispatch

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/territory"
)

// Options are what the service stands on.
type Options struct {
	DB     *db.DB
	Cases  *cases.Service
	Clocks *clock.Ledger
	Blobs  *blob.Service
	// IsCompany reports whether a code names a heating company of the city that can be dispatched to.
	IsCompany func(ctx context.Context, tx *db.Tx, city int, code string) (bool, error)
	// Learn keeps a dispatcher's choice as a rule of attribution; nil keeps none.
	Learn func(ctx context.Context, tx *db.Tx, by actor.Actor, city int, r territory.Rule) error
	// Ask sends a question to the resident of a case; its answer comes back through Answered. Nil asks nobody.
	Ask func(ctx context.Context, tx *db.Tx, c cases.Case, question, ref string, params map[string]string) error
	// Settled ends a question that the resident answered on the page of their case.
	Settled func(ctx context.Context, tx *db.Tx, c cases.Case, ref string) error
}

// Service offers the use cases.
type Service struct{ o Options }

// New makes the service and takes its place behind cases and the ledger of time limits.
func New(o Options) *Service {
	s := &Service{o: o}
	o.Cases.Filed, o.Cases.Reopened, o.Cases.Ended = s.filed, s.reopened, s.ended
	o.Clocks.OnStep = s.step
	return s
}

// View is everything about one case that this capability knows.
type View struct {
	Dispatches []Dispatch `json:"dispatches"`
	Requests   []Request  `json:"requests"`
}

// Of gives the dispatches and requests of a case that the actor may read.
func (s *Service) Of(ctx context.Context, by actor.Actor, city int, caseID string) (View, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (View, error) {
		if _, err := s.o.Cases.GetIn(ctx, tx, by, city, caseID); err != nil {
			return View{}, err
		}
		var v View
		var err error
		if v.Dispatches, err = of(ctx, tx, city, caseID); err != nil {
			return View{}, err
		}
		v.Requests, err = requestsOf(ctx, tx, city, caseID)
		return v, err
	})
}

// Waiting is one undecided request with its case.
type Waiting struct {
	Request
	File cases.Case `json:"case_file"`
}

// Waiting lists the undecided requests on the cases that the actor may see, longest waiting first; kind may be empty.
func (s *Service) Waiting(ctx context.Context, by actor.Actor, city int, kind RequestKind) ([]Waiting, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Waiting, error) {
		rows, err := waiting(ctx, tx, city, kind)
		if err != nil {
			return nil, err
		}
		var out []Waiting
		for _, r := range rows {
			c, err := s.o.Cases.GetIn(ctx, tx, by, city, r.Case)
			if fault.Is(err, fault.NotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			out = append(out, Waiting{Request: r, File: c})
		}
		return out, nil
	})
}

// change is a step of a case that a unit or the centre takes here, with the lead unit's dispatch in hand.
type change struct {
	act    cases.Act
	event  cases.Event
	body   map[string]any
	public bool
	adds   bool          // it adds to what was done before: it is kept, too, when the case has moved on
	at     civil.Instant // when it happened, as the unit says
	apply  func(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *cases.Case, d *Dispatch, plan *cases.Plan) error
}

// do runs a change: once per key, in one transaction, with the clocks told at the end.
func (s *Service) do(ctx context.Context, by actor.Actor, ch change, input any) (cases.Case, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (cases.Case, error) {
		return cases.OnceIn(ctx, tx, by, ch.act, input, func() (cases.Case, error) { return s.doIn(ctx, tx, by, ch) })
	})
}

func (s *Service) doIn(ctx context.Context, tx *db.Tx, by actor.Actor, ch change) (cases.Case, error) {
	if ch.adds {
		c, err := s.o.Cases.GetIn(ctx, tx, by, ch.act.City, ch.act.ID)
		if err != nil {
			return cases.Case{}, err
		}
		if _, err := cases.Lifecycle.Next(c.Status, ch.event); err != nil && isLate(c.Status) {
			return s.late(ctx, tx, by, ch)
		}
	}
	r, err := s.o.Cases.Rules(ctx, tx, ch.act.City)
	if err != nil {
		return cases.Case{}, err
	}
	return s.o.Cases.MoveIn(ctx, tx, by, ch.act.City, ch.act.ID, cases.Change{
		Event: ch.event, Version: ch.act.Version, Body: ch.body, Public: ch.public,
		Apply: func(c *cases.Case) error {
			var d Dispatch
			if c.DispatchID != "" {
				if d, err = find(ctx, tx, c.City, c.DispatchID); err != nil {
					return err
				}
			}
			was := d
			plan := cases.Plan{Org: clock.Org{Org: c.Company, Ref: c.ClockRef()}}
			if err := ch.apply(ctx, tx, r, c, &d, &plan); err != nil {
				return err
			}
			if was.ID != "" && was.ID == d.ID && was != d {
				if err := save(ctx, tx, was, d); err != nil {
					return err
				}
			}
			return s.o.Cases.Run(ctx, tx, r, c, plan)
		},
	})
}

// filed hands a case to its company in the transaction that files it, when that needs no person.
func (s *Service) filed(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, c *cases.Case, a territory.Answer, plan *cases.Plan) error {
	cat, ok := r.Pack.Category(c.Category)
	if !ok {
		return nil
	}
	methods := r.Pack.Options(tx.Now).AutoDispatchMethods
	way, company := Auto, a.Company
	switch {
	case c.Proposed != "" && c.Proposed != a.Company && by.May(actor.CaseDispatch, c.On()) == nil:
		way, company = Manual, c.Proposed // a dispatcher who takes the call chose the company
	case !cat.MayAutoDispatch() || !a.MayAutoDispatch() || c.Proposed != a.Company:
		return nil
	case len(methods) > 0 && !slices.Contains(methods, string(a.Method)):
		return nil
	}
	if cat.PhoneFirst {
		way = PhoneFirst
	}
	return s.send(ctx, tx, by, c, sending{company: company, way: way}, plan)
}

// reopened tells the company that had the case.
func (s *Service) reopened(ctx context.Context, tx *db.Tx, by actor.Actor, _ *citypack.Rules, c *cases.Case, plan *cases.Plan) error {
	if c.Company == "" {
		return nil
	}
	return s.send(ctx, tx, by, c, sending{company: c.Company, way: Reopened}, plan)
}

// ended closes the dispatches of a case that leaves the units' hands for good.
func (s *Service) ended(ctx context.Context, tx *db.Tx, c cases.Case, e cases.Event) error {
	list, err := of(ctx, tx, c.City, c.ID)
	if err != nil {
		return err
	}
	kind := "done"
	if e == cases.Cancel || e == cases.Withdraw || e == cases.Terminate {
		kind = "void"
	}
	for _, d := range list {
		if !d.EndedAt.IsZero() {
			continue
		}
		was := d
		d.EndedAt, d.EndKind = tx.Now, kind
		if err := save(ctx, tx, was, d); err != nil {
			return err
		}
	}
	return nil
}

// sending is one dispatch to be made.
type sending struct {
	company   string
	way       Way
	reason    string
	recording string
}

// told is when the unit knew: a dispatch is the latest moment, its own hotline may have been earlier.
func (in sending) told(c cases.Case, now civil.Instant) civil.Instant {
	if in.way != Auto && in.way != Manual && in.way != PhoneFirst {
		return now
	}
	if at := c.Details.ToldAt; !at.IsZero() && at.Before(now) {
		return at
	}
	if c.Channel == cases.CompanyIn {
		return c.ReceivedAt
	}
	return now
}

// send makes a unit the lead of a case and lets its clocks start. A lead before it is replaced by the caller.
func (s *Service) send(ctx context.Context, tx *db.Tx, by actor.Actor, c *cases.Case, in sending, plan *cases.Plan) error {
	if err := s.isCompany(ctx, tx, c.City, "company", in.company); err != nil {
		return err
	}
	d := Dispatch{
		City: c.City, ID: tx.NewID(), Case: c.ID, Company: in.company, Part: Lead, Way: in.way, Reason: in.reason, Station: c.Station,
		Recording: in.recording, ToldAt: in.told(*c, tx.Now), DeliveredAt: tx.Now, By: by.ID, Version: 1,
	}
	if err := insert(ctx, tx, d); err != nil {
		return err
	}
	c.Dispatched(d.ID, in.company, tx.Now, in.way == Designated)
	plan.Org = clock.Org{Org: in.company, Ref: d.ID}
	if !c.TestAt.IsZero() {
		plan.Happened = append(plan.Happened, clock.Happened{Event: citypack.EventRequested, At: c.TestAt})
	}
	plan.Happened = append(plan.Happened,
		clock.Happened{Event: citypack.EventCompanyTold, At: d.ToldAt}, clock.Happened{Event: citypack.EventDelivered, At: tx.Now})
	return s.sent(ctx, tx, by, *c, d)
}

func (s *Service) isCompany(ctx context.Context, tx *db.Tx, city int, field, code string) error {
	ok, err := s.o.IsCompany(ctx, tx, city, code)
	if err != nil || ok {
		return err
	}
	var check fault.Check
	check.Add(field, "dispatch.no_such_company", "code", code)
	return check.Err()
}

// sent keeps in the case's chain who was told, and how.
func (s *Service) sent(ctx context.Context, tx *db.Tx, by actor.Actor, c cases.Case, d Dispatch) error {
	body := map[string]any{"company": d.Company, "way": d.Way, "dispatch": d.ID, "told_at": d.ToldAt}
	if d.Reason != "" {
		body["reason"] = d.Reason
	}
	if d.Recording != "" {
		body["recording"] = d.Recording
	}
	return audit.Record(ctx, tx, by, c.City, audit.Act{Subject: c.Subject(), Act: "case.told", Public: true, Body: body})
}

func needText(check *fault.Check, name, v string, most int) {
	check.That(strings.TrimSpace(v) != "", name, "field.required")
	check.That(utf8.RuneCountInString(v) <= most, name, "field.too_long", "max", most)
}
