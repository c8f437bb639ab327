package citypack

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

const mostNote = 500

// Chosen is a value to approve: its path, and its text as the approver read it.
type Chosen struct {
	Path  string `json:"path" form:"path"`
	Value string `json:"value" form:"value"`
}

// Approving is the input of Approve.
type Approving struct {
	City   int      `json:"city" form:"-"`
	Values []Chosen `json:"values" form:"values"`
	Note   string   `json:"note" form:"note"`
}

// Approve makes provisional values apply: an act with a name and a date. A value that reads differently by now is a
// Conflict, since nobody approves what they have not read.
func (s *Service) Approve(ctx context.Context, by actor.Actor, in Approving) error {
	if err := by.May(actor.PackApprove, actor.On{City: in.City}); err != nil {
		return err
	}
	in.Note = strings.TrimSpace(in.Note)
	return db.Do(ctx, s.db, func(tx *db.Tx) error {
		r, err := s.load(ctx, tx, in.City)
		if err != nil {
			return err
		}
		if err := in.check(r.Pack); err != nil {
			return err
		}
		for _, v := range in.Values {
			err := saveApproval(ctx, tx, approvalRow{City: in.City, Path: v.Path, Value: v.Value, Note: in.Note, Person: by.ID, Name: by.Name, At: tx.Now})
			if err != nil {
				return fmt.Errorf("approve %s: %w", v.Path, err)
			}
		}
		return s.record(ctx, tx, by, in.City, "pack.approve", map[string]any{"edition": r.Pack.Edition, "values": in.Values, "note": in.Note})
	})
}

func (in Approving) check(p *Pack) error {
	var c fault.Check
	c.That(len(in.Values) > 0, "values", "field.required")
	c.That(utf8.RuneCountInString(in.Note) <= mostNote, "note", "field.too_long", "max", mostNote)
	seen := map[string]bool{}
	for i, v := range in.Values {
		at := "values." + strconv.Itoa(i) + ".path"
		j, known := p.byPath[v.Path]
		if !c.That(known, at, "pack.no_value", "path", v.Path) || !c.That(!seen[v.Path], at, "pack.value_twice") {
			continue
		}
		seen[v.Path] = true
		c.That(!p.values[j].Confidence.Confirmed(), at, "pack.confirmed_already")
	}
	if err := c.Err(); err != nil {
		return err
	}
	for _, v := range in.Values {
		switch have := p.values[p.byPath[v.Path]]; {
		case have.Text != v.Value:
			return fault.New(fault.Conflict, "pack.value_changed", "path", v.Path, "value", have.Text)
		case !have.Provisional:
			return fault.New(fault.Conflict, "pack.approved_already", "path", v.Path)
		}
	}
	return nil
}

// Withdrawal is the input of Withdraw.
type Withdrawal struct {
	City   int    `json:"city" form:"-"`
	Path   string `json:"path" form:"path"`
	Reason string `json:"reason" form:"reason"`
}

// Withdraw takes an approval back; the value is provisional again.
func (s *Service) Withdraw(ctx context.Context, by actor.Actor, in Withdrawal) error {
	if err := by.May(actor.PackApprove, actor.On{City: in.City}); err != nil {
		return err
	}
	if err := reasonGiven(&in.Reason); err != nil {
		return err
	}
	return db.Do(ctx, s.db, func(tx *db.Tx) error {
		r, found, err := findApproval(ctx, tx, in.City, in.Path)
		if err != nil {
			return err
		}
		if !found || !r.Withdrawn.IsZero() {
			return fault.New(fault.NotFound, "pack.not_approved", "path", in.Path)
		}
		if err := withdrawApproval(ctx, tx, r); err != nil {
			return err
		}
		return s.record(ctx, tx, by, in.City, "pack.withdraw", map[string]any{"path": in.Path, "value": r.Value, "reason": in.Reason})
	})
}

// SeasonInput is the input of DeclareSeason: version 0 declares, any other replaces that version, as when the season is
// extended (延长供热).
type SeasonInput struct {
	City     int           `json:"city" form:"-"`
	Season   string        `json:"season" form:"season"` // 2025-2026
	County   string        `json:"county" form:"county"` // empty for the whole city
	Start    civil.Instant `json:"start" form:"start"`
	End      civil.Instant `json:"end" form:"end"`
	Document string        `json:"document" form:"document"` // the published notice
	Version  int64         `json:"version" form:"version"`
}

