package sim

import (
	"strconv"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/geo"
)

// build raises the buildings, so many that the registered households fit.
func (c *City) build(households int) {
	shares := [...]int{compound: 3, numbered: 2, estate: 4, tower: 8, village: 4}
	c.raised = make([]int, len(c.Communities))
	total := 0
	for _, m := range c.Communities {
		if m.Connected {
			total += shares[m.style]
		}
	}
	flats := 0
	for n := range c.Communities {
		m := &c.Communities[n]
		d := roll(c.Seed, "buildings", n)
		want := households * shares[m.style] / total
		flats += c.buildOn(d, n, want)
	}
	for n := 0; flats < households; n = (n + 1) % len(c.Communities) {
		if c.Communities[n].Connected {
			flats += c.raise(roll(c.Seed, "annex", n, flats), n, households-flats)
		}
	}
}

// buildOn raises buildings for about so many homes on a community's land.
func (c *City) buildOn(d dice, n, want int) (flats int) {
	m := &c.Communities[n]
	first := len(c.Buildings)
	for flats == 0 || want-flats > 8 || m.Has(Straddling) && len(c.Buildings)-first < 2 {
		flats += c.raise(d, n, want-flats)
	}
	if m.Has(Straddling) {
		c.straddle(m, &c.Buildings[len(c.Buildings)-1])
	}
	if !m.Connected {
		return 0
	}
	return flats
}

// raise adds one building to a community and gives its number of flats.
func (c *City) raise(d dice, n, want int) int {
	m := &c.Communities[n]
	b := Building{Community: n, Area: m.Area, Station: m.Station}
	most := 1
	switch m.style {
	case compound:
		b.Floors, b.PerFloor, most = d.between(5, 6), d.between(2, 3), 2
	case numbered:
		b.Floors, b.PerFloor = d.between(3, 6), d.between(2, 3)
	case estate:
		b.Floors, b.PerFloor, most = d.between(6, 7), 2, 2
	case tower:
		b.Floors, b.PerFloor = pick(d, []int{11, 18, 18, 24, 26, 28, 32}), d.between(2, 3)
	case village:
		b.Floors, b.PerFloor = pick(d, []int{6, 11, 11}), 2
	}
	if want > 300 { // the registers of a real city
		most *= 2
	}
	one := b.Floors * b.PerFloor
	b.Units = min(max((want+one/2)/one, 1), most)
	c.raised[n]++
	b.No = strconv.Itoa(c.raised[n])
	east, north := d.bell(45), d.bell(30)
	if m.Has(Border) {
		east, north = d.bell(4), d.bell(4)
	}
	b.Point = shift(m.Point, east, north)
	m.Zones = zonesOf(m.Zones, b.Floors)
	c.Buildings = append(c.Buildings, b)
	return one * b.Units
}

// shift moves a place by metres, in whole micro-degrees.
func shift(p geo.Point, east, north int) geo.Point {
	x, y := int64(p.Lng*1e6+0.5)+int64(east*11_734/1000), int64(p.Lat*1e6+0.5)+int64(north*9_005/1000)
	return geo.Point{Lng: float64(x) / 1e6, Lat: float64(y) / 1e6}
}

func zonesOf(have []Zone, floors int) []Zone {
	switch {
	case floors >= 26:
		return []Zone{LowZone, MidZone, HighZone}
	case floors >= 18 && len(have) < 2:
		return []Zone{LowZone, HighZone}
	default:
		return have
	}
}

// zone is the pressure zone of a floor.
func zone(floors, floor int) Zone {
	switch {
	case floors < 18:
		return ""
	case floors < 26 && floor <= 10, floor <= 10:
		return LowZone
	case floors >= 26 && floor <= 20:
		return MidZone
	default:
		return HighZone
	}
}

// straddle puts a building on the other side of the border, where the neighbours serve it.
func (c *City) straddle(m *Community, b *Building) {
	k, to, ok := c.edgeOf(m)
	if !ok {
		return
	}
	b.Point = toward(c.plan.side(k, to), c.plan.inside(to, 4, 4), 25).point()
	area := c.plan.area[0][to]
	for s, st := range c.Stations {
		if st.Area == area {
			b.Area, b.Station = area, s
			return
		}
	}
}

