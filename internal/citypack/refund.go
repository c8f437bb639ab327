package citypack

import "github.com/rehu-heat/rehu/internal/civil"

// RefundRule is one rule set for paying back heat fees when homes are too cold. It only describes; the refund engine
// computes. Absent parts are unknown: a rule without tiers computes nothing and says what is missing.
type RefundRule struct {
	Period
	ID           string         `json:"id" pack:"required,pattern=^[a-z0-9-]+$"`
	Place        Phrase         `json:"place" pack:"required"`
	Rank         Phrase         `json:"rank" pack:"required"` // what kind of rule: city regulation, model contract …
	Status       RefundStatus   `json:"status" pack:"required"`
	StatusNote   *Phrase        `json:"status_note,omitempty"`
	ValidityNote *Phrase        `json:"validity_note,omitempty"` // where the day is not known
	Read         *Phrase        `json:"read,omitempty"`          // how it was read
	Sources      []string       `json:"sources,omitempty"`
	ConflictWith []string       `json:"conflict_with,omitempty"`
	Standard     RefundStandard `json:"standard,omitzero"`

	TierBasis      TierBasis       `json:"tier_basis,omitempty"`
	Tiers          []Tier          `json:"tiers,omitempty"`
	ShortfallTiers []ShortfallTier `json:"shortfall_tiers,omitempty"`
	TiersMissing   *Phrase         `json:"tiers_missing,omitempty"`
	Overlap        *Overlap        `json:"overlap,omitempty"`
	Linear         *Linear         `json:"linear,omitempty"`

	Base      Base       `json:"base,omitzero"`
	Divisor   *Divisor   `json:"divisor,omitempty"`
	Rounding  string     `json:"rounding,omitempty" pack:"enum=half_up|half_even|down|up"`
	Counting  *Counting  `json:"counting,omitempty"`
	Cure      *Cure      `json:"cure,omitempty"`
	MinSpell  *MinSpell  `json:"min_spell,omitempty"`
	Grace     *Grace     `json:"grace,omitempty"`
	Repeat    *Phrase    `json:"repeat_faults,omitempty"`
	Windows   []Window   `json:"excluded_windows,omitempty"`
	Reduction *Reduce    `json:"reduction,omitempty"`
	Presumed  []Presumed `json:"presumptions,omitempty"`

	Duty         []Condition  `json:"conditions_of_duty,omitempty"`
	Exclusions   []Condition  `json:"exclusions,omitempty"`
	Precondition []Condition  `json:"preconditions,omitempty"`
	Triggers     []Trigger    `json:"triggers,omitempty"`
	Stops        []StopRule   `json:"stops,omitempty"`
	LateStart    *StartEnd    `json:"late_start,omitempty"`
	EarlyEnd     *StartEnd    `json:"early_end,omitempty"`
	FirstSupply  *StartEnd    `json:"late_first_supply,omitempty"`
	Deadline     *PayDeadline `json:"deadline,omitempty"`
	LateCharge   *LateRefund  `json:"late_refund,omitempty"`
	SetOff       *SetOffRight `json:"set_off,omitempty"` // absent: only what the household agreed to

	ContractOverride *bool              `json:"contract_may_override,omitempty"`
	ContractFirst    bool               `json:"contract_first,omitempty"`
	ContractOnly     bool               `json:"contract_only,omitempty"`
	Payer            *Phrase            `json:"payer,omitempty"` // who pays is not always who bears it
	PaysTest         *Phrase            `json:"pays_test,omitempty"`
	Dispute          *Phrase            `json:"dispute,omitempty"`
	Evidence         []Phrase           `json:"evidence,omitempty"`
	Extension        *Phrase            `json:"extension,omitempty"`
	SuspendedPercent []SuspendedPercent `json:"suspended_use_percent,omitempty"`
	BasicCapPercent  Decimal            `json:"basic_price_cap_percent,omitempty"`
	PassRatePercent  Decimal            `json:"room_pass_rate_percent,omitempty"`
	Measure          *RuleMeasure       `json:"measure,omitempty"`
	Priority         string             `json:"priority,omitempty" pack:"enum=highest_per_day"` // home, area and stop
	Remarks          []Phrase           `json:"remarks,omitempty"`
	Origin
}

