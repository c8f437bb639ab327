package cases

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Import takes the tickets of another hotline over, night after night. Everything is checked before anything is filed:
// with faults the error is Invalid and the report names row and column of each. Tickets are filed one by one, so that
// nobody waits; an import that was interrupted is run again, and a ticket that is known changes nothing.
func (s *Service) Import(ctx context.Context, by actor.Actor, in Sheet) (Imported, error) {
	report := Imported{DryRun: in.DryRun}
	if err := by.May(actor.CaseImport, actor.On{City: in.City}); err != nil {
		return report, err
	}
	rules, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (*citypack.Rules, error) { return s.o.Rules(ctx, tx, in.City) })
	if err != nil {
		return report, err
	}
	if err := s.checkTickets(ctx, in, rules, &report); err != nil {
		return report, err
	}
	if len(report.Faults) > 0 {
		return report, fault.New(fault.Invalid, "case.import.faults", "count", len(report.Faults))
	}
	total := report.Rows
	return report, s.tickets(ctx, in, rules, func(k *ticket) error {
		fresh, err := s.take(ctx, by, k.Opening, in.DryRun)
		if err != nil {
			report.note(k.row, err)
			return fmt.Errorf("row %d: %w", k.row, err)
		}
		if fresh {
			report.Opened++
		} else {
			report.Known++
		}
		if in.Progress != nil {
			in.Progress(report.Opened+report.Known, total)
		}
		return nil
	})
}

// checkTickets reads the whole file and notes every fault.
func (s *Service) checkTickets(ctx context.Context, in Sheet, rules *citypack.Rules, report *Imported) error {
	now, seen := s.o.DB.Now(), map[string]int{}
	err := s.tickets(ctx, in, rules, func(k *ticket) error {
		report.Rows++
		k.wrong.Merge("", k.Check(rules.Pack, now))
		key := string(k.Channel) + "\n" + k.TicketNo
		if first, twice := seen[key]; twice && k.TicketNo != "" {
			k.wrong.Add("ticket_no", "case.import.twice", "row", first)
		} else {
			seen[key] = k.row
		}
		report.note(k.row, k.wrong.Err())
		return nil
	})
	if err == nil && report.Rows == 0 {
		return fault.New(fault.Invalid, "case.import.empty")
	}
	return err
}

// tickets hands every row of the sheet on.
func (s *Service) tickets(ctx context.Context, in Sheet, rules *citypack.Rules, each func(*ticket) error) error {
	t, err := newTicketReader(in, rules.Pack)
	if err != nil {
		return err
	}
	defer t.rows.Close()
	for ctx.Err() == nil {
		k, err := t.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = each(k)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// take files one ticket and tells whether it was new.
func (s *Service) take(ctx context.Context, by actor.Actor, o Opening, dry bool) (bool, error) {
	known := func(tx *db.Tx) (bool, error) {
		_, known, err := findTicket(ctx, tx, o.City, o.Channel, o.TicketNo)
		return !known, err
	}
	if dry {
		return db.Read(ctx, s.o.DB, known)
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (bool, error) {
		fresh, err := known(tx)
		if err != nil || !fresh {
			return false, err
		}
		_, err = s.OpenIn(ctx, tx, by, o)
		return true, err
	})
}
