// Package refund answers the question of money: the flat was too cold, so what is paid back, by what day, and why?
//
// It is a pure function from (rule, season, fee, events) to an assessment. The rule is data of a city pack; nothing of
// any city's law is in here. What must hold whatever the rule says:
//
//   - A sum is exact: fractions all the way, rounded once, by the rule's rounding; the days' parts sum to the whole.
//   - A figure that the law does not have is never invented. The assessment then says what is missing, and gives what
//     can be said without it. Where the law leaves a choice open, the choice is published here and carries a warning.
//   - A rule that nobody read in a primary text needs the city's approval; its figures are shown, as provisional.
//   - Claims of a home, of its area, of the season's start and of a stop overlap: per day the highest, never the sum.
//   - The order in which events are given does not matter. Colder never pays less.
//
// Compile turns a rule into a Plan once; Plan.Assess computes a claim without words, Plan.Explain the same with a line
// per day and every step in both languages.
package refund

import (
	"github.com/rehu-heat/rehu/internal/calendar"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/text"
)

// EventType is what happened to a home, its area or its supply.
type EventType string

// The events.
const (
	Reported         EventType = "report"            // 报修, or any word that it is cold
	Requested        EventType = "request"           // 测温申请
	Appointed        EventType = "appointment"       // a time that both sides agreed on; At is the agreed time
	UserAbsent       EventType = "visit_user_absent" // 未遇: nobody at home, which is no refusal
	Tested           EventType = "test"
	Retested         EventType = "retest"
	LabReported      EventType = "lab_report"
	CureClaimed      EventType = "cure_claimed"
	CureVerified     EventType = "cure_verified"
	MissedByCompany  EventType = "missed_by_company"  // 超时: did not come in time
	RefusedByCompany EventType = "refused_by_company" // 拒测 by the company
	UnableByCompany  EventType = "unable_by_company"  // the company's own tester came and could not measure: neither 未遇 nor 拒测
	RefusedByUser    EventType = "refused_by_user"    // 拒测 by the user, without reason
	NoRecord         EventType = "no_record"          // the company keeps no record of the test
	Withdrawn        EventType = "withdrawn"          // the user takes the request back
	Stopped          EventType = "stop"
	Resumed          EventType = "resume"
	LateStarted      EventType = "late_start" // heat came only then
	EarlyEnded       EventType = "early_end"  // heat ended already then
	Excluded         EventType = "exclusion"  // a reason that frees the company
	OutdoorRead      EventType = "outdoor"    // daily mean outdoors, in its only reading
)

// EventTypes lists the events.
func EventTypes() []EventType {
	return []EventType{
		Reported, Requested, Appointed, UserAbsent, Tested, Retested, LabReported, CureClaimed, CureVerified, MissedByCompany,
		RefusedByCompany, UnableByCompany, RefusedByUser, NoRecord, Withdrawn, Stopped, Resumed, LateStarted, EarlyEnded, Excluded, OutdoorRead,
	}
}

// Maker is who measured or established an event.
type Maker string

// The makers.
const (
	ByCompany    Maker = "company"
	ByAuthority  Maker = "authority"
	ByLaboratory Maker = "laboratory"
	ByGridWorker Maker = "grid_worker"
)

// Makers lists the makers.
func Makers() []Maker { return []Maker{ByCompany, ByAuthority, ByLaboratory, ByGridWorker} }

// Level is what an event is about. Per day the level that pays most counts.
type Level string

// The levels.
const (
	LevelHome        Level = "home"
	LevelArea        Level = "area"
	LevelSeasonStart Level = "season_start"
)

// Levels lists the levels.
func Levels() []Level { return []Level{LevelHome, LevelArea, LevelSeasonStart} }

// Reading is one temperature of one room.
type Reading struct {
	Room  string         `json:"room,omitempty"`
	TempC celsius.Tenths `json:"temp_c"`
}

// Event is one fact in the life of a claim. Absent flags are unknown: a signature that nobody mentions was given.
type Event struct {
	Type          EventType     `json:"type"`
	At            civil.Instant `json:"at"`
	Readings      []Reading     `json:"readings,omitempty"`
	By            Maker         `json:"by,omitempty"`
	SignedUser    *bool         `json:"signed_user,omitempty"`
	SignedCompany *bool         `json:"signed_company,omitempty"`

	Level        Level         `json:"level,omitempty"`        // home if absent
	Until        civil.Instant `json:"until,omitzero"`         // of an exclusion: its end; absent means that day
	Code         string        `json:"code,omitempty"`         // of an exclusion: the reason in the rule
	Accepted     *bool         `json:"accepted,omitempty"`     // of an exclusion: whether the proof was accepted
	Unauthorised *bool         `json:"unauthorised,omitempty"` // of a stop
	Certificate  *bool         `json:"certificate,omitempty"`  // of a test: the instrument's certificate was shown
	CopyLeft     *bool         `json:"copy_left,omitempty"`    // of a test: the user got a copy
	Record       string        `json:"record,omitempty"`       // of what record the event speaks; echoed, never looked at
}

