package citypack

import "github.com/rehu-heat/rehu/internal/celsius"

// Document is a city pack as it is written; what is unknown is absent. A city's document is laid over its parent's:
// mappings are merged, lists with codes are merged by code, other lists are replaced, limits go before the parent's.
type Document struct {
	Code    string  `json:"code" pack:"required,pattern=^[0-9]{6}$"` // GB/T 2260; 000000 for the national defaults
	Level   Level   `json:"level" pack:"required"`
	Parent  string  `json:"parent,omitempty" pack:"pattern=^[0-9]{6}$"`
	Name    Phrase  `json:"name" pack:"required"`
	Edition string  `json:"edition" pack:"required"`
	Notes   *Phrase `json:"notes,omitempty"`

	Laws          map[string]Law           `json:"laws,omitempty"` // short names for sources
	Terms         map[string]Term          `json:"terms,omitempty"`
	Bounds        *Bounds                  `json:"bounds,omitempty"`
	Centre        *Point                   `json:"centre,omitempty"`
	Season        Seasons                  `json:"season,omitzero"`
	Standard      map[string]Dated[Degree] `json:"standard,omitempty"` // by room type
	Entry         *Entry                   `json:"entry,omitempty"`    // where a category has none
	Feedback      []FormField              `json:"feedback,omitempty"` // where a category has none
	Categories    []*Category              `json:"categories,omitempty"`
	Clocks        map[string]Clock         `json:"clocks,omitempty"`
	Shifts        Dated[[]Hours]           `json:"shifts,omitempty"` // working hours of a working day
	Options       OptionSet                `json:"options,omitempty"`
	Outage        []Notice                 `json:"outage_notice,omitempty"`
	UrgentWords   []UrgentRule             `json:"urgent,omitempty"`
	GenericNames  Dated[[]string]          `json:"generic_names,omitempty"` // match no place by themselves
	Numbering     map[string]Numbering     `json:"numbering,omitempty"`
	Retention     map[string]Dated[Span]   `json:"retention,omitempty"`
	Measurement   Measurement              `json:"measurement,omitzero"`
	RefundRules   []RefundRule             `json:"refund_rules,omitempty"`
	Fees          Fees                     `json:"fees,omitzero"`
	Telephone     Telephone                `json:"telephone,omitzero"`
	Indicators    []Indicator              `json:"indicators,omitempty"`
	Offences      []Offence                `json:"offences,omitempty"`
	Equipment     []EquipmentCycle         `json:"equipment,omitempty"`
	Documents     []Template               `json:"documents,omitempty"`
	ConnectThresh []TakeUp                 `json:"take_up,omitempty"` // 供热率
}

// Level is what a pack describes.
type Level string

// The levels.
const (
	LevelNational Level = "national"
	LevelProvince Level = "province"
	LevelCity     Level = "city"
	LevelCounty   Level = "county"
)

func (Level) values() []string {
	return []string{string(LevelNational), string(LevelProvince), string(LevelCity), string(LevelCounty)}
}

// Law is a source with a short name, so that values can say {law: wf, article: "34"}.
type Law struct {
	Title Phrase `json:"title" pack:"required"`
	URL   string `json:"url,omitempty"`
	Issue string `json:"issue,omitempty"` // number, date of adoption
}

// Term is a city's own label for a word of the field.
type Term struct {
	Phrase
	Origin
}

// Point is a place on the map, WGS 84.
type Point struct {
	Lng float64 `json:"lng" pack:"required,min=-180,max=180"`
	Lat float64 `json:"lat" pack:"required,min=-90,max=90"`
	Origin
}

// Bounds is the box that every coordinate of the city lies in, WGS 84.
type Bounds struct {
	West  float64 `json:"west" pack:"required,min=-180,max=180"`
	South float64 `json:"south" pack:"required,min=-90,max=90"`
	East  float64 `json:"east" pack:"required,min=-180,max=180"`
	North float64 `json:"north" pack:"required,min=-90,max=90"`
	Origin
}

// Contains reports whether a point lies in the box; without a box every point does.
func (b *Bounds) Contains(lng, lat float64) bool {
	return b == nil || lng >= b.West && lng <= b.East && lat >= b.South && lat <= b.North
}

