package cases

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Verification is the input of Verify: somebody other than the handler looks whether it is true (核查).
type Verification struct {
	Act
	Passed      bool            `json:"passed" form:"passed"`
	Mode        string          `json:"mode" form:"mode"` // on_site, evidence
	Note        string          `json:"note" form:"note"`
	Temperature *celsius.Tenths `json:"temperature" form:"temperature"`
}

// Verify checks the unit's word before closing. A failed verification is rework.
func (s *Service) Verify(ctx context.Context, by actor.Actor, in Verification) (Case, error) {
	var check fault.Check
	oneOf(&check, "mode", in.Mode, []string{"on_site", "evidence"})
	check.That(in.Mode != "", "mode", "field.required")
	check.That(in.Passed || in.Note != "", "note", "field.required")
	check.That(utf8.RuneCountInString(in.Note) <= 1000, "note", "field.too_long", "max", 1000)
	if err := check.Err(); err != nil {
		return Case{}, err
	}
	event, result := Verify, "passed"
	if !in.Passed {
		event, result = FailVerify, "failed"
	}
	return s.step(ctx, by, in.Act, event, false, func(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *Case) error {
		if err := s.NotHandlerIn(ctx, tx, by, *c); err != nil {
			return err
		}
		d := Deed{City: c.City, Case: c.ID, Dispatch: c.DispatchID, Kind: DeedVerification, By: by.ID, Result: result}
		if _, err := AddDeed(ctx, tx, d, in); err != nil {
			return err
		}
		if !in.Passed {
			return s.rework(ctx, tx, r, c)
		}
		return nil
	})
}

// NotHandlerIn refuses whoever had a hand in the work: neither they nor their unit judge it.
func (s *Service) NotHandlerIn(ctx context.Context, tx *db.Tx, by actor.Actor, c Case) error {
	if by.Org != "" && by.Org == c.Company {
		return fault.New(fault.Denied, "case.own_work")
	}
	did, err := handled(ctx, tx, c, by.ID)
	if err != nil {
		return err
	}
	if did {
		return fault.New(fault.Denied, "case.own_work")
	}
	return nil
}

// Call is one try to ask the resident whether it is warm now (回访).
type Call struct {
	Act
	Reached   bool   `json:"reached" form:"reached"`
	Solved    string `json:"solved" form:"solved"`       // yes, no
	Satisfied string `json:"satisfied" form:"satisfied"` // yes, no; empty: not said
	Channel   string `json:"channel" form:"channel"`     // phone, message
	Note      string `json:"note" form:"note"`
}

// check refuses what no call-back can say.
func (c Call) check() error {
	var check fault.Check
	oneOf(&check, "solved", c.Solved, []string{"yes", "no"})
	oneOf(&check, "satisfied", c.Satisfied, []string{"yes", "no"})
	oneOf(&check, "channel", c.Channel, []string{"phone", "message"})
	check.That(!c.Reached || c.Solved != "", "solved", "field.required")
	check.That(utf8.RuneCountInString(c.Note) <= 1000, "note", "field.too_long", "max", 1000)
	return check.Err()
}

// CallBack keeps one try. Solved, or nobody reached after the pack's tries in its half-days: the case may close. Not
// solved: it goes back to the unit, and counts as rework unless a reading met the standard, which offers a re-test.
func (s *Service) CallBack(ctx context.Context, by actor.Actor, in Call) (Case, error) {
	if err := in.check(); err != nil {
		return Case{}, err
	}
	if !in.Reached {
		return s.notReached(ctx, by, in)
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Case, error) { return s.CallBackIn(ctx, tx, by, in) })
}

