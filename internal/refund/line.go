package refund

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/text"
)

// Line is one request for an assessment, as a city's own staff write it.
type Line struct {
	City    calendar.CityCode `json:"city"`
	Rule    string            `json:"rule"`
	At      *Moment           `json:"at"`
	Season  *SeasonLine       `json:"season"`
	AgreedC *Temp             `json:"agreed_c"`
	Fee     *FeeLine          `json:"fee"`
	Daily   []DayFactLine     `json:"daily"`
	Events  []EventLine       `json:"events"`
	From    *civil.Date       `json:"assess_from"` // assess only from this day on
	Until   *civil.Date       `json:"assess_to"`   // and only up to this day
	Claimed *civil.Date       `json:"established"` // when the refund was established
}

// SeasonLine is the season in a request.
type SeasonLine struct {
	From *Moment `json:"from"`
	To   *Moment `json:"to"`
	Days *int    `json:"days"`
}

// FeeLine is the fee in a request. Absent and zero differ: a zero is refused.
type FeeLine struct {
	AreaM2  *Quantity  `json:"area_m2"`
	Price   *Quantity  `json:"price_yuan_per_m2"`
	Per     PricePer   `json:"price_per"`
	Total   *Yuan      `json:"total_yuan"`
	Basic   *Yuan      `json:"basic_yuan"`
	Metered bool       `json:"metered"`
	Rooms   []RoomLine `json:"rooms"`
}

// RoomLine is a room in a request.
type RoomLine struct {
	Room   string    `json:"room"`
	AreaM2 *Quantity `json:"area_m2"`
}

// DayFactLine is established days in a request.
type DayFactLine struct {
	TempC *Temp       `json:"temp_c"`
	Days  *int        `json:"days"`
	Date  *civil.Date `json:"date"`
	Room  string      `json:"room"`
}

// EventLine is an event in a request.
type EventLine struct {
	Type          EventType      `json:"type"`
	At            *civil.Instant `json:"at"`
	Readings      []ReadingLine  `json:"readings"`
	By            Maker          `json:"by"`
	SignedUser    *bool          `json:"signed_user"`
	SignedCompany *bool          `json:"signed_company"`
	Level         Level          `json:"level"`
	Until         *civil.Instant `json:"until"`
	Code          string         `json:"code"`
	Accepted      *bool          `json:"accepted"`
	Unauthorised  *bool          `json:"unauthorised"`
	Certificate   *bool          `json:"certificate"`
	CopyLeft      *bool          `json:"copy_left"`
	Record        string         `json:"record"`
}

// ReadingLine is a reading in a request.
type ReadingLine struct {
	Room  string `json:"room"`
	TempC *Temp  `json:"temp_c"`
}

// Temp is a temperature in a request; a second decimal is refused in the reader's language.
type Temp celsius.Tenths

// UnmarshalJSON reads a number or a string.
func (t *Temp) UnmarshalJSON(b []byte) error {
	s := string(b)
	if strings.HasPrefix(s, `"`) {
		if err := json.Unmarshal(b, &s); err != nil {
			return fault.New(fault.Invalid, "refund.not_a_temperature")
		}
	}
	v, err := celsius.Parse(s)
	if err != nil {
		return fault.New(fault.Invalid, "refund.not_a_temperature")
	}
	*t = Temp(v)
	return nil
}

// Yuan is a sum in a request; fractions of a fen are refused in the reader's language.
type Yuan money.Fen

// UnmarshalJSON reads a number or a string.
func (y *Yuan) UnmarshalJSON(b []byte) error {
	var f money.Fen
	if err := f.UnmarshalJSON(b); err != nil {
		return fault.New(fault.Invalid, "refund.not_yuan")
	}
	*y = Yuan(f)
	return nil
}

// Moment is an instant, or a day by its date alone.
type Moment struct {
	At  civil.Instant
	Day civil.Date // when only a day was given
}

// UnmarshalJSON reads what civil.ParseInstant reads, or a date.
func (m *Moment) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fault.New(fault.Invalid, "field.not_a_time")
	}
	if d, err := civil.ParseDate(s); err == nil {
		m.At, m.Day = d.Start(), d
		return nil
	}
	i, err := civil.ParseInstant(s)
	if err != nil {
		return fault.New(fault.Invalid, "field.not_a_time")
	}
	m.At = i
	return nil
}

// end is the first instant after the moment, where it ends something: of a day its 24:00.
func (m *Moment) end() civil.Instant {
	if !m.Day.IsZero() {
		return m.Day.End()
	}
	return m.At
}

