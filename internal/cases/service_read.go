package cases

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/secret"
)

// see gives the case as the actor may see it: an informer stays hidden from the company, and whoever may not read a case
// does not learn that it exists.
func see(by actor.Actor, c Case) (Case, error) {
	if err := by.May(actor.CaseRead, c.On()); err != nil {
		return Case{}, actor.Hide(err)
	}
	return hide(by, c), nil
}

// may asks for a permission on a case; whoever may not read it does not learn that it exists.
func may(by actor.Actor, p actor.Permission, c Case) error {
	err := by.May(p, c.On())
	if err != nil && by.May(actor.CaseRead, c.On()) != nil {
		return actor.Hide(err)
	}
	return err
}

// For is the case as an actor may see it, for doors that show what an act gave back.
func (c Case) For(by actor.Actor) Case { return hide(by, c) }

func hide(by actor.Actor, c Case) Case {
	if !c.Secret || by.MayAny(actor.CaseAccept, c.City) || by.MayAny(actor.CaseVerify, c.City) || by.Kind == actor.System {
		return c
	}
	c.CallerName, c.CallerPhone, c.Relation = "", "", ""
	if c.ContactID == c.CallerID {
		c.ContactName, c.ContactPhone = "", ""
	}
	return c
}

// Get gives one case.
func (s *Service) Get(ctx context.Context, by actor.Actor, city int, id string) (Case, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Case, error) { return s.GetIn(ctx, tx, by, city, id) })
}

// GetIn is Get inside the caller's transaction.
func (s *Service) GetIn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, id string) (Case, error) {
	c, err := find(ctx, tx, city, id)
	if err != nil {
		return Case{}, err
	}
	return see(by, c)
}

// ByNo finds a case by the number people read out, by another system's number, or by its Open311 token.
func (s *Service) ByNo(ctx context.Context, by actor.Actor, city int, no string) (Case, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Case, error) {
		for _, column := range []string{"no", "id"} {
			c, ok, err := findBy(ctx, tx, city, column, no)
			if err != nil {
				return Case{}, err
			}
			if ok {
				return see(by, c)
			}
		}
		return Case{}, fault.New(fault.NotFound, "not_found")
	})
}

// View is everything about one case that this capability knows, as the actor may see it.
type View struct {
	Case     Case          `json:"case"`
	Clocks   []clock.Clock `json:"clocks"`
	Entries  []clock.Entry `json:"-"` // of the clocks, for their explanations
	Timeline []audit.Entry `json:"timeline"`
	Deeds    []Deed        `json:"deeds"`
	Links    []Link        `json:"links"`
	Linked   []Case        `json:"linked"`
	Photos   []blob.Blob   `json:"photos"`
	Allowed  []Event       `json:"allowed"`
	Reopen   bool          `json:"may_reopen"`
	Origin   *Recorded     `json:"origin,omitempty"`  // what stands behind it: the letter, the instruction
	Replies  []Reply       `json:"replies,omitempty"` // what went back about it
}

// View gives one case with its clocks, timeline, deeds, links and photographs.
func (s *Service) View(ctx context.Context, by actor.Actor, city int, id string) (View, error) {
	v, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (View, error) {
		c, err := s.GetIn(ctx, tx, by, city, id)
		if err != nil {
			return View{}, err
		}
		r, err := s.o.Rules(ctx, tx, city)
		if err != nil {
			return View{}, err
		}
		v := View{Case: c, Allowed: c.Allowed(by), Reopen: c.MayReopen(r.Pack.Options(tx.Now), tx.Now) && by.May(actor.CaseReopen, c.On()) == nil}
		if v.Clocks, err = s.o.Clocks.Of(ctx, tx, city, id); err != nil {
			return View{}, err
		}
		if v.Entries, err = s.o.Clocks.Entries(ctx, tx, city, id); err != nil {
			return View{}, err
		}
		if v.Timeline, err = audit.History(ctx, tx, city, c.Subject(), 0); err != nil {
			return View{}, err
		}
		if v.Deeds, err = Deeds(ctx, tx, city, id, ""); err != nil {
			return View{}, err
		}
		if v.Photos, err = blob.Of(ctx, tx, city, c.Subject()); err != nil {
			return View{}, err
		}
		if err := s.viewOrigin(ctx, tx, by, &v); err != nil {
			return View{}, err
		}
		return v, s.viewLinks(ctx, tx, by, &v)
	})
	if err != nil {
		return View{}, err
	}
	return v, s.seen(ctx, by, v)
}

