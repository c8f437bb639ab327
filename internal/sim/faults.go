package sim

import (
	"cmp"
	"slices"
	"time"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
)

// FaultKind is what broke or was left undone.
type FaultKind string

// The kinds of faults; those of one home come with the call that reports them.
const (
	StationDown FaultKind = "station_down" // a station's pump stands still
	MainBurst   FaultKind = "main_burst"   // a pipe in the road; every station of the area
	RiserAir    FaultKind = "riser_air"    // air in one riser
	LowFlow     FaultKind = "low_flow"     // too little water reaches the last building
	HomeAir     FaultKind = "home_air"
	Blocked     FaultKind = "blocked"
	ValveClosed FaultKind = "valve_closed"
	Unopened    FaultKind = "not_opened"
	ForArrears  FaultKind = "arrears"
	HomeLeak    FaultKind = "leak"
	WeakHome    FaultKind = "weak_home" // nothing is broken: walls, top floor, corner
	Nothing     FaultKind = ""
)

// depths are how many tenths a fault takes off a home when it lasts.
var depths = map[FaultKind]int{
	StationDown: 95, MainBurst: 110, RiserAir: 42, LowFlow: 27, HomeAir: 34, Blocked: 28, ValveClosed: 62, HomeLeak: 15,
}

// Fault is something that keeps homes cold for a while.
type Fault struct {
	Kind      FaultKind
	At, Until civil.Instant
	Area      int // for MainBurst
	Station   int // for StationDown
	Building  int // for RiserAir, LowFlow
	Unit      int
	Flat      int
	Zone      Zone
}

// Winter is one season of a city: its weather and what breaks in it.
type Winter struct {
	*City
	Weather *Weather
	Faults  []Fault // that several homes share, by time

	byBuilding map[int][]int // faults that touch a building
}

// NewWinter decides what breaks in a season.
func NewWinter(c *City) *Winter {
	w := &Winter{City: c, Weather: NewWeather(c.Seed, seasonStart.AddDays(-45), seasonEnd.AddDays(30)), byBuilding: map[int][]int{}}
	for d := seasonStart; !d.After(seasonEnd); d = d.AddDays(1) {
		w.breakDown(d)
	}
	w.addFixed()
	slices.SortStableFunc(w.Faults, func(a, b Fault) int { return cmp.Compare(a.At, b.At) })
	for n, f := range w.Faults {
		for _, b := range w.reach(f) {
			w.byBuilding[b] = append(w.byBuilding[b], n)
		}
	}
	return w
}

// breakDown draws the shared faults of a day: many when the water first comes, more again when it is very cold.
func (w *Winter) breakDown(d civil.Date) {
	r := roll(w.Seed, "faults", dayNumber(d))
	cold := max(0, -60-int(w.Weather.Mean(d)))
	perMille := map[FaultKind]int{RiserAir: 300 + 5*cold, LowFlow: 130 + 4*cold, StationDown: 50 + 2*cold, MainBurst: 12 + cold/2}
	switch since := seasonStart.DaysUntil(d); {
	case since < 3:
		perMille = map[FaultKind]int{RiserAir: 5000, LowFlow: 1800, StationDown: 1200, MainBurst: 250}
	case since < 10:
		perMille = map[FaultKind]int{RiserAir: 2200, LowFlow: 900, StationDown: 350, MainBurst: 60}
	}
	scale := min(len(w.Households), 20_000)
	for _, kind := range []FaultKind{RiserAir, LowFlow, StationDown, MainBurst} {
		for range count(r, perMille[kind]*scale/20_000) {
			w.add(r, kind, civil.On(d, r.between(0, 23), r.between(0, 59)))
		}
	}
}

// count draws a number whose mean is so many thousandths.
func count(r dice, mean int) int {
	n := mean / 1000
	spread := 0
	for spread*spread < n {
		spread++
	}
	if n > 3 {
		n = max(0, n+r.bell(spread))
	}
	if r.chance(mean % 1000) {
		n++
	}
	return n
}

// addFixed adds what every season has, so that there is always something to see in mid-January.
func (w *Winter) addFixed() {
	r := roll(w.Seed, "fixed")
	w.add(r, StationDown, civil.On(civil.NewDate(2026, 1, 15), 6, 45))
	w.add(r, RiserAir, civil.On(civil.NewDate(2026, 1, 14), 19, 20))
	w.add(r, RiserAir, civil.On(civil.NewDate(2026, 1, 15), 1, 30))
	w.add(r, MainBurst, civil.On(civil.NewDate(2026, 1, 13), 15, 10))
}

