package web

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/measure"
	"github.com/rehu-heat/rehu/internal/web/ui"
)

// reading is a line of the table of readings: what was read of a room, and what it comes to.
type reading struct {
	room, at, temp, standard, short string
	result                          string
	cold, judged                    bool
}

// readings are the lines of a visit; a room that was read several times has its result in the last of them.
func readings(ctx context.Context, rooms []measure.RoomReading, res *measure.Result) []reading {
	var out []reading
	for i, m := range rooms {
		line := reading{room: readRoom(ctx, m.Room, m.Type), at: m.At.MonthDayClock(), temp: m.TempC.String()}
		last := !slices.ContainsFunc(rooms[i+1:], func(o measure.RoomReading) bool { return o.Room == m.Room })
		if j := roomOf(res, m.Room); j >= 0 {
			r := res.Rooms[j]
			if r.StandardC != nil {
				line.standard = r.StandardC.String()
				if last {
					line.judged, line.cold = true, !r.Conforming
					line.result = r.TempC.String()
					if !r.Conforming {
						line.short = (*r.StandardC - r.TempC).String()
					}
				}
			}
		}
		out = append(out, line)
	}
	return out
}

func roomOf(res *measure.Result, room string) int {
	if res == nil {
		return -1
	}
	return slices.IndexFunc(res.Rooms, func(r measure.RoomResult) bool { return r.Room == room })
}

// readRoom is what people call a room, with its type when that says more.
func readRoom(ctx context.Context, room, kind string) string {
	name := roomName(ctx, kind)
	if kind == "" || room == name || room == "" {
		return cmp.Or(room, name)
	}
	return room
}

func readingColumns() []ui.Col {
	return []ui.Col{
		{Key: "measurepage.room"},
		{Key: "measurepage.read_at", Ch: 10},
		{Key: "measurepage.temp", Ch: 8, Num: true},
		{Key: "measurepage.standard", Ch: 8, Num: true},
		{Key: "measurepage.counts", Ch: 8, Num: true},
		{Key: "measurepage.result", Ch: 10},
	}
}

// visitFacts say how a visit went and how it was read.
func visitFacts(ctx context.Context, n measureNames, v measure.Visit) []ui.Fact {
	out := []ui.Fact{{Key: "measurepage.by", Text: ui.T(ctx, "measure_party."+string(v.Party)) + companyOf(ctx, n, v.Company)}}
	if a := v.Arrival; a != nil {
		out = append(out,
			ui.Fact{Key: "measurepage.arrived", Text: a.At.Minute()},
			ui.Fact{Key: "measurepage.who_came", Text: n.people(ctx, a.Testers)},
			ui.Fact{Key: "measurepage.cause", Text: causeWords(ctx, a.Arrival)},
			ui.Fact{Key: "measurepage.reason", Text: a.Reason},
			ui.Fact{Key: "measurepage.call_log", Text: a.CallLog},
			ui.Fact{Key: "measurepage.spot", Text: spotWords(ctx, a.Spot)},
			ui.Fact{Key: "measurepage.note", Text: a.Note})
	}
	if r := v.Readings; r != nil {
		out = append(out, readingFacts(ctx, *r)...)
	}
	return out
}

// people are the testers of an arrival, of whom some are numbers of staff and some names.
func (n measureNames) people(ctx context.Context, all []string) string {
	out := make([]string, len(all))
	for i, one := range all {
		out[i] = one
		if j := slices.IndexFunc(n.testers, func(t measure.Tester) bool { return t.ID == one }); j >= 0 {
			out[i] = n.testers[j].Name
		}
	}
	return strings.Join(out, ui.T(ctx, "web.and"))
}

func companyOf(ctx context.Context, n measureNames, code string) string {
	if code == "" {
		return ""
	}
	return " " + n.org(ctx, code)
}

func spotWords(ctx context.Context, s measure.Spot) string {
	if s.Lng == "" || s.Lat == "" {
		return ""
	}
	return ui.T(ctx, "measurepage.spot_at", "lng", s.Lng, "lat", s.Lat, "m", s.AccuracyM)
}