// Season is the heating season of the claim. To is the first instant without the duty to heat.
type Season struct {
	From civil.Instant `json:"from,omitzero"`
	To   civil.Instant `json:"to,omitzero"`
	Days int           `json:"days,omitempty"` // the days that the fee is divided by, where the rule does not fix them
}

// Room is a room with its share of the billed area.
type Room struct {
	Room   string   `json:"room"`
	AreaM2 Quantity `json:"area_m2"`
}

// Fee is what the season costs the user. Total is area times price unless it is given.
type Fee struct {
	AreaM2  Quantity   `json:"area_m2,omitempty"`
	Price   Quantity   `json:"price_yuan_per_m2,omitempty"`
	Per     PricePer   `json:"price_per,omitempty"` // season if absent
	Total   *money.Fen `json:"total_yuan,omitempty"`
	Basic   *money.Fen `json:"basic_yuan,omitempty"` // the basic part of a two-part fee
	Metered bool       `json:"metered,omitempty"`
	Rooms   []Room     `json:"rooms,omitempty"`
}

// PricePer is the time that a price per m² is for.
type PricePer string

// The times.
const (
	PerSeason PricePer = "season"
	PerMonth  PricePer = "month"
	PerDay    PricePer = "day"
)

// DayFact is days that are already established: so many of them at a temperature, from a date on where it is known.
type DayFact struct {
	TempC celsius.Tenths `json:"temp_c"`
	Days  int            `json:"days"`
	Date  civil.Date     `json:"date,omitzero"`
	Room  string         `json:"room,omitempty"`
}

// Span is a stretch of days, both included; an absent end is open.
type Span struct {
	From civil.Date `json:"from,omitzero"`
	To   civil.Date `json:"to,omitzero"`
}

// Input is everything that a claim depends on besides the rule. Either Daily or Events say what happened.
type Input struct {
	Season  Season
	AgreedC *celsius.Tenths // the temperature that the contract agrees on
	Fee     Fee
	Daily   []DayFact
	Events  []Event
	Only    Span       // assess only these days: a month that is settled, or up to today
	Claimed civil.Date // the day from which a deadline of so many months runs: when the refund was claimed, confirmed or published
}

// Status says whether the figures may be used.
type Status string

// The statuses.
const (
	Computed      Status = "computed"
	NeedsApproval Status = "needs_approval" // figures rest on a rule that the city has not approved
	NotComputable Status = "not_computable" // something is missing; what can be said is said
)

// DayLine is what one day, or several that are alike, gives.
type DayLine struct {
	Date    civil.Date `json:"date"` // null where days are established without a date
	Days    int        `json:"days"`
	TempC   string     `json:"temp_c,omitempty"` // exact: a decimal, or a fraction such as 154/9
	Tier    string     `json:"tier,omitempty"`   // [16,18)
	Percent string     `json:"percent"`
	Base    *money.Fen `json:"-"`
	Refund  *money.Fen `json:"-"`
	Level   Level      `json:"level,omitempty"`
	Cause   Cause      `json:"cause"`
}

// Cause is what makes a day count, or keeps it from counting.
type Cause string

// The causes, each with a message "refund.cause.<cause>".
const (
	CauseCold     Cause = "cold"
	CauseConforms Cause = "conforms"
	CausePresumed Cause = "presumed"
	CauseStop     Cause = "stop"
	CauseLate     Cause = "late_start"
	CauseEarly    Cause = "early_end"
	CauseTrigger  Cause = "season_start"
	CauseExcluded Cause = "excluded"
	CauseWindow   Cause = "window"
	CauseGrace    Cause = "grace"
)

// Step is one step of an explanation in both languages, with the article that it follows where there is one.
type Step = calendar.Step

// Warning is something that a reader must know about the figures.
type Warning struct {
	Code    string
	Message text.Message
}

// Assessment is the answer. Percent is empty unless all days share one; Refund is nothing where it cannot be computed.
type Assessment struct {
	Status   Status
	Rule     string
	Percent  string
	Refund   *money.Fen
	Exact    string // the sum in fen before rounding, as a fraction
	Counted  int    // days that are paid for
	PayBy    civil.Date
	ApplyBy  civil.Date // the last day on which the user may apply, where the rule wants an application
	Days     []DayLine
	Explain  []Step
	Warnings []Warning
	Missing  []string
}

// Result is an assessment without words, for settling very many.
type Result struct {
	Status  Status
	Refund  money.Fen // nothing when not computable
	Counted int
	PayBy   civil.Date
}
