package settle

import (
	"context"
	"fmt"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/fee"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/refund"
)

// ObjectInput is the input of Object. Version is that of the claim that was seen.
type ObjectInput struct {
	City    int        `json:"-" form:"-"`
	Season  string     `json:"-" form:"-"`
	Account string     `json:"-" form:"-"`
	Reason  string     `json:"reason" form:"reason"` // an exclusion of the rule, by its code
	From    civil.Date `json:"from" form:"from"`
	To      civil.Date `json:"to" form:"to"`
	Proof   string     `json:"proof" form:"proof"` // what shows it: papers, records, attachments by number
	Version int64      `json:"version" form:"version"`
	Key     string     `json:"-" form:"-"` // idempotency
}

func (in ObjectInput) check(t terms) error {
	var c fault.Check
	c.That(in.Reason != "", "reason", "field.required")
	if t.plan != nil && in.Reason != "" {
		rule := t.plan.Rule()
		known := slices.ContainsFunc(rule.Exclusions, hasCode(in.Reason)) || slices.ContainsFunc(rule.Duty, hasCode(in.Reason)) || slices.ContainsFunc(rule.Precondition, hasCode(in.Reason))
		c.That(known, "reason", "settle.no_reason", "value", in.Reason, "rule", t.rule)
	}
	c.That(!in.From.IsZero(), "from", "field.required")
	c.That(!in.To.IsZero() && !in.To.Before(in.From), "to", "settle.ends_first")
	c.That(in.Proof != "", "proof", "settle.proof_needed")
	c.That(len([]rune(in.Proof)) <= 4000, "proof", "field.too_long", "max", 4000)
	return c.Err()
}

func hasCode(code string) func(citypack.Condition) bool {
	return func(c citypack.Condition) bool { return c.Code == code || c.Text.ZH == code }
}

// ObjectTo files the company's objection to a claim, with its proof.
func (s *Service) ObjectTo(ctx context.Context, by actor.Actor, in ObjectInput) (Objection, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Objection, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (Objection, error) {
			c, err := s.step(ctx, tx, by, in.City, in.Season, in.Account, in.Version, Object)
			if err != nil {
				return Objection{}, err
			}
			t, err := s.termsIn(ctx, tx, in.City, in.Season)
			if err != nil {
				return Objection{}, err
			}
			if err := in.check(t); err != nil {
				return Objection{}, err
			}
			o := Objection{
				City: in.City, ID: tx.NewID(), Season: in.Season, Account: in.Account, Company: c.Company, Reason: in.Reason, From: in.From, To: in.To,
				Proof: in.Proof, State: Filed, FiledBy: by.ID, Filed: tx.Now, Version: 1,
			}
			if err := db.Insert(ctx, tx, "refund_objection", &o); err != nil {
				return Objection{}, fmt.Errorf("file an objection: %w", err)
			}
			return o, audit.Record(ctx, tx, by, in.City, audit.Act{Subject: chainOf(in.Account), Act: "refund.object", Public: true, Body: map[string]any{
				"season": in.Season, "objection": o.ID, "reason": o.Reason, "from": o.From, "to": o.To, "proof": audit.Fingerprint(chainOf(in.Account), o.Proof),
			}})
		})
	})
}

// step moves the claim that was seen on and keeps it.
func (s *Service) step(ctx context.Context, tx *db.Tx, by actor.Actor, city int, season, account string, version int64, e Event) (Claim, error) {
	c, err := findClaim(ctx, tx, city, season, account)
	if err != nil {
		return c, err
	}
	if err := may(by, actor.RefundRead, c); err != nil {
		return c, err
	}
	next, err := Lifecycle.Next(c.State, e)
	if err != nil {
		return c, err
	}
	if err := may(by, actor.Permission(next.By), c); err != nil {
		return c, err
	}
	if c.Version != version {
		return c, fault.New(fault.Conflict, "settle.moved")
	}
	was := c
	c.State = next.To
	if e == Confirm {
		if c.Status == refund.NotComputable {
			return c, fault.New(fault.Conflict, "settle.not_computable", "missing", c.Missing)
		}
		sum := c.Amount
		c.Confirmed, c.Confirm = &sum, tx.Now
		t, err := s.termsIn(ctx, tx, city, season)
		if err != nil {
			return c, err
		}
		c.PayBy = t.payBy(c)
	}
	if err := s.tick(ctx, tx, city); err != nil {
		return c, err
	}
	return saveClaim(ctx, tx, &was, c)
}

// DecideInput is the input of DecideObjection. Version is that of the objection.
type DecideInput struct {
	City     int    `json:"-" form:"-"`
	ID       string `json:"-" form:"-"`
	Accept   bool   `json:"accept" form:"accept"`
	Decision string `json:"decision" form:"decision"` // the reasons
	Version  int64  `json:"version" form:"version"`
}

