package measure

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/refund"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Get shows a measurement with everything about it.
func (s *Service) Get(ctx context.Context, by actor.Actor, city int, id string) (View, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (View, error) {
		m, err := s.of(ctx, tx, by, city, id, actor.MeasureRead)
		if err != nil {
			return View{}, err
		}
		return s.view(ctx, tx, by, m)
	})
}

// FindIn gives a measurement that the actor may see, inside the caller's transaction, for capabilities that build on it.
func (s *Service) FindIn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string) (Measurement, error) {
	return s.of(ctx, tx, by, city, id, actor.MeasureRead)
}

func (s *Service) view(ctx context.Context, tx *db.Tx, by actor.Actor, m Measurement) (View, error) {
	r, err := s.o.Rules(ctx, tx, m.City)
	if err != nil {
		return View{}, err
	}
	k, err := s.read(ctx, tx, r, m.City, m.Home)
	if err != nil {
		return View{}, err
	}
	v := View{Measurement: m}
	for _, x := range k.visits {
		if x.Measurement == m.ID {
			v.Visits = append(v.Visits, x)
		}
	}
	for _, x := range k.records {
		if x.Measurement == m.ID {
			v.Records = append(v.Records, x)
		}
	}
	if v.Appointments, err = appointmentsOf(ctx, tx, m.City, m.ID); err != nil {
		return v, err
	}
	docs, err := documentsOf(ctx, tx, m.City, m.Home)
	if err != nil {
		return v, err
	}
	v.Documents = slices.DeleteFunc(docs, func(d Document) bool { return d.Measurement != m.ID })
	for _, step := range Lifecycle.From(m.State) {
		if step.By != "" && by.May(actor.Permission(step.By), m.On()) == nil {
			v.Allowed = append(v.Allowed, step.Event)
		}
	}
	if s.o.Clocks != nil {
		if v.Clocks, v.ClockEntries, err = s.o.Clocks.OfMatter(ctx, tx, m.City, m.Subject()); err != nil {
			return v, err
		}
	}
	v.Preconditions, err = s.preconditions(ctx, tx, r, m)
	return v, err
}

// preconditions are what the rule in force asks for before a test, with what the register knows about paying.
func (s *Service) preconditions(ctx context.Context, tx *db.Tx, r *citypack.Rules, m Measurement) ([]Precondition, error) {
	list := preconditions(r.Pack, m.RequestedAt.Date())
	if len(list) == 0 {
		return nil, nil
	}
	paid := ""
	if m.Account != "" {
		h, ok, err := place.HouseholdIn(ctx, tx, m.City, m.Account)
		if err != nil {
			return nil, err
		}
		if ok && h.Paid != "" {
			paid = "paid:" + h.Paid
		}
	}
	out := make([]Precondition, len(list))
	for i, p := range list {
		out[i] = Precondition{Text: p, Known: paid}
	}
	return out, nil
}

// List shows measurements, the newest first, as far as the actor's scope reaches.
func (s *Service) List(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Measurement], error) {
	if !by.MayAny(actor.MeasureRead, city) {
		return page.Of[Measurement]{}, by.May(actor.MeasureRead, actor.On{City: city})
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Measurement], error) {
		rows, err := list(ctx, tx, city, by.ScopeOf(actor.MeasureRead, city), f)
		if err != nil {
			return page.Of[Measurement]{}, err
		}
		return page.Cut(rows, f.Request, func(m Measurement) []any { return []any{m.ID} }), nil
	})
}

// CalendarFilter says which days and whose appointments a calendar shows; both days included.
type CalendarFilter struct {
	From    civil.Date `json:"from" form:"from"` // empty: today
	To      civil.Date `json:"to" form:"to"`     // empty: six days later
	Company string     `json:"company" form:"company"`
	Station string     `json:"station" form:"station"`
	Worker  string     `json:"worker" form:"worker"`
}

// Planned is one appointment with its measurement.
type Planned struct {
	Appointment Appointment `json:"appointment"`
	Measurement Measurement `json:"measurement"`
}

// Plan is a calendar: who comes when, and what is still owed without a time.
type Plan struct {
	Planned []Planned     `json:"planned"`
	Owed    []Measurement `json:"owed"`
}

// mostDays bounds a calendar.
const mostDays = 62