// Selectable reports whether the rule may be chosen for money: drafts, superseded and unnamed rules are for reference.
func (r RefundRule) Selectable() bool { return r.Status == RefundInForce }

// RefundRule finds a refund rule of the city or of its province by id.
func (p *Pack) RefundRule(id string) (RefundRule, bool) {
	for _, r := range p.Doc.RefundRules {
		if r.ID == id {
			return r, true
		}
	}
	return RefundRule{}, false
}

// RefundRuleOn gives the dated rule in force on a day. A city that has rules of its own is judged by them; its province's
// apply only where it has none. An undated rule is never chosen by itself, and where two hold on one day none is.
func (p *Pack) RefundRuleOn(day civil.Date) (RefundRule, bool) {
	var own, above []RefundRule
	has := false
	for _, r := range p.Doc.RefundRules {
		mine := p.mine(r.Path)
		has = has || mine && r.Selectable()
		switch {
		case !r.Selectable() || r.From.IsZero() || !r.Covers(day):
		case mine:
			own = append(own, r)
		default:
			above = append(above, r)
		}
	}
	if !has {
		own = above
	}
	if len(own) != 1 {
		return RefundRule{}, false
	}
	return own[0], true
}

// mine reports whether a value stands in the pack's own file and not in one above it.
func (p *Pack) mine(path string) bool {
	i, ok := p.byPath[path]
	return ok && p.values[i].File == p.file
}

// RefundStatus is the standing of a rule set.
type RefundStatus string

// The standings.
const (
	RefundInForce    RefundStatus = "in_force"
	RefundSuperseded RefundStatus = "superseded"
	RefundDraft      RefundStatus = "draft"
	RefundReference  RefundStatus = "reference"
)

func (RefundStatus) values() []string {
	return []string{string(RefundInForce), string(RefundSuperseded), string(RefundDraft), string(RefundReference)}
}

// RefundStandard is the temperature that the rule measures against.
type RefundStandard struct {
	C         *Degree  `json:"c,omitempty"`
	KitchenC  *Degree  `json:"kitchen_c,omitempty"`
	Tolerance *Degree  `json:"tolerance_c,omitempty"`
	LowestC   *Degree  `json:"lowest_allowed_c,omitempty"`
	Rooms     []string `json:"rooms,omitempty"`
}

// TierBasis is what tiers are written over.
type TierBasis string

// The bases.
const (
	ByTemperature     TierBasis = "temperature"
	ByShortfall       TierBasis = "shortfall"        // below the standard
	ByAgreedShortfall TierBasis = "shortfall_agreed" // below the agreed temperature
)

func (TierBasis) values() []string {
	return []string{string(ByTemperature), string(ByShortfall), string(ByAgreedShortfall)}
}

// Tier is one step over temperatures; an absent end is open to that side.
type Tier struct {
	From       *Degree `json:"from_c,omitempty"`
	FromClosed bool    `json:"from_inclusive,omitempty"`
	To         *Degree `json:"to_c,omitempty"`
	ToClosed   bool    `json:"to_inclusive,omitempty"`
	Percent    Decimal `json:"percent,omitempty"` // absent: not published
	Note       *Phrase `json:"note,omitempty"`
}

// ShortfallTier is one step over degrees below the standard.
type ShortfallTier struct {
	Over       *Degree `json:"over_c,omitempty"`
	OverClosed bool    `json:"over_inclusive,omitempty"`
	To         *Degree `json:"to_c,omitempty"`
	ToClosed   bool    `json:"to_inclusive,omitempty"`
	Percent    Decimal `json:"percent,omitempty"`
}

// Overlap records which of two tiers is taken where the law writes both.
type Overlap struct {
	Take  string   `json:"take" pack:"required,enum=higher|lower"`
	Where []Phrase `json:"where" pack:"required"`
	Origin
}

