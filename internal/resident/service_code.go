package resident

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/jobs"
	"github.com/rehu-heat/rehu/internal/notice"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
)

// sending is the job that finds out whom a code goes to and writes the message down. It holds neither telephone nor code.
type sending struct {
	Code string `json:"code"` // the row's id
}

func (sending) Kind() string { return "resident.code" }

// letter is what a code's row keeps sealed until its message is written down.
type letter struct {
	Code    string            `json:"code"`
	Phone   string            `json:"phone,omitempty"`
	Account string            `json:"account,omitempty"` // whose telephone the register knows
	Params  map[string]string `json:"params,omitempty"`
}

// RequestCode sends a code to a telephone. Nobody learns whether it is known: nothing is looked up here, a job finds out
// whom to write to.
func (s *Service) RequestCode(ctx context.Context, _ actor.Actor, in Ask) (Asked, error) {
	phone, err := mobile(in.Phone)
	if err != nil {
		return Asked{}, err
	}
	return s.request(ctx, request{
		city: in.City, purpose: ForEnter, key: s.o.Ring.Blind(secret.Phone, phone), lang: in.Lang, address: in.Address,
		letter: letter{Phone: phone},
	})
}

// mobile reads a telephone that can take a message.
func mobile(s string) (string, error) {
	phone := secret.NormalPhone(s)
	var c fault.Check
	c.That(secret.IsMobile(phone), "phone", "resident.not_mobile")
	return phone, c.Err()
}

// request is a code that is asked for; key is the telephone's or the pair's keyed hash.
type request struct {
	city      int
	purpose   Purpose
	key, ref  string
	lang      text.Lang
	address   string
	letter    letter
	also      string // a further counter of its own: the account
	alsoLimit Limit
}

func (s *Service) request(ctx context.Context, r request) (Asked, error) {
	if !s.o.Notices.CanSend(notice.SMS) {
		s.note(ctx, r.city, EventNoDelivery)
		return Asked{}, fault.New(fault.Down, "resident.no_gateway")
	}
	if r.lang != text.EN {
		r.lang = text.ZH
	}
	asked, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (Asked, error) {
		return s.requestIn(ctx, tx, r)
	})
	if fault.Is(err, fault.Exhausted) {
		s.note(ctx, r.city, EventCodeLimit)
	} else if err == nil {
		s.note(ctx, r.city, EventCode)
	}
	return asked, err
}

func (s *Service) requestIn(ctx context.Context, tx *db.Tx, r request) (Asked, error) {
	limits := s.o.Limits
	type bound struct {
		name string
		l    Limit
	}
	bounds := []bound{{s.counter("phone", string(r.purpose)+r.key), limits.Phone}, {s.counter("address", r.address), limits.Address}, {"city", limits.City}}
	if r.also != "" {
		bounds = append([]bound{{s.counter("holder", r.also), r.alsoLimit}}, bounds...)
	}
	for _, b := range bounds {
		wait, err := s.tally(ctx, tx, r.city, b.name, b.l)
		if err != nil {
			return Asked{}, err
		}
		if wait > 0 {
			return Asked{}, tooMany("resident.code_wait", wait)
		}
	}
	now := s.machine()
	again, err := countOf(ctx, tx, r.city, bounds[0].name, now)
	if err != nil {
		return Asked{}, err
	}
	row := codeRow{
		City: r.city, Key: r.key, Purpose: r.purpose, ID: tx.NewID(), Ref: r.ref, Lang: r.lang,
		Created: now, Expires: now + CodeLife.Milliseconds(),
	}
	r.letter.Code = newCode()
	row.Hash = s.hashCode(row, r.letter.Code)
	b, err := json.Marshal(r.letter)
	if err != nil {
		return Asked{}, fmt.Errorf("seal a code: %w", err)
	}
	row.Sealed = s.o.Ring.Wrap(b, "resident code "+row.ID)
	if err := keepCode(ctx, tx, row); err != nil {
		return Asked{}, err
	}
	wait := max(0, time.Duration(again.Next-now)*time.Millisecond)
	return Asked{Minutes: int(CodeLife.Minutes()), Again: int((wait + time.Second - 1).Seconds())},
		jobs.Add(ctx, tx, r.city, sending{row.ID}, jobs.When{})
}

// hashCode binds a code to its row: it is good for nothing else.
func (s *Service) hashCode(r codeRow, code string) string {
	return s.o.Ring.Blind("resident code", strings.Join([]string{r.ID, string(r.Purpose), r.Key, r.Ref, code}, "\x00"))
}

// codeMessages are the texts that bring a code.
var codeMessages = map[Purpose]string{
	ForEnter: "message.resident.enter", ForBind: "message.resident.bind", ForHelp: "message.resident.help",
}

