package sim

import (
	"bytes"
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/money"
)

// File is one register as `rehu import` reads it.
type File struct {
	Kind    string // of `rehu import`
	Name    string
	Version string // of areas
	From    civil.Date
	Source  string
	write   func(io.Writer) error
}

// Write writes the file.
func (f File) Write(w io.Writer) error { return f.write(w) }

// Bytes is the file.
func (f File) Bytes() ([]byte, error) {
	var b bytes.Buffer
	err := f.write(&b)
	return b.Bytes(), err
}

// Files are the registers in the order in which they are imported.
func (c *City) Files() []File {
	files := []File{{Kind: "companies", Name: "companies.csv", write: c.writeCompanies}}
	for _, t := range c.Seasons {
		files = append(files, File{
			Kind: "areas", Name: "areas-" + t.Version + ".geojson", Version: t.Version, From: t.From, Source: t.Source,
			write: func(w io.Writer) error { return c.writeAreas(w, t) },
		})
	}
	return append(files,
		File{Kind: "communities", Name: "communities.csv", write: c.writeCommunities},
		File{Kind: "buildings", Name: "buildings.csv", write: c.writeBuildings},
		File{Kind: "households", Name: "households.csv", write: c.writeHouseholds},
		File{Kind: "duty", Name: "duty.csv", write: c.writeDuty},
		File{Kind: "fees", Name: "fees.csv", write: c.writeFees},
	)
}

// BaseMap writes what lies under the map of the city: river, ring roads, roads, districts and subdistricts with names.
func (c *City) BaseMap(w io.Writer) error {
	g := newCollection(w)
	for _, f := range c.Map {
		props := `"kind":` + strconv.Quote(f.Kind) + `,"name":` + strconv.Quote(f.Name)
		if f.Ground != nil {
			g.feature(props, f.Ground)
		} else {
			g.line(props, f.Line)
		}
	}
	return g.close()
}

func (c *City) writeAreas(w io.Writer, t Territory) error {
	g := newCollection(w)
	for _, a := range t.Areas {
		if len(a.Ground) == 0 {
			continue
		}
		props := `"area":` + strconv.Quote(a.Code) + `,"name":` + strconv.Quote(a.Name) + `,"company":` + strconv.Quote(c.Companies[a.Company].Code)
		if a.Station != "" {
			props += `,"station":` + strconv.Quote(a.Station)
		}
		g.feature(props, a.Ground)
	}
	return g.close()
}

