package clue

import (
	"context"
	"io"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/db"
)

// Importing is a file of a monitoring vendor.
type Importing struct {
	City    int
	Account string // names the vendor; repeats are known within it
	Format  Format
	Mapping Mapping
}

// Import takes posts from a file, once each, whatever is imported twice. The file is read as a stream and kept batch by
// batch: when it breaks off, what came before stands.
func (s *Service) Import(ctx context.Context, by actor.Actor, in Importing, r io.Reader) (channel.Recorded, error) {
	var sum channel.Recorded
	if err := may(by, actor.CaseImport, in.City); err != nil {
		return sum, err
	}
	g := gather{got: func(batch []channel.Incoming) error {
		some, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (channel.Recorded, error) { return s.o.Channels.RecordAllIn(ctx, tx, batch) })
		sum.New, sum.Known, sum.Refused = sum.New+some.New, sum.Known+some.Known, sum.Refused+some.Refused
		return err
	}}
	err := ReadFeed(r, in.Format, in.Mapping, func(e Entry) error { return g.add(e.incoming(in.City, in.Account)) })
	if flushed := g.flush(); err == nil {
		err = flushed
	}
	return sum, err
}

// Adapters are the channels that the city listens to, as they are joined.
func (s *Service) Adapters(w *Weibo, f *Feeds) []channel.Adapter {
	return []channel.Adapter{
		{Channel: cases.Weibo, Sender: w, Poller: w, Take: s.Take},
		{Channel: cases.Opinion, Poller: f, Every: 2 * time.Minute, Take: s.Take},
	}
}
