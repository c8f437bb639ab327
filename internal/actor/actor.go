// Package actor says who acts, in what roles, and where. Every use case asks May before it reads or writes, so that no
// door (page, API, command, job) can forget it.
package actor

import (
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/text"
)

// Kind is the sort of party that acts.
type Kind string

// The kinds.
const (
	Person   Kind = "person"   // staff with a login
	Key      Kind = "key"      // an API key of an organisation
	Resident Kind = "resident" // a caller or a visitor of the public pages
	System   Kind = "system"   // a job or the command line of the installation's owner
)

// Door is the way an act came in; it is recorded with the act.
type Door string

// The doors.
const (
	Page    Door = "page"
	API     Door = "api"
	Open311 Door = "open311"
	Command Door = "command"
	Job     Door = "job"
	Public  Door = "public" // the resident's pages
)

// Grant is one role with the places it covers. An empty list covers all of the level above it: a dispatcher with no
// districts listed covers the whole city.
type Grant struct {
	Role      Role     `json:"role"`
	City      int      `json:"city"` // GB/T 2260 code; 0 covers every city of the installation
	Districts []string `json:"districts,omitempty"`
	Companies []string `json:"companies,omitempty"`
	Areas     []string `json:"areas,omitempty"`
	Stations  []string `json:"stations,omitempty"`
}

// Actor is who acts.
type Actor struct {
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	Kind   Kind    `json:"kind"`
	Org    string  `json:"org,omitempty"` // organisation code: a company's code, or the centre's
	Door   Door    `json:"door"`
	Grants []Grant `json:"grants,omitempty"`
}

// On is what an act touches, as far as scope depends on it. Company is the lead unit; Assisting lists the others that
// may see it; Worker is the person inside the company that holds the order.
type On struct {
	City      int
	District  string
	Company   string
	Assisting []string
	Area      string
	Station   string
	Worker    string
	Concern   Concern
}

// Concern is whom a complaint about staff is about (对工作人员的投诉). It goes elsewhere than to them: nobody reads it who
// does not handle such complaints, and neither the person nor, where the whole unit is meant, anybody of the unit.
type Concern struct {
	Org    string // unit of the person; empty: the matter is no complaint about staff
	Person string // member of staff, where that is known
	Unit   bool   // the whole unit is kept away: every unit but the centre, whose supervisors handle complaints
	To     string // the unit's designated complaint handler, where the centre has named one
}

// Keeps reports whether a complaint is kept from somebody, whatever else they may do.
func (c Concern) Keeps(a Actor) bool {
	if c.Org == "" || a.Kind == System || a.Kind == Resident {
		return false
	}
	if a.ID == c.Person {
		return true
	}
	return c.Unit && a.ID != c.To && a.belongsTo(c.Org)
}

// belongsTo reports whether somebody is of a unit: by their organisation, or by a role that acts for it.
func (a Actor) belongsTo(org string) bool {
	return a.Org == org || slices.ContainsFunc(a.Grants, func(g Grant) bool {
		return (g.Role.OfCompany() || g.Role == RoleLiaison) && slices.Contains(g.Companies, org)
	})
}

// mayStaff reports whether somebody may do p on a complaint about staff: its designated handler, or who handles such
// complaints for the place and is not concerned.
func (a Actor) mayStaff(p Permission, on On) error {
	switch {
	case on.Concern.Keeps(a):
		return fault.New(fault.Denied, "denied.concerned")
	case a.ID == on.Concern.To && (p == CaseRead || p == CaseReveal || p == CaseStaff):
		return nil
	}
	if p != CaseStaff {
		plain := on
		plain.Concern = Concern{}
		if err := a.May(p, plain); err != nil {
			return err
		}
	}
	for _, g := range a.Grants {
		if g.Role.Has(CaseStaff) && g.covers(a, on) {
			return nil
		}
	}
	return fault.New(fault.Denied, "denied.permission", "permission", text.Msg("permission."+string(CaseStaff)), "roles", roles(RolesWith(CaseStaff)))
}