// sendCode is the job: it opens the row, finds the telephone and writes the message down. Where the register knows no
// telephone that can take one, nothing is sent, and whoever asked is told no more than anybody else.
func (s *Service) sendCode(ctx context.Context, j jobs.Job, a sending) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		row, ok, err := codeByID(ctx, tx, j.City, a.Code)
		if err != nil || !ok || row.Sealed == "" || row.Expires <= s.machine() {
			return err
		}
		l, err := s.openLetter(row)
		if err != nil {
			return err
		}
		if l.Account != "" {
			if l.Phone, err = s.holderPhone(ctx, tx, j.City, l.Account); err != nil {
				return err
			}
		}
		if err := unseal(ctx, tx, row); err != nil || !secret.IsMobile(l.Phone) {
			return err
		}
		params := map[string]any{"minutes": int(CodeLife.Minutes())}
		for k, v := range l.Params {
			params[k] = v
		}
		_, err = s.o.Notices.EnqueueIn(ctx, tx, actor.SystemFor("resident", actor.Job), notice.Message{
			City: j.City, Channel: notice.SMS, To: l.Phone, Template: codeMessages[row.Purpose], Params: params,
			Private: map[string]string{"code": l.Code}, Lang: row.Lang, Matter: "resident-code:" + row.ID, QuietExempt: true,
			Until: tx.Now.Add(CodeLife),
		})
		return err
	})
}

func (s *Service) openLetter(row codeRow) (letter, error) {
	var l letter
	b, err := s.o.Ring.Unwrap(row.Sealed, "resident code "+row.ID)
	if err != nil {
		return l, fmt.Errorf("open a code: %w", err)
	}
	if err := json.Unmarshal(b, &l); err != nil {
		return l, fmt.Errorf("read a code: %w", err)
	}
	return l, nil
}

// holderPhone is the telephone that the register has for a household, empty when it has none.
func (s *Service) holderPhone(ctx context.Context, tx *db.Tx, city int, account string) (string, error) {
	row, ok, err := place.HouseholdIn(ctx, tx, city, account)
	if err != nil || !ok {
		return "", err
	}
	return s.phoneOf(ctx, tx, row)
}

func (s *Service) phoneOf(ctx context.Context, tx *db.Tx, row place.HouseholdRow) (string, error) {
	if row.Person == "" || row.Phone == "" {
		return "", nil
	}
	p, err := secret.OpenSubject(ctx, tx, s.o.Ring, row.City, row.Person)
	if err != nil || p.Erased {
		return "", err
	}
	phone, err := p.Open("household.phone", row.Phone)
	if err != nil {
		return "", fmt.Errorf("open the telephone of a household: %w", err)
	}
	return secret.NormalPhone(phone), nil
}

// Enter logs in with a code. A wrong code, an old one and one that nobody asked for give the same answer.
func (s *Service) Enter(ctx context.Context, by actor.Actor, in Entry) (Ticket, error) {
	phone, err := mobile(in.Phone)
	if err != nil {
		return Ticket{}, err
	}
	type outcome struct {
		ticket Ticket
		wrong  bool
	}
	out, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (outcome, error) {
		guess := guess{city: in.City, purpose: ForEnter, key: s.o.Ring.Blind(secret.Phone, phone), code: in.Code, address: in.Address}
		right, err := s.check(ctx, tx, guess)
		if err != nil || !right {
			return outcome{wrong: !right}, err // the try stands although the login is refused
		}
		who, err := secret.Subject(ctx, tx, s.o.Ring, in.City, secret.Phone, phone)
		if err != nil {
			return outcome{}, err
		}
		first, err := s.keepResident(ctx, tx, who, phone, in.Lang)
		if err != nil {
			return outcome{}, err
		}
		t, err := s.admit(ctx, tx, admission{city: in.City, person: who.ID, door: "code", agent: in.Agent, via: by.Door})
		t.First = first
		return outcome{ticket: t}, err
	})
	switch {
	case err != nil:
		return Ticket{}, err
	case out.wrong:
		s.note(ctx, in.City, EventBadCode)
		return Ticket{}, badCode()
	}
	s.note(ctx, in.City, EventEnter)
	return out.ticket, nil
}

func badCode() error {
	var c fault.Check
	c.Add("code", "resident.bad_code")
	return c.Err()
}

// guess is a code that somebody typed.
type guess struct {
	city                    int
	purpose                 Purpose
	key, ref, code, address string
}

// check uses one try of a code. It holds once; a wrong one counts against the address too.
func (s *Service) check(ctx context.Context, tx *db.Tx, g guess) (bool, error) {
	from := s.counter("guess", g.address)
	wait, err := s.blocked(ctx, tx, g.city, from, s.o.Limits.Guess)
	if err != nil {
		return false, err
	}
	if wait > 0 {
		return false, tooMany("resident.guess_wait", wait)
	}
	row, ok, err := useTry(ctx, tx, g.city, g.key, g.purpose, s.machine())
	if err != nil {
		return false, err
	}
	typed := digits(g.code)
	right := ok && row.Ref == g.ref && subtle.ConstantTimeCompare([]byte(row.Hash), []byte(s.hashCode(row, typed))) == 1
	if right {
		return true, dropCode(ctx, tx, row)
	}
	if _, err := s.tally(ctx, tx, g.city, from, s.o.Limits.Guess); err != nil {
		return false, err
	}
	if !ok || row.Tries < codeTries {
		return false, nil
	}
	return false, audit.Record(ctx, tx, actor.SystemFor("resident", actor.Public), g.city, audit.Act{
		Subject: "resident-code:" + row.ID, Act: "resident.code_spent", Body: map[string]any{"purpose": g.purpose},
	})
}

// digits are the digits of what was typed: spaces between them and full-width ones are no mistake.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return r
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		}
		return -1
	}, s)
}
