package measure

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Options are what the service stands on. Jobs may be left out in a process that has no workers.
type Options struct {
	DB     *db.DB
	Ring   *secret.Ring
	Cases  *cases.Service
	Clocks *clock.Ledger
	Blobs  *blob.Service
	Jobs   *jobs.Runner
	// Rules are the city's rules as they hold now.
	Rules func(ctx context.Context, tx *db.Tx, city int) (*citypack.Rules, error)
	// Owner tells which company and area serve a building.
	Owner func(ctx context.Context, tx *db.Tx, city int, community, building string) (company, area string, err error)
	// Ask sends the resident a question with two answers, which come back through Answered; nil asks nobody.
	Ask func(ctx context.Context, tx *db.Tx, m Measurement, question, ref string, params map[string]any) error
	// Tell puts a word into the inbox of the company that a measurement belongs to; nil tells nobody.
	Tell func(ctx context.Context, tx *db.Tx, m Measurement, what, ref string) error
	// VisitDenied hears that a resident denies a visit; it runs in the transaction that keeps their word. Nil is nobody.
	VisitDenied func(ctx context.Context, tx *db.Tx, by actor.Actor, m Measurement, visit string, at civil.Instant) error
	// Warn tells a role of a step of escalation of a measurement's own clock; nil tells nobody.
	Warn func(ctx context.Context, tx *db.Tx, m Measurement, k clock.Clock, step citypack.Step) error
}

// Service offers the use cases.
type Service struct {
	o Options

	// OnResult runs in the transaction of every record that may change money: tests, re-tests, reports of laboratories,
	// missed and refused visits, cures, withdrawals. It may hear of one event more than once (a signature that comes
	// later, a correction), so it settles by what Events says now. Nil is nobody.
	OnResult func(ctx context.Context, tx *db.Tx, by actor.Actor, m Measurement, c Counted) error
}

// New makes the service and, where there is a runner, registers its jobs.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Ring == nil || o.Cases == nil || o.Blobs == nil || o.Rules == nil || o.Owner == nil {
		return nil, errors.New("measure: a database, a keyring, cases, attachments, the rules of the cities and who serves where are needed")
	}
	s := &Service{o: o}
	if o.Jobs != nil {
		jobs.Handle(o.Jobs, s.passed)
		jobs.Handle(o.Jobs, s.unrecorded)
	}
	return s, nil
}

// ChainOf is the audit chain of a home.
func ChainOf(home string) string { return "household:" + home }

// partyOf tells whose word it is when an actor says something.
func partyOf(by actor.Actor) Party {
	switch by.Kind {
	case actor.Resident:
		return Resident
	case actor.System:
		return Program
	case actor.Person, actor.Key:
	}
	of := func(roles ...actor.Role) bool {
		return slices.ContainsFunc(by.Grants, func(g actor.Grant) bool { return slices.Contains(roles, g.Role) })
	}
	switch {
	case of(actor.RoleCompany, actor.RoleStation, actor.RoleWorker):
		return Company
	case of(actor.RoleDistrict, actor.RoleRegulator, actor.RoleInspector, actor.RoleVerifier, actor.RoleSupervisor, actor.RoleSectionHead):
		return Authority
	}
	return Centre
}

// home is what a record needs to know about the place it is about.
type home struct {
	city             int
	key, measurement string
	company          string
}

func (m Measurement) home() home { return home{m.City, m.Home, m.ID, m.Company} }

// keep writes one record into the log and the chain of its home. facts stand in the chain in the clear, so they hold no
// name; whatever else data holds is covered by its hash.
func (s *Service) keep(ctx context.Context, tx *db.Tx, by actor.Actor, h home, r Record, data, facts any) (Record, error) {
	b, err := json.Marshal(data)
	if err != nil {
		return Record{}, err
	}
	r.City, r.ID, r.Home, r.Measurement, r.RecordedAt, r.By, r.Data = h.city, tx.NewID(), h.key, h.measurement, tx.Now, by.ID, b
	if r.At.IsZero() {
		r.At = tx.Now
	}
	if r.Party == "" {
		r.Party = partyOf(by)
	}
	if r.Company == "" {
		r.Company = h.company
	}
	if a, is := data.(KeptArrival); is {
		r.Outcome = a.Outcome
	}
	r.Season = citypack.SeasonLabel(r.At.Date())
	e, err := audit.RecordID(ctx, tx, by, h.city, audit.Act{Subject: ChainOf(h.key), Act: "measure." + string(r.Kind), Public: true, Body: chained{
		Record: r.ID, Measurement: r.Measurement, Visit: r.Visit, Part: r.Part, At: r.At, Party: r.Party, Company: r.Company, Counted: r.Counted,
		Corrects: r.Corrects, Reason: r.Reason, Content: contentHash(r.Data), Facts: facts,
	}})
	if err != nil {
		return Record{}, err
	}
	r.Seq, r.Hash = e.Seq, e.Hash
	if err := insertRecord(ctx, tx, r); err != nil {
		if db.IsUnique(err) {
			return Record{}, db.ErrRetry // another request brought the same part a moment before
		}
		return Record{}, fmt.Errorf("keep %s: %w", r.Kind, err)
	}
	return r, nil
}

