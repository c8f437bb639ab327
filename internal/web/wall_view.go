package web

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/basemap"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/geo"
	"github.com/rehu-heat/rehu/internal/outage"
	"github.com/rehu-heat/rehu/internal/stats"
	"github.com/rehu-heat/rehu/internal/territory"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// How many lines of a list fit on the screen.
const (
	wallUnits = 10
	wallStops = 4
)

// resting reports whether there is nothing to watch: no heat, and nothing open.
func (v wallView) resting() bool {
	idle := v.phase == citypack.PhaseMaintenance || v.phase == citypack.PhaseAfter || v.phase == ""
	return idle && v.scene.Open.N == 0 && v.scene.Received.N == 0
}

// outside is the temperature of the present hour, and the lowest of the day so far.
func (v wallView) outside() (now, low celsius.Tenths, known bool) {
	for _, t := range v.temps {
		if t.At.After(v.scene.At) {
			break
		}
		if !known || t.C < low {
			low = t.C
		}
		now, known = t.C, true
	}
	return now, low, known
}

// change is how today's calls compare with yesterday's up to the same time, in whole per cent; false without a yesterday.
func (v wallView) change() (percent int64, known bool) {
	if v.scene.SameHour == 0 {
		return 0, false
	}
	return (v.scene.Received.N - v.scene.SameHour) * 100 / v.scene.SameHour, true
}

func (v wallView) againstYesterday(ctx context.Context) string {
	p, known := v.change()
	switch {
	case !known:
		return ui.T(ctx, "wall.no_yesterday")
	case p > 0:
		return ui.T(ctx, "wall.more", "percent", p)
	case p < 0:
		return ui.T(ctx, "wall.fewer", "percent", -p)
	default:
		return ui.T(ctx, "wall.same")
	}
}

// units are the companies with most in hand.
func (v wallView) units() []stats.UnitLoad { return v.scene.Units[:min(len(v.scene.Units), wallUnits)] }

// share is the width of a company's bar, in hundredths of the longest.
func (v wallView) share(n int64) string {
	most := int64(1)
	for _, u := range v.scene.Units {
		most = max(most, u.Open)
	}
	return strconv.FormatInt(n*100/most, 10)
}

// liveStops are those going on, then those to come within a day.
func (v wallView) liveStops() []outage.Outage {
	out := slices.DeleteFunc(slices.Clone(v.stops), func(o outage.Outage) bool {
		return o.State == outage.Restored || o.State != outage.Repairing && o.Start.After(v.scene.At.Add(soon))
	})
	slices.SortStableFunc(out, func(a, b outage.Outage) int { return cmp.Compare(rankOfStop(a), rankOfStop(b)) })
	return out[:min(len(out), wallStops)]
}

func rankOfStop(o outage.Outage) int {
	if o.State == outage.Repairing {
		return 0
	}
	return 1
}

// place is where a case of the ticker is: its community, or its district where the caller stays hidden or is not placed.
func (v wallView) place(n stats.News) string {
	return cmp.Or(n.Community, v.names.district(n.District))
}

// hourChart is the day's calls by the hour with the temperature outside over it. Its units are the size of its panel, so that
// its letters are as large as the page's.
type hourChart struct {
	calls, was  []hourBar
	temps       string
	grid        []tick
	degrees     []tick
	hours       []tick
	left, right string
}

type hourBar struct{ X, Y, W, H, Note string }

type tick struct{ At, Text string }

const (
	hoursWide, hoursHigh = 400.0, 262.0
	hoursLeft            = 30.0
	hoursRight           = 34.0
	hoursTop             = 12.0
	hoursFoot            = 24.0
)

