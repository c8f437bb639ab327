package measure

import (
	"context"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
)

// Proposal is the input of Propose: when the company would come.
type Proposal struct {
	Act
	From      civil.Instant `json:"from" form:"from"`
	To        civil.Instant `json:"to" form:"to"`
	Recording string        `json:"recording" form:"recording"` // of the call in which the resident agreed; empty: the resident is asked
	Wish      bool          `json:"wish" form:"wish"`           // the resident wants it outside the hours of the rules
}

// longestWindow is how long a resident is made to wait at home for one visit.
const longestWindow = 12 * time.Hour

// Propose offers a time. With the recording of the resident's word it is agreed at once; without, the resident is asked,
// and until they agree nothing moves. Hours that the rules forbid need the resident's wish.
func (s *Service) Propose(ctx context.Context, by actor.Actor, in Proposal) (Measurement, error) {
	return s.act(ctx, by, in.Act, actor.MeasureAppoint, in, func(ctx context.Context, tx *db.Tx, r *citypack.Rules, m *Measurement) (string, error) {
		if m.State == Withdrawn {
			return "", fault.New(fault.Conflict, "flow.no_such_step")
		}
		if err := in.check(r.Pack, tx.Now); err != nil {
			return "", err
		}
		if err := s.room(ctx, tx, *m, in.From); err != nil {
			return "", err
		}
		if err := s.turnAll(ctx, tx, *m, Replace); err != nil {
			return "", err
		}
		a := Appointment{
			City: m.City, ID: tx.NewID(), Measurement: m.ID, Company: m.Company, State: Appointments.Start, Retest: m.State == Failed || m.State == Cured,
			From: in.From, To: in.To, ProposedAt: tx.Now, ProposedBy: by.ID, Version: 1,
		}
		if err := insertAppointment(ctx, tx, a); err != nil {
			return "", err
		}
		facts := map[string]any{"appointment": a.ID, "from": a.From, "to": a.To, "wish": in.Wish}
		if _, err := s.keep(ctx, tx, by, m.home(), Record{Kind: KindAppointment, Counted: true}, facts, facts); err != nil {
			return "", err
		}
		m.From, m.To = 0, 0
		if in.Recording != "" {
			return "", s.agree(ctx, tx, by, m, a, agreed{How: "recording", Recording: in.Recording})
		}
		if s.o.Ask == nil {
			return "", nil
		}
		return "", s.o.Ask(ctx, tx, *m, "appointment", a.ID, map[string]any{"no": m.No, "from": a.From.MonthDayClock(), "to": a.To.Clock()})
	})
}

func (in Proposal) check(p *citypack.Pack, now civil.Instant) error {
	var c fault.Check
	c.That(!in.From.IsZero(), "from", "field.required")
	c.That(!in.To.IsZero(), "to", "field.required")
	c.That(in.To.After(in.From), "to", "case.to_before_from")
	c.That(in.To.Sub(in.From) <= longestWindow, "to", "dispatch.window_long")
	c.That(in.To.After(now), "to", "dispatch.window_past")
	if err := c.Err(); err != nil {
		return err
	}
	last := in.To.Add(-time.Minute)
	if h := rulesOn(p, in.From.Date()).hours(); len(h) > 0 {
		c.That(in.Wish || within(h, in.From) && within(h, last), "from", "measure.hours", "hours", spell(h))
	} else if o := p.Options(in.From); o.NightFrom != "" {
		night := inNight(in.From, o.NightFrom, o.NightTo) || inNight(last, o.NightFrom, o.NightTo)
		c.That(in.Wish || !night, "from", "dispatch.night", "from", o.NightFrom, "to", o.NightTo)
	}
	return c.Err()
}

// inNight reports whether a clock reading lies in hours that may go over midnight.
func inNight(at civil.Instant, from, to string) bool {
	hm := at.Clock()
	if from <= to {
		return hm >= from && hm < to
	}
	return hm >= from || hm < to
}

// agree makes an appointment the resident's word: the promise of time moves to its end, but what is late stays late.
func (s *Service) agree(ctx context.Context, tx *db.Tx, by actor.Actor, m *Measurement, a Appointment, word agreed) error {
	step, err := Appointments.Next(a.State, Accept)
	if err != nil {
		return err
	}
	a.State, a.How, a.Recording, a.AnsweredAt = step.To, word.How, word.Recording, tx.Now
	if a, err = turned(ctx, tx, a); err != nil {
		return err
	}
	word.Appointment, word.From, word.To = a.ID, a.From, a.To
	if _, err := s.keep(ctx, tx, by, m.home(), Record{Kind: KindAgreed, Party: Resident, Counted: true}, word, word); err != nil {
		return err
	}
	late := word.NoneWithin || m.State.Waiting() && !m.DueAt.IsZero() && !tx.Now.Before(m.DueAt)
	m.From, m.To = a.From, a.To
	if !late {
		m.DueAt = a.To
	}
	if !word.NoneWithin {
		why := text.Msg("dispatch.why.appointed", "from", a.From.MonthDayClock(), "to", a.To.Clock())
		if err := s.moveClocks(ctx, tx, *m, a, a.To, why); err != nil {
			return err
		}
	}
	due := *m
	due.DueAt = a.To
	return s.watch(ctx, tx, due, a.ID)
}

