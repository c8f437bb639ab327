package notice

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/secret"
)

var machine = actor.SystemFor("notice", actor.Job)

// send is the job: prepare in one transaction, hand over outside any, write the result down in another. A crash between
// them sends again under the same key, which the gateway recognises.
func (s *Service) send(ctx context.Context, j jobs.Job, a sending) error {
	n, out, err := s.prepare(ctx, j.City, a.Notice)
	if err != nil || out == nil {
		return err
	}
	id, sendErr := s.o.Gateways[n.Channel].Send(ctx, *out)
	final := j.Attempt >= j.MaxAttempt
	err = db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		n, err := find(ctx, tx, j.City, a.Notice)
		if err != nil || n.State != Queued {
			return err
		}
		switch {
		case sendErr == nil:
			n.SentKey, n.GatewayID = n.key(), id
			return s.settle(ctx, tx, n, Take, "")
		case fault.Is(sendErr, fault.Invalid):
			return s.refused(ctx, tx, n, reasonOf(sendErr))
		case final:
			return s.settle(ctx, tx, n, GiveUp, "notice.reason.unreachable")
		}
		return nil
	})
	if err != nil || fault.Is(sendErr, fault.Invalid) {
		return err
	}
	return sendErr
}

// prepare opens the recipient and counts the attempt; out is nil when there is nothing to send now.
func (s *Service) prepare(ctx context.Context, city int, id string) (Notice, *Outgoing, error) {
	var out *Outgoing
	n, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (Notice, error) {
		out = nil
		n, err := find(ctx, tx, city, id)
		if err != nil || n.State != Queued {
			return n, err
		}
		wake, err := s.wake(ctx, tx, n)
		if err != nil {
			return n, err
		}
		if !wake.IsZero() {
			return n, jobs.Add(ctx, tx, city, sending{n.ID}, jobs.When{At: wake})
		}
		if !n.Until.IsZero() && !tx.Now.Before(n.Until) {
			return n, s.settle(ctx, tx, n, GiveUp, "notice.reason.too_late")
		}
		if refused, err := s.unwanted(ctx, tx, n); err != nil || refused {
			return n, cmp.Or(err, s.settle(ctx, tx, n, Drop, "notice.reason.unwanted"))
		}
		if s.o.Gateways[n.Channel] == nil && n.OtherWay != "" {
			return n, s.settle(ctx, tx, n, Switch, "")
		}
		if s.o.Gateways[n.Channel] == nil {
			if n.Private != "" {
				return n, s.settle(ctx, tx, n, GiveUp, "notice.reason.no_gateway")
			}
			return n, s.settle(ctx, tx, n, Hold, "notice.reason.no_gateway")
		}
		p, err := secret.OpenSubject(ctx, tx, s.o.Ring, city, n.Person)
		if err != nil {
			return n, err
		}
		if p.Erased {
			return n, s.settle(ctx, tx, n, GiveUp, "notice.reason.erased")
		}
		own, _, err := approvedTemplate(ctx, tx, city, n.Template, n.Lang)
		if err != nil {
			return n, err
		}
		if out, err = n.outgoing(p, own); err != nil {
			return n, err
		}
		if n.Channel == SMS && !secret.IsMobile(secret.NormalPhone(out.To)) { // the other way leads to a landline
			out = nil
			if n.Private != "" {
				return n, s.settle(ctx, tx, n, GiveUp, "notice.reason.not_mobile")
			}
			return n, s.settle(ctx, tx, n, Hold, "notice.reason.not_mobile")
		}
		return n, countAttempt(ctx, tx, n)
	})
	return n, out, err
}

// wake is when a message may go out; absent when it may now.
func (s *Service) wake(ctx context.Context, tx *db.Tx, n Notice) (civil.Instant, error) {
	if n.QuietExempt || s.o.Night == nil || n.Channel == Console {
		return 0, nil
	}
	night, err := s.o.Night(ctx, tx, n.City)
	if err != nil {
		return 0, err
	}
	if wake, ok := night.Wake(tx.Now); ok {
		return wake, nil
	}
	return 0, nil
}

