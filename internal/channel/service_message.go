package channel

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/secret"
)

// taking is the job that hands a message to the capability that it is for.
type taking struct {
	Message string `json:"message"`
}

// Kind names the job.
func (taking) Kind() string { return "channel.take" }

// takeTries is how often a message is handed on before it waits for a person: about six minutes.
const takeTries = 5

// Record keeps one message; see RecordIn.
func (s *Service) Record(ctx context.Context, in Incoming) (Message, bool, error) {
	var fresh bool
	m, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (m Message, err error) {
		m, fresh, err = s.RecordIn(ctx, tx, in)
		return m, err
	})
	return m, fresh, err
}

// RecordIn keeps one message and queues its handing on. A repeat gives the message of then, and false. Whoever calls it
// has checked the sender's proof, or the permission of whoever imports.
func (s *Service) RecordIn(ctx context.Context, tx *db.Tx, in Incoming) (Message, bool, error) {
	if err := in.check(tx.Now); err != nil {
		return Message{}, false, err
	}
	if old, known, err := byExternal(ctx, tx, in); err != nil || known {
		return old, false, err
	}
	m, err := s.keep(ctx, tx, in)
	return m, err == nil, err
}

// Recorded counts what became of a batch.
type Recorded struct {
	New     int           `json:"new"`
	Known   int           `json:"known"`
	Refused int           `json:"refused"` // cannot be kept at all
	Newest  civil.Instant `json:"newest,omitzero"`
}

func (r *Recorded) add(o Recorded) {
	r.New, r.Known, r.Refused = r.New+o.New, r.Known+o.Known, r.Refused+o.Refused
	if o.Newest.After(r.Newest) {
		r.Newest = o.Newest
	}
}

// RecordAllIn keeps a batch of one account. Repeats are found with one query, so that a feed that brings the same fifty
// thousand entries every hour costs reading and nothing else.
func (s *Service) RecordAllIn(ctx context.Context, tx *db.Tx, batch []Incoming) (Recorded, error) {
	return s.recordAll(ctx, tx, batch, s.keep)
}

// CountIn says what RecordAllIn would do with a batch, and keeps nothing.
func (s *Service) CountIn(ctx context.Context, tx *db.Tx, batch []Incoming) (Recorded, error) {
	return s.recordAll(ctx, tx, batch, func(context.Context, *db.Tx, Incoming) (Message, error) { return Message{}, nil })
}

func (s *Service) recordAll(ctx context.Context, tx *db.Tx, batch []Incoming, keep func(context.Context, *db.Tx, Incoming) (Message, error)) (Recorded, error) {
	var r Recorded
	if len(batch) == 0 {
		return r, nil
	}
	ids := make([]string, 0, len(batch))
	for i := range batch {
		if ids = append(ids, batch[i].ID); batch[i].Other != nil {
			ids = append(ids, batch[i].again())
		}
	}
	known, err := knownIDs(ctx, tx, batch[0], ids)
	if err != nil {
		return r, err
	}
	for _, in := range batch {
		var repeat bool
		if in.ID, repeat = in.under(known); repeat {
			r.Known++
			continue
		}
		if in.check(tx.Now) != nil {
			r.Refused++
			continue
		}
		known[in.ID] = secret.MaskText(in.Text)
		if _, err := keep(ctx, tx, in); err != nil {
			return r, err
		}
		r.add(Recorded{New: 1, Newest: in.At})
	}
	return r, nil
}

// under is the id under which a message is kept, and whether it is kept already. An id whose words are another's stands for
// the post that had it first; this one gets an id of its own.
func (in *Incoming) under(known map[string]string) (id string, repeat bool) {
	kept, had := known[in.ID]
	if !had {
		return in.ID, false
	}
	if now := secret.MaskText(clip(clean(in.Text), MaxText)); in.Other == nil || kept == now || !in.Other(kept, now) {
		return in.ID, true
	}
	id = in.again()
	_, repeat = known[id]
	return id, repeat
}

func (s *Service) keep(ctx context.Context, tx *db.Tx, in Incoming) (Message, error) {
	p, err := secret.Subject(ctx, tx, s.o.Ring, in.City, "channel", identity(in.Channel, in.SenderID))
	if err != nil {
		return Message{}, err
	}
	m := Message{
		City: in.City, ID: tx.NewID(), Channel: in.Channel, Account: in.Account, External: in.ID, Form: in.Form, At: in.At,
		ReceivedAt: tx.Now, Person: p.ID, Sender: secret.MaskName(in.SenderName), Text: secret.MaskText(in.Text), Link: in.Link,
		Media: in.Media, Lng: in.Lng, Lat: in.Lat, Extra: in.Extra, Hash: in.hash(), State: Received, Version: 1,
	}
	plain, err := json.Marshal(sealed{in.SenderID, in.SenderName, in.Text, in.Handle})
	if err != nil {
		return m, fmt.Errorf("seal a message: %w", err)
	}
	m.Sealed = p.Seal("channel", string(plain))
	if s.adapters[in.Channel].Take == nil {
		m.State = Taken
	}
	if err := insertMessage(ctx, tx, m); err != nil {
		return m, err
	}
	if m.State == Taken {
		return m, nil
	}
	return m, jobs.Add(ctx, tx, m.City, taking{m.ID}, jobs.When{})
}

