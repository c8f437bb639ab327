package measure

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/equipment"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Submit takes in what a phone sends about a visit. It needs no key: a part that was sent before and says the same is
// answered as such, one that says something else is kept beside the first and shown as a conflict.
func (s *Service) Submit(ctx context.Context, by actor.Actor, in Submission) (Receipt, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Receipt, error) { return s.SubmitIn(ctx, tx, by, in) })
}

// SubmitIn is Submit in the caller's transaction.
func (s *Service) SubmitIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Submission) (Receipt, error) {
	if err := in.check(tx.Now); err != nil {
		return Receipt{}, err
	}
	m, err := s.about(ctx, tx, by, in)
	if err != nil {
		return Receipt{}, err
	}
	if err := hold(ctx, tx, m.City, m.Home); err != nil {
		return Receipt{}, err
	}
	if m.ID != "" {
		if m, err = find(ctx, tx, m.City, m.ID); err != nil {
			return Receipt{}, err
		}
	}
	r, err := s.o.Rules(ctx, tx, in.City)
	if err != nil {
		return Receipt{}, err
	}
	before, err := recordsOfVisit(ctx, tx, in.City, in.Visit)
	if err != nil {
		return Receipt{}, err
	}
	if slices.ContainsFunc(before, func(o Record) bool { return o.Home != m.Home || o.Measurement != m.ID }) {
		return Receipt{}, fault.New(fault.Conflict, "measure.visit_elsewhere")
	}
	w := sending{s: s, by: by, in: in, m: m, rules: r, party: in.party(by)}
	if err := ownUnable(in.Arrival, w.party); err != nil {
		return Receipt{}, err
	}
	if err := w.keepAll(ctx, tx, before); err != nil {
		return Receipt{}, err
	}
	return w.finish(ctx, tx)
}

// about finds what a submission is about, which the actor must be allowed to measure.
func (s *Service) about(ctx context.Context, tx *db.Tx, by actor.Actor, in Submission) (Measurement, error) {
	if in.Measurement != "" {
		return s.of(ctx, tx, by, in.City, in.Measurement, actor.MeasureTest)
	}
	m := Measurement{City: in.City}
	if err := s.locate(ctx, tx, &m, Requesting{City: in.City, Account: in.Account}, nil); err != nil {
		return Measurement{}, err
	}
	return m, by.May(actor.MeasureTest, m.On())
}

// party is whose visit it is. Only the authority may say that it was a laboratory's or a grid worker's.
func (in Submission) party(by actor.Actor) Party {
	p := partyOf(by)
	if p == Authority && (in.As == Laboratory || in.As == GridWorker) {
		return in.As
	}
	return p
}

// ownUnable refuses a visit of others that failed for a cause of the company: only the company's own tester says so.
func ownUnable(a *Arrival, p Party) error {
	var c fault.Check
	c.That(a == nil || a.Outcome != Unable || p == Company, "arrival.outcome", "measure.unable_company")
	return c.Err()
}

// sending is one submission on its way into the log.
type sending struct {
	s     *Service
	by    actor.Actor
	in    Submission
	m     Measurement
	rules *citypack.Rules
	party Party
	parts []PartReceipt
	fresh bool // something new was kept
}

// part is one part as it comes in.
type part struct {
	kind   Kind
	name   string
	at     civil.Instant
	digest string
	data   func(ctx context.Context, tx *db.Tx) (data, facts any, err error)
}

func (w *sending) keepAll(ctx context.Context, tx *db.Tx, before []Record) error {
	list, err := w.list()
	if err != nil {
		return err
	}
	for _, p := range list {
		same := slices.IndexFunc(before, func(r Record) bool { return r.Part == p.name && r.Digest == p.digest && r.Corrects == "" })
		if same >= 0 {
			w.parts = append(w.parts, PartReceipt{p.name, PartSame, before[same].ID, p.digest})
			continue
		}
		second := slices.ContainsFunc(before, func(r Record) bool { return r.Part == p.name })
		data, facts, err := p.data(ctx, tx)
		if err != nil {
			return err
		}
		made, err := w.s.keep(ctx, tx, w.by, w.m.home(), Record{
			Visit: w.in.Visit, Kind: p.kind, Part: p.name, At: min(p.at, tx.Now), Party: w.party, Company: w.company(), Digest: p.digest, Counted: !second,
		}, data, facts)
		if err != nil {
			return err
		}
		became := PartKept
		if second {
			became = PartConflict
		}
		w.fresh, before = true, append(before, made)
		w.parts = append(w.parts, PartReceipt{p.name, became, made.ID, p.digest})
	}
	return nil
}

