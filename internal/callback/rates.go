package callback

import (
	"strconv"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

// By is what figures are told apart by.
type By string

// What figures are told apart by.
const (
	ByCompany  By = "company"
	ByStation  By = "station"
	ByDistrict By = "district"
	ByCategory By = "category"
)

// Query says which outcomes are meant. Rate and Place narrow it to the rows behind one number: a place, "counted" (the
// denominator) or "out" (all who left it).
type Query struct {
	City     int        `json:"-" form:"-"`
	From     civil.Date `json:"from" form:"from"`
	To       civil.Date `json:"to" form:"to"` // that day included
	By       By         `json:"by" form:"by"` // empty: company
	Company  string     `json:"company" form:"company"`
	Station  string     `json:"station" form:"station"`
	District string     `json:"district" form:"district"`
	Category string     `json:"category" form:"category"`
	Period   string     `json:"period" form:"period"` // as fixed then; its days hold
	Rate     Rate       `json:"rate" form:"rate"`
	Place    Place      `json:"place" form:"place"`
	Rework   bool       `json:"rework" form:"rework"` // only 返工
	page.Request
}

// Places of a Query that are more than one.
const (
	Counted Place = "counted"
	LeftOut Place = "out"
)

// mostDays is the longest period of one question.
const mostDays = 400

func (q *Query) check() error {
	var c fault.Check
	if q.By == "" {
		q.By = ByCompany
	}
	oneOf(&c, "by", q.By, ByCompany, ByStation, ByDistrict, ByCategory)
	oneOf(&c, "rate", q.Rate, RatesAll()...)
	oneOf(&c, "place", q.Place, append(Out(), Hit, Miss, Counted, LeftOut)...)
	c.That(q.Place == "" || q.Rate != "", "rate", "field.required")
	if q.Period == "" {
		checkDays(&c, q.From, q.To)
	}
	return c.Err()
}

func checkDays(c *fault.Check, from, to civil.Date) {
	c.That(!from.IsZero(), "from", "field.required")
	if c.That(!to.IsZero(), "to", "field.required") && !from.IsZero() {
		c.That(!to.Before(from), "to", "stats.period")
		c.That(from.DaysUntil(to) < mostDays, "to", "stats.too_long", "days", mostDays)
	}
}

func oneOf[S ~string](c *fault.Check, name string, v S, allowed ...S) {
	if v == "" {
		return
	}
	words := make([]string, len(allowed))
	for i, a := range allowed {
		if a == v {
			return
		}
		words[i] = string(a)
	}
	c.Add(name, "field.not_one_of", "allowed", words)
}

// Left is how many left a denominator for one reason.
type Left struct {
	Why Place `json:"why"`
	N   int64 `json:"n"`
}

// Appealed is how many appeals were made against a figure and what became of them.
type Appealed struct {
	Asked   int64 `json:"asked"`
	Upheld  int64 `json:"upheld"`
	Refused int64 `json:"refused"`
}

// Figure is one share with everything that it is made of.
type Figure struct {
	Rate        Rate     `json:"rate"`
	Numerator   int64    `json:"numerator"`
	Denominator int64    `json:"denominator"`
	Left        []Left   `json:"left,omitempty"`
	Appeals     Appealed `json:"appeals"`
}

// Percent is the share with one decimal, rounded down so that 100 % means every one; empty without a denominator.
func (f Figure) Percent() string {
	if f.Denominator == 0 {
		return ""
	}
	tenths := f.Numerator * 1000 / f.Denominator
	return strconv.FormatInt(tenths/10, 10) + "." + strconv.FormatInt(tenths%10, 10) + "%"
}

// Out is how many left the denominator.
func (f Figure) Out() (n int64) {
	for _, l := range f.Left {
		n += l.N
	}
	return n
}

// Group is the figures of one company, station, district or category; Outcomes is all of them, counted or not.
type Group struct {
	Key      string   `json:"key"`
	Outcomes int64    `json:"outcomes"`
	Rework   int64    `json:"rework"`
	Figures  []Figure `json:"figures"`
}

// Rates is what residents say in a period, in all and apart. Period is set where the figures are fixed; Fixed names the latest
// editions of fixed figures that hold some of the days otherwise, so that nobody takes present figures for those.
type Rates struct {
	From   civil.Date `json:"from"`
	To     civil.Date `json:"to"`
	By     By         `json:"by"`
	Period *Period    `json:"period,omitempty"`
	Fixed  []Period   `json:"fixed,omitempty"`
	All    Group      `json:"all"`
	Groups []Group    `json:"groups"`
}

// cell is how many outcomes of a key stand in the same places.
type cell struct {
	Key       string `db:"key"`
	Response  Place  `db:"st_response"`
	Solved    Place  `db:"st_solved"`
	Satisfied Place  `db:"st_satisfied"`
	Mismatch  Place  `db:"st_mismatch"`
	N         int64  `db:"n"`
	Rework    int64  `db:"rework"`
}

// counter folds cells and appeals into groups.
type counter struct {
	key      string
	n, again int64
	places   map[Rate]map[Place]int64
	appeals  map[Rate]Appealed
}

func newCounter(key string) *counter {
	c := &counter{key: key, places: map[Rate]map[Place]int64{}, appeals: map[Rate]Appealed{}}
	for _, r := range RatesAll() {
		c.places[r] = map[Place]int64{}
	}
	return c
}

func (c *counter) add(x cell) {
	c.n += x.N
	c.again += x.Rework
	c.places[Response][x.Response] += x.N
	c.places[Solved][x.Solved] += x.N
	c.places[Satisfied][x.Satisfied] += x.N
	c.places[Mismatch][x.Mismatch] += x.N
}

func (c *counter) appeal(a appealCell) {
	at := c.appeals[a.Rate]
	switch a.State {
	case Asked:
		at.Asked += a.N
	case Upheld:
		at.Upheld += a.N
	case Refused:
		at.Refused += a.N
	}
	c.appeals[a.Rate] = at
}

func (c *counter) group() Group {
	g := Group{Key: c.key, Outcomes: c.n, Rework: c.again}
	for _, r := range RatesAll() {
		p := c.places[r]
		f := Figure{Rate: r, Numerator: p[Hit], Denominator: p[Hit] + p[Miss], Appeals: c.appeals[r]}
		for _, why := range Out() {
			if p[why] > 0 {
				f.Left = append(f.Left, Left{Why: why, N: p[why]})
			}
		}
		g.Figures = append(g.Figures, f)
	}
	return g
}

// appealCell is how many appeals of a key are in a state.
type appealCell struct {
	Key   string      `db:"key"`
	Rate  Rate        `db:"rate"`
	State AppealState `db:"state"`
	N     int64       `db:"n"`
}