// Linear is a refund that grows by the degree.
type Linear struct {
	BelowC           Degree  `json:"below_c" pack:"required"`
	PercentPerDegree Decimal `json:"percent_per_degree" pack:"required"`
	FullBelowC       *Degree `json:"full_below_c,omitempty"`
	Text             *Phrase `json:"text,omitempty"`
}

// Base is the money that the percentage is taken of.
type Base struct {
	Kind    BaseKind `json:"kind,omitempty"`
	Metered BaseKind `json:"metered,omitempty"` // for metered users
	Scope   string   `json:"scope,omitempty" pack:"enum=dwelling|measured_room|failing_rooms|failing_part|failing_area|area"`
	Unit    *Phrase  `json:"unit,omitempty"`
	Text    *Phrase  `json:"text,omitempty"`
	Scopes  *Phrase  `json:"scope_text,omitempty"`
	Basic   *bool    `json:"basic_fee_removed_first,omitempty"`
}

// BaseKind is what money a refund is a share of.
type BaseKind string

// The bases of money.
const (
	BaseWholeFee     BaseKind = "whole_fee"
	BaseWithoutBasic BaseKind = "without_basic"
	BaseBasicOnly    BaseKind = "basic_only"
	BaseMeterReading BaseKind = "meter_reading"
	BaseRoomsArea    BaseKind = "failing_rooms_area"
)

func (BaseKind) values() []string {
	return []string{
		string(BaseWholeFee), string(BaseWithoutBasic), string(BaseBasicOnly), string(BaseMeterReading),
		string(BaseRoomsArea),
	}
}

// Divisor turns the season's fee into a day's fee.
type Divisor struct {
	Kind string  `json:"kind" pack:"required,enum=fixed|statutory_days|season_days|price_per_day|price_per_month"`
	Days int     `json:"days,omitempty"`
	Text *Phrase `json:"text,omitempty"`
	More *Phrase `json:"refund_text,omitempty"`
}

// Counting is how cold days are counted: one of ten families.
type Counting struct {
	Kind       CountKind  `json:"kind" pack:"required"`
	From       string     `json:"from,omitempty" pack:"enum=report|test_request|test|confirmed"`
	To         string     `json:"to,omitempty" pack:"enum=conforming|retest_passes"`
	FromCounts *bool      `json:"from_counts,omitempty"`
	ToCounts   *bool      `json:"to_counts,omitempty"`
	Unit       string     `json:"unit,omitempty" pack:"enum=calendar_day|full_24h|each_24h"`
	DaysPer    int        `json:"days_per_test,omitempty"`
	MinBetween int        `json:"min_days_between,omitempty"` // between tests, or between requests
	Map        []CountMap `json:"map,omitempty"`
	Tests      int        `json:"tests,omitempty"`
	WindowDays int        `json:"window_days,omitempty"`
	Between    string     `json:"between_readings,omitempty" pack:"enum=last|first|lowest|mean"`
	FromText   *Phrase    `json:"from_text,omitempty"`
	ToText     *Phrase    `json:"to_text,omitempty"`
	UnitText   *Phrase    `json:"unit_text,omitempty"`
	Text       *Phrase    `json:"text,omitempty"`
	Source     *Phrase    `json:"read_in,omitempty"`
}

// CountKind is the family of day counting.
type CountKind string

// The families.
const (
	CountSpan        CountKind = "span"              // from one event to another
	CountPerTest     CountKind = "days_per_test"     // each failed test is a fixed number of days
	CountByTests     CountKind = "by_tests"          // the number of failed tests maps to days
	CountMonth       CountKind = "month_mean"        // a month's mean decides the month
	CountWindow      CountKind = "tests_in_window"   // failed tests inside a window make the window
	CountBlocks      CountKind = "blocks_24h"        // full 24 h blocks
	CountConfirmed   CountKind = "confirmed_days"    // the days that both sides confirm
	CountNonConform  CountKind = "nonconforming"     // the days below, not defined further
	CountAfterSpell  CountKind = "after_min_spell"   // only after a minimum continuous spell
	CountGraceExcess CountKind = "beyond_grace_days" // only what exceeds the grace days
)