// Calendar shows the appointments of some days and what is due by their end without one.
func (s *Service) Calendar(ctx context.Context, by actor.Actor, city int, in CalendarFilter) (Plan, error) {
	if !by.MayAny(actor.MeasureRead, city) {
		return Plan{}, by.May(actor.MeasureRead, actor.On{City: city})
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Plan, error) {
		if in.From.IsZero() {
			in.From = tx.Now.Date()
		}
		if in.To.IsZero() {
			in.To = in.From.AddDays(6)
		}
		var c fault.Check
		c.That(!in.To.Before(in.From), "to", "case.to_before_from")
		c.That(in.From.DaysUntil(in.To) < mostDays, "to", "field.out_of_range", "min", 1, "max", mostDays)
		if err := c.Err(); err != nil {
			return Plan{}, err
		}
		return plan(ctx, tx, city, by.ScopeOf(actor.MeasureRead, city), in)
	})
}

func plan(ctx context.Context, tx *db.Tx, city int, scope actor.Scope, in CalendarFilter) (Plan, error) {
	var out Plan
	appointments, measurements, err := planned(ctx, tx, city, scope, in)
	if err != nil {
		return out, err
	}
	for i, a := range appointments {
		out.Planned = append(out.Planned, Planned{a, measurements[i]})
	}
	out.Owed, err = owed(ctx, tx, city, scope, in, in.To.End())
	return out, err
}

// Route is a worker's day: their appointments in order, then what is owed by the end of it.
func (s *Service) Route(ctx context.Context, by actor.Actor, city int, day civil.Date) (Plan, error) {
	return s.Calendar(ctx, by, city, CalendarFilter{From: day, To: day, Worker: by.ID})
}

// Guide is what the form tells the tester, as the rules of the city stand now.
func (s *Service) Guide(ctx context.Context, by actor.Actor, city int) (Guide, error) {
	if !by.MayAny(actor.MeasureRead, city) {
		return Guide{}, by.May(actor.MeasureRead, actor.On{City: city})
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Guide, error) {
		r, err := s.o.Rules(ctx, tx, city)
		if err != nil {
			return Guide{}, err
		}
		return guide(r.Pack, tx.Now), nil
	})
}

// HomeLog is everything about a home, in the order in which it was told, with the state of its chain.
type HomeLog struct {
	Home         string        `json:"home"`
	Season       string        `json:"season,omitempty"`
	Measurements []Measurement `json:"measurements"`
	Records      []Record      `json:"records"`
	Visits       []Visit       `json:"visits"`
	Documents    []Document    `json:"documents"`
	Events       []Counted     `json:"events"`
	Chain        Chain         `json:"chain"`
}

// Log shows everything about a home; season "2025-2026" narrows it, empty does not. The chain is always checked whole.
func (s *Service) Log(ctx context.Context, by actor.Actor, city int, home, season string) (HomeLog, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (HomeLog, error) {
		if err := s.mayHome(ctx, tx, by, city, home); err != nil {
			return HomeLog{}, err
		}
		return s.log(ctx, tx, city, home, season)
	})
}

func (s *Service) log(ctx context.Context, tx *db.Tx, city int, home, season string) (HomeLog, error) {
	out := HomeLog{Home: home, Season: season}
	r, err := s.o.Rules(ctx, tx, city)
	if err != nil {
		return out, err
	}
	k, err := s.read(ctx, tx, r, city, home)
	if err != nil {
		return out, err
	}
	if out.Chain, err = chainOf(ctx, tx, city, home, k.records); err != nil {
		return out, err
	}
	if out.Events, err = CountedEvents(k.records, k.visits, tx.Now); err != nil {
		return out, err
	}
	if out.Measurements, err = ofHome(ctx, tx, city, home); err != nil {
		return out, err
	}
	if out.Documents, err = documentsOf(ctx, tx, city, home); err != nil {
		return out, err
	}
	out.Records, out.Visits = k.records, k.visits
	if season == "" {
		return out, nil
	}
	other := func(at civil.Instant) bool { return citypack.SeasonLabel(at.Date()) != season }
	out.Records = slices.DeleteFunc(slices.Clone(out.Records), func(r Record) bool { return r.Season != season })
	out.Visits = slices.DeleteFunc(slices.Clone(out.Visits), func(v Visit) bool { return other(v.At) })
	out.Events = slices.DeleteFunc(out.Events, func(c Counted) bool { return other(c.At) })
	out.Measurements = slices.DeleteFunc(out.Measurements, func(m Measurement) bool { return m.Season != season })
	out.Documents = slices.DeleteFunc(out.Documents, func(d Document) bool { return other(d.Made) })
	return out, nil
}

