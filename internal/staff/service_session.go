package staff

import (
	"context"
	"fmt"
	"time"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Session is a login that holds, as its owner and managers see it. Its times are machine time.
type Session struct {
	ID      string    `json:"id"`
	Address string    `json:"address"`
	Agent   string    `json:"agent"`
	Created time.Time `json:"created_at"`
	Seen    time.Time `json:"seen_at"`
	Expires time.Time `json:"expires_at"`
}

// Authenticate tells who stands behind a session's token; false when it does not hold (any more).
func (s *Service) Authenticate(ctx context.Context, token string) (Identity, bool, error) {
	if token == "" || len(token) > 100 {
		return Identity{}, false, nil
	}
	hash := hashToken(token)
	who, ok, epoch := s.cache.get(hash)
	if ok {
		return who, true, nil
	}
	row, a, err := s.alive(ctx, hash)
	if err != nil || row.ID == "" {
		return Identity{}, false, err
	}
	now := s.machine()
	if now-row.Seen >= min(s.o.Idle/4, time.Minute).Milliseconds() {
		if err := s.touch(ctx, row.ID, now); err != nil {
			return Identity{}, false, err
		}
	}
	who = Identity{Actor: a.actor(), Session: row.ID, MustChange: a.MustChange, TOTP: a.TOTP}
	if a.MustChange {
		who.Actor.Grants = nil
	}
	ends := min(row.Expires, now+s.o.Idle.Milliseconds())
	s.cache.put(hash, remembered{who: who, owner: a.ID, idle: time.UnixMilli(ends)}, epoch)
	return who, true, nil
}

// alive reads a session that holds, with its person; an empty row when it does not.
func (s *Service) alive(ctx context.Context, hash string) (sessionRow, account, error) {
	type both struct {
		row sessionRow
		a   account
	}
	b, err := db.Read(ctx, s.o.DB, func(tx *db.Tx) (both, error) {
		row, ok, err := findSession(ctx, tx, hash)
		now := s.machine()
		if err != nil || !ok || row.Pending || row.Ended != nil || row.Expires <= now || row.Seen+s.o.Idle.Milliseconds() <= now {
			return both{}, err
		}
		a, err := find(ctx, tx, row.Person)
		if err != nil || !a.Active {
			return both{}, err
		}
		return both{row, a}, nil
	})
	return b.row, b.a, err
}

func (s *Service) touch(ctx context.Context, id string, now int64) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if _, err := db.Exec(ctx, tx, `UPDATE session SET seen_at = $2 WHERE id = $1 AND ended_at IS NULL`, id, now); err != nil {
			return fmt.Errorf("keep a session alive: %w", err)
		}
		return nil
	})
}

// Sessions lists the logins of a person that hold, for themselves and their managers.
func (s *Service) Sessions(ctx context.Context, by actor.Actor, person string) ([]Session, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Session, error) {
		if err := ownerOrManager(ctx, tx, by, person); err != nil {
			return nil, err
		}
		now := s.machine()
		rows, err := sessionsOf(ctx, tx, person, now)
		if err != nil {
			return nil, fmt.Errorf("list sessions: %w", err)
		}
		var out []Session
		for _, r := range rows {
			if r.Seen+s.o.Idle.Milliseconds() <= now {
				continue
			}
			out = append(out, Session{
				ID: r.ID, Address: r.Address, Agent: r.Agent, Created: time.UnixMilli(r.Created),
				Seen: time.UnixMilli(r.Seen), Expires: time.UnixMilli(r.Expires),
			})
		}
		return out, nil
	})
}

func ownerOrManager(ctx context.Context, tx *db.Tx, by actor.Actor, person string) error {
	if by.ID == person && by.Kind == actor.Person {
		return nil
	}
	a, err := find(ctx, tx, person)
	if err != nil {
		return err
	}
	if err := mayManage(by, a.City, a.Org, a.Grants); err != nil {
		return hideForeign(by, a, err)
	}
	return nil
}

// EndSession ends one login of a person.
func (s *Service) EndSession(ctx context.Context, by actor.Actor, person, session string) error {
	return s.end(ctx, by, person, func(tx *db.Tx) (int64, error) {
		return db.Exec(ctx, tx, `UPDATE session SET ended_at = $3 WHERE id = $1 AND person_id = $2 AND ended_at IS NULL`, session, person, s.machine())
	}, map[string]any{"session": session})
}

// EndSessions ends every login of a person except one, which may be empty.
func (s *Service) EndSessions(ctx context.Context, by actor.Actor, person, keep string) error {
	return s.end(ctx, by, person, func(tx *db.Tx) (int64, error) {
		n, err := endSessions(ctx, tx, person, keep, s.machine())
		return max(n, 1), err // none left is what was asked for
	}, map[string]any{"all": true})
}

func (s *Service) end(ctx context.Context, by actor.Actor, person string, fn func(tx *db.Tx) (int64, error), body any) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if err := ownerOrManager(ctx, tx, by, person); err != nil {
			return err
		}
		a, err := find(ctx, tx, person)
		if err != nil {
			return err
		}
		n, err := fn(tx)
		if err != nil {
			return fmt.Errorf("end a session: %w", err)
		}
		if n == 0 {
			return fault.New(fault.NotFound, "not_found")
		}
		tx.After(func() { s.cache.forget(person) })
		return note(ctx, tx, by, a.Person, "staff.end_session", body)
	})
}

// Logout ends the session of a token; one that does not hold is no error.
func (s *Service) Logout(ctx context.Context, token string) error {
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		row, ok, err := findSession(ctx, tx, hashToken(token))
		if err != nil || !ok || row.Ended != nil {
			return err
		}
		a, err := find(ctx, tx, row.Person)
		if err != nil {
			return err
		}
		if _, err := db.Exec(ctx, tx, `UPDATE session SET ended_at = $2 WHERE id = $1`, row.ID, s.machine()); err != nil {
			return fmt.Errorf("end a session: %w", err)
		}
		tx.After(func() { s.cache.forget(row.Person) })
		return note(ctx, tx, a.actor(), a.Person, "staff.logout", map[string]any{"session": row.ID})
	})
}

// Sweep drops what no longer matters: sessions that ended a month ago and counts of attempts of yesterday. The acts
// themselves stay in the audit.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.o.Machine()
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		if _, err := db.Exec(ctx, tx, `DELETE FROM session WHERE expires_at < $1`, now.AddDate(0, -1, 0).UnixMilli()); err != nil {
			return fmt.Errorf("sweep sessions: %w", err)
		}
		if _, err := db.Exec(ctx, tx, `DELETE FROM login_attempt WHERE from_at < $1 AND locked_until < $2`,
			now.Add(-24*time.Hour).UnixMilli(), now.UnixMilli()); err != nil {
			return fmt.Errorf("sweep attempts: %w", err)
		}
		return nil
	})
}
