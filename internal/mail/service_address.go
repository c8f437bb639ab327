package mail

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/secret"
)

// How a code works.
const (
	codeLife  = 30 * time.Minute
	codeTries = 5
	codePause = time.Minute // between two codes of one person
)

// Wanting is the address at which a resident wants letters.
type Wanting struct {
	City    int    `json:"-" form:"-"`
	Address string `json:"address" form:"address"`
	Key     string `json:"-" form:"key"`
}

// Want takes a resident's address and sends a code to it. Nothing else is written there before the code came back, so that
// nobody can have letters sent to somebody else.
func (s *Service) Want(ctx context.Context, by actor.Actor, in Wanting) error {
	person, err := whose(by)
	if err != nil {
		return err
	}
	to := NormalAddress(in.Address)
	var c fault.Check
	c.That(to != "", "address", "mail.bad_address")
	if err := c.Err(); err != nil {
		return err
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if _, err := s.account(ctx, tx, in.City); err != nil {
			return err
		}
		old, there, err := findAddress(ctx, tx, in.City, person)
		if err != nil {
			return err
		}
		if there && tx.Now.Before(old.AskedAt.Add(codePause)) {
			return fault.New(fault.Exhausted, "mail.wait", "after", int(codePause.Seconds()))
		}
		p, err := secret.OpenSubject(ctx, tx, s.o.Ring, in.City, person)
		if err != nil || p.Erased {
			return orGone(err)
		}
		code, err := newCode()
		if err != nil {
			return err
		}
		a := Address{
			City: in.City, Person: person, Sealed: p.Seal("mail", to), Blind: s.blind(to), State: Asked, Code: s.hash(person, code),
			AskedAt: tx.Now, Expires: tx.Now.Add(codeLife),
		}
		if err := putAddress(ctx, tx, a); err != nil {
			return err
		}
		_, err = s.o.Notices.EnqueueIn(ctx, tx, by, notice.Message{
			City: in.City, Channel: notice.Email, Person: person, To: to, Template: "message.mail.code", Private: map[string]string{"code": code},
			Params: map[string]any{"minutes": int(codeLife.Minutes())}, Matter: fmt.Sprintf("mail/code/%s/%d", person, tx.Now), QuietExempt: true, Until: a.Expires,
		})
		if err != nil {
			return err
		}
		return s.note(ctx, tx, by, in.City, person, "mail.asked")
	})
}

// Confirming is the code that a resident gives back.
type Confirming struct {
	City int    `json:"-" form:"-"`
	Code string `json:"code" form:"code"`
}

// Confirm keeps the address whose code is given back. A wrong code counts, whoever gives it; after a few the address has
// to be asked for again.
func (s *Service) Confirm(ctx context.Context, by actor.Actor, in Confirming) error {
	person, err := whose(by)
	if err != nil {
		return err
	}
	code := strings.TrimSpace(in.Code)
	if err := required("code", code); err != nil {
		return err
	}
	wrong, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (bool, error) {
		a, there, err := findAddress(ctx, tx, in.City, person)
		if err != nil {
			return false, err
		}
		if !there || a.State != Asked || !tx.Now.Before(a.Expires) || a.Tries >= codeTries {
			return true, nil
		}
		version := a.Version
		if subtle.ConstantTimeCompare([]byte(a.Code), []byte(s.hash(person, code))) != 1 {
			a.Tries++
			return true, storeAddress(ctx, tx, a, version)
		}
		a.State, a.Code, a.Confirmed = Kept, "", tx.Now
		if err := storeAddress(ctx, tx, a, version); err != nil {
			return false, err
		}
		return false, s.note(ctx, tx, by, in.City, person, "mail.kept")
	})
	if err == nil && wrong {
		var c fault.Check
		c.Add("code", "mail.bad_code")
		err = c.Err()
	}
	return err
}