// moveClocks gives the clocks of the case, or the measurement's own, that an appointment moves their new end.
func (s *Service) moveClocks(ctx context.Context, tx *db.Tx, m Measurement, a Appointment, to civil.Instant, why text.Message) error {
	if s.o.Clocks == nil || !to.After(tx.Now) {
		return nil
	}
	code := citypack.ClockMeasure
	if a.Retest {
		code = citypack.ClockRetest
	}
	if err := s.o.Clocks.Move(ctx, tx, m.ownClocks(), []string{code}, to, why); err != nil || m.Case == "" {
		return err
	}
	return s.o.Clocks.Move(ctx, tx, clock.Subject{City: m.City, Case: m.Case, County: m.District}, []string{code}, to, why)
}

// turnAll applies a turn to every appointment of a measurement that is still open.
func (s *Service) turnAll(ctx context.Context, tx *db.Tx, m Measurement, t Turn) error {
	list, err := appointmentsOf(ctx, tx, m.City, m.ID)
	if err != nil {
		return err
	}
	for _, a := range list {
		step, err := Appointments.Next(a.State, t)
		if err != nil {
			continue // over already
		}
		a.State = step.To
		if _, err := turned(ctx, tx, a); err != nil {
			return err
		}
	}
	return nil
}

// keepAppointment closes the appointments of the day on which somebody came; one for a later day stays, whenever the form of
// today's visit is sent.
func (s *Service) keepAppointment(ctx context.Context, tx *db.Tx, m *Measurement, at civil.Instant) error {
	list, err := appointmentsOf(ctx, tx, m.City, m.ID)
	if err != nil {
		return err
	}
	for _, a := range list {
		step, err := Appointments.Next(a.State, Keep)
		if err != nil || a.From.Date() != at.Date() {
			continue
		}
		if a.State == Agreed && m.From == a.From {
			m.From, m.To = 0, 0
		}
		a.State = step.To
		if _, err := turned(ctx, tx, a); err != nil {
			return err
		}
	}
	return nil
}

// Answering is the input of Accept and Decline: the resident's word about a proposed time, as staff heard it.
type Answering struct {
	Act
	Appointment string `json:"appointment" form:"appointment"`
	Recording   string `json:"recording" form:"recording"`
}

// Accept keeps that the resident agreed to a time in a recorded call.
func (s *Service) Accept(ctx context.Context, by actor.Actor, in Answering) (Measurement, error) {
	var c fault.Check
	c.That(in.Recording != "", "recording", "field.required")
	if err := c.Err(); err != nil {
		return Measurement{}, err
	}
	return s.answered(ctx, by, in, true, "recording")
}

// Decline keeps that the resident did not agree.
func (s *Service) Decline(ctx context.Context, by actor.Actor, in Answering) (Measurement, error) {
	return s.answered(ctx, by, in, false, "recording")
}

func (s *Service) answered(ctx context.Context, by actor.Actor, in Answering, yes bool, how string) (Measurement, error) {
	return s.act(ctx, by, in.Act, actor.MeasureRead, in, func(ctx context.Context, tx *db.Tx, _ *citypack.Rules, m *Measurement) (string, error) {
		if by.May(actor.MeasureRequest, m.On()) != nil {
			if err := by.May(actor.MeasureAppoint, m.On()); err != nil {
				return "", err
			}
		}
		return "", s.word(ctx, tx, by, m, in.Appointment, yes, agreed{How: how, Recording: in.Recording})
	})
}

// word takes the resident's yes or no to a proposed time.
func (s *Service) word(ctx context.Context, tx *db.Tx, by actor.Actor, m *Measurement, id string, yes bool, w agreed) error {
	a, err := findAppointment(ctx, tx, m.City, id)
	if err != nil {
		return err
	}
	if a.Measurement != m.ID {
		return fault.New(fault.NotFound, "not_found")
	}
	if yes {
		return s.agree(ctx, tx, by, m, a, w)
	}
	step, err := Appointments.Next(a.State, Decline)
	if err != nil {
		return err
	}
	if a.State == Agreed {
		if err := s.release(ctx, tx, m, a); err != nil {
			return err
		}
	}
	a.State, a.How, a.AnsweredAt = step.To, w.How, tx.Now
	if _, err := turned(ctx, tx, a); err != nil {
		return err
	}
	facts := map[string]any{"appointment": a.ID, "how": w.How}
	if _, err := s.keep(ctx, tx, by, m.home(), Record{Kind: KindDeclined, Party: Resident, Counted: true}, facts, facts); err != nil {
		return err
	}
	if s.o.Tell == nil {
		return nil
	}
	return s.o.Tell(ctx, tx, *m, "declined", a.ID)
}