// SystemFor is the actor of a job or of the installation's own command line.
func SystemFor(name string, door Door) Actor {
	return Actor{ID: "system:" + name, Name: name, Kind: System, Door: door, Grants: []Grant{{Role: RoleSystem}}}
}

// Anonymous is a visitor of the public pages.
func Anonymous(door Door) Actor {
	return Actor{ID: "resident", Kind: Resident, Door: door, Grants: []Grant{{Role: RoleResident}}}
}

// May reports whether the actor may do p on the thing: nil, or Denied with the permission and the roles that have it.
// Callers that must not reveal that a thing exists turn Denied into NotFound with Hide.
func (a Actor) May(p Permission, on On) error {
	if on.Concern.Org != "" && a.Kind != System && a.Kind != Resident {
		return a.mayStaff(p, on)
	}
	has := false
	for _, g := range a.Grants {
		if !g.Role.Has(p) {
			continue
		}
		has = true
		if g.covers(a, on) {
			return nil
		}
	}
	if has {
		return fault.New(fault.Denied, "denied.scope")
	}
	return fault.New(fault.Denied, "denied.permission", "permission", text.Msg("permission."+string(p)), "roles", roles(RolesWith(p)))
}

// MayAny reports whether the actor holds a permission anywhere in the city, for pages that then list only what is in
// scope.
func (a Actor) MayAny(p Permission, city int) bool {
	return slices.ContainsFunc(a.Grants, func(g Grant) bool { return g.Role.Has(p) && (g.City == 0 || g.City == city) })
}

// Hide turns a Denied into NotFound: a user of one company learns nothing about another's case, not even that it exists.
func Hide(err error) error {
	if fault.Is(err, fault.Denied) {
		return fault.New(fault.NotFound, "not_found")
	}
	return err
}

// ScopeOf gathers what a permission covers in a city, for lists. All means no restriction.
func (a Actor) ScopeOf(p Permission, city int) Scope {
	s := Scope{}
	for _, g := range a.Grants {
		if !g.Role.Has(p) || (g.City != 0 && g.City != city) {
			continue
		}
		part := Part{Districts: g.Districts, Companies: g.Companies, Areas: g.Areas, Stations: g.Stations}
		if g.Role.OfCompany() && len(part.Companies) == 0 {
			part.Companies = []string{a.Org}
		}
		if g.Role == RoleWorker {
			part.Worker = a.ID
		}
		if part.empty() {
			return Scope{All: true}
		}
		s.Parts = append(s.Parts, part)
	}
	return s
}

// Scope is what lists are limited to: everything, or the union of parts; no parts means nothing.
type Scope struct {
	All   bool
	Parts []Part
}

// Part is one alternative of a scope; its non-empty conditions hold together.
type Part struct {
	Districts, Companies, Areas, Stations []string
	Worker                                string
}

func (p Part) empty() bool {
	return len(p.Districts)+len(p.Companies)+len(p.Areas)+len(p.Stations) == 0 && p.Worker == ""
}

func (g Grant) covers(a Actor, on On) bool {
	if g.City != 0 && on.City != 0 && g.City != on.City {
		return false
	}
	if len(g.Districts) > 0 && !slices.Contains(g.Districts, on.District) {
		return false
	}
	companies := g.Companies
	if g.Role.OfCompany() && len(companies) == 0 {
		companies = []string{a.Org}
	}
	if len(companies) > 0 && !slices.Contains(companies, on.Company) && !intersects(companies, on.Assisting) {
		return false
	}
	if len(g.Areas) > 0 && !slices.Contains(g.Areas, on.Area) {
		return false
	}
	if len(g.Stations) > 0 && !slices.Contains(g.Stations, on.Station) {
		return false
	}
	return g.Role != RoleWorker || on.Worker == "" || on.Worker == a.ID
}

func intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// roles are named in the reader's language.
type roles []Role

// In lists the names.
func (all roles) In(l text.Lang) string {
	names := make([]string, len(all))
	for i, r := range all {
		names[i] = text.T(l, "role."+string(r))
	}
	if l == text.EN {
		return strings.Join(names, ", ")
	}
	return strings.Join(names, "、")
}