func readingFacts(ctx context.Context, r measure.KeptReadings) []ui.Fact {
	height := ""
	if r.HeightCM > 0 {
		height = ui.T(ctx, "measurepage.cm", "n", r.HeightCM)
	}
	return []ui.Fact{
		{Key: "measurepage.instrument", Text: toolWords(ctx, r.Tool)},
		{Key: "measurepage.windows", Text: r.WindowsSince.MonthDayClock()},
		{Key: "measurepage.height", Text: height},
		{Key: "measurepage.outdoor", Text: tenthsWords(r.OutdoorC)},
		{Key: "measurepage.note", Text: r.Note},
	}
}

// toolWords says which instrument it was and until when its verification held.
func toolWords(ctx context.Context, t measure.Tool) string {
	out := strings.TrimSpace(t.Number + " " + t.Model)
	if !t.ValidUntil.IsZero() {
		out += ui.T(ctx, "measurepage.valid_until", "day", t.ValidUntil)
	}
	return out + "（" + ui.T(ctx, "fitness."+string(t.Fitness)) + "）"
}

// deviations are what about a visit is not as the rules want it, in words.
func deviations(ctx context.Context, n measureNames, v measure.Visit) []string {
	var all []measure.Deviation
	if v.Arrival != nil {
		all = append(all, v.Arrival.Deviations...)
	}
	if v.Readings != nil {
		all = append(all, v.Readings.Deviations...)
	}
	out := make([]string, len(all))
	for i, d := range all {
		out[i] = ui.T(ctx, "deviation."+d.Code, "want", d.Want, "got", n.condition(ctx, d))
	}
	return out
}

// condition is what was found instead; a condition of the pack in its words, not by its code.
func (n measureNames) condition(ctx context.Context, d measure.Deviation) string {
	for _, c := range n.rules.Pack.Doc.Measurement.Conditions {
		if c.Path == d.Path && c.Code == d.Got {
			return phrase(ctx, c.Text)
		}
	}
	return d.Got
}

// signatures say who signed and in which relation, or who would not.
func signatures(ctx context.Context, v measure.Visit) []string {
	out := make([]string, len(v.Signatures))
	for i, s := range v.Signatures {
		out[i] = signatureWords(ctx, s.Side, s.Name, s.Relation, s.Refused)
	}
	return out
}

func signatureWords(ctx context.Context, side measure.Side, name, relation string, refused bool) string {
	who := ui.T(ctx, "measure_side."+string(side))
	return strings.TrimSpace(who + " " + signerWords(ctx, name, relation, refused))
}

// signerWords say who it is that signed, or would not.
func signerWords(ctx context.Context, name, relation string, refused bool) string {
	is := firstKey(ctx, relation, "measurepage.relation."+relation)
	refusal := ""
	if refused {
		refusal = ui.T(ctx, "measurepage.refused_to_sign")
	}
	return strings.Join(strings.Fields(strings.Join([]string{name, is, refusal}, " ")), " ")
}

// version is one of two versions of a part of a visit.
type version struct {
	record, told, says string
	counts             bool
}

// versions are the versions of a part that were sent differently, in words.
func (v measureView) versions(ctx context.Context, c measure.Conflict) []version {
	var out []version
	for i, id := range c.Records {
		j := slices.IndexFunc(v.Records, func(r measure.Record) bool { return r.ID == id })
		if j < 0 {
			continue
		}
		r := v.Records[j]
		out = append(out, version{record: id, told: r.RecordedAt.MonthDayClock(), says: recordSays(ctx, r), counts: i == 0})
	}
	return out
}

