package finding

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/once"
)

// doing changes an objection and names the act with its facts.
type doing = func(tx *db.Tx, f *Finding) (string, map[string]any, error)

// change opens an objection in a transaction, once for a key, and lets fn change it.
func (s *Service) change(ctx context.Context, by actor.Actor, a Act, body any, p actor.Permission, fn doing) (View, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (View, error) {
		return once.Do(ctx, tx, once.Request{City: a.City, By: by, Key: a.Key, Body: body}, func() (View, error) {
			f, err := visible(ctx, tx, by, a.City, a.ID, p)
			if err != nil {
				return View{}, err
			}
			return s.changeIn(ctx, tx, by, f, a.Version, fn)
		})
	})
}

// changeIn lets fn change an objection that the actor saw in a version, and keeps, records and tells what came of it.
func (s *Service) changeIn(ctx context.Context, tx *db.Tx, by actor.Actor, f Finding, seen int64, fn doing) (View, error) {
	act, facts, err := fn(tx, &f)
	if err != nil {
		return View{}, err
	}
	if f, err = update(ctx, tx, f, seen); err != nil {
		return View{}, err
	}
	facts["finding"], facts["no"], facts["state"] = f.ID, f.No, string(f.State)
	if err := s.record(ctx, tx, by, f, act, facts); err != nil {
		return View{}, err
	}
	if err := s.follow(ctx, tx, by, f, act); err != nil {
		return View{}, err
	}
	return s.view(ctx, tx, by, f)
}

// follow lets others act on what was done, in the same transaction.
func (s *Service) follow(ctx context.Context, tx *db.Tx, by actor.Actor, f Finding, act string) error {
	switch act {
	case "finding.accept":
		return s.tell(ctx, tx, f, "accepted")
	case "finding.issue", "finding.mediate", "finding.rule":
		if s.OnDecided != nil {
			if err := s.OnDecided(ctx, tx, by, f); err != nil {
				return fmt.Errorf("follow the finding %s: %w", f.No, err)
			}
		}
		return s.tell(ctx, tx, f, "decided")
	}
	return nil
}

// Step accepts, rejects, withdraws, or says that a new test is there to be weighed.
func (s *Service) Step(ctx context.Context, by actor.Actor, in Stepping) (View, error) {
	p := actor.FindingDecide
	if in.Event == Withdraw {
		p = actor.FindingFile
	}
	return s.change(ctx, by, in.Act, in, p, s.stepping(ctx, by, in))
}

// stepping is a step without a paper.
func (s *Service) stepping(ctx context.Context, by actor.Actor, in Stepping) doing {
	return func(tx *db.Tx, f *Finding) (string, map[string]any, error) {
		var c fault.Check
		switch in.Event {
		case Accept, Weigh:
		case Reject, Withdraw:
			need(&c, "reason", in.Reason, 1000)
		case Issue, Mediate, Rule:
			c.Add("event", "finding.paper_needed")
		default:
			c.Add("event", "field.not_one_of", "allowed", "accept, reject, withdraw, weigh")
		}
		if err := c.Err(); err != nil {
			return "", nil, err
		}
		step, err := Lifecycle.Next(f.State, in.Event)
		if err != nil {
			return "", nil, err
		}
		if in.Event == Withdraw && !mayWithdraw(by, *f) {
			return "", nil, fault.New(fault.Conflict, "finding.not_yours")
		}
		if in.Event == Weigh {
			if err := s.newer(ctx, tx, *f); err != nil {
				return "", nil, err
			}
		}
		f.State, f.Reason = step.To, strings.TrimSpace(in.Reason)
		if in.Event == Accept {
			f.AskedAt = tx.Now
		}
		if !f.State.IsOpen() {
			f.DecidedAt = tx.Now
		}
		return "finding." + string(in.Event), map[string]any{"reason": audit.Fingerprint(f.ID, f.Reason)}, nil
	}
}

