// Package equipment is why a resident may trust the figure on the display: it knows every measuring instrument that comes
// into a home, whose it is, and until when its verification (检定) holds.
//
// Companies keep the list of their own instruments, the authority of its own and of everybody's. Invariants: an
// instrument is its owner and its number; a row is changed only by who saw its present version; what an instrument was
// worth on a day is computed from the row (Fitness) and frozen into whatever was measured with it, so nothing that happens
// to the instrument later changes a reading.
package equipment

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rehu-heat/rehu/internal/civil"
	"github.com/rehu-heat/rehu/internal/fault"
	"github.com/rehu-heat/rehu/internal/page"
)

// Kind is the sort of an instrument. Its name on the screen is "equipment_kind.<name>".
type Kind string

// The kinds.
const (
	Thermometer   Kind = "thermometer"    // 测温仪
	Recorder      Kind = "recorder"       // 温度记录仪
	HeatMeter     Kind = "heat_meter"     // 热量表
	PressureGauge Kind = "pressure_gauge" // 压力表
)

// Kinds lists the kinds in the order of the form.
func Kinds() []Kind { return []Kind{Thermometer, Recorder, HeatMeter, PressureGauge} }

// State is where an instrument is. Its name on the screen is "equipment_state.<name>".
type State string

// The states. They are what the owner says, not a life cycle: an instrument may come back from any of them.
const (
	InUse    State = "in_use"   // 在用
	Sent     State = "sent"     // 送检
	Stopped  State = "stopped"  // 停用
	Scrapped State = "scrapped" // 报废
)

// States lists the states in the order of the form.
func States() []State { return []State{InUse, Sent, Stopped, Scrapped} }

// Instrument is one measuring instrument.
type Instrument struct {
	City        int           `db:"city_id" json:"-"`
	ID          string        `db:"id" json:"id"`
	Owner       string        `db:"owner" json:"owner"` // organisation code
	Number      string        `db:"number" json:"number"`
	Kind        Kind          `db:"kind" json:"kind"`
	Model       string        `db:"model" json:"model"`
	Certificate string        `db:"certificate" json:"certificate"`
	Verifier    string        `db:"verifier" json:"verifier"` // the body that verified it
	VerifiedOn  civil.Date    `db:"verified_on" json:"verified_on"`
	ValidUntil  civil.Date    `db:"valid_until" json:"valid_until"` // that day included
	State       State         `db:"state" json:"state"`
	Version     int64         `db:"version" json:"version"`
	Created     civil.Instant `db:"created_at" json:"-"`
	Updated     civil.Instant `db:"updated_at" json:"updated_at"`
}

// Fitness is what an instrument was worth on a day. Its name on the screen is "fitness.<name>".
type Fitness string

// The degrees of fitness.
const (
	Valid      Fitness = "valid"
	Expired    Fitness = "expired"     // the verification ended before that day
	Early      Fitness = "early"       // verified only after that day
	Unverified Fitness = "unverified"  // the register knows no verification
	OutOfUse   Fitness = "out_of_use"  // sent away, stopped or scrapped
	Unknown    Fitness = "not_in_list" // the register does not know the instrument
)

// Fitness tells what the instrument is worth for a reading of a day.
func (i Instrument) Fitness(day civil.Date) Fitness {
	switch {
	case i.ID == "":
		return Unknown
	case i.State != InUse:
		return OutOfUse
	case i.VerifiedOn.IsZero() || i.ValidUntil.IsZero():
		return Unverified
	case day.After(i.ValidUntil):
		return Expired
	case day.Before(i.VerifiedOn):
		return Early
	}
	return Valid
}

// Entry is the input of Save: a new instrument, or with ID and Version what is changed of one.
type Entry struct {
	City        int        `json:"-" form:"-"`
	ID          string     `json:"-" form:"id"`
	Owner       string     `json:"owner" form:"owner"` // empty: the actor's own organisation
	Number      string     `json:"number" form:"number"`
	Kind        Kind       `json:"kind" form:"kind"` // empty: a thermometer
	Model       string     `json:"model" form:"model"`
	Certificate string     `json:"certificate" form:"certificate"`
	Verifier    string     `json:"verifier" form:"verifier"`
	VerifiedOn  civil.Date `json:"verified_on" form:"verified_on"`
	ValidUntil  civil.Date `json:"valid_until" form:"valid_until"`
	State       State      `json:"state" form:"state"` // empty: in use
	Version     int64      `json:"version" form:"version"`
	Key         string     `json:"-" form:"key"` // idempotency
}

// trim takes away what people type around words and fills in what is meant by nothing.
func (in *Entry) trim() {
	for _, s := range []*string{&in.Owner, &in.Number, &in.Model, &in.Certificate, &in.Verifier} {
		*s = strings.Trim(*s, " \t\r\n\u00a0\u3000")
	}
	if in.Kind == "" {
		in.Kind = Thermometer
	}
	if in.State == "" {
		in.State = InUse
	}
}

func (in Entry) check() error {
	var c fault.Check
	c.That(in.Owner != "", "owner", "field.required")
	c.That(in.Number != "", "number", "field.required")
	for _, f := range []struct{ name, value string }{
		{"owner", in.Owner}, {"number", in.Number}, {"model", in.Model}, {"certificate", in.Certificate}, {"verifier", in.Verifier},
	} {
		c.That(utf8.RuneCountInString(f.value) <= 100, f.name, "field.too_long", "max", 100)
	}
	c.That(known(in.Kind, Kinds()), "kind", "field.not_one_of", "allowed", words(Kinds()))
	c.That(known(in.State, States()), "state", "field.not_one_of", "allowed", words(States()))
	c.That(in.ValidUntil.IsZero() || !in.VerifiedOn.IsZero(), "verified_on", "field.required")
	c.That(in.VerifiedOn.IsZero() || !in.ValidUntil.IsZero(), "valid_until", "field.required")
	c.That(in.VerifiedOn.IsZero() || in.ValidUntil.IsZero() || !in.ValidUntil.Before(in.VerifiedOn), "valid_until", "equipment.ends_before")
	return c.Err()
}

func known[T comparable](v T, list []T) bool {
	return slices.Contains(list, v)
}

func words[T ~string](list []T) string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return strings.Join(out, ", ")
}

// over writes what an entry says into an instrument.
func (in Entry) over(i Instrument) Instrument {
	i.Owner, i.Number, i.Kind, i.Model, i.Certificate, i.Verifier = in.Owner, in.Number, in.Kind, in.Model, in.Certificate, in.Verifier
	i.VerifiedOn, i.ValidUntil, i.State = in.VerifiedOn, in.ValidUntil, in.State
	return i
}

// Filter narrows the list of instruments; empty fields do not.
type Filter struct {
	Owner  string     `json:"owner" form:"owner"`
	Kind   Kind       `json:"kind" form:"kind"`
	State  State      `json:"state" form:"state"`
	Query  string     `json:"q" form:"q"`           // part of the number
	Before civil.Date `json:"before" form:"before"` // whose verification ends before this day, or that have none
	page.Request
}
