package outage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
)

// Options set up a Service. Households, Notices and Jobs may be left out.
type Options struct {
	DB         *db.DB
	Rules      func(ctx context.Context, tx *db.Tx, city int) (*citypack.Rules, error)
	Owner      func(ctx context.Context, tx *db.Tx, city int, community, building string) (company, area string, err error)
	Households func(ctx context.Context, tx *db.Tx, city int, stretches []place.Stretch) (int, error) // nil: not counted
	Notices    *notice.Service                                                                        // reminds the company of a word that is due
	Jobs       *jobs.Runner
	Machine    func() time.Time // machine time: how often other processes' changes are looked for
}

// Service offers the use cases. The fields are set by whoever puts the program together, before the first call.
type Service struct {
	o     Options
	cache *cache

	// OnLink is told that a case belongs to a stop, or with an empty stop that it does not any more, in the same
	// transaction; it refuses a case that there is not. Nil is nobody.
	OnLink func(ctx context.Context, tx *db.Tx, by actor.Actor, city int, caseID, outage string) error
	// Tell passes a step or word on to the caller of one linked case; a job calls it for each. Nil is nobody.
	Tell func(ctx context.Context, tx *db.Tx, by actor.Actor, o Outage, w Word, caseID string) error
}

// New makes the service and, where there is a runner, registers its jobs.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Rules == nil || o.Owner == nil || o.Machine == nil {
		return nil, errors.New("outage: a database, the rules of the cities, who serves where, and machine time are needed")
	}
	s := &Service{o: o, cache: newCache(o)}
	if o.Jobs != nil {
		jobs.Handle(o.Jobs, s.remind)
		jobs.Handle(o.Jobs, s.tell)
	}
	return s, nil
}

func subject(id string) string { return "outage:" + id }

// Report keeps a company's report of a stop.
func (s *Service) Report(ctx context.Context, by actor.Actor, in Report) (View, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (View, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (View, error) {
			return s.ReportIn(ctx, tx, by, in)
		})
	})
}

// ReportIn is Report in the caller's transaction.
func (s *Service) ReportIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Report) (View, error) {
	if err := mayReport(by, in.City, in.Company); err != nil {
		return View{}, err
	}
	if err := in.check(tx.Now); err != nil {
		return View{}, err
	}
	rules, err := s.o.Rules(ctx, tx, in.City)
	if err != nil {
		return View{}, err
	}
	o := Outage{
		City: in.City, ID: tx.NewID(), Company: in.Company, Kind: in.Kind, Reason: in.Reason, Start: in.Start, Until: in.Until,
		FirstUntil: in.Until, State: Reported, Reported: tx.Now, WordAt: tx.Now, Reporter: by.ID, Version: 1,
	}
	scopes, err := s.place(ctx, tx, by, o, in.Scope)
	if err != nil {
		return View{}, err
	}
	if o.No, err = number(ctx, tx, rules, in.City); err != nil {
		return View{}, err
	}
	if o.Telling = tellingFor(rules, o); o.Telling != nil && o.Kind == Sudden {
		o.Telling.told(rules, o, tx.Now)
	}
	o.judge(tx.Now)
	if o.Households, err = s.count(ctx, tx, in.City, scopes); err != nil {
		return View{}, err
	}
	if err := insert(ctx, tx, o, scopes); err != nil {
		return View{}, err
	}
	w := Word{Event: File, Text: o.Reason, Until: o.Until}
	if err := s.say(ctx, tx, by, rules, o, w); err != nil {
		return View{}, err
	}
	return view(ctx, tx, o)
}

// mayReport asks whether the actor reports for a company at all; each place is asked for by itself.
func mayReport(by actor.Actor, city int, company string) error {
	scope := by.ScopeOf(actor.OutageReport, city)
	ours := func(p actor.Part) bool { return len(p.Companies) == 0 || slices.Contains(p.Companies, company) }
	if scope.All || slices.ContainsFunc(scope.Parts, ours) {
		return nil
	}
	return by.May(actor.OutageReport, actor.On{City: city, Company: company})
}

func number(ctx context.Context, tx *db.Tx, rules *citypack.Rules, city int) (string, error) {
	day := tx.Now.Date()
	n, err := db.Next(ctx, tx, city, "outage:"+day.String())
	return rules.Pack.Number("outage", day, n, fmt.Sprintf("%s-%03d", day, n)), err
}

