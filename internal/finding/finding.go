// Package finding settles a doubt about a measured temperature (室温复核): the user or the company objects to a result, or
// the company never came; the authority hears both sides, looks at every test there is, a laboratory's among them, and
// puts its name under a numbered paper that says which result counts, who pays for the tests and what may still be done
// against it.
//
// Invariants: what the city's rules do not know (title, force, which result prevails, by when, which remedies) stays absent
// and is not made up; a ruling (裁决) is issued only where the city's rules name the law that grants it; the paper names a
// result that stands in the household's log; where the rules say whose result prevails, another cannot be named while that
// one is there; the company is heard before it is decided against: its word, or that it was asked and did not answer, is on
// the paper; acts hang in the audit chain of the household; a paper that was issued is never changed; a company sees only
// what is about the homes it serves; the applicant's name is sealed.
package finding

import (
	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/page"
)

// Ground is what is objected to. Its name on the screen is "finding_ground.<name>".
type Ground string

// The grounds.
const (
	Result Ground = "result" // the result of a test
	Absent Ground = "absent" // the company did not come in time, or refused to test
)

// Way is how the doubt is to be settled. Its name on the screen is "finding_way.<name>".
type Way string

// The ways.
const (
	Complaint  Way = "complaint"  // to the county or district authority
	Laboratory Way = "laboratory" // by a commissioned test, which the authority then weighs
)

// Side is who objects, and who bears a cost. Its name on the screen is "finding_side.<name>".
type Side string

// The sides.
const (
	User    Side = "user"
	Company Side = "company"
)

// Form is the paper that ends the matter. Its name on the screen is "finding_form.<name>".
type Form string

// The forms.
const (
	Opinion   Form = "opinion"   // 室温复核意见书, or as the pack calls it
	Mediation Form = "mediation" // 调解书
	Ruling    Form = "ruling"    // 裁决, only where a law grants it
)

// Room is the temperature of one room.
type Room struct {
	Room  string         `json:"room"`
	TempC celsius.Tenths `json:"temp_c"`
}

// Evidence is one test or failure to test that stands in the household's log.
type Evidence struct {
	Record     string        `json:"record"`
	Of         string        `json:"measurement,omitempty"` // the measurement that it belongs to
	Type       string        `json:"type"`                  // test, retest, lab_report, missed_by_company …
	At         civil.Instant `json:"at"`
	By         string        `json:"by,omitempty"` // company, authority, laboratory
	Rooms      []Room        `json:"rooms,omitempty"`
	Conforming *bool         `json:"conforming,omitempty"`
	Invited    bool          `json:"invited,omitempty"`  // of a laboratory: the company was invited in writing
	Doubtful   bool          `json:"doubtful,omitempty"` // two versions, an expired instrument: shown beside it
}

// Matter is the measurement that is objected to.
type Matter struct {
	Measurement string
	No          string
	Home        string // names the audit chain of the household
	Account     string
	Season      string
	Company     string
	District    string
	Area        string
	Station     string
	Address     string
}

// Remedy is a further way that is open to both sides, with its source.
type Remedy struct {
	Code   string          `json:"code"`
	Text   citypack.Phrase `json:"text"`
	Source string          `json:"source"`
}

// Promise is by when the authority answers, and why.
type Promise struct {
	Amount      int    `json:"amount"`
	Unit        string `json:"unit"`
	Source      string `json:"source"`
	Provisional bool   `json:"provisional"`
	Missing     string `json:"missing,omitempty"` // why there is no due time
}

// Paper is what was issued: everything on it is kept as it was, whatever the pack says later.
type Paper struct {
	Form      Form             `json:"form"`
	No        string           `json:"no"`
	Title     citypack.Phrase  `json:"title"`
	Prevails  *Evidence        `json:"prevails,omitempty"` // nothing: the company never came
	Evidence  []Evidence       `json:"evidence"`           // everything that was looked at
	Opinion   string           `json:"opinion"`
	Cost      Side             `json:"cost,omitempty"` // who bears the cost of the tests
	CostRule  *citypack.Phrase `json:"cost_rule,omitempty"`
	PerformBy civil.Date       `json:"perform_by,omitzero"` // of a mediation
	Force     *citypack.Phrase `json:"force,omitempty"`
	Remedies  []Remedy         `json:"remedies,omitempty"`
	Company   citypack.Phrase  `json:"company"`
	Authority citypack.Phrase  `json:"authority"` // as it signs
}

