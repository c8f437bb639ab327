package wechat

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/resident"
	"github.com/rehu-heat/rehu/internal/text"
)

// The purposes of a ticket.
const (
	ticketHall = "hall" // a link that logs in to the service hall
	ticketBind = "bind" // a mini program that has not proved a telephone yet
)

// ticketLife is how long a ticket holds.
const ticketLife = 10 * time.Minute

func ticketHash(secret string) string {
	h := sha256.Sum256([]byte("wechat ticket\x00" + secret))
	return hex.EncodeToString(h[:])
}

// ticketIn makes a ticket of a user: its hash is kept, the secret is shown once.
func (s *Service) ticketIn(ctx context.Context, tx *db.Tx, u user, purpose string) (string, error) {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails
	secret := base64.RawURLEncoding.EncodeToString(b)
	row := ticketRow{City: u.City, Hash: ticketHash(secret), User: u.ID, Purpose: purpose, Expires: s.now().Add(ticketLife).UnixMilli()}
	if err := db.Insert(ctx, tx, "wechat_ticket", row); err != nil {
		return "", fmt.Errorf("make a login link: %w", err)
	}
	return secret, nil
}

// holder is whose ticket it is, as long as it holds.
func (s *Service) holder(ctx context.Context, tx *db.Tx, city int, secret, purpose string) (user, error) {
	row, ok, err := findTicket(ctx, tx, city, ticketHash(secret))
	if err != nil {
		return user{}, err
	}
	if !ok || row.Purpose != purpose || row.Used != 0 || row.Expires <= s.now().UnixMilli() {
		return user{}, fault.New(fault.NotFound, "wechat.ticket_over")
	}
	return findUser(ctx, tx, city, row.User)
}

// Holds reports whether a login link is still good; looking at it does not use it up, for WeChat looks at links too.
func (s *Service) Holds(ctx context.Context, city int, secret string) error {
	_, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (user, error) { return s.holder(ctx, tx, city, secret, ticketHall) })
	return err
}

// EnterByTicket uses a login link up and logs its owner in to the service hall.
func (s *Service) EnterByTicket(ctx context.Context, city int, secret, agent string) (resident.Ticket, error) {
	openid, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (string, error) {
		u, err := s.holder(ctx, tx, city, secret, ticketHall)
		if err != nil {
			return "", err
		}
		if ok, err := useTicket(ctx, tx, city, ticketHash(secret), ticketHall, s.now().UnixMilli()); err != nil || !ok {
			return "", orElse(err, fault.New(fault.NotFound, "wechat.ticket_over"))
		}
		return s.openID(ctx, tx, u)
	})
	if err != nil {
		return resident.Ticket{}, err
	}
	return s.o.Residents.EnterBy(ctx, visitor(), city, resident.WeChat, openid, agent)
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// Code is the mini program's login code.
type Code struct {
	City int    `json:"-"`
	Code string `json:"code"`
}

// Login is what a mini program holds afterwards: a session, or a ticket to bind a telephone with.
type Login struct {
	Bound   bool              `json:"bound"`
	Token   string            `json:"token,omitempty"`  // of the session
	Ticket  string            `json:"ticket,omitempty"` // for Bind, within ten minutes
	Expires time.Time         `json:"expires_at"`       //
	Asked   map[string]string `json:"templates"`        // what leave is asked for, by occasion
}

// Enter logs a mini program in: WeChat says whose code it is, and whoever bound a telephone before has a session.
func (s *Service) Enter(ctx context.Context, in Code, agent string) (Login, error) {
	var c fault.Check
	c.That(in.Code != "" && len(in.Code) <= 128, "code", "field.required")
	if err := c.Err(); err != nil {
		return Login{}, err
	}
	a, err := s.mini(ctx, in.City)
	if err != nil {
		return Login{}, err
	}
	who, err := s.o.Client.code2session(ctx, a, in.Code)
	switch code := refused(err); {
	case code == codeBadCode || code == codeUsedCode:
		return Login{}, fault.Wrap(err, fault.Denied, "wechat.bad_code")
	case later(err):
		return Login{}, fault.Wrap(err, fault.Down, "wechat.down")
	case code != 0:
		return Login{}, fault.Wrap(err, fault.Denied, "wechat.bad_code")
	case err != nil:
		return Login{}, err
	}
	return s.admit(ctx, a, who.OpenID, agent)
}

func (s *Service) admit(ctx context.Context, a *Account, openid, agent string) (Login, error) {
	asked := make(map[string]string, len(a.Templates))
	for key, t := range a.Templates {
		asked[key] = t.ID
	}
	u, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (user, error) { return s.userIn(ctx, tx, a, openid) })
	if err != nil {
		return Login{}, err
	}
	if u.Resident != "" {
		t, err := s.o.Residents.EnterBy(ctx, visitor(), a.City, resident.WeChat, openid, agent)
		if err == nil {
			return Login{Bound: true, Token: t.Token, Expires: t.Expires, Asked: asked}, nil
		}
		if !fault.Is(err, fault.NotFound) {
			return Login{}, err
		}
	}
	ticket, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (string, error) { return s.ticketIn(ctx, tx, u, ticketBind) })
	return Login{Ticket: ticket, Expires: s.now().Add(ticketLife), Asked: asked}, err
}

// Binding joins a mini program with a telephone that was proved by a code.
type Binding struct {
	City    int       `json:"-"`
	Ticket  string    `json:"ticket"`
	Phone   string    `json:"phone"`
	Code    string    `json:"code"`
	Lang    text.Lang `json:"-"`
	Address string    `json:"-"`
}

// Bind logs in with a telephone's code and joins the mini program with it. The ticket shows that the openid is the
// visitor's; it is used up by a right code only.
func (s *Service) Bind(ctx context.Context, in Binding, agent string) (Login, error) {
	a, err := s.mini(ctx, in.City)
	if err != nil {
		return Login{}, err
	}
	u, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (user, error) { return s.holder(ctx, tx, in.City, in.Ticket, ticketBind) })
	if err != nil {
		return Login{}, err
	}
	t, err := s.o.Residents.Enter(ctx, visitor(), resident.Entry{City: in.City, Phone: in.Phone, Code: in.Code, Lang: in.Lang, Address: in.Address, Agent: agent})
	if err != nil {
		return Login{}, err
	}
	err = db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if ok, err := useTicket(ctx, tx, in.City, ticketHash(in.Ticket), ticketBind, s.now().UnixMilli()); err != nil || !ok {
			return orElse(err, fault.New(fault.NotFound, "wechat.ticket_over"))
		}
		openid, err := s.openID(ctx, tx, u)
		if err != nil {
			return err
		}
		return s.bindIn(ctx, tx, u, openid, t.Person)
	})
	if err != nil {
		return Login{}, err
	}
	asked := make(map[string]string, len(a.Templates))
	for key, tpl := range a.Templates {
		asked[key] = tpl.ID
	}
	return Login{Bound: true, Token: t.Token, Expires: t.Expires, Asked: asked}, nil
}
