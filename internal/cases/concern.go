package cases

import "github.com/rehu-heat/rehu/internal/actor"

// About says whom a complaint about staff is about: their unit, and the person where the caller knows who it was. With a
// person who is not known there the unit alone is meant.
type About struct {
	Org    string `json:"org,omitempty" form:"org"`       // code of the unit; empty: no complaint about staff
	Person string `json:"person,omitempty" form:"person"` // login or name
	id     string // of the person, where an act of theirs names them
	ref    string
}

// Member is somebody of staff, or a unit, as far as a complaint about them needs it.
type Member struct {
	ID     string // empty for a unit
	Name   string
	Org    string
	Centre bool // of the command centre, whose supervisors handle complaints about staff
}

// Concern is whom the case is about, for everybody's rights on it.
func (c Case) Concern() actor.Concern {
	return actor.Concern{Org: c.AboutOrg, Person: c.AboutPerson, Unit: c.AboutUnit, To: c.AboutTo}
}

// takes reports whether an event fits the case: a complaint about staff is answered by who handles such complaints and
// never dispatched, and nothing else is answered that way.
func (c Case) takes(e Event) bool {
	switch e {
	case Redress:
		return c.AboutOrg != ""
	case Accept, Reject, Withdraw, Cancel, Reopen, Archive:
		return true
	default:
		return c.AboutOrg == ""
	}
}

// reader is what somebody may see in lists.
type reader struct {
	actor.Scope
	by actor.Actor
}

func readerOf(by actor.Actor, p actor.Permission, city int) reader {
	return reader{Scope: by.ScopeOf(p, city), by: by}
}

// Handler is the member of a unit's staff to whom complaints about its staff go, named by the centre. Without one they go
// to the supervisors of the centre.
type Handler struct {
	City    int    `db:"city_id" json:"-"`
	Org     string `db:"org" json:"org"`
	Person  string `db:"person_id" json:"person"`
	Name    string `db:"person_name" json:"name"`
	Version int64  `db:"version" json:"version"`
}

// Naming is the input of NameHandler; without a person the unit has none any more.
type Naming struct {
	City    int    `json:"-" form:"-"`
	Org     string `json:"org" form:"org"`
	Person  string `json:"person" form:"person"` // login or name
	Version int64  `json:"version" form:"version"`
}
