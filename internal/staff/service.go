package staff

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/secret"
)

// Limits bound guessing. The zero value of each is a value that works.
type Limits struct {
	AccountFailures int           // wrong passwords or codes of one account before it is locked; 5
	AddressFailures int           // of one address, shared by a whole office; 30
	Window          time.Duration // within which they are counted; 15 minutes
	Lock            time.Duration // how long the account or address must wait; 15 minutes
}

// Options set up a Service. Idle, Life, Limits, Password and Provider may be left zero.
type Options struct {
	DB       *db.DB
	Ring     *secret.Ring
	Machine  func() time.Time // machine time, also in a city whose clock is simulated
	Idle     time.Duration    // a session ends without any request; 30 minutes
	Life     time.Duration    // a session ends at the latest; 12 hours
	Limits   Limits
	Password *argon2id.Params // cost of a password hash; nil = 32 MiB, two passes
	Issuer   string           // name shown in one-time code apps; "Rehu"
	Provider Provider         // the city's identity provider; nil = none
	Blobs    *blob.Service    // pictures on badges; nil = none
}

// Service offers the use cases.
type Service struct {
	o     Options
	hash  *hasher
	cache *cache
}

// New makes the service.
func New(o Options) (*Service, error) {
	if o.DB == nil || o.Ring == nil || o.Machine == nil {
		return nil, errors.New("staff: a database, a keyring and machine time are needed")
	}
	or(&o.Idle, 30*time.Minute)
	or(&o.Life, 12*time.Hour)
	or(&o.Limits.AccountFailures, 5)
	or(&o.Limits.AddressFailures, 30)
	or(&o.Limits.Window, 15*time.Minute)
	or(&o.Limits.Lock, 15*time.Minute)
	or(&o.Issuer, "Rehu")
	h, err := newHasher(o.Password)
	if err != nil {
		return nil, err
	}
	return &Service{o: o, hash: h, cache: newCache(o.Machine)}, nil
}

func or[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

func (s *Service) machine() int64 { return s.o.Machine().UnixMilli() }

func subject(person string) string { return "person:" + person }

// note records an act on a person in the home city's chain.
func note(ctx context.Context, tx *db.Tx, by actor.Actor, a Person, act string, body any) error {
	return audit.Record(ctx, tx, by, a.City, audit.Act{Subject: subject(a.ID), Act: act, Body: body})
}

// CreatePerson adds a member of staff with their first grants.
func (s *Service) CreatePerson(ctx context.Context, by actor.Actor, in NewPerson) (Person, error) {
	in.normalise()
	if err := mayCreate(by, in); err != nil {
		return Person{}, err
	}
	if err := in.check(); err != nil {
		return Person{}, err
	}
	hash, err := s.hash.make(ctx, in.Password) // outside the transaction: it takes tens of milliseconds
	if err != nil {
		return Person{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Person, error) { return createIn(ctx, tx, by, in, hash) })
}

func mayCreate(by actor.Actor, in NewPerson) error {
	if err := mayManage(by, in.City, in.Org, nil); err != nil {
		return err
	}
	for _, g := range in.Grants {
		if err := checkGrant(g, in.Org, false); err != nil {
			return err
		}
		if err := mayGive(by, actor.StaffManage, g, in.Org); err != nil {
			return err
		}
	}
	return nil
}

func createIn(ctx context.Context, tx *db.Tx, by actor.Actor, in NewPerson, hash string) (Person, error) {
	if _, taken, err := findBy(ctx, tx, "login", in.Login); err != nil || taken {
		return Person{}, orTaken(err, "login", "staff.login_taken")
	}
	if err := emailFree(ctx, tx, in.Email, ""); err != nil {
		return Person{}, err
	}
	if err := orgKnown(ctx, tx, in.City, in.Org); err != nil {
		return Person{}, err
	}
	a := account{Password: hash, Person: Person{
		ID: tx.NewID(), City: in.City, Login: in.Login, Name: in.Name, Org: in.Org,
		Email: maybe(in.Email), MustChange: hash != "" && by.Kind != actor.System, Active: true, Version: 1, Created: tx.Now,
	}}
	if err := db.Insert(ctx, tx, "person", &a); err != nil {
		return Person{}, fmt.Errorf("add a person: %w", err)
	}
	for _, g := range in.Grants {
		row, err := insertGrant(ctx, tx, by, a.ID, g)
		if err != nil {
			return Person{}, err
		}
		a.Grants = append(a.Grants, row)
	}
	return a.Person, note(ctx, tx, by, a.Person, "staff.create", map[string]any{"login": a.Login, "org": a.Org, "grants": in.Grants})
}

func orTaken(err error, field, key string) error {
	if err != nil {
		return err
	}
	var c fault.Check
	c.Add(field, key)
	return c.Err()
}

func emailFree(ctx context.Context, tx *db.Tx, email, self string) error {
	if email == "" {
		return nil
	}
	other, taken, err := findBy(ctx, tx, "email", email)
	if err != nil || (taken && other.ID != self) {
		return orTaken(err, "email", "staff.email_taken")
	}
	return nil
}

// orgKnown asks that an organisation exists; people of the installation itself (city 0) belong to none.
func orgKnown(ctx context.Context, tx *db.Tx, city int, code string) error {
	if code == "" {
		return nil
	}
	_, ok, err := findOrg(ctx, tx, city, code)
	if err != nil || !ok {
		return orTaken(err, "org", "staff.no_such_org")
	}
	return nil
}

func maybe(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// EditPerson changes name, organisation and e-mail of the version the manager saw.
func (s *Service) EditPerson(ctx context.Context, by actor.Actor, in Edit) (Person, error) {
	in.Name, in.Org, in.Email = strings.TrimSpace(in.Name), strings.TrimSpace(in.Org), normalEmail(in.Email)
	var c fault.Check
	checkText(&c, "name", in.Name, 50, true)
	checkText(&c, "org", in.Org, 32, false)
	checkEmail(&c, in.Email)
	return s.change(ctx, by, in.Person, func(tx *db.Tx, a *account) error {
		if err := c.Err(); err != nil {
			return err
		}
		if err := mayManage(by, a.City, in.Org, a.Grants); err != nil {
			return err
		}
		if err := emailFree(ctx, tx, in.Email, a.ID); err != nil {
			return err
		}
		if in.Org != a.Org {
			if err := orgKnown(ctx, tx, a.City, in.Org); err != nil {
				return err
			}
		}
		err := db.Guarded(ctx, tx, `UPDATE person SET name = $3, org = $4, email = $5, version = version + 1 WHERE id = $1 AND version = $2`,
			a.ID, in.Version, in.Name, in.Org, maybe(in.Email))
		if err != nil {
			return err
		}
		return note(ctx, tx, by, a.Person, "staff.edit", map[string]any{
			"org":  in.Org,
			"name": audit.Fingerprint(a.ID, in.Name), "email": audit.Fingerprint(a.ID, in.Email),
		})
	})
}

// change runs fn on a person that the actor may manage, makes this process forget what it knew, and gives the new state.
func (s *Service) change(ctx context.Context, by actor.Actor, person string, fn func(tx *db.Tx, a *account) error) (Person, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Person, error) {
		a, err := find(ctx, tx, person)
		if err != nil {
			return Person{}, err
		}
		if err := mayManage(by, a.City, a.Org, a.Grants); err != nil {
			return Person{}, hideForeign(by, a, err)
		}
		if err := fn(tx, &a); err != nil {
			return Person{}, err
		}
		tx.After(func() { s.cache.forget(person) })
		a, err = find(ctx, tx, person)
		return a.Person, err
	})
}

