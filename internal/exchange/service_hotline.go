package exchange

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

// ReportCalls takes the calls of a company's own hotline: each becomes a case, once by the company's number. One that is
// wrong does not hold up the others.
func (s *Service) ReportCalls(ctx context.Context, by actor.Actor, in Calls) ([]Reported, error) {
	if err := by.May(actor.HotlineReport, actor.On{City: in.City, Company: in.Company}); err != nil {
		return nil, err
	}
	var c fault.Check
	c.That(in.Company != "", "company", "field.required")
	c.That(len(in.Calls) > 0, "calls", "field.required")
	c.That(len(in.Calls) <= MostCalls, "calls", "field.out_of_range", "min", 1, "max", MostCalls)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if err := s.companyOf(ctx, in.City, in.Company); err != nil {
		return nil, err
	}
	out := make([]Reported, len(in.Calls))
	for i, one := range in.Calls {
		r, err := s.reportCall(ctx, by, in.City, in.Company, one, string(by.Door))
		if err != nil && fault.KindOf(err) == fault.Internal {
			return nil, err
		}
		r.No, r.Err = one.No, err
		out[i] = r
	}
	return out, nil
}

func (s *Service) companyOf(ctx context.Context, city int, code string) error {
	if s.o.IsCompany == nil {
		return nil
	}
	ok, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (bool, error) { return s.o.IsCompany(ctx, tx, city, code) })
	if err != nil {
		return err
	}
	var c fault.Check
	c.That(ok, "company", "exchange.no_company", "code", code)
	return c.Err()
}

func (s *Service) reportCall(ctx context.Context, by actor.Actor, city int, company string, in Call, door string) (Reported, error) {
	by.Grants = append(slices.Clone(by.Grants), actor.Grant{Role: actor.RoleSystem, City: city}) // whoever may report may do what it takes
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Reported, error) {
		if r, ok, err := callIn(ctx, tx, city, company, in.No); err != nil || ok {
			return Reported{Case: r.Case, CaseNo: r.CaseNo, Late: r.Late, Known: true}, err
		}
		if err := in.check(tx.Now); err != nil {
			return Reported{}, err
		}
		rules, err := s.o.Cases.Rules(ctx, tx, city)
		if err != nil {
			return Reported{}, err
		}
		opened, err := s.o.Cases.OpenIn(ctx, tx, by, in.opening(city, company, rules.Pack))
		if err != nil {
			return Reported{}, err
		}
		r := CallRecord{
			City: city, Company: company, No: in.No, Case: opened.Case.ID, CaseNo: opened.Case.No, ToldAt: in.ToldAt, Received: tx.Now,
			Late: tx.Now.Sub(in.ToldAt) > LateAfter, Door: door,
		}
		r.Prefix, r.Number = split(in.No)
		return Reported{Case: r.Case, CaseNo: r.CaseNo, Late: r.Late}, insertCall(ctx, tx, r)
	})
}

// ImportCalls takes a table of calls over. Everything is checked before anything is filed; calls are filed one by one, so
// that nobody waits, and an import that was interrupted is run again and goes on where it stopped.
func (s *Service) ImportCalls(ctx context.Context, by actor.Actor, in CallSheet) (CallsImported, error) {
	report := CallsImported{DryRun: in.DryRun}
	if !by.MayAny(actor.HotlineReport, in.City) {
		return report, by.May(actor.HotlineReport, actor.On{City: in.City})
	}
	if err := s.checkCalls(ctx, by, in, &report); err != nil || in.DryRun {
		return report, err
	}
	total := report.Rows
	return report, readCalls(in, func(r *callRow) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		got, err := s.reportCall(ctx, by, in.City, r.company, r.Call, string(by.Door))
		if err != nil {
			report.note(r.no, err)
			return fmt.Errorf("row %d: %w", r.no, err)
		}
		switch {
		case got.Known:
			report.Known++
		case got.Late:
			report.Opened++
			report.Late++
		default:
			report.Opened++
		}
		if in.Progress != nil {
			in.Progress(report.Opened+report.Known, total)
		}
		return nil
	})
}

func (s *Service) checkCalls(ctx context.Context, by actor.Actor, in CallSheet, report *CallsImported) error {
	now, seen, companies := s.o.DB.Now(), map[string]int{}, map[string]error{}
	err := readCalls(in, func(r *callRow) error {
		report.Rows++
		if _, asked := companies[r.company]; !asked && r.company != "" {
			if companies[r.company] = by.May(actor.HotlineReport, actor.On{City: in.City, Company: r.company}); companies[r.company] == nil {
				companies[r.company] = s.companyOf(ctx, in.City, r.company)
			}
		}
		if err := companies[r.company]; err != nil && !r.wrong.Merge("", err) {
			return err
		}
		r.wrong.Merge("", r.check(now))
		if first, twice := seen[r.company+"\n"+r.No]; twice {
			r.wrong.Add("no", "case.import.twice", "row", first)
		} else {
			seen[r.company+"\n"+r.No] = r.no
		}
		report.note(r.no, r.wrong.Err())
		return nil
	})
	switch {
	case err != nil:
		return err
	case report.Rows == 0:
		return fault.New(fault.Invalid, "case.import.empty")
	case len(report.Faults) > 0:
		return fault.New(fault.Invalid, "case.import.faults", "count", len(report.Faults))
	}
	return nil
}

