package measure

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/staff"
)

// Curing is the input of ClaimCure, DenyCure and VerifyCure.
type Curing struct {
	Act
	At   civil.Instant `json:"at" form:"at"`     // when it was done or seen; empty: now
	Text string        `json:"text" form:"text"` // what was done
}

func (in Curing) check(now civil.Instant) error {
	var c fault.Check
	c.That(!in.At.After(now), "at", "measure.ahead")
	c.That(in.At.IsZero() || now.Sub(in.At) <= longestAgo, "at", "measure.too_long_ago")
	c.That(len([]rune(in.Text)) <= 1000, "text", "field.too_long", "max", 1000)
	return c.Err()
}

// ClaimCure keeps that the company says it has cured the trouble. That is a claim: the resident is asked, and days go on
// counting as the city's rule says until somebody else says so too.
func (s *Service) ClaimCure(ctx context.Context, by actor.Actor, in Curing) (Measurement, error) {
	return s.act(ctx, by, in.Act, actor.MeasureCure, in, func(ctx context.Context, tx *db.Tx, r *citypack.Rules, m *Measurement) (string, error) {
		made, err := s.cure(ctx, tx, by, m, in, KindClaim, Claim)
		if err != nil {
			return "", err
		}
		if err := s.tickOwn(ctx, tx, r, *m, citypack.EventCured, made.At); err != nil {
			return "", err
		}
		if m.Case != "" {
			if err := s.tickCase(ctx, tx, by, r, *m, citypack.EventCured, made.At); err != nil {
				return "", err
			}
		}
		if s.o.Ask == nil {
			return made.ID, nil
		}
		return made.ID, s.o.Ask(ctx, tx, *m, "cure", made.ID, map[string]any{"no": m.No, "at": made.At.MonthDayClock()})
	})
}

// DenyCure keeps that the resident says it is still cold.
func (s *Service) DenyCure(ctx context.Context, by actor.Actor, in Curing) (Measurement, error) {
	return s.act(ctx, by, in.Act, actor.MeasureRequest, in, func(ctx context.Context, tx *db.Tx, _ *citypack.Rules, m *Measurement) (string, error) {
		made, err := s.cure(ctx, tx, by, m, in, KindDeny, Deny)
		return made.ID, err
	})
}

// VerifyCure keeps that somebody other than the company found the home warm: the authority, or the resident's own word.
func (s *Service) VerifyCure(ctx context.Context, by actor.Actor, in Curing) (Measurement, error) {
	return s.act(ctx, by, in.Act, actor.MeasureVerify, in, func(ctx context.Context, tx *db.Tx, _ *citypack.Rules, m *Measurement) (string, error) {
		if partyOf(by) == Company {
			return "", fault.New(fault.Denied, "measure.own_cure")
		}
		made, err := s.cure(ctx, tx, by, m, in, KindVerify, Verify)
		if err != nil {
			return "", err
		}
		return made.ID, s.needNotCome(ctx, tx, m)
	})
}

func (s *Service) cure(ctx context.Context, tx *db.Tx, by actor.Actor, m *Measurement, in Curing, kind Kind, e Event) (Record, error) {
	if err := in.check(tx.Now); err != nil {
		return Record{}, err
	}
	if _, err := Lifecycle.Next(m.State, e); err != nil {
		return Record{}, err
	}
	if !in.At.IsZero() && in.At.Before(m.TestedAt) {
		var c fault.Check
		c.Add("at", "measure.before_test")
		return Record{}, c.Err()
	}
	party := partyOf(by)
	if kind == KindDeny {
		party = Resident
	}
	facts := map[string]any{"text": in.Text}
	made, err := s.keep(ctx, tx, by, m.home(), Record{Kind: kind, At: in.At, Party: party, Counted: true}, facts, nil)
	if err != nil || kind != KindVerify {
		return made, err
	}
	return made, s.endClocks(ctx, tx, *m, made.At)
}

// Invitation is the input of Invite: the company is told in writing when a laboratory measures.
type Invitation struct {
	Act
	Laboratory string        `json:"laboratory" form:"laboratory"` // code of the organisation
	At         civil.Instant `json:"at" form:"at"`
}

// Invite draws the written invitation to a commissioned test and tells the company.
func (s *Service) Invite(ctx context.Context, by actor.Actor, in Invitation) (View, error) {
	m, err := s.act(ctx, by, in.Act, actor.MeasureLab, in, func(ctx context.Context, tx *db.Tx, r *citypack.Rules, m *Measurement) (string, error) {
		var c fault.Check
		c.That(in.Laboratory != "", "laboratory", "field.required")
		c.That(in.At.After(tx.Now), "at", "dispatch.window_past")
		if err := c.Err(); err != nil {
			return "", err
		}
		facts := map[string]any{"laboratory": in.Laboratory, "at": in.At}
		made, err := s.keep(ctx, tx, by, m.home(), Record{Kind: KindInvitation, Counted: true}, facts, facts)
		if err != nil {
			return "", err
		}
		if _, err := s.number(ctx, tx, r.Pack, m.home(), DocInvitation, made.ID); err != nil || s.o.Tell == nil {
			return "", err
		}
		return "", s.o.Tell(ctx, tx, *m, "invited", made.ID)
	})
	if err != nil {
		return View{}, err
	}
	return s.Get(ctx, by, in.City, m.ID)
}

