package territory

import (
	"cmp"
	"context"
	"slices"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

// Served is a community with who serves it.
type Served struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	District   string     `json:"district"` // name
	Address    string     `json:"address"`
	Company    string     `json:"company"` // code; empty: nobody
	Area       string     `json:"area"`
	Station    string     `json:"station"`
	Management Management `json:"management"`
	Connected  bool       `json:"connected"`
}

// ServedFilter narrows the list of communities; empty fields do not.
type ServedFilter struct {
	Query    string `json:"q" form:"q"`               // part of a name or another name, in Chinese or pinyin
	District string `json:"district" form:"district"` // code
	Company  string `json:"company" form:"company"`   // "-": nobody
	Area     string `json:"area" form:"area"`
	page.Request
}

// foundAtMost bounds what one search looks at; a search that finds more is no search.
const foundAtMost = 2000

// Served lists the communities of a city by name with who serves them today.
func (s *Service) Served(ctx context.Context, by actor.Actor, city int, f ServedFilter) (page.Of[Served], error) {
	if err := mayRead(by, city); err != nil {
		return page.Of[Served]{}, err
	}
	var name, id string
	if f.After != "" {
		if err := page.Decode(f.After, &name, &id); err != nil {
			return page.Of[Served]{}, err
		}
	}
	today := s.db.Now().Date()
	x, err := s.cache.index(ctx, nil, city, today)
	if err != nil {
		return page.Of[Served]{}, err
	}
	var rows []Served
	for _, n := range x.wanted(f.Query) {
		one := x.served(n, today)
		if x.among(n, one, f) && cmp.Or(cmp.Compare(one.Name, name), cmp.Compare(one.ID, id)) > 0 {
			rows = append(rows, one)
		}
	}
	slices.SortFunc(rows, func(a, b Served) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return page.Cut(rows[:min(len(rows), f.Limit()+1)], f.Request, func(a Served) []any { return []any{a.Name, a.ID} }), nil
}

// ServedBy says who serves one community today.
func (s *Service) ServedBy(ctx context.Context, by actor.Actor, city int, community string) (Served, error) {
	if err := mayRead(by, city); err != nil {
		return Served{}, err
	}
	today := s.db.Now().Date()
	x, err := s.cache.index(ctx, nil, city, today)
	if err != nil {
		return Served{}, err
	}
	n, ok := x.byID[community]
	if !ok {
		return Served{}, fault.New(fault.NotFound, "territory.no_community")
	}
	return x.served(n, today), nil
}

// Ground is one area of one company, or what a company serves outside every area.
type Ground struct{ Company, Area string }

// CountServed counts the communities of each ground as a version orders it; an empty version is the one in force.
func (s *Service) CountServed(ctx context.Context, by actor.Actor, city int, version string) (map[Ground]int, error) {
	versions, err := s.Versions(ctx, by, city)
	if err != nil {
		return nil, err
	}
	on := s.db.Now().Date()
	if at := numberOf(versions, version); at >= 0 && at != InForce(versions, on) {
		on = versions[at].From
	} else if at < 0 && version != "" {
		return nil, fault.New(fault.NotFound, "territory.no_version", "version", version)
	}
	x, err := s.cache.index(ctx, nil, city, on)
	if err != nil {
		return nil, err
	}
	out := map[Ground]int{}
	for n := range x.s.Communities {
		o := x.ownerOf(int32(n), on) //nolint:gosec // thousands
		out[Ground{o.company, o.area}]++
	}
	return out, nil
}

// wanted are the communities that a query finds, every one for an empty query.
func (x *Index) wanted(query string) []int32 {
	var out []int32
	if query == "" {
		for n := range x.s.Communities {
			out = append(out, int32(n)) //nolint:gosec // thousands
		}
		return out
	}
	seen := map[int32]bool{}
	for _, hit := range x.Suggest(query, foundAtMost) {
		if n := x.byID[hit.CommunityID]; !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}

func (x *Index) served(n int32, on civil.Date) Served {
	c, o := &x.s.Communities[n], x.ownerOf(n, on)
	return Served{c.ID, c.Name, x.districtName(n), c.Address, o.company, o.area, cmp.Or(c.Station, o.station), c.Management, c.Connected}
}

func (x *Index) among(n int32, c Served, f ServedFilter) bool {
	if f.District != "" {
		if d, ok := x.districts[f.District]; !ok || x.places[n].district != d {
			return false
		}
	}
	return (f.Company == "" || f.Company == c.Company || f.Company == "-" && c.Company == "") && (f.Area == "" || f.Area == c.Area)
}