// recordSays is what a record of a visit says, short.
func recordSays(ctx context.Context, r measure.Record) string {
	var parts []string
	switch r.Kind {
	case measure.KindArrival:
		var a measure.KeptArrival
		if r.Into(&a) == nil {
			parts = append(parts, a.At.MonthDayClock(), ui.T(ctx, "measure_outcome."+string(a.Outcome)), causeWords(ctx, a.Arrival), a.Reason)
		}
	case measure.KindReadings:
		var k measure.KeptReadings
		if r.Into(&k) == nil {
			for _, m := range k.Rooms {
				parts = append(parts, m.Room+" "+m.TempC.String()+" ℃ "+m.At.Clock())
			}
			parts = append(parts, k.Instrument)
		}
	case measure.KindSignature:
		var g measure.KeptSignature
		if r.Into(&g) == nil {
			parts = append(parts, signatureWords(ctx, g.Side, g.Name, g.Relation, g.Refused))
		}
	case measure.KindPhoto, measure.KindReport, measure.KindRequest, measure.KindAppointment, measure.KindAgreed, measure.KindDeclined,
		measure.KindAnswer, measure.KindMissed, measure.KindClaim, measure.KindDeny, measure.KindVerify, measure.KindInvitation, measure.KindLab, measure.KindWithdrawn:
		parts = append(parts, ui.T(ctx, "measure_record."+string(r.Kind)), r.At.MonthDayClock())
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

// labReport is a report of a laboratory as the page shows it.
type labReport struct {
	measure.KeptLab
	record measure.Record
}

func labReports(records []measure.Record) []labReport {
	var out []labReport
	for _, r := range measure.Standing(records) {
		var k measure.KeptLab
		if r.Kind == measure.KindLab && r.Into(&k) == nil {
			out = append(out, labReport{k, r})
		}
	}
	return out
}

func (l labReport) facts(ctx context.Context, n measureNames) []ui.Fact {
	came := ""
	if l.CompanyCame != nil {
		came = ui.T(ctx, "yes_no."+map[bool]string{true: "yes", false: "no"}[*l.CompanyCame])
	}
	return []ui.Fact{
		{Key: "measurepage.laboratory", Text: n.org(ctx, l.Laboratory) + listedWords(ctx, l.Listed)},
		{Key: "measurepage.report_no", Text: l.ReportNo},
		{Key: "measurepage.invited", Text: ui.T(ctx, "yes_no."+map[bool]string{true: "yes", false: "no"}[l.Invited != ""])},
		{Key: "measurepage.company_came", Text: came},
	}
}

func listedWords(ctx context.Context, listed bool) string {
	if listed {
		return ""
	}
	return ui.T(ctx, "measurepage.not_listed")
}

// chainWords says what the chain of a home is worth: whole, or where it breaks.
func chainWords(ctx context.Context, c measure.Chain) string {
	if c.Sound {
		return ui.T(ctx, "measurepage.chain_sound", "n", c.Length)
	}
	return ui.T(ctx, "measurepage.chain_broken", "at", c.Fault)
}

// docName is the name of a document as the city's pack has it.
func (n measureNames) docName(ctx context.Context, code string) string {
	if t, ok := n.rules.Pack.Template(code); ok {
		return phrase(ctx, t.Name)
	}
	return code
}

// ruleLines say what the city's rules ask of a reading.
func ruleLines(ctx context.Context, g measure.Guide) []string {
	var out []string
	add := func(ok bool, key string, pairs ...any) {
		if ok {
			out = append(out, ui.T(ctx, key, pairs...))
		}
	}
	add(len(g.Hours) > 0, "measurepage.rule.hours", "hours", hoursWords(g.Hours))
	add(len(g.NotHours) > 0, "measurepage.rule.not_hours", "hours", hoursWords(g.NotHours))
	add(g.WindowsMinutes > 0, "measurepage.rule.windows", "n", g.WindowsMinutes)
	if g.Height != nil {
		add(true, "measurepage.rule.height", "range", rangeWords(*g.Height))
	}
	if g.Readings != nil {
		add(true, "measurepage.rule.readings", "n", g.Readings.Count)
	}
	add(g.Testers > 0, "measurepage.rule.testers", "n", g.Testers)
	if g.Point != nil {
		out = append(out, phrase(ctx, *g.Point))
	}
	return out
}

func rangeWords(r citypack.Range) string {
	if r.Min == r.Max {
		return strconv.Itoa(r.Min)
	}
	return strconv.Itoa(r.Min) + "–" + strconv.Itoa(r.Max)
}