// Degree is a temperature in degrees Celsius with at most one decimal.
type Degree = celsius.Tenths

// Decimal is an exact decimal number, such as a price.
type Decimal string

// Span is a length of time in natural units.
type Span struct {
	Amount int      `json:"amount" pack:"required,min=1"`
	Unit   SpanUnit `json:"unit" pack:"required"`
}

// SpanUnit is a unit of a span.
type SpanUnit string

func (SpanUnit) values() []string { return []string{"hour", "day", "month", "year"} }

// Notice is how long before a stop of heat, or a fill test, users must be told.
type Notice struct {
	Period
	What      NoticeKind `json:"what" pack:"required"`
	OverHours int        `json:"over_hours,omitempty"` // only for stops longer than this
	Amount    int        `json:"amount" pack:"required,min=0"`
	Unit      Unit       `json:"unit" pack:"required"`
	Tell      []string   `json:"tell,omitempty"` // users, authority, centre
	Origin
}

// NoticeKind is what is announced.
type NoticeKind string

// The kinds of notice.
const (
	NoticePlanned NoticeKind = "planned_stop"
	NoticeSudden  NoticeKind = "sudden_stop"
	NoticeFill    NoticeKind = "fill_test"
	NoticeRepair  NoticeKind = "yearly_repair"
)

func (NoticeKind) values() []string {
	return []string{string(NoticePlanned), string(NoticeSudden), string(NoticeFill), string(NoticeRepair)}
}

// UrgentRule raises the urgency of a case by a word in its text or by a mark of the household.
type UrgentRule struct {
	Code    string   `json:"code" pack:"required"`
	Name    Phrase   `json:"name" pack:"required"`
	Words   []string `json:"words,omitempty"`
	Mark    string   `json:"mark,omitempty"` // care mark of the household
	Urgency Urgency  `json:"urgency" pack:"required"`
	Origin
}

// Numbering is how a kind of document is numbered: {city}, {date}, {year} and {n:6} stand for their values.
type Numbering struct {
	Format string `json:"format" pack:"required"`
	Origin
}

// Seasons is when heat is supplied.
type Seasons struct {
	Rule       []SeasonRule `json:"rule,omitempty"`
	Announced  []Announced  `json:"announced,omitempty"` // seasons whose dates the city published otherwise
	FirstDays  Dated[int]   `json:"first_days,omitempty"`
	TrialDays  Dated[int]   `json:"trial_days,omitempty"` // trial supply before the start
	FillDays   Dated[int]   `json:"fill_days,omitempty"`  // pressure fill before the trial supply
	AfterDays  Dated[int]   `json:"after_days,omitempty"` // closing work after the end
	StatutDays Dated[int]   `json:"statutory_days,omitempty"`
}

// MonthDayTime is a time of the year in the form MM-DD HH:MM; 24:00 is the end of the day.
type MonthDayTime string

// SeasonRule is the season that the law sets; county is empty for the whole city.
type SeasonRule struct {
	Period
	Counties []string     `json:"counties,omitempty"`
	Start    MonthDayTime `json:"start" pack:"required"`
	End      MonthDayTime `json:"end" pack:"required"`
	Origin
}

// Announced is one season with its published times.
type Announced struct {
	Label    string   `json:"season" pack:"required,pattern=^[0-9]{4}-[0-9]{4}$"`
	Counties []string `json:"counties,omitempty"`
	Start    string   `json:"start,omitempty" pack:"pattern=^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}$"`
	End      string   `json:"end,omitempty" pack:"pattern=^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}$"`
	Origin
}

