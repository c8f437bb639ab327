package callback

import (
	"context"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/once"
)

// Message answers, in the order of their digits.
const (
	Pleased  = "pleased"  // solved, satisfied
	Grudging = "grudging" // solved, not satisfied
	Unsolved = "unsolved" // not solved
)

// Answers lists the answers to the question by message.
func Answers() []string { return []string{Pleased, Grudging, Unsolved} }

// Ask asks the resident of a case by message whether it is solved (短信回访): a try that is kept, answered by a digit or a tap.
func (s *Service) Ask(ctx context.Context, by actor.Actor, in cases.Act) (cases.Case, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (cases.Case, error) {
		return cases.OnceIn(ctx, tx, by, in, map[string]any{"ask": in.ID, "version": in.Version}, func() (cases.Case, error) {
			deeds, err := cases.Deeds(ctx, tx, in.City, in.ID, cases.DeedCallBack)
			if err != nil {
				return cases.Case{}, err
			}
			waits := func(d cases.Deed) bool { return d.Result == cases.Asked && tx.Now.Sub(d.At) < cases.AskedFor }
			if slices.ContainsFunc(deeds, waits) {
				return cases.Case{}, fault.New(fault.Conflict, "callback.asked")
			}
			c, err := s.o.Cases.AskBackIn(ctx, tx, by, in)
			if err != nil || s.o.Ask == nil {
				return c, err
			}
			return c, s.o.Ask(ctx, tx, c, tx.NewID())
		})
	})
}

// AnsweredIn takes a resident's answer to the question by message, in the transaction that took the message: a case that waits
// for its call-back moves on, a closed one is rated, and what was settled meanwhile stays as it is.
func (s *Service) AnsweredIn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, caseID, answer string) error {
	if !slices.Contains(Answers(), answer) {
		return nil
	}
	solved, satisfied := yes, yes
	switch answer {
	case Grudging:
		satisfied = no
	case Unsolved:
		solved, satisfied = no, ""
	}
	c, err := s.o.Cases.GetIn(ctx, tx, by, city, caseID)
	if err != nil {
		return err
	}
	if c.Status == cases.Verified {
		in := cases.Call{Act: cases.Act{City: city, ID: caseID}, Solved: solved, Satisfied: satisfied, Channel: "message"}
		_, err := s.o.Cases.CallBackIn(ctx, tx, by, in)
		return err
	}
	_, err = s.rateIn(ctx, tx, by, c, Rating{City: city, Solved: solved, Satisfied: satisfied}, "message")
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}

// Rating is a resident's own word on a closing.
type Rating struct {
	City      int    `json:"-" form:"-"`
	Case      string `json:"-" form:"-"` // of a logged-in resident; else the proof names it
	Solved    string `json:"solved" form:"solved"`
	Satisfied string `json:"satisfied" form:"satisfied"`
	Word      string `json:"word" form:"word"`
	Key       string `json:"-" form:"key"`
	cases.Proof
}

func (in *Rating) check() error {
	var c fault.Check
	in.Word = strings.TrimSpace(in.Word)
	checkSaid(&c, in.Solved, in.Satisfied, true)
	words(&c, "word", in.Word, false)
	return c.Err()
}

// Rated is what a rating led to.
type Rated struct {
	Solved    string `json:"solved"`
	Satisfied string `json:"satisfied,omitempty"`
	Reopened  bool   `json:"reopened"`
	Retest    bool   `json:"retest"` // the last reading met the standard: the company measures again
}

// Rate takes a resident's word on the last closing of their case, once for each closing: by receipt, by number and telephone,
// or as a logged-in resident. "Not solved" reopens the case within the pack's days and tells the company.
func (s *Service) Rate(ctx context.Context, by actor.Actor, in Rating) (Rated, error) {
	if err := in.check(); err != nil {
		return Rated{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Rated, error) {
		c, err := s.ownIn(ctx, tx, by, in)
		if err != nil {
			return Rated{}, err
		}
		as := resident(by, in.City)
		r := once.Request{City: in.City, By: actor.Actor{ID: "receipt:" + c.ID, Kind: actor.Resident}, Key: in.Key, Body: []string{in.Solved, in.Satisfied, in.Word}}
		return once.Do(ctx, tx, r, func() (Rated, error) { return s.rateIn(ctx, tx, as, c, in, "page") })
	})
}