// DeclareSeason notes what the authority published about a season's start or end.
func (s *Service) DeclareSeason(ctx context.Context, by actor.Actor, in SeasonInput) (SeasonAct, error) {
	if err := by.May(actor.SeasonDeclare, actor.On{City: in.City}); err != nil {
		return SeasonAct{}, err
	}
	in.Season, in.County, in.Document = strings.TrimSpace(in.Season), strings.TrimSpace(in.County), strings.TrimSpace(in.Document)
	return db.Write(ctx, s.db, func(tx *db.Tx) (SeasonAct, error) {
		r, err := s.load(ctx, tx, in.City)
		if err != nil {
			return SeasonAct{}, err
		}
		a := SeasonAct{
			City: in.City, Season: in.Season, County: in.County, Start: in.Start, End: in.End, Document: in.Document,
			Person: by.ID, Name: by.Name, At: tx.Now, Version: in.Version + 1,
		}
		if err := in.check(r, a); err != nil {
			return SeasonAct{}, err
		}
		if in.Version == 0 {
			if err = db.Insert(ctx, tx, "season_declared", &a); db.IsUnique(err) {
				err = fault.Wrap(err, fault.Conflict, "pack.season_taken", "season", in.Season)
			}
		} else {
			err = updateSeason(ctx, tx, a, in.Version)
		}
		if err != nil {
			return SeasonAct{}, fmt.Errorf("declare season %s: %w", in.Season, err)
		}
		return a, s.record(ctx, tx, by, in.City, "season.declare", a)
	})
}

func (in SeasonInput) check(r *Rules, a SeasonAct) error {
	var c fault.Check
	_, ok := labelYear(in.Season)
	c.That(ok, "season", "pack.bad_season")
	c.That(utf8.RuneCountInString(in.County) <= 40, "county", "field.too_long", "max", 40)
	c.That(in.Document != "", "document", "field.required")
	c.That(utf8.RuneCountInString(in.Document) <= mostNote, "document", "field.too_long", "max", mostNote)
	c.That(!in.Start.IsZero() || !in.End.IsZero(), "start", "pack.no_bounds")
	c.That(in.Start.IsZero() || SeasonLabel(in.Start.Date()) == in.Season, "start", "pack.outside_season", "season", in.Season)
	c.That(in.End.IsZero() || SeasonLabel(in.End.Add(-1).Date()) == in.Season, "end", "pack.outside_season", "season", in.Season)
	if err := c.Err(); err != nil {
		return err
	}
	others := slices.DeleteFunc(slices.Clone(r.Declared), func(d Declared) bool { return d.Season == in.Season && d.County == in.County })
	s, whole := r.Pack.SeasonNamed(in.Season, in.County, append(others, a.declared()))
	switch {
	case !s.Start.IsZero() && !s.End.IsZero() && !whole:
		c.Add("end", "pack.ends_before")
	case s.Start.IsZero():
		c.Add("start", "pack.bound_unknown")
	case s.End.IsZero():
		c.Add("end", "pack.bound_unknown")
	}
	return c.Err()
}

// PeakInput is the input of SetPeak.
type PeakInput struct {
	City   int    `json:"city" form:"-"`
	On     bool   `json:"on" form:"on"`
	Reason string `json:"reason" form:"reason"`
}

// SetPeak switches the peak's short form of intake (高峰快录) on or off. Every intake asks for the mode anew.
func (s *Service) SetPeak(ctx context.Context, by actor.Actor, in PeakInput) (Switch, error) {
	if err := by.May(actor.PeakSwitch, actor.On{City: in.City}); err != nil {
		return Switch{}, err
	}
	if err := reasonGiven(&in.Reason); err != nil {
		return Switch{}, err
	}
	if _, err := s.set.City(in.City); err != nil {
		return Switch{}, err
	}
	return db.Write(ctx, s.db, func(tx *db.Tx) (Switch, error) {
		old, _, err := findSwitch(ctx, tx, in.City, switchPeak)
		if err != nil {
			return Switch{}, err
		}
		if old.On == in.On {
			return Switch{}, fault.New(fault.Conflict, "pack.peak_already")
		}
		w := Switch{City: in.City, Name: switchPeak, On: in.On, Reason: in.Reason, Person: by.ID, By: by.Name, At: tx.Now, Version: old.Version + 1}
		if err := saveSwitch(ctx, tx, w, old.Version); err != nil {
			return Switch{}, fmt.Errorf("switch peak mode: %w", err)
		}
		return w, s.record(ctx, tx, by, in.City, "peak.switch", map[string]any{"on": in.On, "reason": in.Reason})
	})
}

func reasonGiven(reason *string) error {
	*reason = strings.TrimSpace(*reason)
	var c fault.Check
	c.That(*reason != "", "reason", "field.required")
	c.That(utf8.RuneCountInString(*reason) <= mostNote, "reason", "field.too_long", "max", mostNote)
	return c.Err()
}

// record writes the act into the chain of the city's pack and tells that the rules changed.
func (s *Service) record(ctx context.Context, tx *db.Tx, by actor.Actor, city int, act string, body any) error {
	if err := audit.Record(ctx, tx, by, city, audit.Act{Subject: "pack:" + strconv.Itoa(city), Act: act, Body: body}); err != nil {
		return err
	}
	return s.changed(ctx, tx, city)
}