// place checks every place of a report: it exists, the company serves it, and the actor may report for its station.
func (s *Service) place(ctx context.Context, tx *db.Tx, by actor.Actor, o Outage, in []Scope) ([]Scope, error) {
	var c fault.Check
	out := make([]Scope, 0, len(in))
	for i, p := range in {
		p.City, p.Outage, p.N = o.City, o.ID, i
		field := fmt.Sprintf("scope.%d", i)
		company, station, err := s.locate(ctx, tx, &p)
		switch {
		case fault.Is(err, fault.NotFound):
			c.Add(field, "outage.no_such_place")
			continue
		case err != nil:
			return nil, err
		case company != o.Company:
			c.Add(field, "outage.not_theirs")
			continue
		}
		if err := by.May(actor.OutageReport, actor.On{City: o.City, Company: o.Company, Station: station, District: p.District}); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, c.Err()
}

// locate names a place and tells whose it is and which station heats it.
func (s *Service) locate(ctx context.Context, tx *db.Tx, p *Scope) (company, station string, err error) {
	p.Building = place.BuildingNo(p.Building)
	none := fault.New(fault.NotFound, "not_found")
	if p.Community == "" {
		if p.Station == "" || p.Building != "" {
			return "", "", none
		}
		st, ok, err := place.StationIn(ctx, tx, p.City, p.Station)
		if err == nil && !ok {
			err = none
		}
		p.Name = st.Name
		return st.Company, st.Code, err
	}
	if p.Station != "" || p.Zone != "" {
		return "", "", none // a community or a station, not both
	}
	community, err := place.CommunityIn(ctx, tx, p.City, p.Community)
	if err != nil {
		return "", "", err
	}
	p.Name, p.District = community.Name, community.District
	company, _, err = s.o.Owner(ctx, tx, p.City, p.Community, p.Building)
	return company, community.Station, err
}

func (s *Service) count(ctx context.Context, tx *db.Tx, city int, scopes []Scope) (*int, error) {
	if s.o.Households == nil {
		return nil, nil
	}
	stretches := make([]place.Stretch, len(scopes))
	for i, p := range scopes {
		stretches[i] = p.stretch()
	}
	n, err := s.o.Households(ctx, tx, city, stretches)
	return &n, err
}

// Change moves a stop on, gives another expected time, or says a word.
func (s *Service) Change(ctx context.Context, by actor.Actor, in Change) (View, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (View, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (View, error) {
			return s.ChangeIn(ctx, tx, by, in)
		})
	})
}

// ChangeIn is Change in the caller's transaction.
func (s *Service) ChangeIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Change) (View, error) {
	o, err := visible(ctx, tx, by, in.City, in.ID, actor.OutageReport)
	if err != nil {
		return View{}, err
	}
	if err := in.check(tx.Now); err != nil {
		return View{}, err
	}
	step, err := Lifecycle.Next(o.State, in.Event)
	if err != nil {
		return View{}, err
	}
	rules, err := s.o.Rules(ctx, tx, in.City)
	if err != nil {
		return View{}, err
	}
	o.State, o.WordAt = step.To, tx.Now
	o.apply(rules, in, tx.Now)
	if o, err = update(ctx, tx, o, in.Version); err != nil {
		return View{}, err
	}
	if err := s.say(ctx, tx, by, rules, o, Word{Event: in.Event, Text: in.Text, Until: o.Until}); err != nil {
		return View{}, err
	}
	return view(ctx, tx, o)
}

// apply sets the times that an event brings.
func (o *Outage) apply(rules *citypack.Rules, in Change, now civil.Instant) {
	if !in.Until.IsZero() {
		o.Until = in.Until
		if o.FirstUntil.IsZero() {
			o.FirstUntil = in.Until
		}
	}
	switch in.Event {
	case Announce:
		if o.Announced.IsZero() {
			o.Announced = now
			if o.Telling != nil && o.Kind == Planned {
				o.Telling.told(rules, *o, now)
			}
		}
	case Restore:
		o.Restored = now
	case Relapse:
		o.Restored = 0
	case Lift:
		o.Ended = now
	case Cancel:
		o.Ended, o.Late = now, false // heat was never off
		if o.Telling != nil {
			o.Telling.Late = false
		}
	case Begin, Reschedule, Say, File:
	}
	if in.Event != Cancel {
		o.judge(now)
	}
}

// say keeps a word, records the act, sets the reminder of the next word, and lets the callers of linked cases hear it.
func (s *Service) say(ctx context.Context, tx *db.Tx, by actor.Actor, rules *citypack.Rules, o Outage, w Word) error {
	w.City, w.ID, w.Outage, w.At, w.Person = o.City, tx.NewID(), o.ID, tx.Now, by.ID
	if err := insertWord(ctx, tx, w); err != nil {
		return err
	}
	if err := s.bump(ctx, tx, o.City); err != nil {
		return err
	}
	act := audit.Act{Subject: subject(o.ID), Act: "outage." + string(w.Event), Public: true, Body: map[string]any{
		"no": o.No, "company": o.Company, "state": o.State, "until": o.Until.String(), "late": o.Late,
	}}
	if err := audit.Record(ctx, tx, by, o.City, act); err != nil {
		return err
	}
	if err := s.remindLater(ctx, tx, rules, o); err != nil {
		return err
	}
	return s.tellLater(ctx, tx, w)
}

