package call

import (
	"context"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Taking is a case that is opened from a call. A caller's number that is the call's, masked as the screen shows it, stands
// for the number itself.
type Taking struct {
	cases.Opening
	Call string // empty: no call is at hand
	Note string
}

// Open opens the case and binds the call to it in one transaction.
func (s *Service) Open(ctx context.Context, by actor.Actor, in Taking) (cases.Opened, error) {
	if in.Call == "" {
		if err := isWhole(in.Caller.Phone); err != nil {
			return cases.Opened{}, err
		}
		return s.o.Cases.Open(ctx, by, in.Opening)
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (cases.Opened, error) {
		c, err := s.own(ctx, tx, by, in.City, in.Call)
		if err != nil {
			return cases.Opened{}, err
		}
		if in.Caller.Phone, err = s.plain(ctx, tx, c, in.Caller.Phone); err != nil {
			return cases.Opened{}, err
		}
		if err := isWhole(in.Caller.Phone); err != nil {
			return cases.Opened{}, err
		}
		o, err := s.o.Cases.OpenIn(ctx, tx, by, in.Opening)
		if err != nil {
			return o, err
		}
		how := ToCase
		switch {
		case o.Reminder:
			how = Reminded
		case o.Case.Status == cases.Answered:
			how = Told
		}
		_, err = s.bindIn(ctx, tx, by, c, Binding{City: in.City, Call: c.ID, Case: o.Case.ID, Outcome: how, Note: in.Note})
		return o, err
	})
}

// isWhole refuses a mask that stands for no number here.
func isWhole(phone string) error {
	var c fault.Check
	c.That(!strings.Contains(phone, "*"), "caller.phone", "call.bad_number")
	return c.Err()
}

// plain is the number behind the mask of a call; anything else stays what it is.
func (s *Service) plain(ctx context.Context, tx *db.Tx, c Call, phone string) (string, error) {
	if c.Masked == "" || phone != c.Masked {
		return phone, nil
	}
	return s.number(ctx, tx, c.City, c.Person, c.Sealed)
}

// Caller is the number that a caller's field of a form stands for while it is being filled in, to look up what is known; it
// is for whoever has the call, and never for the screen.
func (s *Service) Caller(ctx context.Context, by actor.Actor, city int, id, phone string) (string, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (string, error) {
		c, err := s.own(ctx, tx, by, city, id)
		if err != nil {
			return "", err
		}
		return s.plain(ctx, tx, c, phone)
	})
}

// Binding says what became of a call.
type Binding struct {
	City    int     `json:"-" form:"-"`
	Call    string  `json:"-" form:"-"`
	Case    string  `json:"case" form:"case"`
	Outcome Outcome `json:"outcome" form:"outcome"`
	Note    string  `json:"note" form:"note"`
}

func (b Binding) check() error {
	var c fault.Check
	all := []Outcome{ToCase, Told, Reminded, Reopened, Noted}
	c.That(slices.Contains(all, b.Outcome), "outcome", "field.not_one_of", "allowed", all)
	c.That((b.Outcome == Noted) == (b.Case == ""), "case", "field.required")
	c.That(b.Outcome != Noted || b.Note != "", "note", "call.say_why")
	c.That(len([]rune(b.Note)) <= maxNote, "note", "field.too_long", "max", maxNote)
	return c.Err()
}

// Bind binds a call to a case that is there already, or keeps that a note is all that became of it.
func (s *Service) Bind(ctx context.Context, by actor.Actor, in Binding) (Call, error) {
	if err := in.check(); err != nil {
		return Call{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Call, error) {
		c, err := s.own(ctx, tx, by, in.City, in.Call)
		if err != nil {
			return c, err
		}
		return s.bindIn(ctx, tx, by, c, in)
	})
}

func (s *Service) bindIn(ctx context.Context, tx *db.Tx, by actor.Actor, c Call, in Binding) (Call, error) {
	if in.Case != "" {
		if _, err := s.o.Cases.GetIn(ctx, tx, by, in.City, in.Case); err != nil {
			return c, err
		}
	}
	if c.Case == in.Case && c.Outcome == in.Outcome && (in.Note == "" || c.Note == in.Note) {
		return c, nil
	}
	fresh := in.Case != "" && c.Case != in.Case
	c.Case, c.Outcome, c.Updated = in.Case, in.Outcome, tx.Now
	if in.Note != "" {
		c.Note = secret.MaskText(in.Note)
	}
	c, err := update(ctx, tx, c)
	if err != nil {
		return c, err
	}
	act := audit.Act{Subject: c.Subject(), Act: "call.bind", Body: map[string]any{"case": c.Case, "outcome": string(c.Outcome)}}
	if err := audit.Record(ctx, tx, by, c.City, act); err != nil || !fresh {
		return c, err
	}
	return c, s.tellAll(ctx, tx, by, c)
}

// tellAll writes the call, and what happened to it before it was bound, on the timeline of its case.
func (s *Service) tellAll(ctx context.Context, tx *db.Tx, by actor.Actor, c Call) error {
	act := audit.Act{Subject: "case:" + c.Case, Act: "case.call", Body: map[string]any{"call": c.ID}}
	if err := audit.Record(ctx, tx, by, c.City, act); err != nil {
		return err
	}
	all, err := reportsOf(ctx, tx, c.City, c.ID)
	if err != nil {
		return err
	}
	for _, k := range all {
		var cmd asked
		if k.Command != "" {
			if cmd, _, err = findCommand(ctx, tx, c.City, k.Command); err != nil {
				return err
			}
		}
		if err := s.tell(ctx, tx, c, k, cmd); err != nil {
			return err
		}
	}
	return nil
}

// own is a call that the actor has at their seat, or may see to as a leader.
func (s *Service) own(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string) (Call, error) {
	if err := by.May(actor.CallTake, actor.On{City: city}); err != nil {
		return Call{}, err
	}
	c, err := find(ctx, tx, city, id)
	if err != nil || c.Seat == by.ID || by.May(actor.CallManage, actor.On{City: city}) == nil {
		return c, err
	}
	return Call{}, fault.New(fault.NotFound, "not_found")
}