func (CountKind) values() []string {
	return []string{
		string(CountSpan), string(CountPerTest), string(CountByTests), string(CountMonth), string(CountWindow),
		string(CountBlocks), string(CountConfirmed), string(CountNonConform), string(CountAfterSpell), string(CountGraceExcess),
	}
}

// CountMap is one row of a table from failed tests to days.
type CountMap struct {
	FailedTests int     `json:"failed_tests,omitempty"`
	WithinDays  int     `json:"within_days,omitempty"`
	Within      *Phrase `json:"within,omitempty"`
	OverMonths  int     `json:"failing_over_months,omitempty"`
	Days        int     `json:"days,omitempty"`
	WholeSeason bool    `json:"whole_season,omitempty"`
}

// Cure is the time in which a repair makes the cold not count.
type Cure struct {
	Hours int     `json:"hours" pack:"min=0"`
	From  string  `json:"from,omitempty" pack:"enum=report|test_request|test"`
	Text  *Phrase `json:"from_text,omitempty"`
}

// MinSpell is the continuous cold below which nothing counts.
type MinSpell struct {
	Hours int     `json:"hours" pack:"required,min=1"`
	From  string  `json:"from,omitempty" pack:"enum=report|test_request|test"`
	Note  *Phrase `json:"note,omitempty"`
}

// Grace is days that are not refunded.
type Grace struct {
	ContinuousDays int     `json:"continuous_days,omitempty"`
	TotalDays      int     `json:"total_days,omitempty"`
	Text           *Phrase `json:"text,omitempty"`
}

// Window is a part of the season that does not count.
type Window struct {
	FirstDays int `json:"first_days,omitempty"`
	LastDays  int `json:"last_days,omitempty"`
}

// Reduction makes one temperature out of several.
type Reduction string

// The reductions.
const (
	ReduceStable    Reduction = "stable"  // one stable reading
	ReduceMean      Reduction = "mean"    // mean of all
	ReduceLowest    Reduction = "lowest"  // the lowest
	ReducePerRoom   Reduction = "room"    // each room by itself
	ReduceMonthMean Reduction = "monthly" // mean of the month's tests
)

func (Reduction) values() []string {
	return []string{string(ReduceStable), string(ReduceMean), string(ReduceLowest), string(ReducePerRoom), string(ReduceMonthMean)}
}

// Reduce says how several readings become one.
type Reduce struct {
	Kind Reduction `json:"kind" pack:"required"`
	Text *Phrase   `json:"text,omitempty"`
}

// Presumed is a result without a reading, because a side did not cooperate.
type Presumed struct {
	If      []string `json:"if" pack:"required,enum=user_refuses_test|user_refuses_signature|company_late|company_unable|company_no_signature|company_no_record|company_no_certificate|company_no_copy"`
	Then    string   `json:"then" pack:"required,enum=conforming|nonconforming|below|percent"`
	BelowC  *Degree  `json:"below_c,omitempty"`
	Percent Decimal  `json:"percent,omitempty"`
	Days    string   `json:"days,omitempty" pack:"enum=that_day|until_test"`
	IfText  *Phrase  `json:"if_text,omitempty"`
	Text    *Phrase  `json:"then_text,omitempty"`
}

// Condition is a condition or an exclusion with who must prove it.
type Condition struct {
	Code          string  `json:"code,omitempty"`
	Text          Phrase  `json:"text" pack:"required"`
	ProvedBy      Party   `json:"proved_by,omitempty"`
	OutdoorBelowC *Degree `json:"outdoor_daily_mean_below_c,omitempty"`
	StopUpToHours int     `json:"stop_up_to_hours,omitempty"`
	TimesASeason  int     `json:"times_a_season,omitempty"`
}

