package cases

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Amendment is the input of Amend: what is asked later (补录), or corrected. Absent fields stay as they are.
type Amendment struct {
	Act
	Nature      *citypack.Nature  `json:"nature" form:"nature"`
	Category    *string           `json:"category" form:"category"`
	Urgency     *citypack.Urgency `json:"urgency" form:"urgency"`
	Scope       *Scope            `json:"scope" form:"scope"`
	Relation    *Relation         `json:"relation" form:"relation"`
	Secret      *bool             `json:"secret" form:"secret"`
	Caller      *Party            `json:"caller" form:"caller"`
	Contact     *Party            `json:"contact" form:"contact"`
	Account     *string           `json:"account" form:"account"`
	Community   *string           `json:"community" form:"community"`
	Building    *string           `json:"building" form:"building"`
	Unit        *string           `json:"unit" form:"unit"`
	Room        *string           `json:"room" form:"room"`
	Address     *string           `json:"address" form:"address"`
	Details     *Details          `json:"details" form:"details"`
	TestRequest string            `json:"test_request" form:"test_request"` // yes: stamped with the time of this act
}

// Amend completes or corrects an open case. A change of nature or category is kept with what stood before; a test request
// is stamped now, since refund days may count from it.
func (s *Service) Amend(ctx context.Context, by actor.Actor, in Amendment) (Case, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Case, error) {
		return OnceIn(ctx, tx, by, in.Act, in, func() (Case, error) { return s.amendIn(ctx, tx, by, in) })
	})
}

func (s *Service) amendIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Amendment) (Case, error) {
	r, err := s.o.Rules(ctx, tx, in.City)
	if err != nil {
		return Case{}, err
	}
	was, err := find(ctx, tx, in.City, in.ID)
	if err != nil {
		return Case{}, err
	}
	if err := by.May(actor.CaseRead, was.On()); err != nil {
		return Case{}, actor.Hide(err)
	}
	if err := by.May(actor.CaseAccept, was.On()); err != nil {
		return Case{}, err
	}
	if in.Version != 0 && in.Version != was.Version {
		return Case{}, fault.New(fault.Conflict, "conflict.version")
	}
	if !was.Open {
		return Case{}, fault.New(fault.Conflict, "case.closed_reopen")
	}
	o := in.over(was)
	if err := o.Check(r.Pack, tx.Now); err != nil {
		return Case{}, err
	}
	c := was
	if err := s.amended(ctx, tx, r, &c, in, o); err != nil {
		return Case{}, err
	}
	if err := s.write(ctx, tx, was, &c); err != nil {
		return Case{}, err
	}
	if err := audit.Record(ctx, tx, by, in.City, audit.Act{Subject: c.Subject(), Act: "case.amend", Body: amendBody(was, c, in.Reason)}); err != nil {
		return Case{}, err
	}
	if s.TestAsked != nil && was.TestAt.IsZero() && !c.TestAt.IsZero() {
		return c, s.TestAsked(ctx, tx, by, c)
	}
	return c, nil
}