// DecideObjection is the authority's decision: an objection that is accepted takes its days out of the claim.
func (s *Service) DecideObjection(ctx context.Context, by actor.Actor, in DecideInput) (View, error) {
	if in.Decision == "" {
		var c fault.Check
		c.Add("decision", "field.required")
		return View{}, c.Err()
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (View, error) {
		o, err := findObjection(ctx, tx, in.City, in.ID)
		if err != nil {
			return View{}, err
		}
		c, err := findClaim(ctx, tx, in.City, o.Season, o.Account)
		if err != nil {
			return View{}, err
		}
		if err := may(by, actor.RefundDecide, c); err != nil {
			return View{}, err
		}
		if o.State != Filed {
			return View{}, fault.New(fault.Conflict, "settle.decided")
		}
		if by.ID != "" && by.ID == o.FiledBy {
			return View{}, fault.New(fault.Denied, "settle.own_objection")
		}
		o.State, o.Decision, o.DecidedBy, o.Decided = Rejected, in.Decision, by.ID, tx.Now
		if in.Accept {
			o.State = Accepted
		}
		if err := decideObjection(ctx, tx, o, in.Version); err != nil {
			return View{}, err
		}
		err = audit.Record(ctx, tx, by, in.City, audit.Act{Subject: chainOf(o.Account), Act: "refund.decide", Public: true, Body: map[string]any{
			"season": o.Season, "objection": o.ID, "state": o.State, "decision": o.Decision,
		}})
		if err != nil {
			return View{}, err
		}
		if c, err = s.reopened(ctx, tx, c); err != nil {
			return View{}, err
		}
		if c, err = s.again(ctx, tx, by, c); err != nil {
			return View{}, err
		}
		return s.viewIn(ctx, tx, by, c)
	})
}

// reopened lets a claim whose last objection was decided wait for its confirmation again.
func (s *Service) reopened(ctx context.Context, tx *db.Tx, c Claim) (Claim, error) {
	all, err := objectionsOf(ctx, tx, c.City, c.Season, []string{c.Account})
	if err != nil || c.State != Objected || slices.ContainsFunc(all[c.Account], func(o Objection) bool { return o.State == Filed }) {
		return c, err
	}
	was := c
	c.State = Open
	if err := s.tick(ctx, tx, c.City); err != nil {
		return c, err
	}
	return saveClaim(ctx, tx, &was, c)
}

// MoveInput is the input of ConfirmClaim and RefuseClaim.
type MoveInput struct {
	City    int    `json:"-" form:"-"`
	Season  string `json:"-" form:"-"`
	Account string `json:"-" form:"-"`
	Note    string `json:"note" form:"note"` // a refusal needs its reasons
	Version int64  `json:"version" form:"version"`
}

// ConfirmClaim issues the confirmation (退费确认单) for what the claim comes to now. New facts open it again.
func (s *Service) ConfirmClaim(ctx context.Context, by actor.Actor, in MoveInput) (View, error) {
	return s.move(ctx, by, in, Confirm, "refund.confirm")
}

// RefuseClaim is the authority's refusal of a whole claim, with its reasons.
func (s *Service) RefuseClaim(ctx context.Context, by actor.Actor, in MoveInput) (View, error) {
	if in.Note == "" {
		var c fault.Check
		c.Add("note", "field.required")
		return View{}, c.Err()
	}
	return s.move(ctx, by, in, Refuse, "refund.refuse")
}

func (s *Service) move(ctx context.Context, by actor.Actor, in MoveInput, e Event, act string) (View, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (View, error) {
		c, err := s.step(ctx, tx, by, in.City, in.Season, in.Account, in.Version, e)
		if err != nil {
			return View{}, err
		}
		err = audit.Record(ctx, tx, by, in.City, audit.Act{Subject: chainOf(in.Account), Act: act, Public: true, Body: map[string]any{
			"season": c.Season, "amount_yuan": c.Amount.Yuan(), "counted_days": c.Counted, "note": in.Note,
		}})
		if err != nil {
			return View{}, err
		}
		return s.viewIn(ctx, tx, by, c)
	})
}

// ChooseInput is the input of ChooseRule; version 0 for the first choice.
type ChooseInput struct {
	City    int    `json:"-" form:"-"`
	Season  string `json:"season" form:"season"`
	Rule    string `json:"rule" form:"rule"`
	Version int64  `json:"version" form:"version"`
}

// ChooseRule says which of the city's rules a season is settled by, where the pack dates none.
func (s *Service) ChooseRule(ctx context.Context, by actor.Actor, in ChooseInput) (Choice, error) {
	if err := by.May(actor.RefundDecide, actor.On{City: in.City}); err != nil {
		return Choice{}, err
	}
	if !fee.IsSeason(in.Season) {
		return Choice{}, badSeason(in.Season)
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Choice, error) {
		rules, err := s.o.Rules(ctx, tx, in.City)
		if err != nil {
			return Choice{}, err
		}
		if r, ok := rules.Pack.RefundRule(in.Rule); !ok || !r.Selectable() {
			var c fault.Check
			c.Add("rule", "settle.no_rule", "rule", in.Rule)
			return Choice{}, c.Err()
		}
		err = saveChoice(ctx, tx, Choice{City: in.City, Season: in.Season, Rule: in.Rule, By: by.ID, At: tx.Now}, in.Version)
		if err != nil {
			return Choice{}, err
		}
		err = audit.Record(ctx, tx, by, in.City, audit.Act{Subject: "season:" + in.Season, Act: "refund.choose_rule", Public: true, Body: map[string]any{"rule": in.Rule}})
		if err != nil {
			return Choice{}, err
		}
		c, _, err := choiceIn(ctx, tx, in.City, in.Season)
		return c, err
	})
}
