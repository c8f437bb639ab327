package fee

import (
	"context"
	"fmt"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/text"
)

// ReadingsInput is the input of KeepReadings.
type ReadingsInput struct {
	City     int       `json:"-" form:"-"`
	Readings []Reading `json:"readings" form:"-"`
}

// KeepReadings keeps what the meters of households showed, all of it or nothing. A reading of the same meter, day and kind
// with another value is a correction and stands in the household's record beside what it was before.
func (s *Service) KeepReadings(ctx context.Context, by actor.Actor, in ReadingsInput) (Readings, error) {
	list := make([]Reading, len(in.Readings))
	for i, r := range in.Readings {
		list[i] = Reading{Account: r.Account, Meter: r.Meter, Season: r.Season, On: r.On, Kind: r.Kind, Value: r.Value, Unit: r.Unit, row: i + 1}
	}
	report, err := s.keepReadings(ctx, by, in.City, list, false)
	if len(report.Faults) > 0 {
		var c fault.Check
		for _, f := range report.Faults {
			c.Add(fmt.Sprintf("readings[%d].%s", f.Row-1, f.Column), f.Message.Key, pairsOf(f.Message)...)
		}
		return report, c.Err()
	}
	return report, err
}

func pairsOf(m text.Message) []any {
	var out []any
	for k, v := range m.Params {
		out = append(out, k, v)
	}
	return out
}

// ImportMeters takes a table of meter readings over, all of it or nothing; with faults the error is Invalid and the report
// names row and column of each.
func (s *Service) ImportMeters(ctx context.Context, by actor.Actor, in MeterSheet) (Readings, error) {
	list, found, err := readMeters(in)
	if err != nil {
		return Readings{DryRun: in.DryRun}, err
	}
	if len(found) > 0 {
		return Readings{DryRun: in.DryRun, Rows: len(list), Faults: found}, fault.New(fault.Invalid, "meter.faults", "count", len(found))
	}
	return s.keepReadings(ctx, by, in.City, list, in.DryRun)
}

func (s *Service) keepReadings(ctx context.Context, by actor.Actor, city int, list []Reading, dry bool) (Readings, error) {
	report := Readings{DryRun: dry, Rows: len(list)}
	if !by.MayAny(actor.FeeImport, city) {
		return report, by.May(actor.FeeImport, actor.On{City: city})
	}
	if len(list) == 0 {
		return report, fault.New(fault.Invalid, "meter.empty")
	}
	var found []RowFault
	run := func(tx *db.Tx) (Readings, error) {
		report = Readings{DryRun: dry, Rows: len(list)}
		var fresh, moved []Reading
		var err error
		if fresh, moved, found, err = s.sift(ctx, tx, by, city, list); err != nil {
			return report, err
		}
		if len(found) > 0 {
			return report, fault.New(fault.Invalid, "meter.faults", "count", len(found))
		}
		report.Added, report.Changed = len(fresh), len(moved)
		report.Unchanged = len(list) - len(fresh) - len(moved)
		if dry || len(fresh)+len(moved) == 0 {
			return report, nil
		}
		return report, s.write(ctx, tx, by, city, fresh, moved)
	}
	var err error
	if dry {
		_, err = db.Read(ctx, s.o.DB, run)
	} else {
		_, err = db.Write(ctx, s.o.DB, run)
	}
	report.Faults = found
	return report, err
}