// over gives the input that the case would have been opened with after the amendment, so that it is checked the same way.
func (in Amendment) over(c Case) Opening {
	o := Opening{
		City: c.City, Door: c.Door, Nature: c.Nature, Category: c.Category, Urgency: c.Urgency, Scope: c.Scope,
		Relation: c.Relation, Account: c.Account, Community: c.Community, Building: c.Building, Unit: c.Unit, Room: c.Room,
		Address: c.Address, Details: c.Details, Text: c.Text, Lng: c.Lng, Lat: c.Lat, TestRequest: in.TestRequest,
	}
	set(&o.Nature, in.Nature)
	set(&o.Category, in.Category)
	set(&o.Urgency, in.Urgency)
	set(&o.Scope, in.Scope)
	set(&o.Relation, in.Relation)
	set(&o.Caller, in.Caller)
	set(&o.Contact, in.Contact)
	set(&o.Account, in.Account)
	set(&o.Community, in.Community)
	set(&o.Building, in.Building)
	set(&o.Unit, in.Unit)
	set(&o.Room, in.Room)
	set(&o.Address, in.Address)
	set(&o.Details, in.Details)
	o.trim()
	return o
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (s *Service) amended(ctx context.Context, tx *db.Tx, r *citypack.Rules, c *Case, in Amendment, o Opening) error {
	cat, ok := r.Pack.Category(o.Category)
	if !ok {
		return fault.New(fault.Invalid, "case.no_category")
	}
	c.Nature, c.Category, c.Kind, c.Urgency, c.Scope, c.Relation = o.Nature, cat.Code, cat.Kind, o.Urgency, o.Scope, o.Relation
	c.Details = o.Details
	set(&c.Secret, in.Secret)
	if in.Caller != nil || in.Contact != nil {
		if err := s.reseal(ctx, tx, c, in); err != nil {
			return err
		}
	}
	if in.moves() {
		a, err := s.attribute(ctx, tx, o)
		if err != nil {
			return err
		}
		if err := place(c, o, a); err != nil {
			return err
		}
	}
	c.Missing = slices.DeleteFunc(slices.Clone(c.Missing), func(f string) bool { return o.has(citypack.EntryField(f)) })
	if in.Caller != nil && in.Caller.Phone != "" {
		c.Missing = slices.DeleteFunc(c.Missing, func(f string) bool { return f == string(citypack.FieldPhone) })
	}
	if in.TestRequest == "yes" && c.TestAt.IsZero() {
		c.TestAt = tx.Now
		if c.Company != "" {
			return s.Tick(ctx, tx, r, c, citypack.EventRequested, tx.Now, clock.Org{Org: c.Company, Ref: c.ClockRef()})
		}
	}
	return nil
}

func (in Amendment) moves() bool {
	return in.Account != nil || in.Community != nil || in.Building != nil || in.Unit != nil || in.Room != nil || in.Address != nil
}

// reseal keeps another name or telephone; what was said stays sealed under the key it was sealed with, so a telephone that
// belongs to somebody else opens it anew under theirs.
func (s *Service) reseal(ctx context.Context, tx *db.Tx, c *Case, in Amendment) error {
	now, err := s.unseal(ctx, tx, *c)
	if err != nil {
		return err
	}
	o := Opening{City: c.City, Text: now.Said, Caller: now.Caller, Contact: now.Contact}
	set(&o.Caller, in.Caller)
	set(&o.Contact, in.Contact)
	return s.seal(ctx, tx, c, o)
}

// Revealed is what is masked elsewhere.
type Revealed struct {
	Caller  Party  `json:"caller"`
	Contact Party  `json:"contact"`
	Said    string `json:"said"`
	Press   Party  `json:"press,omitzero"` // the journalist; only to the centre
}

// SaidIn gives who called about a case and what they said in the clear, for passing it on to the body that it belongs to. The
// caller has asked for permission and keeps that it was passed on.
func (s *Service) SaidIn(ctx context.Context, tx *db.Tx, c Case) (Revealed, error) {
	return s.unseal(ctx, tx, c)
}

// unseal opens what is sealed in a case.
func (s *Service) unseal(ctx context.Context, tx *db.Tx, c Case) (Revealed, error) {
	people, err := secret.OpenSubjects(ctx, tx, s.o.Ring, c.City, []string{c.CallerID, c.ContactID})
	if err != nil {
		return Revealed{}, err
	}
	var out Revealed
	caller := people[c.CallerID]
	if out.Said, err = caller.Open("case.said", c.Said); err != nil {
		return out, err
	}
	if err := openParty(caller, "case.caller", c.CallerSealed, &out.Caller); err != nil {
		return out, err
	}
	return out, openParty(people[c.ContactID], "case.contact", c.ContactSealed, &out.Contact)
}

func openParty(p secret.Person, field, sealed string, into *Party) error {
	if sealed == "" {
		return nil
	}
	plain, err := p.Open(field, sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(plain), into)
}

// amendBody says what changed; of people only that it changed.
func amendBody(was, is Case, reason string) map[string]any {
	body := map[string]any{}
	note := func(name, a, b string) {
		if a != b {
			body[name] = map[string]string{"from": a, "to": b}
		}
	}
	note("nature", string(was.Nature), string(is.Nature))
	note("category", was.Category, is.Category)
	note("urgency", string(was.Urgency), string(is.Urgency))
	note("scope", string(was.Scope), string(is.Scope))
	note("address", was.Address, is.Address)
	note("room", was.Room, is.Room)
	note("account", was.Account, is.Account)
	note("proposed", was.Proposed, is.Proposed)
	if was.CallerSealed != is.CallerSealed {
		body["caller"] = true
	}
	if was.ContactSealed != is.ContactSealed {
		body["contact"] = true
	}
	if was.TestAt != is.TestAt {
		body["test_requested_at"] = is.TestAt
	}
	if reason != "" {
		body["reason"] = reason
	}
	return body
}