// Forget drops a resident's address: no more letters go there.
func (s *Service) Forget(ctx context.Context, by actor.Actor, city int) error {
	person, err := whose(by)
	if err != nil {
		return err
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if err := dropAddress(ctx, tx, city, person); err != nil {
			return err
		}
		return s.note(ctx, tx, by, city, person, "mail.forgotten")
	})
}

// Mine is a resident's address as their own page shows it.
type Mine struct {
	Address string `json:"address,omitempty"` // empty: none
	State   State  `json:"state,omitempty"`
}

// MineOf shows a resident their own address.
func (s *Service) MineOf(ctx context.Context, by actor.Actor, city int) (Mine, error) {
	person, err := whose(by)
	if err != nil {
		return Mine{}, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (Mine, error) {
		a, there, err := findAddress(ctx, tx, city, person)
		if err != nil || !there {
			return Mine{}, err
		}
		p, err := secret.OpenSubject(ctx, tx, s.o.Ring, city, person)
		if err != nil || p.Erased {
			return Mine{}, err
		}
		to, err := p.Open("mail", a.Sealed)
		return Mine{to, a.State}, err
	})
}

// ReachIn is the address at which a person wants messages; empty where they confirmed none, or no letters can go out.
func (s *Service) ReachIn(ctx context.Context, tx *db.Tx, city int, person string) (string, error) {
	a, there, err := findAddress(ctx, tx, city, person)
	if err != nil || !there || a.State != Kept {
		return "", err
	}
	if _, err := s.account(ctx, tx, city); err != nil {
		return "", nil //nolint:nilerr // no mailbox: there is no such way
	}
	p, err := secret.OpenSubject(ctx, tx, s.o.Ring, city, person)
	if err != nil || p.Erased {
		return "", err
	}
	return p.Open("mail", a.Sealed)
}

// isAddressOf reports whether an address is the confirmed one of a person.
func (s *Service) isAddressOf(ctx context.Context, tx *db.Tx, city int, person, address string) (bool, error) {
	a, there, err := findAddress(ctx, tx, city, person)
	return err == nil && there && a.State == Kept && a.Blind == s.blind(address), err
}

// Stopping is what the page of a letter's link is asked to do.
type Stopping struct {
	City  int
	Token string
	Scope notice.Scope // empty: they are wanted again
}

// Holds reports whether a link to stop letters is one of ours.
func (s *Service) Holds(city int, token string) error {
	if _, ok := s.stopKey(city, token); !ok {
		return fault.New(fault.NotFound, "not_found")
	}
	return nil
}

// Stop keeps the wish of whoever holds a letter of ours: the link in it is the proof.
func (s *Service) Stop(ctx context.Context, in Stopping) error {
	key, ok := s.stopKey(in.City, in.Token)
	if !ok {
		return fault.New(fault.NotFound, "not_found")
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		w, err := s.o.Notices.WrittenIn(ctx, tx, in.City, idIn(key))
		if err != nil {
			return err
		}
		return s.o.Notices.RefuseIn(ctx, tx, actor.Anonymous(actor.Public), notice.Refusal{City: in.City, Person: w.Person, Scope: in.Scope, Door: doorMail})
	})
}

func (s *Service) note(ctx context.Context, tx *db.Tx, by actor.Actor, city int, person, act string) error {
	return audit.Record(ctx, tx, by, city, audit.Act{Subject: "person:" + person, Act: act})
}

func (s *Service) blind(address string) string { return s.o.Ring.Blind("mail", address) }

func (s *Service) hash(person, code string) string {
	return s.o.Ring.Blind("mail.code", person+"\n"+code)
}

// whose is the resident who acts; nobody else has an address of their own here.
func whose(by actor.Actor) (string, error) {
	person, ok := resident.PersonOf(by)
	if !ok {
		return "", fault.New(fault.Denied, "denied.scope")
	}
	return person, nil
}

func orGone(err error) error {
	if err != nil {
		return err
	}
	return fault.New(fault.NotFound, "not_found")
}

func newCode() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("draw a code: %w", err)
	}
	return fmt.Sprintf("%06d", n), nil
}
