// Package measure is what happens when a resident says that the flat is not warm enough and wants it measured (入户测温):
// somebody must come in time, read the temperature as the city's rules say, and leave a record that nobody can bend later.
//
// What others build on:
//
//   - Request (staff), RequestOwn (resident with a receipt) and RequestIn (inside the transaction that opens or amends a
//     case) make a measurement; Withdraw ends it.
//   - Propose, Accept, Decline, Assign: appointments and testers; Calendar and Route show them.
//   - Submit takes the parts of a visit in any order and as often as the phone sends them: arrival, readings, photographs,
//     signatures. Guide tells the form what the pack asks; Tell gives the document of a visit as data for printing.
//   - ClaimCure, DenyCure, VerifyCure, Invite, ReportLab, Correct.
//   - Doors counts how visits went at the door; what a company could not do stands apart from 未遇 and 拒测.
//   - Get, List, Log (everything about a home with the state of its chain) and Events (what the refund engine counts).
//   - OnResult, set by whoever puts the program together, runs in the transaction of every record that may change money.
//
// Invariants: a record is never changed, a correction is a new record that names the old one; records of one home hang in
// one audit chain; two different versions of one part of a visit are both kept and shown, and the first counts until a
// correction says otherwise; where a measurement stands is computed from its records in the order in which things happened,
// whatever order they were sent in; what the rules would rather have otherwise (windows, hours, instrument) is kept as a
// fact beside the reading and refuses nothing; the company alone sets no appointment; nobody home, refused by the user,
// refused by the company, late and unsigned are different things; names of signers are sealed; a company sees only the
// homes it serves.
package measure

import (
	"github.com/rehu-heat/rehu/internal/actor"
	"github.com/rehu-heat/rehu/internal/cases"
	"github.com/rehu-heat/rehu/internal/celsius"
	"github.com/rehu-heat/rehu/internal/citypack"
	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/clock"
	"github.com/rehu-heat/rehu/internal/page"
)

// Source is who asked for a measurement. Its name on the screen is "measure_source.<name>".
type Source string

// The sources.
const (
	ByResident  Source = "resident"
	BySeat      Source = "seat"
	ByVisit     Source = "visit" // asked on the spot during a visit (访民问暖)
	ByCompany   Source = "company"
	ByAuthority Source = "authority"
	ByCase      Source = "case" // the case was opened or amended with a test request
)

// Promise is by when the company must come, and why.
type Promise struct {
	Amount      int           `json:"amount"`
	Unit        string        `json:"unit"`
	Path        string        `json:"path"` // of the limit in the pack
	Source      string        `json:"source"`
	Provisional bool          `json:"provisional"`
	Missing     string        `json:"missing,omitempty"` // why there is no due time
	First       civil.Instant `json:"first,omitzero"`    // the due time before an appointment moved it
}

// Measurement is one request and where it stands. Contact data in it are masked.
type Measurement struct {
	City          int             `db:"city_id" json:"-"`
	ID            string          `db:"id" json:"id"`
	No            string          `db:"no" json:"no"`
	Home          string          `db:"home" json:"home"` // account, or "@" and the address where there is none
	Account       string          `db:"account" json:"account,omitempty"`
	Season        string          `db:"season" json:"season"` // "2025-2026"
	State         State           `db:"state" json:"state"`
	Source        Source          `db:"source" json:"source"`
	Case          string          `db:"case_id" json:"case,omitempty"`
	CaseNo        string          `db:"case_no" json:"case_no,omitempty"`
	Company       string          `db:"company" json:"company,omitempty"`
	District      string          `db:"district" json:"district,omitempty"`
	Area          string          `db:"area" json:"area,omitempty"`
	Station       string          `db:"station" json:"station,omitempty"`
	Community     string          `db:"community" json:"community,omitempty"`
	CommunityName string          `db:"community_name" json:"community_name,omitempty"`
	Building      string          `db:"building" json:"building,omitempty"`
	Unit          string          `db:"unit" json:"unit,omitempty"`
	Room          string          `db:"room" json:"room,omitempty"`
	Address       string          `db:"address" json:"address"`
	Worker        string          `db:"worker" json:"worker,omitempty"`
	Testers       []string        `db:"testers,json" json:"testers,omitempty"` // ids of staff; the worker leads
	AgreedC       *celsius.Tenths `db:"agreed" json:"agreed_c,omitempty"`      // temperature of the contract, where it sets one
	ContactID     string          `db:"contact_id" json:"-"`
	ContactName   string          `db:"contact_name" json:"contact_name,omitempty"`
	ContactPhone  string          `db:"contact_phone" json:"contact_phone,omitempty"`
	ContactSealed string          `db:"contact_sealed" json:"-"`
	ReportedAt    civil.Instant   `db:"reported_at" json:"reported_at,omitzero"`
	RequestedAt   civil.Instant   `db:"requested_at" json:"requested_at"`
	DueAt         civil.Instant   `db:"due_at" json:"due_at,omitzero"`
	Promise       *Promise        `db:"promise,json" json:"promise,omitempty"`
	From          civil.Instant   `db:"appointed_from" json:"appointed_from,omitzero"` // of the agreed appointment
	To            civil.Instant   `db:"appointed_to" json:"appointed_to,omitzero"`
	TestedAt      civil.Instant   `db:"tested_at" json:"tested_at,omitzero"`
	Result        *Result         `db:"result,json" json:"result,omitempty"` // of the last reading
	Misses        int             `db:"misses" json:"misses"`
	Conflict      bool            `db:"conflict" json:"conflict"` // two versions of one part
	CreatedBy     string          `db:"created_by" json:"-"`
	Created       civil.Instant   `db:"created_at" json:"-"`
	Updated       civil.Instant   `db:"updated_at" json:"updated_at"`
	Version       int64           `db:"version" json:"version"`
}

