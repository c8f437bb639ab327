package resident

import (
	"context"
	"fmt"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/secret"
)

// LinkIdentityIn joins another channel's id to a resident who has just proved their telephone, in the caller's transaction.
// The caller has checked with the channel that the id is theirs. An id that was joined to somebody else moves: whoever holds
// the telephone now is who uses it. Joining it twice changes nothing.
func (s *Service) LinkIdentityIn(ctx context.Context, tx *db.Tx, by actor.Actor, in Link) error {
	if !in.Channel.known() || in.External == "" || len(in.External) > 200 {
		return fault.New(fault.Invalid, "resident.bad_identity")
	}
	p, err := secret.OpenSubject(ctx, tx, s.o.Ring, in.City, in.Person)
	if err != nil {
		return err
	}
	if p.Erased {
		return fault.New(fault.NotFound, "not_found")
	}
	external := s.external(in.Channel, in.External)
	old, ok, err := identityOf(ctx, tx, in.City, in.Channel, external)
	if err != nil || ok && old.Person == in.Person {
		return err
	}
	if ok {
		if err := endIdentity(ctx, tx, old, tx.Now); err != nil {
			return err
		}
		if err := record(ctx, tx, by, in.City, old.Person, "resident.unlink", map[string]any{"identity": old.ID, "channel": in.Channel}); err != nil {
			return err
		}
	}
	row := identityRow{
		City: in.City, ID: tx.NewID(), Person: in.Person, Channel: in.Channel, External: external,
		Sealed: p.Seal("resident.identity", in.External), Created: tx.Now,
	}
	err = db.Insert(ctx, tx, "resident_identity", row)
	if db.IsUnique(err) {
		return fmt.Errorf("link an identity: %w", db.ErrRetry)
	}
	if err != nil {
		return fmt.Errorf("link an identity: %w", err)
	}
	return record(ctx, tx, by, in.City, in.Person, "resident.link", map[string]any{"identity": row.ID, "channel": in.Channel})
}

func (s *Service) external(c Channel, id string) string {
	return s.o.Ring.Blind("resident identity "+string(c), id)
}

// ByIdentityIn finds the resident that another channel's id is joined to; false when there is none.
func (s *Service) ByIdentityIn(ctx context.Context, tx *db.Tx, city int, c Channel, external string) (string, bool, error) {
	row, ok, err := identityOf(ctx, tx, city, c, s.external(c, external))
	return row.Person, ok, err
}

// EnterBy logs in with another channel's id that was joined before; the caller has checked with the channel that it is the
// visitor's. NotFound asks for a code first.
func (s *Service) EnterBy(ctx context.Context, by actor.Actor, city int, c Channel, external, agent string) (Ticket, error) {
	t, err := db.Write(ctx, s.o.DB, func(tx *db.Tx) (Ticket, error) {
		person, ok, err := s.ByIdentityIn(ctx, tx, city, c, external)
		if err != nil {
			return Ticket{}, err
		}
		if ok {
			_, _, ok, err = s.phoneIn(ctx, tx, city, person)
		}
		if err != nil || !ok {
			return Ticket{}, orElse(err, fault.New(fault.NotFound, "resident.not_linked"))
		}
		return s.admit(ctx, tx, admission{city: city, person: person, door: string(c), agent: agent, via: by.Door})
	})
	if err == nil {
		s.note(ctx, city, EventEnter)
	}
	return t, err
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// Identities lists the channels that are joined to a resident.
func (s *Service) Identities(ctx context.Context, by actor.Actor, city int) ([]Identity, error) {
	person, err := s.self(by)
	if err != nil {
		return nil, err
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Identity, error) {
		rows, err := identitiesOf(ctx, tx, city, person)
		var out []Identity
		for _, r := range rows {
			out = append(out, Identity{ID: r.ID, Channel: r.Channel, Created: r.Created})
		}
		return out, err
	})
}

// Unlink takes a channel apart again; logins that came through it end.
func (s *Service) Unlink(ctx context.Context, by actor.Actor, city int, id string) error {
	person, err := s.self(by)
	if err != nil {
		return err
	}
	return db.Do(ctx, s.o.DB, func(tx *db.Tx) error {
		rows, err := identitiesOf(ctx, tx, city, person)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.ID != id {
				continue
			}
			if err := endIdentity(ctx, tx, r, tx.Now); err != nil {
				return err
			}
			if err := endDoor(ctx, tx, city, person, string(r.Channel), s.machine()); err != nil {
				return err
			}
			if err := s.left(ctx, tx, city, person); err != nil {
				return err
			}
			return record(ctx, tx, by, city, person, "resident.unlink", map[string]any{"identity": r.ID, "channel": r.Channel})
		}
		return fault.New(fault.NotFound, "not_found")
	})
}