// hideForeign shows no manager that a person of another place exists.
func hideForeign(by actor.Actor, a account, err error) error {
	if !by.MayAny(actor.StaffManage, a.City) || mayManage(by, a.City, a.Org, nil) != nil {
		return actor.Hide(err)
	}
	return err
}

// Grant gives a person a role. Nobody changes their own rights.
func (s *Service) Grant(ctx context.Context, by actor.Actor, in NewGrant) (Person, error) {
	g := actor.Grant{Role: in.Role, City: in.City, Districts: in.Districts, Companies: in.Companies, Areas: in.Areas, Stations: in.Stations}
	return s.change(ctx, by, in.Person, func(tx *db.Tx, a *account) error {
		if by.ID == a.ID {
			return fault.New(fault.Denied, "staff.not_oneself")
		}
		if err := checkGrant(g, a.Org, false); err != nil {
			return err
		}
		if err := mayGive(by, actor.StaffManage, g, a.Org); err != nil {
			return err
		}
		if len(a.Grants) >= 50 {
			return fault.New(fault.Conflict, "staff.too_many_grants", "max", 50)
		}
		row, err := insertGrant(ctx, tx, by, a.ID, g)
		if err != nil {
			return err
		}
		return note(ctx, tx, by, a.Person, "staff.grant", map[string]any{"grant": row.ID, "is": g})
	})
}

// Revoke takes a role away.
func (s *Service) Revoke(ctx context.Context, by actor.Actor, person, grant string) (Person, error) {
	return s.change(ctx, by, person, func(tx *db.Tx, a *account) error {
		if by.ID == a.ID {
			return fault.New(fault.Denied, "staff.not_oneself")
		}
		n, err := db.Exec(ctx, tx, `DELETE FROM person_grant WHERE id = $1 AND person_id = $2`, grant, person)
		if err != nil {
			return fmt.Errorf("take a grant away: %w", err)
		}
		if n == 0 {
			return fault.New(fault.NotFound, "not_found")
		}
		return note(ctx, tx, by, a.Person, "staff.revoke", map[string]any{"grant": grant})
	})
}

// Disable shuts a person out and ends every session; their past acts stay.
func (s *Service) Disable(ctx context.Context, by actor.Actor, person string) (Person, error) {
	return s.change(ctx, by, person, func(tx *db.Tx, a *account) error {
		if by.ID == a.ID {
			return fault.New(fault.Denied, "staff.not_oneself")
		}
		if err := s.setActive(ctx, tx, a, false); err != nil {
			return err
		}
		if _, err := endSessions(ctx, tx, a.ID, "", s.machine()); err != nil {
			return err
		}
		return note(ctx, tx, by, a.Person, "staff.disable", nil)
	})
}

