package cases

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/staff"
)

// What of a case a resident may complain about besides a single act on it. Their names on the screen are "complain.<name>".
const (
	OfIntake  = "intake"  // who took the report down
	OfCompany = "company" // the company in general
	OfCentre  = "centre"  // the centre in general
)

// Encounter is one time that a resident met staff over their case: what they saw of it, and no name.
type Encounter struct {
	Ref    string        `json:"ref"`
	Kind   string        `json:"kind"` // intake, contact, visit, callback, company, centre
	At     civil.Instant `json:"at,omitzero"`
	Result string        `json:"result,omitempty"`
}

// Complaint is a resident's complaint about staff whom they met over their case.
type Complaint struct {
	City int    `json:"-" form:"-"`
	Ref  string `json:"ref" form:"ref"` // of an encounter
	Text string `json:"text" form:"text"`
	Key  string `json:"-" form:"key"`
	Proof
}

// Encounters lists whom a resident may complain about from the page of their case: the calls and visits that they know of.
func (s *Service) Encounters(ctx context.Context, city int, p Proof) ([]Encounter, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Encounter, error) {
		c, err := s.prove(ctx, tx, city, p)
		if err != nil {
			return nil, err
		}
		return encounters(ctx, tx, c)
	})
}

func encounters(ctx context.Context, tx *db.Tx, c Case) ([]Encounter, error) {
	if c.AboutOrg != "" {
		return nil, nil // what comes of a complaint is objected to by saying that it is not settled
	}
	var out []Encounter
	if c.Channel == Phone || c.Channel == Counter {
		_, known, err := staff.MemberIn(ctx, tx, c.City, "", c.CreatedBy)
		if err != nil {
			return nil, err
		}
		if known {
			out = append(out, Encounter{Ref: OfIntake, Kind: OfIntake, At: c.RecordedAt})
		}
	}
	deeds, err := Deeds(ctx, tx, c.City, c.ID, "")
	if err != nil {
		return nil, err
	}
	for _, d := range deeds {
		switch d.Kind {
		case DeedContact, DeedVisit, DeedCallBack:
			out = append(out, Encounter{Ref: d.ID, Kind: string(d.Kind), At: d.At, Result: d.Result})
		case DeedAppointment, DeedFeedback, DeedVerification, DeedAnswer:
		}
	}
	if c.Company != "" {
		out = append(out, Encounter{Ref: OfCompany, Kind: OfCompany})
	}
	return append(out, Encounter{Ref: OfCentre, Kind: OfCentre}), nil
}

// ComplainOwn takes a resident's complaint about staff whom they met over their case. It becomes a case of its own, to
// which nothing on the other one leads, and goes elsewhere than to whom it concerns.
func (s *Service) ComplainOwn(ctx context.Context, by actor.Actor, in Complaint) (Progress, error) {
	var check fault.Check
	in.Text = strings.TrimSpace(in.Text)
	check.That(in.Text != "", "text", "field.required")
	check.That(utf8.RuneCountInString(in.Text) <= 1000, "text", "field.too_long", "max", 1000)
	check.That(in.Ref != "", "ref", "field.required")
	if err := check.Err(); err != nil {
		return Progress{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Progress, error) {
		c, err := s.prove(ctx, tx, in.City, in.Proof)
		if err != nil {
			return Progress{}, err
		}
		about, err := aboutOf(ctx, tx, c, in.Ref)
		if err != nil {
			return Progress{}, err
		}
		said, err := s.SaidIn(ctx, tx, c)
		if err != nil {
			return Progress{}, err
		}
		as := c.Resident(by.Door)
		o, err := s.OpenIn(ctx, tx, as, Opening{
			City: c.City, Door: citypack.DoorWeb, Channel: Web, Nature: citypack.Complaint, Text: in.Text, Caller: said.Caller, Relation: c.Relation,
			Account: c.Account, Community: c.Community, Building: c.Building, Unit: c.Unit, Room: c.Room, Address: c.Address, About: about, Key: in.Key,
		})
		if err != nil {
			return Progress{}, err
		}
		return s.progress(ctx, tx, o.Case)
	})
}

// aboutOf is whom an encounter was with, as the records of the case say.
func aboutOf(ctx context.Context, tx *db.Tx, c Case, ref string) (About, error) {
	a := About{ref: c.ID + "/" + ref}
	switch ref {
	case OfCompany:
		a.Org = c.Company
	case OfCentre:
		o, _, err := staff.CentreIn(ctx, tx, c.City)
		a.Org = o.Code
		if err != nil {
			return About{}, err
		}
	case OfIntake:
		a.id = c.CreatedBy
	default:
		deeds, err := Deeds(ctx, tx, c.City, c.ID, "")
		if err != nil {
			return About{}, err
		}
		for _, d := range deeds {
			if d.ID == ref && (d.Kind == DeedContact || d.Kind == DeedVisit || d.Kind == DeedCallBack) {
				a.id, a.Org = d.By, d.Company
			}
		}
	}
	if a.id != "" {
		p, known, err := staff.MemberIn(ctx, tx, c.City, "", a.id)
		if err != nil {
			return About{}, err
		}
		if known && p.Org != "" {
			a.Org = p.Org
		}
	}
	if a.Org == "" {
		var check fault.Check
		check.Add("ref", "case.no_such_encounter")
		return About{}, check.Err()
	}
	return a, nil
}