// Get shows a stop with everything about it.
func (s *Service) Get(ctx context.Context, by actor.Actor, city int, id string) (View, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (View, error) {
		o, err := visible(ctx, tx, by, city, id, actor.OutageRead)
		if err != nil {
			return View{}, err
		}
		return view(ctx, tx, o)
	})
}

// visible gives a stop that the actor holds a permission for; whoever may not know of it finds nothing.
func visible(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string, p actor.Permission) (Outage, error) {
	if !by.MayAny(p, city) {
		return Outage{}, by.May(p, actor.On{City: city})
	}
	o, err := find(ctx, tx, city, id)
	if err != nil {
		return o, err
	}
	scopes, err := scopesOf(ctx, tx, city, id)
	if err != nil {
		return o, err
	}
	if !covers(by.ScopeOf(p, city), o, scopes) {
		return Outage{}, fault.New(fault.NotFound, "not_found")
	}
	return o, nil
}

func view(ctx context.Context, tx *db.Tx, o Outage) (View, error) {
	v := View{Outage: o, Explain: o.Explain()}
	var err error
	if v.Scope, err = scopesOf(ctx, tx, o.City, o.ID); err != nil {
		return v, err
	}
	if v.Words, err = wordsOf(ctx, tx, o.City, o.ID); err != nil {
		return v, err
	}
	v.Cases, err = casesOf(ctx, tx, o.City, o.ID)
	return v, err
}

// List shows stops, the newest first, as far as the actor's scope reaches.
func (s *Service) List(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Outage], error) {
	if !by.MayAny(actor.OutageRead, city) {
		return page.Of[Outage]{}, by.May(actor.OutageRead, actor.On{City: city})
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Outage], error) {
		rows, err := list(ctx, tx, city, by.ScopeOf(actor.OutageRead, city), f)
		if err != nil {
			return page.Of[Outage]{}, err
		}
		return page.Cut(rows, f.Request, func(o Outage) []any { return []any{o.ID} }), nil
	})
}

// Linking names cases that belong to a stop, or do not.
type Linking struct {
	City  int      `json:"city" form:"city"`
	ID    string   `json:"id" form:"id"`
	Cases []string `json:"cases" form:"cases"`
}

// MostCases bounds how many cases are linked at once.
const MostCases = 200

// Link says that cases belong to a stop. Each keeps its own answer and closing; linking twice changes nothing.
func (s *Service) Link(ctx context.Context, by actor.Actor, in Linking) (View, error) {
	return s.linking(ctx, by, in, "outage.link", func(tx *db.Tx, o Outage, caseID string) (bool, string, error) {
		if !o.Ended.IsZero() {
			return false, "", fault.New(fault.Conflict, "outage.over")
		}
		fresh, err := insertCase(ctx, tx, o, caseID, by.ID)
		return fresh, o.ID, err
	})
}

// JoinIn links a case in the transaction that opens it, because a stop was live where it is; it is called by whoever opens
// the case and asks for no permission. A stop that is over, or that there is not, is passed over.
func (s *Service) JoinIn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id, caseID string) error {
	o, err := find(ctx, tx, city, id)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil || !o.Ended.IsZero() {
		return err
	}
	_, err = insertCase(ctx, tx, o, caseID, by.ID)
	return err
}

// Unlink undoes a link.
func (s *Service) Unlink(ctx context.Context, by actor.Actor, in Linking) (View, error) {
	return s.linking(ctx, by, in, "outage.unlink", func(tx *db.Tx, o Outage, caseID string) (bool, string, error) {
		gone, err := dropCase(ctx, tx, o, caseID)
		return gone, "", err
	})
}

func (s *Service) linking(ctx context.Context, by actor.Actor, in Linking, act string, fn func(tx *db.Tx, o Outage, caseID string) (bool, string, error)) (View, error) {
	if err := by.May(actor.CaseLink, actor.On{City: in.City}); err != nil {
		return View{}, err
	}
	var c fault.Check
	c.That(len(in.Cases) > 0, "cases", "field.required")
	c.That(len(in.Cases) <= MostCases, "cases", "field.out_of_range", "min", 1, "max", MostCases)
	if err := c.Err(); err != nil {
		return View{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (View, error) {
		o, err := visible(ctx, tx, by, in.City, in.ID, actor.OutageRead)
		if err != nil {
			return View{}, err
		}
		var changed []string
		for _, id := range in.Cases {
			did, now, err := fn(tx, o, id)
			if err != nil {
				return View{}, err
			}
			if !did {
				continue
			}
			changed = append(changed, id)
			if s.OnLink != nil {
				if err := s.OnLink(ctx, tx, by, in.City, id, now); err != nil {
					return View{}, err
				}
			}
		}
		if len(changed) > 0 {
			err = audit.Record(ctx, tx, by, in.City, audit.Act{Subject: subject(o.ID), Act: act, Body: map[string]any{"cases": changed}})
		}
		if err != nil {
			return View{}, err
		}
		return view(ctx, tx, o)
	})
}