// Finding is one objection and where it stands.
type Finding struct {
	City            int           `db:"city_id" json:"-"`
	ID              string        `db:"id" json:"id"`
	No              string        `db:"no" json:"no"`
	Measurement     string        `db:"measurement_id" json:"measurement"`
	MeasurementNo   string        `db:"measurement_no" json:"measurement_no"`
	Home            string        `db:"home" json:"home"`
	Account         string        `db:"account" json:"account,omitempty"`
	Season          string        `db:"season" json:"season"`
	Company         string        `db:"company" json:"company"`
	District        string        `db:"district" json:"district,omitempty"`
	Area            string        `db:"area" json:"area,omitempty"`
	Station         string        `db:"station" json:"station,omitempty"`
	Address         string        `db:"address" json:"address"`
	State           State         `db:"state" json:"state"`
	Ground          Ground        `db:"ground" json:"ground"`
	Way             Way           `db:"way" json:"way"`
	Side            Side          `db:"side" json:"side"`
	Text            string        `db:"text" json:"text"`
	ApplicantID     string        `db:"applicant_id" json:"-"`
	Applicant       string        `db:"applicant" json:"applicant,omitempty"` // masked
	ApplicantSealed string        `db:"applicant_sealed" json:"-"`
	CompanyWord     string        `db:"company_word" json:"company_word,omitempty"`
	CompanyWordAt   civil.Instant `db:"company_word_at" json:"company_word_at,omitzero"`
	AskedAt         civil.Instant `db:"asked_at" json:"asked_at,omitzero"` // when the company was asked for its word
	Paper           *Paper        `db:"paper,json" json:"paper,omitempty"`
	Reason          string        `db:"reason" json:"reason,omitempty"` // of a rejection or withdrawal
	FiledAt         civil.Instant `db:"filed_at" json:"filed_at"`
	DueAt           civil.Instant `db:"due_at" json:"due_at,omitzero"`
	Promise         *Promise      `db:"promise,json" json:"promise,omitempty"`
	Late            bool          `db:"late" json:"late"` // the authority let its time pass
	DecidedAt       civil.Instant `db:"decided_at" json:"decided_at,omitzero"`
	FiledBy         string        `db:"filed_by" json:"-"`
	Version         int64         `db:"version" json:"version"`
}

// Subject names the finding to messages.
func (f Finding) Subject() string { return "finding:" + f.ID }

// On is what permissions depend on.
func (f Finding) On() actor.On {
	return actor.On{City: f.City, District: f.District, Company: f.Company, Area: f.Area, Station: f.Station}
}

// View is a finding with the evidence in the household's log and what may be done now.
type View struct {
	Finding
	Log     []Evidence `json:"log"`
	Allowed []Event    `json:"allowed"`
}

// Filing is the input of File.
type Filing struct {
	City        int    `json:"-" form:"-"`
	Measurement string `json:"measurement" form:"measurement"`
	Ground      Ground `json:"ground" form:"ground"`
	Way         Way    `json:"way" form:"way"`
	Text        string `json:"text" form:"text"`
	Applicant   string `json:"applicant" form:"applicant"` // name of the user who objects
	Phone       string `json:"phone" form:"phone"`
	Key         string `json:"-" form:"key"`
}

// Own is the input of FileOwn: a resident's objection through their receipt.
type Own struct {
	cases.Proof
	City        int    `json:"-" form:"-"`
	Measurement string `json:"measurement" form:"measurement"`
	Ground      Ground `json:"ground" form:"ground"`
	Way         Way    `json:"way" form:"way"`
	Text        string `json:"text" form:"text"`
	Applicant   string `json:"applicant" form:"applicant"`
	Key         string `json:"-" form:"key"`
}

// Leaving is the input of WithdrawOwn.
type Leaving struct {
	cases.Proof
	City    int    `json:"-" form:"-"`
	ID      string `json:"id" form:"id"`
	Version int64  `json:"version" form:"version"`
	Reason  string `json:"reason" form:"reason"`
	Key     string `json:"-" form:"key"`
}

// Act names the finding that something is done to.
type Act struct {
	City    int    `json:"-" form:"-"`
	ID      string `json:"-" form:"id"`
	Version int64  `json:"version" form:"version"`
	Reason  string `json:"reason" form:"reason"`
	Key     string `json:"-" form:"key"`
}

// Stepping is the input of Step: accept, reject, withdraw, weigh.
type Stepping struct {
	Act
	Event Event `json:"event" form:"event"`
}

// Deciding is the input of Decide.
type Deciding struct {
	Act
	Form      Form       `json:"form" form:"form"`
	Prevails  string     `json:"prevails" form:"prevails"` // the record whose result counts
	Opinion   string     `json:"opinion" form:"opinion"`
	Cost      Side       `json:"cost" form:"cost"`
	PerformBy civil.Date `json:"perform_by" form:"perform_by"`
}

// Filter narrows the list; empty fields do not.
type Filter struct {
	State       State  `json:"state" form:"state"`
	Open        bool   `json:"open" form:"open"`
	Late        bool   `json:"late" form:"late"`
	Company     string `json:"company" form:"company"`
	Home        string `json:"home" form:"home"`
	Measurement string `json:"measurement" form:"measurement"`
	page.Request
}