// Input reads the line. A number that must be there and is not, or is zero, is named by its field.
func (l *Line) Input() (Input, error) {
	var c fault.Check
	in := Input{}
	if s := l.Season; s != nil {
		if s.From != nil {
			in.Season.From = s.From.At
		}
		if s.To != nil {
			in.Season.To = s.To.end()
		}
		if s.Days != nil && c.That(*s.Days > 0, "season.days", "refund.days_outside", "min", 1, "max", mostDays) {
			in.Season.Days = *s.Days
		}
	}
	if l.AgreedC != nil {
		t := celsius.Tenths(*l.AgreedC)
		in.AgreedC = &t
	}
	l.fee(&c, &in)
	l.daily(&c, &in)
	l.events(&c, &in)
	if l.From != nil {
		in.Only.From = *l.From
	}
	if l.Until != nil {
		in.Only.To = *l.Until
		c.That(in.Only.From.IsZero() || !in.Only.To.Before(in.Only.From), "assess_to", "refund.until_backwards")
	}
	if l.Claimed != nil {
		in.Claimed = *l.Claimed
	}
	return in, c.Err()
}

func (l *Line) fee(c *fault.Check, in *Input) {
	f := l.Fee
	if f == nil {
		return
	}
	positive := func(field string, q *Quantity, most int) Quantity {
		if q == nil || !c.That(*q > 0, field, "refund.not_positive", "most", most) {
			return 0
		}
		return *q
	}
	in.Fee = Fee{Per: f.Per, Metered: f.Metered, AreaM2: positive("fee.area_m2", f.AreaM2, mostArea), Price: positive("fee.price_yuan_per_m2", f.Price, mostPrice)}
	if f.Total != nil {
		t := money.Fen(*f.Total)
		in.Fee.Total = &t
	}
	if f.Basic != nil {
		b := money.Fen(*f.Basic)
		in.Fee.Basic = &b
	}
	for i, r := range f.Rooms {
		at := "fee.rooms." + strconv.Itoa(i)
		c.That(r.Room != "", at+".room", "field.required")
		if c.That(r.AreaM2 != nil, at+".area_m2", "field.required") {
			in.Fee.Rooms = append(in.Fee.Rooms, Room{Room: r.Room, AreaM2: *r.AreaM2})
		}
	}
}

func (l *Line) daily(c *fault.Check, in *Input) {
	if l.Daily == nil {
		return
	}
	in.Daily = make([]DayFact, len(l.Daily))
	for i, d := range l.Daily {
		at := "daily." + strconv.Itoa(i)
		f := &in.Daily[i]
		f.Room, f.Days = d.Room, 1
		if c.That(d.TempC != nil, at+".temp_c", "field.required") {
			f.TempC = celsius.Tenths(*d.TempC)
		}
		if c.That(d.Days != nil, at+".days", "field.required") {
			f.Days = *d.Days
		}
		if d.Date != nil {
			f.Date = *d.Date
		}
	}
}

func (l *Line) events(c *fault.Check, in *Input) {
	if l.Events == nil {
		return
	}
	in.Events = make([]Event, len(l.Events))
	for i, e := range l.Events {
		at := "events." + strconv.Itoa(i)
		to := &in.Events[i]
		*to = Event{
			Type: e.Type, By: e.By, SignedUser: e.SignedUser, SignedCompany: e.SignedCompany, Level: e.Level, Code: e.Code,
			Accepted: e.Accepted, Unauthorised: e.Unauthorised, Certificate: e.Certificate, CopyLeft: e.CopyLeft, Record: e.Record,
		}
		if e.At != nil {
			to.At = *e.At
		}
		if e.Until != nil {
			to.Until = *e.Until
		}
		for j, r := range e.Readings {
			if c.That(r.TempC != nil, at+".readings."+strconv.Itoa(j)+".temp_c", "field.required") {
				to.Readings = append(to.Readings, Reading{Room: r.Room, TempC: celsius.Tenths(*r.TempC)})
			}
		}
	}
}

// moment is the day that decides which season a line is about.
func (l *Line) moment(in *Input) civil.Date {
	switch {
	case l.At != nil:
		return l.At.At.Date()
	case !in.Season.From.IsZero():
		return in.Season.From.Date()
	}
	for _, d := range in.Daily {
		if !d.Date.IsZero() {
			return d.Date
		}
	}
	for i := range in.Events {
		if !in.Events[i].At.IsZero() {
			return in.Events[i].At.Date()
		}
	}
	return civil.Date{}
}

// Answer computes a line by the rules of its city. By gives every rule of every place by its id.
func Answer(l Line, of *citypack.Rules, by func(id string) (citypack.RefundRule, bool)) (AnswerLine, error) {
	in, err := l.Input()
	if err != nil {
		return AnswerLine{}, err
	}
	day := l.moment(&in)
	season := in.season(of, day)
	rule, err := choose(l.Rule, of, by, season, day)
	if err != nil {
		return AnswerLine{}, err
	}
	opts := Options{Provisional: Provisional(rule, of.Pack)}
	if d, ok := of.Pack.Doc.Season.StatutDays.On(day); ok && !day.IsZero() {
		opts.SeasonDays = d.Value
	}
	a, err := Compile(rule, opts).Explain(&in)
	if err != nil {
		return AnswerLine{}, err
	}
	return answerOf(a), nil
}

