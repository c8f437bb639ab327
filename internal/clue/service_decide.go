package clue

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/channel"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/once"
)

// Deciding names a clue as it was seen, says what it is and why. Others are clues of the same group that are decided
// alike, Alike all of the group that are undecided, some at a time; each keeps its own entry, its own case link and its own
// answer.
type Deciding struct {
	City    int      `json:"-" form:"-"`
	ID      string   `json:"-" form:"-"`
	Version int64    `json:"version" form:"version"`
	As      Decision `json:"as" form:"as"`
	Reason  string   `json:"reason" form:"reason"`
	CaseNo  string   `json:"case_no,omitempty" form:"case_no"` // for link: number of the case
	Others  []string `json:"others,omitempty" form:"others"`
	Alike   bool     `json:"alike,omitempty" form:"alike"`
	Key     string   `json:"-" form:"key"`
}

const maxReason = 300

func (in *Deciding) check() error {
	in.Reason, in.CaseNo = strings.TrimSpace(in.Reason), strings.TrimSpace(in.CaseNo)
	var c fault.Check
	c.That(in.As == LinkTo || in.As == Dismiss || in.As == Refute || in.As == Discard || in.As == Reconsider, "as", "clue.no_such_decision")
	c.That(in.Reason != "", "reason", "field.required")
	c.That(utf8.RuneCountInString(in.Reason) <= maxReason, "reason", "field.too_long", "max", maxReason)
	c.That(in.As != LinkTo || in.CaseNo != "", "case_no", "field.required")
	c.That(len(in.Others) <= mostOthers, "others", "field.out_of_range", "min", 0, "max", mostOthers)
	return c.Err()
}

const mostOthers = 200

// Decide links a clue to a case that is there, or sets it aside, or takes it up again.
func (s *Service) Decide(ctx context.Context, by actor.Actor, in Deciding) (Clue, error) {
	if err := may(by, actor.ClueDecide, in.City); err != nil {
		return Clue{}, err
	}
	if err := in.check(); err != nil {
		return Clue{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Clue, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (Clue, error) {
			file, err := s.caseOf(ctx, tx, by, in)
			if err != nil {
				return Clue{}, err
			}
			return s.decide(ctx, tx, by, in, file)
		})
	})
}

func (s *Service) caseOf(ctx context.Context, tx *db.Tx, by actor.Actor, in Deciding) (cases.Case, error) {
	if in.As != LinkTo {
		return cases.Case{}, nil
	}
	id, ok, err := caseByNo(ctx, tx, in.City, in.CaseNo)
	if err != nil {
		return cases.Case{}, err
	}
	var c fault.Check
	if !c.That(ok, "case_no", "clue.no_such_case", "no", in.CaseNo) {
		return cases.Case{}, c.Err()
	}
	return s.o.Cases.GetIn(ctx, tx, by, in.City, id)
}

// decide moves a clue and those of its group that are decided alike.
func (s *Service) decide(ctx context.Context, tx *db.Tx, by actor.Actor, in Deciding, file cases.Case) (Clue, error) {
	c, err := find(ctx, tx, in.City, in.ID)
	if err != nil {
		return c, err
	}
	out, err := s.settle(ctx, tx, by, c, in.Version, in.As, in.Reason, file)
	if err != nil {
		return c, err
	}
	rest, err := together(ctx, tx, c, in.Others, in.Alike, func(o Clue) bool { return o.State == Undecided })
	if err != nil {
		return c, err
	}
	for _, o := range rest {
		if o.State != Undecided {
			continue // decided meanwhile: it stays as it is
		}
		as := in.As
		if as == Confirm {
			as = LinkTo // the first makes the case, the others belong to it
		}
		if _, err := s.settle(ctx, tx, by, o, o.Version, as, in.Reason, file); err != nil {
			return c, err
		}
	}
	return out, nil
}

func (s *Service) settle(ctx context.Context, tx *db.Tx, by actor.Actor, c Clue, version int64, as Decision, reason string, file cases.Case) (Clue, error) {
	step, err := Lifecycle.Next(c.State, as)
	if err != nil {
		return c, err
	}
	c.State, c.Reason, c.DecidedBy, c.DecidedAt, c.Case, c.CaseNo = step.To, reason, by.Name, tx.Now, file.ID, file.No
	if step.To == Undecided {
		c.DecidedBy, c.DecidedAt, c.OfferedAt = "", 0, 0
	}
	if err := store(ctx, tx, c, version); err != nil {
		return c, err
	}
	c.Version = version + 1
	if err := s.o.Channels.LinkIn(ctx, tx, c.City, c.Message, "", file.ID); err != nil {
		return c, err
	}
	body := map[string]any{"as": as, "state": c.State, "reason": reason}
	if file.ID != "" {
		body["case"] = file.ID
		told := audit.Act{Subject: file.Subject(), Act: "case.clue", Body: map[string]any{"clue": c.ID, "channel": c.Channel}}
		if err := audit.Record(ctx, tx, by, c.City, told); err != nil {
			return c, err
		}
	}
	return c, audit.Record(ctx, tx, by, c.City, audit.Act{Subject: c.Subject(), Act: "clue." + string(as), Body: body})
}

// Confirming makes a case of a clue. The opening holds what the person at the queue knows beyond the post; what stays
// empty is taken from the clue.
type Confirming struct {
	City    int           `json:"-" form:"-"`
	ID      string        `json:"-" form:"id"`
	Version int64         `json:"version" form:"version"`
	Opening cases.Opening `json:"opening" form:"opening"`
	Reason  string        `json:"reason" form:"reason"` // needed where the category is another than the clue's
	Others  []string      `json:"others,omitempty" form:"others"`
	Alike   bool          `json:"alike,omitempty" form:"alike"`
	Key     string        `json:"-" form:"key"`
}

