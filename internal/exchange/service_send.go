package exchange

import (
	"context"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/text"
)

// sayIn writes down what we say about a ticket and has it sent after the transaction; the ticket is not written.
func (s *Service) sayIn(ctx context.Context, tx *db.Tx, t *Ticket, m Message, by string) error {
	m.Ticket, m.OpenedBy, m.Seq, m.At = t.No, t.OpenedBy, t.Said+1, tx.Now
	if t.OpenedBy == Theirs {
		m.PeerNo = t.CaseNo
	}
	if m.Event != Dispatch {
		to, err := t.next(m.Event, Ours)
		if err != nil {
			return err
		}
		if err := s.requested(ctx, tx, t, Out, m); err != nil {
			return err
		}
		t.Status = to
	}
	if err := m.Check(tx.Now); err != nil {
		return err
	}
	e, err := s.entry(ctx, tx, t, Out, m)
	if err != nil {
		return err
	}
	e.State, e.NextAt, e.By = Queued, tx.Now, by
	t.Said = m.Seq
	if err := insertEntry(ctx, tx, e); err != nil {
		return err
	}
	return jobs.Add(ctx, tx, t.City, sending{t.ID}, jobs.When{})
}

// advanceIn says something, and before it what must have been said by then: that the ticket was accepted, that it is ours.
// What does not fit any more is not said.
func (s *Service) advanceIn(ctx context.Context, tx *db.Tx, t *Ticket, m Message, by string) error {
	for {
		if _, err := t.next(m.Event, Ours); err == nil {
			return s.sayIn(ctx, tx, t, m, by)
		}
		before := Accept
		switch t.Status {
		case Dispatched:
		case Accepted:
			before = Review
		case Handling, Returning, Replied, CalledBack, Closed, Returned, Cancelled:
			return nil
		}
		if before == m.Event {
			return nil
		}
		if err := s.sayIn(ctx, tx, t, Message{Event: before}, by); err != nil {
			return err
		}
	}
}

// FollowIn lets the platforms of a case know of its step, in the transaction of the step.
func (s *Service) FollowIn(ctx context.Context, tx *db.Tx, c cases.Case, e cases.Event) error {
	list, err := ticketsOfCase(ctx, tx, c.City, c.ID)
	if err != nil {
		return err
	}
	for _, t := range list {
		was := t
		t.District, t.Company = c.District, c.Company
		if t.Company == "" {
			t.Company = c.Proposed
		}
		if t.OpenedBy == Theirs {
			err = s.doerFollows(ctx, tx, &t, c, e)
		} else {
			err = s.askerFollows(ctx, tx, &t, c, e)
		}
		if err != nil {
			return fmt.Errorf("tell platform %s of %s: %w", t.Platform, e, err)
		}
		if t != was {
			if err := saveTicket(ctx, tx, was, &t); err != nil {
				return err
			}
		}
	}
	return nil
}

const followed = "system:exchange"

// doerFollows says to the platform that asked us what we have come to.
func (s *Service) doerFollows(ctx context.Context, tx *db.Tx, t *Ticket, c cases.Case, e cases.Event) error {
	say := func(m Message) error { return s.advanceIn(ctx, tx, t, m, followed) }
	word := text.T(text.ZH, "event."+string(e))
	switch e {
	case cases.Accept, cases.AskConfirm, cases.Confirm:
		if t.Status == Dispatched {
			return say(Message{Event: Accept})
		}
	case cases.File, cases.Dispatch, cases.Redispatch, cases.Designate, cases.AcceptReturn:
		if t.Status == Dispatched || t.Status == Accepted {
			return say(Message{Event: Review})
		}
	case cases.Contact, cases.Appoint, cases.Arrive, cases.FeedBack:
		return say(Message{Event: Handle, Text: word})
	case cases.Postpone, cases.Park, cases.Resume:
		return say(Message{Event: Handle, Text: word})
	case cases.Verify, cases.Answer, cases.Redress, cases.Close:
		return say(Message{Event: Reply, Text: replyOf(c, ""), Solved: c.Solved})
	case cases.Reject, cases.Refute:
		if !t.windowOver(tx.Now) {
			return say(Message{Event: AskReturn, Text: replyOf(c, word)})
		}
		return say(Message{Event: Reply, Text: replyOf(c, word), Solved: "no"})
	case cases.Withdraw, cases.Terminate, cases.Cancel:
		return say(Message{Event: Reply, Text: replyOf(c, word)})
	case cases.Reopen:
		if t.Status == Replied || t.Status == CalledBack || t.Status == Closed {
			return say(Message{Event: Note, Text: text.T(text.ZH, "exchange.reopened")})
		}
	case cases.Sign, cases.SignFor, cases.Assign, cases.Take, cases.AskReturn, cases.RefuseReturn, cases.FailVerify, cases.CallBack,
		cases.NotSolved, cases.SendBack, cases.Archive:
	}
	return nil
}

