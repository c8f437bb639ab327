package measure

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/equipment"
)

// Deviation is something about a visit that the city's rules would rather have otherwise. Its name on the screen is
// "deviation.<code>", with Want and Got as parameters.
type Deviation struct {
	Code string `json:"code"`
	Want string `json:"want,omitempty"`
	Got  string `json:"got,omitempty"`
	Path string `json:"path,omitempty"` // of the rule in the pack
}

// RoomResult is what the readings of one room come to.
type RoomResult struct {
	Room       string          `json:"room"`
	Type       string          `json:"type,omitempty"`
	TempC      celsius.Tenths  `json:"temp_c"` // of a mean the nearest tenth; the comparison is exact
	Readings   int             `json:"readings"`
	StandardC  *celsius.Tenths `json:"standard_c,omitempty"` // absent: no standard is known for such a room
	Conforming bool            `json:"conforming"`
}

// Result is whether a home is warm enough, as one visit or report says.
type Result struct {
	Known      bool              `json:"known"` // false: no standard is known for any of the rooms
	Conforming bool              `json:"conforming"`
	LowestC    celsius.Tenths    `json:"lowest_c"` // of the rooms that have a standard
	Rooms      []RoomResult      `json:"rooms"`
	At         civil.Instant     `json:"at"`
	By         Party             `json:"by,omitempty"`
	Visit      string            `json:"visit,omitempty"`
	Record     string            `json:"record,omitempty"`
	Tool       equipment.Fitness `json:"instrument,omitempty"`
}

// standardOf is the temperature that a room must have: the contract's, the pack's for its type, or where the type was not
// said the refund rule's of that day.
func standardOf(p *citypack.Pack, room RoomReading, agreed *celsius.Tenths, at civil.Instant) *celsius.Tenths {
	v, known := p.Standard(room.Type, at)
	switch {
	case agreed != nil && (known || room.Type == ""):
		return agreed
	case known:
		c := v.Value
		return &c
	case room.Type != "":
		return nil // the pack sets no standard for such a room
	}
	for _, t := range []string{"living_room", "bedroom"} {
		if v, ok := p.Standard(t, at); ok {
			c := v.Value
			return &c
		}
	}
	return nil
}

// measurement is what the pack says about measuring on a day; what it leaves open is filled from the refund rule in force.
type rulesOfDay struct {
	pack *citypack.Pack
	day  civil.Date
	rule *citypack.RuleMeasure
}

func rulesOn(p *citypack.Pack, day civil.Date) rulesOfDay {
	d := rulesOfDay{pack: p, day: day}
	if r, ok := p.RefundRuleOn(day); ok {
		d.rule = r.Measure
	}
	return d
}

func (d rulesOfDay) windows() (int, string) {
	if v, ok := d.pack.Doc.Measurement.Windows.On(d.day); ok {
		return v.Value, v.Path
	}
	if d.rule != nil {
		return d.rule.WindowsMinutes, ""
	}
	return 0, ""
}

func (d rulesOfDay) height() (citypack.Range, bool) {
	if v, ok := d.pack.Doc.Measurement.HeightCM.On(d.day); ok {
		return v.Value, true
	}
	if d.rule != nil && d.rule.HeightCM > 0 {
		return citypack.Range{Min: d.rule.HeightCM, Max: d.rule.HeightCM}, true
	}
	return citypack.Range{}, false
}

func (d rulesOfDay) testers() int {
	if v, ok := d.pack.Doc.Measurement.Testers.On(d.day); ok {
		return v.Value
	}
	if d.rule != nil {
		return d.rule.TestersMin
	}
	return 0
}

func (d rulesOfDay) hours() []citypack.Hours {
	if v, ok := d.pack.Doc.Measurement.Hours.On(d.day); ok {
		return v.Value
	}
	if d.rule != nil && d.rule.Between != nil {
		return []citypack.Hours{*d.rule.Between}
	}
	return nil
}

func (d rulesOfDay) notHours() []citypack.Hours {
	if v, ok := d.pack.Doc.Measurement.NotHours.On(d.day); ok {
		return v.Value
	}
	if d.rule != nil && d.rule.NotBetween != nil {
		return []citypack.Hours{*d.rule.NotBetween}
	}
	return nil
}

func (d rulesOfDay) readings() (citypack.Reading, bool) {
	if v, ok := d.pack.Doc.Measurement.Readings.On(d.day); ok {
		return v.Value, true
	}
	if d.rule != nil && d.rule.Reading != nil {
		return *d.rule.Reading, true
	}
	return citypack.Reading{}, false
}

func within(list []citypack.Hours, at civil.Instant) bool {
	hm := at.Clock()
	return slices.ContainsFunc(list, func(h citypack.Hours) bool { return hm >= h.From && hm < h.To })
}

