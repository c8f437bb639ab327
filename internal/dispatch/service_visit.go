package dispatch

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// Appointment is the input of Appoint: when the unit comes, as agreed with the resident (预约).
type Appointment struct {
	cases.Act
	From      civil.Instant `json:"from" form:"from"`
	To        civil.Instant `json:"to" form:"to"`
	Recording string        `json:"recording" form:"recording"` // of the call in which the resident agreed; empty: the resident is asked
	Wish      bool          `json:"night_wish" form:"night_wish"`
	Device    Device        `json:"device,omitzero" form:"device"`
}

// Appoint keeps an appointment. With the recording of the resident's word it moves the limits of coming and measuring;
// without, the resident is asked by message and the limits stay until they say yes. At night only for leaks or by wish.
func (s *Service) Appoint(ctx context.Context, by actor.Actor, in Appointment) (cases.Case, error) {
	var check fault.Check
	check.That(!in.From.IsZero(), "from", "field.required")
	check.That(!in.To.IsZero(), "to", "field.required")
	check.That(in.To.After(in.From), "to", "case.to_before_from")
	check.That(in.To.Sub(in.From) <= 12*time.Hour, "to", "dispatch.window_long")
	check.Merge("", in.Device.Check())
	if err := check.Err(); err != nil {
		return cases.Case{}, err
	}
	confirmed := in.Recording != ""
	body := in.Device.into(map[string]any{"from": in.From, "to": in.To, "confirmed": confirmed})
	return s.do(ctx, by, change{
		act: in.Act, event: cases.Appoint, body: body, public: true,
		apply: func(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *cases.Case, d *Dispatch, _ *cases.Plan) error {
			if err := s.mayCome(r, *c, in, tx.Now); err != nil {
				return err
			}
			result := "asked"
			if confirmed {
				result = "confirmed"
			}
			kept, err := cases.AddDeed(ctx, tx, deed(*c, *d, by, cases.DeedAppointment, result, tx.Now), in)
			if err != nil {
				return err
			}
			if confirmed {
				return s.move(ctx, tx, r, *c, in, "dispatch.why.appointed")
			}
			if s.o.Ask == nil {
				return nil
			}
			return s.o.Ask(ctx, tx, *c, "appointment", kept.ID, map[string]string{"from": in.From.MonthDayClock(), "to": in.To.Clock()})
		},
	}, in)
}

func (s *Service) mayCome(r *citypack.Rules, c cases.Case, in Appointment, now civil.Instant) error {
	var check fault.Check
	check.That(in.To.After(now), "to", "dispatch.window_past")
	o := r.Pack.Options(now)
	cat, _ := r.Pack.Category(c.Category)
	night := inNight(in.From, o.NightFrom, o.NightTo) || inNight(in.To.Add(-time.Minute), o.NightFrom, o.NightTo)
	check.That(!night || in.Wish || cat != nil && cat.Leak, "from", "dispatch.night", "from", o.NightFrom, "to", o.NightTo)
	return check.Err()
}

// move gives the clocks that an appointment moves their new end.
func (s *Service) move(ctx context.Context, tx *db.Tx, r *citypack.Rules, c cases.Case, in Appointment, why string) error {
	var codes []string
	for _, code := range citypack.ClockNames() {
		if k, ok := r.Pack.Clock(code); ok && k.Appointment {
			codes = append(codes, code)
		}
	}
	subject := clock.Subject{City: c.City, Case: c.ID, Urgency: c.Urgency, County: c.District}
	return s.o.Clocks.Move(ctx, tx, subject, codes, in.To, text.Msg(why, "from", in.From.MonthDayClock(), "to", in.To.Clock()))
}

