package staff

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Credentials are what the login page sends. Address is the visitor's network address, Agent their browser.
type Credentials struct {
	Login    string `json:"login" form:"login"`
	Password string `json:"password" form:"password"`
	Address  string `json:"-" form:"-"`
	Agent    string `json:"-" form:"-"`
}

// Ticket is a login that worked. With NeedsCode the token is good for Confirm only.
type Ticket struct {
	Token      string
	NeedsCode  bool
	MustChange bool
	Expires    time.Time
}

// codeTime is how long one may take to type the one-time code.
const codeTime = 5 * time.Minute

// visitor is who knocks, as far as attempts are counted.
type visitor struct{ login, address, agent string }

func (s *Service) accountName(login string) string { return s.o.Ring.Blind("login", login) }

func (s *Service) addressName(address string) string { return s.o.Ring.Blind("login address", address) }

// Login checks a password. An unknown account, a disabled one and a wrong password give the same answer after the same
// time; too many failures lock the account or the address for a while.
func (s *Service) Login(ctx context.Context, in Credentials) (Ticket, error) {
	v := visitor{login: normalLogin(in.Login), address: in.Address, agent: in.Agent}
	if len(v.login) > 200 || len(in.Password) > 1000 {
		return Ticket{}, badLogin()
	}
	a, err := s.attempt(ctx, v)
	if err != nil {
		return Ticket{}, err
	}
	ok, err := s.hash.matches(ctx, in.Password, a.Password)
	if err != nil {
		return Ticket{}, err
	}
	if !ok || !a.Active {
		return Ticket{}, badLogin()
	}
	return s.admit(ctx, v, a.ID, a.TOTP)
}

func badLogin() error { return fault.New(fault.Invalid, "staff.bad_login") }

// attempt counts a guess before it is checked, so that many sent at once cannot slip past the limit; admit clears the
// account's count. It gives the account, empty when there is none.
func (s *Service) attempt(ctx context.Context, v visitor) (account, error) {
	type outcome struct {
		account
		wait verdict
	}
	out, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (outcome, error) {
		a, known, err := findBy(ctx, tx, "login", v.login)
		if err != nil {
			return outcome{}, err
		}
		name, err := s.counter(ctx, tx, a.ID, v)
		if err != nil {
			return outcome{}, err
		}
		wait, err := s.count(ctx, tx, name, s.o.Limits.AccountFailures)
		if err != nil {
			return outcome{}, err
		}
		if wait.began && known {
			if err := note(ctx, tx, actor.SystemFor("login", actor.Page), a.Person, "staff.locked", nil); err != nil {
				return outcome{}, err
			}
		}
		address, err := s.count(ctx, tx, s.addressName(v.address), s.o.Limits.AddressFailures)
		wait.ms = max(wait.ms, address.ms)
		return outcome{a, wait}, err // the count stands although the login is refused
	})
	if err != nil {
		return account{}, err
	}
	if out.wait.ms > 0 {
		return account{}, fault.New(fault.Exhausted, "staff.locked", "minutes", (out.wait.ms+59_999)/60_000)
	}
	return out.account, nil
}

// counter names the count that a guess goes to. An address from which the person logged in lately has one of its own, so
// that a stranger who locks the account does not lock out its owner.
func (s *Service) counter(ctx context.Context, tx *db.Tx, person string, v visitor) (string, error) {
	if person == "" {
		return s.accountName(v.login), nil
	}
	const lately = 30 * 24 * time.Hour
	n, err := db.One[int64](ctx, tx, `SELECT count(*) FROM session WHERE person_id = $1 AND address = $2 AND pending = FALSE AND created_at > $3`,
		person, v.address, s.machine()-lately.Milliseconds())
	if err != nil {
		return "", fmt.Errorf("look for earlier logins: %w", err)
	}
	if n == 0 {
		return s.accountName(v.login), nil
	}
	return s.o.Ring.Blind("login from", v.login+"\x00"+v.address), nil
}

// verdict is how long a guesser must wait, and whether that began just now.
type verdict struct {
	ms    int64
	began bool
}

// count adds one attempt and says how long to wait when there were too many.
func (s *Service) count(ctx context.Context, tx *db.Tx, name string, most int) (verdict, error) {
	now := s.machine()
	old, err := attemptsOf(ctx, tx, name)
	if err != nil {
		return verdict{}, fmt.Errorf("read attempts: %w", err)
	}
	if old.Locked > now {
		return verdict{ms: old.Locked - now}, nil
	}
	if old.Locked > 0 { // the lock is over: start anew
		if err := saveAttempts(ctx, tx, name, attempts{From: now}); err != nil {
			return verdict{}, err
		}
	}
	a, err := countAttempt(ctx, tx, name, now, s.o.Limits.Window.Milliseconds())
	if err != nil {
		return verdict{}, fmt.Errorf("count an attempt: %w", err)
	}
	if a.Failures <= int64(most) {
		return verdict{}, nil
	}
	a.Locked = now + s.o.Limits.Lock.Milliseconds()
	return verdict{ms: a.Locked - now, began: true}, saveAttempts(ctx, tx, name, a)
}

