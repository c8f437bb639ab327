package resident

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
)

// newToken makes a session's token.
func newToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails, see its documentation
	return base64.RawURLEncoding.EncodeToString(b)
}

func hashToken(token string) string {
	h := sha256.Sum256([]byte("resident\x00" + token))
	return hex.EncodeToString(h[:])
}

// admission is a login that has proved itself.
type admission struct {
	city                int
	person, door, agent string
	via                 actor.Door
}

// keepResident notes a person's telephone the first time, or after it was erased; true when there was none.
func (s *Service) keepResident(ctx context.Context, tx *db.Tx, who secret.Person, phone string, lang text.Lang) (bool, error) {
	if lang != text.EN {
		lang = text.ZH
	}
	row := residentRow{City: who.City, Person: who.ID, Phone: who.Seal("resident.phone", phone), Lang: lang, Created: tx.Now, Seen: tx.Now, Version: 1}
	n, err := insertResident(ctx, tx, row)
	return n, err
}

// admit begins a session and records the login.
func (s *Service) admit(ctx context.Context, tx *db.Tx, a admission) (Ticket, error) {
	token, now := newToken(), s.o.Machine()
	row := sessionRow{
		City: a.city, ID: tx.NewID(), Token: hashToken(token), Person: a.person, Door: a.door, Agent: clip(a.agent, 200),
		Created: now.UnixMilli(), Seen: now.UnixMilli(), Rotated: now.UnixMilli(), Expires: now.Add(sessionLife).UnixMilli(),
	}
	if err := db.Insert(ctx, tx, "resident_session", row); err != nil {
		return Ticket{}, fmt.Errorf("begin a session: %w", err)
	}
	if err := seenNow(ctx, tx, a.city, a.person); err != nil {
		return Ticket{}, err
	}
	return Ticket{Token: token, Expires: time.UnixMilli(row.Expires), Person: a.person},
		record(ctx, tx, As(a.city, a.person, a.via), a.city, a.person, "resident.enter", map[string]any{"session": row.ID, "door": a.door})
}

func clip(s string, most int) string {
	r := []rune(s)
	return string(r[:min(len(r), most)])
}

// record appends an act to a person's own chain.
func record(ctx context.Context, tx *db.Tx, by actor.Actor, city int, person, act string, body any) error {
	return audit.Record(ctx, tx, by, city, audit.Act{Subject: prefix + person, Act: act, Body: body})
}

// Authenticate tells who stands behind a session's token; false when it does not hold (any more). Once a day the token is
// changed: Who.Renewed is the one to send from now on. Whoever comes with an older one has a copy: the session ends.
func (s *Service) Authenticate(ctx context.Context, city int, token string) (Who, bool, error) {
	if token == "" || len(token) > 100 {
		return Who{}, false, nil
	}
	type found struct {
		row sessionRow
		who Who
	}
	hash := hashToken(token)
	f, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (found, error) {
		row, ok, err := findSession(ctx, tx, city, hash)
		if err != nil || !ok || !row.holds(s.machine()) {
			return found{}, err
		}
		who, ok, err := s.who(ctx, tx, row)
		if err != nil || !ok {
			return found{}, err
		}
		return found{row, who}, nil
	})
	if err != nil || f.row.ID == "" {
		return Who{}, false, err
	}
	return s.freshen(ctx, f.row, f.who, hash)
}

// holds reports whether a session is still good.
func (r sessionRow) holds(now int64) bool {
	return r.Ended == nil && r.Expires > now && r.Seen+sessionIdle.Milliseconds() > now
}

// who reads the person of a session; false when their data were erased.
func (s *Service) who(ctx context.Context, tx *db.Tx, row sessionRow) (Who, bool, error) {
	phone, lang, ok, err := s.phoneIn(ctx, tx, row.City, row.Person)
	if err != nil || !ok {
		return Who{}, false, err
	}
	return Who{
		Actor: As(row.City, row.Person, actor.Public), City: row.City, Person: row.Person, Session: row.ID,
		Phone: secret.MaskPhone(phone), Lang: lang,
	}, true, nil
}