// replyOf is the answer that goes out: the one given to the resident, or what became of the case.
func replyOf(c cases.Case, word string) string {
	switch {
	case c.Answer != "" && word != "":
		return word + "：" + c.Answer
	case c.Answer != "":
		return c.Answer
	case word != "":
		return word
	}
	return text.T(text.ZH, "exchange.done")
}

// askerFollows takes back what we asked for when the case itself is taken back.
func (s *Service) askerFollows(ctx context.Context, tx *db.Tx, t *Ticket, c cases.Case, e cases.Event) error {
	if e != cases.Withdraw && e != cases.Cancel && e != cases.Terminate {
		return nil
	}
	return s.advanceIn(ctx, tx, t, Message{Event: Cancel, Text: replyOf(c, text.T(text.ZH, "event."+string(e)))}, followed)
}

// The times of a call: how long the other side may take, and how long one sender holds a ticket for it.
const (
	callTime  = 10 * time.Second
	leaseTime = 20 * time.Second
)

// mostAtOnce bounds how many messages of one ticket a job hands over.
const mostAtOnce = 200

// deliver hands over what we said about a ticket, in order, until something stands in the way. No transaction is open
// while the other side is asked; killed in between, the message goes again and the other side knows it.
func (s *Service) deliver(ctx context.Context, city int, id string) error {
	var t Ticket
	var p Platform
	mine, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (ok bool, err error) {
		if t, err = ticketIn(ctx, tx, city, id); err != nil {
			return false, err
		}
		if p, err = platformIn(ctx, tx, city, t.Platform); err != nil || !p.Active {
			return false, err
		}
		now := s.o.Machine()
		return lease(ctx, tx, t, ms(now), ms(now.Add(leaseTime)))
	})
	if err != nil || !mine {
		return err
	}
	for range mostAtOnce {
		more, err := s.one(ctx, p, t)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	return db.Do(context.WithoutCancel(ctx), s.o.DB, func(tx *db.Tx) error { return prolong(ctx, tx, t, 0) })
}

// one hands over the message whose turn it is; false when there is none, or it must wait.
func (s *Service) one(ctx context.Context, p Platform, t Ticket) (bool, error) {
	type due struct {
		e  Entry
		m  Message
		ok bool
	}
	now, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (due, error) {
		e, ok, err := headOf(ctx, tx, t)
		if err != nil || !ok || e.State != Queued || e.NextAt.After(tx.Now) {
			return due{}, err
		}
		m, err := s.open(ctx, tx, e)
		m.Ticket, m.OpenedBy = t.No, t.OpenedBy
		if err != nil {
			return due{}, err
		}
		return due{e, m, true}, prolong(ctx, tx, t, ms(s.o.Machine().Add(leaseTime)))
	})
	if err != nil || !now.ok {
		return false, err
	}
	r, failed := s.post(ctx, p, now.m)
	return db.Write(context.WithoutCancel(ctx), s.o.DB, func(tx *db.Tx) (bool, error) {
		if failed == nil {
			return true, s.took(ctx, tx, p, t, now.e, r)
		}
		if fault.Is(failed, fault.Invalid) {
			return false, s.refusedBy(ctx, tx, p, t, now.e, reason(failed))
		}
		return false, s.later(ctx, tx, p, t, now.e, reason(failed))
	})
}

// reason is what the log of a message shows of a failure.
func reason(err error) string {
	const most = 500
	f := fault.Of(err)
	why := text.Say(text.ZH, f.Key, f.Params)
	if cause := f.Unwrap(); cause != nil {
		why = cause.Error()
	}
	r := []rune(why)
	return string(r[:min(len(r), most)])
}

// took notes that the other side has a message. Where it misses one before it, that one goes again.
func (s *Service) took(ctx context.Context, tx *db.Tx, p Platform, t Ticket, e Entry, r Receipt) error {
	if err := answered(ctx, tx, p, ""); err != nil {
		return err
	}
	was := e
	e.State, e.DoneAt, e.Error, e.NextAt = Sent, tx.Now, "", 0
	if err := saveEntry(ctx, tx, was, e); err != nil {
		if fault.Is(err, fault.Conflict) {
			return nil // another sender was as quick
		}
		return err
	}
	if r.Result == Waits && r.Next > 0 && r.Next < e.Seq { // only then: what was applied needs none before it, whatever the number says
		if err := s.behind(ctx, tx, t, r.Next, e); err != nil {
			return err
		}
	}
	if r.PeerNo == "" || t.OpenedBy == Theirs {
		return nil
	}
	fresh, err := ticketIn(ctx, tx, t.City, t.ID)
	if err != nil || fresh.PeerNo == r.PeerNo {
		return err
	}
	before := fresh
	if err := s.peerIn(ctx, tx, p, &fresh, r.PeerNo); err != nil {
		return err
	}
	return saveTicket(ctx, tx, before, &fresh)
}

