package cases

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/staff"
)

// about writes whom a new complaint about staff is about, and to whom it goes.
func (s *Service) about(ctx context.Context, tx *db.Tx, in Opening, c *Case) error {
	a := in.About
	if a.Org == "" {
		return nil
	}
	var check fault.Check
	unit, known, err := unitIn(ctx, tx, in.City, a.Org)
	if err != nil {
		return err
	}
	check.That(known, "about.org", "case.no_such_unit")
	who := Member{ID: a.id}
	if known && a.id == "" && a.Person != "" {
		if who, known, err = memberIn(ctx, tx, in.City, a.Org, a.Person); err != nil {
			return err
		}
		check.That(known, "about.person", "case.no_such_member")
	}
	if err := check.Err(); err != nil {
		return err
	}
	c.Nature = citypack.Complaint
	c.AboutOrg, c.AboutUnit, c.AboutPerson, c.AboutRef = a.Org, !unit.Centre, who.ID, a.ref
	h, ok, err := findHandler(ctx, tx, in.City, a.Org)
	if ok && h.Person != c.AboutPerson {
		c.AboutTo = h.Person
	}
	return err
}

// Redress answers a complaint about staff (投诉处理答复): by the unit's designated handler or a supervisor, never by whom it
// concerns.
func (s *Service) Redress(ctx context.Context, by actor.Actor, in Answering) (Case, error) {
	var check fault.Check
	in.Answer = strings.TrimSpace(in.Answer)
	check.That(in.Answer != "", "answer", "field.required")
	check.That(utf8.RuneCountInString(in.Answer) <= MaxText, "answer", "field.too_long", "max", MaxText)
	if err := check.Err(); err != nil {
		return Case{}, err
	}
	return s.step(ctx, by, in.Act, Redress, false, func(_ context.Context, _ *db.Tx, _ *citypack.Rules, c *Case) error {
		c.Answer = in.Answer
		return nil
	})
}

// Concerning says whom a complaint about staff is about, for those who handle it.
func (s *Service) Concerning(ctx context.Context, by actor.Actor, c Case) (Member, error) {
	if c.AboutOrg == "" {
		return Member{}, nil
	}
	if err := may(by, actor.CaseStaff, c); err != nil {
		return Member{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Member, error) {
		if c.AboutPerson == "" {
			m, _, err := unitIn(ctx, tx, c.City, c.AboutOrg)
			return m, err
		}
		m, _, err := memberIn(ctx, tx, c.City, "", c.AboutPerson)
		return m, err
	})
}

// seen keeps once of every reader that they opened a complaint about staff: its timeline says who saw it.
func (s *Service) seen(ctx context.Context, by actor.Actor, v View) error {
	if v.Case.AboutOrg == "" || by.Kind != actor.Person {
		return nil
	}
	if slices.ContainsFunc(v.Timeline, func(e audit.Entry) bool { return e.Act == actSeen && e.Actor == by.ID }) {
		return nil
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		return audit.Record(ctx, tx, by, v.Case.City, audit.Act{Subject: v.Case.Subject(), Act: actSeen})
	})
}

const actSeen = "case.seen"

// Handlers lists the units with the member of their staff to whom complaints about their staff go.
func (s *Service) Handlers(ctx context.Context, by actor.Actor, city int) ([]Handler, error) {
	if !by.ScopeOf(actor.CaseStaff, city).All {
		return nil, by.May(actor.CaseStaff, actor.On{City: city, Company: "-"})
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Handler, error) { return listHandlers(ctx, tx, city) })
}

// NameHandler names the member of a unit's staff to whom complaints about its staff go from now on, or nobody: then they go
// to the supervisors of the centre. Complaints that came before stay where they are.
func (s *Service) NameHandler(ctx context.Context, by actor.Actor, in Naming) (Handler, error) {
	if !by.ScopeOf(actor.CaseStaff, in.City).All {
		return Handler{}, by.May(actor.CaseStaff, actor.On{City: in.City, Company: "-"})
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Handler, error) {
		var check fault.Check
		_, known, err := unitIn(ctx, tx, in.City, in.Org)
		if err != nil {
			return Handler{}, err
		}
		check.That(known, "org", "case.no_such_unit")
		h := Handler{City: in.City, Org: in.Org, Version: in.Version + 1}
		if in.Person = strings.TrimSpace(in.Person); known && in.Person != "" {
			m, ok, err := memberIn(ctx, tx, in.City, in.Org, in.Person)
			if err != nil {
				return Handler{}, err
			}
			check.That(ok, "person", "case.no_such_member")
			h.Person, h.Name = m.ID, m.Name
		}
		if err := check.Err(); err != nil {
			return Handler{}, err
		}
		if err := saveHandler(ctx, tx, h, in.Version); err != nil {
			return Handler{}, err
		}
		return h, audit.Record(ctx, tx, by, in.City, audit.Act{Subject: "org:" + in.Org, Act: "case.handler", Body: map[string]any{"org": in.Org, "person": h.Person}})
	})
}

func unitIn(ctx context.Context, tx *db.Tx, city int, code string) (Member, bool, error) {
	o, ok, err := staff.OrganisationIn(ctx, tx, city, code)
	return Member{Name: o.NameZH, Org: o.Code, Centre: o.Kind == staff.Centre}, ok, err
}

func memberIn(ctx context.Context, tx *db.Tx, city int, org, who string) (Member, bool, error) {
	p, ok, err := staff.MemberIn(ctx, tx, city, org, who)
	return Member{ID: p.ID, Name: p.Name, Org: p.Org}, ok, err
}

// KeptIn names the subjects of complaints about staff that are kept from a reader, for what is told of any subject.
func KeptIn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, subjects []string) (map[string]bool, error) {
	var ids []string
	for _, subject := range subjects {
		if id, ok := strings.CutPrefix(subject, "case:"); ok {
			ids = append(ids, id)
		}
	}
	about, err := AboutStaff(ctx, tx, city, ids)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for id := range about {
		c, err := find(ctx, tx, city, id)
		if err != nil {
			return nil, err
		}
		out[c.Subject()] = by.May(actor.CaseRead, c.On()) != nil
	}
	return out, nil
}
