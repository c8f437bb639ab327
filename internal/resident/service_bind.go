package resident

import (
	"context"
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/once"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
)

// mostHomes is how many homes a resident may be bound to or wait for: a landlord's, not a collector's.
const mostHomes = 10

// Bind makes a home one's own by its account number and a proof. An account that does not exist, one without a telephone or a
// bill on file and a wrong proof give the same answer, are counted against the resident, the address and the account, and
// soon have to wait.
func (s *Service) Bind(ctx context.Context, by actor.Actor, in BindInput) (Binding, error) {
	person, err := s.self(by)
	if err != nil {
		return Binding{}, err
	}
	in.Account = normalAccount(in.Account)
	var c fault.Check
	c.That(in.Account != "" && len(in.Account) <= 40, "account", "field.required")
	c.That(slices.Contains([]Proof{OwnPhone, Last4, Bill, HolderCode}, in.Proof), "proof", "field.not_one_of", "allowed", []Proof{OwnPhone, Last4, Bill, HolderCode})
	c.That(in.Proof == OwnPhone || strings.TrimSpace(in.Value) != "", "value", "field.required")
	c.That(!in.Help || in.Proof == HolderCode, "proof", "resident.help_needs_code")
	if in.Help {
		checkHelp(&c, in.Scope, in.Until, s.o.DB.Now().Date())
	}
	if err := c.Err(); err != nil {
		return Binding{}, err
	}
	type outcome struct {
		b     Binding
		wrong bool
	}
	out, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (outcome, error) {
		if err := s.mayTry(ctx, tx, person, in); err != nil {
			return outcome{}, err
		}
		home, right, err := s.proves(ctx, tx, person, in)
		if err != nil {
			return outcome{}, err
		}
		if !right { // the count stands although nothing is bound
			_, err := s.tally(ctx, tx, in.City, s.counter("account", in.Account), s.o.Limits.Account)
			return outcome{wrong: true}, err
		}
		b, err := s.bindIn(ctx, tx, by, person, home, in)
		return outcome{b: b}, err
	})
	switch {
	case fault.Is(err, fault.Exhausted):
		s.note(ctx, in.City, EventBindLimit)
	case err != nil:
	case out.wrong:
		s.note(ctx, in.City, EventBadBind)
		return Binding{}, fault.New(fault.Invalid, "resident.no_match")
	default:
		s.note(ctx, in.City, EventBind)
	}
	return out.b, err
}

// mayTry counts a try against the resident and looks whether the account still takes any.
func (s *Service) mayTry(ctx context.Context, tx *db.Tx, person string, in BindInput) error {
	wait, err := s.tally(ctx, tx, in.City, s.counter("bind", person), s.o.Limits.Bind)
	if err == nil && wait == 0 {
		wait, err = s.blocked(ctx, tx, in.City, s.counter("account", in.Account), s.o.Limits.Account)
	}
	if err != nil {
		return err
	}
	if wait > 0 {
		return tooMany("resident.bind_wait", wait)
	}
	n, err := bindingsHeld(ctx, tx, in.City, person)
	if err == nil && n >= mostHomes {
		err = fault.New(fault.Conflict, "resident.too_many_homes", "n", mostHomes)
	}
	return err
}

// proves looks whether what was typed shows that the account is the resident's. Every proof does the same reading, whatever
// is missing.
func (s *Service) proves(ctx context.Context, tx *db.Tx, person string, in BindInput) (place.HouseholdRow, bool, error) {
	row, known, err := place.HouseholdIn(ctx, tx, in.City, in.Account)
	if err != nil {
		return row, false, err
	}
	var holder string
	if known {
		if holder, err = s.phoneOf(ctx, tx, row); err != nil {
			return row, false, err
		}
	}
	own, _, _, err := s.phoneIn(ctx, tx, in.City, person)
	if err != nil {
		return row, false, err
	}
	if !in.Help && known && holder != "" && holder == own {
		return row, true, nil
	}
	var right bool
	switch in.Proof {
	case Last4:
		right = showsLast4(holder, in.Value)
	case Bill:
		if s.o.Bills != nil {
			bills, err := s.o.Bills(ctx, tx, in.City, in.Account)
			if err != nil {
				return row, false, err
			}
			right = showsBill(bills, in.Value)
		}
	case HolderCode:
		right, err = s.check(ctx, tx, guess{
			city: in.City, purpose: purposeOf(in.Help), key: s.pair(person, in.Account), ref: person, code: in.Value, address: in.Address,
		})
		if err != nil {
			return row, false, err
		}
	case OwnPhone, Paper, Consent, ByStaff:
	}
	return row, right && known, nil
}

func purposeOf(help bool) Purpose {
	if help {
		return ForHelp
	}
	return ForBind
}

// pair is the keyed hash of who asks about which account.
func (s *Service) pair(person, account string) string {
	return s.o.Ring.Blind("resident pair", person+"\x00"+account)
}

