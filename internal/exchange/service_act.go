package exchange

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/dispatch"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/text"
)

// On is what permissions on a ticket depend on: a 驻场 seat sees its district's or company's part.
func (t Ticket) On() actor.On {
	return actor.On{City: t.City, District: t.District, Company: t.Company}
}

// Saying is the input of Say: what staff say to the other side about a ticket.
type Saying struct {
	City      int           `json:"-" form:"-"`
	Ticket    string        `json:"-" form:"-"` // id
	Version   int64         `json:"version" form:"version"`
	Event     Event         `json:"event" form:"event"`
	Text      string        `json:"text" form:"text"`
	Until     civil.Instant `json:"until" form:"until"`
	What      string        `json:"what" form:"what"`
	Answers   int64         `json:"answers" form:"answers"`
	Reached   string        `json:"reached" form:"reached"`
	Solved    string        `json:"solved" form:"solved"`
	Satisfied string        `json:"satisfied" form:"satisfied"`
	Files     []string      `json:"files" form:"files"` // attachments of the case, by id
	Key       string        `json:"-" form:"key"`
}

// Say tells the other side something about a ticket: a return within the window, more time, an exclusion, a call-back ….
func (s *Service) Say(ctx context.Context, by actor.Actor, in Saying) (Ticket, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Ticket, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (Ticket, error) { return s.saySeen(ctx, tx, by, in) })
	})
}

func (s *Service) saySeen(ctx context.Context, tx *db.Tx, by actor.Actor, in Saying) (Ticket, error) {
	t, err := s.seen(ctx, tx, by, in.City, in.Ticket, actor.ExchangeSend)
	if err != nil {
		return t, err
	}
	if in.Version != 0 && in.Version != t.Version {
		return t, fault.New(fault.Conflict, "conflict.version")
	}
	var c fault.Check
	among(&c, "event", string(in.Event), words(t.Allowed(tx.Now))...)
	if in.Event == AskReturn && t.windowOver(tx.Now) {
		c = fault.Check{}
		c.Add("event", "exchange.window_over", "until", t.ReturnBy.Minute())
	}
	if err := c.Err(); err != nil {
		return t, err
	}
	was := t
	m := Message{
		Event: in.Event, Text: in.Text, Until: in.Until, What: in.What, Answers: in.Answers, Reached: in.Reached, Solved: in.Solved, Satisfied: in.Satisfied,
	}
	if m.Attachments, err = attachIn(ctx, tx, t, in.Files); err != nil {
		return t, err
	}
	if in.Event == Supervise {
		year := tx.Now.Date().Year
		n, err := db.Next(ctx, tx, t.City, fmt.Sprintf("exchange:supervise:%s:%d", t.Platform, year))
		if err != nil {
			return t, err
		}
		m.Number = fmt.Sprintf("%d-%04d", year, n)
	}
	if err := s.sayIn(ctx, tx, &t, m, by.ID); err != nil {
		return t, err
	}
	t.Attention = ""
	if err := saveTicket(ctx, tx, was, &t); err != nil {
		return t, err
	}
	body := map[string]any{"platform": t.Platform, "ticket": t.No, "event": in.Event, "text": note(m)}
	if err := audit.Record(ctx, tx, by, t.City, audit.Act{Subject: t.Subject(), Act: "exchange." + string(in.Event), Body: body}); err != nil || t.Case == "" {
		return t, err
	}
	return t, audit.Record(ctx, tx, by, t.City, audit.Act{Subject: "case:" + t.Case, Act: "exchange." + string(in.Event), Body: body})
}

// seen is a ticket that the actor holds a permission for; whoever may not know of it finds nothing.
func (s *Service) seen(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string, p actor.Permission) (Ticket, error) {
	if !by.MayAny(p, city) {
		return Ticket{}, by.May(p, actor.On{City: city})
	}
	t, err := ticketIn(ctx, tx, city, id)
	if err != nil {
		return t, err
	}
	return t, actor.Hide(by.May(p, t.On()))
}

