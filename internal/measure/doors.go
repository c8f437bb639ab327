package measure

import (
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
)

// DoorsQuery says which visits are counted: those of some days, both included, of one company or of all.
type DoorsQuery struct {
	From    civil.Date `json:"from" form:"from"` // empty: 29 days before To
	To      civil.Date `json:"to" form:"to"`     // empty: today
	Company string     `json:"company" form:"company"`
}

// mostDoorDays is how many days are counted at once: a season and its days before.
const mostDoorDays = 366

func (q DoorsQuery) dated(now civil.Instant) (DoorsQuery, error) {
	if q.To.IsZero() {
		q.To = now.Date()
	}
	if q.From.IsZero() {
		q.From = q.To.AddDays(-29)
	}
	var c fault.Check
	c.That(!q.To.Before(q.From), "to", "case.to_before_from")
	c.That(q.From.DaysUntil(q.To) < mostDoorDays, "to", "field.out_of_range", "min", 1, "max", mostDoorDays)
	return q, c.Err()
}

// Doors is how the visits of a company went at the door. What the company itself could not do stands apart: it is neither
// 未遇 nor 拒测, and its causes add up to Unable.
type Doors struct {
	Company          string        `json:"company"`
	Visits           int           `json:"visits"`
	Met              int           `json:"met"`
	NobodyHome       int           `json:"nobody_home"`
	RefusedByUser    int           `json:"refused_by_user"`
	RefusedByCompany int           `json:"refused_by_company"`
	Unable           int           `json:"unable"`
	Causes           map[Cause]int `json:"causes,omitempty"`
}

// DoorsOf are the counts of some days, company by company.
type DoorsOf struct {
	From  civil.Date `json:"from"`
	To    civil.Date `json:"to"`
	Items []Doors    `json:"items"`
}

// doorCount is how many visits of a company went the same way.
type doorCount struct {
	Company string  `db:"company"`
	Outcome Outcome `db:"outcome"`
	N       int     `db:"n"`
}

func (d *Doors) add(o Outcome, n int) {
	d.Visits += n
	switch o {
	case Met:
		d.Met += n
	case NobodyIn:
		d.NobodyHome += n
	case RefusedByUser:
		d.RefusedByUser += n
	case RefusedByCompany:
		d.RefusedByCompany += n
	case Unable:
		d.Unable += n
	}
}
