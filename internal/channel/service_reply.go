package channel

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/page"
)

// sending is the job that hands a reply to its channel.
type sending struct {
	Reply string `json:"reply"`
}

// Kind names the job.
func (sending) Kind() string { return "channel.send" }

// ReplyIn writes an answer to a message down and queues its sending, in the transaction of the act that causes it. The
// same key answers a message once: again it gives the answer of then. An answer that everybody can read is refused when
// it holds personal data.
func (s *Service) ReplyIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Answering) (Reply, error) {
	if err := by.May(actor.ChannelReply, actor.On{City: in.City}); err != nil {
		return Reply{}, err
	}
	m, err := findMessage(ctx, tx, in.City, in.Message)
	if err != nil {
		return Reply{}, err
	}
	if err := in.check(m.Form.Public()); err != nil {
		return Reply{}, err
	}
	sum := sha256.Sum256([]byte(in.Text))
	key := cmp.Or(in.Key, hex.EncodeToString(sum[:8]))
	if old, known, err := byKey(ctx, tx, in.City, m.ID, key); err != nil || known {
		return old, err
	}
	r := Reply{
		City: in.City, ID: tx.NewID(), Message: m.ID, Channel: m.Channel, Account: m.Account, Public: m.Form.Public(), Key: key, Text: in.Text,
		Case: cmp.Or(in.Case, m.Case), Clue: cmp.Or(in.Clue, m.Clue), State: Queued, By: by.ID, ByName: by.Name, Created: tx.Now, Version: 1,
	}
	if err := insertReply(ctx, tx, r); err != nil {
		return r, err
	}
	if err := jobs.Add(ctx, tx, r.City, sending{r.ID}, jobs.When{}); err != nil {
		return r, err
	}
	return r, audit.Record(ctx, tx, by, r.City, audit.Act{Subject: r.subject(), Act: "channel.reply", Body: r.facts()})
}

// Reply is ReplyIn in a transaction of its own.
func (s *Service) Reply(ctx context.Context, by actor.Actor, in Answering) (Reply, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Reply, error) { return s.ReplyIn(ctx, tx, by, in) })
}

// subject is the audit chain that an answer belongs to: that of the case, else of the clue, else of the message.
func (r Reply) subject() string {
	switch {
	case r.Case != "":
		return "case:" + r.Case
	case r.Clue != "":
		return "clue:" + r.Clue
	}
	return "message:" + r.Message
}

func (r Reply) facts() map[string]any {
	return map[string]any{"reply": r.ID, "channel": r.Channel, "message": r.Message, "public": r.Public, "text": audit.Fingerprint(r.subject(), r.Text)}
}

// send is the job: prepare in one transaction, hand over outside any, write the result down in another. Before the
// hand-over the reply is marked unsure, so that a crash in between is known to be one.
func (s *Service) send(ctx context.Context, j jobs.Job, a sending) error {
	r, out, acc, err := s.prepare(ctx, j.City, a.Reply)
	if err != nil || out == nil {
		return err
	}
	ad := s.adapters[r.Channel]
	id, sent, sendErr := s.handOver(ctx, ad, acc, r, *out)
	final := j.Attempt >= j.MaxAttempt
	err = db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		now, err := findReply(ctx, tx, j.City, a.Reply)
		if err != nil || now.State != Queued {
			return err
		}
		switch {
		case sent:
			now.GatewayID = id
			return s.settle(ctx, tx, now, Take, "")
		case sendErr == nil:
			return s.settle(ctx, tx, now, Hold, "channel.reason.unsure")
		case fault.Is(sendErr, fault.Invalid):
			return s.settle(ctx, tx, now, Fail, fault.Of(sendErr).Key)
		case final:
			return s.settle(ctx, tx, now, Fail, "channel.reason.unreachable")
		case surelyNot(sendErr) && !r.Unsure: // an earlier attempt that is unsure stays so
			return clearUnsure(ctx, tx, now)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if fault.Is(sendErr, fault.Invalid) || final {
		return nil // the reply itself says so, on the page where staff can do something about it
	}
	return sendErr
}

// surelyNot reports whether an error proves that the channel did not take an answer.
func surelyNot(err error) bool {
	k := fault.KindOf(err)
	return k == fault.Exhausted || k == fault.Denied
}

// handOver sends an answer, unless an earlier attempt may have been taken: then the channel is asked first. Neither sent
// nor an error means that nobody can know.
func (s *Service) handOver(ctx context.Context, ad Adapter, acc Access, r Reply, out Outgoing) (id string, sent bool, err error) {
	if r.Unsure {
		f, can := ad.Sender.(Finder)
		switch {
		case can:
			if id, found, err := f.Find(ctx, acc, out); err != nil || found {
				return id, found, err
			}
		case !ad.Keyed:
			return "", false, nil
		}
	}
	id, err = ad.Sender.Send(ctx, acc, out)
	return id, err == nil, err
}

// prepare opens whom an answer goes to and notes the attempt; out is nil when there is nothing to send now. The reply it
// gives is as it was before this attempt: whether an earlier one is unsure.
func (s *Service) prepare(ctx context.Context, city int, id string) (r Reply, out *Outgoing, acc Access, err error) {
	r, err = db.Write(ctx, s.o.DB, func(tx *db.Tx) (Reply, error) {
		out = nil
		r, err := findReply(ctx, tx, city, id)
		if err != nil || r.State != Queued {
			return r, err
		}
		a, err := findAccount(ctx, tx, city, r.Channel, r.Account)
		if err == nil && s.adapters[r.Channel].Sender == nil {
			err = fault.New(fault.Conflict, "channel.reason.no_sender")
		}
		if err == nil {
			acc, err = s.access(a)
		}
		if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid) {
			return r, s.settle(ctx, tx, r, Hold, cmp.Or(reasonOf(err), "channel.reason.no_sender"))
		}
		if err != nil {
			return r, err
		}
		h, err := s.HeardIn(ctx, tx, city, r.Message)
		if err != nil {
			return r, err
		}
		if h.Said == "" && h.Handle == nil && h.SenderID == "" {
			return r, s.settle(ctx, tx, r, Fail, "channel.reason.erased")
		}
		out = &Outgoing{Key: r.ID, Form: h.Form, To: h.External, Sender: h.SenderID, Text: r.Text, Handle: h.Handle}
		return r, countAttempt(ctx, tx, r)
	})
	return r, out, acc, err
}