// Handing is the input of HandOver.
type Handing struct {
	City     int           `json:"-" form:"-"`
	Case     string        `json:"case" form:"-"`
	Platform string        `json:"platform" form:"platform"`
	Text     string        `json:"text" form:"text"` // why it belongs there
	ReplyBy  civil.Instant `json:"reply_by" form:"reply_by"`
	Files    []string      `json:"files" form:"files"` // attachments of the case, by id
	Key      string        `json:"-" form:"key"`
}

// HandOver passes a case that belongs to a platform on to it (转交平台); the case stays with who has it until it is ended.
func (s *Service) HandOver(ctx context.Context, by actor.Actor, in Handing) (Ticket, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Ticket, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (Ticket, error) { return s.handOver(ctx, tx, by, in) })
	})
}

func (s *Service) handOver(ctx context.Context, tx *db.Tx, by actor.Actor, in Handing) (Ticket, error) {
	c, err := s.o.Cases.GetIn(ctx, tx, by, in.City, in.Case)
	if err != nil {
		return Ticket{}, err
	}
	if err := by.May(actor.ExchangeSend, c.On()); err != nil {
		return Ticket{}, err
	}
	p, err := platformIn(ctx, tx, in.City, in.Platform)
	if fault.Is(err, fault.NotFound) || err == nil && !p.Active {
		var check fault.Check
		check.Add("platform", "exchange.no_platform")
		return Ticket{}, check.Err()
	}
	if err != nil {
		return Ticket{}, err
	}
	if old, ok, err := ticketByNo(ctx, tx, in.City, p.Code, Ours, c.No); err != nil || ok {
		if err == nil {
			err = fault.New(fault.Conflict, "exchange.handed_before", "platform", p.Name, "no", old.No)
		}
		return old, err
	}
	said, err := s.o.Cases.SaidIn(ctx, tx, c)
	if err != nil {
		return Ticket{}, err
	}
	t := Ticket{
		City: c.City, ID: tx.NewID(), Platform: p.Code, No: c.No, OpenedBy: Ours, Case: c.ID, CaseNo: c.No, Status: Dispatched, Part: First, Title: titleOf(c),
		District: c.District, Company: cmp.Or(c.Company, c.Proposed), Person: c.CallerID, OpenedAt: tx.Now, ReplyBy: in.ReplyBy, UpdatedAt: tx.Now, Version: 1,
	}
	if p.ReturnMinutes > 0 {
		t.ReturnBy = tx.Now.Add(time.Duration(p.ReturnMinutes) * time.Minute)
	}
	if err := insertTicket(ctx, tx, t); err != nil {
		return t, err
	}
	was := t
	m := Message{Event: Dispatch, Text: in.Text, Details: &Details{
		Part: First, Text: said.Said, ReceivedAt: c.ReceivedAt, Caller: said.Caller, Address: c.Address, Category: c.Category, Nature: string(c.Nature),
		Level: string(c.Urgency), Secret: c.Secret, ReplyBy: in.ReplyBy,
	}}
	if c.Secret { // an informer stays hidden
		m.Details.Caller = cases.Party{}
	}
	if m.Attachments, err = attachIn(ctx, tx, t, in.Files); err != nil {
		return t, err
	}
	if err := s.sayIn(ctx, tx, &t, m, by.ID); err != nil {
		return t, err
	}
	if err := saveTicket(ctx, tx, was, &t); err != nil {
		return t, err
	}
	body := map[string]any{"platform": p.Code, "ticket": t.No, "text": note(Message{Text: in.Text})}
	return t, audit.Record(ctx, tx, by, c.City, audit.Act{Subject: c.Subject(), Act: "exchange.hand_over", Body: body})
}

// Deciding is the input of Replay and Drop: what happens with a message that the other side refused.
type Deciding struct {
	City    int    `json:"-" form:"-"`
	Message string `json:"-" form:"-"`
	Reason  string `json:"reason" form:"reason"`
}