func spell(list []citypack.Hours) string {
	var out strings.Builder
	for i, h := range list {
		if i > 0 {
			out.WriteString(", ")
		}
		out.WriteString(h.From + "-" + h.To)
	}
	return out.String()
}

// JudgeOf makes the Judge of a city.
func JudgeOf(p *citypack.Pack) Judge {
	return func(rooms []RoomReading, agreed *celsius.Tenths, at civil.Instant) Result {
		how := citypack.ReduceStable
		if r, ok := rulesOn(p, at.Date()).readings(); ok {
			how = r.Result
		}
		res := Result{At: at, Conforming: true}
		for _, group := range byRoom(rooms) {
			r := reduce(group, how)
			if std := standardOf(p, group[0], agreed, at); std != nil {
				r.StandardC, r.Conforming = std, meets(group, how, *std)
				if !res.Known || r.TempC < res.LowestC {
					res.LowestC = r.TempC
				}
				res.Known, res.Conforming = true, res.Conforming && r.Conforming
			}
			res.Rooms = append(res.Rooms, r)
		}
		res.Conforming = res.Known && res.Conforming
		return res
	}
}

// byRoom gathers the readings of each room in the order of time, rooms in the order in which they were read.
func byRoom(rooms []RoomReading) [][]RoomReading {
	var out [][]RoomReading
	for _, r := range rooms {
		i := slices.IndexFunc(out, func(g []RoomReading) bool { return g[0].Room == r.Room })
		if i < 0 {
			out = append(out, []RoomReading{r})
			continue
		}
		out[i] = append(out[i], r)
	}
	for _, g := range out {
		slices.SortStableFunc(g, func(a, b RoomReading) int {
			if a.At.Before(b.At) {
				return -1
			}
			if b.At.Before(a.At) {
				return 1
			}
			return 0
		})
	}
	return out
}

// reduce makes one temperature of the readings of a room, as the pack says: the last stable one, the lowest, or the mean.
func reduce(group []RoomReading, how citypack.Reduction) RoomResult {
	r := RoomResult{Room: group[0].Room, Type: group[0].Type, Readings: len(group), TempC: group[len(group)-1].TempC}
	switch how {
	case citypack.ReduceLowest:
		for _, m := range group {
			r.TempC = min(r.TempC, m.TempC)
		}
	case citypack.ReduceMean, citypack.ReduceMonthMean:
		r.TempC = celsius.Tenths(nearest(sum(group), len(group)))
	case citypack.ReduceStable, citypack.ReducePerRoom:
	}
	return r
}

func sum(group []RoomReading) int {
	total := 0
	for _, m := range group {
		total += int(m.TempC)
	}
	return total
}

// nearest divides and rounds half away from zero.
func nearest(total, n int) int {
	if total < 0 {
		return -nearest(-total, n)
	}
	return (2*total + n) / (2 * n)
}

// meets compares exactly: a mean of 17.95 is below 18.0, though it is written 18.0.
func meets(group []RoomReading, how citypack.Reduction, standard celsius.Tenths) bool {
	if how == citypack.ReduceMean || how == citypack.ReduceMonthMean {
		return sum(group) >= int(standard)*len(group)
	}
	return reduce(group, how).TempC >= standard
}

// ofArrival says what about an arrival is not as the rules want it.
func (d rulesOfDay) ofArrival(a Arrival) []Deviation {
	var out []Deviation
	if h := d.hours(); len(h) > 0 && !within(h, a.At) {
		out = append(out, Deviation{Code: "hours_outside", Want: spell(h), Got: a.At.Clock()})
	}
	if n := d.testers(); n > 0 && len(a.Testers) < n && a.Outcome == Met {
		out = append(out, Deviation{Code: "testers_few", Want: strconv.Itoa(n), Got: strconv.Itoa(len(a.Testers))})
	}
	return out
}

