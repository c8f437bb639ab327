package resident

import (
	"slices"
	"strings"

	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/blob"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/flow"
	"github.com/rehu-heat/rehu/internal/money"
	"github.com/rehu-heat/rehu/internal/page"
	"github.com/rehu-heat/rehu/internal/secret"
	"github.com/rehu-heat/rehu/internal/text"
)

// Role is what somebody is to a home.
type Role string

// The roles.
const (
	Member Role = "member" // lives there, or pays
	Helper Role = "helper" // acts for a member who agreed
)

// Scope is how far a helper's consent goes.
type Scope string

// The scopes.
const (
	MayRead Scope = "read"
	MayAct  Scope = "act" // report, ask for a test, object, rate
)

// Proof is how somebody showed that a home is theirs.
type Proof string

// The proofs.
const (
	OwnPhone   Proof = "own_phone"   // logged in with the telephone that the register has
	Last4      Proof = "last4"       // the last four digits of that telephone
	Bill       Proof = "bill"        // the sum of a bill
	HolderCode Proof = "holder_code" // a code that the holder's telephone got
	Paper      Proof = "paper"       // a photograph of a bill or a deed that staff looked at
	Consent    Proof = "consent"     // a member named them as a helper
	ByStaff    Proof = "staff"       // staff took the consent down
)

// State is where a binding stands.
type State string

// The states.
const (
	Asking  State = "asked"   // staff look at the paper
	Held    State = "held"    // the home is theirs
	Refused State = "refused" // the paper did not show it
	Ended   State = "ended"   // given up, taken back, or its day passed
)

// Move is an event of a binding's life.
type Move string

// The events.
const (
	Approve Move = "approve"
	Refuse  Move = "refuse"
	End     Move = "end"
)

// Lifecycle is the life of a binding. One that needs no approval is held at once.
var Lifecycle = flow.Table[State, Move]{
	Name: "binding", Start: Asking, Final: []State{Refused, Ended},
	Steps: []flow.Step[State, Move]{
		{From: Asking, Event: Approve, To: Held, By: string(actor.ResidentApprove)},
		{From: Asking, Event: Refuse, To: Refused, By: string(actor.ResidentApprove)},
		{From: Asking, Event: End, To: Ended},
		{From: Held, Event: End, To: Ended},
	},
}

// Binding says whose home a household is. Account is empty until staff who look at a paper have found it.
type Binding struct {
	City      int           `db:"city_id" json:"-"`
	ID        string        `db:"id" json:"id"`
	Person    string        `db:"person" json:"-"`
	Account   string        `db:"account" json:"account"`
	Role      Role          `db:"role" json:"role"`
	Scope     Scope         `db:"scope" json:"scope"`
	Proof     Proof         `db:"proof" json:"proof"`
	State     State         `db:"state" json:"state"`
	Community string        `db:"community" json:"community"` // as the register has it when it was bound
	Building  string        `db:"building" json:"building"`
	Unit      string        `db:"unit" json:"unit"`
	Room      string        `db:"room" json:"room"`
	District  string        `db:"district" json:"district"`
	Company   string        `db:"company" json:"company"`
	Words     string        `db:"words" json:"words,omitempty"` // the address, as the resident wrote it
	Until     civil.Date    `db:"until_day" json:"until,omitzero"`
	GivenBy   string        `db:"given_by" json:"-"` // the member who named a helper
	Reason    string        `db:"reason" json:"reason,omitempty"`
	Asked     civil.Instant `db:"asked_at" json:"asked_at"`
	Decided   civil.Instant `db:"decided_at" json:"decided_at,omitzero"`
	DecidedBy string        `db:"decided_by" json:"-"`
	EndedAt   civil.Instant `db:"ended_at" json:"ended_at,omitzero"`
	EndedBy   string        `db:"ended_by" json:"-"`
	Version   int64         `db:"version" json:"version"`
}

// Subject names the binding for attachments.
func (b Binding) Subject() string { return "resident_binding:" + b.ID }

// On is what an act about the binding touches.
func (b Binding) On() actor.On {
	return actor.On{City: b.City, District: b.District, Company: b.Company}
}

// holds reports whether the binding is good on a day.
func (b Binding) holds(today civil.Date) bool {
	return b.State == Held && (b.Until.IsZero() || !b.Until.Before(today))
}

// may reports whether the binding is good enough for what is wanted.
func (b Binding) may(want Scope) bool { return want == MayRead || b.Scope == MayAct }

// Address is a home in words.
func (b Binding) Address() string {
	if b.Room == "" && b.Community == "" {
		return b.Words
	}
	return strings.Join(slices.DeleteFunc([]string{b.Community, b.Building, b.Unit, b.Room}, func(s string) bool { return s == "" }), " ")
}

// Asker is a binding that waits, as staff see it.
type Asker struct {
	Binding
	Phone  string      `json:"phone"` // masked
	Papers []blob.Blob `json:"papers,omitempty"`
}