// refused sends a message the other way when the first can never take it, and gives up when there is none.
func (s *Service) refused(ctx context.Context, tx *db.Tx, n Notice, reason string) error {
	if n.OtherWay != "" {
		return s.settle(ctx, tx, n, Switch, "")
	}
	return s.settle(ctx, tx, n, GiveUp, reason)
}

// reasonOf is why a gateway refused, where it says so in our words.
func reasonOf(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok && strings.HasPrefix(f.Key, "notice.reason.") {
		return f.Key
	}
	return "notice.reason.refused"
}

// settle moves a message and records it with its subject.
func (s *Service) settle(ctx context.Context, tx *db.Tx, n Notice, e Event, reason string) error {
	if e == Take && n.Channel == SMS {
		n.Parts, n.Price = n.Parts+Parts(s.o.Sign, n.Text), s.o.Price[SMS] // sent again, it is charged again
	}
	if e == Switch {
		n.Tried, n.Channel, n.Recipient, n.OtherWay, n.OtherTo, n.GatewayID = n.Channel, n.OtherWay, n.OtherTo, "", "", ""
		if err := jobs.Add(ctx, tx, n.City, sending{n.ID}, jobs.When{}); err != nil {
			return err
		}
	}
	n, err := move(ctx, tx, n, n.Version, e, reason)
	if err != nil || n.Subject == "" {
		return err
	}
	return audit.Record(ctx, tx, machine, n.City, audit.Act{Subject: n.Subject, Act: "notice." + string(n.State), Body: n.facts()})
}

// Receipt is what a gateway reports about a message that it took.
type Receipt struct {
	Key       string `json:"key"`
	Delivered bool   `json:"delivered"`
}

// Receive notes that a message arrived, or did not. A receipt that is told twice, or late about an earlier sending, changes
// nothing; one that overtakes the gateway's own answer is a Conflict, so that the gateway tells it again.
func (s *Service) Receive(ctx context.Context, city int, r Receipt) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error { return s.ReceiveIn(ctx, tx, city, r) })
}

// ReceiveIn is Receive in the transaction of the caller, who knows that the receipt is genuine.
func (s *Service) ReceiveIn(ctx context.Context, tx *db.Tx, city int, r Receipt) error {
	id, ok := idOf(city, r.Key)
	if !ok {
		return fault.New(fault.NotFound, "not_found")
	}
	n, err := find(ctx, tx, city, id)
	switch {
	case err != nil || n.stale(r.Key):
		return err
	case n.State == Queued:
		return fault.New(fault.Conflict, "notice.not_sent_yet")
	case n.State != Sent || n.GatewayID == "":
		return nil
	}
	if r.Delivered {
		return s.settle(ctx, tx, n, Arrive, "")
	}
	if n.OtherWay != "" {
		return s.settle(ctx, tx, n, Switch, "")
	}
	return s.settle(ctx, tx, n, Bounce, "notice.reason.bounced")
}

// Written is whom a message was written to, for the capability through whose gateway it went.
type Written struct {
	Channel Channel
	Person  string
	To      string // in the clear; empty once the person was erased
	Subject string
	Case    string // number of the case that it is about, as it says it
}

// WrittenIn says whom a message was written to.
func (s *Service) WrittenIn(ctx context.Context, tx *db.Tx, city int, id string) (Written, error) {
	n, err := find(ctx, tx, city, id)
	if err != nil {
		return Written{}, err
	}
	out := Written{Channel: n.Channel, Person: n.Person, Subject: n.Subject, Case: n.Params["no"]}
	p, err := secret.OpenSubject(ctx, tx, s.o.Ring, city, n.Person)
	if err != nil || p.Erased {
		return out, err
	}
	out.To, err = p.Open("notice", n.Recipient)
	return out, err
}