// behind sends what the other side misses again, from the number that it names. A side that still misses it after that is
// given time: it is asked less and less often, not round and round.
func (s *Service) behind(ctx context.Context, tx *db.Tx, t Ticket, from int64, held Entry) error {
	at := tx.Now
	if held.Tries > 0 {
		at = at.Add(Wait(held.Tries))
	}
	if err := resent(ctx, tx, t, from, held.Tries+1, at); err != nil {
		return err
	}
	return jobs.Add(ctx, tx, t.City, sending{t.ID}, jobs.When{At: at})
}

// refusedBy keeps a message that the other side does not take, with what it says, until staff decide. Those behind it wait.
func (s *Service) refusedBy(ctx context.Context, tx *db.Tx, p Platform, t Ticket, e Entry, why string) error {
	if err := answered(ctx, tx, p, ""); err != nil {
		return err
	}
	was := e
	e.State, e.Tries, e.Error, e.NextAt = Rejected, e.Tries+1, why, 0
	if err := saveEntry(ctx, tx, was, e); err != nil {
		return err
	}
	if s.o.Tell == nil {
		return nil
	}
	return s.o.Tell(ctx, tx, t, p, "refused", fmt.Sprintf("%s/%d", e.ID, e.Tries))
}

// later has a message tried again when the other side may be back.
func (s *Service) later(ctx context.Context, tx *db.Tx, p Platform, t Ticket, e Entry, why string) error {
	if err := answered(ctx, tx, p, why); err != nil {
		return err
	}
	was := e
	e.Tries, e.Error = e.Tries+1, why
	e.NextAt = tx.Now.Add(Wait(e.Tries))
	if err := saveEntry(ctx, tx, was, e); err != nil {
		return err
	}
	return jobs.Add(ctx, tx, t.City, sending{t.ID}, jobs.When{At: e.NextAt})
}

// sweep finds messages that wait without anybody at them, and asks for what is missing.
func (s *Service) sweep(ctx context.Context, city int) error {
	missing, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) ([]Ticket, error) {
		ids, err := dueTickets(ctx, tx, city)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if err := jobs.Add(ctx, tx, city, sending{id}, jobs.When{Unique: "exchange:" + id}); err != nil {
				return nil, err
			}
		}
		files, err := dueFiles(ctx, tx, city)
		if err != nil {
			return nil, err
		}
		for _, id := range files {
			if err := jobs.Add(ctx, tx, city, fetching{id}, jobs.When{Unique: "exchange:file:" + id}); err != nil {
				return nil, err
			}
		}
		return gaps(ctx, tx, city)
	})
	if err != nil {
		return err
	}
	for _, t := range missing {
		if err := s.askAgain(ctx, t); err != nil {
			s.o.Log.WarnContext(ctx, "exchange: a missing message could not be asked for", "ticket", t.No, "platform", t.Platform, "error", err)
		}
	}
	return nil
}

// askAgain asks a platform for the message that is missing, once the agreed time has passed.
func (s *Service) askAgain(ctx context.Context, t Ticket) error {
	p, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (Platform, error) { return platformIn(ctx, tx, t.City, t.Platform) })
	if err != nil || !p.Active {
		return err
	}
	wait := time.Duration(p.GapMinutes) * time.Minute
	if now := s.o.DB.Now(); now.Sub(max(t.GapSince, t.AskedAgain)) < wait {
		return nil
	}
	if err := db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		fresh, err := ticketIn(ctx, tx, t.City, t.ID)
		if err != nil {
			return err
		}
		was := fresh
		fresh.AskedAgain = tx.Now
		if fresh.Attention == "" {
			fresh.Attention = "exchange.attention.gap"
		}
		return saveTicket(ctx, tx, was, &fresh)
	}); err != nil {
		return err
	}
	return s.fetch(ctx, p, t.OpenedBy, t.No, t.Taken+1)
}

// fetch asks a platform for what it said about a ticket from a number on, and takes it.
func (s *Service) fetch(ctx context.Context, p Platform, by Side, no string, from int64) error {
	list, err := s.missing(ctx, p, Missing{Ticket: no, OpenedBy: by, From: from})
	if err != nil {
		return err
	}
	for _, m := range list.Messages {
		if m.Ticket != no || m.OpenedBy != by {
			return fault.New(fault.Invalid, "exchange.other_ticket")
		}
		if err := db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
			_, err := s.takeIn(ctx, tx, p, m)
			return err
		}); err != nil {
			return err
		}
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		t, ok, err := ticketByNo(ctx, tx, p.City, p.Code, by, no)
		if err != nil || !ok || !t.GapSince.IsZero() || t.Attention != "exchange.attention.gap" {
			return err
		}
		was := t
		t.Attention = ""
		return saveTicket(ctx, tx, was, &t)
	})
}