// Measurement is how the temperature of a home is taken.
type Measurement struct {
	Windows     Dated[int]     `json:"windows_closed_minutes,omitempty"`
	HeightCM    Dated[Range]   `json:"height_cm,omitempty"`
	Point       Dated[Phrase]  `json:"point,omitempty"`
	Hours       Dated[[]Hours] `json:"hours,omitempty"`     // when testers may come
	NotHours    Dated[[]Hours] `json:"not_hours,omitempty"` // readings that do not count
	Readings    Dated[Reading] `json:"readings,omitempty"`
	Testers     Dated[int]     `json:"testers_min,omitempty"`
	Instrument  Dated[Phrase]  `json:"instrument,omitempty"`
	Conditions  []Statement    `json:"conditions,omitempty"`
	WhoPays     Dated[Phrase]  `json:"who_pays,omitempty"`
	Objection   []Statement    `json:"objection,omitempty"`
	Evidence    []Statement    `json:"evidence,omitempty"`
	FindingName Dated[Phrase]  `json:"finding_title,omitempty"` // 室温复核意见书, 调解书 …
	Finding     Finding        `json:"finding,omitzero"`
}

// Finding is how a disputed temperature is decided, as far as the city's rules say.
type Finding struct {
	Authority Dated[Phrase]     `json:"authority,omitempty"`          // who hears the complaint
	Within    Dated[Within]     `json:"answer_within,omitempty"`      // the authority's own clock, from the complaint
	Invites   Dated[bool]       `json:"laboratory_invites,omitempty"` // the laboratory invites the company in writing
	Prevails  Dated[Prevailing] `json:"prevails,omitempty"`           // which result holds where they differ
	Force     Dated[Phrase]     `json:"force,omitempty"`              // what the finding binds
	Ruling    Dated[Phrase]     `json:"ruling,omitempty"`             // title of a ruling (裁决), where a law grants one
	Remedies  []Statement       `json:"remedies,omitempty"`           // negotiation, mediation, arbitration, court
}

// Within is a time limit for one act.
type Within struct {
	Amount int  `json:"amount" pack:"required,min=1"`
	Unit   Unit `json:"unit" pack:"required"`
}

// Prevailing is which of two results holds.
type Prevailing string

// The results that may prevail.
const (
	PrevailsLaboratory Prevailing = "laboratory"       // the commissioned laboratory's
	PrevailsUsersLab   Prevailing = "users_laboratory" // where each side engaged one, that of the user
	PrevailsAuthority  Prevailing = "authority"        // the authority's own test
)

func (Prevailing) values() []string {
	return []string{string(PrevailsLaboratory), string(PrevailsUsersLab), string(PrevailsAuthority)}
}

// Hours is a part of the day, HH:MM.
type Hours struct {
	From string `json:"from" pack:"required,pattern=^[0-2][0-9]:[0-5][0-9]$"`
	To   string `json:"to" pack:"required,pattern=^[0-2][0-9]:[0-5][0-9]$"`
}

// Range is a closed range of whole numbers.
type Range struct {
	Min int `json:"min" pack:"required"`
	Max int `json:"max" pack:"required"`
}

// Reading is how many readings make one result, and how.
type Reading struct {
	Count       int       `json:"count" pack:"required,min=1"`
	Days        int       `json:"days,omitempty"`
	SlotsPerDay int       `json:"slots_per_day,omitempty"`
	Spacing     int       `json:"spacing_minutes,omitempty" pack:"min=1"` // between two readings of one room
	Result      Reduction `json:"result" pack:"required"`
}

// Statement is a rule in words, with its source.
type Statement struct {
	Code string `json:"code" pack:"required"`
	Text Phrase `json:"text" pack:"required"`
	Origin
}

// Fees are prices and how a bill is formed.
type Fees struct {
	Prices     []Price       `json:"prices,omitempty"`
	AreaBase   Dated[Phrase] `json:"area_base,omitempty"`
	BasicCap   Dated[int]    `json:"basic_price_cap_percent,omitempty"`
	Suspended  Dated[int]    `json:"suspended_use_percent,omitempty"` // basic fee of a stopped home
	Height     []Height      `json:"height_surcharge,omitempty"`
	PayBy      Dated[Phrase] `json:"pay_by,omitempty"`
	StopBy     Dated[Phrase] `json:"stop_request_by,omitempty"`
	MeterCap   Dated[Phrase] `json:"metered_cap,omitempty"`
	LateCharge Dated[Phrase] `json:"late_charge,omitempty"`
}

// Telephone is how soon whoever rings the centre is to be answered.
type Telephone struct {
	Answer Dated[Promptness] `json:"answer,omitempty"` // 接通率
}