func (s *Service) viewLinks(ctx context.Context, tx *db.Tx, by actor.Actor, v *View) error {
	var err error
	if v.Links, err = LinksOf(ctx, tx, v.Case.City, v.Case.ID); err != nil {
		return err
	}
	for _, l := range v.Links {
		other := l.Other
		if other == v.Case.ID {
			other = l.Case
		}
		c, err := s.GetIn(ctx, tx, by, v.Case.City, other)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		v.Linked = append(v.Linked, c)
	}
	return nil
}

// List shows a page of the cases that the actor may see.
func (s *Service) List(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Case], error) {
	if err := f.Check(); err != nil {
		return page.Of[Case]{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Case], error) {
		out, err := s.list(ctx, tx, city, readerOf(by, actor.CaseRead, city), f)
		for i := range out.Items {
			out.Items[i] = hide(by, out.Items[i])
		}
		return out, err
	})
}

// Count tells how many cases a filter finds among those that the actor may see.
func (s *Service) Count(ctx context.Context, by actor.Actor, city int, f Filter) (Total, error) {
	if err := f.Check(); err != nil {
		return Total{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Total, error) { return s.count(ctx, tx, city, readerOf(by, actor.CaseRead, city), f) })
}

// Export hands every case of a filter to fn, newest first, without keeping them: all of them, however many there are.
func (s *Service) Export(ctx context.Context, by actor.Actor, city int, f Filter, fn func(Case) error) error {
	if err := f.Check(); err != nil {
		return err
	}
	if !by.MayAny(actor.CaseExport, city) {
		return by.May(actor.CaseExport, actor.On{City: city})
	}
	_, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (struct{}, error) {
		q, find, err := s.conditions(ctx, tx, city, readerOf(by, actor.CaseExport, city), f)
		if err != nil {
			return struct{}{}, err
		}
		show := func(c Case) error { return fn(hide(by, c)) }
		if find != nil {
			return struct{}{}, q.each(ctx, tx, find, show)
		}
		return struct{}{}, db.Each(ctx, tx, show, q.rows()+` ORDER BY c.seq DESC`, q.args...)
	})
	if err != nil {
		return err
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		return audit.Record(ctx, tx, by, city, audit.Act{Subject: "export:cases", Act: "case.export", Body: map[string]any{"filter": fmt.Sprintf("%+v", f)}})
	})
}

// Near is what a seat looks for while the caller is on the line.
type Near struct {
	Phone     string `json:"phone" form:"phone"`
	Account   string `json:"account" form:"account"`
	Community string `json:"community" form:"community"`
	Building  string `json:"building" form:"building"`
}

// Neighbours are the cases that may have to do with a new one: of the same caller, the same home, the same building.
type Neighbours struct {
	Caller   []Case `json:"caller"`
	Home     []Case `json:"home"`
	Building []Case `json:"building"`
}

// Nearby finds the earlier cases of the caller, the home and the building, newest first.
func (s *Service) Nearby(ctx context.Context, by actor.Actor, city int, n Near) (Neighbours, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Neighbours, error) {
		var out Neighbours
		who := readerOf(by, actor.CaseRead, city)
		look := func(into *[]Case, f Filter) error {
			f.Request = page.Request{Size: 20}
			p, err := s.list(ctx, tx, city, who, f)
			for _, c := range p.Items {
				*into = append(*into, hide(by, c))
			}
			return err
		}
		if digits := secret.NormalPhone(n.Phone); secret.IsMobile(digits) || secret.IsLandline(digits) {
			if err := look(&out.Caller, Filter{Query: digits}); err != nil {
				return out, err
			}
		}
		if n.Account != "" {
			if err := look(&out.Home, Filter{Account: n.Account}); err != nil {
				return out, err
			}
		}
		if n.Community != "" && n.Building != "" {
			since := tx.Now.Add(-14 * 24 * time.Hour).Date()
			return out, look(&out.Building, Filter{Community: n.Community, Building: n.Building, From: since})
		}
		return out, nil
	})
}

