package resident

import (
	"context"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
)

// mostHelpers is how many people may see one home.
const mostHelpers = 10

// AddHelper lets somebody else see a member's home, or act for it, until a day. The member's own login is the consent; the
// helper logs in with their own telephone.
func (s *Service) AddHelper(ctx context.Context, by actor.Actor, in HelperInput) (Binding, error) {
	person, err := s.self(by)
	if err != nil {
		return Binding{}, err
	}
	phone, err := mobile(in.Phone)
	var c fault.Check
	if err != nil {
		c.Merge("", err)
	}
	checkHelp(&c, in.Scope, in.Until, s.o.DB.Now().Date())
	if err := c.Err(); err != nil {
		return Binding{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Binding, error) {
		own, err := s.MayIn(ctx, tx, by, in.City, in.Account, MayAct)
		if err != nil {
			return own, err
		}
		if own.Role != Member {
			return own, fault.New(fault.Denied, "resident.members_only")
		}
		wait, err := s.tally(ctx, tx, in.City, s.counter("helper", person), s.o.Limits.Helper)
		if err != nil {
			return own, err
		}
		if wait > 0 {
			return own, tooMany("resident.bind_wait", wait)
		}
		b := Binding{City: in.City, Account: own.Account, Role: Helper, Scope: in.Scope, Proof: Consent, Until: in.Until, GivenBy: person}
		b, err = s.giveIn(ctx, tx, by, b, phone)
		if err != nil {
			return b, err
		}
		mine, _, _, err := s.phoneIn(ctx, tx, in.City, person)
		if err != nil {
			return b, err
		}
		return b, s.tellHelper(ctx, tx, b, phone, mine)
	})
}

// giveIn binds a home to whoever has a telephone; an earlier binding of theirs gives way.
func (s *Service) giveIn(ctx context.Context, tx *db.Tx, by actor.Actor, b Binding, phone string) (Binding, error) {
	all, err := bindingsAt(ctx, tx, b.City, b.Account)
	if err != nil {
		return b, err
	}
	if len(all) >= mostHelpers {
		return b, fault.New(fault.Conflict, "resident.too_many_helpers", "n", mostHelpers)
	}
	who, err := secret.Subject(ctx, tx, s.o.Ring, b.City, secret.Phone, phone)
	if err != nil {
		return b, err
	}
	b.Person = who.ID
	if old, ok, err := heldBinding(ctx, tx, b.City, who.ID, b.Account); err != nil {
		return b, err
	} else if ok {
		if old.Role == Member && old.holds(tx.Now.Date()) {
			return b, fault.New(fault.Conflict, "resident.bound_already")
		}
		if _, err := moveBinding(ctx, tx, old, End, by.ID, ""); err != nil {
			return b, err
		}
	}
	if _, err := s.keepResident(ctx, tx, who, phone, text.ZH); err != nil {
		return b, err
	}
	return s.keepBinding(ctx, tx, by, b)
}

func (s *Service) tellHelper(ctx context.Context, tx *db.Tx, b Binding, phone, from string) error {
	_, err := s.o.Notices.EnqueueIn(ctx, tx, actor.SystemFor("resident", actor.Job), notice.Message{
		City: b.City, Channel: notice.SMS, To: phone, Template: "message.resident.helper",
		Params: map[string]any{"who": maskOf(from), "until": b.Until.String()}, Matter: b.Subject() + "/helper",
	})
	return err
}

// People lists who sees a home, for those who see it.
func (s *Service) People(ctx context.Context, by actor.Actor, city int, account string) ([]Kin, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Kin, error) {
		own, err := s.MayIn(ctx, tx, by, city, account, MayRead)
		if err != nil {
			return nil, err
		}
		all, err := bindingsAt(ctx, tx, city, account)
		if err != nil {
			return nil, err
		}
		var out []Kin
		for _, b := range all {
			if !b.holds(tx.Now.Date()) {
				continue
			}
			phone, _, _, err := s.phoneIn(ctx, tx, city, b.Person)
			if err != nil {
				return nil, err
			}
			self := b.Person == own.Person
			out = append(out, Kin{
				ID: b.ID, Phone: maskOf(phone), Role: b.Role, Scope: b.Scope, Proof: b.Proof, Until: b.Until, Since: b.Decided,
				Self: self, MayEnd: self || own.mayEnd(b, tx.Now.Date()), Version: b.Version,
			})
		}
		return out, nil
	})
}