// Confirmation is what became of it.
type Confirmation struct {
	Clue Clue       `json:"clue"`
	Case cases.Case `json:"case"`
	Held bool       `json:"held"` // the entry standard lacks something: the case waits in 待受理 until it is asked for
}

// Confirm makes a case of a clue, by the same door as the seat's. Its channel is the clue's, the time is that of the
// post, and the author is the reporter: the case answers through the message's own channel. A post seldom says all that
// the entry standard wants; then the case is kept and held, and what is missing is asked for.
func (s *Service) Confirm(ctx context.Context, by actor.Actor, in Confirming) (Confirmation, error) {
	if err := may(by, actor.ClueDecide, in.City); err != nil {
		return Confirmation{}, err
	}
	var check fault.Check
	in.Reason = strings.TrimSpace(in.Reason)
	check.That(utf8.RuneCountInString(in.Reason) <= maxReason, "reason", "field.too_long", "max", maxReason)
	check.That(len(in.Others) <= mostOthers, "others", "field.out_of_range", "min", 0, "max", mostOthers)
	if err := check.Err(); err != nil {
		return Confirmation{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Confirmation, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (Confirmation, error) {
			return s.confirm(ctx, tx, by, in)
		})
	})
}

func (s *Service) confirm(ctx context.Context, tx *db.Tx, by actor.Actor, in Confirming) (Confirmation, error) {
	c, err := find(ctx, tx, in.City, in.ID)
	if err != nil {
		return Confirmation{}, err
	}
	if c.Version != in.Version {
		return Confirmation{}, fault.New(fault.Conflict, "conflict.version")
	}
	if _, err := Lifecycle.Next(c.State, Confirm); err != nil {
		return Confirmation{}, err
	}
	if c, err = s.chosen(ctx, tx, by, c, in); err != nil {
		return Confirmation{}, err
	}
	h, err := s.o.Channels.HeardIn(ctx, tx, in.City, c.Message)
	if err != nil {
		return Confirmation{}, err
	}
	open := Opening(c, h, in.Opening)
	opened, held, err := s.open(ctx, tx, by, open)
	if err != nil {
		return Confirmation{}, err
	}
	d := Deciding{City: in.City, ID: in.ID, Version: c.Version, As: Confirm, Reason: in.Reason, Others: in.Others, Alike: in.Alike}
	done, err := s.decide(ctx, tx, by, d, opened.Case)
	return Confirmation{Clue: done, Case: opened.Case, Held: held}, err
}

// chosen keeps it as a correction, with its reason, when somebody confirms a clue with another category than it was read with.
func (s *Service) chosen(ctx context.Context, tx *db.Tx, by actor.Actor, c Clue, in Confirming) (Clue, error) {
	if in.Opening.Category == "" || in.Opening.Category == c.Category {
		return c, nil
	}
	var check fault.Check
	if !check.That(in.Reason != "", "reason", "clue.why_another_category") {
		return c, check.Err()
	}
	was := c
	c.Guess, c.Category = Heating, in.Opening.Category
	return s.correctAs(ctx, tx, by, c, in.Version, in.Reason, differ(was, c))
}

// open opens the case; where only the entry standard stands in the way it is held instead.
func (s *Service) open(ctx context.Context, tx *db.Tx, by actor.Actor, in cases.Opening) (cases.Opened, bool, error) {
	o, err := s.o.Cases.OpenIn(ctx, tx, by, in)
	if !onlyMissing(err) {
		return o, false, err
	}
	in.Hold = true
	o, err = s.o.Cases.OpenIn(ctx, tx, by, in)
	return o, true, err
}

// onlyMissing reports whether an error says nothing but that fields are empty.
func onlyMissing(err error) bool {
	if !fault.Is(err, fault.Invalid) {
		return false
	}
	f := fault.Of(err)
	for _, one := range f.Fields {
		if one.Key != "field.required" {
			return false
		}
	}
	return len(f.Fields) > 0
}

// Opening is the intake form as a clue fills it in; what somebody typed goes before.
func Opening(c Clue, h channel.Heard, typed cases.Opening) cases.Opening {
	in := typed
	in.City, in.Door, in.Channel, in.ReceivedAt = c.City, citypack.DoorAPI, c.Channel, c.At
	in.TicketNo = ticket(c, h)
	fill(&in.Text, h.Said)
	fill(&in.Category, c.Category)
	fill(&in.Community, c.Community)
	fill(&in.Building, c.Building)
	fill(&in.Unit, c.Unit)
	fill(&in.Room, c.Room)
	fill(&in.Details.Care, c.Care)
	fill(&in.Details.Media, h.Link)
	if in.Urgency == "" {
		in.Urgency = c.Urgency
	}
	if in.Details.Temperature == nil {
		in.Details.Temperature = c.Temperature
	}
	if in.Lng == nil {
		in.Lng, in.Lat = h.Lng, h.Lat
	}
	if in.Caller.Name == "" {
		in.Caller.Name = h.SenderName
	}
	return in
}

// ticket is the number under which a post becomes a case once, whoever confirms it.
func ticket(c Clue, h channel.Heard) string {
	const most = 100
	id := c.Account + ":" + h.External
	if len(id) > most {
		return c.Message
	}
	return id
}

func fill(field *string, from string) {
	if *field == "" {
		*field = from
	}
}