// CallBackIn keeps what a resident says about a case that waits to be called back: to a person, or in answer to a message.
// Who did the work does not ask.
func (s *Service) CallBackIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Call) (Case, error) {
	in.Reached = true
	if err := in.check(); err != nil {
		return Case{}, err
	}
	event := CallBack
	if in.Solved == "no" {
		event = NotSolved
	}
	return s.stepIn(ctx, tx, by, in.Act, event, func(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *Case) error {
		if err := s.NotHandlerIn(ctx, tx, by, *c); err != nil {
			return err
		}
		c.Solved, c.Satisfied = in.Solved, in.Satisfied
		if err := s.called(ctx, tx, by, *c, in, in.Solved); err != nil {
			return err
		}
		if event == CallBack {
			return nil
		}
		return s.unsolved(ctx, tx, r, c)
	})
}

func (s *Service) called(ctx context.Context, tx *db.Tx, by actor.Actor, c Case, in Call, result string) error {
	_, err := AddDeed(ctx, tx, Deed{City: c.City, Case: c.ID, Dispatch: c.DispatchID, Kind: DeedCallBack, By: by.ID, Result: result}, in)
	return err
}

// unsolved sends a case back; a flat that was measured warm gets a re-test instead of a mark for rework.
func (s *Service) unsolved(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *Case) error {
	warm, err := s.ConformsIn(ctx, tx, r, *c)
	if err != nil {
		return err
	}
	if !warm {
		return s.rework(ctx, tx, r, c)
	}
	if err := s.Tick(ctx, tx, r, c, citypack.EventCured, tx.Now, clock.Org{Org: c.Company, Ref: c.ClockRef()}); err != nil {
		return err
	}
	if s.Told == nil {
		return nil
	}
	return s.Told(ctx, tx, *c, "retest")
}

// ConformsIn reports whether the unit's last reading met the city's standard.
func (s *Service) ConformsIn(ctx context.Context, tx *db.Tx, r *citypack.Rules, c Case) (bool, error) {
	std, ok := r.Pack.Standard("bedroom", tx.Now)
	if !ok {
		return false, nil
	}
	deeds, err := Deeds(ctx, tx, c.City, c.ID, DeedFeedback)
	if err != nil || len(deeds) == 0 {
		return false, err
	}
	var f struct {
		Form map[string]string `json:"form"`
	}
	if err := deeds[len(deeds)-1].Into(&f); err != nil {
		return false, err
	}
	last := f.Form["temp_after"]
	if last == "" {
		last = f.Form["temp_before"]
	}
	t, err := celsius.Parse(last)
	return err == nil && t >= std.Value, nil
}

// notReached keeps a try that reached nobody; after the last the case may close as 未接通.
func (s *Service) notReached(ctx context.Context, by actor.Actor, in Call) (Case, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Case, error) {
		return OnceIn(ctx, tx, by, in.Act, in, func() (Case, error) {
			r, err := s.o.Rules(ctx, tx, in.City)
			if err != nil {
				return Case{}, err
			}
			was, err := s.GetIn(ctx, tx, by, in.City, in.ID)
			if err != nil {
				return Case{}, err
			}
			tried, err := tries(ctx, tx, was)
			if err != nil {
				return Case{}, err
			}
			if enough(tried, tx.Now, r.Pack.Options(tx.Now)) {
				return s.MoveIn(ctx, tx, by, in.City, in.ID, Change{
					Event: CallBack, Version: in.Version, Body: map[string]any{"solved": "unreached"}, Public: true,
					Apply: func(c *Case) error {
						if err := s.NotHandlerIn(ctx, tx, by, *c); err != nil {
							return err
						}
						c.Solved = "unreached"
						return s.called(ctx, tx, by, *c, in, "unreached")
					},
				})
			}
			act := audit.Act{Act: "case.call_back_tried", Public: true, Body: map[string]any{"try": len(tried) + 1}}
			return s.EditIn(ctx, tx, by, in.City, in.ID, act, func(c *Case) error {
				if c.Status != Verified {
					return fault.New(fault.Conflict, "flow.no_such_step")
				}
				if err := by.May(actor.CaseCallBack, c.On()); err != nil {
					return err
				}
				if err := s.NotHandlerIn(ctx, tx, by, *c); err != nil {
					return err
				}
				return s.called(ctx, tx, by, *c, in, "unreached")
			})
		})
	})
}

