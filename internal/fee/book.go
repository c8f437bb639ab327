package fee

import (
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/place"
)

// Standing is how much of a bill is met.
type Standing string

// The standings.
const (
	Met     Standing = "paid"
	Partly  Standing = "part"
	Owing   Standing = "owed"    // nothing of it is met
	Over    Standing = "over"    // more was paid than is due
	Unclear Standing = "unknown" // its sum is not known
)

// Standings lists the standings.
func Standings() []Standing { return []Standing{Met, Partly, Owing, Over, Unclear} }

// Standing says how much of a bill is met, by payments, credits and set-offs.
func (b Bill) Standing() Standing {
	owed, known := b.Owed()
	switch {
	case !known:
		return Unclear
	case owed < 0:
		return Over
	case owed == 0:
		return Met
	case b.Credited > 0 || b.SetOff > 0 || b.Paid != nil && *b.Paid > 0:
		return Partly
	}
	return Owing
}

// Filter narrows the list of bills; the season is needed.
type Filter struct {
	Season    string   `json:"season" form:"season"`
	Account   string   `json:"account" form:"account"` // begins with
	Company   string   `json:"company" form:"company"`
	Station   string   `json:"station" form:"station"`
	Community string   `json:"community" form:"community"` // id, or a part of the name
	Class     string   `json:"price_class" form:"price_class"`
	Standing  Standing `json:"standing" form:"standing"`
	TwoPart   string   `json:"two_part" form:"two_part"` // "yes", "no"
	Unpaid    bool     `json:"unpaid" form:"unpaid"`     // not known to be met
	page.Request
}

// The answers to whether a price has two parts.
const (
	yes = "yes"
	no  = "no"
)

func (f Filter) check() error {
	var c fault.Check
	c.That(IsSeason(f.Season), "season", "fee.bad_season", "value", f.Season)
	c.That(f.Standing == "" || slices.Contains(Standings(), f.Standing), "standing", "fee.bad_choice")
	c.That(f.TwoPart == "" || f.TwoPart == yes || f.TwoPart == no, "two_part", "fee.bad_choice")
	return c.Err()
}

// serves reports whether the list shows bills of a home at all.
func (f Filter) serves(h place.Home) bool {
	return (f.Company == "" || h.Company == f.Company) && (f.Station == "" || h.Station == f.Station) && (f.Community == "" || h.Community == f.Community || strings.Contains(h.CommunityName, f.Community))
}

// shows reports whether the list shows a bill.
func (f Filter) shows(b Bill) bool {
	if f.Class != "" && b.PriceClass != f.Class || f.Standing != "" && b.Standing() != f.Standing {
		return false
	}
	if f.TwoPart != "" && b.Metered != (f.TwoPart == yes) {
		return false
	}
	met, known := b.PaidInFull()
	return !f.Unpaid || !known || !met
}

// Entry is one bill of the list with where the home lies.
type Entry struct {
	Bill
	District      string   `json:"district,omitempty"`
	Station       string   `json:"station,omitempty"`
	Community     string   `json:"community,omitempty"` // id
	CommunityName string   `json:"community_name,omitempty"`
	Building      string   `json:"building,omitempty"`
	Unit          string   `json:"unit,omitempty"`
	Room          string   `json:"room,omitempty"`
	Standing      Standing `json:"standing"`
}

func entry(b Bill, h place.Home) Entry {
	return Entry{Bill: b, District: h.District, Station: h.Station, Community: h.Community, CommunityName: h.CommunityName, Building: h.Building, Unit: h.Unit, Room: h.Room, Standing: b.Standing()}
}

// Sums are what bills come to. They balance: billed and overpaid is paid, credited, set off and owed. Bills whose sum is not known are
// counted beside them, with what was paid of them.
type Sums struct {
	Company     string    `json:"company,omitempty"`
	Bills       int64     `json:"bills"` // whose sum is known
	Billed      money.Fen `json:"billed_yuan"`
	Paid        money.Fen `json:"paid_yuan"`
	Credited    money.Fen `json:"credited_yuan"`
	SetOff      money.Fen `json:"set_off_yuan"`
	Owed        money.Fen `json:"owed_yuan"`
	Overpaid    money.Fen `json:"overpaid_yuan"`
	Unknown     int64     `json:"unknown"` // bills without a sum
	UnknownPaid money.Fen `json:"unknown_paid_yuan"`
}

// Balanced reports whether the books agree with themselves.
func (s Sums) Balanced() bool { return s.Billed+s.Overpaid == s.Paid+s.Credited+s.SetOff+s.Owed }

// add takes a bill in.
func (s *Sums) add(b Bill) {
	var paid money.Fen
	if b.Paid != nil {
		paid = *b.Paid
	}
	owed, known := b.Owed()
	if !known {
		s.Unknown, s.UnknownPaid = s.Unknown+1, s.UnknownPaid+paid
		return
	}
	s.Bills, s.Billed, s.Paid, s.Credited = s.Bills+1, s.Billed+*b.Amount, s.Paid+paid, s.Credited+b.Credited
	s.SetOff, s.Owed, s.Overpaid = s.SetOff+b.SetOff, s.Owed+max(0, owed), s.Overpaid+max(0, -owed)
}

// Join adds other sums to these.
func (s *Sums) Join(o Sums) {
	s.Bills, s.Billed, s.Paid, s.Credited, s.Owed = s.Bills+o.Bills, s.Billed+o.Billed, s.Paid+o.Paid, s.Credited+o.Credited, s.Owed+o.Owed
	s.SetOff, s.Overpaid, s.Unknown, s.UnknownPaid = s.SetOff+o.SetOff, s.Overpaid+o.Overpaid, s.Unknown+o.Unknown, s.UnknownPaid+o.UnknownPaid
}