// Replay sends a refused or waiting message again, once what it lacked was mended on either side.
func (s *Service) Replay(ctx context.Context, by actor.Actor, in Deciding) (Entry, error) {
	return s.decide(ctx, by, in, "exchange.replay", func(*Entry, Message) (Message, bool) { return Message{}, false })
}

// Drop takes a refused message back: its number is said to be empty, so that those behind it go on.
func (s *Service) Drop(ctx context.Context, by actor.Actor, in Deciding) (Entry, error) {
	var c fault.Check
	c.That(in.Reason != "" && len([]rune(in.Reason)) <= 500, "reason", "field.required")
	if err := c.Err(); err != nil {
		return Entry{}, err
	}
	return s.decide(ctx, by, in, "exchange.drop", func(e *Entry, m Message) (Message, bool) {
		e.Event = Skip
		return Message{Ticket: m.Ticket, OpenedBy: m.OpenedBy, Seq: m.Seq, Event: Skip, At: m.At, Text: in.Reason}, true
	})
}

func (s *Service) decide(ctx context.Context, by actor.Actor, in Deciding, act string, change func(e *Entry, m Message) (Message, bool)) (Entry, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Entry, error) {
		e, err := entryIn(ctx, tx, in.City, in.Message)
		if err != nil {
			return e, err
		}
		t, err := s.seen(ctx, tx, by, in.City, e.Ticket, actor.ExchangeManage)
		if err != nil {
			return e, err
		}
		if e.Way != Out || e.State == Sent || act == "exchange.drop" && e.State != Rejected {
			return e, fault.New(fault.Conflict, "exchange.not_refused")
		}
		m, err := s.open(ctx, tx, e)
		if err != nil {
			return e, err
		}
		was := e
		if next, changed := change(&e, m); changed {
			fresh, err := s.entry(ctx, tx, &t, Out, next)
			if err != nil {
				return e, err
			}
			e.Body, e.Person, e.Hash, e.Note, e.Files = fresh.Body, fresh.Person, fresh.Hash, fresh.Note, nil
		}
		e.State, e.NextAt, e.Error = Queued, tx.Now, ""
		if err := saveEntry(ctx, tx, was, e); err != nil {
			return e, err
		}
		if err := s.wake(ctx, tx, t); err != nil {
			return e, err
		}
		return e, audit.Record(ctx, tx, by, t.City, audit.Act{Subject: t.Subject(), Act: act, Body: map[string]any{"seq": e.Seq, "event": was.Event, "reason": in.Reason}})
	})
}

// act does to a case what a platform's message means. What the case's own life does not allow any more is left to staff.
func (s *Service) act(ctx context.Context, city int, id string) error {
	var e Entry
	var t Ticket
	var p Platform
	var m Message
	var c cases.Case
	err := db.Do(ctx, s.o.DB, func(tx *db.Tx) (err error) {
		if e, err = entryIn(ctx, tx, city, id); err != nil {
			return err
		}
		if t, err = ticketIn(ctx, tx, city, e.Ticket); err != nil {
			return err
		}
		if p, err = platformIn(ctx, tx, city, t.Platform); err != nil {
			return err
		}
		if m, err = s.open(ctx, tx, e); err != nil {
			return err
		}
		c, err = s.o.Cases.GetIn(ctx, tx, system(p), city, t.Case)
		return err
	})
	if err != nil {
		return err
	}
	err = s.mean(ctx, p, m, c, cases.Act{City: city, ID: c.ID, Reason: reasonOf(m), Key: "exchange:" + e.ID})
	switch fault.KindOf(err) {
	case fault.Conflict, fault.Invalid, fault.NotFound, fault.Denied:
		return s.needsStaff(ctx, p, t.ID, "exchange.attention."+string(m.Event))
	case fault.Internal, fault.Exhausted, fault.Down:
	}
	return err
}