// RequestHolderCode sends a code to the telephone that the register has for an account, so that its holder can agree. The
// answer is the same for an account that does not exist, and no telephone is shown.
func (s *Service) RequestHolderCode(ctx context.Context, by actor.Actor, in HolderInput) (Asked, error) {
	person, err := s.self(by)
	if err != nil {
		return Asked{}, err
	}
	in.Account = normalAccount(in.Account)
	var c fault.Check
	c.That(in.Account != "" && len(in.Account) <= 40, "account", "field.required")
	if err := c.Err(); err != nil {
		return Asked{}, err
	}
	phone, err := s.Phone(ctx, by, in.City)
	if err != nil {
		return Asked{}, err
	}
	return s.request(ctx, request{
		city: in.City, purpose: purposeOf(in.Help), key: s.pair(person, in.Account), ref: person, lang: in.Lang, address: in.Address,
		letter: letter{Account: in.Account, Params: map[string]string{"who": maskOf(phone), "account": tail(in.Account)}},
		also:   in.Account, alsoLimit: s.o.Limits.Phone,
	})
}

// bindIn binds a home that was proved. One that is bound already stays as it is.
func (s *Service) bindIn(ctx context.Context, tx *db.Tx, by actor.Actor, person string, home place.HouseholdRow, in BindInput) (Binding, error) {
	if old, ok, err := heldBinding(ctx, tx, in.City, person, in.Account); err != nil || ok && old.holds(tx.Now.Date()) {
		return old, err
	} else if ok { // its day has passed: bind anew
		if _, err := moveBinding(ctx, tx, old, End, by.ID, ""); err != nil {
			return old, err
		}
	}
	b := Binding{City: in.City, Person: person, Account: home.Account, Role: Member, Scope: MayAct, Proof: in.Proof}
	if in.Help {
		b.Role, b.Scope, b.Until = Helper, in.Scope, in.Until
	}
	own, _, _, err := s.phoneIn(ctx, tx, in.City, person)
	if err != nil {
		return b, err
	}
	holder, err := s.phoneOf(ctx, tx, home)
	if err != nil {
		return b, err
	}
	if own == holder && !in.Help {
		b.Proof = OwnPhone
	}
	if b, err = s.keepBinding(ctx, tx, by, b); err != nil {
		return b, err
	}
	if b.Proof == OwnPhone || b.Proof == HolderCode {
		return b, nil
	}
	return b, s.tellHolder(ctx, tx, b, holder, own)
}

// keepBinding fills in where the home lies, keeps the binding as held and records it.
func (s *Service) keepBinding(ctx context.Context, tx *db.Tx, by actor.Actor, b Binding) (Binding, error) {
	homes, err := s.o.Places.HomesIn(ctx, tx, b.City, []string{b.Account})
	if err != nil {
		return b, err
	}
	b = b.at(homes[b.Account])
	b.ID, b.State, b.Asked, b.Decided, b.DecidedBy, b.Version = tx.NewID(), Held, tx.Now, tx.Now, by.ID, 1
	if err := insertBinding(ctx, tx, b); err != nil {
		return b, err
	}
	return b, record(ctx, tx, by, b.City, b.Person, "resident.bind", b.facts())
}

// at fills in where a home lies.
func (b Binding) at(h place.Home) Binding {
	b.Community, b.Building, b.Unit, b.Room, b.District, b.Company = h.CommunityName, h.Building, h.Unit, h.Room, h.District, h.Company
	return b
}

// facts are what the audit keeps of a binding.
func (b Binding) facts() map[string]any {
	out := map[string]any{"binding": b.ID, "account": b.Account, "role": b.Role, "scope": b.Scope, "proof": b.Proof}
	if !b.Until.IsZero() {
		out["until"] = b.Until.String()
	}
	return out
}

// tellHolder lets the telephone on file know that somebody else's now sees the home.
func (s *Service) tellHolder(ctx context.Context, tx *db.Tx, b Binding, holder, other string) error {
	if !secret.IsMobile(holder) || holder == other {
		return nil
	}
	_, err := s.o.Notices.EnqueueIn(ctx, tx, actor.SystemFor("resident", actor.Job), notice.Message{
		City: b.City, Channel: notice.SMS, To: holder, Template: "message.resident.bound",
		Params: map[string]any{"who": maskOf(other), "account": tail(b.Account)}, Matter: b.Subject() + "/bound",
	})
	return err
}

// Homes lists the homes of a resident: held, waiting, and refused lately.
func (s *Service) Homes(ctx context.Context, by actor.Actor, city int) ([]Binding, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Binding, error) { return s.HomesIn(ctx, tx, by, city) })
}