// TakeConsent binds a home to somebody whose consent staff heard themselves, at the counter or on a recorded call. The
// telephone on file is told.
func (s *Service) TakeConsent(ctx context.Context, by actor.Actor, in ConsentInput) (Binding, error) {
	phone, err := mobile(in.Phone)
	var c fault.Check
	if err != nil {
		c.Merge("", err)
	}
	in.Account, in.Reason = normalAccount(in.Account), strings.TrimSpace(in.Reason)
	c.That(in.Account != "", "account", "field.required")
	c.That(in.Reason != "", "reason", "field.required")
	c.That(len([]rune(in.Reason)) <= 300, "reason", "field.too_long", "max", 300)
	c.That(slices.Contains([]Role{Member, Helper}, in.Role), "role", "field.not_one_of", "allowed", []Role{Member, Helper})
	if in.Role == Helper {
		checkHelp(&c, in.Scope, in.Until, s.o.DB.Now().Date())
	} else {
		in.Scope, in.Until = MayAct, civil.Date{}
	}
	if err := c.Err(); err != nil {
		return Binding{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Binding, error) {
		home, row, err := s.homeFor(ctx, tx, by, in.City, in.Account)
		if err != nil {
			return Binding{}, err
		}
		b := Binding{City: in.City, Account: home.Account, Role: in.Role, Scope: in.Scope, Proof: ByStaff, Until: in.Until, Reason: in.Reason}
		if b, err = s.giveIn(ctx, tx, by, b, phone); err != nil {
			return b, err
		}
		holder, err := s.phoneOf(ctx, tx, row)
		if err != nil {
			return b, err
		}
		return b, s.tellHolder(ctx, tx, b, holder, phone)
	})
}

// homeFor finds a household that staff may approve for; one of another company does not exist for them.
func (s *Service) homeFor(ctx context.Context, tx *db.Tx, by actor.Actor, city int, account string) (place.Home, place.HouseholdRow, error) {
	var c fault.Check
	c.Add("account", "resident.no_such_account")
	homes, err := s.o.Places.HomesIn(ctx, tx, city, []string{account})
	if err != nil {
		return place.Home{}, place.HouseholdRow{}, err
	}
	h, ok := homes[account]
	if !ok {
		if err := by.May(actor.ResidentApprove, actor.On{City: city}); err != nil && !by.MayAny(actor.ResidentApprove, city) {
			return h, place.HouseholdRow{}, err
		}
		return h, place.HouseholdRow{}, c.Err()
	}
	if err := by.May(actor.ResidentApprove, h.On(city)); err != nil {
		if !by.MayAny(actor.ResidentApprove, city) {
			return h, place.HouseholdRow{}, err
		}
		return h, place.HouseholdRow{}, c.Err()
	}
	row, _, err := place.HouseholdIn(ctx, tx, city, account)
	return h, row, err
}

// Waiting lists the bindings that staff look at, oldest first: those of their companies and districts. A paper whose address
// nobody could place is seen by whoever covers the whole city.
func (s *Service) Waiting(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Asker], error) {
	if !by.MayAny(actor.ResidentApprove, city) {
		return page.Of[Asker]{}, by.May(actor.ResidentApprove, actor.On{City: city})
	}
	if f.State == "" {
		f.State = Asking
	}
	var c fault.Check
	c.That(slices.Contains([]State{Asking, Held, Refused, Ended}, f.State), "state", "field.not_one_of", "allowed", []State{Asking, Held, Refused, Ended})
	if err := c.Err(); err != nil {
		return page.Of[Asker]{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Asker], error) {
		rows, err := listBindings(ctx, tx, city, by.ScopeOf(actor.ResidentApprove, city), f)
		if err != nil {
			return page.Of[Asker]{}, err
		}
		cut := page.Cut(rows, f.Request, func(b Binding) []any { return []any{b.ID} })
		out := page.Of[Asker]{Next: cut.Next}
		for _, b := range cut.Items {
			phone, _, _, err := s.phoneIn(ctx, tx, city, b.Person)
			if err != nil {
				return out, err
			}
			papers, err := blob.Of(ctx, tx, city, b.Subject())
			if err != nil {
				return out, err
			}
			out.Items = append(out.Items, Asker{Binding: b, Phone: maskOf(phone), Papers: papers})
		}
		return out, nil
	})
}

