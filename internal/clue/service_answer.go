package clue

import (
	"context"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Answering is an answer to the author of a clue, and to the authors of others of its group in the same words.
type Answering struct {
	City   int      `json:"-" form:"-"`
	ID     string   `json:"-" form:"id"`
	Text   string   `json:"text" form:"text"`
	Others []string `json:"others,omitempty" form:"others"`
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
		all := []Clue{first}
		for _, id := range in.Others {
			c, err := find(ctx, tx, in.City, id)
			if err != nil {
				return nil, err
			}
			if c.Group == first.Group && c.ID != first.ID {
				all = append(all, c)
			}
		}
		var out []channel.Reply
		for _, c := range all {
			r, err := s.answer(ctx, tx, by, c, in.Text)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
		return out, nil
	})
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
	TookMS     int64  `db:"took" json:"-"` // sum, from being written to the first answer
}

// MeanMinutes is the time to the first answer, over those answered; -1 where nobody was.
func (b ByChannel) MeanMinutes() int64 {
	if b.Answered == 0 {
		return -1
	}
	return b.TookMS / int64(b.Answered) / 60_000
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
