package exchange

import (
	"bytes"
	"context"
	"io"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/jsonl"
	"github.com/rehu-heat/rehu/internal/notice"
)

type fetching struct{ File string }

// Kind names the job that fetches a file of a platform's message.
func (fetching) Kind() string { return "exchange.fetch" }

// wantIn writes down the files of a message that was taken, and has them fetched after the transaction.
func (s *Service) wantIn(ctx context.Context, tx *db.Tx, t *Ticket, e Entry) error {
	if s.o.Blobs == nil || t.Case == "" {
		return nil
	}
	for n, a := range e.Files {
		f := File{
			City: t.City, ID: tx.NewID(), Ticket: t.ID, Message: e.ID, N: n, Platform: t.Platform, Name: a.Name, Media: a.MediaType, Size: a.Size, SHA256: a.SHA256,
			URL: a.URL, State: Wanted, NextAt: tx.Now, Created: tx.Now, Version: 1,
		}
		if err := insertFile(ctx, tx, f); err != nil {
			return err
		}
		if err := jobs.Add(ctx, tx, t.City, fetching{f.ID}, jobs.When{}); err != nil {
			return err
		}
	}
	return nil
}

// fetchOne fetches a file. No transaction is open meanwhile; killed in between, it is fetched again, and kept once.
func (s *Service) fetchOne(ctx context.Context, city int, id string) error {
	var f File
	var t Ticket
	var p Platform
	err := db.Do(ctx, s.o.DB, func(tx *db.Tx) (err error) {
		if f, err = fileIn(ctx, tx, city, id); err != nil {
			return err
		}
		if t, err = ticketIn(ctx, tx, city, f.Ticket); err != nil {
			return err
		}
		p, err = platformIn(ctx, tx, city, f.Platform)
		return err
	})
	if err != nil || f.State != Wanted || !p.Active || f.NextAt.After(s.o.DB.Now()) {
		return err
	}
	raw, err := s.fetchFile(ctx, p, t, f)
	var kept blob.Stored
	if err == nil {
		purpose := "exchange"
		if f.isVoice() {
			purpose = blob.Voice
		}
		kept, err = s.o.Blobs.Keep(ctx, blob.Upload{City: city, Subject: "case:" + t.Case, Purpose: purpose, Name: f.Name, Reader: bytes.NewReader(raw)})
	}
	done := db.Do(context.WithoutCancel(ctx), s.o.DB, func(tx *db.Tx) error { return s.fetched(ctx, tx, p, t, f, kept, err) })
	if fault.Is(done, fault.Conflict) {
		return nil // another job was as quick, and this one's transaction kept nothing
	}
	return done
}

// fetched notes what became of fetching a file.
func (s *Service) fetched(ctx context.Context, tx *db.Tx, p Platform, t Ticket, f File, kept blob.Stored, failed error) error {
	f.Tries++
	switch fault.KindOf(failed) {
	case fault.Invalid, fault.NotFound, fault.Denied:
		f.State, f.Error, f.NextAt, f.DoneAt = NotFetched, reason(failed), 0, tx.Now
		if err := saveFile(ctx, tx, f); err != nil {
			return err
		}
		return s.unfetched(ctx, tx, p, t, f)
	case fault.Internal, fault.Down, fault.Exhausted, fault.Conflict:
	}
	if failed != nil {
		f.Error, f.NextAt = reason(failed), tx.Now.Add(Wait(f.Tries))
		if err := saveFile(ctx, tx, f); err != nil {
			return err
		}
		return jobs.Add(ctx, tx, f.City, fetching{f.ID}, jobs.When{At: f.NextAt})
	}
	b, err := s.o.Blobs.SaveIn(ctx, tx, system(p), kept)
	if err != nil {
		return err
	}
	f.State, f.Blob, f.Error, f.NextAt, f.DoneAt = Kept, b.ID, "", 0, tx.Now
	if err := saveFile(ctx, tx, f); err != nil {
		return err
	}
	body := map[string]any{"platform": p.Code, "ticket": t.No, "name": f.Name, "sha256": f.SHA256, "kept": b.SHA256}
	return audit.Record(ctx, tx, system(p), t.City, audit.Act{Subject: "case:" + t.Case, Act: "exchange.file", Body: body})
}

// unfetched has staff look at a ticket whose file never comes as it is.
func (s *Service) unfetched(ctx context.Context, tx *db.Tx, p Platform, t Ticket, f File) error {
	s.o.Log.WarnContext(ctx, "exchange: a file is not fetched", "platform", p.Code, "ticket", t.No, "file", f.ID, "error", f.Error)
	fresh, err := ticketIn(ctx, tx, t.City, t.ID)
	if err != nil {
		return err
	}
	was := fresh
	fresh.Attention = "exchange.attention.file"
	if err := saveTicket(ctx, tx, was, &fresh); err != nil || s.o.Tell == nil {
		return err
	}
	return s.o.Tell(ctx, tx, fresh, p, "attention", "file/"+f.ID)
}