// MaySeePaper asks whether staff may look at the paper of a binding.
func (s *Service) MaySeePaper(ctx context.Context, by actor.Actor, city int, subject string) error {
	id, ok := strings.CutPrefix(subject, "resident_binding:")
	if !ok {
		return fault.New(fault.NotFound, "not_found")
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		b, err := findBinding(ctx, tx, city, id)
		if err != nil {
			return err
		}
		if err := by.May(actor.ResidentApprove, b.On()); err != nil {
			return actor.Hide(err)
		}
		return record(ctx, tx, by, city, b.Person, "resident.paper_seen", map[string]any{"binding": b.ID})
	})
}

// Decide approves or refuses a binding that was asked for by paper; a refusal says why, and the resident reads it.
func (s *Service) Decide(ctx context.Context, by actor.Actor, in Decision) (Binding, error) {
	in.Account, in.Reason = normalAccount(in.Account), strings.TrimSpace(in.Reason)
	var c fault.Check
	c.That(!in.Approve || in.Account != "", "account", "field.required")
	c.That(in.Approve || in.Reason != "", "reason", "field.required")
	c.That(len([]rune(in.Reason)) <= 300, "reason", "field.too_long", "max", 300)
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Binding, error) {
		b, err := findBinding(ctx, tx, in.City, in.ID)
		if err != nil {
			return b, err
		}
		if err := by.May(actor.ResidentApprove, b.On()); err != nil {
			if by.MayAny(actor.ResidentApprove, in.City) {
				err = actor.Hide(err)
			}
			return b, err
		}
		if err := c.Err(); err != nil {
			return b, err
		}
		b.Version = in.Version
		event := Refuse
		if in.Approve {
			event = Approve
			home, _, err := s.homeFor(ctx, tx, by, in.City, in.Account)
			if err != nil {
				return b, err
			}
			if old, ok, err := heldBinding(ctx, tx, in.City, b.Person, in.Account); err != nil {
				return b, err
			} else if ok && old.holds(tx.Now.Date()) {
				return b, fault.New(fault.Conflict, "resident.bound_already")
			}
			b.Account = home.Account
			b = b.at(home)
		}
		if b, err = moveBinding(ctx, tx, b, event, by.ID, in.Reason); err != nil {
			return b, err
		}
		if err := record(ctx, tx, by, in.City, b.Person, "resident."+string(event), b.facts()); err != nil {
			return b, err
		}
		return b, s.tellDecided(ctx, tx, b)
	})
}

// tellDecided lets the resident know what became of their paper, and the telephone on file who sees the home.
func (s *Service) tellDecided(ctx context.Context, tx *db.Tx, b Binding) error {
	phone, lang, ok, err := s.phoneIn(ctx, tx, b.City, b.Person)
	if err != nil || !ok {
		return err
	}
	_, err = s.o.Notices.EnqueueIn(ctx, tx, actor.SystemFor("resident", actor.Job), notice.Message{
		City: b.City, Channel: notice.SMS, Person: b.Person, To: phone, Template: "message.resident." + string(b.State), Lang: lang, Matter: b.Subject() + "/decided",
	})
	if err != nil || b.State != Held {
		return err
	}
	holder, err := s.holderPhone(ctx, tx, b.City, b.Account)
	if err != nil {
		return err
	}
	return s.tellHolder(ctx, tx, b, holder, phone)
}