// season takes what the line does not say of its season from the city's rules, and gives the day it starts on.
func (in *Input) season(of *citypack.Rules, day civil.Date) civil.Date {
	if !day.IsZero() && (in.Season.From.IsZero() || in.Season.To.IsZero()) {
		if s, ok := of.Season(day.Start(), ""); ok {
			if in.Season.From.IsZero() && (in.Season.To.IsZero() || s.Start < in.Season.To) {
				in.Season.From = s.Start
			}
			if in.Season.To.IsZero() && in.Season.From < s.End {
				in.Season.To = s.End
			}
		}
	}
	if !in.Season.From.IsZero() {
		return in.Season.From.Date()
	}
	return day
}

// choose finds the rule that a line names, or the one in force at the season's start.
func choose(id string, of *citypack.Rules, by func(string) (citypack.RefundRule, bool), season, day civil.Date) (citypack.RefundRule, error) {
	var c fault.Check
	if id != "" {
		if r, ok := of.Pack.RefundRule(id); ok {
			return r, nil
		}
		r, ok := by(id)
		c.That(ok, "rule", "refund.no_rule", "rule", id)
		return r, c.Err()
	}
	if !c.That(!day.IsZero(), "at", "refund.no_season") {
		return citypack.RefundRule{}, c.Err()
	}
	r, ok := of.Pack.RefundRuleOn(season)
	c.That(ok, "rule", "refund.rule_required", "city", of.Pack.Name, "day", season)
	return r, c.Err()
}

// Provisional reports whether a rule's figures wait for the city's approval. A rule of another place has no approval here.
func Provisional(rule citypack.RefundRule, pack *citypack.Pack) bool {
	if own, ok := pack.RefundRule(rule.ID); ok {
		return pack.Provisional(own.Origin)
	}
	return !rule.Confidence.Confirmed()
}

// AnswerLine is the answer to a line. The id is echoed by whoever reads the lines.
type AnswerLine struct {
	Status   Status        `json:"status"`
	Rule     string        `json:"rule"`
	Percent  number        `json:"percent,omitempty"`
	Fen      *int64        `json:"refund_fen"`
	Yuan     *money.Fen    `json:"refund_yuan"`
	Exact    string        `json:"exact_fen,omitempty"`
	PayBy    civil.Date    `json:"pay_by"`
	ApplyBy  *civil.Date   `json:"apply_by,omitempty"`
	Days     []dayAnswer   `json:"days"`
	Explain  []Step        `json:"explain"`
	Warnings []warningLine `json:"warnings"`
	Missing  []string      `json:"missing"`
}

type dayAnswer struct {
	Date    civil.Date `json:"date"`
	Days    int        `json:"days"`
	TempC   *string    `json:"temp_c"`
	Tier    *string    `json:"tier"`
	Percent *number    `json:"percent"`
	Base    *int64     `json:"base_fen"`
	Refund  *int64     `json:"refund_fen"`
	Cause   Cause      `json:"cause"`
	Level   Level      `json:"level,omitempty"`
}

type warningLine struct {
	Code string `json:"code"`
	ZH   string `json:"zh"`
	EN   string `json:"en"`
}

// number is an exact decimal, written as a number; a fraction that no decimal equals is written as a text.
type number string

// MarshalJSON writes the number.
func (n number) MarshalJSON() ([]byte, error) {
	if strings.Contains(string(n), "/") {
		return []byte(`"` + string(n) + `"`), nil
	}
	return []byte(n), nil
}

func answerOf(a Assessment) AnswerLine {
	out := AnswerLine{
		Status: a.Status, Rule: a.Rule, Percent: number(a.Percent), Fen: fen(a.Refund), Yuan: a.Refund, Exact: a.Exact, PayBy: a.PayBy,
		Days: make([]dayAnswer, len(a.Days)), Explain: a.Explain, Warnings: make([]warningLine, len(a.Warnings)),
		Missing: append([]string{}, a.Missing...),
	}
	if !a.ApplyBy.IsZero() {
		out.ApplyBy = &a.ApplyBy
	}
	for i, d := range a.Days {
		out.Days[i] = dayAnswer{Date: d.Date, Days: d.Days, Base: fen(d.Base), Refund: fen(d.Refund), Cause: d.Cause, Level: d.Level}
		out.Days[i].TempC, out.Days[i].Tier = given(d.TempC), given(d.Tier)
		if n := number(d.Percent); n != "" {
			out.Days[i].Percent = &n
		}
	}
	for i, w := range a.Warnings {
		out.Warnings[i] = warningLine{Code: w.Code, ZH: w.Message.In(text.ZH), EN: w.Message.In(text.EN)}
	}
	return out
}

func fen(f *money.Fen) *int64 {
	if f == nil {
		return nil
	}
	n := int64(*f)
	return &n
}

func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
