package territory

import (
	"cmp"
	"slices"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/place"
	"github.com/rehu-heat/rehu/internal/text"
)

// Diff is what changes hands from one version to a later one.
type Diff struct {
	From        string     `json:"from"`
	To          string     `json:"to"`
	Since       civil.Date `json:"since"`
	Communities []Handed   `json:"communities"`
	Areas       []Redrawn  `json:"areas"`
	OpenCases   int        `json:"open_cases"` // of the communities that change hands
}

// Handed is a community, or a building of one, that another company serves; From or To is empty where nobody does.
type Handed struct {
	Community string       `json:"community"`
	Name      string       `json:"name"`
	Building  string       `json:"building,omitempty"` // one that goes another way than its community
	District  string       `json:"district"`
	From      string       `json:"from"`
	To        string       `json:"to"`
	FromArea  string       `json:"from_area"`
	ToArea    string       `json:"to_area"`
	Reason    text.Message `json:"reason"`
	OpenCases int          `json:"open_cases"`
	Confirmed bool         `json:"confirmed"`
}

// Redrawn is an area that is new, gone or another company's.
type Redrawn struct {
	Area   string       `json:"area"`
	From   string       `json:"from"`
	To     string       `json:"to"`
	Reason text.Message `json:"reason"`
}

// diff compares two of the grounds.
func (r *registers) diff(from, to int) Diff {
	a, b := r.grounds[from], r.grounds[to]
	d := Diff{From: a.version.Code, To: b.version.Code, Since: b.version.From, Communities: []Handed{}, Areas: []Redrawn{}}
	homes := make(map[string][]line, len(r.places))
	at := make(map[string]place.Community, len(r.places))
	for _, c := range r.places {
		key := spotKey{community: c.ID}
		owners := history(key, c.Point(), r.grounds)
		homes[c.ID], at[c.ID] = owners, c
		if was, is := owners[from], owners[to]; was.company != is.company {
			d.Communities = append(d.Communities, r.handed(b, key, c, was, is))
		}
	}
	named := r.namedBuildings()
	for _, h := range r.buildings {
		key := spotKey{h.Community, h.No}
		c, known := at[h.Community]
		if !named[key] || !known {
			continue
		}
		own := r.buildingHistory(key, h.Point(), homes[h.Community])
		was, is, home := own[from], own[to], homes[h.Community]
		if was.company != is.company && (was.company != home[from].company || is.company != home[to].company) {
			d.Communities = append(d.Communities, r.handed(b, key, c, was, is))
		}
	}
	slices.SortFunc(d.Communities, func(a, b Handed) int {
		return cmp.Or(cmp.Compare(a.District, b.District), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Community, b.Community), cmp.Compare(a.Building, b.Building))
	})
	d.Areas = redrawn(a, b)
	return d
}

func (r *registers) handed(b *ground, key spotKey, c place.Community, was, is line) Handed {
	return Handed{
		Community: c.ID, Name: c.Name, Building: key.building, District: c.District, From: was.company, To: is.company, FromArea: was.area, ToArea: is.area,
		Reason: reason(b, key, was, is), Confirmed: r.confirmed[b.version.Code][c.ID],
	}
}

func reason(b *ground, key spotKey, was, is line) text.Message {
	_, listed := b.lines[key]
	switch {
	case is.company == "":
		return text.Msg("territory.moved.left_out")
	case listed:
		return text.Msg("territory.moved.listed", "version", b.version.Code)
	case was.company == "":
		return text.Msg("territory.moved.new", "area", is.area)
	case was.area == is.area && is.area != "":
		return text.Msg("territory.moved.area_company", "area", is.area)
	}
	return text.Msg("territory.moved.redrawn", "from", was.area, "to", is.area)
}

func redrawn(a, b *ground) []Redrawn {
	out := []Redrawn{}
	if !b.drawn {
		return out
	}
	for _, x := range b.areas {
		switch old := a.area(x.Code); {
		case old == nil:
			out = append(out, Redrawn{x.Code, "", x.Company, text.Msg("territory.area.new")})
		case old.Company != x.Company:
			out = append(out, Redrawn{x.Code, old.Company, x.Company, text.Msg("territory.area.company")})
		}
	}
	for _, x := range a.areas {
		if b.area(x.Code) == nil {
			out = append(out, Redrawn{x.Code, x.Company, "", text.Msg("territory.area.gone")})
		}
	}
	slices.SortFunc(out, func(a, b Redrawn) int { return cmp.Compare(a.Area, b.Area) })
	return out
}