// ofReadings says what about readings is not as the rules want it.
func (d rulesOfDay) ofReadings(r Readings, tool Tool) []Deviation {
	var out []Deviation
	add := func(code, want, got, path string) { out = append(out, Deviation{code, want, got, path}) }
	if n, path := d.windows(); n > 0 {
		first := firstAt(r.Rooms)
		closed := int(first.Sub(r.WindowsSince).Minutes())
		switch {
		case r.WindowsSince.IsZero():
			add("windows_unknown", strconv.Itoa(n), "", path)
		case closed < n:
			add("windows_short", strconv.Itoa(n), strconv.Itoa(max(0, closed)), path)
		}
	}
	if h, ok := d.height(); ok && (r.HeightCM < h.Min || r.HeightCM > h.Max) {
		add("height_off", strconv.Itoa(h.Min)+"-"+strconv.Itoa(h.Max), strconv.Itoa(r.HeightCM), "")
	}
	if r.AtPoint != nil && !*r.AtPoint {
		add("point_off", "", "", "")
	}
	if r.OutdoorC == nil {
		add("outdoor_missing", "", "", "")
	}
	if not := d.notHours(); len(not) > 0 && slices.ContainsFunc(r.Rooms, func(m RoomReading) bool { return within(not, m.At) }) {
		add("not_hours", spell(not), readAt(r.Rooms).Clock(), "")
	}
	if want, ok := d.readings(); ok && want.Spacing > 0 {
		if gap, known := closest(r.Rooms); known && gap < want.Spacing {
			add("readings_close", strconv.Itoa(want.Spacing), strconv.Itoa(gap), "")
		}
	}
	if want, ok := d.readings(); ok && want.Days <= 1 {
		for _, g := range byRoom(r.Rooms) {
			if len(g) < want.Count {
				add("readings_few", strconv.Itoa(want.Count), strconv.Itoa(len(g)), "")
				break
			}
		}
	}
	for _, c := range d.pack.Doc.Measurement.Conditions {
		if !slices.Contains(r.Conditions, c.Code) {
			add("condition_"+"open", "", c.Code, c.Path)
		}
	}
	if tool.Fitness != equipment.Valid {
		add("instrument_"+string(tool.Fitness), "", tool.Number, "")
	}
	return out
}

// closest is the shortest time in minutes between two readings of one room; false where no room was read twice.
func closest(rooms []RoomReading) (minutes int, known bool) {
	for _, g := range byRoom(rooms) {
		for i := 1; i < len(g); i++ {
			if gap := int(g[i].At.Sub(g[i-1].At).Minutes()); !known || gap < minutes {
				minutes, known = gap, true
			}
		}
	}
	return minutes, known
}

func firstAt(rooms []RoomReading) civil.Instant {
	at := rooms[0].At
	for _, r := range rooms {
		at = min(at, r.At)
	}
	return at
}

// Guide is what the form tells the tester, as the rules of the city stand on a day. What is absent, the rules do not say.
type Guide struct {
	WindowsMinutes int                       `json:"windows_closed_minutes,omitempty"`
	Height         *citypack.Range           `json:"height_cm,omitempty"`
	Point          *citypack.Phrase          `json:"point,omitempty"`
	Instrument     *citypack.Phrase          `json:"instrument,omitempty"`
	Hours          []citypack.Hours          `json:"hours,omitempty"`
	NotHours       []citypack.Hours          `json:"not_hours,omitempty"`
	Readings       *citypack.Reading         `json:"readings,omitempty"`
	Testers        int                       `json:"testers_min,omitempty"`
	Conditions     []citypack.Statement      `json:"conditions,omitempty"`
	WhoPays        *citypack.Phrase          `json:"who_pays,omitempty"`
	Objection      []citypack.Statement      `json:"objection,omitempty"`
	Evidence       []citypack.Statement      `json:"evidence,omitempty"`
	Standards      map[string]celsius.Tenths `json:"standards,omitempty"` // by room type
	NotHomeProofs  []string                  `json:"not_home_proofs,omitempty"`
	Documents      []citypack.Template       `json:"documents,omitempty"`
	Preconditions  []citypack.Phrase         `json:"preconditions,omitempty"`
}

// guide gathers what the pack says about measuring at an instant.
func guide(p *citypack.Pack, at civil.Instant) Guide {
	day, m := at.Date(), p.Doc.Measurement
	d := rulesOn(p, day)
	g := Guide{
		Hours: d.hours(), NotHours: d.notHours(), Testers: d.testers(), Conditions: m.Conditions, Objection: m.Objection, Evidence: m.Evidence,
		NotHomeProofs: p.Options(at).NotHomeProofs, Documents: p.Doc.Documents, Standards: map[string]celsius.Tenths{},
		Point: phraseOn(m.Point, day), Instrument: phraseOn(m.Instrument, day), WhoPays: phraseOn(m.WhoPays, day),
	}
	g.WindowsMinutes, _ = d.windows()
	if h, ok := d.height(); ok {
		g.Height = &h
	}
	if r, ok := d.readings(); ok {
		g.Readings = &r
	}
	for room := range p.Doc.Standard {
		if v, ok := p.Standard(room, at); ok {
			g.Standards[room] = v.Value
		}
	}
	g.Preconditions = preconditions(p, day)
	return g
}

func phraseOn(d citypack.Dated[citypack.Phrase], day civil.Date) *citypack.Phrase {
	if v, ok := d.On(day); ok {
		return &v.Value
	}
	return nil
}

// preconditions are what the refund rule of a day asks for before a test; the rule's own words.
func preconditions(p *citypack.Pack, day civil.Date) []citypack.Phrase {
	r, ok := p.RefundRuleOn(day)
	if !ok {
		return nil
	}
	var out []citypack.Phrase
	for _, c := range r.Precondition {
		out = append(out, c.Text)
	}
	return out
}
