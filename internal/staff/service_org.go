package staff

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/audit"
	"github.com/rehu-heat/rehu/internal/db"
	"github.com/rehu-heat/rehu/internal/fault"
)

// SaveOrganisation adds an organisation (version 0) or changes the version that the manager saw.
func (s *Service) SaveOrganisation(ctx context.Context, by actor.Actor, in OrgInput) (Organisation, error) {
	return db.Write(ctx, s.o.DB, func(tx *db.Tx) (Organisation, error) { return SaveOrganisationIn(ctx, tx, by, in) })
}

// SaveOrganisationIn is SaveOrganisation inside the caller's transaction, for imports of companies.
func SaveOrganisationIn(ctx context.Context, tx *db.Tx, by actor.Actor, in OrgInput) (Organisation, error) {
	in.Code, in.NameZH, in.NameEN = strings.TrimSpace(in.Code), strings.TrimSpace(in.NameZH), strings.TrimSpace(in.NameEN)
	if err := by.May(actor.StaffManage, actor.On{City: in.City}); err != nil {
		return Organisation{}, err
	}
	if err := in.check(); err != nil {
		return Organisation{}, err
	}
	if in.NameEN == "" {
		in.NameEN = in.NameZH
	}
	o := Organisation{City: in.City, Code: in.Code, Kind: in.Kind, NameZH: in.NameZH, NameEN: in.NameEN, Active: in.Active, Version: in.Version + 1, Created: tx.Now}
	act := "org.edit"
	if in.Version == 0 {
		act, o.Active = "org.create", true
		if _, taken, err := findOrg(ctx, tx, in.City, in.Code); err != nil || taken {
			return Organisation{}, orTaken(err, "code", "staff.org_taken")
		}
		if err := db.Insert(ctx, tx, "organisation", &o); err != nil {
			return Organisation{}, fmt.Errorf("add an organisation: %w", err)
		}
	} else if err := db.Guarded(ctx, tx, `UPDATE organisation SET kind = $4, name_zh = $5, name_en = $6, active = $7, version = version + 1
		WHERE city_id = $1 AND code = $2 AND version = $3`, o.City, o.Code, in.Version, string(o.Kind), o.NameZH, o.NameEN, o.Active); err != nil {
		return Organisation{}, err
	}
	err := audit.Record(ctx, tx, by, o.City, audit.Act{
		Subject: "org:" + o.Code, Act: act,
		Body: map[string]any{"kind": o.Kind, "name_zh": o.NameZH, "name_en": o.NameEN, "active": o.Active},
	})
	if err != nil {
		return Organisation{}, err
	}
	o, _, err = findOrg(ctx, tx, o.City, o.Code)
	return o, err
}

// Organisations lists those of a city, for everybody who works there; kind may be empty.
func (s *Service) Organisations(ctx context.Context, by actor.Actor, city int, kind OrgKind) ([]Organisation, error) {
	if by.Kind == actor.Resident {
		return nil, fault.New(fault.Denied, "staff.people_only")
	}
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) ([]Organisation, error) {
		return db.List[Organisation](ctx, tx, `SELECT `+db.Columns[Organisation]("")+` FROM organisation
			WHERE city_id = $1 AND ($2 = '' OR kind = $2) ORDER BY kind, code`, city, string(kind))
	})
}

// Organisation gives one organisation inside the caller's transaction; false when there is none.
func (s *Service) Organisation(ctx context.Context, tx *db.Tx, city int, code string) (Organisation, bool, error) {
	return findOrg(ctx, tx, city, code)
}

// OrganisationIn is Organisation for capabilities that keep organisations without the service of staff.
func OrganisationIn(ctx context.Context, tx *db.Tx, city int, code string) (Organisation, bool, error) {
	return findOrg(ctx, tx, city, code)
}

// NamesIn gives the names of people by id, for staff's own pages: a resident never sees them.
func (s *Service) NamesIn(ctx context.Context, tx *db.Tx, ids []string) (map[string]string, error) {
	return NamesOf(ctx, tx, ids)
}

// Names gives the names of people of staff by their ids, for pages that say who did something.
func (s *Service) Names(ctx context.Context, ids []string) (map[string]string, error) {
	return db.Read(ctx, s.o.DB, func(tx *db.Tx) (map[string]string, error) { return NamesOf(ctx, tx, ids) })
}

// NamesOf is NamesIn for capabilities that keep people without the service of staff.
func NamesOf(ctx context.Context, tx *db.Tx, ids []string) (map[string]string, error) {
	out := make(map[string]string, len(ids))
	for _, id := range ids {
		if _, done := out[id]; done {
			continue
		}
		name, ok, err := db.Maybe[string](ctx, tx, `SELECT name FROM person WHERE id = $1`, id)
		if err != nil {
			return nil, fmt.Errorf("names of staff: %w", err)
		}
		if ok {
			out[id] = name
		}
	}
	return out, nil
}

// MemberIn finds a member of staff of a city: by id, or by login or name among those of a unit. Of two people with one name
// neither is meant.
func MemberIn(ctx context.Context, tx *db.Tx, city int, org, who string) (Person, bool, error) {
	return findMember(ctx, tx, city, org, who)
}

// CentreIn is the command centre of a city.
func CentreIn(ctx context.Context, tx *db.Tx, city int) (Organisation, bool, error) {
	return findCentre(ctx, tx, city)
}