// take is the job: the capability works in the transaction that marks the message taken, so that neither exists without
// the other and a second run finds nothing to do.
func (s *Service) take(ctx context.Context, j jobs.Job, a taking) error {
	taker := s.adapterOf(ctx, j.City, a.Message)
	err := db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		m, err := findMessage(ctx, tx, j.City, a.Message)
		if err != nil || m.State != Received {
			return err
		}
		if taker != nil {
			h, err := s.open(ctx, tx, m)
			if err != nil {
				return err
			}
			if err := taker(ctx, tx, h); err != nil {
				return err
			}
			if m, err = findMessage(ctx, tx, j.City, a.Message); err != nil { // the taker has tied it to something
				return err
			}
		}
		return moveMessage(ctx, tx, m, Take, "")
	})
	if err == nil || (j.Attempt < takeTries && !fault.Is(err, fault.Invalid)) {
		return err
	}
	s.o.Log.WarnContext(ctx, "message not handed on", "message", a.Message, "error", err)
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		m, found := findMessage(ctx, tx, j.City, a.Message)
		if found != nil || m.State != Received {
			return found
		}
		return moveMessage(ctx, tx, m, Fail, fault.Of(err).Key)
	})
}

func (s *Service) adapterOf(ctx context.Context, city int, id string) Taker {
	m, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (Message, error) { return findMessage(ctx, tx, city, id) })
	if err != nil {
		return nil
	}
	return s.adapters[m.Channel].Take
}

// LinkIn ties a message to the case or clue that was made of it; an empty id leaves what stands.
func (s *Service) LinkIn(ctx context.Context, tx *db.Tx, city int, id, clueID, caseID string) error {
	if err := linkMessage(ctx, tx, city, id, clueID, caseID); err != nil || caseID == "" || s.OnCase == nil {
		return err
	}
	m, err := findMessage(ctx, tx, city, id)
	if err != nil {
		return err
	}
	return s.OnCase(ctx, tx, m)
}

// RecentIn lists the newest messages of a writer that became cases, opened, for the capability that runs the channel.
func (s *Service) RecentIn(ctx context.Context, tx *db.Tx, city int, person string, most int) ([]Heard, error) {
	rows, err := recentOf(ctx, tx, city, person, most)
	if err != nil {
		return nil, err
	}
	out := make([]Heard, len(rows))
	for i, m := range rows {
		if out[i], err = s.open(ctx, tx, m); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ByHand names a message or a reply as it was seen and says why staff act on it.
type ByHand struct {
	City    int    `json:"-" form:"-"`
	ID      string `json:"-" form:"id"`
	Version int64  `json:"version" form:"version"`
	Reason  string `json:"reason" form:"reason"`
}

func checkReason(reason *string) error {
	*reason = strings.TrimSpace(*reason)
	var c fault.Check
	c.That(*reason != "", "reason", "field.required")
	c.That(utf8.RuneCountInString(*reason) <= 300, "reason", "field.too_long", "max", 300)
	return c.Err()
}

// ReplayMessage lets a message that could not be handed on be tried again.
func (s *Service) ReplayMessage(ctx context.Context, by actor.Actor, in ByHand) (Message, error) {
	if err := seesAll(by, actor.ChannelReply, in.City); err != nil {
		return Message{}, err
	}
	if err := checkReason(&in.Reason); err != nil {
		return Message{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Message, error) {
		m, err := findMessage(ctx, tx, in.City, in.ID)
		if err != nil {
			return m, err
		}
		m.Version = in.Version
		if err := moveMessage(ctx, tx, m, Replay, ""); err != nil {
			return m, err
		}
		if err := jobs.Add(ctx, tx, m.City, taking{m.ID}, jobs.When{}); err != nil {
			return m, err
		}
		act := audit.Act{Subject: m.Subject(), Act: "channel.replay", Body: map[string]any{"reason": in.Reason}}
		if err := audit.Record(ctx, tx, by, m.City, act); err != nil {
			return m, err
		}
		return findMessage(ctx, tx, in.City, in.ID)
	})
}

// Filter narrows the list of messages; empty fields do not.
type Filter struct {
	Channel cases.Channel `json:"channel" form:"channel"`
	Account string        `json:"account" form:"account"`
	State   State         `json:"state" form:"state"`
	page.Request
}

// Messages lists what came in, newest first, masked.
func (s *Service) Messages(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Message], error) {
	if err := seesAll(by, actor.ChannelRead, city); err != nil {
		return page.Of[Message]{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Message], error) {
		rows, err := listMessages(ctx, tx, city, f)
		if err != nil {
			return page.Of[Message]{}, err
		}
		return page.Cut(rows, f.Request, func(m Message) []any { return []any{m.ID} }), nil
	})
}

// MessagesOf lists the messages that a clue or a case was made of, oldest first, for a page that has asked for the
// permission.
func (s *Service) MessagesOf(ctx context.Context, tx *db.Tx, city int, clueID, caseID string) ([]Message, error) {
	return messagesOf(ctx, tx, city, clueID, caseID)
}