// chained is what the chain of a home holds of a record.
type chained struct {
	Record      string        `json:"record"`
	Measurement string        `json:"measurement,omitempty"`
	Visit       string        `json:"visit,omitempty"`
	Part        string        `json:"part,omitempty"`
	At          civil.Instant `json:"at"`
	Party       Party         `json:"party"`
	Company     string        `json:"company,omitempty"`
	Counted     bool          `json:"counted"`
	Corrects    string        `json:"corrects,omitempty"`
	Reason      string        `json:"reason,omitempty"`
	Content     string        `json:"content"` // hash of what the record holds
	Facts       any           `json:"facts,omitempty"`
}

func contentHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// known is everything about a home that its standing depends on.
type known struct {
	records []Record
	visits  []Visit
}

// read gathers the records of a home and puts its visits together.
func (s *Service) read(ctx context.Context, tx *db.Tx, r *citypack.Rules, city int, key string) (known, error) {
	records, err := recordsOfHome(ctx, tx, city, key)
	if err != nil {
		return known{}, err
	}
	list, err := ofHome(ctx, tx, city, key)
	if err != nil {
		return known{}, err
	}
	agreed := map[string]*celsius.Tenths{}
	for _, m := range list {
		agreed[m.ID] = m.AgreedC
	}
	visits, err := Visits(records, func(id string) *celsius.Tenths { return agreed[id] }, JudgeOf(r.Pack))
	return known{records, visits}, err
}

// settle brings a measurement to where its records put it, writes it, and tells what changed about the named visit or
// record to whoever counts money.
func (s *Service) settle(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, was, m Measurement, about string) (Measurement, known, error) {
	k, err := s.read(ctx, tx, r, m.City, m.Home)
	if err != nil {
		return m, k, err
	}
	if m.ID != "" {
		if err := m.stand(k); err != nil {
			return m, k, err
		}
		if m, err = update(ctx, tx, was, m); err != nil {
			return m, k, err
		}
	}
	return m, k, s.tell(ctx, tx, by, m, k, about)
}

// tell hands the counted event of a visit or record to OnResult.
func (s *Service) tell(ctx context.Context, tx *db.Tx, by actor.Actor, m Measurement, k known, about string) error {
	if s.OnResult == nil || about == "" {
		return nil
	}
	events, err := CountedEvents(k.records, k.visits, tx.Now)
	if err != nil {
		return err
	}
	for _, c := range events {
		if c.Visit == about || c.Record == about {
			if err := s.OnResult(ctx, tx, by, m, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// stand computes what a measurement's row says from what is known about its home.
func (m *Measurement) stand(k known) error {
	state, err := Stand(m.ID, k.records, k.visits)
	if err != nil {
		return err
	}
	m.State, m.Result, m.TestedAt, m.Conflict, m.Misses = state, nil, 0, false, 0
	for _, v := range k.visits {
		if v.Measurement != m.ID {
			continue
		}
		m.Conflict = m.Conflict || len(v.Conflicts) > 0
		if v.Result != nil && !v.At.Before(m.TestedAt) {
			m.Result, m.TestedAt = v.Result, v.At
		}
	}
	for _, r := range Standing(k.records) {
		if r.Measurement != m.ID {
			continue
		}
		switch r.Kind {
		case KindMissed:
			var w missed
			if err := r.Into(&w); err != nil {
				return err
			}
			if !w.undone(k.visits, m.ID) {
				m.Misses++
			}
		case KindLab:
			var l KeptLab
			if err := r.Into(&l); err != nil {
				return err
			}
			if !r.At.Before(m.TestedAt) {
				m.Result, m.TestedAt = &l.Result, r.At
			}
		case KindReport, KindRequest, KindAppointment, KindAgreed, KindDeclined, KindArrival, KindReadings, KindPhoto, KindSignature, KindAnswer,
			KindClaim, KindDeny, KindVerify, KindInvitation, KindWithdrawn:
		}
	}
	return nil
}

// number draws the number of a document from the pack's template; a pack without such a template gives none.
func (s *Service) number(ctx context.Context, tx *db.Tx, p *citypack.Pack, h home, code, matter string) (*Document, error) {
	t, ok := template(p, code)
	if !ok {
		return nil, nil
	}
	if d, taken, err := numberOf(ctx, tx, h.city, matter, code); err != nil || taken {
		return &d, err
	}
	day := tx.Now.Date()
	counter := "document:" + code + ":" + day.String()
	if !datedForm(t.Number) {
		counter = fmt.Sprintf("document:%s:%d", code, day.Year)
	}
	n, err := db.Next(ctx, tx, h.city, counter)
	if err != nil {
		return nil, err
	}
	d := Document{City: h.city, ID: tx.NewID(), Code: code, No: p.TemplateNumber(t, day, n, fmt.Sprintf("%s-%s-%d", code, day, n)), Home: h.key, Measurement: h.measurement, Matter: matter, Made: tx.Now}
	return &d, db.Insert(ctx, tx, "measure_document", d)
}
