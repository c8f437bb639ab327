package place

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

// DutyChain lists the numbers to try tonight, in their order, for everybody who may read places.
func (s *Service) DutyChain(ctx context.Context, by actor.Actor, city int, company, station string, at civil.Instant) ([]Call, error) {
	return read(ctx, s, by, city, func(tx *db.Tx) ([]Call, error) { return s.DutyChainIn(ctx, tx, city, company, station, at) })
}

// DutyChainIn is DutyChain inside the caller's transaction, which has asked for its own permission.
func (s *Service) DutyChainIn(ctx context.Context, tx *db.Tx, city int, company, station string, at civil.Instant) ([]Call, error) {
	c, _, err := CompanyIn(ctx, tx, city, company)
	if err != nil {
		return nil, err
	}
	var own *Shift
	if station != "" {
		if own, err = shiftAt(ctx, tx, city, company, station, at); err != nil {
			return nil, err
		}
	}
	desk, err := shiftAt(ctx, tx, city, company, "", at)
	if err != nil {
		return nil, err
	}
	return Chain(own, desk, c), nil
}

// ShiftFilter narrows a duty roster; empty fields do not.
type ShiftFilter struct {
	Company string        `json:"company" form:"company"`
	Station string        `json:"station" form:"station"`
	From    civil.Instant `json:"from" form:"from"` // shifts that end after
	To      civil.Instant `json:"to" form:"to"`     // shifts that begin before
	page.Request
}

// Roster lists shifts in the order in which they begin.
func (s *Service) Roster(ctx context.Context, by actor.Actor, city int, f ShiftFilter) (page.Of[Shift], error) {
	return read(ctx, s, by, city, func(tx *db.Tx) (page.Of[Shift], error) { return shifts(ctx, tx, city, f) })
}

// ShiftInput is the input of SaveShift. Rev is the rev of the shift that was seen, empty for a new one.
type ShiftInput struct {
	City    int           `json:"-" form:"-"`
	Company string        `json:"company" form:"company"`
	Station string        `json:"station" form:"station"`
	From    civil.Instant `json:"from" form:"from"`
	To      civil.Instant `json:"to" form:"to"`
	Name    string        `json:"name" form:"name"`
	Phone   string        `json:"phone" form:"phone"`
	Backup  string        `json:"backup" form:"backup"`
	Leader  string        `json:"leader" form:"leader"`
	Rev     string        `json:"rev" form:"rev"`
}

func (in *ShiftInput) check() error {
	for _, f := range []*string{&in.Company, &in.Station, &in.Name, &in.Phone, &in.Backup, &in.Leader} {
		*f = strings.TrimSpace(*f)
	}
	var c fault.Check
	c.That(in.Company != "", "company", "field.required")
	c.That(!in.From.IsZero(), "from", "field.required")
	c.That(in.To.IsZero() || in.To.After(in.From), "to", "place.shift_ends_first")
	if c.That(in.Phone != "", "phone", "field.required") {
		c.That(MayDial(in.Phone), "phone", "place.bad_phone")
	}
	return c.Err()
}

var dial = regexp.MustCompile(`^\+?[0-9][0-9\-]{2,19}$`)

// MayDial reports whether a text is a telephone number.
func MayDial(phone string) bool { return dial.MatchString(narrow(phone)) }

// KeyOf is the key of a shift in its list.
func (s Shift) KeyOf() string { return s.Company + "|" + s.Station + "|" + s.At.String() }

// SumOf is a keyed hash of a row's values, by which a later list tells what it changes.
func (s *Service) SumOf(values ...string) string {
	return s.ring.Blind("row", strings.Join(values, "\x1f"))
}

// Values are what a shift says, for SumOf.
func (s Shift) Values() []string {
	return []string{s.Company, s.Station, s.At.String(), s.To.String(), s.Name, s.Phone, s.Backup, s.Leader}
}

// SaveShift adds a shift or changes the one that was seen; a company edits its own roster only.
func (s *Service) SaveShift(ctx context.Context, by actor.Actor, in ShiftInput) (Shift, error) {
	if err := in.check(); err != nil {
		return Shift{}, err
	}
	if err := by.May(actor.DutyEdit, actor.On{City: in.City, Company: in.Company, Station: in.Station}); err != nil {
		return Shift{}, err
	}
	return db.Write(ctx, s.db, func(tx *db.Tx) (Shift, error) {
		if _, ok, err := CompanyIn(ctx, tx, in.City, in.Company); err != nil || !ok {
			return Shift{}, orUnknown(err, "company", "place.no_company", in.Company)
		}
		edition, err := HoldIn(ctx, tx, in.City, Duty)
		if err != nil {
			return Shift{}, err
		}
		row := Shift{
			Company: in.Company, Station: in.Station, At: in.From, To: in.To, Name: in.Name, Phone: in.Phone, Backup: in.Backup, Leader: in.Leader,
		}
		row.Edition = Edition{City: in.City, Key: row.KeyOf(), From: edition, Until: Forever, Sum: s.SumOf(row.Values()...)}
		if err := saveShift(ctx, tx, row, in.Rev); err != nil {
			return Shift{}, err
		}
		row.Rev = row.Sum
		return row, noteShift(ctx, tx, by, row, "duty.save")
	})
}

// DropShift takes the shift that was seen out of the roster.
func (s *Service) DropShift(ctx context.Context, by actor.Actor, in ShiftInput) error {
	if err := by.May(actor.DutyEdit, actor.On{City: in.City, Company: in.Company, Station: in.Station}); err != nil {
		return err
	}
	return db.Do(ctx, s.db, func(tx *db.Tx) error {
		if _, err := HoldIn(ctx, tx, in.City, Duty); err != nil {
			return err
		}
		row := Shift{Edition: Edition{City: in.City}, Company: in.Company, Station: in.Station, At: in.From}
		if err := dropShift(ctx, tx, row, in.Rev); err != nil {
			return err
		}
		return noteShift(ctx, tx, by, row, "duty.drop")
	})
}

func noteShift(ctx context.Context, tx *db.Tx, by actor.Actor, s Shift, act string) error {
	return audit.Record(ctx, tx, by, s.City, audit.Act{Subject: "duty:" + s.Company, Act: act, Body: map[string]any{
		"station": s.Station, "from": s.At, "to": s.To, "name": s.Name, "phone": s.Phone, "backup": s.Backup, "leader": s.Leader,
	}})
}

func orUnknown(err error, field, key, value string) error {
	if err != nil {
		return fmt.Errorf("look up %s: %w", field, err)
	}
	var c fault.Check
	c.Add(field, key, "value", value)
	return c.Err()
}
