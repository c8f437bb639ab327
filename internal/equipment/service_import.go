package equipment

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// Import takes a list of instruments over, all of it or nothing, in one transaction: such lists are short. Rows with a known
// owner and number change that instrument, columns that the table lacks stay as they are, and the same table twice changes
// nothing. With faults the error is Invalid and the report names row and column of each.
func (s *Service) Import(ctx context.Context, by actor.Actor, in Sheet) (Imported, error) {
	report := Imported{DryRun: in.DryRun}
	if !by.MayAny(actor.InstrumentEdit, in.City) {
		return report, by.May(actor.InstrumentEdit, actor.On{City: in.City})
	}
	rows, err := readRows(in)
	if err != nil {
		return report, err
	}
	var faults []RowFault
	run := func(tx *db.Tx) (Imported, error) {
		report, faults = Imported{DryRun: in.DryRun}, nil
		for _, r := range rows {
			if err := s.take(ctx, tx, by, in, r, &report); err != nil {
				more := faultsOf(r.no, err)
				if len(more) == 0 {
					return report, err
				}
				faults = append(faults, more...)
			}
		}
		if len(faults) > 0 {
			return report, fault.New(fault.Invalid, "equipment.faults", "count", len(faults))
		}
		return report, nil
	}
	if in.DryRun {
		_, err = db.Read(ctx, s.db, run)
	} else {
		_, err = db.Write(ctx, s.db, run)
	}
	report.Faults = faults
	return report, err
}

// take brings one row in.
func (s *Service) take(ctx context.Context, tx *db.Tx, by actor.Actor, in Sheet, r row, report *Imported) error {
	report.Rows++
	if err := r.wrong.Err(); err != nil {
		return err
	}
	owner := r.cell("owner")
	if owner == "" {
		owner = by.Org
	}
	old, known, err := FindIn(ctx, tx, in.City, owner, r.cell("number"))
	if err != nil {
		return err
	}
	e := r.over(old, owner)
	e.City = in.City
	if e.trim(); known && e.over(old) == old {
		report.Unchanged++
		return nil
	}
	if known {
		report.Changed++
	} else {
		report.Added++
	}
	if in.DryRun {
		if err := mayOf(by, actor.InstrumentEdit, in.City, owner); err != nil {
			return err
		}
		return e.check()
	}
	_, err = s.SaveIn(ctx, tx, by, e)
	return err
}

// faultsOf turns what is wrong with a row into faults of its cells; whoever may not keep an owner's list is told so there.
func faultsOf(no int, err error) []RowFault {
	f := fault.Of(err)
	if f.Kind == fault.Denied {
		return []RowFault{{no, "owner", text.Msg("denied.scope")}}
	}
	var out []RowFault
	for _, x := range f.Fields {
		out = append(out, RowFault{no, x.Name, text.Message{Key: x.Key, Params: x.Params}})
	}
	return out
}

func readRows(in Sheet) ([]row, error) {
	t, err := open(in)
	if err != nil {
		return nil, err
	}
	defer t.rows.Close()
	var out []row
	seen := map[string]int{}
	for {
		r, err := t.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		key := strings.ToLower(r.cell("owner") + "\n" + r.cell("number"))
		if first, twice := seen[key]; twice {
			r.wrong.Add("number", "equipment.twice", "row", first)
		}
		seen[key] = r.no
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Invalid, "equipment.empty")
	}
	return out, nil
}