// HomesIn is Homes inside the caller's transaction.
func (s *Service) HomesIn(ctx context.Context, tx *db.Tx, by actor.Actor, city int) ([]Binding, error) {
	person, err := s.self(by)
	if err != nil {
		return nil, err
	}
	all, err := bindingsOf(ctx, tx, city, person)
	if err != nil {
		return nil, err
	}
	const refusedShown = 30
	return slices.DeleteFunc(all, func(b Binding) bool {
		switch b.State {
		case Held:
			return !b.holds(tx.Now.Date())
		case Refused:
			return b.Decided.Date().AddDays(refusedShown).Before(tx.Now.Date())
		case Asking:
			return false
		case Ended:
		}
		return true
	}), nil
}

// MayIn gives the binding by which a resident sees a home or acts for it; NotFound when there is none, so that nobody learns
// which accounts exist.
func (s *Service) MayIn(ctx context.Context, tx *db.Tx, by actor.Actor, city int, account string, want Scope) (Binding, error) {
	person, err := s.self(by)
	if err != nil {
		return Binding{}, err
	}
	b, ok, err := heldBinding(ctx, tx, city, person, account)
	switch {
	case err != nil:
		return b, err
	case !ok || !b.holds(tx.Now.Date()):
		return Binding{}, fault.New(fault.NotFound, "resident.not_yours")
	case !b.may(want):
		return b, fault.New(fault.Denied, "resident.read_only")
	}
	return b, nil
}

// May is MayIn in a transaction of its own.
func (s *Service) May(ctx context.Context, by actor.Actor, city int, account string, want Scope) (Binding, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Binding, error) { return s.MayIn(ctx, tx, by, city, account, want) })
}

// AskByPaper asks staff to look at a photograph of a bill or a deed, for whoever has no account number or no proof at hand.
func (s *Service) AskByPaper(ctx context.Context, by actor.Actor, in PaperInput) (Binding, error) {
	person, err := s.self(by)
	if err != nil {
		return Binding{}, err
	}
	in.Words = strings.TrimSpace(in.Words)
	var c fault.Check
	c.That(len([]rune(in.Words)) >= 4, "words", "field.required")
	c.That(len([]rune(in.Words)) <= 200, "words", "field.too_long", "max", 200)
	c.That(len(in.Photos) > 0, "photo", "resident.paper_needed")
	if err := c.Err(); err != nil {
		return Binding{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Binding, error) {
		r := once.Request{City: in.City, By: by, Key: in.Key, Body: in}
		return once.Do(ctx, tx, r, func() (Binding, error) { return s.askIn(ctx, tx, by, person, in) })
	})
}

const mostAsked = 3 // papers of one resident that staff look at, at a time

func (s *Service) askIn(ctx context.Context, tx *db.Tx, by actor.Actor, person string, in PaperInput) (Binding, error) {
	b := Binding{
		City: in.City, ID: tx.NewID(), Person: person, Role: Member, Scope: MayAct, Proof: Paper, State: Asking, Words: in.Words, Asked: tx.Now, Version: 1,
	}
	all, err := bindingsOf(ctx, tx, in.City, person)
	if err != nil {
		return b, err
	}
	waiting := 0
	for _, old := range all {
		if old.State == Asking {
			waiting++
		}
	}
	if waiting >= mostAsked {
		return b, fault.New(fault.Conflict, "resident.too_many_asked", "n", mostAsked)
	}
	if s.o.Locate != nil {
		at, err := s.o.Locate(ctx, tx, in.City, in.Words)
		if err != nil {
			return b, err
		}
		b.District, b.Company = at.District, at.Company
	}
	if err := insertBinding(ctx, tx, b); err != nil {
		return b, err
	}
	for _, p := range in.Photos {
		if _, err := s.o.Blobs.SaveIn(ctx, tx, by, p.For(b.Subject())); err != nil {
			return b, err
		}
	}
	return b, record(ctx, tx, by, in.City, person, "resident.ask", map[string]any{"binding": b.ID})
}

// GiveUp ends a binding: one's own, or that of somebody whom one may take it from.
func (s *Service) GiveUp(ctx context.Context, by actor.Actor, city int, id string, version int64) error {
	person, err := s.self(by)
	if err != nil {
		return err
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		b, err := findBinding(ctx, tx, city, id)
		if err != nil {
			return err
		}
		if b.Person != person {
			own, ok, err := heldBinding(ctx, tx, city, person, b.Account)
			if err != nil {
				return err
			}
			if !ok || b.Account == "" || !own.mayEnd(b, tx.Now.Date()) {
				return fault.New(fault.NotFound, "not_found")
			}
		}
		b.Version = version
		if b, err = moveBinding(ctx, tx, b, End, by.ID, ""); err != nil {
			return err
		}
		return record(ctx, tx, by, city, b.Person, "resident.unbind", b.facts())
	})
}

// mayEnd reports whether the owner of a binding may end another of the same home: any member takes a helper's back, and
// whoever has the telephone on file also that of a member who does not.
func (b Binding) mayEnd(other Binding, today civil.Date) bool {
	if b.Role != Member || !b.holds(today) {
		return false
	}
	return other.Role == Helper || b.Proof == OwnPhone && other.Proof != OwnPhone
}
