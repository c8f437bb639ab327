// Package stats counts for those who supervise: what is open now and where, which company is late, and how often promises
// of time were kept.
//
// It only reads what other packages keep, and never a case itself where a count is enough: a page of figures must stay
// quick with a million cases. What must be true this minute (Board) comes from the tally of the cases and the index of
// open deadlines; rates over days (Rates) come from tables that a job counts anew for every day whose cases changed, and
// say as of when.
//
// Two invariants: every figure carries the filter of the case list that shows its rows, and every rate its numerator
// and its denominator, so that nobody has to believe a percentage. A wrong dispatch counts against the centre, not
// against the company that was wrongly told.
package stats

import (
	"strconv"

	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// Figure is a number and the list that shows what it counts.
type Figure struct {
	N      int64        `json:"n"`
	Filter cases.Filter `json:"filter"`
}

// Rate is a share with what it is a share of. Filter lists the cases of the denominator, or, where the list can show
// them, those that miss.
type Rate struct {
	Code        string       `json:"code"` // an indicator of the city pack, or a clock
	Numerator   int64        `json:"numerator"`
	Denominator int64        `json:"denominator"`
	Filter      cases.Filter `json:"filter"`
}

// Percent is the rate with one decimal, rounded down so that 100 % means every one; empty when there is nothing to
// divide by.
func (r Rate) Percent() string {
	if r.Denominator == 0 {
		return ""
	}
	tenths := r.Numerator * 1000 / r.Denominator
	return strconv.FormatInt(tenths/10, 10) + "." + strconv.FormatInt(tenths%10, 10) + "%"
}

// Board is the present state of a city (今日).
type Board struct {
	At        civil.Instant `json:"at"`
	Received  Figure        `json:"received"` // today
	Open      Figure        `json:"open"`
	Overdue   Figure        `json:"overdue"` // open, and its nearest limit has passed
	Near      Figure        `json:"near"`    // open, and its nearest limit passes within two hours
	States    []Row         `json:"states"`
	Companies []Row         `json:"companies"`
	Districts []Row         `json:"districts"`
}

// Row is one state, company or district of the board. Key is empty for cases that have no company or district yet.
type Row struct {
	Key      string `json:"key"`
	Received Figure `json:"received"` // today
	Open     Figure `json:"open"`
	Overdue  Figure `json:"overdue"`
	Near     Figure `json:"near"`
}

// Query narrows the rates: the days on which the cases came in, and optionally one company or district.
type Query struct {
	City     int        `json:"-" form:"-"`
	From     civil.Date `json:"from" form:"from"`
	To       civil.Date `json:"to" form:"to"`           // that day included
	Company  string     `json:"company" form:"company"` // "-": none yet
	District string     `json:"district" form:"district"`
}

// mostDays is the longest period of one question: a season and its summer.
const mostDays = 400

func (q Query) check() error {
	var c fault.Check
	c.That(!q.From.IsZero(), "from", "field.required")
	if c.That(!q.To.IsZero(), "to", "field.required") && !q.From.IsZero() {
		c.That(!q.To.Before(q.From), "to", "stats.period")
		c.That(q.From.DaysUntil(q.To) < mostDays, "to", "stats.too_long", "days", mostDays)
	}
	return c.Err()
}

func (q Query) filter() cases.Filter {
	return cases.Filter{From: q.From, To: q.To, Company: q.Company, District: q.District}
}

// Rates are the shares of a period, in all and apart.
type Rates struct {
	From       civil.Date    `json:"from"`
	To         civil.Date    `json:"to"`
	AsOf       civil.Instant `json:"as_of"` // later changes are not counted yet
	All        Group         `json:"all"`
	Companies  []Group       `json:"companies"`
	Districts  []Group       `json:"districts"`
	Categories []Group       `json:"categories"` // without the clocks, which are not kept by category
	Channels   []Group       `json:"channels"`   // the same
	Days       []Group       `json:"days"`       // every day of the period, also those without a case
}

// Group is what is counted of one company, district or day.
type Group struct {
	Key        string `json:"key"`
	Received   Figure `json:"received"`
	Answered   Figure `json:"answered"` // directly, without a dispatch
	Late       Figure `json:"late"`     // a limit was broken
	Indicators []Rate `json:"indicators"`
	Clocks     []Rate `json:"clocks"` // in the order of a case's life; only those that were decided
}
