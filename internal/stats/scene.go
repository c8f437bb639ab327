package stats

import (
	"cmp"
	"slices"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
)

// Scene is what the screen on the wall shows of a city (运行态势): the board, the day by hours, and where it is worst. It holds
// nothing about a person: of a new case only when, what, in which community and who sees to it.
type Scene struct {
	Board
	SameHour  int64          `json:"same_hour"` // received yesterday up to this time of day
	Hours     [24]int64      `json:"hours"`     // received today
	Yesterday [24]int64      `json:"yesterday"`
	Unsigned  int64          `json:"unsigned"` // dispatched and not signed yet
	Units     []UnitLoad     `json:"units"`
	Areas     []AreaLoad     `json:"areas"`
	Buildings []BuildingLoad `json:"buildings"`
	News      []News         `json:"news"`
}

// UnitLoad is what a company has in hand.
type UnitLoad struct {
	Company  string `json:"company"`
	Open     int64  `json:"open"`
	Unsigned int64  `json:"unsigned"`
	Near     int64  `json:"near"`
	Overdue  int64  `json:"overdue"`
}

// AreaLoad is an area with its open cases and its homes; homes are 0 where the register of households does not tell.
type AreaLoad struct {
	Area       string `json:"area"`
	Company    string `json:"company"`
	Open       int64  `json:"open"`
	Households int64  `json:"households"`
}

// PerThousand is the open cases of a thousand homes, in tenths, rounded up so that one case is never none; false when the
// homes are not known.
func (a AreaLoad) PerThousand() (tenths int64, known bool) {
	if a.Households <= 0 {
		return 0, false
	}
	return (a.Open*10_000 + a.Households - 1) / a.Households, true
}

// BuildingLoad is a building with its open cases.
type BuildingLoad struct {
	Community string `json:"community"` // id
	Name      string `json:"name"`      // of the community
	Building  string `json:"building"`
	Company   string `json:"company"`
	Open      int64  `json:"open"`
}

// News is a case that came in.
type News struct {
	At        civil.Instant `db:"received_at" json:"at"`
	Category  string        `db:"category" json:"category"`
	Urgency   string        `db:"urgency" json:"urgency"`
	District  string        `db:"district" json:"district"`
	Community string        `db:"community_name" json:"community"` // its name; empty for a report whose sender stays hidden
	Company   string        `db:"company" json:"company"`
	Status    cases.Status  `db:"status" json:"status"`
}

// How many lines the screen has room for.
const (
	mostBuildings = 8
	mostNews      = 16
)

// pile is the open cases of one spot.
type pile struct {
	Area      string `db:"area"`
	Company   string `db:"company"`
	Community string `db:"community"`
	Name      string `db:"community_name"`
	Building  string `db:"building"`
	Kind      string `db:"kind"`
	N         int64  `db:"n"`
}

// units puts the companies of the board in the order of their open cases.
func units(b Board, tally []tallyRow) []UnitLoad {
	unsigned := map[string]int64{}
	for _, t := range tally {
		if t.Status == cases.Dispatched {
			unsigned[t.Company] += t.N
		}
	}
	var out []UnitLoad
	for _, r := range b.Companies {
		if r.Key == "" || r.Open.N == 0 {
			continue
		}
		out = append(out, UnitLoad{Company: r.Key, Open: r.Open.N, Unsigned: unsigned[r.Key], Near: r.Near.N, Overdue: r.Overdue.N})
	}
	slices.SortStableFunc(out, func(a, b UnitLoad) int { return cmp.Compare(b.Open, a.Open) })
	return out
}

// loads puts open cases and homes of each area together; areas without either are left out.
func loads(piles []pile, homes []AreaLoad) []AreaLoad {
	type key struct{ area, company string }
	at := map[key]int{}
	out := slices.Clone(homes)
	for n, h := range out {
		at[key{h.Area, h.Company}] = n
	}
	for _, p := range piles {
		if p.Area == "" {
			continue
		}
		k := key{p.Area, p.Company}
		n, ok := at[k]
		if !ok {
			n = len(out)
			at[k] = n
			out = append(out, AreaLoad{Area: p.Area, Company: p.Company})
		}
		out[n].Open += p.N
	}
	return out
}

// worst are the buildings with the most open cases about cold or water; one case alone is not a building's trouble.
func worst(piles []pile) []BuildingLoad {
	type key struct{ community, building string }
	at := map[key]int{}
	var out []BuildingLoad
	for _, p := range piles {
		if p.Community == "" || p.Building == "" || p.Kind != string(quality) && p.Kind != string(leak) {
			continue
		}
		k := key{p.Community, p.Building}
		n, ok := at[k]
		if !ok {
			n = len(out)
			at[k] = n
			out = append(out, BuildingLoad{Community: p.Community, Name: p.Name, Building: p.Building, Company: p.Company})
		}
		out[n].Open += p.N
	}
	out = slices.DeleteFunc(out, func(b BuildingLoad) bool { return b.Open < 2 })
	slices.SortStableFunc(out, func(a, b BuildingLoad) int {
		return cmp.Or(cmp.Compare(b.Open, a.Open), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Building, b.Building))
	})
	return out[:min(len(out), mostBuildings)]
}
