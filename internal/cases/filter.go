package cases

import (
	"slices"
	"strings"
	"time"

	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

// Filter narrows a list of cases; empty fields do not. It is a link: the same filter gives the page, the count, the
// export and the figure on the dashboard.
type Filter struct {
	Query     string           `json:"q" form:"q"`
	State     string           `json:"state" form:"state"` // open, closed; empty: all
	Status    []Status         `json:"status" form:"status"`
	Company   string           `json:"company" form:"company"`   // "-": none yet
	District  string           `json:"district" form:"district"` // "-": not known
	Category  string           `json:"category" form:"category"` // "-": not known
	Kind      citypack.Kind    `json:"kind" form:"kind"`
	Nature    citypack.Nature  `json:"nature" form:"nature"`
	Channel   Channel          `json:"channel" form:"channel"`
	Urgency   citypack.Urgency `json:"urgency" form:"urgency"`
	Late      string           `json:"late" form:"late"` // overdue: now; near: within two hours; broken: any limit ever
	Community string           `json:"community" form:"community"`
	Building  string           `json:"building" form:"building"`
	Account   string           `json:"account" form:"account"`
	Station   string           `json:"station" form:"station"`
	Worker    string           `json:"worker" form:"worker"`
	From      civil.Date       `json:"from" form:"from"` // day received
	To        civil.Date       `json:"to" form:"to"`     // that day included
	Flag      string           `json:"flag" form:"flag"`
	Doc       string           `json:"doc" form:"doc"`         // number of the letter or the instruction
	DocDue    civil.Date       `json:"doc_due" form:"doc_due"` // deadline of the paper up to that day, included
	Sort      string           `json:"sort" form:"sort"`       // due: nearest deadline first, open only; received: last received first; empty: newest first
	Since     civil.Instant    `json:"-" form:"-"`             // changed at or after, for live updates and Open311
	Until     civil.Instant    `json:"-" form:"-"`             // changed before
	Received  [2]civil.Instant `json:"-" form:"-"`             // received from, before
	Among     []string         `json:"-" form:"-"`             // several categories
	IDs       []string         `json:"-" form:"-"`
	page.Request
}

// Flags lists what a list can be narrowed to besides.
func Flags() []string {
	return []string{"missing", "linked", "supervised", "returned", "reopened", "reworked", "urged", "border", "changed", "care", "test", "secret", "outage", "peak", "report_due", staffFlag}
}

// staffFlag asks for complaints about staff. They stand in this list alone: every other list, search, count, export and
// figure leaves them out for everybody, so that nobody whom one concerns meets it there.
const staffFlag = "staff"

// flagSQL are the conditions behind the flags.
var flagSQL = map[string]string{
	"missing": "c.missing IS NOT NULL", "linked": "c.linked", "supervised": "c.supervised", "returned": "c.returns > 0",
	"reopened": "c.reopens > 0", "reworked": "c.reworks > 0", "urged": "c.urges > 0", "border": "c.border", "changed": "c.changed",
	"care": "c.details LIKE '%\"care\":%'", "test": "c.test_at IS NOT NULL", "secret": "c.secret", "outage": "c.outage <> ''", "peak": "c.peak", "report_due": "c.report_due", staffFlag: "c.about_org <> ''",
}

// Check collects what is wrong with the filter.
func (f Filter) Check() error {
	var c fault.Check
	oneOf(&c, "state", f.State, []string{"open", "closed"})
	oneOf(&c, "late", f.Late, []string{"overdue", "near", "broken"})
	oneOf(&c, "sort", f.Sort, []string{"due", "received"})
	oneOf(&c, "flag", f.Flag, Flags())
	for _, s := range f.Status {
		oneOf(&c, "status", s, Statuses())
	}
	c.That(len([]rune(f.Doc)) <= maxWord, "doc", "field.too_long", "max", maxWord)
	c.That(len([]rune(f.Query)) <= 100, "q", "field.too_long", "max", 100)
	if !f.From.IsZero() && !f.To.IsZero() {
		c.That(!f.To.Before(f.From), "to", "case.to_before_from")
	}
	return c.Err()
}

// byDue reports whether the list goes by deadline.
func (f Filter) byDue() bool { return f.Sort == "due" && f.State == "open" }

// byReceived reports whether the list goes by the time of the first contact: when asked to, and when it shows days. A
// search goes by the number.
func (f Filter) byReceived() bool {
	days := !f.From.IsZero() || !f.To.IsZero() || f.Received != [2]civil.Instant{}
	return f.Query == "" && !f.byDue() && (f.Sort == "received" || days || f.Late == "broken")
}

// key is what a cursor keeps of a row beside its number.
func (f Filter) key(c Case) int64 {
	if f.byReceived() {
		return int64(c.ReceivedAt)
	}
	return c.DueSort
}

// Reached is the day back to which a short page looked; zero when the list does not go by days.
func (f Filter) Reached(next string) civil.Date {
	var key, seq int64
	if f.byDue() || page.Decode(next, &key, &seq) != nil {
		return civil.Date{}
	}
	if f.byReceived() {
		return civil.Instant(key).Date()
	}
	day := int(seq / 1_000_000)
	return civil.NewDate(day/10000, time.Month(day/100%100), day%100)
}

// tallied reports whether the tally alone answers how many there are.
func (f Filter) tallied() bool {
	return f.Query == "" && f.Kind == "" && f.Nature == "" && f.Channel == "" && f.Urgency == "" && f.Late == "" && f.Community == "" &&
		f.Building == "" && f.Account == "" && f.Station == "" && f.Worker == "" && f.Flag == "" && f.Doc == "" && f.DocDue.IsZero() && f.Since == 0 && f.Until == 0 &&
		f.Received == [2]civil.Instant{} && len(f.Among) == 0 && len(f.IDs) == 0
}

// statuses lists the statuses that the filter allows; nil: every one.
func (f Filter) statuses() []string {
	var out []string
	if len(f.Status) == 0 && f.State == "" {
		return nil
	}
	for _, s := range Statuses() {
		if len(f.Status) > 0 && !has(f.Status, s) || f.State == "open" && !s.IsOpen() || f.State == "closed" && s.IsOpen() {
			continue
		}
		out = append(out, string(s))
	}
	if out == nil {
		out = []string{""}
	}
	return out
}

func has[T comparable](list []T, v T) bool {
	return slices.Contains(list, v)
}

// likeText escapes a text for a LIKE pattern that finds it anywhere.
func likeText(s string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s) + "%"
}