// Answered takes the resident's answer to a question of ours: whether an appointment suits, whether somebody came.
func (s *Service) Answered(ctx context.Context, tx *db.Tx, by actor.Actor, city int, caseID, ref string, yes bool) error {
	deeds, err := cases.Deeds(ctx, tx, city, caseID, "")
	if err != nil {
		return err
	}
	i := slices.IndexFunc(deeds, func(d cases.Deed) bool { return d.ID == ref })
	if i < 0 {
		return fault.New(fault.NotFound, "not_found")
	}
	if slices.ContainsFunc(deeds, func(d cases.Deed) bool { return d.Kind == cases.DeedAnswer && answerTo(d) == ref }) {
		return fault.New(fault.Conflict, "dispatch.answered")
	}
	result := "no"
	if yes {
		result = "yes"
	}
	act := audit.Act{Act: "case.resident_answer", Public: true, Body: map[string]any{"question": deeds[i].Kind, "answer": result}}
	_, err = s.o.Cases.EditIn(ctx, tx, by, city, caseID, act, func(c *cases.Case) error {
		d := cases.Deed{City: city, Case: caseID, Dispatch: deeds[i].Dispatch, Kind: cases.DeedAnswer, By: by.ID, Result: result}
		if _, err := cases.AddDeed(ctx, tx, d, wordOn{To: ref, Visited: deeds[i].At}); err != nil {
			return err
		}
		if deeds[i].Kind == cases.DeedAppointment {
			return s.appointmentAnswered(ctx, tx, c, deeds[i], yes)
		}
		return s.visitAnswered(ctx, tx, by, c, yes || deniedBefore(deeds, deeds[i].At))
	})
	return err
}

// VisitDenied takes a resident's word that what a tester says of a visit is untrue: it counts like that about any visit of the
// case, and once where both forms of one visit are denied.
func (s *Service) VisitDenied(ctx context.Context, tx *db.Tx, by actor.Actor, city int, caseID, visit string, at civil.Instant) error {
	deeds, err := cases.Deeds(ctx, tx, city, caseID, "")
	if err != nil {
		return err
	}
	act := audit.Act{Act: "case.resident_answer", Public: true, Body: map[string]any{"question": cases.DeedVisit, "answer": "no"}}
	_, err = s.o.Cases.EditIn(ctx, tx, by, city, caseID, act, func(c *cases.Case) error {
		d := cases.Deed{City: city, Case: caseID, Dispatch: c.DispatchID, Kind: cases.DeedAnswer, By: by.ID, Result: "no"}
		if _, err := cases.AddDeed(ctx, tx, d, wordOn{To: visit, Visited: at}); err != nil {
			return err
		}
		return s.visitAnswered(ctx, tx, by, c, deniedBefore(deeds, at))
	})
	return err
}

// wordOn is what a resident's answer is about.
type wordOn struct {
	To      string        `json:"to"`
	Visited civil.Instant `json:"visited,omitzero"`
}

func answerTo(d cases.Deed) string {
	var v wordOn
	_ = d.Into(&v)
	return v.To
}

// sameVisit is how far apart two forms of one visit may stand.
const sameVisit = 2 * time.Hour

// deniedBefore reports whether the resident has denied a visit of about that time already.
func deniedBefore(deeds []cases.Deed, at civil.Instant) bool {
	return slices.ContainsFunc(deeds, func(d cases.Deed) bool {
		var v wordOn
		return d.Kind == cases.DeedAnswer && d.Result == "no" && d.Into(&v) == nil && !v.Visited.IsZero() && v.Visited.Sub(at).Abs() < sameVisit
	})
}

func (s *Service) appointmentAnswered(ctx context.Context, tx *db.Tx, c *cases.Case, d cases.Deed, yes bool) error {
	var in Appointment
	if err := d.Into(&in); err != nil || !yes || !in.To.After(tx.Now) {
		return err
	}
	r, err := s.o.Cases.Rules(ctx, tx, c.City)
	if err != nil {
		return err
	}
	if err := s.move(ctx, tx, r, *c, in, "dispatch.why.appointed"); err != nil {
		return err
	}
	return s.o.Cases.Due(ctx, tx, c)
}

// visitAnswered counts a visit that the resident says never happened; at the pack's limit it goes to supervision.
func (s *Service) visitAnswered(ctx context.Context, tx *db.Tx, by actor.Actor, c *cases.Case, yes bool) error {
	if yes {
		return nil
	}
	c.UntrueVisits++
	r, err := s.o.Cases.Rules(ctx, tx, c.City)
	if err != nil {
		return err
	}
	most := r.Pack.Options(tx.Now).UntrueVisitsLimit
	if most == 0 || c.UntrueVisits != most {
		return nil
	}
	c.Supervised = true
	return s.order(ctx, tx, by, r, *c, text.T(text.ZH, "dispatch.order.untrue", "n", c.UntrueVisits), "untrue_visit")
}