// Assigning is the input of Assign: who comes.
type Assigning struct {
	Act
	Worker  string   `json:"worker" form:"worker"`
	Testers []string `json:"testers" form:"testers"` // who else comes
}

// Assign names the testers, as many as the rules of the city ask for. The worker leads and sees the order on their phone.
func (s *Service) Assign(ctx context.Context, by actor.Actor, in Assigning) (Measurement, error) {
	return s.act(ctx, by, in.Act, actor.MeasureAppoint, in, func(ctx context.Context, tx *db.Tx, r *citypack.Rules, m *Measurement) (string, error) {
		all := append([]string{in.Worker}, in.Testers...)
		slices.Sort(all)
		all = slices.DeleteFunc(slices.Compact(all), func(id string) bool { return id == "" })
		var c fault.Check
		c.That(in.Worker != "", "worker", "field.required")
		if n := rulesOn(r.Pack, tx.Now.Date()).testers(); n > 0 {
			c.That(len(all) >= n, "testers", "measure.testers_few", "n", n)
		}
		people, err := staff.Holders(ctx, tx, m.City, actor.RolesWith(actor.MeasureTest))
		if err != nil {
			return "", err
		}
		for _, id := range all {
			ours := slices.ContainsFunc(people, func(p staff.Person) bool { return p.ID == id && mayTest(p, *m) })
			c.That(ours, "testers", "measure.no_tester", "person", id)
		}
		if err := c.Err(); err != nil {
			return "", err
		}
		m.Worker, m.Testers = in.Worker, slices.DeleteFunc(all, func(id string) bool { return id == in.Worker })
		act := audit.Act{Subject: ChainOf(m.Home), Act: "measure.assign", Body: map[string]any{"measurement": m.ID, "testers": len(all)}}
		return "", audit.Record(ctx, tx, by, m.City, act)
	})
}

// mayTest reports whether a member of staff may be sent to a measurement; who holds the order does not matter yet.
func mayTest(p staff.Person, m Measurement) bool {
	m.Worker = ""
	a := actor.Actor{ID: p.ID, Kind: actor.Person, Org: p.Org}
	for _, g := range p.Grants {
		a.Grants = append(a.Grants, g.Actor())
	}
	return a.May(actor.MeasureTest, m.On()) == nil
}

// passing is the job that looks whether somebody came in time.
type passing struct {
	Measurement string        `json:"measurement"`
	Due         civil.Instant `json:"due"`
	Appointment string        `json:"appointment,omitempty"`
}

// Kind names the job.
func (passing) Kind() string { return "measure.passed" }

// passed keeps that the company let its time pass: the limit with nobody at the door, or an agreed time. A form that comes
// later from a stairwell and shows a visit in time undoes it by itself.
func (s *Service) passed(ctx context.Context, j jobs.Job, p passing) error {
	by := actor.SystemFor("measure", actor.Job)
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		m, err := find(ctx, tx, j.City, p.Measurement)
		if err != nil {
			return err
		}
		if m, err = held(ctx, tx, m); err != nil {
			return err
		}
		fact, late, err := s.late(ctx, tx, m, p)
		if err != nil || !late {
			return err
		}
		_, err = s.actIn(ctx, tx, by, m, 0, func(ctx context.Context, tx *db.Tx, _ *citypack.Rules, m *Measurement) (string, error) {
			if p.Appointment != "" {
				m.From, m.To = 0, 0
			}
			made, err := s.keep(ctx, tx, by, m.home(), Record{Kind: KindMissed, At: fact.Due, Counted: true}, fact, fact)
			if err == nil && s.o.Tell != nil {
				err = s.o.Tell(ctx, tx, *m, "missed", made.ID)
			}
			return made.ID, err
		})
		return err
	})
}

// late reports whether a time has passed that counts, and was not kept down before.
func (s *Service) late(ctx context.Context, tx *db.Tx, m Measurement, p passing) (missed, bool, error) {
	fact := missed{Appointment: p.Appointment, Due: p.Due}
	if p.Appointment == "" {
		return fact, m.State == Requested && m.DueAt == p.Due && !tx.Now.Before(m.DueAt), nil
	}
	a, err := findAppointment(ctx, tx, m.City, p.Appointment)
	if err != nil || a.State != Agreed || tx.Now.Before(a.To) {
		return fact, false, err
	}
	step, err := Appointments.Next(a.State, Break)
	if err != nil {
		return fact, false, err
	}
	fact.From, a.State = a.From, step.To
	_, err = turned(ctx, tx, a)
	return fact, err == nil, err
}