// Enable lets a disabled person in again and lifts a lock after wrong passwords.
func (s *Service) Enable(ctx context.Context, by actor.Actor, person string) (Person, error) {
	return s.change(ctx, by, person, func(tx *db.Tx, a *account) error {
		if err := s.setActive(ctx, tx, a, true); err != nil {
			return err
		}
		if err := saveAttempts(ctx, tx, s.accountName(a.Login), attempts{}); err != nil {
			return err
		}
		return note(ctx, tx, by, a.Person, "staff.enable", nil)
	})
}

func (s *Service) setActive(ctx context.Context, tx *db.Tx, a *account, active bool) error {
	return db.Guarded(ctx, tx, `UPDATE person SET active = $3, version = version + 1 WHERE id = $1 AND version = $2`, a.ID, a.Version, active)
}

// People lists the staff of a city for its managers.
func (s *Service) People(ctx context.Context, by actor.Actor, city int, f Filter) (page.Of[Person], error) {
	if !by.MayAny(actor.StaffManage, city) {
		return page.Of[Person]{}, by.May(actor.StaffManage, actor.On{City: city})
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (page.Of[Person], error) {
		return list(ctx, tx, city, by.ScopeOf(actor.StaffManage, city), f)
	})
}

// Person shows one member of staff: to their managers and to themselves.
func (s *Service) Person(ctx context.Context, by actor.Actor, id string) (Person, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Person, error) {
		a, err := find(ctx, tx, id)
		if err != nil {
			return Person{}, err
		}
		if by.ID != a.ID {
			if err := mayManage(by, a.City, a.Org, nil); err != nil {
				return Person{}, hideForeign(by, a, err)
			}
		}
		return a.Person, nil
	})
}

// Admin is the input of EnsureAdmin.
type Admin struct {
	City     int // 0 = the whole installation
	Login    string
	Name     string
	Password string
	Grants   []actor.Grant // empty = administrator of City
}

// EnsureAdmin makes an account from the installation's own command line, without a server: a new one, or, if the login
// exists, it sets the password, lets the person in again and adds the grants that are missing.
func (s *Service) EnsureAdmin(ctx context.Context, in Admin) (Person, error) {
	by := actor.SystemFor("user", actor.Command)
	if len(in.Grants) == 0 {
		in.Grants = []actor.Grant{{Role: actor.RoleAdmin, City: in.City}}
	}
	n := NewPerson{City: in.City, Login: in.Login, Name: in.Name, Password: in.Password, Grants: in.Grants}
	if strings.TrimSpace(n.Name) == "" {
		n.Name = in.Login
	}
	n.normalise()
	if err := mayCreate(by, n); err != nil {
		return Person{}, err
	}
	if err := n.check(); err != nil {
		return Person{}, err
	}
	hash, err := s.hash.make(ctx, in.Password)
	if err != nil {
		return Person{}, err
	}
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Person, error) {
		a, exists, err := findBy(ctx, tx, "login", n.Login)
		if err != nil {
			return Person{}, err
		}
		if !exists {
			return createIn(ctx, tx, by, n, hash)
		}
		return s.restore(ctx, tx, by, a, n, hash)
	})
}

func (s *Service) restore(ctx context.Context, tx *db.Tx, by actor.Actor, a account, n NewPerson, hash string) (Person, error) {
	if hash == "" {
		hash = a.Password
	}
	if _, err := db.Exec(ctx, tx, `UPDATE person SET password = $2, must_change = FALSE, active = TRUE, version = version + 1 WHERE id = $1`, a.ID, hash); err != nil {
		return Person{}, fmt.Errorf("restore an account: %w", err)
	}
	if _, err := endSessions(ctx, tx, a.ID, "", s.machine()); err != nil {
		return Person{}, err
	}
	if err := saveAttempts(ctx, tx, s.accountName(a.Login), attempts{}); err != nil {
		return Person{}, err
	}
	for _, g := range n.Grants {
		if hasGrant(a.Grants, g) {
			continue
		}
		if _, err := insertGrant(ctx, tx, by, a.ID, g); err != nil {
			return Person{}, err
		}
	}
	tx.After(func() { s.cache.forget(a.ID) })
	if err := note(ctx, tx, by, a.Person, "staff.restore", map[string]any{"grants": n.Grants}); err != nil {
		return Person{}, err
	}
	a, err := find(ctx, tx, a.ID)
	return a.Person, err
}

// Colleagues are the active people of the actor's own organisation who may take cases on, by name: those among whom a
// second dispatch chooses.
func (s *Service) Colleagues(ctx context.Context, by actor.Actor, city int) ([]Person, error) {
	if !by.MayAny(actor.CaseAssign, city) {
		return nil, by.May(actor.CaseAssign, actor.On{City: city})
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Person, error) {
		all, err := Holders(ctx, tx, city, actor.RolesWith(actor.CaseTake))
		if err != nil {
			return nil, err
		}
		return slices.DeleteFunc(all, func(p Person) bool { return p.Org != by.Org }), nil
	})
}
