package fee

import (
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/once"
)

// ReadingInput is the input of ReadMeter and CorrectReading: one reading. Replaces names the record that a correction is of;
// Reason says why it was wrong.
type ReadingInput struct {
	City     int                `json:"-" form:"-"`
	Account  string             `json:"-" form:"-"`
	Replaces string             `json:"-" form:"-"`
	Meter    string             `json:"meter" form:"meter"`
	Season   string             `json:"season" form:"season"` // empty: of its day
	On       civil.Date         `json:"on" form:"on"`
	Kind     ReadingKind        `json:"kind" form:"kind"`
	Value    string             `json:"value" form:"value"`
	Unit     citypack.PriceUnit `json:"unit" form:"unit"`
	Reason   string             `json:"reason" form:"reason"`
	Key      string             `json:"-" form:"-"`
}

// ReadMeter keeps one reading. Another reading of the meter on that day, one above the next or below the one before, and a
// day outside the season are refused with the field.
func (s *Service) ReadMeter(ctx context.Context, by actor.Actor, in ReadingInput) (Reading, error) {
	in.Replaces, in.Reason = "", ""
	return s.keepReading(ctx, by, in)
}

// CorrectReading puts a new record in the place of one that was wrong, with the reason; the wrong one stays in the record.
func (s *Service) CorrectReading(ctx context.Context, by actor.Actor, in ReadingInput) (Reading, error) {
	if err := (VoidInput{Reason: in.Reason}).check(); err != nil {
		return Reading{}, err
	}
	if in.Replaces == "" {
		return Reading{}, fault.New(fault.NotFound, "not_found")
	}
	return s.keepReading(ctx, by, in)
}

func (s *Service) keepReading(ctx context.Context, by actor.Actor, in ReadingInput) (Reading, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Reading, error) {
		if _, err := s.mayHome(ctx, tx, by, in.City, in.Account, actor.FeeImport); err != nil {
			return Reading{}, err
		}
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (Reading, error) {
			return s.keepReadingIn(ctx, tx, by, in)
		})
	})
}

func (s *Service) keepReadingIn(ctx context.Context, tx *db.Tx, by actor.Actor, in ReadingInput) (Reading, error) {
	rules, err := s.o.Rules(ctx, tx, in.City)
	if err != nil {
		return Reading{}, err
	}
	kept, err := readingsIn(ctx, tx, in.City, []string{in.Account})
	if err != nil {
		return Reading{}, err
	}
	standing := kept[in.Account]
	r := Reading{Account: in.Account, Meter: in.Meter, Season: in.Season, On: in.On, Kind: in.Kind, Value: in.Value, Unit: in.Unit, Reason: in.Reason, row: 1}
	was := r
	if in.Replaces != "" {
		if was, standing, err = take(standing, in.Replaces); err != nil {
			return Reading{}, err
		}
		r.Supersedes, r.Version, r.Meter = was.ID, was.Version, was.Meter
	}
	r.complete(unitOf(rules.Pack.Doc.Fees))
	var c fault.Check
	for _, f := range r.check(tx.Now.Date(), true) {
		c.Add(f.Column, f.Message.Key, pairsOf(f.Message)...)
	}
	if c.Err() == nil {
		if wrong := faults(append(standing, r)); len(wrong) > 0 { // one reading breaks the order once for the one before and once for the next
			c.Add(wrong[0].field, wrong[0].what.Key, pairsOf(wrong[0].what)...)
		}
	}
	if err := c.Err(); err != nil {
		return Reading{}, err
	}
	one := []Reading{r}
	if err := s.record(ctx, tx, by, in.City, nil, one); err != nil {
		return Reading{}, err
	}
	all, err := readingsIn(ctx, tx, in.City, []string{in.Account})
	if err != nil {
		return Reading{}, err
	}
	i := slices.IndexFunc(all[in.Account], func(k Reading) bool { return k.key() == r.key() })
	return all[in.Account][i], s.changed(ctx, tx, by, in.City, min(r.Season, was.Season), in.Account)
}

// take finds a record that stands and gives the others beside it.
func take(standing []Reading, id string) (Reading, []Reading, error) {
	i := slices.IndexFunc(standing, func(r Reading) bool { return r.ID == id })
	if i < 0 {
		return Reading{}, nil, fault.New(fault.Conflict, "meter.gone")
	}
	return standing[i], slices.Delete(slices.Clone(standing), i, i+1), nil
}

// VoidReading ends a reading that should not be there, with the reason; it stays in the record. One that others begin from
// cannot be void before them.
func (s *Service) VoidReading(ctx context.Context, by actor.Actor, in VoidInput) (Reading, error) {
	if err := in.check(); err != nil {
		return Reading{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Reading, error) {
		if _, err := s.mayHome(ctx, tx, by, in.City, in.Account, actor.FeeImport); err != nil {
			return Reading{}, err
		}
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (Reading, error) {
			return s.voidReading(ctx, tx, by, in)
		})
	})
}

func (s *Service) voidReading(ctx context.Context, tx *db.Tx, by actor.Actor, in VoidInput) (Reading, error) {
	kept, err := readingsIn(ctx, tx, in.City, []string{in.Account})
	if err != nil {
		return Reading{}, err
	}
	r, rest, err := take(kept[in.Account], in.ID)
	if err != nil {
		return Reading{}, err
	}
	if wrong := faults(rest); len(wrong) > 0 {
		var c fault.Check
		c.Add("reason", wrong[0].what.Key, pairsOf(wrong[0].what)...)
		return Reading{}, c.Err()
	}
	r.Ended, r.EndedBy, r.EndedAt, r.Reason = Voided, by.ID, tx.Now, in.Reason
	if err := endReading(ctx, tx, r); err != nil {
		return Reading{}, err
	}
	err = audit.Record(ctx, tx, by, in.City, audit.Act{Subject: chainOf(in.Account), Act: "meter.void", Body: map[string]any{
		"id": r.ID, "meter": r.Meter, "season": r.Season, "on": r.On, "kind": r.Kind, "value": r.Value, "unit": r.Unit, "reason": r.Reason,
	}})
	if err != nil {
		return Reading{}, err
	}
	return r, s.changed(ctx, tx, by, in.City, r.Season, in.Account)
}