func reasonOf(err error) string {
	if k := fault.Of(err).Key; k != "not_found" {
		return k
	}
	return ""
}

// settle moves a reply and records it with its subject.
func (s *Service) settle(ctx context.Context, tx *db.Tx, r Reply, e Move, reason string) error {
	r, err := moveReply(ctx, tx, r, e, reason)
	if err != nil {
		return err
	}
	return audit.Record(ctx, tx, machine, r.City, audit.Act{Subject: r.subject(), Act: "channel.reply." + string(r.State), Body: r.facts()})
}

// ReplayReply lets a failed or held answer be sent again; staff have looked whether it stands there already.
func (s *Service) ReplayReply(ctx context.Context, by actor.Actor, in ByHand) (Reply, error) {
	return s.byHand(ctx, by, in, Replay)
}

// TellReply notes that an answer reached the writer by other means, or that it stands at the channel after all.
func (s *Service) TellReply(ctx context.Context, by actor.Actor, in ByHand) (Reply, error) {
	return s.byHand(ctx, by, in, Tell)
}

func (s *Service) byHand(ctx context.Context, by actor.Actor, in ByHand, e Move) (Reply, error) {
	if err := seesAll(by, actor.ChannelReply, in.City); err != nil {
		return Reply{}, err
	}
	if err := checkReason(&in.Reason); err != nil {
		return Reply{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Reply, error) {
		r, err := findReply(ctx, tx, in.City, in.ID)
		if err != nil {
			return r, err
		}
		r.Version, r.Unsure = in.Version, false // a person has looked
		if r, err = moveReply(ctx, tx, r, e, ""); err != nil {
			return r, err
		}
		if e == Replay {
			if err := jobs.Add(ctx, tx, r.City, sending{r.ID}, jobs.When{}); err != nil {
				return r, err
			}
		}
		body := r.facts()
		body["reason"] = in.Reason
		return r, audit.Record(ctx, tx, by, r.City, audit.Act{Subject: r.subject(), Act: "channel.reply." + string(e), Body: body})
	})
}

// RepliesOf lists the answers of a clue or a case, oldest first, for a page that has asked for the permission.
func (s *Service) RepliesOf(ctx context.Context, tx *db.Tx, city int, clueID, caseID string) ([]Reply, error) {
	return repliesOf(ctx, tx, city, clueID, caseID)
}

// Replies lists answers, newest first.
func (s *Service) Replies(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Reply], error) {
	if err := seesAll(by, actor.ChannelRead, city); err != nil {
		return page.Of[Reply]{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Reply], error) {
		rows, err := listReplies(ctx, tx, city, f)
		if err != nil {
			return page.Of[Reply]{}, err
		}
		return page.Cut(rows, f.Request, func(r Reply) []any { return []any{r.ID} }), nil
	})
}

// BounceIn notes that an answer that the channel took did not arrive after all: staff see it among those that failed. One
// that is told twice changes nothing.
func (s *Service) BounceIn(ctx context.Context, tx *db.Tx, city int, id string) error {
	r, err := findReply(ctx, tx, city, id)
	if err != nil || r.State != Sent {
		return err
	}
	return s.settle(ctx, tx, r, Bounce, "channel.reason.bounced")
}

// AnswersIn gives a reply with the message that it answers opened, for the capability that runs the channel.
func (s *Service) AnswersIn(ctx context.Context, tx *db.Tx, city int, id string) (Reply, Heard, error) {
	r, err := findReply(ctx, tx, city, id)
	if err != nil {
		return r, Heard{}, err
	}
	h, err := s.HeardIn(ctx, tx, city, r.Message)
	return r, h, err
}
