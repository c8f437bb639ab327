package cases

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/secret"
)

// LinkKind is why two cases are linked. Its name on the screen is "link.<name>".
type LinkKind string

// The kinds of links.
const (
	Related   LinkKind = "related" // 关联件: other household, same trouble
	Repeat    LinkKind = "repeat"  // 重复件: same caller
	ByOutage  LinkKind = "outage"  // 停热: the same stop of heat
	mostLinks          = 200
)

// Link joins two cases without merging them. It can be undone.
type Link struct {
	City    int           `db:"city_id" json:"-"`
	ID      string        `db:"id" json:"id"`
	Case    string        `db:"case_id" json:"case"`
	Other   string        `db:"other_id" json:"other"`
	Kind    LinkKind      `db:"kind" json:"kind"`
	Reason  string        `db:"reason" json:"reason,omitempty"`
	Created civil.Instant `db:"created_at" json:"created_at"`
	By      string        `db:"created_by" json:"-"`
	Undone  civil.Instant `db:"undone_at" json:"undone_at,omitzero"`
	UndoneB string        `db:"undone_by" json:"-"`
}

// Linking is the input of LinkCases.
type Linking struct {
	Act
	Others []string `json:"others" form:"others"` // ids of the other cases
	Kind   LinkKind `json:"kind" form:"kind"`
}

// LinkCases links other cases to one. Every household keeps its own case, its own answer and its own refund.
func (s *Service) LinkCases(ctx context.Context, by actor.Actor, in Linking) (Case, error) {
	var check fault.Check
	if in.Kind == "" {
		in.Kind = Related
	}
	oneOf(&check, "kind", in.Kind, []LinkKind{Related, Repeat, ByOutage})
	check.That(len(in.Others) > 0, "others", "field.required")
	check.That(len(in.Others) <= mostLinks, "others", "field.out_of_range", "min", 1, "max", mostLinks)
	if err := check.Err(); err != nil {
		return Case{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Case, error) {
		return OnceIn(ctx, tx, by, in.Act, in, func() (Case, error) {
			return s.EditIn(ctx, tx, by, in.City, in.ID, audit.Act{Act: "case.link", Body: map[string]any{"others": strings.Join(in.Others, ","), "kind": in.Kind}}, func(c *Case) error {
				if err := may(by, actor.CaseLink, *c); err != nil {
					return err
				}
				c.Linked = true
				for _, other := range in.Others {
					if err := s.linkIn(ctx, tx, by, *c, other, in.Kind, in.Reason); err != nil {
						return err
					}
				}
				return nil
			})
		})
	})
}

// linkIn adds one link and marks the other case.
func (s *Service) linkIn(ctx context.Context, tx *db.Tx, by actor.Actor, c Case, other string, kind LinkKind, reason string) error {
	if other == c.ID {
		return fault.New(fault.Invalid, "case.link_itself")
	}
	old, err := LinksOf(ctx, tx, c.City, c.ID)
	if err != nil {
		return err
	}
	for _, l := range old {
		if l.Case == other || l.Other == other {
			return nil
		}
	}
	act := audit.Act{Act: "case.linked", Body: map[string]any{"other": c.ID, "kind": kind}}
	_, err = s.EditIn(ctx, tx, by, c.City, other, act, func(o *Case) error {
		o.Linked = true
		return may(by, actor.CaseLink, *o)
	})
	if err != nil {
		return fmt.Errorf("link %s: %w", other, err)
	}
	return db.Insert(ctx, tx, "case_link", &Link{City: c.City, ID: tx.NewID(), Case: c.ID, Other: other, Kind: kind, Reason: reason, Created: tx.Now, By: by.ID})
}

// Unlink undoes a link; both cases go on by themselves, as they always did.
func (s *Service) Unlink(ctx context.Context, by actor.Actor, in Act, link string) (Case, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Case, error) {
		l, err := findLink(ctx, tx, in.City, link)
		if err != nil {
			return Case{}, err
		}
		if l.Case != in.ID && l.Other != in.ID {
			return Case{}, fault.New(fault.NotFound, "not_found")
		}
		if err := undoLink(ctx, tx, by, l); err != nil {
			return Case{}, err
		}
		var c Case
		for _, id := range []string{l.Case, l.Other} {
			one, err := s.EditIn(ctx, tx, by, in.City, id, audit.Act{Act: "case.unlink", Body: reasonBody(in.Reason)}, func(c *Case) error {
				if err := may(by, actor.CaseLink, *c); err != nil {
					return err
				}
				left, err := LinksOf(ctx, tx, c.City, c.ID)
				c.Linked = len(left) > 0
				return err
			})
			if err != nil {
				return Case{}, err
			}
			if id == in.ID {
				c = one
			}
		}
		return c, nil
	})
}

// Reminder is the input of Remind: the same caller asks about a case that is still open (催办来电).
type Reminder struct {
	Act
	Channel Channel `json:"channel" form:"channel"`
	Text    string  `json:"text" form:"text"`
}