// reasonOf is a message's word as the reason of an act on a case.
func reasonOf(m Message) string {
	const most = 1000
	r := []rune(cmp.Or(m.Text, text.T(text.ZH, "exchange_event."+string(m.Event))))
	return string(r[:min(len(r), most)])
}

func (s *Service) mean(ctx context.Context, p Platform, m Message, c cases.Case, a cases.Act) error {
	by := system(p)
	var err error
	switch m.Event {
	case Cancel:
		_, err = s.o.Cases.Withdraw(ctx, by, a)
	case GrantReturn:
		if _, err = s.o.Cases.Reject(ctx, by, a); fault.Is(err, fault.Conflict) {
			_, err = s.o.Cases.Terminate(ctx, by, a)
		}
	case Urge:
		_, err = s.o.Cases.Remind(ctx, by, cases.Reminder{Act: a, Channel: p.Kind.Channel(), Text: m.Text})
	case Supervise:
		_, err = s.o.Dispatch.Supervise(ctx, by, dispatch.Ordering{Act: a, ReplyBy: m.Until})
	case Redo:
		err = s.redo(ctx, by, p, m, c, a)
	case CallBack:
		if c.Status != cases.Verified {
			return nil // noted on the case; whoever calls back here sees it
		}
		_, err = s.o.Cases.CallBack(ctx, by, cases.Call{Act: a, Reached: m.Reached == "yes", Solved: m.Solved, Satisfied: m.Satisfied, Channel: "phone", Note: m.Text})
	case Dispatch, Accept, Review, Handle, Reply, Close, AskReturn, RefuseReturn, Note, SuperviseReply, AskExtension, GrantExtension, RefuseExtension,
		AskExclusion, GrantExclusion, RefuseExclusion, AddDispatch, Skip:
	}
	return err
}

// redo has a case done again because the caller is not satisfied (二次办理).
func (s *Service) redo(ctx context.Context, by actor.Actor, p Platform, m Message, c cases.Case, a cases.Act) error {
	var err error
	switch c.Status {
	case cases.Closed, cases.Answered:
		_, err = s.o.Cases.Reopen(ctx, by, cases.Reopening{Act: a, Channel: p.Kind.Channel(), Text: reasonOf(m)})
	case cases.Verified, cases.ToClose:
		_, err = s.o.Cases.SendBack(ctx, by, a)
	case cases.FedBack:
		_, err = s.o.Cases.Verify(ctx, by, cases.Verification{Act: a, Mode: "evidence", Note: reasonOf(m)})
	default:
		if !c.Open {
			return fault.New(fault.Conflict, "case.no_reopen")
		}
		_, err = s.o.Cases.Remind(ctx, by, cases.Reminder{Act: a, Channel: p.Kind.Channel(), Text: m.Text}) // it is still under way
	}
	return err
}

func (s *Service) needsStaff(ctx context.Context, p Platform, id, why string) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		t, err := ticketIn(ctx, tx, p.City, id)
		if err != nil {
			return err
		}
		was := t
		t.Attention = why
		if err := saveTicket(ctx, tx, was, &t); err != nil {
			return err
		}
		if s.o.Tell == nil {
			return nil
		}
		return s.o.Tell(ctx, tx, t, p, "attention", why+"/"+tx.Now.String())
	})
}

// Settle says that staff have seen to what a ticket needed.
func (s *Service) Settle(ctx context.Context, by actor.Actor, city int, id string) (Ticket, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Ticket, error) {
		t, err := s.seen(ctx, tx, by, city, id, actor.ExchangeSend)
		if err != nil || t.Attention == "" {
			return t, err
		}
		was := t
		t.Attention = ""
		if err := saveTicket(ctx, tx, was, &t); err != nil {
			return t, err
		}
		return t, audit.Record(ctx, tx, by, city, audit.Act{Subject: t.Subject(), Act: "exchange.settled", Body: map[string]any{"what": was.Attention}})
	})
}
