package place

import (
	"cmp"
	"slices"
	"strings"
)

// Section is a building cut open (楼栋暖图): units side by side, floors from the top down, and in each the flats of a
// riser below one another, so that one cold riser, one cold floor and one cold flat look different.
type Section struct {
	Community string    `json:"community"`
	Building  string    `json:"building"`
	Units     []Stair   `json:"units"`
	Elsewhere []Account `json:"elsewhere,omitempty"` // flats whose floor the register does not tell
}

// Stair is one unit (单元) of a building.
type Stair struct {
	Unit    string    `json:"unit"`
	Columns []string  `json:"columns"` // riser, or the flat's place on its floor
	Floors  []Storey  `json:"floors"`  // from the top down
	missing []Account // without floor
}

// Storey is one floor of a unit; a flat that the register lacks leaves its column empty.
type Storey struct {
	Floor int        `json:"floor"`
	Flats []*Account `json:"flats"`
}

// Account is a flat in the drawing.
type Account struct {
	Account    string `json:"account"`
	Room       string `json:"room"`
	Riser      string `json:"riser"`
	HeatStatus string `json:"heat_status"`
}

// SectionOf draws the households of one building.
func SectionOf(households []Household) Section {
	var s Section
	byUnit := map[string][]Household{}
	for _, h := range households {
		s.Community, s.Building = h.CommunityName, h.Building
		byUnit[h.Unit] = append(byUnit[h.Unit], h)
	}
	for unit, list := range byUnit {
		st := stairOf(unit, list)
		s.Elsewhere = append(s.Elsewhere, st.missing...)
		if len(st.Floors) > 0 {
			s.Units = append(s.Units, st)
		}
	}
	slices.SortFunc(s.Units, func(a, b Stair) int { return natural(a.Unit, b.Unit) })
	slices.SortFunc(s.Elsewhere, func(a, b Account) int { return cmp.Compare(a.Account, b.Account) })
	return s
}

func stairOf(unit string, list []Household) Stair {
	st := Stair{Unit: unit}
	column := map[string]int{}
	for _, h := range list {
		if h.Floor == nil {
			st.missing = append(st.missing, accountOf(h))
		} else if c := columnOf(h); !slices.Contains(st.Columns, c) {
			st.Columns = append(st.Columns, c)
		}
	}
	slices.SortFunc(st.Columns, natural)
	for i, c := range st.Columns {
		column[c] = i
	}
	floors := map[int][]*Account{}
	for _, h := range list {
		if h.Floor == nil {
			continue
		}
		row := floors[*h.Floor]
		if row == nil {
			row = make([]*Account, len(st.Columns))
			floors[*h.Floor] = row
		}
		a := accountOf(h)
		if i := column[columnOf(h)]; row[i] == nil {
			row[i] = &a
		} else { // two accounts of one flat: the drawing shows the first
			st.missing = append(st.missing, a)
		}
	}
	for f, row := range floors {
		st.Floors = append(st.Floors, Storey{f, row})
	}
	slices.SortFunc(st.Floors, func(a, b Storey) int { return cmp.Compare(b.Floor, a.Floor) })
	return st
}

func accountOf(h Household) Account { return Account{h.Account, h.Room, h.Riser, h.HeatStatus} }

// columnOf is a flat's place on its floor: the last two digits of its number, since those of one riser stand above one
// another; a riser that the register names only labels it.
func columnOf(h Household) string {
	if n := len(h.Room); n >= 2 {
		return h.Room[n-2:]
	}
	return h.Room
}

// natural compares numbers by their value: 2 before 10.
func natural(a, b string) int {
	x, y := strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y), cmp.Compare(a, b))
}