// LabReport is the input of ReportLab.
type LabReport struct {
	Act
	Lab
}

// ReportLab keeps the report of a commissioned test. Whether the laboratory is on the list and whether the company was
// invited in writing stand beside it as facts.
func (s *Service) ReportLab(ctx context.Context, by actor.Actor, in LabReport) (Measurement, error) {
	return s.act(ctx, by, in.Act, actor.MeasureLab, in, func(ctx context.Context, tx *db.Tx, r *citypack.Rules, m *Measurement) (string, error) {
		k, err := s.lab(ctx, tx, r, *m, in.Lab)
		if err != nil {
			return "", err
		}
		facts := map[string]any{"laboratory": k.Laboratory, "listed": k.Listed, "report_no": k.ReportNo, "invited": k.Invited != "", "rooms": k.Readings}
		made, err := s.keep(ctx, tx, by, m.home(), Record{Kind: KindLab, At: readAt(k.Readings), Party: Laboratory, Counted: true}, k, facts)
		if err != nil || !k.Result.Conforming {
			return made.ID, err
		}
		return made.ID, s.endClocks(ctx, tx, *m, made.At)
	})
}

func (s *Service) lab(ctx context.Context, tx *db.Tx, r *citypack.Rules, m Measurement, in Lab) (KeptLab, error) {
	var c fault.Check
	c.That(in.Laboratory != "", "laboratory", "field.required")
	c.That(in.ReportNo != "", "report_no", "field.required")
	c.That(len([]rune(in.ReportNo)) <= 100, "report_no", "field.too_long", "max", 100)
	c.That(len(in.Readings) > 0 && len(in.Readings) <= mostRooms, "readings", "field.out_of_range", "min", 1, "max", mostRooms)
	checkRooms(&c, "readings", in.Readings, tx.Now)
	for _, m := range in.Readings {
		c.That(!m.At.After(tx.Now), "readings", "measure.ahead")
	}
	if in.Invited != "" {
		invitation, err := findRecord(ctx, tx, m.City, in.Invited)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return KeptLab{}, err
		}
		c.That(err == nil && invitation.Measurement == m.ID && invitation.Kind == KindInvitation, "invitation", "measure.no_invitation")
	}
	if err := c.Err(); err != nil {
		return KeptLab{}, err
	}
	o, known, err := staff.OrganisationIn(ctx, tx, m.City, in.Laboratory)
	if err != nil {
		return KeptLab{}, err
	}
	in.Listed = known && o.Active
	k := KeptLab{Lab: in, Result: JudgeOf(r.Pack)(in.Readings, m.AgreedC, readAt(in.Readings))}
	k.Result.By = Laboratory
	return k, nil
}

// Correction is the input of Correct: the record that is wrong, why, and what is true.
type Correction struct {
	Act
	Record   string    `json:"record" form:"record"`
	Arrival  *Arrival  `json:"arrival,omitempty" form:"arrival"`
	Readings *Readings `json:"readings,omitempty" form:"readings"`
}

// Correct puts a new record in the place of an old one, which stays. What a resident has signed only the authority may
// correct. Naming one of two versions of a part settles which of them counts.
func (s *Service) Correct(ctx context.Context, by actor.Actor, in Correction) (Measurement, error) {
	return s.act(ctx, by, in.Act, actor.MeasureCorrect, in, func(ctx context.Context, tx *db.Tx, r *citypack.Rules, m *Measurement) (string, error) {
		old, err := findRecord(ctx, tx, in.City, in.Record)
		if err != nil {
			return "", err
		}
		if old.Measurement != m.ID {
			return "", fault.New(fault.NotFound, "not_found")
		}
		if err := in.check(tx.Now, old); err != nil {
			return "", err
		}
		if err := ownUnable(in.Arrival, old.Party); err != nil {
			return "", err
		}
		k, err := s.read(ctx, tx, r, m.City, m.Home)
		if err != nil {
			return "", err
		}
		if err := mayCorrect(by, old, k); err != nil {
			return "", err
		}
		return old.Visit, s.correct(ctx, tx, by, r, *m, in, old)
	})
}

func (in Correction) check(now civil.Instant, old Record) error {
	if err := need(in.Reason); err != nil {
		return err
	}
	var c fault.Check
	switch old.Kind {
	case KindArrival:
		if c.That(in.Arrival != nil, "arrival", "field.required"); in.Arrival != nil {
			in.Arrival.check(&c, now)
		}
	case KindReadings:
		if c.That(in.Readings != nil, "readings", "field.required"); in.Readings != nil {
			in.Readings.check(&c, now)
		}
	default:
		c.Add("record", "measure.not_corrected")
	}
	return c.Err()
}

