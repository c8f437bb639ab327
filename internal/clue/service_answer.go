package clue

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Answering is an answer to the author of a clue, and to the authors of others of its group in the same words: those named,
// or with Alike all whose authors wait for a word, some at a time.
type Answering struct {
	City   int      `json:"-" form:"-"`
	ID     string   `json:"-" form:"-"`
	Text   string   `json:"text" form:"text"`
	Others []string `json:"others,omitempty" form:"others"`
	Alike  bool     `json:"alike,omitempty" form:"alike"`
}

// Answer writes to the author through the channel. Everybody named gets an answer of their own; the same words to the
// same author are sent once.
func (s *Service) Answer(ctx context.Context, by actor.Actor, in Answering) ([]channel.Reply, error) {
	if err := may(by, actor.ClueDecide, in.City); err != nil {
		return nil, err
	}
	if len(in.Others) > mostOthers {
		return nil, fault.New(fault.Invalid, "field.out_of_range", "min", 0, "max", mostOthers)
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) ([]channel.Reply, error) {
		first, err := find(ctx, tx, in.City, in.ID)
		if err != nil {
			return nil, err
		}
		rest, err := together(ctx, tx, first, in.Others, in.Alike, func(c Clue) bool { return c.Owed() && c.Channel == first.Channel })
		if err != nil {
			return nil, err
		}
		var out []channel.Reply
		for _, c := range append([]Clue{first}, rest...) {
			r, err := s.answer(ctx, tx, by, c, in.Text)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
		return out, nil
	})
}

// together are others of a clue's group: those of the ids, and with alike all that fit besides.
func together(ctx context.Context, tx *db.Tx, first Clue, ids []string, alike bool, fits func(Clue) bool) ([]Clue, error) {
	var out []Clue
	if alike {
		all, err := others(ctx, tx, first)
		if err != nil {
			return nil, err
		}
		for _, c := range all {
			if fits(c) {
				out = append(out, c)
			}
		}
	}
	for _, id := range ids {
		c, err := find(ctx, tx, first.City, id)
		if err != nil {
			return nil, err
		}
		if c.Group == first.Group && c.ID != first.ID && !slices.ContainsFunc(out, func(o Clue) bool { return o.ID == c.ID }) {
			out = append(out, c)
		}
	}
	return out, nil
}

func (s *Service) answer(ctx context.Context, tx *db.Tx, by actor.Actor, c Clue, said string) (channel.Reply, error) {
	personal, err := s.personal(ctx, tx, by, c)
	if err != nil {
		return channel.Reply{}, err
	}
	r, err := s.o.Channels.ReplyIn(ctx, tx, by, channel.Answering{
		City: c.City, Message: c.Message, Text: said, Case: c.Case, Clue: c.ID, Known: personal,
	})
	if err != nil {
		return r, err
	}
	return r, answered(ctx, tx, c, tx.Now)
}

// personal are the words of a matter that a public answer must not hold: who called, and the home to its room.
func (s *Service) personal(ctx context.Context, tx *db.Tx, by actor.Actor, c Clue) ([]string, error) {
	if !c.Public() || c.Case == "" {
		return nil, nil
	}
	file, err := s.o.Cases.GetIn(ctx, tx, by, c.City, c.Case)
	if err != nil {
		return nil, err
	}
	said, err := s.o.Cases.SaidIn(ctx, tx, file)
	if err != nil {
		return nil, err
	}
	out := []string{said.Caller.Name, said.Caller.Phone, said.Contact.Name, said.Contact.Phone, file.Account}
	if file.Room != "" {
		out = append(out, file.Address)
	}
	return out, nil
}

// Period is a stretch of days.
type Period struct {
	From civil.Date `json:"from" form:"from"`
	To   civil.Date `json:"to" form:"to"`
}

// ByChannel is what came in by a channel in a period, and how soon it was answered.
type ByChannel struct {
	Channel    string `db:"channel" json:"channel"`
	In         int    `db:"n" json:"in"`
	Heating    int    `db:"heating" json:"heating"`
	New        int    `db:"waiting" json:"new"`
	Confirmed  int    `db:"confirmed" json:"confirmed"`
	Linked     int    `db:"linked" json:"linked"`
	NotHeating int    `db:"not_heating" json:"not_heating"`
	Rumour     int    `db:"rumour" json:"rumour"`
	Spam       int    `db:"spam" json:"spam"`
	Answered   int    `db:"answered" json:"answered"`
	Within2h   int    `db:"soon" json:"answered_within_2h"`
	TookMS     int64  `db:"took" json:"-"` // sum, from being written to the first answer that was sent
	MedianMS   int64  `db:"-" json:"-"`    // half of the answered waited no longer
}

// Hours is the time to the first answer in hours, its mean and its middle; empty where nobody was answered.
func (b ByChannel) Hours() (mean, median string) {
	if b.Answered == 0 {
		return "", ""
	}
	const tenth = 360_000
	words := func(ms int64) string {
		n := (ms + tenth/2) / tenth
		return strconv.FormatInt(n/10, 10) + "." + strconv.FormatInt(n%10, 10)
	}
	return words(b.TookMS / int64(b.Answered)), words(b.MedianMS)
}

// MarshalJSON adds the hours to the first reply.
func (b ByChannel) MarshalJSON() ([]byte, error) {
	type plain ByChannel
	mean, median := b.Hours()
	return json.Marshal(struct {
		plain
		Mean   string `json:"mean_hours,omitempty"`
		Median string `json:"median_hours,omitempty"`
	}{plain(b), mean, median})
}

// Statistics counts the clues of a period by channel.
func (s *Service) Statistics(ctx context.Context, by actor.Actor, city int, p Period) ([]ByChannel, error) {
	if err := may(by, actor.ClueRead, city); err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]ByChannel, error) {
		if p.To.IsZero() {
			p.To = tx.Now.Date()
		}
		if p.From.IsZero() {
			p.From = p.To.AddDays(-6)
		}
		return statistics(ctx, tx, city, p.From.Start(), p.To.End())
	})
}