func (v wallView) hours(ctx context.Context) hourChart {
	c := hourChart{left: num(hoursLeft), right: num(hoursWide - hoursRight)}
	most := int64(4)
	for h := range 24 {
		most = max(most, v.scene.Hours[h], v.scene.Yesterday[h])
	}
	step := niceStep(most)
	most = (most + step - 1) / step * step
	span := hoursHigh - hoursTop - hoursFoot
	y := func(part float64) float64 { return hoursTop + span*(1-part) }
	slot := (hoursWide - hoursLeft - hoursRight) / 24
	for n := int64(0); n <= most; n += step {
		c.grid = append(c.grid, tick{num(y(float64(n) / float64(most))), decimal(n)})
	}
	for h := range 24 {
		x := hoursLeft + slot*float64(h)
		today, before := float64(v.scene.Hours[h])/float64(most), float64(v.scene.Yesterday[h])/float64(most)
		if h <= v.scene.At.Time().Hour() {
			c.calls = append(c.calls, hourBar{num(x + slot*0.14), num(y(today)), num(slot * 0.72), num(span * today), ui.T(ctx, "wall.hour_note", "hour", h, "n", v.scene.Hours[h], "was", v.scene.Yesterday[h])})
		}
		c.was = append(c.was, hourBar{X: num(x), Y: num(y(before)), W: num(x + slot)})
		if h%3 == 0 {
			c.hours = append(c.hours, tick{num(x + slot/2), strconv.Itoa(h)})
		}
	}
	v.degrees(&c, y, slot)
	return c
}

// degrees draws the temperatures of the day with their own axis at the right.
func (v wallView) degrees(c *hourChart, y func(float64) float64, slot float64) {
	if len(v.temps) == 0 {
		return
	}
	low, high := v.temps[0].C, v.temps[0].C
	for _, t := range v.temps {
		low, high = min(low, t.C), max(high, t.C)
	}
	bottom, top := math.Floor(float64(low)/50)*5-5, math.Ceil(float64(high)/50)*5+5
	at := func(degrees float64) float64 { return y((degrees - bottom) / (top - bottom)) }
	step := 5.0
	if top-bottom > 25 {
		step = 10
	}
	for d := math.Ceil(bottom/step) * step; d <= top; d += step {
		c.degrees = append(c.degrees, tick{num(at(d)), strconv.Itoa(int(d)) + "°"})
	}
	var line strings.Builder
	for _, t := range v.temps {
		if t.At.After(v.scene.At) {
			break
		}
		fmt.Fprintf(&line, "%s,%s ", num(hoursLeft+slot*(float64(t.At.Time().Hour())+0.5)), num(at(float64(t.C)/10)))
	}
	c.temps = line.String()
}

// niceStep cuts a count into about four.
func niceStep(most int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, k := range []int64{1, 2, 5} {
			if most <= unit*k*4 {
				return unit * k
			}
		}
	}
}

func num(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) }

// wallMap is the city drawn by the server.
type wallMap struct {
	areas  []wallArea
	lines  []wallLine
	labels []wallLabel
}

type wallArea struct{ Path, Class, Note string }

type wallLine struct{ Class, Points string }

type wallLabel struct{ Class, X, Y, Text string }

const wallWide, wallHigh = 800.0, 700.0

// heats are the upper ends of the colours, in open cases of a thousand homes; what is above the last is the hottest. They are
// the same every day, so that a colour means the same every day.
var heats = []int64{0, 10, 30, 60, 120}

func heatOf(tenths int64) int {
	n := 0
	for n < len(heats) && tenths > heats[n] {
		n++
	}
	return n
}

// drawing is the map; empty when no area has an outline.
func (v wallView) drawing(ctx context.Context) wallMap {
	shapes := map[string]geo.MultiPolygon{}
	box := geo.Nowhere()
	for _, a := range v.areas {
		if m, err := geo.ReadGeometry(a.GeoJSON); drawn(a) && err == nil {
			shapes[a.Code] = m
			box = box.With(m.Box())
		}
	}
	var out wallMap
	if len(shapes) == 0 {
		return out
	}
	f := geo.NewFrame(box, wallWide, wallHigh, 8)
	load := map[string]stats.AreaLoad{}
	for _, l := range v.scene.Areas {
		sum := load[l.Area]
		sum.Open, sum.Households = sum.Open+l.Open, sum.Households+l.Households
		load[l.Area] = sum
	}
	for _, a := range v.areas {
		shape, ok := shapes[a.Code]
		if !ok {
			continue
		}
		l := load[a.Code]
		rate, known := l.PerThousand()
		class := "h-" + strconv.Itoa(heatOf(rate))
		if !known {
			class = "h-none"
		}
		out.areas = append(out.areas, wallArea{f.Path(shape), class, ui.T(ctx, "wall.area_note", "area", a.Name, "n", l.Open, "rate", tenthsOf(rate))})
		if l.Open > 0 {
			x, y := f.XY(shape.LabelPoint())
			out.labels = append(out.labels, wallLabel{"n " + class, num(x), num(y + 5), decimal(l.Open)})
		}
	}
	out.lines, out.labels = v.under(f, out.labels)
	return out
}