// Refetching is the input of Refetch.
type Refetching struct {
	City    int    `json:"-" form:"-"`
	File    string `json:"-" form:"-"`
	Version int64  `json:"version" form:"version"`
}

// Refetch has a file fetched again that was refused, once the platform mended it, or at once one that waits.
func (s *Service) Refetch(ctx context.Context, by actor.Actor, in Refetching) (File, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (File, error) {
		f, err := fileIn(ctx, tx, in.City, in.File)
		if err != nil {
			return f, err
		}
		t, err := s.seen(ctx, tx, by, in.City, f.Ticket, actor.ExchangeSend)
		if err != nil {
			return f, err
		}
		if in.Version != 0 && in.Version != f.Version {
			return f, fault.New(fault.Conflict, "conflict.version")
		}
		if f.State == Kept {
			return f, nil
		}
		f.State, f.Error, f.NextAt, f.DoneAt = Wanted, "", tx.Now, 0
		if err := saveFile(ctx, tx, f); err != nil {
			return f, err
		}
		f.Version++
		if err := jobs.Add(ctx, tx, f.City, fetching{f.ID}, jobs.When{}); err != nil {
			return f, err
		}
		return f, audit.Record(ctx, tx, by, f.City, audit.Act{Subject: t.Subject(), Act: "exchange.refetch", Body: map[string]any{"name": f.Name, "sha256": f.SHA256}})
	})
}

// attachIn names files of a ticket's case in a message; only what belongs to the case goes out.
func attachIn(ctx context.Context, tx *db.Tx, t Ticket, ids []string) ([]Attachment, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := blob.Of(ctx, tx, t.City, "case:"+t.Case)
	if err != nil {
		return nil, err
	}
	var c fault.Check
	var out []Attachment
	for _, id := range ids {
		i := slices.IndexFunc(list, func(b blob.Blob) bool { return b.ID == id })
		if i < 0 {
			c.Add("files", "exchange.no_file")
			continue
		}
		b := list[i]
		out = append(out, Attachment{Name: b.Name, MediaType: b.MediaType, Size: b.Size, SHA256: b.SHA256})
	}
	return out, c.Err()
}

// Given is a file on its way to the other side; the caller closes it.
type Given struct {
	MediaType string
	Size      int64
	Body      io.ReadCloser
}

// GiveFile hands a file to the platform that we named it to, and to no other. Whatever is wrong is as if it were not there.
func (s *Service) GiveFile(ctx context.Context, city int, code string, in notice.Signed) (Given, error) {
	b, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (blob.Blob, error) {
		p, err := s.from(ctx, tx, city, code, in)
		if err != nil {
			return blob.Blob{}, err
		}
		if err := s.once(ctx, tx, p, in); err != nil {
			return blob.Blob{}, err
		}
		q, err := jsonl.Decode[FileAsked](in.Body)
		if err != nil {
			return blob.Blob{}, err
		}
		return namedFile(ctx, tx, p, q)
	})
	if err != nil {
		return Given{}, err
	}
	b, body, err := s.o.Blobs.Open(ctx, city, b.ID, func(string) error { return nil }) // namedFile has decided
	return Given{b.MediaType, b.Size, body}, err
}

// namedFile is a file that one of our messages about a ticket names.
func namedFile(ctx context.Context, tx *db.Tx, p Platform, q FileAsked) (blob.Blob, error) {
	missing := fault.New(fault.NotFound, "not_found")
	t, ok, err := ticketByNo(ctx, tx, p.City, p.Code, q.OpenedBy, q.Ticket)
	if err != nil || !ok {
		return blob.Blob{}, orElse(err, missing)
	}
	said, err := entriesOf(ctx, tx, t)
	if err != nil {
		return blob.Blob{}, err
	}
	is := func(a Attachment) bool { return a.SHA256 == q.SHA256 }
	if !slices.ContainsFunc(said, func(e Entry) bool { return e.Way == Out && slices.ContainsFunc(e.Files, is) }) {
		return blob.Blob{}, missing
	}
	list, err := blob.Of(ctx, tx, t.City, "case:"+t.Case)
	if err != nil {
		return blob.Blob{}, err
	}
	if i := slices.IndexFunc(list, func(b blob.Blob) bool { return b.SHA256 == q.SHA256 }); i >= 0 {
		return list[i], nil
	}
	return blob.Blob{}, missing
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
