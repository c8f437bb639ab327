package finding

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Options are what the service stands on. Jobs may be left out in a process that has no workers.
type Options struct {
	DB   *db.DB
	Ring *secret.Ring
	Jobs *jobs.Runner
	// Rules are the city's rules as they hold now.
	Rules func(ctx context.Context, tx *db.Tx, city int) (*citypack.Rules, error)
	// Matter gives the measurement that is objected to; NotFound when the actor may not see it.
	Matter func(ctx context.Context, tx *db.Tx, by actor.Actor, city int, measurement string) (Matter, error)
	// Log gives the tests and failures to test of a household's season, oldest first.
	Log func(ctx context.Context, tx *db.Tx, city int, home, season string) ([]Evidence, error)
	// Own proves that a case is the visitor's own: who they are, and which measurements belong to it. Nil: residents file
	// nothing themselves.
	Own func(ctx context.Context, tx *db.Tx, city int, p cases.Proof) (Claimant, error)
	// Tell puts a word about a finding ("accepted", "weighed", "decided", "late") where those concerned read it; nil tells nobody.
	Tell func(ctx context.Context, tx *db.Tx, f Finding, what string) error
}

// Claimant is the resident behind a receipt.
type Claimant struct {
	Person       string   // data subject that the case belongs to; may be empty
	Measurements []string // of the case
}

// Service offers the use cases.
type Service struct {
	o Options

	// OnDecided runs in the transaction that issues a paper, so that refunds follow the result that counts. Nil is nobody.
	OnDecided func(ctx context.Context, tx *db.Tx, by actor.Actor, f Finding) error
}

// New makes the service and, where there is a runner, registers its job.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Ring == nil || o.Rules == nil || o.Matter == nil || o.Log == nil {
		return nil, errors.New("finding: a database, a keyring, the rules of the cities, measurements and their log are needed")
	}
	s := &Service{o: o}
	if o.Jobs != nil {
		jobs.Handle(o.Jobs, s.passed)
	}
	return s, nil
}

// File raises an objection: for a user by staff, or by the company itself.
func (s *Service) File(ctx context.Context, by actor.Actor, in Filing) (View, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (View, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (View, error) {
			return s.FileIn(ctx, tx, by, in)
		})
	})
}

// FileIn is File in the caller's transaction.
func (s *Service) FileIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Filing) (View, error) {
	return s.fileIn(ctx, tx, by, in, "")
}

// fileIn files an objection; person is the data subject of the applicant where it is known already.
func (s *Service) fileIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Filing, person string) (View, error) {
	if !by.MayAny(actor.FindingFile, in.City) {
		return View{}, by.May(actor.FindingFile, actor.On{City: in.City})
	}
	side := sideOf(by)
	if err := in.check(side); err != nil {
		return View{}, err
	}
	m, err := s.o.Matter(ctx, tx, by, in.City, in.Measurement)
	if err != nil {
		return View{}, err
	}
	f := Finding{
		City: in.City, ID: tx.NewID(), Measurement: m.Measurement, MeasurementNo: m.No, Home: m.Home, Account: m.Account, Season: m.Season,
		Company: m.Company, District: m.District, Area: m.Area, Station: m.Station, Address: m.Address, State: Filed, Ground: in.Ground,
		Way: in.Way, Side: side, Text: strings.TrimSpace(in.Text), FiledAt: tx.Now, FiledBy: by.ID, Version: 1,
	}
	if err := by.May(actor.FindingFile, f.On()); err != nil {
		return View{}, actor.Hide(err)
	}
	if _, open, err := openOf(ctx, tx, f.City, f.Measurement); err != nil || open {
		return View{}, cmpErr(err, fault.New(fault.Conflict, "finding.open_already"))
	}
	if err := s.prepare(ctx, tx, &f, in, person); err != nil {
		return View{}, err
	}
	if err := insert(ctx, tx, f); err != nil {
		return View{}, err
	}
	body := map[string]any{
		"finding": f.ID, "no": f.No, "measurement": f.Measurement, "ground": string(f.Ground), "way": string(f.Way), "side": string(f.Side), "text": audit.Fingerprint(f.ID, f.Text),
	}
	if err := s.record(ctx, tx, by, f, "finding.file", body); err != nil {
		return View{}, err
	}
	return s.view(ctx, tx, by, f)
}

func cmpErr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// sideOf tells whether the company itself objects; everybody else speaks for the user.
func sideOf(by actor.Actor) Side {
	for _, g := range by.Grants {
		if g.Role == actor.RoleCompany {
			return Company
		}
	}
	return User
}

// prepare numbers an objection, seals who objects and sets the authority's own clock.
func (s *Service) prepare(ctx context.Context, tx *db.Tx, f *Finding, in Filing, person string) error {
	rules, err := s.o.Rules(ctx, tx, f.City)
	if err != nil {
		return err
	}
	day := tx.Now.Date()
	n, err := db.Next(ctx, tx, f.City, "objection:"+day.String())
	if err != nil {
		return err
	}
	f.No = rules.Pack.Number("objection", day, n, fmt.Sprintf("%s-%03d", day, n))
	if name := strings.TrimSpace(in.Applicant); name != "" {
		p, err := s.subject(ctx, tx, f.City, person, in.Phone)
		if err != nil {
			return err
		}
		f.ApplicantID, f.Applicant, f.ApplicantSealed = p.ID, secret.MaskName(name), p.Seal("finding.applicant", name)
	}
	return s.promise(ctx, tx, rules, f)
}