// CallFilter narrows a list of reported calls; empty fields do not.
type CallFilter struct {
	Company string     `json:"company" form:"company"`
	Late    string     `json:"late" form:"late"` // yes: reported late
	From    civil.Date `json:"from" form:"from"` // day of the call
	To      civil.Date `json:"to" form:"to"`
	page.Request
}

// CallList shows reported calls, the last call first, as far as the actor's companies go.
func (s *Service) CallList(ctx context.Context, by actor.Actor, city int, f CallFilter) (page.Of[CallRecord], error) {
	if !by.MayAny(actor.HotlineRead, city) {
		return page.Of[CallRecord]{}, by.May(actor.HotlineRead, actor.On{City: city})
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[CallRecord], error) {
		rows, err := listCalls(ctx, tx, city, companiesOf(by.ScopeOf(actor.HotlineRead, city)), f)
		if err != nil {
			return page.Of[CallRecord]{}, err
		}
		return page.Cut(rows, f.Request, func(r CallRecord) []any { return []any{int64(r.ToldAt), r.Company, r.No} }), nil
	})
}

// companiesOf turns a scope into companies: what is reported has no district until it is a case.
func companiesOf(sc actor.Scope) actor.Scope {
	out := actor.Scope{All: sc.All}
	for _, p := range sc.Parts {
		switch {
		case len(p.Companies) > 0:
			out.Parts = append(out.Parts, actor.Part{Companies: p.Companies})
		case len(p.Districts) > 0: // a district's office watches all companies
			return actor.Scope{All: true}
		}
	}
	return out
}

// Watch is how the companies of a city report.
type Watch struct {
	Since     civil.Instant `json:"since"`
	Companies []Reporting   `json:"companies"`
	Gaps      []NumberGap   `json:"gaps"`
}

// watched is how far back reporting is looked at.
const watched = 7 * 24 * time.Hour

// Watching tells which companies report late, leave numbers out, or report nothing while others have many.
func (s *Service) Watching(ctx context.Context, by actor.Actor, city int) (Watch, error) {
	if !by.MayAny(actor.HotlineRead, city) {
		return Watch{}, by.May(actor.HotlineRead, actor.On{City: city})
	}
	w := Watch{Since: s.o.DB.Now().Add(-watched), Companies: []Reporting{}, Gaps: []NumberGap{}}
	scope := companiesOf(by.ScopeOf(actor.HotlineRead, city))
	var all []string
	if s.o.Companies != nil {
		var err error
		if all, err = s.o.Companies(ctx, city); err != nil {
			return w, err
		}
	}
	here, err := s.casesAbout(ctx, city, all, w.Since)
	if err != nil {
		return w, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Watch, error) {
		rows, err := reportings(ctx, tx, city, w.Since)
		if err != nil {
			return w, err
		}
		gaps, err := numberGaps(ctx, tx, city, w.Since)
		if err != nil {
			return w, err
		}
		list := complete(rows, all)
		for i := range list {
			list[i].Here = here[list[i].Company]
			for _, g := range gaps {
				if g.Company == list[i].Company {
					list[i].Missing += g.Missing()
				}
			}
		}
		MarkSilent(list)
		w.Companies = append(w.Companies, slices.DeleteFunc(list, func(r Reporting) bool { return !covers(scope, r.Company) })...)
		w.Gaps = append(w.Gaps, slices.DeleteFunc(gaps, func(g NumberGap) bool { return !covers(scope, g.Company) })...)
		return w, nil
	})
}

func covers(sc actor.Scope, company string) bool {
	return sc.All || slices.ContainsFunc(sc.Parts, func(p actor.Part) bool { return slices.Contains(p.Companies, company) })
}

// complete adds the companies that reported nothing.
func complete(rows []Reporting, all []string) []Reporting {
	for _, code := range all {
		if !slices.ContainsFunc(rows, func(r Reporting) bool { return r.Company == code }) {
			rows = append(rows, Reporting{Company: code})
		}
	}
	slices.SortFunc(rows, func(a, b Reporting) int {
		if a.Company < b.Company {
			return -1
		}
		return 1
	})
	return rows
}

// casesAbout counts the cases about each company that did not come by its own hotline.
func (s *Service) casesAbout(ctx context.Context, city int, companies []string, since civil.Instant) (map[string]int64, error) {
	by := actor.SystemFor("exchange", actor.Job)
	out := map[string]int64{}
	for _, code := range companies {
		all, err := s.o.Cases.Count(ctx, by, city, cases.Filter{Company: code, From: since.Date()})
		if err != nil {
			return nil, err
		}
		own, err := s.o.Cases.Count(ctx, by, city, cases.Filter{Company: code, From: since.Date(), Channel: cases.CompanyIn})
		if err != nil {
			return nil, err
		}
		out[code] = all.N - own.N
	}
	return out, nil
}