// under draws rivers, main roads and borders over the areas, with the names of districts and rivers.
func (v wallView) under(f geo.Frame, labels []wallLabel) ([]wallLine, []wallLabel) {
	var out []wallLine
	for _, b := range v.base {
		if b.Kind == basemap.Road || b.Kind == basemap.Street {
			continue
		}
		for _, l := range b.Lines() {
			out = append(out, wallLine{"b-" + string(b.Kind), pointsOf(f, l)})
		}
	}
	for _, b := range v.base {
		if at, ok := b.Middle(); ok && b.Name != "" && (b.Kind == basemap.District || b.Kind == basemap.River) {
			x, y := f.XY(at)
			labels = append(labels, wallLabel{"t-" + string(b.Kind), num(x), num(y), b.Name})
		}
	}
	return out, labels
}

func pointsOf(f geo.Frame, line []geo.Point) string {
	var b strings.Builder
	for _, p := range line {
		x, y := f.XY(p)
		b.WriteString(num(x) + "," + num(y) + " ")
	}
	return b.String()
}

func tenthsOf(n int64) string { return strconv.FormatInt(n/10, 10) + "." + strconv.FormatInt(n%10, 10) }

// legend is the ramp of the map in words.
func (v wallView) legend(ctx context.Context) []string {
	out := []string{"0"}
	for n := 1; n < len(heats); n++ {
		out = append(out, decimal(heats[n-1]/10)+"–"+decimal(heats[n]/10))
	}
	return append(out, ui.T(ctx, "wall.above", "n", heats[len(heats)-1]/10))
}

// hotAreas are the areas with the most open cases for their homes: what the map shows, in words.
func (v wallView) hotAreas() []stats.AreaLoad {
	out := slices.DeleteFunc(slices.Clone(v.scene.Areas), func(a stats.AreaLoad) bool { return a.Open == 0 || a.Households == 0 })
	slices.SortStableFunc(out, func(a, b stats.AreaLoad) int {
		x, _ := a.PerThousand()
		y, _ := b.PerThousand()
		return cmp.Compare(y, x)
	})
	return out[:min(len(out), 3)]
}

func (v wallView) areaName(code string) string {
	i := slices.IndexFunc(v.areas, func(a territory.DrawnArea) bool { return a.Code == code })
	if i < 0 {
		return code
	}
	return v.areas[i].Name
}

func newsTone(s cases.Status) string {
	switch caseTone(s) {
	case ui.Violet, ui.Blue:
		return "fresh"
	case ui.Green, ui.Grey:
		return "soft"
	default:
		return ""
	}
}

// tone is the colour of a figure that should be zero.
func tone(n int64, name string) string {
	if n == 0 {
		return ""
	}
	return name
}

// degreeAt is the temperature of one hour of today in words.
func (v wallView) degreeAt(hour int) string {
	for _, t := range v.temps {
		if t.At.Time().Hour() == hour && !t.At.After(v.scene.At) {
			return t.C.String() + " ℃"
		}
	}
	return "–"
}

// going counts the stops that keep homes cold now.
func (v wallView) going() int {
	n := 0
	for _, o := range v.stops {
		if o.State == outage.Repairing {
			n++
		}
	}
	return n
}

func (v wallView) stopTime(ctx context.Context, o outage.Outage) string {
	switch {
	case o.State != outage.Repairing:
		return ui.T(ctx, "wall.stop_from", "at", o.Start.MonthDayClock())
	case o.Until.IsZero():
		return ui.T(ctx, "wall.stop_unknown")
	case o.Until.Date() == v.scene.At.Date():
		return ui.T(ctx, "wall.stop_until", "at", o.Until.Clock())
	default:
		return ui.T(ctx, "wall.stop_until", "at", o.Until.MonthDayClock())
	}
}
