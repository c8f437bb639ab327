package finding

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/paper"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/staff"
	"github.com/rehu-heat/rehu/internal/text"
)

// Sheet is the issued paper, ready to print. The authority that issues it sees the applicant's name, which is kept as an
// act in the household's chain; others see it masked.
func (s *Service) Sheet(ctx context.Context, by actor.Actor, city int, id string, l text.Lang) (paper.Document, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (paper.Document, error) {
		f, err := visible(ctx, tx, by, city, id, actor.FindingRead)
		if err != nil {
			return paper.Document{}, err
		}
		t, err := s.template(ctx, tx, f)
		if err != nil {
			return paper.Document{}, err
		}
		applicant := f.masked(l)
		if f.ApplicantSealed != "" && by.May(actor.FindingDecide, f.On()) == nil {
			if applicant, err = s.name(ctx, tx, f); err != nil {
				return paper.Document{}, err
			}
			if err := s.record(ctx, tx, by, f, "finding.print", map[string]any{"finding": f.ID, "paper": f.Paper.No}); err != nil {
				return paper.Document{}, err
			}
		}
		return document(l, t, f, applicant), nil
	})
}

// template is the city's form of the paper that was issued.
func (s *Service) template(ctx context.Context, tx *db.Tx, f Finding) (citypack.Template, error) {
	if f.Paper == nil {
		return citypack.Template{}, fault.New(fault.Conflict, "finding.no_paper")
	}
	rules, err := s.o.Rules(ctx, tx, f.City)
	if err != nil {
		return citypack.Template{}, err
	}
	t, ok := rules.Pack.Template(f.Paper.Form.template())
	if !ok {
		return t, fault.New(fault.NotFound, "finding.no_template")
	}
	return t, nil
}

// masked is who objected, as everybody may read it.
func (f Finding) masked(l text.Lang) string {
	if f.Side == Company {
		return f.Paper.Company.In(l)
	}
	return f.Applicant
}

// name opens the applicant's name; of a person who was erased the masked one is left.
func (s *Service) name(ctx context.Context, tx *db.Tx, f Finding) (string, error) {
	p, err := secret.OpenSubject(ctx, tx, s.o.Ring, f.City, f.ApplicantID)
	if err != nil {
		return "", err
	}
	name, err := p.Open("finding.applicant", f.ApplicantSealed)
	if fault.Is(err, fault.NotFound) {
		return f.Applicant, nil
	}
	return name, err
}

// nameOf is an organisation as it signs; one that the register does not know signs with its code.
func nameOf(ctx context.Context, tx *db.Tx, city int, code string) (citypack.Phrase, error) {
	o, ok, err := staff.OrganisationIn(ctx, tx, city, code)
	if err != nil || !ok {
		return citypack.Phrase{ZH: code, EN: code}, err
	}
	name := citypack.Phrase{ZH: o.NameZH, EN: o.NameEN}
	if name.EN == "" {
		name.EN = name.ZH
	}
	return name, nil
}