// newer asks that a test was made since the objection.
func (s *Service) newer(ctx context.Context, tx *db.Tx, f Finding) error {
	log, err := s.o.Log(ctx, tx, f.City, f.Home, f.Season)
	if err != nil {
		return err
	}
	for _, e := range log {
		if len(e.Rooms) > 0 && !e.At.Before(f.FiledAt) {
			return nil
		}
	}
	return fault.New(fault.Conflict, "finding.nothing_new")
}

// Answer keeps the company's word on an objection; it may say more than once until the paper is issued, and the last word counts.
func (s *Service) Answer(ctx context.Context, by actor.Actor, in Act) (View, error) {
	return s.change(ctx, by, in, in, actor.FindingAnswer, func(tx *db.Tx, f *Finding) (string, map[string]any, error) {
		var c fault.Check
		need(&c, "reason", in.Reason, 4000)
		if err := c.Err(); err != nil {
			return "", nil, err
		}
		if f.AskedAt.IsZero() || !f.State.IsOpen() {
			return "", nil, fault.New(fault.Conflict, "flow.no_such_step")
		}
		f.CompanyWord, f.CompanyWordAt = strings.TrimSpace(in.Reason), tx.Now
		return "finding.answer", map[string]any{"word": f.CompanyWord, "length": utf8.RuneCountInString(f.CompanyWord)}, nil
	})
}

// Decide issues the paper: an opinion, a mediation, or a ruling where a law grants one.
func (s *Service) Decide(ctx context.Context, by actor.Actor, in Deciding) (View, error) {
	return s.change(ctx, by, in.Act, in, actor.FindingDecide, func(tx *db.Tx, f *Finding) (string, map[string]any, error) {
		step, err := Lifecycle.Next(f.State, in.Form.event())
		if err != nil && in.Form.event() != "" { // a form that is none is a fault of the input
			return "", nil, err
		}
		rules, err := s.o.Rules(ctx, tx, f.City)
		if err != nil {
			return "", nil, err
		}
		log, err := s.o.Log(ctx, tx, f.City, f.Home, f.Season)
		if err != nil {
			return "", nil, err
		}
		paper, err := draw(rules.Pack, tx.Now.Date(), in, f.Ground, log)
		if err != nil {
			return "", nil, err
		}
		if paper.No, err = number(ctx, tx, rules.Pack, in.Form); err != nil {
			return "", nil, err
		}
		if paper.Authority, err = nameOf(ctx, tx, f.City, by.Org); err != nil {
			return "", nil, err
		}
		if paper.Company, err = nameOf(ctx, tx, f.City, f.Company); err != nil {
			return "", nil, err
		}
		f.State, f.Paper, f.DecidedAt = step.To, &paper, tx.Now
		facts := map[string]any{"paper": paper.No, "form": string(paper.Form), "prevails": in.Prevails, "cost": string(paper.Cost), "opinion": audit.Fingerprint(f.ID, paper.Opinion)}
		if paper.Prevails != nil {
			facts["conforming"] = paper.Prevails.Conforming
		}
		if e, ok := f.against(); ok {
			facts["put_aside"] = e.Record // sealed, so that a refund can be checked without the paper
		}
		return "finding." + string(in.Form.event()), facts, nil
	})
}

// number takes the next number of the form's template; papers of one form are numbered through the year.
func number(ctx context.Context, tx *db.Tx, pack *citypack.Pack, form Form) (string, error) {
	day := tx.Now.Date()
	n, err := db.Next(ctx, tx, pack.Code, fmt.Sprintf("%s:%d", form.template(), day.Year))
	if err != nil {
		return "", err
	}
	plain := fmt.Sprintf("%d-%04d", day.Year, n)
	t, ok := pack.Template(form.template())
	if !ok {
		return plain, nil
	}
	return pack.TemplateNumber(t, day, n, plain), nil
}
