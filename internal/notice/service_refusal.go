package notice

import (
	"context"
	"fmt"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/secret"
)

// refuseIn keeps what a person does not want to be told, from any door; an empty scope is that they want everything again.
// The caller has found the person in the city of the wish.
func (s *Service) refuseIn(ctx context.Context, tx *db.Tx, by actor.Actor, r Refusal) error {
	if r.Person == "" || !slices.Contains([]Scope{"", Bulletins, Everything}, r.Scope) {
		return fault.New(fault.Invalid, "invalid", "field", "scope")
	}
	r.At = tx.Now
	act := "notice.refused"
	if r.Scope == "" {
		act = "notice.wanted"
	}
	if err := keepRefusal(ctx, tx, r); err != nil {
		return err
	}
	return audit.Record(ctx, tx, by, r.City, audit.Act{Subject: "person:" + r.Person, Act: act, Body: map[string]any{"scope": r.Scope, "door": r.Door}})
}

// RefuseIn keeps a wish that came by the door of another capability, which has made sure whose it is.
func (s *Service) RefuseIn(ctx context.Context, tx *db.Tx, by actor.Actor, r Refusal) error {
	return s.refuseIn(ctx, tx, by, r)
}

// RefuseInput is a wish that a caller told to staff.
type RefuseInput struct {
	City  int    `json:"city" form:"city"`
	Phone string `json:"phone" form:"phone"`
	Scope Scope  `json:"scope" form:"scope"` // empty: wants everything again
}

// Refuse keeps a wish that a caller told to staff.
func (s *Service) Refuse(ctx context.Context, by actor.Actor, in RefuseInput) error {
	if err := by.May(actor.CaseUrge, actor.On{City: in.City}); err != nil {
		return err
	}
	var c fault.Check
	c.That(secret.NormalPhone(in.Phone) != "", "phone", "field.required")
	c.That(slices.Contains([]Scope{"", Bulletins, Everything}, in.Scope), "scope", "field.not_one_of", "allowed", []Scope{Bulletins, Everything})
	if err := c.Err(); err != nil {
		return err
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		p, err := secret.Subject(ctx, tx, s.o.Ring, in.City, secret.Phone, in.Phone)
		if err != nil {
			return fmt.Errorf("find the person: %w", err)
		}
		return s.refuseIn(ctx, tx, by, Refusal{City: in.City, Person: p.ID, Scope: in.Scope, Door: "staff"})
	})
}

// RefusalOf is what a person does not want to be told; an empty scope is nothing.
func (s *Service) RefusalOf(ctx context.Context, tx *db.Tx, city int, person string) (Refusal, error) {
	r, _, err := refusalOf(ctx, tx, city, person)
	return r, err
}

// unwanted reports whether the receiver does not want a message.
func (s *Service) unwanted(ctx context.Context, tx *db.Tx, n Notice) (bool, error) {
	if n.Person == "" || n.QuietExempt {
		return false, nil
	}
	r, ok, err := refusalOf(ctx, tx, n.City, n.Person)
	if err != nil || !ok || !r.covers(n) {
		return false, err
	}
	asks, err := isQuestion(ctx, tx, n)
	return !asks, err
}

// wished takes a text message that refuses messages; false when it does not.
func (s *Service) wished(ctx context.Context, tx *db.Tx, in Incoming) (bool, error) {
	scope, refuse, ok := wish(in.Text)
	if !ok {
		return false, nil
	}
	p, err := secret.Subject(ctx, tx, s.o.Ring, in.City, secret.Phone, in.From)
	if err != nil {
		return false, fmt.Errorf("find the person: %w", err)
	}
	if !refuse {
		scope = ""
	}
	return true, s.refuseIn(ctx, tx, actor.Anonymous(actor.Public), Refusal{City: in.City, Person: p.ID, Scope: scope, Door: "sms"})
}