// Trigger is a level at which a refund arises: a home, an area, or the season's start.
type Trigger struct {
	Level       string  `json:"level" pack:"required,enum=household|area|season_start"`
	OverHours   int     `json:"stopped_over_hours,omitempty"`
	TotalDays   int     `json:"stopped_total_days,omitempty"`
	FailedTests int     `json:"failed_tests,omitempty"`
	WindowDays  int     `json:"within_days,omitempty"`
	MinApart    int     `json:"min_days_apart,omitempty"`
	AfterDays   int     `json:"not_conforming_after_days,omitempty"`
	RefundDays  int     `json:"refund_days,omitempty"`
	Percent     Decimal `json:"percent,omitempty"`
	If          *Phrase `json:"if_text,omitempty"`
	Then        *Phrase `json:"then_text,omitempty"`
}

// StopRule is what is paid back when heat stops.
type StopRule struct {
	MinHours     int      `json:"min_hours,omitempty"` // continuous
	MinExclusive bool     `json:"min_exclusive,omitempty"`
	TotalDays    int      `json:"over_total_days,omitempty"`
	Unauthorised bool     `json:"unauthorised,omitempty"`
	Percent      Decimal  `json:"percent,omitempty"`
	By           string   `json:"by,omitempty" pack:"enum=time|day"`
	Metered      BaseKind `json:"metered,omitempty"`
	NotifyOver   int      `json:"notify_over_hours,omitempty"`
	Damages      bool     `json:"damages,omitempty"`
	If           *Phrase  `json:"if_text,omitempty"`
	Text         *Phrase  `json:"text,omitempty"`
}

// StartEnd is what is paid back for a late start or an early end.
type StartEnd struct {
	Percent Decimal `json:"percent,omitempty"`
	By      string  `json:"by,omitempty" pack:"enum=time|day"`
	Text    *Phrase `json:"text,omitempty"`
}

// PayDeadline is when a refund must be paid.
type PayDeadline struct {
	Kind     string  `json:"kind" pack:"required,enum=after_season_end|calendar|within|on_application"`
	Months   int     `json:"months,omitempty"`
	Days     int     `json:"days,omitempty"`
	MonthDay string  `json:"by,omitempty" pack:"pattern=^[0-9]{2}-[0-9]{2}$"`
	From     string  `json:"from,omitempty" pack:"enum=claim|confirmation|publication"` // of within; the refund's claim where the law says no more
	Text     *Phrase `json:"text,omitempty"`
}

// LateRefund is what a company owes when it pays a refund late (滞退金).
type LateRefund struct {
	Rate   string  `json:"rate" pack:"required,enum=contract_late_fee"`
	Except *Phrase `json:"except,omitempty"`
	Text   *Phrase `json:"text,omitempty"`
}

// SetOffRight is a right that the law gives a company: to keep a refund back against the household's arrears without asking.
type SetOffRight struct {
	Article string  `json:"article" pack:"required"`
	Text    *Phrase `json:"text,omitempty"`
}

// SuspendedPercent is a version of the basic fee for stopped use.
type SuspendedPercent struct {
	Version *Phrase `json:"version,omitempty"`
	Percent Decimal `json:"percent" pack:"required"`
}

// RuleMeasure is what a refund rule itself says about the test.
type RuleMeasure struct {
	WithinHours    []int    `json:"within_hours,omitempty"` // one limit, or the range that was read
	ContactHours   int      `json:"contact_within_hours,omitempty"`
	Between        *Hours   `json:"between,omitempty"`
	NotBetween     *Hours   `json:"not_between,omitempty"`
	BetweenText    *Phrase  `json:"between_text,omitempty"`
	TestersMin     int      `json:"testers_min,omitempty"`
	WindowsMinutes int      `json:"windows_closed_minutes,omitempty"`
	Point          *Phrase  `json:"point,omitempty"`
	HeightCM       int      `json:"height_cm,omitempty"`
	Reading        *Reading `json:"readings,omitempty"`
	Value          *Phrase  `json:"value_text,omitempty"`
	Receipt        *Phrase  `json:"receipt,omitempty"`
	FixedPoints    *Phrase  `json:"fixed_points,omitempty"`
}