// mayHome asks whether the actor may read about a home at all.
func (s *Service) mayHome(ctx context.Context, tx *db.Tx, by actor.Actor, city int, home string) error {
	if !by.MayAny(actor.MeasureRead, city) {
		return by.May(actor.MeasureRead, actor.On{City: city})
	}
	list, err := ofHome(ctx, tx, city, home)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(list, func(m Measurement) bool { return by.May(actor.MeasureRead, m.On()) == nil }) {
		return nil
	}
	if len(list) > 0 {
		return fault.New(fault.NotFound, "not_found")
	}
	m := Measurement{City: city}
	if err := s.locate(ctx, tx, &m, Requesting{City: city, Account: home}, nil); err != nil {
		return fault.New(fault.NotFound, "not_found")
	}
	return actor.Hide(by.May(actor.MeasureRead, m.On()))
}

// chainOf checks the chain of a home and that each record is the one that its entry was made of.
func chainOf(ctx context.Context, tx *db.Tx, city int, home string, records []Record) (Chain, error) {
	c := Chain{Subject: ChainOf(home), Sound: true}
	entries, err := audit.History(ctx, tx, city, c.Subject, 0)
	if err != nil {
		return c, err
	}
	if n := len(entries); n > 0 {
		c.Length, c.Hash = entries[n-1].Seq, entries[n-1].Hash
	}
	if err := audit.Check(entries); err != nil {
		c.Sound, c.Fault = false, err.Error()
		return c, nil //nolint:nilerr // a broken chain is what is read, not a failure of reading
	}
	byRecord := make(map[string]chained, len(entries))
	for _, e := range entries {
		if !strings.HasPrefix(e.Act, "measure.") {
			continue // a finding, a payment: they hang in the same chain and may name a record
		}
		var body chained
		if err := e.Data(&body); err != nil {
			return c, err
		}
		if body.Record != "" {
			byRecord[body.Record] = body
		}
	}
	for _, r := range records {
		body, ok := byRecord[r.ID]
		if !ok || !body.covers(r) {
			c.Sound, c.Fault = false, r.ID
			return c, nil
		}
		delete(byRecord, r.ID)
	}
	for id := range byRecord {
		c.Sound, c.Fault = false, id // a record is gone
	}
	return c, nil
}

// covers reports whether a record is what the entry says it was.
func (c chained) covers(r Record) bool {
	return c.Content == contentHash(r.Data) && c.Measurement == r.Measurement && c.Visit == r.Visit && c.Part == r.Part && c.At == r.At &&
		c.Party == r.Party && c.Company == r.Company && c.Counted == r.Counted && c.Corrects == r.Corrects && c.Reason == r.Reason
}

// Events gives what refunds are counted from, in the order in which it happened, as the refund engine takes it. Log shows
// the same with what is doubtful about each.
func (s *Service) Events(ctx context.Context, by actor.Actor, city int, home, season string) ([]refund.Event, error) {
	l, err := s.Log(ctx, by, city, home, season)
	return ForRefund(l.Events), err
}

// CountedIn is what Events stands on, inside the caller's transaction, for capabilities that settle; they have asked for
// permission.
func (s *Service) CountedIn(ctx context.Context, tx *db.Tx, city int, home, season string) ([]Counted, error) {
	r, err := s.o.Rules(ctx, tx, city)
	if err != nil {
		return nil, err
	}
	k, err := s.read(ctx, tx, r, city, home)
	if err != nil {
		return nil, err
	}
	out, err := CountedEvents(k.records, k.visits, tx.Now)
	if season != "" {
		out = slices.DeleteFunc(out, func(c Counted) bool { return citypack.SeasonLabel(c.At.Date()) != season })
	}
	return out, err
}

// Sheet gives a document as data for printing. Whoever may reveal personal data sees the names of signers and what they
// drew; everybody else sees the names masked.
func (s *Service) Sheet(ctx context.Context, by actor.Actor, city int, document string) (Sheet, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Sheet, error) {
		d, err := findDocument(ctx, tx, city, document)
		if err != nil {
			return Sheet{}, err
		}
		if err := s.mayHome(ctx, tx, by, city, d.Home); err != nil {
			return Sheet{}, err
		}
		return s.sheet(ctx, tx, by, d)
	})
}

