package web

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/rehu-heat/rehu/internal/cases"
)

// door is one building of a worker's way with the orders in it, in the order of its stairs and rooms.
type door struct {
	community, building string
	lng, lat            *float64
	items               []cases.Case
}

func (d door) due() int64 {
	best := int64(math.MaxInt64)
	for _, c := range d.items {
		if !c.DueAt.IsZero() {
			best = min(best, int64(c.DueAt))
		}
	}
	return best
}

// byRoute orders orders house by house: the way begins where the nearest deadline is and goes on to what lies nearest,
// the same estate before another one; what has no place on the map follows by its deadline.
func byRoute(all []cases.Case) []door {
	rest := doors(all)
	out := make([]door, 0, len(rest))
	for len(rest) > 0 {
		next := 0
		for i := range rest {
			if len(out) == 0 && rest[i].due() < rest[next].due() || len(out) > 0 && nearer(out[len(out)-1], rest[i], rest[next]) {
				next = i
			}
		}
		out = append(out, rest[next])
		rest = slices.Delete(rest, next, next+1)
	}
	return out
}

func doors(all []cases.Case) []door {
	var out []door
	for _, c := range all {
		i := slices.IndexFunc(out, func(d door) bool {
			return d.community == cmp.Or(c.CommunityName, c.Address) && d.building == c.Building
		})
		if i < 0 {
			out = append(out, door{community: cmp.Or(c.CommunityName, c.Address), building: c.Building})
			i = len(out) - 1
		}
		d := &out[i]
		d.items = append(d.items, c)
		if d.lng == nil && c.Lng != nil && c.Lat != nil {
			d.lng, d.lat = c.Lng, c.Lat
		}
	}
	for _, d := range out {
		slices.SortStableFunc(d.items, func(a, b cases.Case) int {
			return cmp.Or(cmp.Compare(number(a.Unit), number(b.Unit)), cmp.Compare(number(a.Room), number(b.Room)), cmp.Compare(a.Room, b.Room))
		})
	}
	return out
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return math.MaxInt
	}
	return n
}

// nearer reports whether a comes before b on the way from here.
func nearer(here, a, b door) bool {
	if sa, sb := a.community == here.community, b.community == here.community; sa != sb {
		return sa
	}
	if da, db := apart(here, a), apart(here, b); da != db {
		return da < db
	}
	return a.due() < b.due()
}

// apart is the distance in metres, close enough within a city; very far when it is not known.
func apart(a, b door) float64 {
	if a.lng == nil || b.lng == nil {
		return math.Inf(1)
	}
	const metres = 111_320
	dx := (*a.lng - *b.lng) * math.Cos(*a.lat*math.Pi/180)
	return metres * math.Hypot(dx, *a.lat-*b.lat)
}