// mayCorrect refuses a second correction of one record, and a company's correction of what the resident has signed.
func mayCorrect(by actor.Actor, old Record, k known) error {
	if slices.ContainsFunc(k.records, func(r Record) bool { return r.Corrects == old.ID }) {
		return fault.New(fault.Conflict, "measure.corrected_before")
	}
	signed := slices.ContainsFunc(k.visits, func(v Visit) bool { return v.ID == old.Visit && v.signed(UserSide) })
	if signed && partyOf(by) == Company {
		return fault.New(fault.Denied, "measure.correct_signed")
	}
	return nil
}

func (s *Service) correct(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, m Measurement, in Correction, old Record) error {
	w := sending{s: s, by: by, m: m, rules: r, party: old.Party, in: Submission{City: m.City, Visit: old.Visit, Arrival: in.Arrival, Readings: in.Readings}}
	if in.Readings != nil && in.Readings.Owner == "" {
		in.Readings.Owner = old.Company
	}
	list, err := w.list()
	if err != nil {
		return err
	}
	for _, p := range list {
		if p.kind != old.Kind {
			continue
		}
		data, facts, err := p.data(ctx, tx)
		if err != nil {
			return err
		}
		_, err = s.keep(ctx, tx, by, m.home(), Record{
			Visit: old.Visit, Kind: old.Kind, Part: old.Part, At: min(p.at, tx.Now), Party: old.Party, Company: old.Company, Digest: p.digest, Counted: true,
			Corrects: old.ID, Reason: in.Reason,
		}, data, facts)
		if err != nil {
			return err
		}
	}
	return nil
}

// Answered takes the resident's answer to a question of ours: whether a time suits, whether somebody came, whether it is
// warm now. ref is what the question was asked about.
func (s *Service) Answered(ctx context.Context, tx *db.Tx, by actor.Actor, city int, measurement, question, ref string, yes bool) error {
	m, err := find(ctx, tx, city, measurement)
	if err != nil {
		return err
	}
	_, err = s.actIn(ctx, tx, by, m, 0, func(ctx context.Context, tx *db.Tx, _ *citypack.Rules, m *Measurement) (string, error) {
		switch question {
		case "appointment":
			err := s.word(ctx, tx, by, m, ref, yes, agreed{How: "message"})
			if fault.Is(err, fault.Conflict) {
				return "", nil // another time was proposed meanwhile
			}
			return "", err
		case "visit":
			return ref, s.confirm(ctx, tx, by, *m, ref, yes)
		case "cure":
			return s.heard(ctx, tx, by, m, yes)
		}
		return "", fault.New(fault.NotFound, "not_found")
	})
	return err
}

// confirm keeps the resident's word on whether somebody came; the first word stays.
func (s *Service) confirm(ctx context.Context, tx *db.Tx, by actor.Actor, m Measurement, visit string, yes bool) error {
	before, err := recordsOfVisit(ctx, tx, m.City, visit)
	if err != nil || slices.ContainsFunc(before, func(r Record) bool { return r.Kind == KindAnswer }) {
		return err
	}
	a := answer{Yes: yes}
	if _, err = s.keep(ctx, tx, by, m.home(), Record{Kind: KindAnswer, Visit: visit, Part: "answer", Party: Resident, Counted: true}, a, a); err != nil {
		return err
	}
	i := slices.IndexFunc(before, func(r Record) bool { return r.Kind == KindArrival })
	if yes || i < 0 || s.o.VisitDenied == nil {
		return nil
	}
	return s.o.VisitDenied(ctx, tx, by, m, visit, before[i].At)
}

// heard takes the resident's word on whether a claimed cure holds.
func (s *Service) heard(ctx context.Context, tx *db.Tx, by actor.Actor, m *Measurement, yes bool) (string, error) {
	kind, e := KindDeny, Deny
	if yes {
		kind, e = KindVerify, Verify
	}
	if _, err := Lifecycle.Next(m.State, e); err != nil {
		return "", nil //nolint:nilerr // a re-test has decided meanwhile
	}
	facts := map[string]any{"how": "message"}
	made, err := s.keep(ctx, tx, by, m.home(), Record{Kind: kind, Party: Resident, Counted: true}, facts, facts)
	if err != nil || !yes {
		return made.ID, err
	}
	if err := s.endClocks(ctx, tx, *m, made.At); err != nil {
		return "", err
	}
	return made.ID, s.needNotCome(ctx, tx, m)
}

// needNotCome cancels what was agreed for a re-test once somebody other than the company found the home warm: nobody who
// does not come then is late.
func (s *Service) needNotCome(ctx context.Context, tx *db.Tx, m *Measurement) error {
	m.From, m.To = 0, 0
	return s.turnAll(ctx, tx, *m, Cancel)
}