// Kin is somebody who sees a home, as its members see them.
type Kin struct {
	ID      string        `json:"id"`
	Phone   string        `json:"phone"` // masked
	Role    Role          `json:"role"`
	Scope   Scope         `json:"scope"`
	Proof   Proof         `json:"proof"`
	Until   civil.Date    `json:"until,omitzero"`
	Since   civil.Instant `json:"since"`
	Self    bool          `json:"self"`
	MayEnd  bool          `json:"may_end"` // whoever asks may take it back
	Version int64         `json:"version"`
}

// Binding's inputs.
type (
	// BindInput is the input of Bind. Value is what Proof takes: four digits, a sum, a code; empty for one's own telephone.
	BindInput struct {
		City    int        `json:"-" form:"-"`
		Account string     `json:"account" form:"account"`
		Proof   Proof      `json:"proof" form:"proof"`
		Value   string     `json:"value" form:"value"`
		Help    bool       `json:"help" form:"help"`   // as a helper: with HolderCode only
		Scope   Scope      `json:"scope" form:"scope"` // of a helper
		Until   civil.Date `json:"until" form:"until"` // of a helper
		Address string     `json:"-" form:"-"`         // the visitor's network address
	}
	// HolderInput is the input of RequestHolderCode.
	HolderInput struct {
		City    int       `json:"-" form:"-"`
		Account string    `json:"account" form:"account"`
		Help    bool      `json:"help" form:"help"`
		Lang    text.Lang `json:"-" form:"-"`
		Address string    `json:"-" form:"-"`
	}
	// PaperInput is the input of AskByPaper.
	PaperInput struct {
		City   int           `json:"-" form:"-"`
		Words  string        `json:"words" form:"words"` // the address
		Photos []blob.Stored `json:"-" form:"-"`
		Key    string        `json:"-" form:"-"`
	}
	// HelperInput is the input of AddHelper.
	HelperInput struct {
		City    int        `json:"-" form:"-"`
		Account string     `json:"account" form:"account"`
		Phone   string     `json:"phone" form:"phone"`
		Scope   Scope      `json:"scope" form:"scope"`
		Until   civil.Date `json:"until" form:"until"`
	}
	// ConsentInput is the input of TakeConsent: staff heard it at the counter or on a recorded call.
	ConsentInput struct {
		City    int        `json:"-" form:"-"`
		Account string     `json:"account" form:"account"`
		Phone   string     `json:"phone" form:"phone"`
		Role    Role       `json:"role" form:"role"`
		Scope   Scope      `json:"scope" form:"scope"`
		Until   civil.Date `json:"until" form:"until"`
		Reason  string     `json:"reason" form:"reason"` // how it was heard
	}
	// Decision is the input of Decide.
	Decision struct {
		City    int    `json:"-" form:"-"`
		ID      string `json:"-" form:"id"`
		Version int64  `json:"version" form:"version"`
		Approve bool   `json:"approve" form:"approve"`
		Account string `json:"account" form:"account"`
		Reason  string `json:"reason" form:"reason"`
	}
	// Filter narrows the list of bindings that staff see.
	Filter struct {
		State State `json:"state" form:"state"`
		page.Request
	}
)

// longestHelp is how far ahead consent may reach: it is asked for again after that.
const longestHelp = 366

// checkHelp looks at what a helper's consent says.
func checkHelp(c *fault.Check, scope Scope, until, today civil.Date) {
	c.That(slices.Contains([]Scope{MayRead, MayAct}, scope), "scope", "field.not_one_of", "allowed", []Scope{MayRead, MayAct})
	c.That(!until.IsZero() && !until.Before(today) && !until.After(today.AddDays(longestHelp)), "until", "resident.until_bounds", "days", longestHelp)
}

// normalAccount reads an account number as people copy it from a bill.
func normalAccount(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '\u3000' || r == '-':
			return -1
		case r >= '！' && r <= '～':
			return r - '！' + '!'
		}
		return r
	}, strings.TrimSpace(s))
}

// showsLast4 compares the end of a telephone.
func showsLast4(phone, typed string) bool {
	d := digits(typed)
	return len(d) == 4 && len(phone) >= 7 && strings.HasSuffix(phone, d)
}

// showsBill compares a sum with those of the household's bills.
func showsBill(bills []money.Fen, typed string) bool {
	sum, err := money.Parse(strings.TrimSuffix(strings.TrimSpace(typed), "元"))
	return err == nil && sum > 0 && slices.Contains(bills, sum)
}

// tail is the end of an account, enough for its holder to know it by.
func tail(account string) string {
	r := []rune(account)
	if len(r) <= 4 {
		return account
	}
	return "…" + string(r[len(r)-4:])
}

func maskOf(phone string) string { return secret.MaskPhone(phone) }