// sift checks readings against the register, the pack and what was kept, and tells new ones from corrections.
func (s *Service) sift(ctx context.Context, tx *db.Tx, by actor.Actor, city int, list []Reading) (fresh, moved []Reading, found []RowFault, err error) {
	rules, err := s.o.Rules(ctx, tx, city)
	if err != nil {
		return nil, nil, nil, err
	}
	var accounts []string
	for _, r := range list {
		accounts = append(accounts, r.Account)
	}
	slices.Sort(accounts)
	accounts = slices.Compact(accounts)
	homes, err := s.o.Places.HomesIn(ctx, tx, city, accounts)
	if err != nil {
		return nil, nil, nil, err
	}
	kept, err := readingsIn(ctx, tx, city, accounts)
	if err != nil {
		return nil, nil, nil, err
	}
	unit := unitOf(rules.Pack.Doc.Fees)
	for _, r := range list {
		r.City = city
		r.complete(unit)
		h, known := homes[r.Account]
		if may := by.May(actor.FeeImport, h.On(city)); may != nil && !(r.Account == "") {
			found = append(found, RowFault{r.row, "account", text.Msg("denied.scope")})
			continue
		} else if wrongs := r.check(tx.Now.Date(), known); len(wrongs) > 0 {
			found = append(found, wrongs...)
			continue
		}
		i := slices.IndexFunc(kept[r.Account], func(k Reading) bool { return k.key() == r.key() })
		switch {
		case i < 0:
			kept[r.Account] = append(kept[r.Account], r)
			fresh = append(fresh, r)
		case kept[r.Account][i].row > 0:
			found = append(found, RowFault{r.row, "meter", text.Msg("meter.twice", "row", kept[r.Account][i].row)})
		case kept[r.Account][i].Value != r.Value || kept[r.Account][i].Unit != r.Unit:
			r.Supersedes, r.Version = kept[r.Account][i].ID, kept[r.Account][i].Version
			kept[r.Account][i] = r
			moved = append(moved, r)
		}
	}
	for _, a := range accounts {
		for _, w := range faults(kept[a]) {
			found = append(found, RowFault{w.of.row, w.field, w.what})
		}
	}
	slices.SortStableFunc(found, func(a, b RowFault) int { return a.Row - b.Row })
	return fresh, moved, found, nil
}

// unitOf is the unit of a pack whose meters all count in one; else a reading must say its own.
func unitOf(f citypack.Fees) citypack.PriceUnit {
	var unit citypack.PriceUnit
	for _, p := range f.Prices {
		if isMetered(p.Per) && unit != "" && unit != p.Per {
			return ""
		} else if isMetered(p.Per) {
			unit = p.Per
		}
	}
	return unit
}

// write keeps readings, the moved ones in the place of those that they correct. A new edition of the bills follows, so that
// refunds whose basis is the meter are reckoned again.
func (s *Service) write(ctx context.Context, tx *db.Tx, by actor.Actor, city int, fresh, moved []Reading) error {
	if _, err := place.HoldIn(ctx, tx, city, place.Fees); err != nil {
		return err
	}
	if err := nextEdition(ctx, tx, city); err != nil {
		return err
	}
	return s.record(ctx, tx, by, city, fresh, moved)
}

// record keeps new records, ends those that they supersede, and says so on the chains of the households.
func (s *Service) record(ctx context.Context, tx *db.Tx, by actor.Actor, city int, fresh, moved []Reading) error {
	all := slices.Concat(fresh, moved)
	for i := range all {
		r := &all[i]
		if r.Supersedes != "" {
			old := Reading{City: city, ID: r.Supersedes, Account: r.Account, Ended: Superseded, EndedBy: by.ID, EndedAt: tx.Now, Reason: r.Reason}
			if err := endReading(ctx, tx, old); err != nil {
				return err
			}
		}
		r.City, r.ID, r.Reason, r.KeptBy, r.Kept, r.Version = city, tx.NewID(), "", by.ID, tx.Now, r.Version+1
	}
	if err := insertReadings(ctx, tx, all); err != nil {
		return err
	}
	for _, r := range all {
		act := "meter.read"
		if r.Supersedes != "" {
			act = "meter.correct"
		}
		err := audit.Record(ctx, tx, by, city, audit.Act{Subject: chainOf(r.Account), Act: act, Body: map[string]any{
			"id": r.ID, "meter": r.Meter, "season": r.Season, "on": r.On, "kind": r.Kind, "value": r.Value, "unit": r.Unit, "supersedes": r.Supersedes,
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// Readings shows what the meters of a household showed, for everybody who may see its bills.
func (s *Service) Readings(ctx context.Context, by actor.Actor, city int, account string) ([]Reading, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Reading, error) {
		if _, err := s.mayHome(ctx, tx, by, city, account, actor.FeeRead); err != nil {
			return nil, err
		}
		all, err := readingsIn(ctx, tx, city, []string{account})
		return ordered(all[account]), err
	})
}
