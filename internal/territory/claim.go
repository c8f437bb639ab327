package territory

import (
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

// Before the season each company claims the communities it serves (辖区认领). What two claim is an overlap (重叠), what
// nobody claims a gap (空白), what another company served last season a hand-over (移交), which both companies sign or the
// authority decides. The settled round is published as a version; what was agreed or decided carries no warning.

// RoundState is where a claim round stands.
type RoundState string

// The states of a round.
const (
	RoundPreparing RoundState = "preparing" // its lines are being written
	RoundOpen      RoundState = "open"
	RoundPublished RoundState = "published"
)

// Round is the claiming of one season.
type Round struct {
	City      int           `db:"city_id" json:"-"`
	ID        string        `db:"id" json:"id"`
	Season    string        `db:"season" json:"season"` // "2026-2027"
	Base      string        `db:"base" json:"base"`     // version it is compared with
	Deadline  civil.Instant `db:"deadline" json:"deadline"`
	State     RoundState    `db:"state" json:"state"`
	Published string        `db:"published" json:"published"` // version it became
	Version   int64         `db:"version" json:"version"`
	Created   civil.Instant `db:"created_at" json:"created_at"`
	By        string        `db:"created_by" json:"-"`
}

// ClaimState is what a line of a round still needs.
type ClaimState string

// The states of a line.
const (
	ClaimGap      ClaimState = "gap"      // 空白
	ClaimOverlap  ClaimState = "overlap"  // 重叠
	ClaimHandover ClaimState = "handover" // 移交, not signed by both
	ClaimKept     ClaimState = "kept"     // the company of last season
	ClaimAgreed   ClaimState = "agreed"   // signed by both, or new and claimed by one
	ClaimDecided  ClaimState = "decided"  // by the authority
)

// ClaimStates lists the states in the order in which they need work; the name on the screen is "claim_state.<name>".
func ClaimStates() []ClaimState {
	return []ClaimState{ClaimOverlap, ClaimGap, ClaimHandover, ClaimDecided, ClaimAgreed, ClaimKept}
}

// ClaimLine is one community in a round.
type ClaimLine struct {
	City       int           `db:"city_id" json:"-"`
	Round      string        `db:"round" json:"-"`
	Community  string        `db:"community" json:"community"`
	Name       string        `db:"name" json:"name"`
	District   string        `db:"district" json:"district"`
	Base       string        `db:"base_company" json:"base_company"`
	BaseArea   string        `db:"base_area" json:"base_area"`
	Company    string        `db:"company" json:"company"` // who is to serve; empty while open
	State      ClaimState    `db:"state" json:"state"`
	Claims     int           `db:"claims" json:"claims"`
	FromAgreed civil.Instant `db:"from_agreed" json:"from_agreed"`
	ToAgreed   civil.Instant `db:"to_agreed" json:"to_agreed"`
	Note       string        `db:"note" json:"note"`
	DecidedAt  civil.Instant `db:"decided_at" json:"decided_at"`
	DecidedBy  string        `db:"decided_by" json:"-"`
	Version    int64         `db:"version" json:"version"`
}

// claimed sets what the claims of companies make of a line. A decision stands whatever is claimed afterwards.
func (l *ClaimLine) claimed(companies []string) {
	l.Claims = len(companies)
	if l.State == ClaimDecided {
		return
	}
	company := ""
	if len(companies) == 1 {
		company = companies[0]
	}
	if company != l.Company { // what was signed was signed for another
		l.Company, l.FromAgreed, l.ToAgreed = company, 0, 0
	}
	l.settle()
}

// settle names the state of a line that is not decided.
func (l *ClaimLine) settle() {
	switch {
	case l.Claims == 0:
		l.State = ClaimGap
	case l.Claims > 1:
		l.State = ClaimOverlap
	case l.Company == l.Base:
		l.State = ClaimKept
	case l.Base == "" || !l.FromAgreed.IsZero() && !l.ToAgreed.IsZero():
		l.State = ClaimAgreed
	default:
		l.State = ClaimHandover
	}
}

// sign notes that a company of a hand-over agrees.
func (l *ClaimLine) sign(company string, at civil.Instant) error {
	if l.State != ClaimHandover && l.State != ClaimAgreed {
		return fault.New(fault.Conflict, "territory.nothing_to_sign")
	}
	switch company {
	case l.Base:
		l.FromAgreed = at
	case l.Company:
		l.ToAgreed = at
	default:
		return fault.New(fault.Denied, "denied.scope")
	}
	l.settle()
	return nil
}

// open reports whether a line keeps the round from being published. A community that nobody served and nobody claims may
// stay open.
func (l ClaimLine) open() bool {
	return l.State == ClaimOverlap || l.State == ClaimHandover || l.State == ClaimGap && l.Base != ""
}

// RoundInput is the input of OpenRound.
type RoundInput struct {
	City     int           `json:"-" form:"-"`
	Season   string        `json:"season" form:"season"`
	Deadline civil.Instant `json:"deadline" form:"deadline"`
}

func (in *RoundInput) check(now civil.Instant) error {
	in.Season = strings.TrimSpace(in.Season)
	var c fault.Check
	c.That(in.Season != "", "season", "field.required")
	c.That(len([]rune(in.Season)) <= 40, "season", "field.too_long", "max", 40)
	if c.That(!in.Deadline.IsZero(), "deadline", "field.required") {
		c.That(in.Deadline.After(now), "deadline", "territory.deadline_past")
	}
	return c.Err()
}

// ClaimInput is the input of Claim and Unclaim.
type ClaimInput struct {
	City        int      `json:"-" form:"-"`
	Round       string   `json:"-" form:"-"`
	Company     string   `json:"company" form:"company"`
	Communities []string `json:"communities" form:"communities"` // ids
}

const mostClaims = 500 // communities of one call: a transaction stays short

func (in *ClaimInput) check() error {
	slices.Sort(in.Communities)
	in.Communities = slices.Compact(in.Communities)
	var c fault.Check
	c.That(in.Company != "", "company", "field.required")
	c.That(len(in.Communities) > 0, "communities", "field.required")
	c.That(len(in.Communities) <= mostClaims, "communities", "territory.too_many_claims", "max", mostClaims)
	return c.Err()
}

// SignInput is the input of SignHandover: a company signs the version of the line that it saw.
type SignInput struct {
	City      int    `json:"-" form:"-"`
	Round     string `json:"-" form:"-"`
	Community string `json:"community" form:"community"`
	Company   string `json:"company" form:"company"`
	Version   int64  `json:"version" form:"version"`
}

// DecideInput is the input of DecideClaim.
type DecideInput struct {
	City      int    `json:"-" form:"-"`
	Round     string `json:"-" form:"-"`
	Community string `json:"community" form:"community"`
	Company   string `json:"company" form:"company"`
	Note      string `json:"note" form:"note"`
	Version   int64  `json:"version" form:"version"`
}

func (in *DecideInput) check() error {
	in.Note = strings.TrimSpace(in.Note)
	var c fault.Check
	c.That(in.Company != "", "company", "field.required")
	c.That(in.Note != "", "note", "field.required")
	c.That(len([]rune(in.Note)) <= 1000, "note", "field.too_long", "max", 1000)
	return c.Err()
}

// PublishInput is the input of PublishRound: the version that the round becomes, new or imported before.
type PublishInput struct {
	City    int        `json:"-" form:"-"`
	Round   string     `json:"-" form:"-"`
	Code    string     `json:"code" form:"code"`
	From    civil.Date `json:"from" form:"from"`
	Source  string     `json:"source" form:"source"`
	Version int64      `json:"version" form:"version"`
}

func (in *PublishInput) check() error {
	in.Code, in.Source = strings.TrimSpace(in.Code), strings.TrimSpace(in.Source)
	var c fault.Check
	c.That(in.Code != "", "code", "field.required")
	c.That(!in.From.IsZero(), "from", "field.required")
	return c.Err()
}

// LineFilter narrows the lines of a round; empty fields do not.
type LineFilter struct {
	State    ClaimState `json:"state" form:"state"`
	District string     `json:"district" form:"district"`
	Company  string     `json:"company" form:"company"` // served, serves, or claims
	Query    string     `json:"q" form:"q"`
	page.Request
}