// Asked is the result of a call-back by message that is not answered yet; AskedFor is how long one waits for the answer.
// After it the message is a try that reached nobody.
const (
	Asked    = "asked"
	AskedFor = 48 * time.Hour
)

// tries lists the tries to call back since the unit last said that it was done: what was tried before a rework is over.
func tries(ctx context.Context, tx *db.Tx, c Case) ([]Deed, error) {
	all, err := Deeds(ctx, tx, c.City, c.ID, DeedCallBack)
	return slices.DeleteFunc(all, func(d Deed) bool { return d.At.Before(c.FedBackAt) }), err
}

// enough reports whether a try now is the last that the pack asks for: so many tries, in so many different half-days.
func enough(tried []Deed, now civil.Instant, o citypack.Options) bool {
	n, half := 1, map[string]bool{halfDay(now): true}
	for _, d := range tried {
		if d.Result == "unreached" || d.Result == Asked && now.Sub(d.At) >= AskedFor {
			n++
			half[halfDay(d.At)] = true
		}
	}
	return n >= max(o.CallbackTries, 1) && len(half) >= max(o.CallbackHalfDays, 1)
}

// AskBackIn notes that the resident was asked by message whether it is solved; the caller sends the question.
func (s *Service) AskBackIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Act) (Case, error) {
	act := audit.Act{Act: "case.call_back_asked", Public: true}
	return s.EditIn(ctx, tx, by, in.City, in.ID, act, func(c *Case) error {
		if err := by.May(actor.CaseCallBack, c.On()); err != nil {
			return actor.Hide(err)
		}
		if c.Status != Verified {
			return fault.New(fault.Conflict, "flow.no_such_step")
		}
		if in.Version != 0 && in.Version != c.Version {
			return fault.New(fault.Conflict, "conflict.version")
		}
		if err := s.NotHandlerIn(ctx, tx, by, *c); err != nil {
			return err
		}
		return s.called(ctx, tx, by, *c, Call{Channel: "message"}, Asked)
	})
}

func halfDay(at civil.Instant) string {
	return fmt.Sprintf("%s/%t", at.Date(), at.Time().Hour() >= 12)
}

// Close ends a case (结案). No case about cold closes without a temperature taken in the flat, or the resident's own word.
func (s *Service) Close(ctx context.Context, by actor.Actor, in Answering) (Case, error) {
	return s.step(ctx, by, in.Act, Close, false, func(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *Case) error {
		if in.Answer != "" {
			c.Answer = in.Answer
		}
		if c.Solved == "" && s.needsCall(r, *c, tx.Now) {
			return fault.New(fault.Conflict, "case.call_back_first")
		}
		if cat, ok := r.Pack.Category(c.Category); ok && cat.Temperature && c.Solved != "yes" {
			if err := s.hasTemperature(ctx, tx, *c); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) needsCall(r *citypack.Rules, c Case, now civil.Instant) bool {
	if !r.Pack.Options(now).CallbackRequired {
		return false
	}
	return c.Nature == citypack.Repair || c.Nature == citypack.Complaint || c.Nature == citypack.Help
}

func (s *Service) hasTemperature(ctx context.Context, tx *db.Tx, c Case) error {
	deeds, err := Deeds(ctx, tx, c.City, c.ID, DeedFeedback)
	if err != nil {
		return err
	}
	for _, d := range deeds {
		var f struct {
			Form map[string]string `json:"form"`
		}
		if err := d.Into(&f); err != nil {
			return err
		}
		if f.Form["temp_before"] != "" || f.Form["temp_after"] != "" {
			return nil
		}
	}
	return fault.New(fault.Conflict, "case.no_temperature")
}