// Subject owns what is attached to the measurement: photographs of displays and sheets.
func (m Measurement) Subject() string { return "measure:" + m.ID }

// On is what permissions depend on.
func (m Measurement) On() actor.On {
	return actor.On{City: m.City, District: m.District, Company: m.Company, Area: m.Area, Station: m.Station, Worker: m.Worker}
}

// Late reports whether the company let its time pass.
func (m Measurement) Late(now civil.Instant) bool {
	return m.Misses > 0 || m.State.Waiting() && !m.DueAt.IsZero() && !now.Before(m.DueAt)
}

// Appointment is when somebody is to come.
type Appointment struct {
	City        int           `db:"city_id" json:"-"`
	ID          string        `db:"id" json:"id"`
	Measurement string        `db:"measurement_id" json:"measurement"`
	Company     string        `db:"company" json:"company"`
	State       Agreement     `db:"state" json:"state"`
	Retest      bool          `db:"retest" json:"retest"`
	From        civil.Instant `db:"from_at" json:"from"`
	To          civil.Instant `db:"to_at" json:"to"`
	How         string        `db:"how" json:"how,omitempty"` // the resident's word: message, recording, page
	Recording   string        `db:"recording" json:"recording,omitempty"`
	ProposedAt  civil.Instant `db:"proposed_at" json:"proposed_at"`
	ProposedBy  string        `db:"proposed_by" json:"-"`
	AnsweredAt  civil.Instant `db:"answered_at" json:"answered_at,omitzero"`
	Version     int64         `db:"version" json:"version"`
}

// Act names the measurement that something is done to.
type Act struct {
	City    int    `json:"-" form:"-"`
	ID      string `json:"-" form:"id"`
	Version int64  `json:"version" form:"version"` // that the actor saw; 0: whichever, for acts that only add
	Reason  string `json:"reason" form:"reason"`
	Key     string `json:"-" form:"key"` // idempotency
}

// Requesting is the input of Request: by account, by case, or by address.
type Requesting struct {
	City      int             `json:"-" form:"-"`
	Source    Source          `json:"source" form:"source"`   // empty: told from the actor
	Case      string          `json:"case" form:"case"`       // id
	Account   string          `json:"account" form:"account"` //
	Community string          `json:"community" form:"community"`
	Building  string          `json:"building" form:"building"`
	Unit      string          `json:"unit" form:"unit"`
	Room      string          `json:"room" form:"room"`
	Contact   cases.Party     `json:"contact" form:"contact"`
	AgreedC   *celsius.Tenths `json:"agreed_c" form:"agreed_c"`
	At        civil.Instant   `json:"at" form:"at"` // empty: now; when it was asked for on paper or at the door
	Key       string          `json:"-" form:"key"`
}

// Precondition is something that the city's rule asks for before a test (fee paid, one failed repair): it is shown, and
// what the register knows about it beside it. Nothing is refused for it here.
type Precondition struct {
	Text  citypack.Phrase `json:"text"`
	Known string          `json:"known,omitempty"` // what the register says: "paid:yes"
}

// Filter narrows the list of measurements; empty fields do not.
type Filter struct {
	State    State      `json:"state" form:"state"`
	Open     bool       `json:"open" form:"open"`
	Late     bool       `json:"late" form:"late"`
	Conflict bool       `json:"conflict" form:"conflict"`
	Company  string     `json:"company" form:"company"`
	Station  string     `json:"station" form:"station"`
	Worker   string     `json:"worker" form:"worker"`
	Home     string     `json:"home" form:"home"`
	Case     string     `json:"case" form:"case"`
	Season   string     `json:"season" form:"season"`
	Since    civil.Date `json:"since" form:"since"`
	Due      civil.Date `json:"due" form:"due"` // a test is owed by the end of that day
	Day      civil.Date `json:"day" form:"day"` // an agreed appointment is on that day

	Community string  `json:"community" form:"community"` // part of an estate's name
	Outcome   Outcome `json:"outcome" form:"outcome"`     // of a visit, however it went on
	page.Request
}

// View is a measurement with everything about it.
type View struct {
	Measurement
	Appointments  []Appointment  `json:"appointments"`
	Visits        []Visit        `json:"visits"`
	Records       []Record       `json:"records"`
	Documents     []Document     `json:"documents"`
	Preconditions []Precondition `json:"preconditions,omitempty"`
	Allowed       []Event        `json:"allowed"`
	Clocks        []clock.Clock  `json:"clocks,omitempty"` // of a request without a case; a case shows its own
	ClockEntries  []clock.Entry  `json:"clock_entries,omitempty"`
}