// table writes rows under a header.
func table(w io.Writer, header string, rows func(row func(cells ...string))) error {
	out := csv.NewWriter(w)
	cells := strings.Split(header, ",")
	err := out.Write(cells)
	rows(func(cells ...string) {
		if err == nil {
			err = out.Write(cells)
		}
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

func (c *City) writeCompanies(w io.Writer) error {
	return table(w, "code,name,phone,licence,licence_until,kind", func(row func(...string)) {
		for _, x := range c.Companies {
			row(x.Code, x.Name, x.Phone, x.Licence, x.LicenceUntil.String(), string(x.Kind))
		}
	})
}

func (c *City) writeCommunities(w io.Writer) error {
	header := "name,aliases,district,street,address,lng,lat,company,area,management,developer,warranty_until,station,zones,connected"
	return table(w, header, func(row func(...string)) {
		for _, m := range c.Communities {
			company, area, station := "", "", ""
			if m.Connected {
				a := c.Seasons[1].Areas[m.Area]
				company, area, station = c.Companies[a.Company].Code, a.Code, c.Stations[m.Station].Code
			}
			row(m.Name, strings.Join(m.Aliases, "；"), c.Districts[m.District].Name, c.Streets[m.Street].Name, m.Address,
				degrees(m.Point.Lng), degrees(m.Point.Lat), company, area, string(m.Management), m.Developer,
				m.WarrantyUntil.String(), station, join(m.Zones), yes(m.Connected))
		}
	})
}

func (c *City) writeBuildings(w io.Writer) error {
	return table(w, "community,district,building,lng,lat,company,area,station", func(row func(...string)) {
		for _, b := range c.Buildings {
			m, company, area, station := c.Communities[b.Community], "", "", ""
			if b.Area != m.Area {
				a := c.Seasons[1].Areas[b.Area]
				company, area, station = c.Companies[a.Company].Code, a.Code, c.Stations[b.Station].Code
			}
			row(m.Name, c.Districts[m.District].Name, b.No, degrees(b.Point.Lng), degrees(b.Point.Lat), company, area, station)
		}
	})
}

func (c *City) writeHouseholds(w io.Writer) error {
	header := "account,community,district,building,unit,room,holder,phone,area_m2,use_type,price_class,heat_status,paid,station,zone,riser"
	return table(w, header, func(row func(...string)) {
		for _, h := range c.Households {
			b := c.Buildings[h.Building]
			m := c.Communities[b.Community]
			row(h.Account, m.Name, c.Districts[m.District].Name, b.No, strconv.Itoa(h.Unit), h.Room(), h.Holder, h.Phone,
				h.area(), h.UseType, h.PriceClass, string(h.Status), yes(h.Paid), c.Stations[b.Station].Code, string(h.Zone), h.Riser())
		}
	})
}

func (c *City) writeDuty(w io.Writer) error {
	return table(w, "company,station,from,to,name,phone,backup,leader", func(row func(...string)) {
		for _, d := range c.Duty {
			station := ""
			if d.Station >= 0 {
				station = c.Stations[d.Station].Code
			}
			row(c.Companies[d.Company].Code, station, d.From.String(), d.To.String(), d.Name, d.Phone, d.Backup, d.Leader)
		}
	})
}

// prices are yuan for a square metre and season, in fen, as in the city's pack.
func prices(class string) int {
	switch class {
	case "low_income":
		return 1800
	case "other":
		return 3600
	default:
		return 2400
	}
}

func (c *City) writeFees(w io.Writer) error {
	header := "account,season,billed_area_m2,price_class,amount_yuan,paid_yuan,paid_at"
	return table(w, header, func(row func(...string)) {
		for n, h := range c.Households {
			if h.Status == NotOpened {
				continue
			}
			due := money.Fen(h.AreaTenths * prices(h.PriceClass) / 10)
			if h.Status == Suspended {
				due = due * 30 / 100
			}
			paid, at := money.Fen(0), ""
			if h.Paid || h.Status == Suspended {
				paid = due
				at = civil.NewDate(2025, 9, 15).AddDays(roll(c.Seed, "paid", n).n(58)).String()
			}
			row(h.Account, c.Seasons[1].Version, h.area(), h.PriceClass, due.Yuan(), paid.Yuan(), at)
		}
	})
}

func (h Household) area() string {
	return strconv.Itoa(h.AreaTenths/10) + "." + strconv.Itoa(h.AreaTenths%10)
}

func degrees(v float64) string { return strconv.FormatFloat(v, 'f', 6, 64) }

func join(zones []Zone) string {
	out := make([]string, len(zones))
	for i, z := range zones {
		out[i] = string(z)
	}
	return strings.Join(out, ";")
}

func yes(b bool) string {
	if b {
		return "是"
	}
	return "否"
}

// collection writes a GeoJSON feature collection, one feature to a line.
type collection struct {
	w     io.Writer
	first bool
	err   error
}

func newCollection(w io.Writer) *collection {
	g := &collection{w: w, first: true}
	g.put(`{"type":"FeatureCollection","features":[`)
	return g
}

func (g *collection) put(s string) {
	if g.err == nil {
		_, g.err = io.WriteString(g.w, s)
	}
}

func (g *collection) open(props, kind string) {
	if !g.first {
		g.put(",")
	}
	g.first = false
	g.put("\n" + `{"type":"Feature","properties":{` + props + `},"geometry":{"type":"` + kind + `","coordinates":`)
}

func (g *collection) feature(props string, m geo.MultiPolygon) {
	if len(m) == 1 {
		g.open(props, "Polygon")
		g.put(rings(m[0]))
	} else {
		g.open(props, "MultiPolygon")
		parts := make([]string, len(m))
		for i, p := range m {
			parts[i] = rings(p)
		}
		g.put("[" + strings.Join(parts, ",") + "]")
	}
	g.put("}}")
}

func (g *collection) line(props string, line []geo.Point) {
	g.open(props, "LineString")
	g.put(positions(line))
	g.put("}}")
}

func (g *collection) close() error {
	g.put("\n]}\n")
	return g.err
}

func rings(p geo.Polygon) string {
	out := make([]string, len(p))
	for i, r := range p {
		out[i] = positions(append(slices.Clip(r), r[0]))
	}
	return "[" + strings.Join(out, ",") + "]"
}

func positions(of []geo.Point) string {
	out := make([]string, len(of))
	for i, p := range of {
		out[i] = "[" + degrees(p.Lng) + "," + degrees(p.Lat) + "]"
	}
	return "[" + strings.Join(out, ",") + "]"
}