// ownIn finds the case that a resident speaks for.
func (s *Service) ownIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Rating) (cases.Case, error) {
	if in.Case == "" || s.Own == nil {
		return s.o.Cases.ProveIn(ctx, tx, in.City, in.Proof)
	}
	c, err := s.o.Cases.GetIn(ctx, tx, resident(by, in.City), in.City, in.Case)
	if err != nil {
		return c, err
	}
	own, err := s.Own(ctx, tx, by, c)
	if err == nil && !own {
		err = fault.New(fault.NotFound, "case.no_such_receipt")
	}
	return c, err
}

// rateIn keeps the word on the last closing and lets "not solved" reopen the case.
func (s *Service) rateIn(ctx context.Context, tx *db.Tx, by actor.Actor, c cases.Case, in Rating, how string) (Rated, error) {
	o, err := ratable(ctx, tx, c)
	if err != nil {
		return Rated{}, err
	}
	was := o
	o.RatedAt = tx.Now
	o.hear(in.Solved, in.Satisfied, how, in.Word, tx.Now)
	if o, err = saveOutcome(ctx, tx, was, o); err != nil {
		return Rated{}, err
	}
	act := audit.Act{Subject: subject(o), Act: "case.rated", Public: true, Body: map[string]any{"solved": in.Solved, "satisfied": in.Satisfied}}
	if err := audit.Record(ctx, tx, by, o.City, act); err != nil {
		return Rated{}, err
	}
	out := Rated{Solved: in.Solved, Satisfied: in.Satisfied}
	if in.Solved != no {
		return out, nil
	}
	return s.reopen(ctx, tx, by, c, cases.Web, in.Word, out)
}

// ratable gives the closing that a resident may speak of now.
func ratable(ctx context.Context, tx *db.Tx, c cases.Case) (Outcome, error) {
	o, found, err := lastOutcome(ctx, tx, c.City, c.ID)
	switch {
	case err != nil:
		return o, err
	case !found || o.Kind != Closed || !o.ReopenedAt.IsZero() || c.Open:
		return o, fault.New(fault.Conflict, "callback.not_closed")
	case !o.RatedAt.IsZero():
		return o, fault.New(fault.Conflict, "callback.rated")
	}
	return o, nil
}

// reopen takes the case up again where that is still possible; the outcome follows by FollowIn.
func (s *Service) reopen(ctx context.Context, tx *db.Tx, by actor.Actor, c cases.Case, ch cases.Channel, text string, out Rated) (Rated, error) {
	r, err := s.o.Rules(ctx, tx, c.City)
	if err != nil || !c.MayReopen(r.Pack.Options(tx.Now), tx.Now) {
		return out, err
	}
	in := cases.Reopening{Act: cases.Act{City: c.City, ID: c.ID}, Channel: ch, Text: text}
	if _, err := s.o.Cases.ReopenIn(ctx, tx, by, in); err != nil {
		return out, err
	}
	o, _, err := lastOutcome(ctx, tx, c.City, c.ID)
	out.Reopened, out.Retest = true, o.Retest == "offered"
	return out, err
}

// Standing is what a resident's page shows of the last closing.
type Standing struct {
	May       bool   `json:"may"` // it waits for the resident's word
	Solved    string `json:"solved,omitempty"`
	Satisfied string `json:"satisfied,omitempty"`
	Rated     bool   `json:"rated"`
	Retest    string `json:"retest,omitempty"` // offered: the last reading met the standard, and the home is measured again on request
}

// Standing says whether the resident may rate, and what they said.
func (s *Service) Standing(ctx context.Context, city int, p cases.Proof) (Standing, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Standing, error) {
		c, err := s.o.Cases.ProveIn(ctx, tx, city, p)
		if err != nil {
			return Standing{}, err
		}
		o, found, err := lastOutcome(ctx, tx, city, c.ID)
		if err != nil || !found {
			return Standing{}, err
		}
		if _, err := ratable(ctx, tx, c); err != nil {
			return Standing{Solved: o.Solved, Satisfied: o.Satisfied, Rated: !o.RatedAt.IsZero(), Retest: o.Retest}, nil //nolint:nilerr // why not is in the answer
		}
		return Standing{May: true}, nil
	})
}