// add puts a fault somewhere.
func (w *Winter) add(r dice, kind FaultKind, at civil.Instant) {
	h := w.Households[r.n(len(w.Households))]
	b := w.Buildings[h.Building]
	if kind == StationDown { // a large station: that is the news of the day
		for range 4 {
			if other := w.Households[r.n(len(w.Households))]; len(w.atStop[w.Buildings[other.Building].Station]) > len(w.atStop[b.Station]) {
				h, b = other, w.Buildings[other.Building]
			}
		}
	}
	skill := w.Companies[w.Supplier(h.Building)].skill
	slow := time.Duration(140 - skill)
	f := Fault{Kind: kind, At: at, Area: b.Area, Station: b.Station, Building: h.Building, Unit: h.Unit, Flat: h.Flat, Zone: h.Zone}
	switch kind {
	case StationDown:
		f.Until = at.Add(time.Duration(r.between(100, 320)) * time.Minute * slow / 60)
	case MainBurst:
		f.Until = at.Add(time.Duration(r.between(7, 15)) * hour * slow / 60)
	case RiserAir:
		f.Until = at.Add(time.Duration(r.between(6, 26)) * hour * slow / 60)
	default:
		f.Until = at.Add(time.Duration(r.between(60, 260)) * hour * slow / 60)
	}
	w.Faults = append(w.Faults, f)
}

// reach are the buildings that a fault touches.
func (w *Winter) reach(f Fault) []int {
	switch f.Kind {
	case StationDown:
		return w.atStop[f.Station]
	case MainBurst:
		var out []int
		for s, st := range w.Stations {
			if st.Area == f.Area {
				out = append(out, w.atStop[s]...)
			}
		}
		return out
	default:
		return []int{f.Building}
	}
}

// touches reports whether a home feels a fault of its building.
func (f Fault) touches(h Household) bool {
	switch f.Kind {
	case RiserAir:
		return h.Unit == f.Unit && h.Flat == f.Flat && h.Zone == f.Zone
	case LowFlow:
		return h.Unit >= f.Unit
	default:
		return true
	}
}

// Homes are the homes with heat that a fault touches.
func (w *Winter) Homes(f Fault) []int {
	var out []int
	for _, b := range w.reach(f) {
		for i := w.firstOf[b]; i >= 0 && i < len(w.Households) && w.Households[i].Building == b; i++ {
			if f.touches(w.Households[i]) && w.Households[i].Status == On {
				out = append(out, i)
			}
		}
	}
	return out
}

// Indoor is how warm a home is, from the weather of the last days, where it lies, and what is broken around it.
func (w *Winter) Indoor(household int, at civil.Instant) celsius.Tenths {
	h := w.Households[household]
	b := w.Buildings[h.Building]
	m := w.Communities[b.Community]
	weak, own := w.weakness(h, b, m)
	t := 209 + own + w.Companies[w.Supplier(h.Building)].warmth
	t -= max(0, -20-w.Weather.felt(at)) * weak / 100
	if since := int(at.Sub(seasonStart.Start()) / hour); since < 40 {
		t = 150 + (t-150)*max(0, since)/40
	}
	if h.Status != On {
		t -= 70
	}
	for _, n := range w.byBuilding[h.Building] {
		f := w.Faults[n]
		if f.At.After(at) {
			break
		}
		if f.touches(h) {
			t -= depths[f.Kind] * felt(f, at) / 1000
		}
	}
	return celsius.Tenths(max(t, 45))
}

// weakness is how much of the cold outside a home feels, in hundredths, and what it is warmer or colder by always.
func (w *Winter) weakness(h Household, b Building, m Community) (weak, own int) {
	weak = 8 + 3*m.far
	own = roll(w.Seed, "warmth", h.Building, h.Unit, h.Floor, h.Flat).bell(11) - 4*m.far
	if h.Floor == b.Floors {
		weak, own = weak+6, own-13
	}
	if h.Floor == 1 {
		own -= 6
	}
	if h.Unit == 1 && h.Flat == 1 || h.Unit == b.Units && h.Flat == b.PerFloor {
		weak, own = weak+5, own-8
	}
	if m.built < 2000 {
		weak += 5
	}
	return weak, own
}

// felt is how much of a fault's depth has come through to the flat, in thousandths: walls cool within a day and warm again
// in half of one.
func felt(f Fault, at civil.Instant) int {
	gone := min(at, f.Until).Sub(f.At) / time.Minute
	part := int(1000 * gone / (gone + 20*60))
	if at.After(f.Until) {
		back := int(at.Sub(f.Until) / time.Minute)
		part = part * 10 * 60 / (10*60 + back)
		if back > 72*60 {
			part = 0
		}
	}
	return part
}
