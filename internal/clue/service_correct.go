package clue

import (
	"cmp"
	"context"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/once"
)

// Correcting says how a post is to be read where the program read it wrongly. Empty fields stay as they are.
type Correcting struct {
	City        int              `json:"-" form:"-"`
	ID          string           `json:"-" form:"-"`
	Version     int64            `json:"version" form:"version"`
	Guess       Guess            `json:"guess" form:"guess"`
	Category    string           `json:"category" form:"category"`
	Urgency     citypack.Urgency `json:"urgency" form:"urgency"`
	Temperature *celsius.Tenths  `json:"temperature,omitempty" form:"temperature"`
	Place       string           `json:"place" form:"place"` // community and building in words, as attribution reads them
	Reason      string           `json:"reason" form:"reason"`
	Key         string           `json:"-" form:"key"`
}

// Correction is one correction as it is kept: nothing takes its place, a later one stands behind it.
type Correction struct {
	City    int           `db:"city_id" json:"-"`
	ID      string        `db:"id" json:"id"`
	Clue    string        `db:"clue_id" json:"-"`
	At      civil.Instant `db:"at" json:"at"`
	By      string        `db:"by_id" json:"-"`
	ByName  string        `db:"by_name" json:"by"`
	Reason  string        `db:"reason" json:"reason"`
	Changes []Change      `db:"changes,json" json:"changes"`
}

// Change is one field as it was read and as it is now.
type Change struct {
	Field string `json:"field"` // guess, category, urgency, temperature, place
	From  string `json:"from"`
	To    string `json:"to"`
}

func (in *Correcting) check(p *citypack.Pack) error {
	in.Reason, in.Place = strings.TrimSpace(in.Reason), strings.TrimSpace(in.Place)
	var c fault.Check
	c.That(in.Guess == "" || known(Guesses(), in.Guess), "guess", "clue.no_such_state")
	if in.Category != "" {
		_, ok := p.Category(in.Category)
		c.That(ok, "category", "clue.no_such_category", "code", in.Category)
	}
	c.That(in.Urgency == "" || known([]citypack.Urgency{citypack.Normal, citypack.Urgent, citypack.Critical}, in.Urgency), "urgency", "clue.no_such_state")
	c.That(in.Temperature == nil || *in.Temperature >= coldest && *in.Temperature <= warmestYet, "temperature", "field.out_of_range", "min", coldest.String(), "max", warmestYet.String())
	c.That(utf8.RuneCountInString(in.Place) <= maxReason, "place", "field.too_long", "max", maxReason)
	c.That(in.Reason != "", "reason", "field.required")
	c.That(utf8.RuneCountInString(in.Reason) <= maxReason, "reason", "field.too_long", "max", maxReason)
	return c.Err()
}

// Correct reads an undecided clue otherwise than the program did, and keeps what it was, who says so and why. The clue goes to
// its new place in the queue.
func (s *Service) Correct(ctx context.Context, by actor.Actor, in Correcting) (Clue, error) {
	if err := may(by, actor.ClueDecide, in.City); err != nil {
		return Clue{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Clue, error) {
		return once.Do(ctx, tx, once.Request{City: in.City, By: by, Key: in.Key, Body: in}, func() (Clue, error) { return s.correct(ctx, tx, by, in) })
	})
}

func (s *Service) correct(ctx context.Context, tx *db.Tx, by actor.Actor, in Correcting) (Clue, error) {
	r, err := s.o.Rules(ctx, tx, in.City)
	if err != nil {
		return Clue{}, err
	}
	if err := in.check(r.Pack); err != nil {
		return Clue{}, err
	}
	was, err := find(ctx, tx, in.City, in.ID)
	if err != nil {
		return was, err
	}
	if was.State != Undecided {
		return was, fault.New(fault.Conflict, "clue.decided")
	}
	c, err := s.read(ctx, tx, was, in)
	if err != nil {
		return was, err
	}
	changes := differ(was, c)
	if len(changes) == 0 {
		var check fault.Check
		check.Add("category", "clue.nothing_corrected")
		return was, check.Err()
	}
	return s.correctAs(ctx, tx, by, c, in.Version, in.Reason, changes)
}

// read is the clue as a correction says.
func (s *Service) read(ctx context.Context, tx *db.Tx, c Clue, in Correcting) (Clue, error) {
	c.Guess, c.Urgency = cmp.Or(in.Guess, c.Guess), cmp.Or(in.Urgency, c.Urgency)
	c.Category = cmp.Or(in.Category, c.Category)
	if c.Guess != Heating {
		c.Category = ""
	}
	if in.Temperature != nil {
		c.Temperature = in.Temperature
	}
	if in.Place != "" && in.Place != c.whereabouts() {
		where, err := s.o.Attribute(ctx, tx, in.City, query(in.Place, nil, nil))
		if err != nil {
			return c, err
		}
		var check fault.Check
		if !check.That(where.Community != nil, "place", "clue.no_such_place") {
			return c, check.Err()
		}
		c.Building, c.Unit, c.Room = "", "", ""
		c.stand(where)
	}
	c.Rank = Reading{Guess: c.Guess, Urgency: c.Urgency}.rank()
	return c, nil
}

// whereabouts is the place of a clue in words that attribution reads again.
func (c Clue) whereabouts() string {
	out := c.Place
	if c.Building != "" {
		out += c.Building + "号楼"
	}
	if c.Unit != "" {
		out += c.Unit + "单元"
	}
	return out + c.Room
}

// Whereabouts is the place of a clue in words, as Correcting takes it.
func (c Clue) Whereabouts() string { return c.whereabouts() }

func differ(was, now Clue) []Change {
	degrees := func(c Clue) string {
		if c.Temperature == nil {
			return ""
		}
		return c.Temperature.String()
	}
	var out []Change
	for _, one := range []Change{
		{"guess", string(was.Guess), string(now.Guess)},
		{"category", was.Category, now.Category},
		{"urgency", string(was.Urgency), string(now.Urgency)},
		{"temperature", degrees(was), degrees(now)},
		{"place", was.whereabouts(), now.whereabouts()},
	} {
		if one.From != one.To {
			out = append(out, one)
		}
	}
	return out
}

// correctAs writes a correction down and lets the clue stand as corrected.
func (s *Service) correctAs(ctx context.Context, tx *db.Tx, by actor.Actor, c Clue, version int64, reason string, changes []Change) (Clue, error) {
	c.ChangedAt = tx.Now
	if err := storeReading(ctx, tx, c, version); err != nil {
		return c, err
	}
	c.Version = version + 1
	one := Correction{City: c.City, ID: tx.NewID(), Clue: c.ID, At: tx.Now, By: by.ID, ByName: by.Name, Reason: reason, Changes: changes}
	if err := insertCorrection(ctx, tx, one); err != nil {
		return c, err
	}
	act := audit.Act{Subject: c.Subject(), Act: "clue.correct", Body: map[string]any{"changes": changes, "reason": reason}}
	return c, audit.Record(ctx, tx, by, c.City, act)
}
