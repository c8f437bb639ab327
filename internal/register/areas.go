package register

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/sheet"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/text"
)

var areaColumns = []sheet.Column{
	may("area", append([]string{"编号", "辖区编号", "片区编号"}, colArea...)...), may("name", "名称", "辖区名称", "片区名称"),
	may("company", colCompany...), may("station", colStation...), may("heat_source", "热源"),
}

// areas reads the drawn areas of a version.
type areas struct {
	base
	features []geo.Feature
	old      []territory.AreaRow // of the version before
	drawn    []ground            // of the file, then those of the same version that it does not name
}

// ground is one drawn area; row is 0 for one that is in the register already.
type ground struct {
	row     int
	code    string
	company string
	shape   geo.MultiPolygon
	box     geo.Box
}

func (*areas) columns() []sheet.Column { return areaColumns }

// record is a feature's properties as a row.
func (l *areas) record(i int) (record, error) {
	var header, cells []string
	for name, v := range l.features[i].Properties {
		header = append(header, name)
		switch x := v.(type) {
		case nil:
			cells = append(cells, "")
		case float64:
			cells = append(cells, strconv.FormatFloat(x, 'f', -1, 64))
		default:
			cells = append(cells, fmt.Sprint(x))
		}
	}
	x, err := sheet.Match(header, areaColumns...)
	return record{no: i + 1, cells: cells, x: x}, err
}

func (l *areas) read(r record, n *notes) []out {
	code, company := key(n, r, "area"), key(n, r, "company")
	l.k.company(n, r, company)
	f := l.features[r.no-1]
	if f.Err != nil {
		e := fault.Of(f.Err)
		n.faults = append(n.faults, RowFault{r.no, "geometry", text.Message{Key: e.Key, Params: e.Params}})
		return nil
	}
	b, err := f.Geometry.GeoJSON()
	if err != nil {
		n.fault(r.no, "geometry", "geo.bad_geojson")
		return nil
	}
	if len(l.drawn) < r.no { // not the second reading
		l.drawn = append(l.drawn, ground{r.no, code, company, f.Geometry, f.Geometry.Box()})
	}
	shape := string(b)
	l.k.station(r.get("station"), company)
	a := territory.AreaRow{
		Version: l.k.version.Code, Code: code, Name: r.get("name"), Company: company, Station: r.get("station"), HeatSource: r.get("heat_source"), Geometry: &shape,
	}
	return []out{{"area", a.Version + "|" + code, []string{a.Code, a.Name, a.Company, a.Station, a.HeatSource, shape}, &a}}
}

func (*areas) twice(n *notes, _, key string, rows []int) {
	_, code, _ := strings.Cut(key, "|")
	for _, r := range rows {
		n.fault(r, "area", "register.twice", "key", code, "rows", numbers(rows))
	}
}

// finish looks at all areas of the version together: which overlap, and which ground of the version before nobody serves.
func (l *areas) finish(n *notes) {
	named := map[string]bool{}
	for _, g := range l.drawn {
		named[g.code] = true
	}
	all := l.drawn
	for code, shape := range l.k.shapes {
		if shape != nil && !named[code] {
			all = append(all, ground{0, code, l.k.areas[code].Company, *shape, shape.Box()})
		}
	}
	l.overlaps(n, all)
	l.uncovered(n, all)
}

func (l *areas) overlaps(n *notes, all []ground) {
	for i := range all {
		for j := range i {
			a, b := &all[i], &all[j]
			if a.row == 0 && b.row == 0 || a.code == b.code || !a.box.Meets(b.box) {
				continue
			}
			o, ok, err := geo.OverlapOf(a.shape, b.shape)
			if err != nil {
				n.fault(a.row, "geometry", "register.overlap_unknown", "area", a.code, "other", b.code)
				continue
			}
			if ok {
				l.overlap(n, a, b, o)
				l.overlap(n, b, a, o)
			}
		}
	}
}

func (l *areas) overlap(n *notes, a, b *ground, o geo.Overlap) {
	if a.row == 0 {
		return
	}
	say, key := n.fault, "register.overlap"
	if o.IsSliver() {
		say, key = n.warn, "register.sliver"
	}
	say(a.row, "geometry", key, "area", a.code, "other", b.code, "row", b.row, "width", strconv.FormatFloat(o.WidthM, 'f', 1, 64),
		"m2", strconv.FormatFloat(o.AreaM2, 'f', 0, 64), "lng", fmt.Sprintf("%.5f", o.At.Lng), "lat", fmt.Sprintf("%.5f", o.At.Lat))
}

// uncovered warns of ground that was somebody's and now is nobody's.
func (l *areas) uncovered(n *notes, all []ground) {
	for _, old := range l.old {
		if old.Geometry == nil {
			continue
		}
		shape, err := geo.ReadGeometry([]byte(*old.Geometry))
		if err != nil {
			continue
		}
		left := shape.AreaM2()
		whole, box := left, shape.Box()
		for i := range all {
			if !all[i].box.Meets(box) {
				continue
			}
			if o, ok, err := geo.OverlapOf(shape, all[i].shape); err == nil && ok {
				left -= o.AreaM2
			}
		}
		if left > math.Max(border(shape), whole/1000) {
			n.warn(0, "geometry", "register.uncovered", "area", old.Code, "company", old.Company, "m2", strconv.FormatFloat(left, 'f', 0, 64),
				"share", strconv.FormatFloat(100*left/whole, 'f', 1, 64))
		}
	}
}

// border is the length of an area's outline in metres, which as an area is a strip of one metre: less is drawing error.
func border(m geo.MultiPolygon) float64 {
	var sum float64
	for _, p := range m {
		for _, ring := range p {
			for i := range ring {
				sum += ring[i].Metres(ring[(i+1)%len(ring)])
			}
		}
	}
	return sum
}
