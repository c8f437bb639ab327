package clue

import (
	"context"
	"io"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Import takes posts from a table, once each, whatever is imported twice. Everything is checked before anything is kept:
// with faults the error is Invalid and the report names row and column of each. The table is read as a stream and kept
// batch by batch, so that nobody waits; an import that broke off is run again and goes on where it stopped.
func (s *Service) Import(ctx context.Context, by actor.Actor, in Importing, r io.ReadSeeker) (Imported, error) {
	report := Imported{DryRun: in.DryRun}
	if err := may(by, actor.CaseImport, in.City); err != nil {
		return report, err
	}
	var c fault.Check
	c.That(in.Account != "", "account", "field.required")
	if err := c.Err(); err != nil {
		return report, err
	}
	err := readTable(in.Name, r, func(row int, _ Entry, wrong error) error {
		report.Rows++
		report.note(row, wrong)
		return ctx.Err()
	})
	switch {
	case err != nil:
		return report, err
	case report.Rows == 0:
		return report, fault.New(fault.Invalid, "clue.import.empty")
	case len(report.Faults) > 0:
		return report, fault.New(fault.Invalid, "clue.import.faults", "count", len(report.Faults))
	}
	err = s.importRows(ctx, in, r, &report)
	return report, err
}

// importRows keeps the rows, or counts what would become of them.
func (s *Service) importRows(ctx context.Context, in Importing, r io.ReadSeeker, report *Imported) error {
	once := twins{}
	g := gather{got: func(batch []channel.Incoming) error {
		some, err := s.importBatch(ctx, in.DryRun, batch)
		report.New, report.Known = report.New+some.New, report.Known+some.Known
		if in.Progress != nil {
			in.Progress(report.New+report.Known, report.Rows)
		}
		return err
	}}
	err := readTable(in.Name, r, func(_ int, e Entry, _ error) error {
		post := e.incoming(in.City, in.Account)
		if in.DryRun && once.again(post) {
			report.Known++
			return nil
		}
		return g.add(post)
	})
	if flushed := g.flush(); err == nil {
		err = flushed
	}
	return err
}

// importBatch keeps a batch; a dry run counts it only, and holds up nobody who writes.
func (s *Service) importBatch(ctx context.Context, dry bool, batch []channel.Incoming) (channel.Recorded, error) {
	if dry {
		return db.Read(ctx, s.o.DB, func(tx *db.Tx) (channel.Recorded, error) { return s.o.Channels.CountIn(ctx, tx, batch) })
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (channel.Recorded, error) { return s.o.Channels.RecordAllIn(ctx, tx, batch) })
}

// twins are the posts of a table that a dry run has seen: nothing is kept, so the database cannot know them.
type twins map[string]string

// again reports whether the same post stood in the table before. An id that another post had first counts with its words.
func (t twins) again(p channel.Incoming) bool {
	before, had := t[p.ID]
	if !had {
		t[p.ID] = p.Text
		return false
	}
	if before == p.Text || !p.Other(before, p.Text) {
		return true
	}
	own := p.ID + "\n" + p.SenderID + "\n" + p.Text
	_, had = t[own]
	t[own] = ""
	return had
}

// Adapters are the channels that the city listens to, as they are joined.
func (s *Service) Adapters(w *Weibo, f *Feeds) []channel.Adapter {
	return []channel.Adapter{
		{Channel: cases.Weibo, Sender: w, Poller: w, Take: s.Take},
		{Channel: cases.Opinion, Poller: f, Every: 2 * time.Minute, Take: s.Take},
	}
}