// company is whose visit it is; the authority's own is no company's.
func (w *sending) company() string {
	if w.party == Company {
		return w.by.Org
	}
	return w.m.Company
}

// list makes the parts of a submission ready to be kept.
func (w *sending) list() ([]part, error) {
	var out []part
	add := func(kind Kind, name string, at civil.Instant, told any, data func(ctx context.Context, tx *db.Tx) (any, any, error)) error {
		d, err := digest(told)
		out = append(out, part{kind: kind, name: name, at: at, digest: d, data: data})
		return err
	}
	if a := w.in.Arrival; a != nil {
		if err := add(KindArrival, partArrival, a.At, a, w.arrival); err != nil {
			return nil, err
		}
	}
	if r := w.in.Readings; r != nil {
		if err := add(KindReadings, partReadings, readAt(r.Rooms), r, w.readings); err != nil {
			return nil, err
		}
	}
	for _, p := range w.in.Photos {
		told := KeptPhoto{ID: p.ID, Purpose: p.Purpose, SHA256: p.Stored.SHA256()}
		if err := add(KindPhoto, partPhoto+p.ID, w.when(), told, w.photo(p)); err != nil {
			return nil, err
		}
	}
	for _, g := range w.in.Signatures {
		told := g
		told.Name = w.s.o.Ring.Blind(secret.Name, secret.NormalName(g.Name))
		if err := add(KindSignature, partSignature+string(g.Side), g.At, told, w.signature(g)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// when is when the visit took place, as far as this submission says.
func (w *sending) when() civil.Instant {
	switch {
	case w.in.Arrival != nil:
		return w.in.Arrival.At
	case w.in.Readings != nil:
		return readAt(w.in.Readings.Rooms)
	case !w.in.SentAt.IsZero():
		return w.in.SentAt
	}
	return civil.Instant(1<<62 - 1) // the server's time, see keepAll
}

// watch notes a device whose clock is wrong.
func (w *sending) watch(now, at civil.Instant) []Deviation {
	var out []Deviation
	if at.Sub(now) > deviceTolerance {
		out = append(out, Deviation{Code: "device_ahead", Got: at.String()})
	}
	if skew := now.Sub(w.in.SentAt); !w.in.SentAt.IsZero() && (skew > deviceTolerance || skew < -deviceTolerance) {
		out = append(out, Deviation{Code: "device_clock", Got: strconv.Itoa(int(skew.Minutes()))})
	}
	return out
}

func (w *sending) arrival(_ context.Context, tx *db.Tx) (any, any, error) {
	k := KeptArrival{Arrival: *w.in.Arrival, Deviations: w.watch(tx.Now, w.in.Arrival.At)}
	k.At = min(k.At, tx.Now)
	k.Deviations = append(k.Deviations, rulesOn(w.rules.Pack, k.At.Date()).ofArrival(k.Arrival)...)
	facts := map[string]any{"outcome": k.Outcome, "retest": k.Retest, "testers": len(k.Testers), "slip": k.Slip, "deviations": codes(k.Deviations)}
	if k.Cause != "" {
		facts["cause"] = k.Cause
	}
	return k, facts, nil
}

func codes(list []Deviation) []string {
	out := make([]string, len(list))
	for i, d := range list {
		out[i] = d.Code
	}
	return out
}

func (w *sending) readings(ctx context.Context, tx *db.Tx) (any, any, error) {
	r := *w.in.Readings
	at := readAt(r.Rooms)
	tool, err := freeze(ctx, tx, w.in.City, r, w.by.Org, min(at, tx.Now).Date())
	if err != nil {
		return nil, nil, err
	}
	k := KeptReadings{Readings: r, Tool: tool, Deviations: w.watch(tx.Now, at)}
	k.Rooms = slices.Clone(r.Rooms)
	for i := range k.Rooms {
		k.Rooms[i].At = min(k.Rooms[i].At, tx.Now)
	}
	k.Deviations = append(k.Deviations, rulesOn(w.rules.Pack, min(at, tx.Now).Date()).ofReadings(k.Readings, tool)...)
	return k, map[string]any{"rooms": k.Rooms, "instrument": tool, "outdoor_c": k.OutdoorC, "deviations": codes(k.Deviations)}, nil
}

// freeze takes the instrument as the register knows it now; what it was worth is told for the day of the reading.
func freeze(ctx context.Context, tx *db.Tx, city int, r Readings, org string, day civil.Date) (Tool, error) {
	owner := r.Owner
	if owner == "" {
		owner = org
	}
	i, known, err := equipment.FindIn(ctx, tx, city, owner, strings.TrimSpace(r.Instrument))
	if err != nil {
		return Tool{}, err
	}
	if !known {
		return Tool{Owner: owner, Number: r.Instrument, Fitness: equipment.Unknown}, nil
	}
	return Tool{
		Owner: i.Owner, Number: i.Number, Kind: i.Kind, Model: i.Model, Certificate: i.Certificate, VerifiedOn: i.VerifiedOn, ValidUntil: i.ValidUntil,
		Fitness: i.Fitness(day),
	}, nil
}

func (w *sending) photo(p Photo) func(ctx context.Context, tx *db.Tx) (any, any, error) {
	return func(ctx context.Context, tx *db.Tx) (any, any, error) {
		subject := w.m.Subject()
		if w.m.ID == "" {
			subject = ChainOf(w.m.Home)
		}
		b, err := w.s.o.Blobs.SaveIn(ctx, tx, w.by, p.Stored.For(subject))
		k := KeptPhoto{ID: p.ID, Purpose: p.Purpose, Blob: b.ID, SHA256: b.SHA256}
		return k, k, err
	}
}

func (w *sending) signature(g Signature) func(ctx context.Context, tx *db.Tx) (any, any, error) {
	return func(ctx context.Context, tx *db.Tx) (any, any, error) {
		k := KeptSignature{Side: g.Side, Relation: g.Relation, Refused: g.Refused, Name: secret.MaskName(g.Name)}
		if g.Name != "" || g.Strokes != "" {
			p, err := secret.Subject(ctx, tx, w.s.o.Ring, w.in.City, secret.Name, g.Name)
			if err != nil {
				return nil, nil, err
			}
			b, err := json.Marshal(cases.Party{Name: g.Name})
			if err != nil {
				return nil, nil, err
			}
			k.Person, k.Sealed, k.Strokes = p.ID, p.Seal("measure.signer", string(b)), p.Seal("measure.strokes", g.Strokes)
		}
		return k, map[string]any{"side": k.Side, "relation": k.Relation, "refused": k.Refused}, nil
	}
}

// finish brings the measurement up to date and answers.
func (w *sending) finish(ctx context.Context, tx *db.Tx) (Receipt, error) {
	s, was := w.s, w.m
	about := w.in.Visit
	if !w.fresh {
		about = ""
	}
	var k known
	var err error
	if w.fresh && w.m.ID != "" {
		came := w.in.Arrival != nil && w.in.Arrival.Outcome != Unable // who could not measure has not kept the time
		if came || w.in.Readings != nil {
			if err := s.keepAppointment(ctx, tx, &w.m, w.when()); err != nil {
				return Receipt{}, err
			}
		}
		w.m, k, err = s.settle(ctx, tx, w.by, w.rules, was, w.m, about)
	} else {
		k, err = s.read(ctx, tx, w.rules, w.m.City, w.m.Home)
	}
	if err != nil {
		return Receipt{}, err
	}
	out := Receipt{Parts: w.parts}
	if i := slices.IndexFunc(k.visits, func(v Visit) bool { return v.ID == w.in.Visit }); i >= 0 {
		out.Visit = k.visits[i]
	}
	if w.m.ID != "" {
		m := w.m
		out.Measurement = &m
	}
	if w.fresh {
		if err := w.follow(ctx, tx, out.Visit); err != nil {
			return Receipt{}, err
		}
	}
	out.Documents, err = w.documents(ctx, tx, out.Visit)
	return out, err
}

// follow does what a visit causes elsewhere: the clocks of the case, the question whether somebody was there.
func (w *sending) follow(ctx context.Context, tx *db.Tx, v Visit) error {
	has := func(kind Kind) bool {
		return slices.ContainsFunc(w.parts, func(p PartReceipt) bool {
			return p.Became == PartKept && p.Part == map[Kind]string{KindArrival: partArrival, KindReadings: partReadings}[kind]
		})
	}
	if has(KindReadings) {
		if err := w.s.tick(ctx, tx, w.by, w.rules, w.m, v); err != nil {
			return err
		}
	}
	if !has(KindArrival) || w.m.ID == "" {
		return nil
	}
	if v.Outcome == NobodyIn && w.s.o.Ask != nil {
		return w.s.o.Ask(ctx, tx, w.m, "visit", v.ID, map[string]any{"no": w.m.No, "at": v.At.MonthDayClock()})
	}
	if v.Outcome == Met && v.Readings == nil {
		return jobs.Add(ctx, tx, w.m.City, unrecorded{Measurement: w.m.ID, Visit: v.ID}, jobs.When{At: v.At.Add(noRecordAfter), Unique: "measure:" + v.ID})
	}
	return nil
}

// tick tells the clocks of the measurement and of its case that somebody measured.
func (s *Service) tick(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, m Measurement, v Visit) error {
	e := citypack.EventMeasured
	if v.Retest {
		e = citypack.EventRetested
	}
	if err := s.tickOwn(ctx, tx, r, m, e, v.At); err != nil {
		return err
	}
	if m.ID != "" && !m.State.IsOpen() {
		if err := s.endClocks(ctx, tx, m, v.At); err != nil {
			return err
		}
	}
	if m.Case == "" {
		return nil
	}
	return s.tickCase(ctx, tx, by, r, m, e, v.At)
}

func (s *Service) tickCase(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, m Measurement, e citypack.Event, at civil.Instant) error {
	act := audit.Act{Act: "case." + string(e), Public: true, Body: map[string]any{"measurement": m.No, "at": at}}
	_, err := s.o.Cases.EditIn(ctx, tx, by, m.City, m.Case, act, func(c *cases.Case) error {
		if !c.Open {
			return nil
		}
		return s.o.Cases.Tick(ctx, tx, r, c, e, at, clock.Org{Org: c.Company, Ref: c.ClockRef()})
	})
	return err
}

// documents draws the numbers of the papers that a visit leaves: the sheet of a test, the slip at a closed door, the note of
// a refusal.
func (w *sending) documents(ctx context.Context, tx *db.Tx, v Visit) ([]Document, error) {
	code := ""
	switch {
	case v.Readings != nil && v.Retest:
		code = DocRetest
		if _, ok := template(w.rules.Pack, code); !ok {
			code = DocTest
		}
	case v.Readings != nil:
		code = DocTest
	case v.Outcome == NobodyIn:
		code = DocNotHome
	case v.Outcome == RefusedByUser, v.Outcome == RefusedByCompany:
		code = DocRefusal
	default:
		return nil, nil
	}
	d, err := w.s.number(ctx, tx, w.rules.Pack, w.m.home(), code, v.ID)
	if err != nil || d == nil {
		return nil, err
	}
	return []Document{*d}, nil
}

// unrecorded is the job that looks whether a visit ever got its reading.
type unrecorded struct {
	Measurement string `json:"measurement"`
	Visit       string `json:"visit"`
}

// Kind names the job.
func (unrecorded) Kind() string { return "measure.unrecorded" }

// unrecorded tells whoever counts money that a company came and left no record.
func (s *Service) unrecorded(ctx context.Context, j jobs.Job, u unrecorded) error {
	by := actor.SystemFor("measure", actor.Job)
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		m, err := find(ctx, tx, j.City, u.Measurement)
		if err != nil {
			return err
		}
		r, err := s.o.Rules(ctx, tx, m.City)
		if err != nil {
			return err
		}
		k, err := s.read(ctx, tx, r, m.City, m.Home)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(k.visits, func(v Visit) bool { return v.ID == u.Visit && v.Readings != nil }) {
			return nil
		}
		return s.tell(ctx, tx, by, m, k, u.Visit)
	})
}