// subject is the person that an applicant is: the known one, else whoever has the telephone.
func (s *Service) subject(ctx context.Context, tx *db.Tx, city int, person, phone string) (secret.Person, error) {
	if person != "" {
		return secret.OpenSubject(ctx, tx, s.o.Ring, city, person)
	}
	return secret.Subject(ctx, tx, s.o.Ring, city, secret.Phone, phone)
}

// promise sets by when the authority answers, where the city's rules say so.
func (s *Service) promise(ctx context.Context, tx *db.Tx, rules *citypack.Rules, f *Finding) error {
	v, ok := rules.Pack.Doc.Measurement.Finding.Within.On(tx.Now.Date())
	if !ok {
		return nil
	}
	shifts := calendar.Shifts{}
	for _, h := range rules.Pack.Doc.Shifts.Or(tx.Now.Date(), nil) {
		shifts = append(shifts, calendar.Shift{h.From, h.To})
	}
	due, err := rules.Calendar.Due(calendar.Input{Limit: calendar.Of(v.Value.Amount, calendar.Unit(v.Value.Unit)), From: tx.Now, Shifts: shifts})
	if err != nil {
		return err
	}
	f.Promise = &Promise{Amount: v.Value.Amount, Unit: string(v.Value.Unit), Source: v.Source.String(), Provisional: rules.Pack.Provisional(v.Origin), Missing: strings.Join(due.Missing, ", ")}
	f.DueAt = due.Due
	if f.DueAt.IsZero() {
		return nil
	}
	return jobs.Add(ctx, tx, f.City, deadline{Finding: f.ID}, jobs.When{At: f.DueAt})
}

// deadline is the job that notes that the authority let its time pass.
type deadline struct {
	Finding string `json:"finding"`
}

func (deadline) Kind() string { return "finding.deadline" }

func (s *Service) passed(ctx context.Context, j jobs.Job, a deadline) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		f, err := find(ctx, tx, j.City, a.Finding)
		if err != nil || !f.State.IsOpen() || f.Late {
			return err
		}
		f.Late = true
		if f, err = update(ctx, tx, f, f.Version); err != nil {
			return err
		}
		by := actor.SystemFor("finding", actor.Job)
		if err := s.record(ctx, tx, by, f, "finding.late", map[string]any{"finding": f.ID, "due": f.DueAt.String()}); err != nil {
			return err
		}
		return s.tell(ctx, tx, f, "late")
	})
}

func (s *Service) tell(ctx context.Context, tx *db.Tx, f Finding, what string) error {
	if s.o.Tell == nil {
		return nil
	}
	return s.o.Tell(ctx, tx, f, what)
}

// record hangs an act in the chain of the household.
func (s *Service) record(ctx context.Context, tx *db.Tx, by actor.Actor, f Finding, act string, body map[string]any) error {
	return audit.Record(ctx, tx, by, f.City, audit.Act{Subject: "household:" + f.Home, Act: act, Public: true, Body: body})
}

// visible finds an objection that the actor may do something to; others learn nothing of it.
func visible(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string, p actor.Permission) (Finding, error) {
	f, err := find(ctx, tx, city, id)
	if err != nil {
		return f, err
	}
	if err := by.May(actor.FindingRead, f.On()); err != nil {
		return Finding{}, actor.Hide(err)
	}
	return f, by.May(p, f.On())
}

func (s *Service) view(ctx context.Context, tx *db.Tx, by actor.Actor, f Finding) (View, error) {
	log, err := s.o.Log(ctx, tx, f.City, f.Home, f.Season)
	if err != nil {
		return View{}, err
	}
	v := View{Finding: f, Log: log, Allowed: []Event{}}
	for _, step := range Lifecycle.From(f.State) {
		if by.May(actor.Permission(step.By), f.On()) == nil && (step.Event != Withdraw || mayWithdraw(by, f)) {
			v.Allowed = append(v.Allowed, step.Event)
		}
	}
	return v, nil
}

// mayWithdraw: who objected takes it back, not the other side.
func mayWithdraw(by actor.Actor, f Finding) bool { return sideOf(by) == f.Side }

// Get shows one objection with the evidence.
func (s *Service) Get(ctx context.Context, by actor.Actor, city int, id string) (View, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (View, error) {
		f, err := visible(ctx, tx, by, city, id, actor.FindingRead)
		if err != nil {
			return View{}, err
		}
		return s.view(ctx, tx, by, f)
	})
}

// List shows the newest objections first.
func (s *Service) List(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Finding], error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Finding], error) {
		if !by.MayAny(actor.FindingRead, city) {
			return page.Of[Finding]{}, by.May(actor.FindingRead, actor.On{City: city})
		}
		rows, err := list(ctx, tx, city, by.ScopeOf(actor.FindingRead, city), f)
		if err != nil {
			return page.Of[Finding]{}, err
		}
		return page.Cut(rows, f.Request, func(f Finding) []any { return []any{f.ID} }), nil
	})
}