// Remind counts a reminder and tells the unit; it makes no second case.
func (s *Service) Remind(ctx context.Context, by actor.Actor, in Reminder) (Case, error) {
	var check fault.Check
	check.That(utf8.RuneCountInString(in.Text) <= 1000, "text", "field.too_long", "max", 1000)
	oneOf(&check, "channel", in.Channel, Channels())
	if err := check.Err(); err != nil {
		return Case{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Case, error) {
		return OnceIn(ctx, tx, by, in.Act, in, func() (Case, error) { return s.remindIn(ctx, tx, by, in) })
	})
}

func (s *Service) remindIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Reminder) (Case, error) {
	act := audit.Act{Act: "case.remind", Public: true, Body: map[string]any{"channel": in.Channel, "text": secret.MaskText(in.Text)}}
	c, err := s.EditIn(ctx, tx, by, in.City, in.ID, act, func(c *Case) error {
		if err := may(by, actor.CaseUrge, *c); err != nil {
			return err
		}
		if !c.Open {
			return fault.New(fault.Conflict, "case.closed_reopen")
		}
		c.Urges++
		return nil
	})
	if err != nil || s.Told == nil || !c.Status.WithUnit() {
		return c, err
	}
	return c, s.Told(ctx, tx, c, "remind")
}

// reminded takes a report by the resident's own page about the home whose case is still open as a reminder.
func (s *Service) reminded(ctx context.Context, tx *db.Tx, by actor.Actor, r *citypack.Rules, in Opening, c Case) (Case, bool, error) {
	if in.Door != citypack.DoorWeb || in.Caller.Phone == "" || c.AboutOrg != "" {
		return Case{}, false, nil
	}
	days := max(r.Pack.Options(tx.Now).DuplicateDays, 1)
	old, err := openOfCaller(ctx, tx, c.City, c.CallerID, tx.Now.Add(-time.Duration(days)*24*time.Hour))
	if err != nil {
		return Case{}, false, err
	}
	for _, o := range old {
		same := o.Kind == c.Kind && (in.Account != "" && o.Account == in.Account || searchable(o.Address) == searchable(in.Address) && (in.Room == "" || o.Room == in.Room))
		if !same {
			continue
		}
		again, err := s.remindIn(ctx, tx, o.Resident(by.Door), Reminder{Act: Act{City: c.City, ID: o.ID}, Channel: channel(in), Text: in.Text})
		return again, err == nil, err
	}
	return Case{}, false, nil
}

// Resident is the caller of a case, acting for themselves through a door; only for what the caller has proved to be theirs.
func (c Case) Resident(door actor.Door) actor.Actor {
	return actor.Actor{ID: "resident:" + c.CallerID, Kind: actor.Resident, Door: door, Grants: []actor.Grant{{Role: actor.RoleSystem, City: c.City}}}
}

// Reopening is the input of Reopen: "still cold".
type Reopening struct {
	Act
	Channel Channel `json:"channel" form:"channel"`
	Text    string  `json:"text" form:"text"`
}

// Reopen takes a closed case up again (重办): once for each closing, within the pack's days, and tells the company that had
// it. A question that was answered goes back to the centre.
func (s *Service) Reopen(ctx context.Context, by actor.Actor, in Reopening) (Case, error) {
	var check fault.Check
	check.That(utf8.RuneCountInString(in.Text) <= 1000, "text", "field.too_long", "max", 1000)
	oneOf(&check, "channel", in.Channel, Channels())
	if err := check.Err(); err != nil {
		return Case{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Case, error) {
		return OnceIn(ctx, tx, by, in.Act, in, func() (Case, error) { return s.reopenIn(ctx, tx, by, in) })
	})
}

// ReopenIn reopens a case in the transaction of another act: a sample call that hears "still cold".
func (s *Service) ReopenIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Reopening) (Case, error) {
	return s.reopenIn(ctx, tx, by, in)
}

func (s *Service) reopenIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Reopening) (Case, error) {
	r, err := s.o.Rules(ctx, tx, in.City)
	if err != nil {
		return Case{}, err
	}
	was, err := find(ctx, tx, in.City, in.ID)
	if err != nil {
		return Case{}, err
	}
	if !was.MayReopen(r.Pack.Options(tx.Now), tx.Now) {
		return Case{}, fault.New(fault.Conflict, "case.no_reopen")
	}
	return s.MoveIn(ctx, tx, by, in.City, in.ID, Change{
		Event: Reopen, Version: in.Version, Public: true,
		Body: map[string]any{"channel": in.Channel, "text": secret.MaskText(in.Text)},
		Apply: func(c *Case) error {
			c.Reopens++
			c.ClosedAt, c.Solved, c.Satisfied = 0, "", ""
			plan := Plan{Happened: []clock.Happened{{Event: citypack.EventFirstSaid, At: tx.Now}}}
			if was.Status == Closed && s.Reopened != nil {
				if err := s.Reopened(ctx, tx, by, r, c, &plan); err != nil {
					return err
				}
			}
			return s.Run(ctx, tx, r, c, plan)
		},
	})
}