// admit opens a session, or one that still owes the one-time code.
func (s *Service) admit(ctx context.Context, v visitor, person string, owesCode bool) (Ticket, error) {
	token := newToken()
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Ticket, error) {
		a, err := find(ctx, tx, person)
		if err != nil || !a.Active {
			return Ticket{}, badLogin()
		}
		now := s.machine()
		if !owesCode {
			if err := s.clearCounts(ctx, tx, a, v); err != nil {
				return Ticket{}, err
			}
		}
		life := s.o.Life
		if owesCode {
			life = codeTime
		}
		row := sessionRow{
			ID: tx.NewID(), Hash: hashToken(token), Person: a.ID, Pending: owesCode, Address: v.address,
			Agent: clip(v.agent, 200), Created: now, Seen: now, Expires: now + life.Milliseconds(),
		}
		if err := db.Insert(ctx, tx, "session", &row); err != nil {
			return Ticket{}, fmt.Errorf("open a session: %w", err)
		}
		t := Ticket{Token: token, NeedsCode: owesCode, MustChange: a.MustChange, Expires: time.UnixMilli(row.Expires)}
		if owesCode {
			return t, nil
		}
		if _, err := db.Exec(ctx, tx, `UPDATE person SET last_login_at = $2 WHERE id = $1`, a.ID, tx.Now); err != nil {
			return Ticket{}, fmt.Errorf("note the login: %w", err)
		}
		return t, note(ctx, tx, a.actor(), a.Person, "staff.login", map[string]any{"session": row.ID})
	})
}

func (s *Service) clearCounts(ctx context.Context, tx *db.Tx, a account, v visitor) error {
	name, err := s.counter(ctx, tx, a.ID, v)
	if err != nil {
		return err
	}
	if err := saveAttempts(ctx, tx, name, attempts{}); err != nil {
		return err
	}
	_, err = db.Exec(ctx, tx, `UPDATE login_attempt SET failures = failures - 1 WHERE name = $1 AND failures > 0 AND locked_until = 0`,
		s.addressName(v.address)) // this one was no failure
	if err != nil {
		return fmt.Errorf("count an attempt: %w", err)
	}
	return nil
}

// Confirm finishes a login that owes the one-time code, or one of the recovery codes.
func (s *Service) Confirm(ctx context.Context, token, code, address, agent string) (Ticket, error) {
	row, a, err := s.pending(ctx, token)
	if err != nil {
		return Ticket{}, err
	}
	v := visitor{login: a.Login, address: address, agent: agent}
	if _, err := s.attempt(ctx, v); err != nil {
		return Ticket{}, err
	}
	err = db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if err := s.useCode(ctx, tx, a.ID, code); err != nil {
			return err
		}
		return db.Guarded(ctx, tx, `UPDATE session SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL`, row.ID, s.machine())
	})
	if err != nil {
		return Ticket{}, err
	}
	return s.admit(ctx, v, a.ID, false)
}

// pending finds the half-open session of a token.
func (s *Service) pending(ctx context.Context, token string) (sessionRow, account, error) {
	type both struct {
		row sessionRow
		a   account
	}
	b, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (both, error) {
		row, ok, err := findSession(ctx, tx, hashToken(token))
		if err != nil {
			return both{}, err
		}
		if !ok || !row.Pending || row.Ended != nil || row.Expires <= s.machine() {
			return both{}, fault.New(fault.Invalid, "staff.code_too_late")
		}
		a, err := find(ctx, tx, row.Person)
		return both{row, a}, err
	})
	return b.row, b.a, err
}

// actor is the account as the one who acts.
func (a account) actor() actor.Actor {
	by := actor.Actor{ID: a.ID, Name: a.Name, Kind: actor.Person, Org: a.Org, Door: actor.Page}
	for _, g := range a.Grants {
		by.Grants = append(by.Grants, g.Actor())
	}
	return by
}

// newToken is 32 random bytes as text.
func newToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func clip(s string, most int) string {
	runes := 0
	for i := range s {
		if runes++; runes > most {
			return s[:i]
		}
	}
	return s
}
