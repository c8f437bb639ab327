package territory

import (
	"cmp"
	"slices"

	"github.com/rehu-heat/rehu/internal/civil"
)

// DoubtKind is why communities are taken for each other.
type DoubtKind string

// The kinds of doubt; the name on the screen is "doubt.<name>".
const (
	DoubtSharedName DoubtKind = "shared_name" // the same name twice
	DoubtOtherName  DoubtKind = "other_name"  // another name of one is the name of the other
	DoubtBorder     DoubtKind = "border"      // another company's ground within the margin
	DoubtMarked     DoubtKind = "marked"      // marked by hand
)

// Doubt is one warning that seats are trained on.
type Doubt struct {
	Kind        DoubtKind    `json:"kind"`
	Name        string       `json:"name"`
	Communities []DoubtPlace `json:"communities"`
	Neighbours  []string     `json:"neighbours,omitempty"` // companies across the border
}

// DoubtPlace is one of the communities.
type DoubtPlace struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	District string `json:"district"`
	Company  string `json:"company"`
}

// Doubts lists the doubtful communities of a city, all or of one kind.
func (x *Index) Doubts(kind DoubtKind, on civil.Date) []Doubt {
	out := []Doubt{}
	for _, k := range []struct {
		kind DoubtKind
		list func(civil.Date) []Doubt
	}{{DoubtSharedName, x.sharedNames}, {DoubtOtherName, x.otherNames}, {DoubtBorder, x.borders}, {DoubtMarked, x.marked}} {
		if kind != "" && kind != k.kind {
			continue
		}
		list := k.list(on)
		slices.SortFunc(list, func(a, b Doubt) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Communities[0].ID, b.Communities[0].ID))
		})
		out = append(out, list...)
	}
	return out
}

func (x *Index) doubtPlaces(on civil.Date, list ...int32) []DoubtPlace {
	out := make([]DoubtPlace, len(list))
	for i, n := range list {
		c := &x.s.Communities[n]
		out[i] = DoubtPlace{c.ID, c.Name, x.districtName(n), x.ownerOf(n, on).company}
	}
	return out
}

// byName lists the communities of each name, as it is compared.
func (x *Index) byName() map[string][]int32 {
	out := map[string][]int32{}
	for i := range x.s.Communities {
		name := string(fold(x.s.Communities[i].Name))
		out[name] = append(out[name], int32(i)) //nolint:gosec // thousands
	}
	return out
}

func (x *Index) sharedNames(on civil.Date) []Doubt {
	var out []Doubt
	for _, list := range x.byName() {
		if len(list) > 1 {
			out = append(out, Doubt{Kind: DoubtSharedName, Name: x.s.Communities[list[0]].Name, Communities: x.doubtPlaces(on, list...)})
		}
	}
	return out
}

func (x *Index) otherNames(on civil.Date) []Doubt {
	named := x.byName()
	aliases := map[string]int32{} // the first community of another name
	var out []Doubt
	for i := range x.s.Communities {
		n := int32(i) //nolint:gosec // thousands
		for _, alias := range x.s.Communities[i].Aliases {
			key := string(fold(alias))
			others := slices.DeleteFunc(slices.Clone(named[key]), func(o int32) bool { return o == n })
			if first, twice := aliases[key]; twice && first != n {
				others = append(others, first)
			} else if !twice {
				aliases[key] = n
			}
			if len(others) > 0 {
				out = append(out, Doubt{Kind: DoubtOtherName, Name: alias, Communities: x.doubtPlaces(on, append([]int32{n}, others...)...)})
			}
		}
	}
	return out
}

func (x *Index) borders(on civil.Date) []Doubt {
	var out []Doubt
	for i := range x.s.Communities {
		c, n := &x.s.Communities[i], int32(i) //nolint:gosec // thousands
		if c.Point.IsZero() || x.unserved(n) != "" {
			continue
		}
		own := x.ownerOf(n, on).company
		var near []string
		x.ground.Near(c.Point, x.s.Margin, func(a int, _ float64) bool {
			if o := &x.s.Areas[a]; o.Company != own && o.holds(on) && !slices.Contains(near, o.Company) {
				near = append(near, o.Company)
			}
			return true
		})
		if len(near) > 0 {
			slices.Sort(near)
			out = append(out, Doubt{Kind: DoubtBorder, Name: c.Name, Communities: x.doubtPlaces(on, n), Neighbours: near})
		}
	}
	return out
}

func (x *Index) marked(on civil.Date) []Doubt {
	var out []Doubt
	for _, p := range x.s.Confusable {
		a, okA := x.byID[p.A]
		b, okB := x.byID[p.B]
		if okA && okB {
			out = append(out, Doubt{Kind: DoubtMarked, Name: x.s.Communities[a].Name, Communities: x.doubtPlaces(on, a, b)})
		}
	}
	return out
}
