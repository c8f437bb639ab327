package app

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/finding"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/refund"
)

// findings joins objections to the measurements they are about and to the log of the household.
func (a *App) findings() (*finding.Service, error) {
	return finding.New(finding.Options{
		DB: a.DB, Ring: a.Ring, Jobs: a.Runner, Rules: a.Rules.RulesIn, Tell: a.tellFinding,
		Matter: func(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string) (finding.Matter, error) {
			m, err := a.Measure.FindIn(ctx, tx, by, city, id)
			return finding.Matter{
				Measurement: m.ID, No: m.No, Home: m.Home, Account: m.Account, Season: m.Season, Company: m.Company, District: m.District,
				Area: m.Area, Station: m.Station, Address: m.Address,
			}, err
		},
		Own: a.ownFindings,
		Log: func(ctx context.Context, tx *db.Tx, city int, home, season string) ([]finding.Evidence, error) {
			events, err := a.Measure.CountedIn(ctx, tx, city, home, season)
			return evidence(events), err
		},
	})
}

// followFindings joins objections to what follows on both sides: a laboratory's report or the authority's own test is taken
// into the objections that are being looked at, and a paper that names the result that counts reckons the household's claim
// anew, each in the same transaction.
func (a *App) followFindings() {
	reckon := a.Measure.OnResult
	a.Measure.OnResult = func(ctx context.Context, tx *db.Tx, by actor.Actor, m measure.Measurement, c measure.Counted) error {
		if reckon != nil {
			if err := reckon(ctx, tx, by, m, c); err != nil {
				return err
			}
		}
		for _, e := range evidence([]measure.Counted{c}) {
			if err := a.Findings.TestedIn(ctx, tx, m.City, m.Home, m.Season, e); err != nil {
				return err
			}
		}
		return nil
	}
	a.Findings.OnDecided = func(ctx context.Context, tx *db.Tx, by actor.Actor, f finding.Finding) error {
		if f.Account == "" {
			return nil // without a household account nobody can be paid
		}
		return a.Settle.RefreshIn(ctx, tx, by, f.City, f.Account)
	}
}

// ownFindings proves a receipt and names the measurements of its case.
func (a *App) ownFindings(ctx context.Context, tx *db.Tx, city int, p cases.Proof) (finding.Claimant, error) {
	c, err := a.Cases.ProveIn(ctx, tx, city, p)
	if err != nil {
		return finding.Claimant{}, err
	}
	out := finding.Claimant{Person: c.CallerID}
	list, err := a.Measure.OfCaseIn(ctx, tx, city, c.ID)
	for _, m := range list {
		out.Measurements = append(out.Measurements, m.ID)
	}
	return out, err
}

// evidence keeps of the household's events the tests and the failures to test.
func evidence(events []measure.Counted) []finding.Evidence {
	var out []finding.Evidence
	for _, c := range events {
		if !tells(c.Type) {
			continue
		}
		e := finding.Evidence{
			Record: c.Record, Of: c.Measurement, Type: string(c.Type), At: c.At, By: string(c.Party), Conforming: c.Conforming, Invited: c.Invited,
			Doubtful: c.Conflict || c.Disputed || len(c.Flags) > 0,
		}
		if e.Record == "" {
			e.Record = c.Visit
		}
		for _, r := range c.Readings {
			e.Rooms = append(e.Rooms, finding.Room{Room: r.Room, TempC: r.TempC})
		}
		out = append(out, e)
	}
	return out
}

// tells reports whether an event says something about the temperature, or that it was not taken.
func tells(t refund.EventType) bool {
	return slices.Contains([]refund.EventType{
		refund.Tested, refund.Retested, refund.LabReported, refund.MissedByCompany, refund.RefusedByCompany, refund.UnableByCompany, refund.RefusedByUser, refund.NoRecord,
		refund.UserAbsent,
	}, t)
}

// tellFinding puts a word into the inbox of the company, and of the authority when its own time has passed.
func (a *App) tellFinding(ctx context.Context, tx *db.Tx, f finding.Finding, what string) error {
	m := notice.Message{
		City: f.City, Channel: notice.Console, Org: f.Company, Role: actor.RoleCompany, Template: "message.finding." + what,
		Params: map[string]any{"no": f.No, "address": f.Address}, Subject: f.Subject(), Matter: f.Subject() + "/" + what, QuietExempt: true,
	}
	if what == "late" || what == "weighed" {
		m.Org, m.Role = "", actor.RoleDistrict
	}
	if m.Org == "" && m.Role == actor.RoleCompany {
		return nil // nobody serves the home
	}
	_, err := a.Notices.EnqueueIn(ctx, tx, actor.SystemFor("finding", actor.Job), m)
	return err
}
