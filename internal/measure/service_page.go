package measure

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/staff"
)

// Tester is a member of staff who measures.
type Tester struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Org  string `json:"org"`
}

// Testers lists who measures in a city: everybody for whoever reads the measurements of the whole city, else the people of
// the actor's own organisation.
func (s *Service) Testers(ctx context.Context, by actor.Actor, city int) ([]Tester, error) {
	if !by.MayAny(actor.MeasureRead, city) {
		return nil, by.May(actor.MeasureRead, actor.On{City: city})
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Tester, error) {
		people, err := staff.Holders(ctx, tx, city, actor.RolesWith(actor.MeasureTest))
		if err != nil {
			return nil, err
		}
		all := by.ScopeOf(actor.MeasureRead, city).All
		var out []Tester
		for _, p := range people {
			if all || p.Org == by.Org {
				out = append(out, Tester{p.ID, p.Name, p.Org})
			}
		}
		return out, nil
	})
}

// CameOwn is a resident's word on whether somebody came, as the visit says; the first word stays.
func (s *Service) CameOwn(ctx context.Context, by actor.Actor, in Asking) (Own, error) {
	return s.say(ctx, by, in, s.onOwn(in, func(ctx context.Context, tx *db.Tx, as actor.Actor, m *Measurement) (string, error) {
		of, err := recordsOfVisit(ctx, tx, m.City, in.Visit)
		if err != nil {
			return "", err
		}
		if !slices.ContainsFunc(of, func(r Record) bool { return r.Measurement == m.ID }) {
			return "", fault.New(fault.NotFound, "not_found")
		}
		return in.Visit, s.confirm(ctx, tx, as, *m, in.Visit, in.Yes)
	}))
}

// SheetOwn gives a resident the document of a measurement of their own case as data for printing, names masked: whoever has
// the link of a receipt need not be who signed.
func (s *Service) SheetOwn(ctx context.Context, city int, p cases.Proof, document string) (Sheet, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Sheet, error) {
		c, err := s.o.Cases.ProveIn(ctx, tx, city, p)
		if err != nil {
			return Sheet{}, err
		}
		d, err := findDocument(ctx, tx, city, document)
		if err != nil {
			return Sheet{}, err
		}
		list, err := ofCase(ctx, tx, city, c.ID)
		if err != nil {
			return Sheet{}, err
		}
		if d.Measurement == "" || !slices.ContainsFunc(list, func(m Measurement) bool { return m.ID == d.Measurement }) {
			return Sheet{}, fault.New(fault.NotFound, "not_found")
		}
		out, err := s.sheet(ctx, tx, actor.Anonymous(actor.Public), d)
		out.hideStaff()
		return out, err
	})
}

// hideStaff takes out what a resident's copy does not name.
func (s *Sheet) hideStaff() {
	s.Measurement.Worker, s.Measurement.Testers = "", nil
	if s.Visit != nil {
		s.Visit.hideStaff()
	}
	if s.Earlier != nil {
		s.Earlier.hideStaff()
	}
}

func (v *Visit) hideStaff() {
	if v.Arrival != nil {
		v.Arrival.Testers, v.Arrival.Note, v.Arrival.CallLog = nil, "", ""
	}
	if v.Readings != nil {
		v.Readings.Note = ""
	}
}