// Promptness is the part of calls that are answered within so many seconds.
type Promptness struct {
	Percent int `json:"percent" pack:"required,min=50,max=99"`
	Seconds int `json:"seconds" pack:"required,min=1,max=300"`
}

// Price is one price of heat.
type Price struct {
	Period
	Code   string    `json:"code" pack:"required"`
	Name   Phrase    `json:"name" pack:"required"`
	Amount Decimal   `json:"amount" pack:"required"`
	Per    PriceUnit `json:"per" pack:"required"`
	Area   Phrase    `json:"area,omitzero"`
	Origin
}

// PriceUnit is what a price is for.
type PriceUnit string

func (PriceUnit) values() []string {
	return []string{"m2_season", "m2_month", "m2_day", "kwh", "gj"}
}

// Height is a surcharge for high rooms.
type Height struct {
	Code        string  `json:"code" pack:"required"`
	AboveM      Decimal `json:"above_m" pack:"required"`
	StepM       Decimal `json:"step_m" pack:"required"`
	StepPercent Decimal `json:"step_percent" pack:"required"`
	MaxPercent  Decimal `json:"max_percent,omitempty"`
	Users       Phrase  `json:"users,omitzero"`
	Origin
}

// Indicator is one figure of an evaluation; numerator and denominator are printed beside it.
type Indicator struct {
	Code        string  `json:"code" pack:"required"`
	Name        Phrase  `json:"name" pack:"required"`
	Numerator   Phrase  `json:"numerator" pack:"required"`
	Denominator Phrase  `json:"denominator" pack:"required"`
	Excluded    *Phrase `json:"excluded,omitempty"`
	Target      string  `json:"target,omitempty"`
	DayCut      string  `json:"day_cut,omitempty" pack:"pattern=^[0-2][0-9]:[0-5][0-9]$"`
	Origin
}

// Offence is an act against the law with its consequences.
type Offence struct {
	Period
	Code     string   `json:"code" pack:"required"`
	Name     Phrase   `json:"name" pack:"required"`
	Who      string   `json:"who,omitempty"` // company, unit, person, builder, user
	TwoStep  bool     `json:"two_step,omitempty"`
	Warning  bool     `json:"warning,omitempty"`
	Fines    []Fine   `json:"fines,omitempty"`
	Gains    bool     `json:"confiscate_gains,omitempty"`
	Licence  string   `json:"licence,omitempty"`  // grave: revoked in grave cases
	Bodies   []Phrase `json:"bodies,omitempty"`   // who is competent
	Violates string   `json:"violates,omitempty"` // the article broken
	Origin
}

// Fine is a range of fines in yuan for one sort of offender.
type Fine struct {
	Who    string  `json:"who" pack:"required"` // company, unit, person
	MinYu  Decimal `json:"min_yuan,omitempty"`
	MaxYu  Decimal `json:"max_yuan" pack:"required"`
	PerM2  bool    `json:"per_m2,omitempty"`
	Option bool    `json:"optional,omitempty"` // 可以处
}

// EquipmentCycle is how often a kind of equipment is checked.
type EquipmentCycle struct {
	Period
	Code     string `json:"code" pack:"required"`
	Name     Phrase `json:"name" pack:"required"`
	Act      Phrase `json:"act" pack:"required"` // 检定, 校验, 检验
	Every    Span   `json:"every" pack:"required"`
	LeadDays int    `json:"lead_days,omitempty"`
	Extend   *Span  `json:"may_extend_to,omitempty"`
	When     Phrase `json:"when,omitzero"`
	Origin
}

// Template is a document that the city issues or asks for.
type Template struct {
	Code   string   `json:"code" pack:"required"`
	Name   Phrase   `json:"name" pack:"required"`
	Number string   `json:"number,omitempty"`
	Fields []string `json:"fields,omitempty"`
	Seal   Phrase   `json:"seal,omitzero"`
	Copies int      `json:"copies,omitempty"`
	Origin
}

// TakeUp is the share of homes that obliges a company to supply (供热率).
type TakeUp struct {
	Code    string `json:"code" pack:"required"`
	Case    Phrase `json:"case" pack:"required"`
	Percent string `json:"percent" pack:"required"`
	Origin
}