// Reveal shows name, telephone and the words as they were said. For an open case of one's own the case is the purpose;
// elsewhere a reason is asked for. Either is kept. Nobody in the company learns who informed on it.
func (s *Service) Reveal(ctx context.Context, by actor.Actor, in Act) (Revealed, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Revealed, error) {
		c, err := find(ctx, tx, in.City, in.ID)
		if err != nil {
			return Revealed{}, err
		}
		if _, err := see(by, c); err != nil {
			return Revealed{}, err
		}
		if err := by.May(actor.CaseReveal, c.On()); err != nil {
			return Revealed{}, err
		}
		if hide(by, c).CallerPhone != c.CallerPhone {
			return Revealed{}, fault.New(fault.Denied, "case.secret_caller")
		}
		purpose := strings.TrimSpace(in.Reason)
		if purpose == "" && !c.Open {
			return Revealed{}, in.Why()
		}
		if purpose == "" {
			purpose = "case:" + c.No
		}
		out, err := s.unseal(ctx, tx, c)
		if err != nil {
			return Revealed{}, err
		}
		if err := s.unsealPress(ctx, tx, by, c, &out); err != nil {
			return Revealed{}, err
		}
		return out, audit.Record(ctx, tx, by, in.City, audit.Act{Subject: c.Subject(), Act: "case.reveal", Body: map[string]any{"purpose": purpose}})
	})
}

// PhoneIn gives the number at which the caller of a case is reached, for messages; empty when they left none.
func (s *Service) PhoneIn(ctx context.Context, tx *db.Tx, c Case) (string, error) {
	if c.CallerPhone == "" {
		return "", nil
	}
	out, err := s.unseal(ctx, tx, c)
	if fault.Is(err, fault.NotFound) {
		return "", nil // the person was erased
	}
	return out.Caller.Phone, err
}

// OpenPerCommunity counts the open cases of communities, to show what a re-districting moves.
func (s *Service) OpenPerCommunity(ctx context.Context, tx *db.Tx, city int, communities []string) (map[string]int, error) {
	return openPerCommunity(ctx, tx, city, communities)
}

// MayAttachment reports whether the actor may read the case that an attachment belongs to.
func (s *Service) MayAttachment(ctx context.Context, by actor.Actor, city int, subject string) error {
	id, ok := strings.CutPrefix(subject, "case:")
	if !ok {
		return fault.New(fault.NotFound, "not_found")
	}
	_, err := s.Get(ctx, by, city, id)
	return err
}

// Changes lists the cases that changed at or after an instant, oldest change first: the feed of live updates.
func (s *Service) Changes(ctx context.Context, by actor.Actor, city int, since civil.Instant) ([]Case, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Case, error) {
		q := inCity(city)
		q.and("c.updated_at >= " + q.arg(since))
		if err := q.scope(ctx, tx, city, by.ScopeOf(actor.CaseRead, city)); err != nil {
			return nil, err
		}
		rows, err := db.List[Case](ctx, tx, `SELECT `+db.Columns[Case]("c")+` FROM case_file c WHERE c.city_id = $1 AND `+q.text()+` ORDER BY c.updated_at, c.seq LIMIT 200`, q.args...)
		rows = slices.DeleteFunc(rows, func(c Case) bool { return c.AboutOrg != "" && by.May(actor.CaseRead, c.On()) != nil })
		for i := range rows {
			rows[i] = hide(by, rows[i])
		}
		return rows, err
	})
}

// Standard is the entry standard of a door for a category: what must and what should be asked.
func (s *Service) Standard(r *citypack.Rules, category string, door citypack.Door) (must, should []string) {
	cat, ok := r.Pack.Category(category)
	if !ok {
		return nil, nil
	}
	if door == citypack.DoorSeat && r.Peak {
		door = citypack.DoorPeak
	}
	return r.Pack.Required(cat, string(door)), r.Pack.Recommended(cat, string(door))
}

// Load is how many open cases of one status a company has; the company is empty where none was told yet.
type Load struct {
	Status     Status `db:"status" json:"status"`
	Company    string `db:"company" json:"company"`
	N          int64  `db:"n" json:"n"`
	Overdue    int64  `db:"overdue" json:"overdue"`       // a limit is over now
	Near       int64  `db:"near" json:"near"`             // a limit ends within two hours
	Supervised int64  `db:"supervised" json:"supervised"` // 督办中
}

// Loads counts the open cases that the actor may see, by status and company: the figures above a dispatcher's list, and
// the companies' burden beside it.
func (s *Service) Loads(ctx context.Context, by actor.Actor, city int) ([]Load, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Load, error) { return loads(ctx, tx, city, by.ScopeOf(actor.CaseRead, city)) })
}