// people moves the households in: every flat of every connected building, thinned out evenly to the number wanted.
func (c *City) people(households int) {
	flats := 0
	c.eachFlat(func(Household) { flats++ })
	seen, seq := 0, make([]int, len(c.Communities))
	c.eachFlat(func(h Household) {
		seen++
		if seen*households/flats == (seen-1)*households/flats {
			return
		}
		m := c.Buildings[h.Building].Community
		seq[m]++
		c.Households = append(c.Households, c.moveIn(h, seq[m]))
	})
}

func (c *City) eachFlat(visit func(Household)) {
	for n, b := range c.Buildings {
		if !c.Communities[b.Community].Connected {
			continue
		}
		for unit := range b.Units {
			for floor := range b.Floors {
				for flat := range b.PerFloor {
					visit(Household{Building: n, Unit: unit + 1, Floor: floor + 1, Flat: flat + 1})
				}
			}
		}
	}
}

// moveIn gives a flat its people and its state.
func (c *City) moveIn(h Household, seq int) Household {
	b := c.Buildings[h.Building]
	m := c.Communities[b.Community]
	d := roll(c.Seed, "home", h.Building, h.Unit, h.Floor*10+h.Flat)
	h.Account = "99" + pad(b.Community+1, 4) + pad(seq, 5)
	h.Holder, h.Phone = person(d), phone(d)
	h.Zone = zone(b.Floors, h.Floor)
	h.AreaTenths = [...]int{compound: 560, numbered: 520, estate: 900, tower: 1080, village: 980}[m.style] +
		(h.Flat*170+b.Units*31+h.Unit*7)%240 - 60 + d.between(-3, 3)
	h.UseType, h.PriceClass = "居民", "resident"
	switch {
	case h.Floor == 1 && m.style != compound && d.chance(90):
		h.UseType, h.PriceClass = "非居民", "other"
	case d.chance(25):
		h.PriceClass = "low_income"
	}
	states := []HeatStatus{On, Suspended, Arrears, NotOpened, WaitingValve}
	h.Status = states[d.weighted([]int{890, 60, 18, 14, 18})]
	h.Paid = h.Status == On && !d.chance(30) || h.Status == WaitingValve
	if h.UseType == "居民" && d.chance(60) {
		h.Care = pick(d, []string{"独居老人", "独居老人", "残疾人", "低保户", "婴幼儿家庭", "重病患者", "高龄老人"})
	}
	return h
}

func person(d dice) string { return pick(d, words("surnames")) + pick(d, words("given")) }

// phone is a mobile number of the prefix 154, which no network has.
func phone(d dice) string { return "154" + pad(d.n(100_000_000), 8) }

// Room is the number on the door.
func (h Household) Room() string { return strconv.Itoa(h.Floor) + pad(h.Flat, 2) }

// Riser names the shared pipe a flat hangs on: its place on the floor, and its pressure zone.
func (h Household) Riser() string {
	return strconv.Itoa(h.Unit) + "-" + strconv.Itoa(h.Flat) + string(h.Zone)
}

// The season that the city lives through.
var (
	seasonStart = civil.NewDate(2025, 11, 15)
	seasonEnd   = civil.NewDate(2026, 3, 15)
)

// roster writes the duty rosters: each company by day and night, each station by the half month.
func (c *City) roster() {
	for n := range c.Companies {
		d := roll(c.Seed, "duty", n)
		var crew []Duty
		for range 6 {
			crew = append(crew, Duty{Company: n, Station: -1, Name: person(d), Phone: phone(d), Backup: phone(d)})
		}
		leaders := []string{person(d), person(d), person(d)}
		for day := seasonStart.AddDays(-15); !day.After(seasonEnd); day = day.AddDays(1) {
			shift := seasonStart.DaysUntil(day) + 15
			for night := range 2 {
				duty := crew[(2*shift+night)%len(crew)]
				duty.From = civil.On(day, 8+12*night, 0)
				duty.To = duty.From.Add(12 * hour)
				duty.Leader = leaders[shift%len(leaders)]
				c.Duty = append(c.Duty, duty)
			}
		}
	}
	for n, s := range c.Stations {
		d := roll(c.Seed, "duty", -1, n)
		company := c.Seasons[1].Areas[s.Area].Company
		for day := seasonStart.AddDays(-15); !day.After(seasonEnd); day = day.AddDays(15) {
			c.Duty = append(c.Duty, Duty{
				Company: company, Station: n, From: day.Start(), To: day.AddDays(15).Start(),
				Name: person(d), Phone: phone(d), Backup: c.Companies[company].Phone, Leader: person(d),
			})
		}
	}
}