// Visit is the input of Arrive.
type Visit struct {
	cases.Act
	Result      string          `json:"result" form:"result"` // met, nobody, refused
	At          civil.Instant   `json:"at" form:"at"`
	CallLog     string          `json:"call_log" form:"call_log"` // of a call at the door
	Slip        bool            `json:"slip" form:"slip"`         // 未遇告知单 was left
	Temperature *celsius.Tenths `json:"temperature" form:"temperature"`
	Note        string          `json:"note" form:"note"`
	Device      Device          `json:"device,omitzero" form:"device"`
	Photos      []blob.Stored   `json:"-" form:"-"`
}

// Arrive keeps that somebody came (到场). "Nobody home" is no end: it needs photo, call and slip as the pack asks, and the
// resident is asked whether it is true.
func (s *Service) Arrive(ctx context.Context, by actor.Actor, in Visit) (cases.Case, error) {
	var check fault.Check
	check.That(in.Result == "met" || in.Result == "nobody" || in.Result == "refused", "result", "field.not_one_of", "allowed", "met, nobody, refused")
	check.That(len([]rune(in.Note)) <= 1000, "note", "field.too_long", "max", 1000)
	if t := in.Temperature; t != nil {
		check.That(*t >= -300 && *t <= 600, "temperature", "field.out_of_range", "min", "-30", "max", "60")
	}
	check.Merge("", in.Device.Check())
	if err := check.Err(); err != nil {
		return cases.Case{}, err
	}
	return s.do(ctx, by, change{
		act: in.Act, event: cases.Arrive, body: in.Device.into(map[string]any{"result": in.Result, "at": in.At}), public: true, adds: true, at: in.At,
		apply: func(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *cases.Case, d *Dispatch, plan *cases.Plan) error {
			if err := in.proven(r.Pack.Options(tx.Now)); err != nil {
				return err
			}
			at, err := happened(in.At, d.ToldAt, tx.Now)
			if err != nil {
				return err
			}
			if err := s.photos(ctx, tx, by, *c, in.Photos); err != nil {
				return err
			}
			kept, err := cases.AddDeed(ctx, tx, deed(*c, *d, by, cases.DeedVisit, in.Result, at), in)
			if err != nil {
				return err
			}
			plan.Happened = append(plan.Happened, clock.Happened{Event: citypack.EventArrived, At: at})
			if d.ContactedAt.IsZero() {
				d.ContactedAt = at
				plan.Happened = append(plan.Happened, clock.Happened{Event: citypack.EventContacted, At: at})
			}
			if in.Result == "nobody" && s.o.Ask != nil {
				return s.o.Ask(ctx, tx, *c, "visit", kept.ID, map[string]string{"at": at.MonthDayClock()})
			}
			if in.Result == "met" {
				d.ArrivedAt, c.ArrivedAt = at, at
				if in.Temperature != nil {
					plan.Happened = append(plan.Happened, clock.Happened{Event: citypack.EventMeasured, At: at})
				}
			}
			return nil
		},
	}, in)
}

// proven refuses "nobody home" without the proofs that the pack asks of the unit.
func (v Visit) proven(o citypack.Options) error {
	if v.Result != "nobody" {
		return nil
	}
	var check fault.Check
	for _, p := range o.NotHomeProofs {
		switch p {
		case "photo":
			check.That(len(v.Photos) > 0, "photos", "dispatch.proof_photo")
		case "call":
			check.That(strings.TrimSpace(v.CallLog) != "", "call_log", "dispatch.proof_call")
		case "slip":
			check.That(v.Slip, "slip", "dispatch.proof_slip")
		}
	}
	return check.Err()
}

func (s *Service) photos(ctx context.Context, tx *db.Tx, by actor.Actor, c cases.Case, list []blob.Stored) error {
	for _, p := range list {
		if _, err := s.o.Blobs.SaveIn(ctx, tx, by, p.For(c.Subject())); err != nil {
			return err
		}
	}
	return nil
}