// freshen changes the token when its day is over and notes that the session is used.
func (s *Service) freshen(ctx context.Context, row sessionRow, who Who, hash string) (Who, bool, error) {
	now := s.machine()
	used := row.Seen > row.Rotated // somebody came with the present token
	old := row.Token != hash       // and this is the one before it
	switch {
	case old && now <= row.Rotated+rotateSpare.Milliseconds():
		return who, true, nil
	case old && used:
		return Who{}, false, s.copied(ctx, row)
	case old, now-row.Rotated >= rotateAfter.Milliseconds(): // the answer with the new token was lost, or its day is over
		token := newToken()
		changed, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (bool, error) {
			return rotate(ctx, tx, row, hash, hashToken(token), now)
		})
		if changed {
			who.Renewed = token
		}
		return who, err == nil, err
	case !used && now > row.Rotated || now-row.Seen >= seenEvery.Milliseconds():
		err := db.Do(ctx, s.o.DB, func(tx *db.Tx) error { return touch(ctx, tx, row, now) })
		return who, err == nil, err
	}
	return who, true, nil
}

// copied ends a session of which two browsers hold a token.
func (s *Service) copied(ctx context.Context, row sessionRow) error {
	s.note(ctx, row.City, EventTheft)
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if _, err := endSessions(ctx, tx, row.City, row.Person, row.ID, s.machine()); err != nil {
			return err
		}
		if err := s.left(ctx, tx, row.City, row.Person); err != nil {
			return err
		}
		return record(ctx, tx, actor.SystemFor("resident", actor.Public), row.City, row.Person, "resident.copied", map[string]any{"session": row.ID})
	})
}

// phoneIn is a resident's own telephone and language; false when their data were erased.
func (s *Service) phoneIn(ctx context.Context, tx *db.Tx, city int, person string) (string, text.Lang, bool, error) {
	row, ok, err := findResident(ctx, tx, city, person)
	if err != nil || !ok {
		return "", "", false, err
	}
	p, err := secret.OpenSubject(ctx, tx, s.o.Ring, city, person)
	if err != nil || p.Erased {
		return "", "", false, err
	}
	phone, err := p.Open("resident.phone", row.Phone)
	if err != nil {
		return "", "", false, fmt.Errorf("open a resident's telephone: %w", err)
	}
	return phone, row.Lang, true, nil
}

// Phone gives residents their own telephone in the clear, for the forms that it is filled into.
func (s *Service) Phone(ctx context.Context, by actor.Actor, city int) (string, error) {
	person, err := s.self(by)
	if err != nil {
		return "", err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (string, error) {
		phone, _, ok, err := s.phoneIn(ctx, tx, city, person)
		if err == nil && !ok {
			err = fault.New(fault.NotFound, "not_found")
		}
		return phone, err
	})
}

// self is the resident who acts; a visitor who is not logged in and staff are refused.
func (s *Service) self(by actor.Actor) (string, error) {
	if person, ok := PersonOf(by); ok {
		return person, nil
	}
	return "", fault.New(fault.Denied, "resident.enter_first")
}

// Sessions lists a resident's logins that hold, newest first.
func (s *Service) Sessions(ctx context.Context, by actor.Actor, city int, this string) ([]Session, error) {
	person, err := s.self(by)
	if err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Session, error) {
		rows, err := sessionsOf(ctx, tx, city, person)
		if err != nil {
			return nil, err
		}
		var out []Session
		for _, r := range rows {
			if r.holds(s.machine()) {
				out = append(out, Session{ID: r.ID, Door: r.Door, Agent: r.Agent, Created: time.UnixMilli(r.Created), Seen: time.UnixMilli(r.Seen), This: r.ID == this})
			}
		}
		return out, nil
	})
}

// Leave ends one login of a resident; an empty id ends every one of them, on every telephone.
func (s *Service) Leave(ctx context.Context, by actor.Actor, city int, session string) error {
	person, err := s.self(by)
	if err != nil {
		return err
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		n, err := endSessions(ctx, tx, city, person, session, s.machine())
		if err != nil || n == 0 {
			return err
		}
		if err := s.left(ctx, tx, city, person); err != nil {
			return err
		}
		act := "resident.leave"
		if session == "" {
			act = "resident.leave_all"
		}
		return record(ctx, tx, by, city, person, act, map[string]any{"ended": n})
	})
}

// left tells whoever wants to know that logins of a person ended.
func (s *Service) left(ctx context.Context, tx *db.Tx, city int, person string) error {
	if s.OnLeave == nil {
		return nil
	}
	return s.OnLeave(ctx, tx, city, person)
}

// HoldingIn lists the ids of a person's logins that hold.
func (s *Service) HoldingIn(ctx context.Context, tx *db.Tx, city int, person string) ([]string, error) {
	rows, err := sessionsOf(ctx, tx, city, person)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range rows {
		if r.holds(s.machine()) {
			out = append(out, r.ID)
		}
	}
	return out, nil
}
