package cases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Import takes the tickets of another hotline over, night after night. Everything is checked before anything is filed:
// with faults the error is Invalid and the report names row and column of each. Tickets are filed one by one, so that
// nobody waits; an import that was interrupted is run again and goes on where it stopped. Of a ticket that is known, while
// its case is open, those cells are taken over that differ from the last import: the same sheet twice changes nothing, and
// what people corrected here stays.
func (s *Service) Import(ctx context.Context, by actor.Actor, in Sheet) (Imported, error) {
	report := Imported{DryRun: in.DryRun}
	if err := by.May(actor.CaseImport, actor.On{City: in.City}); err != nil {
		return report, err
	}
	by.Grants = append(slices.Clone(by.Grants), actor.Grant{Role: actor.RoleSystem, City: in.City}) // whoever may import may do what it takes
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
		became, err := s.take(ctx, by, k.Opening, in.DryRun)
		if err != nil {
			report.note(k.row, err)
			return fmt.Errorf("row %d: %w", k.row, err)
		}
		switch became {
		case ticketNew:
			report.Opened++
		case ticketChanged:
			report.Known++
			report.Changed++
		case ticketKnown:
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

// became is what an import made of a ticket.
type became int

const (
	ticketNew became = iota
	ticketKnown
	ticketChanged
)

// take files one ticket, or brings its case up to date.
func (s *Service) take(ctx context.Context, by actor.Actor, o Opening, dry bool) (became, error) {
	fn := func(tx *db.Tx) (became, error) {
		c, known, err := findTicket(ctx, tx, o.City, o.Channel, o.TicketNo)
		if err != nil {
			return ticketNew, err
		}
		if known {
			return s.refresh(ctx, tx, by, c, o, dry)
		}
		if dry {
			return ticketNew, nil
		}
		if _, err := s.OpenIn(ctx, tx, by, o); err != nil {
			return ticketNew, err
		}
		return ticketNew, keepTicketCells(ctx, tx, o, s.cells(o))
	}
	if dry {
		return db.Read(ctx, s.o.DB, fn)
	}
	return db.Write(ctx, s.o.DB, fn)
}

// cells are the cells of a row that may change later, as keyed hashes.
func (s *Service) cells(o Opening) map[string]string {
	out := map[string]string{}
	for name, v := range map[string]string{"category": o.Category, "address": o.Address, "name": o.Caller.Name, "phone": o.Caller.Phone} {
		if v != "" { // an empty cell says nothing
			out[name] = s.o.Ring.Blind("ticket cell", name+"\n"+v)
		}
	}
	return out
}

// refresh amends an open case by the cells that differ from the last import of its ticket.
func (s *Service) refresh(ctx context.Context, tx *db.Tx, by actor.Actor, c Case, o Opening, dry bool) (became, error) {
	was, imported, err := ticketCells(ctx, tx, o)
	if err != nil {
		return ticketKnown, err
	}
	now := s.cells(o)
	merged := maps.Clone(now)
	var differs []string
	for name, cell := range now {
		if was[name] != cell {
			differs = append(differs, name)
		}
	}
	for name, cell := range was {
		if _, given := now[name]; !given {
			merged[name] = cell
		}
	}
	if len(differs) == 0 || !c.Open {
		return ticketKnown, nil
	}
	if !imported { // it came by another door: what is said here is only noted
		if dry {
			return ticketKnown, nil
		}
		return ticketKnown, keepTicketCells(ctx, tx, o, merged)
	}
	if dry {
		return ticketChanged, nil
	}
	in, err := s.ticketAmendment(ctx, tx, c, o, differs)
	if err != nil {
		return ticketKnown, err
	}
	if _, err := s.amendIn(ctx, tx, by, in); err != nil {
		return ticketKnown, err
	}
	return ticketChanged, keepTicketCells(ctx, tx, o, merged)
}

// ticketAmendment is what the differing cells of a row change.
func (s *Service) ticketAmendment(ctx context.Context, tx *db.Tx, c Case, o Opening, differs []string) (Amendment, error) {
	in := Amendment{Act: Act{City: c.City, ID: c.ID, Version: c.Version}}
	if slices.Contains(differs, "category") {
		in.Category = &o.Category
	}
	if slices.Contains(differs, "address") {
		in.Address = &o.Address
	}
	if !slices.Contains(differs, "name") && !slices.Contains(differs, "phone") {
		return in, nil
	}
	known, err := s.unseal(ctx, tx, c)
	if err != nil {
		return in, err
	}
	if slices.Contains(differs, "name") {
		known.Caller.Name = o.Caller.Name
	}
	if slices.Contains(differs, "phone") {
		known.Caller.Phone = o.Caller.Phone
	}
	in.Caller = &known.Caller
	return in, nil
}