func (s *Service) sheet(ctx context.Context, tx *db.Tx, by actor.Actor, d Document) (Sheet, error) {
	r, err := s.o.Rules(ctx, tx, d.City)
	if err != nil {
		return Sheet{}, err
	}
	k, err := s.read(ctx, tx, r, d.City, d.Home)
	if err != nil {
		return Sheet{}, err
	}
	out := Sheet{Document: d}
	out.Template, _ = template(r.Pack, d.Code)
	if d.Measurement != "" {
		if out.Measurement, err = find(ctx, tx, d.City, d.Measurement); err != nil {
			return out, err
		}
	}
	if out.Chain, err = chainOf(ctx, tx, d.City, d.Home, k.records); err != nil {
		return out, err
	}
	if i := slices.IndexFunc(k.records, func(x Record) bool { return x.ID == d.Matter }); i >= 0 {
		out.Record = &k.records[i]
	}
	if i := slices.IndexFunc(k.visits, func(v Visit) bool { return v.ID == d.Matter }); i >= 0 {
		v := k.visits[i]
		out.Visit, out.Photos = &v, v.Photos
		if err := out.before(ctx, tx, k); err != nil {
			return out, err
		}
		clear := by.May(actor.CaseReveal, out.Measurement.On()) == nil
		out.Signers, err = s.signers(ctx, tx, d.City, v, clear)
	}
	return out, err
}

// before finds what a re-test is compared with: the test before it, and what was done in between.
func (s *Sheet) before(ctx context.Context, tx *db.Tx, k known) error {
	if !s.Visit.Retest {
		return nil
	}
	for _, v := range k.visits {
		if v.Measurement == s.Visit.Measurement && v.Readings != nil && v.ID != s.Visit.ID && v.At.Before(s.Visit.At) && (s.Earlier == nil || s.Earlier.At.Before(v.At)) {
			s.Earlier = &v
		}
	}
	for _, r := range k.records {
		var said struct {
			Text string `json:"text"`
		}
		if r.Kind != KindClaim || r.Measurement != s.Visit.Measurement || r.At.After(s.Visit.At) {
			continue
		}
		if err := r.Into(&said); err != nil {
			return err
		}
		s.Cure = said.Text
	}
	if s.Earlier == nil {
		return nil
	}
	docs, err := documentsOf(ctx, tx, s.Document.City, s.Document.Home)
	for _, d := range docs {
		if d.Matter == s.Earlier.ID {
			s.EarlierNo = d.No
		}
	}
	return err
}

func (s *Service) signers(ctx context.Context, tx *db.Tx, city int, v Visit, reveal bool) ([]Signer, error) {
	var out []Signer
	for _, g := range v.Signatures {
		one := Signer{Side: g.Side, Name: g.Name, Relation: g.Relation, Refused: g.Refused}
		if reveal && g.Person != "" {
			p, err := secret.OpenSubject(ctx, tx, s.o.Ring, city, g.Person)
			if err != nil {
				return nil, err
			}
			if err := unseal(p, g, &one); err != nil {
				return nil, err
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// unseal opens a signature; one of a person who was erased stays masked.
func unseal(p secret.Person, g KeptSignature, into *Signer) error {
	plain, err := p.Open("measure.signer", g.Sealed)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var who cases.Party
	if err := json.Unmarshal([]byte(plain), &who); err != nil {
		return err
	}
	into.Name = who.Name
	into.Strokes, err = p.Open("measure.strokes", g.Strokes)
	return err
}

// MayAttachment asks whether the actor may see what is attached to a measurement, for the door that gives files out.
func (s *Service) MayAttachment(ctx context.Context, by actor.Actor, city int, subject string) error {
	_, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (struct{}, error) {
		if id, ok := strings.CutPrefix(subject, "measure:"); ok {
			_, err := s.of(ctx, tx, by, city, id, actor.MeasureRead)
			return struct{}{}, err
		}
		if home, ok := strings.CutPrefix(subject, "household:"); ok {
			return struct{}{}, s.mayHome(ctx, tx, by, city, home)
		}
		return struct{}{}, fault.New(fault.NotFound, "not_found")
	})
	return err
}

// OfCaseIn lists the measurements of a case inside the caller's transaction, for capabilities that build on them; they have
// asked for permission.
func (s *Service) OfCaseIn(ctx context.Context, tx *db.Tx, city int, id string) ([]Measurement, error) {
	return ofCase(ctx, tx, city, id)
}
