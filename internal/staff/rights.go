package staff

import (
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/fault"
)

// maxPlaces bounds the places that one grant may list.
const maxPlaces = 500

// checkGrant tells what is wrong with a grant in itself. Keys may also carry the partner's role.
func checkGrant(g actor.Grant, org string, key bool) error {
	var c fault.Check
	roles := actor.Roles()
	if key {
		roles = append(roles, actor.RolePartner)
	}
	if !slices.Contains(roles, g.Role) {
		c.Add("role", "field.not_one_of", "allowed", joined(roles))
	}
	c.That(g.City == 0 || isCity(g.City), "city", "staff.bad_city")
	c.That(!companyRole(g.Role) || org != "" || len(g.Companies) > 0, "companies", "staff.needs_company")
	for _, l := range []struct {
		name   string
		places []string
	}{{"districts", g.Districts}, {"companies", g.Companies}, {"areas", g.Areas}, {"stations", g.Stations}} {
		if !c.That(len(l.places) <= maxPlaces, l.name, "staff.too_many_places", "max", maxPlaces) {
			continue
		}
		for _, p := range l.places {
			checkText(&c, l.name, p, 64, true)
		}
	}
	return c.Err()
}

// companyRole marks the roles of people inside a heating company.
func companyRole(r actor.Role) bool {
	return r == actor.RoleCompany || r == actor.RoleStation || r == actor.RoleWorker
}

// mayGive reports whether one of the giver's grants with p reaches at least as far as the grant g of somebody in org.
func mayGive(by actor.Actor, p actor.Permission, g actor.Grant, org string) error {
	if companyRole(g.Role) && len(g.Companies) == 0 {
		g.Companies = []string{org}
	}
	held := false
	for _, own := range by.Grants {
		if !own.Role.Has(p) {
			continue
		}
		held = true
		if reaches(own, g) {
			return nil
		}
	}
	if !held {
		return by.May(p, actor.On{City: g.City})
	}
	return fault.New(fault.Denied, "staff.beyond_own_rights")
}

// reaches reports whether a manager's grant covers everything another grant covers. A manager inside a company gives the
// company's roles and their own only: else a company could make its own verifier.
func reaches(own, g actor.Grant) bool {
	if own.City != 0 && own.City != g.City {
		return false
	}
	if len(own.Companies) > 0 && !companyRole(g.Role) && g.Role != own.Role {
		return false
	}
	return within(own.Districts, g.Districts) && within(own.Companies, g.Companies) &&
		within(own.Areas, g.Areas) && within(own.Stations, g.Stations)
}

// within reports whether the list inner stays inside outer, where an empty list means everything.
func within(outer, inner []string) bool {
	if len(outer) == 0 {
		return true
	}
	return len(inner) > 0 && !slices.ContainsFunc(inner, func(s string) bool { return !slices.Contains(outer, s) })
}

// mayManage reports whether the actor may change a person: the home city, the organisation and every right the person
// has must lie within the actor's own.
func mayManage(by actor.Actor, city int, org string, grants []Grant) error {
	if err := mayGive(by, actor.StaffManage, homeGrant(city, org), org); err != nil {
		return err
	}
	for _, g := range grants {
		if err := mayGive(by, actor.StaffManage, g.Actor(), org); err != nil {
			return err
		}
	}
	return nil
}

// homeGrant stands for merely belonging somewhere: the least right there is.
func homeGrant(city int, org string) actor.Grant {
	return actor.Grant{Role: actor.RoleWorker, City: city, Companies: []string{org}}
}

// hasGrant reports whether a grant is already held exactly so.
func hasGrant(held []Grant, g actor.Grant) bool {
	return slices.ContainsFunc(held, func(h Grant) bool {
		a := h.Actor()
		return a.Role == g.Role && a.City == g.City && slices.Equal(a.Districts, g.Districts) && slices.Equal(a.Companies, g.Companies) &&
			slices.Equal(a.Areas, g.Areas) && slices.Equal(a.Stations, g.Stations)
	})
}
